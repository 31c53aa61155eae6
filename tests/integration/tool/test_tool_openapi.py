# SPDX-License-Identifier: Apache-2.0
"""`rpcgate openapi` writes what the gateway would describe, without it."""

import json

import pytest

from rig.described import TOKEN, described_settings
from rig.multicall import Multicall, methods
from rig.settings import configuration, up_settings
from rig.tool import CONFIGURATION, NO_INPUT, OK, UNAVAILABLE, USAGE, tool


@pytest.fixture
def gateway(start, tmp_path):
    """Whose secrets stand in a file."""
    (tmp_path / "token").write_text(TOKEN)
    return start.gateway(described_settings(start, f"${{file:{tmp_path}/token}}"))


def configured(gateway) -> str:
    return str(gateway.folder / "rpcgate.conf")


def served(gateway, path: str, token: str | None = None) -> str:
    answer = gateway.get(path, **({"Authorization": f"Bearer {token}"} if token else {}))
    assert answer.status == 200
    return answer.body.decode()


def written(gateway, *words: str) -> str:
    done = tool("openapi", "-c", configured(gateway), *words)
    assert done.status == OK and not done.err, done
    return done.out


@pytest.mark.parametrize("words, path, token", [
    ((), "/openapi.json", None), (("--caller", "anonymous"), "/openapi.json", None),
    (("--upstream", "up"), "/openapi/up.json", None),
    (("--upstream", "silent"), "/openapi/silent.json", None),
    (("--caller", "bot"), "/openapi.json", TOKEN),
    (("--caller", "reader", "--upstream", "up"), "/openapi/up.json", "r" * 32),
    (("--caller", "none"), "/openapi.json", "x" * 32)])
def test_it_is_that_of_the_gateway(gateway, words, path, token):
    """Byte for byte where upstreams are asked."""
    assert written(gateway, *words, "--ask") == served(gateway, path, token) + "\n"


def test_without_asking(gateway, tmp_path):
    """Routes are those of the gateway, methods one operation; no secret is opened."""
    served_one = json.loads(served(gateway, "/openapi.json"))
    (tmp_path / "token").unlink()
    mine = json.loads(written(gateway))
    for path, item in served_one["paths"].items():
        if not path.startswith("/v1/"):
            assert mine["paths"].pop(path) == item
    assert list(mine["paths"]) == ["/v1/up/{method}", "/v1/silent/{method}"]
    assert {**served_one, "paths": None} == {**mine, "paths": None}


def test_nobody_is_asked(start):
    behaviour = Multicall(methods())
    gateway = start.gateway(up_settings(start.upstream(behaviour)))
    assert "/v1/up/{method}" in written(gateway)
    assert not behaviour.singles and not behaviour.sizes and not behaviour.questions
    assert "/v1/up/echo" in written(gateway, "--ask")
    assert behaviour.singles


def test_an_upstream_that_is_down(tmp_path):
    """The reason is told, and the rest is there."""
    path = tmp_path / "r.conf"
    path.write_text(configuration({"upstreams": {
        "down": {"url": "http://127.0.0.1:1"}, "off": {"url": "http://127.0.0.1:1"}}}))
    done = tool("openapi", "-c", str(path), "--ask", "--upstream", "down")
    assert done.status == UNAVAILABLE
    assert done.err.startswith("rpcgate: down does not tell its methods: ")
    assert done.err.count("\n") == 1 and "off" not in done.err
    assert list(json.loads(done.out)["paths"]) == ["/v1/down/{method}"]


@pytest.mark.parametrize("words, status, told", [
    (("--upstream", "none"), USAGE, 'no upstream "none"'),
    (("--caller", "none"), USAGE, 'no caller "none"'),
    (("--caller", "anonymous"), USAGE, 'no caller "anonymous"'),
    (("up",), USAGE, "options only"),
    (("-c", "missing.conf"), NO_INPUT, "missing.conf"),
    (("-c", "bad.conf"), CONFIGURATION, "bad.conf:1"),
    (("-c", "sealed.conf", "--ask"), CONFIGURATION, "token")])
def test_misuse(tmp_path, words, status, told):
    good = {"upstreams": {"up": {"url": "http://h"}}}
    (tmp_path / "r.conf").write_text(configuration(good))
    (tmp_path / "bad.conf").write_text("workers = no;")
    (tmp_path / "sealed.conf").write_text(configuration({**good, "callers": (
        {"name": "a", "token": "${file:/nonexistent/token}", "allow": ["*/*"]},)}))
    done = tool("openapi", "-c", "r.conf", *words, folder=tmp_path)
    assert done.status == status and told in done.err and not done.out, done
