# SPDX-License-Identifier: Apache-2.0
"""`rpcgate call` through a gateway: params, results, problems, exit statuses."""

import os
import pwd
import re
import socket
import subprocess

import pytest

from rig.certificates import Authority
from rig.codec import RPCGATE, parse_json
from rig.settings import DEADLINE
from rig.tool import (DATA_ERROR, FAULT, NO_INPUT, OK, REFUSED, TRY_AGAIN, UNAVAILABLE, USAGE,
                      address, tool, tool_on_terminal)
from rig.upstream import response_document, value_document

TOKEN = "a-token-of-a-caller-0123456789abcdef"


def sent_values(x) -> list[str]:
    """The params as they came: Python's own writer has no integers beyond 32 bits."""
    return re.findall("<param>(.*?)</param>", x.body.decode(), re.S)


async def answers(x):
    """What the method's name says."""
    if x.method == "echo":
        values = sent_values(x) or ["<value>nothing</value>"]
        await x.respond(response_document(0).replace(b"<value><int>0</int></value>",
                                                     values[0].encode()))
    elif x.method == "params":
        values = "".join(sent_values(x))
        await x.respond(value_document(f"<array><data>{values}</data></array>"))
    elif x.method == "xml":
        await x.respond(value_document(x.params[0]))
    elif x.method == "fault":
        await x.answer_fault(*x.params)
    elif x.method == "status":
        await x.respond(b"<h1>no</h1>", x.params[0], {
            "Content-Type": "text/html", "Retry-After": "1" if "Soon" in x.params[0] else "7"})
    elif x.method == "silent":
        await x.gone()
    elif x.method == "close":
        x.close()


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream(answers)


@pytest.fixture(scope="module")
def gateway(start_shared, upstream):
    return start_shared.gateway({
        "anonymous": {"allow": ["*/*"], "deny": ["*/forbidden"]},
        "upstreams": {"up": {"url": upstream.url, "breaker": {"failures": 0},
                             "extensions": ["nil", "i8", "biginteger"]},
                      "down": {"url": "http://127.0.0.1:1"},
                      "open": {"url": "http://127.0.0.1:1",
                               "breaker": {"failures": 1, "open": "1h"},
                               "retry": {"attempts": 1}}}})


@pytest.fixture
def call(gateway):
    def call(*words: str | bytes, options: tuple = (), upstream: str = "up", **more):
        return tool("call", "--url", address(gateway), *options, upstream, *words, **more)
    return call


def assert_good(done, out: str):
    assert (done.status, done.out, done.err) == (OK, out + "\n", ""), done


@pytest.mark.parametrize("over", ["unix", "tcp"])
def test_both_ways(gateway, over):
    assert_good(tool("call", "--url", address(gateway, over), "up", "echo", "5"), "5")
    assert_good(tool("call", "--url", address(gateway, over) + "/", "up", "echo"), '"nothing"')


@pytest.mark.parametrize("param", [
    "5", "-5", "-0.5", "1e300", "true", "null", '""', '"--help"', "[]", "{}", '["a",{"b":[1,2.5]}]',
    "9223372036854775807", "-9223372036854775808", "123456789012345678901234567890",
    '"größer € 😀"', '{"ключ":"値"}', '"a\\n\\t\\"b\\\\"'])
def test_params_come_back(call, param):
    done = call("echo", param)
    assert done.status == OK and not done.err, done
    sent, back = parse_json(param), parse_json(done.out)
    if param not in ("1e300",):
        assert back == sent
    assert done.out.count("\n") == 1, "one line in a pipe"


def test_options_end_at_the_upstream(call):
    assert_good(call("params", "-5", "--help", "-s", options=("-s",)), '["-5","--help","-s"]')
    assert_good(call("params", "-5", "-1.5"), "[-5,-1.5]")
    done = call("params", "--help")
    assert done.status == DATA_ERROR and "PARAM 1" in done.err and "-s" in done.err
    assert_good(call("params", "--", options=("-s",)), '["--"]')


def test_strings(call):
    assert_good(call("params", "web", "5", "true", "-", '"', "a\\b", "", "ü",
                     options=("--strings",)), '["web","5","true","-","\\"","a\\\\b","","ü"]')
    done = call("params", b"\xff", options=("-s",))
    assert done.status == DATA_ERROR and "UTF-8" in done.err


@pytest.mark.parametrize("param", ["web", "1,2", "", " ", "01", "NaN", "[1", '{"a":1,"a":2}', "'x'",
                                   b'"\xff"'])
def test_params_that_are_no_json(call, upstream, param):
    before = len(upstream.exchanges)
    done = call("params", "1", param)
    assert done.status == DATA_ERROR and not done.out and "PARAM 2" in done.err
    assert len(upstream.exchanges) == before


@pytest.mark.parametrize("data, result", [
    (b"[1, \"two\"]", '[1,"two"]'), (b'{"a": 1}', '[{"a":1}]'), (b"", "[]"), (b" \n", "[]"),
    (b"-7\n", "[-7]")])
def test_params_from_standard_input(call, data, result):
    assert_good(call("params", "-", data=data), result)


def test_much_on_standard_input(call):
    text = '["' + "x" * 500000 + '"]'
    assert_good(call("params", "-", data=text.encode()), text)


def test_bad_standard_input(call):
    done = call("params", "-", data=b"[1,\n2")
    assert done.status == DATA_ERROR and "line 2" in done.err and not done.out
    done = call("params", "1", "-", data=b"[]")
    assert done.status == DATA_ERROR and "only PARAM" in done.err


def test_numbers_keep_their_digits(call):
    xml = ("<array><data><value><i8>9007199254740993</i8></value><value><biginteger>"
           "123456789012345678901234567890</biginteger></value><value><bigdecimal>1.10</bigdecimal>"
           "</value><value><double>20</double></value></data></array>")
    assert_good(call("xml", xml, options=("-s",)),
                "[9007199254740993,123456789012345678901234567890,1.10,20.0]")
    assert_good(call("xml", xml, options=("-s", "--integers", "string")),
                '["9007199254740993","123456789012345678901234567890","1.10",20.0]')
    assert_good(call("xml", "<i8>5</i8>", options=("-s", "--types=tagged")), '{"$i8":"5"}')
    assert_good(call("xml", "<i8>5</i8>",
                     options=("-s", "--types", "tagged", "--integers", "safe")), '{"$i8":"5"}')


def test_indented_on_a_terminal(gateway):
    done = tool_on_terminal("call", "--url", address(gateway), "up", "params", "[]",
                            '{"a":[123456789012345678901234567890,{}],"b":"\\u009b\\u007fx"}')
    assert done.status == OK and not done.err
    assert done.out == """\
[
  [],
  {
    "a": [
      123456789012345678901234567890,
      {}
    ],
    "b": "\\u009b\\u007fx"
  }
]
"""


def test_fault(call):
    done = call("fault", "4", '"no such\\nprocess \\u009b[2Jü\\n"')
    assert done.status == FAULT and not done.out
    assert done.err == "rpcgate: fault 4: no such\nprocess ?[2Jü\n"
    assert call("fault", "-32601", '"x"').status == FAULT
    assert call("fault", "-9", '"' + "long " * 500 + 'end"').err.endswith("long end\n")


def test_problems(call):
    done = call("echo", '{"$dateTime":"never"}')
    assert done.status == DATA_ERROR and "/0" in done.err
    done = call("echo", "1", upstream="none")
    assert done.status == USAGE and "There is nothing" in done.err
    assert done.err.endswith("\n  `rpcgate upstreams` lists the upstreams that you may use.\n")
    for method in ("forbidden", "system.multicall"):
        assert call(method, "[]").status == REFUSED
    done = call("echo", "1", upstream="down")
    assert done.status == UNAVAILABLE and "refused" in done.err
    done = call("close")
    assert done.status == UNAVAILABLE and "not known whether" in done.err
    done = call("status", '"404 Gone Fishing"')
    assert done.status == UNAVAILABLE and "404" in done.err
    done = call("status", '"429 Slow Down"')
    assert done.status == UNAVAILABLE and "Try again in 7 s." in done.err
    assert "Try again in 1 s." in call("status", '"429 Soon"').err
    call("echo", "1", upstream="open")
    done = call("echo", "1", upstream="open")
    assert done.status == TRY_AGAIN and "Try again in" in done.err
    done = call("m" * 300)
    assert done.status == DATA_ERROR and "255" in done.err


def test_names_are_encoded(call, upstream):
    assert call("a/b?c#d%20é ü:e.f").status == DATA_ERROR, "a blank"
    assert call("a/b?c#d%20é:e.f", options=("--timeout", "100ms")).status == TRY_AGAIN
    assert upstream.exchanges[-1].method == "a/b?c#d%20é:e.f"


def test_timeout(call):
    done = call("silent", options=("--timeout", "100ms"))
    assert done.status == TRY_AGAIN and not done.out and "in time" in done.err
    for wrong in ("5", "0s", "-1s", "x", "1.5s"):
        done = call("silent", options=(f"--timeout={wrong}",))
        assert done.status == USAGE and "--timeout" in done.err


@pytest.fixture(scope="module")
def doorkeeper(start_shared):
    """Stands for a gateway that wants a token."""
    async def behave(x):
        if x.header("Authorization") == f"Bearer {TOKEN}":
            await x.respond(b'{"result":1}', headers={"Content-Type": "application/json"})
        else:
            await x.respond(b'{"type":"urn:rpcgate:problem:unauthenticated","title":"No entry",'
                            b'"status":401,"detail":"Show a token.","executed":"no"}',
                            "401 Unauthorized", {"Content-Type": "application/problem+json"})
    return start_shared.upstream(behave)


def test_token(doorkeeper, tmp_path):
    words = ("call", "--url", f"http://127.0.0.1:{doorkeeper.port}")
    good, bad, empty = (tmp_path / name for name in ("good", "bad", "empty"))
    good.write_text(TOKEN + "\n")
    bad.write_text("${env:HOME}\"\\b" * 8)
    empty.write_text("\n")
    assert_good(tool(*words, "--token-file", str(good), "up", "echo", "1"), "1")
    assert doorkeeper.exchanges[-1].request_line == "POST /v1/up/echo HTTP/1.1"
    assert doorkeeper.exchanges[-1].header("Content-Type") == "application/json"
    done = tool(*words, "up", "echo", "1")
    assert done.status == REFUSED and done.err.startswith("rpcgate: No entry: Show a token.\n")
    assert tool(*words, "--token-file", str(bad), "up", "echo", "1").status == REFUSED
    assert doorkeeper.exchanges[-1].header("Authorization") == "Bearer " + bad.read_text()
    done = tool(*words, "--token-file", str(empty), "up", "echo", "1")
    assert done.status == DATA_ERROR and str(empty) in done.err
    done = tool(*words, "--token-file", str(tmp_path / "none"), "up", "echo", "1")
    assert done.status == NO_INPUT and "none" in done.err


def test_who_is_calling(start, upstream, tmp_path):
    gateway = start.gateway({
        "callers": [{"name": "robot", "token": TOKEN, "allow": ["up/echo"]}],
        "upstreams": {"up": {"url": upstream.url}}})
    words = ("call", "--url", address(gateway, "tcp"))
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text(TOKEN + "\n")
    bad.write_text("b" * 40)
    assert_good(tool(*words, "--token-file", str(good), "up", "echo", "1"), "1")
    done = tool(*words, "--token-file", str(good), "up", "fault", "1")
    assert done.status == REFUSED and "not allowed" in done.err
    assert tool(*words, "--token-file", str(bad), "up", "echo", "1").status == REFUSED
    assert tool(*words, "up", "echo", "1").status == REFUSED


def test_tls(start, upstream, tmp_path):
    authority = Authority(tmp_path, "ca")
    server = authority.issue("server")
    gateway = start.simple(upstream, listen=[{
        "address": "127.0.0.1", "port": 0,
        "tls": {"cert_file": server.cert, "key_file": server.key}}])
    words = ("call", "--url", "https://localhost:{}".format(gateway.tls[1]))
    assert_good(tool(*words, "--ca-file", authority.cert, "up", "echo", "1"), "1")
    name = os.path.basename(authority.cert)
    assert_good(tool(*words, "--ca-file", name, "up", "echo", "1", folder=tmp_path), "1")
    done = tool(*words, "up", "echo", "1")
    assert done.status == UNAVAILABLE and "certificate" in done.err and "--ca-file" in done.err
    done = tool(*words, "--ca-file", str(tmp_path / "none"), "up", "echo", "1")
    assert done.status == NO_INPUT and "none" in done.err
    done = tool(*words, "--ca-file", "/dev/null", "up", "echo", "1")
    assert done.status == USAGE and "/dev/null" in done.err


def test_too_many_calls(start, upstream):
    gateway = start.gateway({
        "callers": [{"name": "me", "user": pwd.getpwuid(os.getuid()).pw_name, "rate": 1,
                     "burst": 1, "allow": ["*/*"]}],
        "upstreams": {"up": {"url": upstream.url}}})
    words = ("call", "--url", address(gateway), "up", "echo", "1")
    statuses = [tool(*words).status for _ in range(3)]
    assert statuses[0] == OK and TRY_AGAIN in statuses


@pytest.mark.parametrize("words", [
    (), ("up",), ("--url",), ("--url", "ftp://x", "up", "m"), ("--url", "http://x?y", "up", "m"),
    ("--url", "http://a:b@x", "up", "m"), ("--types", "odd", "up", "m"), ("--nonsense", "up", "m"),
    ("-x", "nil", "up", "m"), ("--direct", "http://x/"), ("--direct", "x", "m"),
    ("--direct", "http://x/", "--url", "http://x/", "m"),
    ("--direct", "http://x/", "--token-file", "x", "m"), ("--timeout", "1", "up", "m")])
def test_wrong_usage(words):
    done = tool("call", *words)
    assert done.status == USAGE and done.err.startswith("rpcgate") and not done.out, done


def test_no_gateway(tmp_path):
    """A sentence that says what to do."""
    done = tool("call", "--url", f"http+unix://{str(tmp_path / 'no').replace('/', '%2F')}", "u", "m")
    assert done.status == UNAVAILABLE and str(tmp_path) in done.err and "rpcgated" in done.err
    done = tool("call", "--url", "http://127.0.0.1:1", "u", "m")
    assert done.status == UNAVAILABLE and "127.0.0.1:1" in done.err and "--url" in done.err


@pytest.mark.skipif(os.path.exists("/run/rpcgate/rpcgate.sock"), reason="a gateway runs here")
def test_usual_socket():
    done = tool("call", "u", "m")
    assert done.status == UNAVAILABLE and "/run/rpcgate/rpcgate.sock" in done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every socket")
def test_socket_of_others(tmp_path):
    path = tmp_path / "closed.sock"
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(path))
        closed.listen()
        path.chmod(0)
        done = tool("call", "--url", f"http+unix://{str(path).replace('/', '%2F')}", "u", "m")
    assert done.status == UNAVAILABLE and "group" in done.err


@pytest.mark.parametrize("body, status", [
    (b"<html>", "200 OK"), (b"{}", "200 OK"), (b"[1]", "200 OK"), (b'{"result":1', "200 OK"),
    (b"nothing here", "404 Not Found"), (b'{"error":"no"}', "500 Oops"), (b"", "200 OK")])
def test_not_a_gateway(start, body, status):
    async def behave(x):
        await x.respond(body, status)
    other = start.upstream(behave)
    done = tool("call", "--url", f"http://127.0.0.1:{other.port}", "u", "m")
    assert done.status == UNAVAILABLE and "gateway" in done.err and not done.out


def test_gateway_that_does_not_answer(start):
    async def behave(x):
        await x.gone()
    other = start.upstream(behave)
    done = tool("call", "--timeout", "1ms", "--url", f"http://127.0.0.1:{other.port}", "u", "m")
    assert done.status == TRY_AGAIN and "gateway" in done.err
    assert other.exchanges[0].header("X-Rpcgate-Timeout") == "1ms"


def test_deep_and_large_results(call):
    deep = "[" * 120 + "]" * 120
    assert_good(call("echo", deep), deep)
    large = ",".join(str(i) for i in range(50000))
    assert_good(call("echo", "-", data=f"[[{large}]]".encode()), f"[{large}]")


def test_output_that_cannot_be_written(gateway):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(RPCGATE), "call", "--url", address(gateway), "up", "echo", "1"],
                              stdout=full, stderr=subprocess.PIPE, timeout=DEADLINE, check=False)
    assert done.returncode == 74 and b"cannot write" in done.stderr
