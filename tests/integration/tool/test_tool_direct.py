# SPDX-License-Identifier: Apache-2.0
"""`rpcgate call --direct`: without a gateway, and as with one."""

import base64
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from rig.codec import RPCGATE
from rig.misbehave import responds, sends
from rig.programs import PythonServer
from rig.settings import DEADLINE
from rig.tool import (DATA_ERROR, FAULT, OK, TRY_AGAIN, UNAVAILABLE, address, tool,
                      tool_on_terminal)
from rig.upstream import value_document

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def server():
    server = PythonServer()
    yield server
    server.stop()


@pytest.fixture
def call(server):
    def call(*words, options=(), **more):
        return tool("call", "--direct", server.url, *options, *words, **more)
    return call


def test_results(call):
    assert call("add", "2", "-5").out == "-3\n"
    assert call("show", "web", "-5", options=("-s",)).out == '"(\'web\', \'-5\')"\n'
    assert call("show", "-", data=b'[1.5, "x"]').out == "\"(1.5, 'x')\"\n"
    assert call("echo", '{"a":null}', options=("-x", "nil,i8")).out == '{"a":null}\n'
    assert call("types", options=("--types", "tagged")).out.count("$dateTime") == 1


def test_on_a_terminal(server):
    done = tool_on_terminal("call", "--direct", server.url, "echo", '[{"a":20.0}]')
    assert (done.status, done.out) == (OK, '[\n  {\n    "a": 20.0\n  }\n]\n')


def test_failures(call, server):
    done = call("fail", "7", '"no\\nway"')
    assert (done.status, done.out, done.err) == (FAULT, "", "rpcgate: fault 7: no\nway\n")
    done = call("echo", "[1,null]")
    assert done.status == DATA_ERROR and "nil" in done.err and "/0/1" in done.err
    done = call("echo", "-", data=b"[1,\n!]")
    assert done.status == DATA_ERROR and "line 2" in done.err
    done = tool("call", "--direct", server.url + "/none", "echo")
    assert done.status == UNAVAILABLE and "404" in done.err and "path" in done.err
    done = tool("call", "--direct", "http://127.0.0.1:1", "echo")
    assert done.status == UNAVAILABLE and "refused" in done.err
    done = tool("call", "--direct", "http://name.invalid", "echo")
    assert done.status == UNAVAILABLE and "name.invalid" in done.err


@pytest.mark.parametrize("method", ["a b", "", "m" * 256, "a\x01", b"\xff", "\u200b"])
def test_names_that_no_gateway_takes(call, method):
    done = call(method)
    assert done.status == DATA_ERROR and not done.out and "name" in done.err
    assert call("größer").status == FAULT


BEHAVIOURS = [
    responds(value_document("<int>5</int>")),
    responds(value_document("<i8>9007199254740993</i8>")),
    responds(value_document("<int>x</int>")),
    responds("<html>no</html>", Content_Type="text/html"),
    responds(""),
    responds("<p>wait</p>", "503 Busy", Retry_After="7"),
    responds("<p>no</p>", "401 Who", WWW_Authenticate="Basic realm=x"),
    responds("<?xml version='1.0'?><methodResponse><params></params></methodResponse>"),
    responds("<?xml version='1.0'?><methodResponse><params><param><value>a</value></param><param>"
             "<value>b</value></param></params></methodResponse>"),
    responds("<?xml version='1.0'?><methodCall><methodName>m</methodName></methodCall>"),
    responds("<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>faultCode"
             "</name><value>Server.Bad</value></member><member><name>faultString</name><value>x"
             "</value></member></struct></value></fault></methodResponse>", "500 Oops"),
    responds("x" * 3_000_000, "200 OK", end="close"),
    sends(b""),
    sends(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n<?xml"),
    sends(b"SSH-2.0-x\r\n"),
]


@pytest.mark.parametrize("behave", BEHAVIOURS, ids=range(len(BEHAVIOURS)))
def test_as_through_a_gateway(start, behave):
    upstream = start.upstream(behave)
    gateway = start.gateway({
        "anonymous": {"allow": ["*/*"]},
        "upstreams": {"server": {"url": upstream.url, "breaker": {"failures": 0}}}})
    through = tool("call", "--url", address(gateway), "server", "m", "1")
    direct = tool("call", "--direct", upstream.url, "m", "1")
    assert direct == through


def test_timeout(start):
    async def behave(x):
        await x.gone()
    upstream = start.upstream(behave)
    done = tool("call", "--timeout", "150ms", "--direct", upstream.url, "m")
    assert done.status == TRY_AGAIN and "150 ms" in done.err and "not known" in done.err
    assert len(upstream.exchanges) == 1


def test_request_is_the_gateways(start):
    upstream = start.upstream()
    gateway = start.simple(upstream)
    tool("call", "--url", address(gateway), "up", "m", '["ü",1.5]')
    tool("call", "--direct", upstream.url, "m", '["ü",1.5]')
    through, direct = upstream.exchanges
    assert (direct.head, direct.body) == (through.head, through.body)


def test_credentials(start):
    async def behave(x):
        await x.answer_fault(1, f"{PASSWORD} is wrong")
    upstream = start.upstream(behave)
    url = upstream.url.replace("//", f"//us%3Aer:{PASSWORD}@")
    done = tool("call", "--direct", url.replace("us%3Aer", "user"), "m")
    assert done.status == FAULT and done.err == "rpcgate: fault 1: *** is wrong\n"
    login = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
    assert upstream.exchanges[0].header("Authorization") == f"Basic {login}"


def test_credentials_are_not_seen_by_others(start):
    """A command's words are public while it runs."""
    words = []

    async def behave(x):
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes()
            except OSError:  # it has ended
                continue
            if b"--direct" in line and str(upstream.port).encode() in line:
                words.append(line)
        await x.answer(1)
    upstream = start.upstream(behave)
    assert tool("call", "--direct", f"http://user:{PASSWORD}@127.0.0.1:{upstream.port}/", "m").status \
        == OK
    assert len(words) == 1 and PASSWORD.encode() not in words[0] and b"user" not in words[0]


def test_environment_is_not_read(server):
    done = tool("call", "--direct", server.url, "add", "1", "2",
                environment={"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"})
    assert (done.status, done.out) == (OK, "3\n")


def test_unix_socket(start, tmp_path):
    upstream = start.upstream(unix=str(tmp_path / "x.sock"))
    assert tool("call", "--direct", upstream.url, "m", '"x"').out == '"x"\n'


def test_caller_who_ends_it(start):
    """An interrupted call leaves nothing behind."""
    seen = threading.Event()

    async def behave(x):
        seen.set()
        await x.gone()
    upstream = start.upstream(behave)
    with subprocess.Popen([str(RPCGATE), "call", "--direct", upstream.url, "m"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert seen.wait(DEADLINE)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == -signal.SIGINT and not out and not err
