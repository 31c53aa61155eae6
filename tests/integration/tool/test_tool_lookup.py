# SPDX-License-Identifier: Apache-2.0
"""`rpcgate upstreams`, `methods` and `describe`: what a gateway tells of its upstreams."""

import json

import pytest

from rig.programs import PythonServer
from rig.tool import FAULT, OK, REFUSED, UNAVAILABLE, USAGE, address, tool, tool_on_terminal

UPSTREAMS = {"upstreams": [{"name": "demo", "state": "up"}, {"name": "b" * 30, "state": "down"},
                           {"name": "c", "state": "unknown"}]}
METHODS = ["system.listMethods", "a.add", "a.get", "größer", "bad\x1b[2J", "two\nlines"]

#: What stands at each path.
DOCUMENTS = {
    "/v1": UPSTREAMS,
    "/v1/demo": {"name": "demo", "methods": [{"name": name} for name in METHODS]},
    "/v1/none": {"name": "none", "methods": None, "reason": "It has no system.listMethods."},
    "/v1/empty": {"name": "empty", "methods": []},
    "/v1/demo/a.add": {"method": "a.add", "signatures": [["int", "int", "int"], ["double"], []],
                       "help": "Adds.\n\nTwo\x1b numbers.\n\n"},
    "/v1/demo/a%2Fb%20c": {"method": "a/b c", "signatures": None, "help": ""},
    "/v1/other": {"name": "other"},
}


@pytest.fixture(scope="module")
def url(start_shared):
    async def behave(x):
        path = x.request_line.split()[1]
        assert x.request_line.startswith("GET ") and x.header("Content-Type") is None
        if path in DOCUMENTS:
            body, status, kind = DOCUMENTS[path], "200 OK", "application/json"
        else:
            body, status, kind = ({"type": "urn:rpcgate:problem:forbidden", "title": "No",
                                   "status": 403, "detail": "Go away."}, "403 Forbidden",
                                  "application/problem+json")
        await x.respond(json.dumps(body).encode(), status, {"Content-Type": kind})
    return f"http://127.0.0.1:{start_shared.upstream(behave).port}"


def test_upstreams(url):
    done = tool("upstreams", "--url", url)
    assert done.status == OK and not done.err
    assert [line.split() for line in done.out.splitlines()] == [
        [item["name"], item["state"]] for item in UPSTREAMS["upstreams"]]
    assert done.out == tool_on_terminal("upstreams", "--url", url).out


def test_methods(url):
    done = tool("methods", "--url", url, "demo")
    assert done.status == OK and not done.err
    assert done.out == "system.listMethods\na.add\na.get\ngrößer\nbad?[2J\ntwo?lines\n"
    for glob, found in (("a.*", "a.add\na.get\n"), ("*e?t*", ""), ("gr??er", "größer\n"),
                        ("A.*", ""), ("*", done.out)):
        assert tool("methods", "demo", glob, "--url", url).out == found, glob
    assert tool("methods", "--url", url, "empty").out == ""


def test_no_introspection(url):
    done = tool("methods", "--url", url, "none")
    assert done.status == UNAVAILABLE and not done.out
    assert "none" in done.err and "It has no system.listMethods." in done.err
    done = tool("methods", "--json", "--url", url, "none")
    assert done.status == OK and json.loads(done.out) == DOCUMENTS["/v1/none"]


def test_describe(url):
    done = tool("describe", "--url", url, "demo", "a.add")
    assert (done.status, done.err) == (OK, "")
    assert done.out == "a.add(int, int) -> int\na.add() -> double\na.add()\n\nAdds.\n\nTwo? numbers.\n"
    assert tool("describe", "--url", url, "demo", "a/b c").out == "a/b c(…)\n"


def test_json(url):
    for words, path in ((("upstreams",), "/v1"), (("methods", "demo"), "/v1/demo"),
                        (("describe", "demo", "a.add"), "/v1/demo/a.add")):
        done = tool(*words, "--json", "--url", url)
        assert done.status == OK and json.loads(done.out) == DOCUMENTS[path]
        assert done.out.count("\n") == 1


def test_problems(url):
    done = tool("describe", "--url", url, "demo", "secret")
    assert (done.status, done.err) == (REFUSED, "rpcgate: No: Go away.\n")
    done = tool("methods", "--url", url, "other")
    assert done.status == UNAVAILABLE and "like a gateway" in done.err
    done = tool("methods", "--url", "http://127.0.0.1:1", "demo")
    assert done.status == UNAVAILABLE and "rpcgated" in done.err


@pytest.fixture(scope="module")
def real(start_shared):
    """The address of a gateway with Python's server, one without introspection, and one that is
    down."""
    async def behave(x):
        await x.answer_fault(-32601, "no such method")
    server = PythonServer()
    gateway = start_shared.gateway({
        "anonymous": {"allow": ["*/*"], "deny": ["python/fail", "secret/*"]},
        "upstreams": {"python": {"url": server.url}, "secret": {"url": server.url},
                      "bare": {"url": start_shared.upstream(behave).url},
                      "down": {"url": "http://127.0.0.1:1"}}})
    yield address(gateway)
    server.stop()


def test_a_real_gateway(real):
    assert tool("call", "--url", real, "down", "m").status == UNAVAILABLE
    assert tool("call", "--url", real, "bare", "m").status == FAULT
    done = tool("methods", "--url", real, "python")
    assert (done.status, done.err) == (OK, "")
    methods = done.out.splitlines()
    assert {"add", "echo", "system.listMethods"} <= set(methods) and "fail" not in methods
    done = tool("describe", "--url", real, "python", "system.listMethods")
    assert done.status == OK and done.out.startswith("system.listMethods(")
    assert "list" in done.out, "its help"
    done = tool("methods", "--url", real, "bare")
    assert done.status == UNAVAILABLE and "bare does not tell its methods: " in done.err
    done = tool("methods", "--url", real, "down")
    assert done.status == UNAVAILABLE and not done.out
    assert tool("methods", "--url", real, "secret").status == USAGE
    assert tool("describe", "--url", real, "python", "fail").status == REFUSED
    done = tool("upstreams", "--url", real)
    states = dict(line.split() for line in done.out.splitlines())
    assert states == {"python": "up", "bare": "up", "down": "down"}


@pytest.mark.parametrize("words", [
    ("upstreams", "x"), ("methods",), ("methods", "a", "b", "c"), ("describe", "a"),
    ("describe", "a", "b", "c"), ("methods", "--json", "a", "b"), ("upstreams", "--nope")])
def test_wrong_usage(words):
    done = tool(*words)
    assert done.status == USAGE and not done.out and f"rpcgate {words[0]} --help" in done.err
