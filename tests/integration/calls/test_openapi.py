# SPDX-License-Identifier: Apache-2.0
"""GET /openapi.json: what a caller may use, as generators read it, and true. The documents are held
against those in tests/golden/openapi; with RPCGATE_LONG_TESTS=1 tools that others have written look
at them, where npm can be reached."""

import json
import os
import subprocess

import pytest

from rig import npm
from rig.check import assert_problem
from rig.described import HELP, TOKEN, described_settings, upstream_functions
from rig.multicall import Multicall
from rig.settings import TOP, up_settings

GOLDEN = TOP / "tests" / "golden" / "openapi"

#: Pinned, and what fits the Node that Debian has.
TOOLS = ("@redocly/cli@2.11.0", "@stoplight/spectral-cli@6.15.0",
         "@apidevtools/swagger-parser@12.1.0", "openapi-typescript@7.13.0", "typescript@5.9.3")

@pytest.fixture
def gateway(start):
    return start.gateway(described_settings(start))


def document(gateway, path="/openapi.json", token=None):
    answer = gateway.get(path, **({"Authorization": f"Bearer {token}"} if token else {}))
    assert answer.status == 200 and answer.header("Content-Type") == "application/json"
    return answer.json


def test_golden_documents(gateway):
    """With RPCGATE_UPDATE=1 they are written anew."""
    for name, path, token in (("all", "/openapi.json", None), ("up", "/openapi/up.json", None),
                              ("bot", "/openapi.json", TOKEN)):
        found = document(gateway, path, token)
        found["info"]["version"] = "0"
        text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        golden = GOLDEN / f"{name}.json"
        if os.environ.get("RPCGATE_UPDATE"):
            golden.write_text(text)
        assert text == golden.read_text(), name


def test_each_sees_its_own(gateway):
    mine = document(gateway, token=TOKEN)
    assert list(mine["paths"]) == ["/partners/{id}", "/v1/up/calc.add"]
    assert list(mine["paths"]["/partners/{id}"]) == ["get"]
    none = document(gateway, token="x" * 32)
    assert not none["paths"]
    assert_problem(gateway.get("/openapi/up.json", Authorization="Bearer " + "x" * 32),
                   "not-found", 404)
    for path in ("/openapi/upx.json", "/openapi/.json", "/openapi/up.jso", "/openapi/up"):
        assert_problem(gateway.get(path), "not-found", 404)
    assert_problem(gateway.post_json("/openapi.json", []), "method-not-allowed", 405)


def test_who_may_use_only_routes(gateway):
    """finds these in the document of their upstream."""
    mine = document(gateway, "/openapi/up.json", "r" * 32)
    assert list(mine["paths"]) == ["/partners/{id}"]
    assert [tag["name"] for tag in mine["tags"]] == ["up", "partners"]
    assert_problem(gateway.get("/openapi/silent.json", Authorization="Bearer " + "r" * 32),
                   "not-found", 404)
    assert_problem(gateway.get("/v1/up", Authorization="Bearer " + "r" * 32), "not-found", 404)


def test_routes_of_one_path(start):
    """They stand together, whichever of them the caller may use."""
    upstream = start.upstream(Multicall(upstream_functions()))
    routes = [{"name": f"{method}-{n}", method: f"/a/b{n}", "call": "up/calc.echo", "safe": True}
              for n in (1, 2) for method in ("delete", "get", "put")]
    callers = ({"name": "bot", "token": TOKEN, "allow": ["@put-1", "@get-2"]},)
    gateway = start.gateway({**up_settings(upstream), "routes": routes, "callers": callers})
    paths = document(gateway)["paths"]
    assert {path: set(paths[path]) for path in ("/a/b1", "/a/b2")} == {
        path: {"delete", "get", "put"} for path in ("/a/b1", "/a/b2")}
    paths = document(gateway, token=TOKEN)["paths"]
    assert {path: set(paths[path]) for path in paths} == {"/a/b1": {"put"}, "/a/b2": {"get"}}


def test_what_has_an_etag(start):
    """Says so: GET routes whose results are kept for a time, and nothing else."""
    functions = {**upstream_functions(), "calc.now": lambda: 7}
    upstream = start.upstream(Multicall(functions))
    safe = {"call": "up/calc.echo", "safe": True}
    kept = {**safe, "cache": {"ttl": "5s"}}
    routes = (
        {"name": "own", "get": "/own", **kept},
        {"name": "of-its-method", "get": "/of-its-method", "call": "up/calc.now"},
        {"name": "not-kept", "get": "/not-kept", **safe},
        {"name": "only-once", "get": "/only-once", **safe, "cache": {"ttl": "0s"}},
        {"name": "other-status", "get": "/other-status", **kept, "status": 203},
        {"name": "posted", "post": "/posted", **kept})
    methods = ({"match": "calc.now", "safe": True, "cache": {"ttl": "5s"}},)
    gateway = start.gateway({**up_settings(upstream, methods=methods), "routes": routes})
    found = document(gateway)
    for route in routes:
        verb = "post" if "post" in route else "get"
        operation = found["paths"]["/" + route["name"]][verb]
        has_etag = route["name"] in ("own", "of-its-method")
        assert ("304" in operation["responses"]) == has_etag, route
        asked = [{"$ref": "#/components/parameters/IfNoneMatch"}] if has_etag else []
        assert operation.get("parameters", []) == asked
        answer = gateway.get("/" + route["name"]) if verb == "get" else \
            gateway.post_json("/" + route["name"], {})
        told = operation["responses"][str(answer.status)].get("headers", {})
        assert set(told) == ({"ETag", "Cache-Control"} if has_etag else set()), route
        assert (answer.header("ETag") is not None) == has_etag, route
        if has_etag:
            again = gateway.get("/" + route["name"], If_None_Match=answer.header("ETag"))
            assert again.status == 304
    methods_alone = document(start.gateway(up_settings(upstream)))["components"]
    assert set(methods_alone["responses"]) == {"Problem"} and "parameters" not in methods_alone


def test_a_long_help_text(start):
    """A part of it stands in the document, cut between two characters."""
    functions = upstream_functions()
    functions["system.methodHelp"] = lambda name: "x" + "\n€" * 40_000
    gateway = start.gateway(up_settings(start.upstream(Multicall(functions))))
    told = document(gateway)["paths"]["/v1/up/calc.add"]["post"]["description"]
    assert told.startswith("```text\nx\n€\n€") and told.endswith("…\n```")
    assert 9_000 < len(told.encode()) <= 16 * 1024 + 30


def test_what_servers_say_is_no_markup(gateway):
    operation = document(gateway)["paths"]["/v1/up/calc.add"]["post"]
    assert operation["description"] == f"````text\n{HELP['calc.add']}\n````"
    assert operation["operationId"] == "up__calc.add"


def test_an_upstream_that_does_not_tell(gateway):
    paths = document(gateway, "/openapi/silent.json")["paths"]
    assert list(paths) == ["/v1/silent/{method}"]


def test_what_is_not_there_by_json(start):
    upstream = start.upstream(Multicall(upstream_functions()))
    settings = {**up_settings(upstream), "routes": [
        {"name": "hid", "post": "/hid", "call": "hidden/calc.echo"}]}
    settings["upstreams"]["hidden"] = {"url": upstream.url, "faces": ["xmlrpc"]}
    gateway = start.gateway(settings)
    paths = document(gateway)["paths"]
    assert paths and not [path for path in paths if "hid" in path]
    assert_problem(gateway.get("/openapi/hidden.json"), "not-found", 404)


def test_it_counts_for_the_rate(start):
    """For it may ask all upstreams about all their methods."""
    upstream = start.upstream(Multicall(upstream_functions()))
    caller = {"name": "bot", "token": TOKEN, "allow": ["up/*"], "rate": 1, "burst": 2}
    gateway = start.gateway({**up_settings(upstream), "callers": (caller,)})
    for path in ("/openapi.json", "/openapi/up.json"):
        document(gateway, path, TOKEN)
    answer = gateway.get("/openapi.json", Authorization=f"Bearer {TOKEN}")
    assert_problem(answer, "rate-limited", 429, setting="callers.rate")


@pytest.fixture(scope="module")
def tools(folder):
    """Where the tools are."""
    return npm.install(folder, *TOOLS)


def run(tools, *command, cwd):
    done = subprocess.run(["node", str(tools / ".bin" / command[0]), *command[1:]], cwd=cwd,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_what_other_tools_say(tools, gateway, tmp_path):
    (tmp_path / "spectral.yaml").write_text(
        'extends: ["spectral:oas"]\nrules:\n  info-contact: off\n'
        '  no-script-tags-in-markdown: off\n')  # it looks into blocks of code, too
    (tmp_path / "valid.mjs").write_text(
        f'import p from "{tools}/@apidevtools/swagger-parser/lib/index.js";\n'
        'await (p.default ?? p).validate(process.argv[2]);\n')
    for name, path in (("all", "/openapi.json"), ("up", "/openapi/up.json")):
        (tmp_path / f"{name}.json").write_text(json.dumps(document(gateway, path)))
        run(tools, "redocly", "lint", f"{name}.json", cwd=tmp_path)
        found = json.loads(run(tools, "spectral", "lint", "-q", "-f", "json", "-F", "error", "-r",
                               "spectral.yaml", f"{name}.json", cwd=tmp_path) or "[]")
        # Of a path that is percent-encoded it loses what stands there.
        assert not [it for it in found if "odd" not in "".join(map(str, it["path"]))], found
        run(tools, "openapi-typescript", f"{name}.json", "-o", f"{name}.ts", cwd=tmp_path)
        run(tools, "tsc", "--noEmit", "--strict", "--skipLibCheck", f"{name}.ts", cwd=tmp_path)
        done = subprocess.run(["node", "valid.mjs", f"{name}.json"], cwd=tmp_path,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
