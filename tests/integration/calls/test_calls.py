# SPDX-License-Identifier: Apache-2.0
"""POST /v1/{upstream}/{method}: what goes out, what comes back, and every error on the way."""

import base64
import gzip
import json
import re
import socket
import xmlrpc.client

import pytest

from rig.check import assert_problem
from rig.upstream import (Exchange, fault_document, http_response, response_document,
                          value_document)

SETTINGS = {
    "anonymous": {"allow": ["up/*", "auth/*", "dead/*", "small/*", "quick/*", "more/*"],
                  "deny": ["up/secret.*"]},
    "log": {"level": "debug", "format": "json"},
}


@pytest.fixture(scope="module")
def gateway(start_shared, shared_upstream):
    """One gateway that has the scriptable upstream under several names."""
    url = shared_upstream.url
    with socket.socket() as silent:  # its port is taken, so nobody else gets it; nobody accepts
        silent.bind(("127.0.0.1", 0))
        yield start_shared.gateway(SETTINGS | {"upstreams": {
            "up": {"url": url, "breaker": {"failures": 0}},
            "auth": {"url": url.replace("//", "//us%40er:pass%3Aword%2F@"),
                     "headers": ["X-Tenant: blue", "X-Other: a b"], "user_agent": "tester/1"},
            "dead": {"url": f"http://127.0.0.1:{silent.getsockname()[1]}"},
            "small": {"url": url, "limits": {"response": "1K", "depth": 4}},
            "quick": {"url": url, "timeouts": {"total": "200ms"}},
            "more": {"url": url, "extensions": ["nil", "i8"], "types": "tagged"},
        }})


# What goes out.

@pytest.mark.parametrize("body, params", [
    ([1, "two", [3]], (1, "two", [3])),
    ([], ()),
    ([[]], ([],)),
    ({"a": {"b": [1.5]}}, ({"a": {"b": [1.5]}},)),
    ("text", ("text",)),
    (7, (7,)),
    (True, (True,)),
    (b" \r\n\t[1 , 2]\n", (1, 2)),
])
def test_body_becomes_params(gateway, upstream, body, params):
    assert gateway.call("up", "m", body).status == 200
    assert upstream.exchanges[0].params == params


def test_no_body_is_no_params(gateway, upstream):
    assert gateway.call("up", "m").result == ""
    assert upstream.exchanges[0].params == ()
    assert b"<params" in upstream.exchanges[0].body


def test_request_to_the_upstream(gateway, upstream):
    gateway.call("up", "some.method", ["ä"])
    x = upstream.exchanges[0]
    assert x.request_line == "POST /RPC2 HTTP/1.1"
    assert x.header("Content-Type") == "text/xml"
    assert x.header("Content-Length") == str(len(x.body))
    assert x.header("Transfer-Encoding") is None
    assert not x.header("Expect")
    assert x.header("Host") == f"127.0.0.1:{upstream.port}"
    assert re.match(r"rpcgate/\d", x.header("User-Agent"))
    assert x.header("Authorization") is None
    assert x.body.startswith(b"<?xml") and x.method == "some.method" and x.params == ("ä",)


def test_large_request_has_no_expect(gateway, upstream):
    text = "x" * 2_000_000
    assert gateway.call("up", "m", [text]).result == text
    assert not upstream.exchanges[0].header("Expect")


def test_credentials_and_headers_of_the_configuration(gateway, upstream):
    gateway.call("auth", "m", [1])
    x = upstream.exchanges[0]
    assert x.header("Authorization") == "Basic " + base64.b64encode(b"us@er:pass:word/").decode()
    assert x.header("X-Tenant") == "blue" and x.header("X-Other") == "a b"
    assert x.header("User-Agent") == "tester/1"


def test_headers_of_the_caller_stay_here(gateway, upstream):
    gateway.call("up", "m", [1], Cookie="a=b", X_Foo="bar", Accept_Language="de", Via="1.1 x")
    names = {name.lower() for name, _ in upstream.exchanges[0].headers}
    assert not names & {"cookie", "x-foo", "accept-language", "via", "authorization",
                        "x-request-id", "x-forwarded-for"}


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_trace_context_goes_on(gateway, upstream):
    answer = gateway.call("up", "m", [1], traceparent=TRACE, tracestate="a=1,b=2")
    x = upstream.exchanges[0]
    assert x.header("traceparent") == TRACE and x.header("tracestate") == "a=1,b=2"
    line = gateway.access_line(answer.header("X-Request-Id"))
    assert line["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


def test_trace_state_in_several_lines(gateway, upstream):
    """They are one list; a batch's calls all have it."""
    lines = {"traceparent": TRACE, "tracestate": ["a=1,b=2", "", "c=3"]}
    with gateway.connect() as caller:
        assert caller.ask("POST", "/v1/up/m", b"[1]", lines).status == 200
        two = b'[{"method": "m"}, {"method": "n"}]'
        assert caller.ask("POST", "/v1/up", two, lines).status == 200
    assert {x.header("tracestate") for x in upstream.exchanges} == {"a=1,b=2,c=3"}


@pytest.mark.parametrize("trace", [None, "nonsense", TRACE.replace("0af7", "0AF7"),
                                   "00-" + "0" * 32 + "-b7ad6b7169203331-01",
                                   TRACE.replace("00-", "ff-", 1)])
def test_no_valid_trace_no_trace(gateway, upstream, trace):
    headers = {"tracestate": "a=1"} | ({"traceparent": trace} if trace else {})
    gateway.call("up", "m", [1], **headers)
    assert upstream.exchanges[0].header("traceparent") is None
    assert upstream.exchanges[0].header("tracestate") is None


# What comes back.

def answering(*arguments, **options):
    async def behave(x: Exchange):
        await x.respond(*arguments, **options)
    return behave


def test_one_result(gateway, upstream):
    upstream.behave = answering(response_document({"b": [1, 2.0, True], "a": "ü"}))
    answer = gateway.call("up", "m")
    assert answer.status == 200 and answer.header("Content-Type") == "application/json"
    assert json.dumps(answer.json, ensure_ascii=False) == (
        '{"result": {"b": [1, 2.0, true], "a": "ü"}}')


def test_several_and_no_params_in_the_answer(gateway, upstream):
    upstream.behave = answering(response_document(1, "b", [3]))
    assert gateway.call("up", "m").result == [1, "b", [3]]
    upstream.behave = answering(b"<methodResponse><params/></methodResponse>")
    assert gateway.call("up", "m").json == {"result": None}


@pytest.mark.parametrize("types, text", [
    ("", '"1998-07-17T14:08:55"'), ("types=tagged", '{"$dateTime":"19980717T14:08:55"}')])
def test_types_by_query(gateway, upstream, types, text):
    upstream.behave = answering(
        value_document("<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>"))
    assert gateway.call("up", "m", query=types).result == json.loads(text)


@pytest.mark.parametrize("query, result", [
    ("", 9007199254740993), ("integers=number", 9007199254740993),
    ("integers=safe", "9007199254740993"), ("integers=string&types=plain", "9007199254740993")])
def test_integers_by_query(gateway, upstream, query, result):
    upstream.behave = answering(value_document("<i8>9007199254740993</i8>"))
    assert gateway.call("up", "m", query=query).result == result


def test_query_beats_the_upstreams_choice(gateway, upstream):
    upstream.behave = answering(value_document("<i8>5</i8>"))
    assert gateway.call("more", "m").result == {"$i8": "5"}
    assert gateway.call("more", "m", query="types=plain").result == 5


@pytest.mark.parametrize("head", [
    "HTTP/1.0 200 OK\r\n", "HTTP/1.1 200\r\nConnection: close\r\n",
    "HTTP/1.1 200 OK\nserver: tcl\n", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n",
    "HTTP/1.1 200 OK\r\nX-Odd: \r\nSia: SIP/2.0/TCP\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"])
def test_odd_but_good_answers_until_eof(gateway, upstream, head):
    async def behave(x):
        end = "\n" if "\r" not in head else "\r\n"
        await x.send((head + end).encode() + response_document("fine"))
        x.close()
    upstream.behave = behave
    assert gateway.call("up", "m", [1]).result == "fine"


def test_chunked_answer_in_small_pieces(gateway, upstream):
    document = response_document(["piece"] * 20)

    async def behave(x):
        await x.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(document), 7):
            piece = document[at:at + 7]
            await x.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        await x.send(b"0\r\n\r\n")
    upstream.behave = behave
    assert gateway.call("up", "m", [1]).result == ["piece"] * 20


def test_gzip_answer(gateway, upstream):
    document = response_document("long " * 1000)

    async def behave(x):
        assert "gzip" in x.header("Accept-Encoding")
        await x.respond(gzip.compress(document), headers={"Content-Encoding": "gzip"})
    upstream.behave = behave
    assert gateway.call("up", "m", [1]).result == "long " * 1000


def test_declared_encoding(gateway, upstream):
    text = "<?xml version='1.0' encoding='iso-8859-1'?><methodResponse><params><param><value>" \
           "gr\xfc\xdfe</value></param></params></methodResponse>"
    upstream.behave = answering(text.encode("latin-1"))
    assert gateway.call("up", "m").result == "grüße"


# Faults.

@pytest.mark.parametrize("code, status, executed", [
    (1, 500, "yes"), (0, 500, "yes"), (-1, 500, "yes"), (403, 500, "yes"),
    (-32601, 404, "no"), (-506, 404, "no"),
    (-32602, 400, "yes"), (-32600, 400, "yes"),
    (-32700, 502, "no"), (-32701, 502, "no"), (-32702, 502, "no"), (-32703, 500, "yes"),
])
def test_fault(gateway, upstream, code, status, executed):
    upstream.behave = answering(fault_document(code, "böse <&> \"'"))
    answer = gateway.call("up", "some.method", [1])
    assert_problem(answer, "fault", status, executed, upstream="up", method="some.method",
                   fault={"code": code, "string": "böse <&> \"'"})


def test_fault_in_a_body_of_status_500(gateway, upstream):
    upstream.behave = answering(fault_document(5, "inner"), "500 Internal Server Error")
    document = assert_problem(gateway.call("up", "m", [1]), "fault", 500, "yes")
    assert document["fault"] == {"code": 5, "string": "inner"}


def test_fault_without_string(gateway, upstream):
    upstream.behave = answering(
        b"<methodResponse><fault><value><struct/></value></fault></methodResponse>")
    assert_problem(gateway.call("up", "m"), "fault", 500, "yes", fault={"code": 0, "string": None})


def test_fault_string_is_escaped(gateway, upstream):
    upstream.behave = answering(fault_document(1, 'a"b\\c\nd\tü'))
    assert gateway.call("up", "m").json["fault"]["string"] == 'a"b\\c\nd\tü'


# Answers that are none.

@pytest.mark.parametrize("status, problem, http, executed", [
    ("500 Oops", "protocol-error", 502, "unknown"), ("301 Moved", "protocol-error", 502, "unknown"),
    ("404 Not Found", "protocol-error", 502, "no"), ("413 Large", "protocol-error", 502, "no"),
    ("401 Unauthorized", "protocol-error", 502, "no"),
    ("403 Forbidden", "protocol-error", 502, "no"),
    ("201 Created", "protocol-error", 502, "unknown"),
    ("429 Slow down", "protocol-error", 503, "no"), ("503 Away", "protocol-error", 503, "unknown"),
])
def test_protocol_error(gateway, upstream, status, problem, http, executed):
    headers = {"Content-Type": "text/html; charset=utf-8", "Server": "odd/1", "X-Private": "p",
               "Retry-After": "17", "Set-Cookie": "a=b"}
    upstream.behave = answering("<h1>nö</h1>".encode(), status, headers)
    answer = gateway.call("auth", "m", [1])
    document = assert_problem(answer, problem, http, executed, upstream="auth", method="m")
    protocol = document["protocol"]
    assert protocol["status"] == int(status[:3]) and protocol["message"] == status[4:]
    assert protocol["url"] == upstream.url, "no credentials, and the path"
    assert protocol["content_type"] == "text/html; charset=utf-8"
    assert protocol["body"] == "<h1>nö</h1>"
    assert protocol["headers"]["Server"] == "odd/1" and protocol["headers"]["Retry-After"] == "17"
    assert not {"X-Private", "Set-Cookie"} & set(protocol["headers"])
    if http == 503:
        assert answer.header("Retry-After") == "17"


def test_protocol_body_is_cut(gateway, upstream):
    upstream.behave = answering(b"x" * 5000, "500 Oops", {"Content-Type": "text/plain"})
    body = gateway.call("up", "m", [1]).json["protocol"]["body"]
    assert body.startswith("x" * 500) and len(body) <= 512


def test_result_counts_only_with_200(gateway, upstream):
    upstream.behave = answering(response_document(1), "500 Oops")
    assert_problem(gateway.call("up", "m", [1]), "protocol-error", 502, "unknown")


@pytest.mark.parametrize("body", [
    b"", b"<html><body>hello</body></html>", b"not XML at all", response_document(1)[:-10],
    b"<?xml version='1.0'?>", response_document(1) + response_document(2),
    b"<!DOCTYPE x [<!ENTITY e 'x'>]>" + response_document(1),
    value_document("<int>one</int>"), value_document("<boolean>2</boolean>"),
    value_document("<odd>1</odd>"), b"<methodResponse/>",
    response_document("x").replace(b"x<", b"\xff\xfe<"),
    b"<methodCall><methodName>m</methodName></methodCall>",
], ids=range(13))
def test_bad_response(gateway, upstream, body):
    upstream.behave = answering(body)
    assert_problem(gateway.call("up", "m", [1]), "bad-response", 502, "unknown", upstream="up")


def test_document_in_the_wrong_compression(gateway, upstream):
    upstream.behave = answering(b"no gzip", headers={"Content-Encoding": "gzip"})
    assert_problem(gateway.call("up", "m", [1]), "bad-response", 502, "unknown")


@pytest.mark.parametrize("value, setting", [
    ("x" * 2000, "limits.response"), ([[[[[[1]]]]]], "limits.depth")], ids=["size", "depth"])
def test_response_too_large(gateway, upstream, value, setting):
    upstream.behave = answering(response_document(value))
    document = assert_problem(gateway.call("small", "m", [1]), "response-too-large", 502, "unknown")
    assert document["setting"].endswith(setting)


def test_compressed_size_counts_unpacked(gateway, upstream):
    upstream.behave = answering(gzip.compress(response_document("x" * 100_000)),
                                headers={"Content-Encoding": "gzip"})
    assert_problem(gateway.call("small", "m", [1]), "response-too-large", 502, "unknown")


async def _close_at_once(x):
    x.close()


async def _reset_at_once(x):
    x.reset()


async def _close_in_head(x):
    await x.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    x.close()


async def _close_in_body(x):
    await x.send(http_response(response_document("x" * 1000))[:-100])
    x.close()


async def _reset_in_body(x):
    await x.send(http_response(response_document("x" * 1000))[:-100])
    x.reset()


async def _bad_chunk(x):
    await x.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nno\r\n0\r\n\r\n")


@pytest.mark.parametrize("behave", [_close_at_once, _reset_at_once, _close_in_head, _close_in_body,
                                    _reset_in_body, _bad_chunk])
def test_connection_lost(gateway, upstream, behave, request):
    upstream.behave = behave
    nonce = request.node.nodeid
    answer = gateway.call("up", "m", [nonce])
    assert_problem(answer, "connection-lost", 502, "unknown", upstream="up", method="m")
    assert upstream.executed[nonce] == 1


def test_connect_failed(gateway):
    assert_problem(gateway.call("dead", "m", [1]), "connect-failed", 502, "no", upstream="dead")


def test_upstreams_time_runs_out(gateway, upstream):
    async def behave(x):
        await x.gone()
    upstream.behave = behave
    assert_problem(gateway.call("quick", "m", [1]), "timeout", 504, "unknown", upstream="quick")
    assert_problem(gateway.call("quick", "m", [1], X_Rpcgate_Timeout="60s"), "timeout", 504,
                   "unknown")


def test_callers_time_runs_out(gateway, upstream):
    async def behave(x):
        await x.gone()
    upstream.behave = behave
    assert_problem(gateway.call("up", "m", [1], X_Rpcgate_Timeout="100ms"), "timeout", 504,
                   "unknown", method="m")


@pytest.mark.parametrize("value", ["soon", "5", "-1s", "1.5 s", "", "99999999999999999999s"])
def test_bad_timeout_header(gateway, upstream, value):
    assert_problem(gateway.call("up", "m", [1], X_Rpcgate_Timeout=value), "invalid-request", 400,
                   "no")
    assert not upstream.exchanges


# What we cannot send.

@pytest.mark.parametrize("body, line, column", [
    (b"[1,", 1, None), (b"{\n\"a\": 01}", 2, None), (b"[1]]", 1, None), (b"'a'", 1, 1),
    (b"[\"\xff\"]", 1, None), (b"{\"a\":1,\"a\":2}", 1, None), (b"\xef\xbb\xbf\xef\xbb\xbf[1]", 1, 1),
    (b"[1e999]", 1, None), (b"[\"\\ud800\"]", 1, None), (b"[NaN]", 1, 2), (b"\x00", 1, 1)])
def test_invalid_json(gateway, upstream, body, line, column):
    document = assert_problem(gateway.call("up", "m", body), "invalid-json", 400, "no",
                              upstream="up", method="m")
    assert f"line {line}" in document["detail"] and "column" in document["detail"]
    if column is not None:
        assert f"column {column}" in document["detail"]
    assert not upstream.exchanges


@pytest.mark.parametrize("body, pointer, word", [
    (["a", None], "/1", "nil"), (None, "", "nil"), ([{"a/b": [2147483648]}], "/0/a~1b/0", "i8"),
    ([{"$double": "NaN"}], "/0", "nonfinite"), ([{"$odd": 1}], "/0", "$struct"),
    (["a\u0001"], "/0", "text"), ([1, {"x": {"$base64": "!"}}], "/1/x", "")])
def test_unrepresentable(gateway, upstream, body, pointer, word):
    document = assert_problem(gateway.call("up", "m", body), "unrepresentable", 422, "no",
                              upstream="up", method="m")
    assert document["pointer"].startswith(pointer) and word in document["detail"], document
    assert not upstream.exchanges


def test_extensions_of_the_upstream(gateway, upstream):
    upstream.behave = answering(response_document(1))
    assert gateway.call("more", "m", [None, 2147483648]).status == 200
    body = upstream.exchanges[0].body
    assert b"nil" in body and b"<i8>2147483648</i8>" in body


def test_too_deep(gateway, upstream):
    body = b"[" * 200 + b"]" * 200
    document = assert_problem(gateway.call("up", "m", body), "invalid-json", 400, "no")
    assert document["setting"] == "limits.depth"
    assert not upstream.exchanges


def test_faultless_after_all_that(gateway, upstream):
    """The same gateway still works, and no call ran twice in any of these tests."""
    assert gateway.call("up", "m", ["fine"]).result == "fine"
    assert xmlrpc.client.loads(upstream.exchanges[0].body)[0] == ("fine",)
