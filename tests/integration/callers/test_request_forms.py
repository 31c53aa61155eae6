# SPDX-License-Identifier: Apache-2.0
"""Requests that have one meaning only are taken, however they are written. What has two is in
test_framing.py and test_attacks_framing.py."""

import json

import pytest

from rig.check import assert_html, assert_problem
from rig.settings import MICROHTTPD, up_settings
from rig.wire import request

MARK = b"\xef\xbb\xbf"
CALL = "/v1/up/m"
CHUNKED = {"Transfer-Encoding": "chunked", "Content-Length": None}


@pytest.fixture(scope="module")
def gateway(start_shared, shared_upstream):
    return start_shared.gateway(up_settings(shared_upstream, multicall="never") | {
        "hosts": ["gw.example"], "log": {"format": "json"}, "limits": {"body": "64K"}})


@pytest.fixture(scope="module")
def closed(start_shared, shared_upstream):
    """Where nobody may call without a token."""
    callers = [{"name": "known", "token": "t" * 40, "allow": ["up/*"]}]
    return start_shared.gateway({"callers": callers,
                                 "upstreams": {"up": {"url": shared_upstream.url}}})


def post(gateway, target=CALL, body=b"[1]", over="tcp", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway.raw(request("POST", target, body, headers), over)


# The target.

@pytest.mark.parametrize("authority", [
    "localhost", "127.0.0.1:8080", "LOCALHOST.", "[::1]:1", "gw.example", "GW.Example.:443"])
@pytest.mark.parametrize("scheme", ["http", "https", "HTTP"])
def test_absolute_targets(gateway, upstream, scheme, authority):
    answer = post(gateway, f"{scheme}://{authority}{CALL}", Host="localhost")
    assert answer.result == 1
    assert [exchange.method for exchange in upstream.exchanges] == ["m"]


def test_query_of_an_absolute_target(gateway, upstream):
    assert post(gateway, f"http://localhost{CALL}?integers=string&types=tagged").result == 1
    assert_problem(post(gateway, f"http://localhost{CALL}?x=1"), "invalid-request", 400, "no")


@pytest.mark.parametrize("target", ["http://localhost", "http://localhost/", "http://localhost?"])
def test_absolute_targets_without_a_path(gateway, target):
    assert gateway.raw(request("GET", target)).json["name"] == "rpcgate"


def test_the_authority_counts_as_host(gateway, upstream):
    """RFC 9112, 3.2.2: what `Host` says is ignored then."""
    assert post(gateway, f"http://localhost{CALL}", Host="evil.example").result == 1
    upstream.exchanges.clear()
    document = assert_problem(post(gateway, f"http://evil.example{CALL}", Host="localhost"),
                              "misdirected", 421, "no")
    assert "evil.example" in document["detail"]
    old = b"POST http://%s" + CALL.encode() + b" HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
    assert_problem(gateway.raw(old % b"evil.example"), "misdirected", 421, "no")
    assert not upstream.exchanges
    assert gateway.raw(old % b"localhost").result == ""


def test_an_own_origin_is_that_of_the_authority(gateway, upstream):
    own = {"Origin": "http://localhost:8080"}
    assert post(gateway, f"http://localhost:8080{CALL}", Host="127.0.0.1", **own).result == 1
    assert_problem(post(gateway, f"http://127.0.0.1{CALL}", Host="localhost:8080", **own),
                   "forbidden", 403, "no")


@pytest.mark.parametrize("target", [
    f"http://{CALL}", f"http://:80{CALL}", f"http://u@localhost{CALL}", f"http://u:p@localhost{CALL}",
    f"http://localhost:x{CALL}", f"http://[::1{CALL}", f"http:{CALL}", f"http:/localhost{CALL}",
    f"ftp://localhost{CALL}", f"http+unix://localhost{CALL}", "localhost:80", "*", "v1/up/m"])
def test_targets_that_are_none(gateway, upstream, target):
    assert_problem(post(gateway, target), "invalid-request", 400, "no")
    assert not upstream.exchanges


def assert_no_host(answer):
    """libmicrohttpd 1.0 looks for it before we do."""
    if MICROHTTPD >= (1,):
        assert_html(answer)
    else:
        assert_problem(answer, "invalid-request", 400, "no")


def test_an_absolute_target_needs_a_host_line_too(gateway, upstream):
    for lines in (["localhost", "localhost"], "a b"):
        answer = post(gateway, f"http://localhost{CALL}", Host=lines)
        assert_problem(answer, "invalid-request", 400, "no")
    assert_no_host(post(gateway, f"http://localhost{CALL}", Host=None))
    assert not upstream.exchanges


@pytest.mark.parametrize("target", ["*", "http://localhost"])
def test_options_of_the_server(gateway, closed, target):
    answer = gateway.raw(request("OPTIONS", target))
    assert answer.status == 204 and answer.body == b""
    assert {"GET", "HEAD", "OPTIONS", "POST"} == set(answer.header("Allow").split(", "))
    assert_problem(closed.raw(request("OPTIONS", target)), "unauthenticated", 401, "no")
    for method in ("GET", "POST"):
        assert_problem(gateway.raw(request(method, "*")), "invalid-request", 400, "no")


@pytest.mark.parametrize("path", [
    CALL + "?", CALL + "?&", "/%761/%75p/%6D", "/v1/up/m?typ%65s=%74agged", "/v1/up/m?types=plain&"])
def test_ways_of_writing_a_path(gateway, upstream, path):
    assert post(gateway, path).result == 1
    assert [exchange.method for exchange in upstream.exchanges] == ["m"]


# Hosts.

@pytest.mark.parametrize("host", [
    "/run/rpcgate/rpcgate.sock", "%2Frun%2Frpcgate.sock", "a b", "", "http://x/", "u@h:p:q", "\xe4",
    "[::1", "evil.example"])
def test_any_host_on_unix_sockets(gateway, upstream, host):
    assert post(gateway, over="unix", Host=host).result == 1


def test_hosts_of_unix_sockets_that_are_none(gateway, upstream):
    for lines in (["a", "a"], "a\x01"):
        assert_problem(post(gateway, over="unix", Host=lines), "invalid-request", 400, "no")
    assert_no_host(post(gateway, over="unix", Host=None))
    target = "http://%2Frun%2Frpcgate.sock" + CALL
    assert post(gateway, target, over="unix", Host="/run").result == 1


@pytest.mark.parametrize("host", [
    "localhost.", "LOCALHOST:", "127.0.0.1.", "[::1]", "[0:0::1]:80", "[::1%25lo]", "[::1%lo]:1",
    "[::ffff:127.0.0.1]", "\t localhost \t"])
def test_ways_of_writing_a_host(gateway, upstream, host):
    assert post(gateway, Host=host).result == 1


# The body's type and coding.

@pytest.mark.parametrize("kind", [
    "application/json; charset=utf8", "application/json;charset=\"UTF8\"",
    "application/json; charset=us-ascii", "application/json; charset=\"US-ASCII\"",
    "application/json; charset=ANSI_X3.4-1968", "application/json; Charset = utf-8",
    "application/json; charset=", "application/json; charset", "application/json;",
    "application/vnd.api+json; ext=\"https://a.example/x;y\"; charset=utf-8",
    "application/ld+json;profile=https://a.example/x", "application/json; odata=verbose;x"])
def test_types_that_are_json(gateway, upstream, kind):
    body = '["ä"]'.encode()
    assert post(gateway, body=body, Content_Type=kind).result == "ä"
    assert gateway.raw(request("POST", "/v1/up", b"[]", {"Content-Type": kind})).json == {
        "results": []}


@pytest.mark.parametrize("kind", [
    "application/json; charset=utf-16", "application/json; charset=latin1",
    "application/json; charset=utf8; charset=utf-16", "application/json; charset=windows-1252",
    "application/json; a=\"b; charset=utf-8", "application/json, text/plain", "text/json"])
def test_types_that_are_not(gateway, upstream, kind):
    assert_problem(post(gateway, Content_Type=kind), "unsupported-media-type", 415, "no")
    assert not upstream.exchanges


@pytest.mark.parametrize("coding, status", [
    ("identity", 200), ("", 200), ("Identity", 200), ("gzip", 415), (["identity", "gzip"], 415)])
def test_codings_that_are_none(gateway, upstream, coding, status):
    assert post(gateway, Content_Encoding=coding).status == status


@pytest.mark.parametrize("expect", ["", "100-Continue", "100-continue, 100-continue", ","])
def test_expectations_that_are_met(gateway, upstream, expect):
    assert post(gateway, Expect=expect).result == 1


# A body in chunks that has no bytes.

def nothing(kind=None, target=CALL, end=b"0\r\n\r\n", **more):
    return request("POST", target, None, CHUNKED | {"Content-Type": kind} | more) + end


@pytest.mark.parametrize("kind", [None, "", "application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("end", [
    b"0\r\n\r\n", b"000\r\nA: b\r\n\r\n",
    pytest.param(b"0;x=y\r\n\r\n", marks=pytest.mark.skipif(
        MICROHTTPD >= (1,), reason="libmicrohttpd 1.0 refuses extensions of chunks"))])
def test_chunks_of_nothing_need_no_type(gateway, upstream, kind, end):
    with gateway.connect() as caller:
        for _ in range(2):  # and the connection goes on
            caller.send(nothing(kind, end=end))
            assert caller.answer().result == ""
    assert [len(exchange.params) for exchange in upstream.exchanges] == [0, 0]


def test_chunks_of_nothing_after_a_continue(gateway, upstream):
    """What `curl -T -` does."""
    with gateway.connect() as caller:
        caller.send(nothing(end=b"", Expect="100-continue"))
        status = caller.head()[1]
        assert status == 100
        caller.send(b"0\r\n\r\n")
        assert caller.answer().result == ""


@pytest.mark.parametrize("path", ["/v1/up", "/jsonrpc/up"])
def test_chunks_of_nothing_are_no_batch(gateway, path):
    problem = gateway.raw(nothing(target=path)).json
    assert "invalid-json" in json.dumps(problem)


@pytest.mark.parametrize("kind", [None, "text/plain"])
def test_chunks_of_something_need_a_type(gateway, upstream, kind):
    """Also if it comes late, and if there is much of it."""
    with gateway.connect() as caller:
        caller.send(nothing(kind, end=b"1\r\n[\r\n"))
        caller.send(b"2\r\n1]\r\n0\r\n\r\n")
        assert_problem(caller.answer(), "unsupported-media-type", 415, "no")
    with gateway.connect() as caller:
        caller.send(nothing(kind, end=b"100000\r\n" + b" " * 0x100000 + b"\r\n0\r\n\r\n"))
        assert_problem(caller.answer(), "unsupported-media-type", 415, "no")
    assert not upstream.exchanges
    line = gateway.wait_line('"unsupported-media-type"')
    assert json.loads(line)["status"] == 415


def test_endless_chunks_without_a_type_are_cut_off(gateway, upstream):
    with gateway.connect() as caller:
        caller.send(nothing(end=b""))
        try:
            for _ in range(64):
                caller.send(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
            caller.finish_sending()
        except OSError:
            pass
        assert b" 200 " not in caller.rest()
    assert not upstream.exchanges


# A byte order mark before the body.

@pytest.mark.parametrize("chunked", [False, True])
def test_byte_order_marks(gateway, upstream, chunked):
    def ask(path, body):
        if not chunked:
            return post(gateway, path, body).json
        pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        head = request("POST", path, None, CHUNKED | {"Content-Type": "application/json"})
        return gateway.raw(head + pieces).json

    assert ask(CALL, MARK + b'["x"]') == {"result": "x"}
    assert ask(CALL, MARK + b' \n7') == {"result": 7}
    assert ask("/v1/up", MARK + b'[{"method": "m", "params": [1]}]') == {"results": [{"result": 1}]}
    call = b'{"jsonrpc": "2.0", "method": "m", "params": [1], "id": 1}'
    assert ask("/jsonrpc/up", MARK + call) == {"jsonrpc": "2.0", "result": 1, "id": 1}
    assert ask("/jsonrpc/up", MARK + b"[" + call + b"]") == [{"jsonrpc": "2.0", "result": 1, "id": 1}]


@pytest.mark.parametrize("body", [
    MARK * 2 + b"[1]", b"[1]" + MARK, b" " + MARK + b"[1]", b"[" + MARK + b"1]", b"\xff\xfe[\x001\x00]\x00",
    b"\xef\xbb[1]"])
def test_marks_that_are_none(gateway, upstream, body):
    assert_problem(post(gateway, body=body), "invalid-json", 400, "no")
    assert not upstream.exchanges


def test_places_are_told_as_if_there_were_no_mark(gateway):
    for path, body in ((CALL, b"[1,]"), ("/v1/up", b'[{"method": "m", "params": [1,]}]')):
        plain = post(gateway, path, body).json["detail"]
        assert post(gateway, path, MARK + body).json["detail"] == plain
