# SPDX-License-Identifier: Apache-2.0
"""RPCGATE_URL and RPCGATE_TOKEN_FILE in the place of options, `rpcgate ready`, and the upstreams that
a configuration names."""

import json

import pytest

from rig.settings import configuration
from rig.tool import (CONFIGURATION, NO_INPUT, OK, REFUSED, TRY_AGAIN, UNAVAILABLE, USAGE, address,
                      tool)

TOKEN = "token-of-a-known-caller-" * 2


@pytest.fixture(scope="module")
def gateway(start_shared, shared_upstream):
    return start_shared.gateway({
        "callers": [{"name": "known", "token": TOKEN, "allow": ["*/*"]}],
        "upstreams": {"up": {"url": shared_upstream.url, "breaker": {"failures": 0}}}})


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    return str(path)


@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_environment_in_place_of_options(gateway, token, over):
    there = {"RPCGATE_URL": address(gateway, over), "RPCGATE_TOKEN_FILE": token}
    done = tool("call", "up", "m", "7", environment=there)
    assert (done.status, done.out) == (OK, "7\n"), done.err
    assert tool("upstreams", environment=there).out.split() == ["up", "up"]
    assert tool("methods", "up", environment=there).status in (OK, UNAVAILABLE)


def test_options_go_first(gateway, token, tmp_path):
    wrong = {"RPCGATE_URL": "http://127.0.0.1:1", "RPCGATE_TOKEN_FILE": str(tmp_path / "none")}
    right = ("--url", address(gateway), "--token-file", token)
    assert tool("call", *right, "up", "m", "7", environment=wrong).out == "7\n"
    done = tool("call", *right[:2], "up", "m", environment=wrong)
    assert done.status == NO_INPUT and "RPCGATE_TOKEN_FILE: `" in done.err
    assert "--token-file" not in done.err
    done = tool("call", *right[2:], "up", "m", environment=wrong)
    assert done.status == UNAVAILABLE and "127.0.0.1:1" in done.err


def test_empty_is_not_set(gateway, token):
    done = tool("call", "--url", address(gateway), "up", "m", "7",
                environment={"RPCGATE_TOKEN_FILE": "", "RPCGATE_URL": ""})
    assert done.status == REFUSED


def test_messages_name_them(gateway, tmp_path):
    """Whoever fails for want of them learns that they are there."""
    none = f"http+unix://{str(tmp_path).replace('/', '%2F')}%2Fnone.sock"
    done = tool("upstreams", "--url", none)
    assert done.status == UNAVAILABLE and "--url" in done.err and "RPCGATE_URL" in done.err
    for words in (("call", "up", "m"), ("upstreams",), ("methods", "up")):
        done = tool(*words, environment={"RPCGATE_URL": address(gateway)})
        assert done.status == REFUSED
        assert "--token-file" in done.err and "RPCGATE_TOKEN_FILE" in done.err
    wrong = tmp_path / "wrong"
    wrong.write_text("x" * 40)
    done = tool("upstreams", "--token-file", str(wrong), "--url", address(gateway))
    assert done.status == REFUSED and "RPCGATE_TOKEN_FILE" not in done.err, "one was shown"


@pytest.mark.parametrize("url, words", [
    ("nonsense", "RPCGATE_URL"), ("http://u:p@127.0.0.1", "RPCGATE_URL: a gateway wants no user"),
    ("http://127.0.0.1/?x", "RPCGATE_URL: a gateway's address has no query")])
def test_wrong_variables_are_named(url, words):
    done = tool("upstreams", environment={"RPCGATE_URL": url})
    assert done.status == USAGE and words in done.err and "--url" not in done.err


def test_without_a_gateway_they_do_not_count(start):
    server = start.upstream()
    done = tool("call", "--direct", server.url, "m", "7",
                environment={"RPCGATE_URL": "http://127.0.0.1:1", "RPCGATE_TOKEN_FILE": "/none"})
    assert (done.status, done.out) == (OK, "7\n")


# rpcgate ready.

@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_ready(gateway, over):
    """No token is needed, and none is read."""
    done = tool("ready", "--url", address(gateway, over))
    assert (done.status, done.out, done.err) == (OK, "ready\n", "")
    there = {"RPCGATE_URL": address(gateway, over), "RPCGATE_TOKEN_FILE": "/nonexistent"}
    assert tool("ready", environment=there).out == "ready\n"


def test_not_ready(start):
    gateway = start.gateway({
        "anonymous": {"allow": ["*/*"]},
        "upstreams": {"gone": {"url": "http://127.0.0.1:1", "required": True,
                               "retry": {"attempts": 1}}}})
    gateway.call("gone", "m")
    done = tool("ready", "--url", address(gateway))
    assert (done.status, done.out) == (UNAVAILABLE, "upstream-down\n")


@pytest.mark.parametrize("status, body, code, out", [
    ("200 OK", {"status": "ready"}, OK, "ready\n"),
    ("503 No", {"status": "starting"}, TRY_AGAIN, "starting\n"),
    ("503 No", {"status": "draining"}, TRY_AGAIN, "draining\n"),
    ("503 No", {"status": "upstream-down"}, UNAVAILABLE, "upstream-down\n"),
    ("503 No", {"status": "ready"}, UNAVAILABLE, "ready\n"),
    ("200 OK", {"status": "o\x1b[2Jdd\n"}, UNAVAILABLE, "o?[2Jdd?\n"),
    ("200 OK", {"status": 1}, UNAVAILABLE, ""), ("200 OK", [], UNAVAILABLE, ""),
    ("404 No", {"type": "urn:rpcgate:problem:not-found", "title": "No", "detail": "Not served."},
     USAGE, "")])
def test_states(start, status, body, code, out):
    async def behave(x):
        assert x.request_line.startswith("GET /readyz ")
        assert x.header("Authorization") is None and x.header("X-Rpcgate-Timeout") is None
        await x.respond(json.dumps(body).encode(), status, {"Content-Type": "application/json"})

    done = tool("ready", "--url", f"http://127.0.0.1:{start.upstream(behave).port}")
    assert (done.status, done.out) == (code, out), done.err
    assert bool(done.err) == (out == "")


@pytest.mark.parametrize("body", [b"", b"ready", b'{"status": "ready"', b"[" * 9999],
                         ids=["empty", "word", "cut", "deep"])
def test_answers_of_no_gateway(start, body):
    async def behave(x):
        await x.respond(body)

    done = tool("ready", "--url", f"http://127.0.0.1:{start.upstream(behave).port}")
    assert done.status == UNAVAILABLE and "does not answer like a gateway" in done.err


def test_no_answer_is_not_waited_for(start):
    async def behave(x):
        await x.gone()

    url = f"http://127.0.0.1:{start.upstream(behave).port}"
    assert tool("ready", "--url", url, "--timeout", "100ms").status == TRY_AGAIN
    assert tool("ready", "--url", "http://127.0.0.1:1").status == UNAVAILABLE
    assert tool("ready", "stray").status == USAGE


# rpcgate upstreams -c.

def test_upstreams_of_a_configuration(tmp_path):
    path = tmp_path / "r.conf"
    secret = {"scheme": "basic", "username": "u", "password": "${file:/nonexistent}"}
    path.write_text(configuration({"upstreams": {
        "b": {"url": "http://h", "auth": secret}, "a-1": {"url": "http://h"}}}))
    done = tool("upstreams", "-c", str(path), environment={"RPCGATE_URL": "http://127.0.0.1:1"})
    assert (done.status, done.out, done.err) == (OK, "b\na-1\n", "")
    document = json.loads(tool("upstreams", "--json", "--config", str(path)).out)
    assert [upstream["name"] for upstream in document["upstreams"]] == ["b", "a-1"]
    assert tool("upstreams", "-c", str(tmp_path / "none")).status == NO_INPUT
    path.write_text("limts = { };")
    done = tool("upstreams", "-c", str(path))
    assert done.status == CONFIGURATION and "limts" in done.err and not done.out
    assert tool("upstreams", "-c", str(path), "--url", "http://h").status == USAGE
