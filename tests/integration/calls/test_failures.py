# SPDX-License-Identifier: Apache-2.0
"""Everything that can go wrong between the gateway and an upstream, told apart: one table."""

import gzip
import time
from dataclasses import dataclass

import pytest

from rig.check import assert_problem
from rig.misbehave import bomb, chunk, chunked, deflate, drips, head, responds, sends, stays_alive
from rig.process import holds
from rig.settings import SANITIZED
from rig.upstream import Behaviour, echo, fault_document, http_response, response_document

DOCUMENT = response_document("fine")
GOOD = http_response(DOCUMENT)
FAULT = fault_document(7, "as it is")
HTML = "<!DOCTYPE html><html><body><h1>It works!</h1></body></html>"
CALL = b"<?xml version='1.0'?><methodCall><methodName>m</methodName><params/></methodCall>"
SIZE = f"Content-Length: {len(DOCUMENT)}"
IN_HEAD, IN_BODY = GOOD.index(b"\r\n") + 10, len(GOOD) - 20

#: A megabyte is all that a response may have here.
LIMIT = {"response": "1M"}
BOMB = bomb(100)


@dataclass
class Row:
    """What an upstream does, and what the caller gets; `problem` None: the result "fine"."""

    name: str
    behave: Behaviour
    problem: str | None = None
    waits: bool = False
    status: int = 200
    executed: str | None = None
    setting: str | None = None


def lost(name, behave):
    return Row(name, behave, "connection-lost", False, 502, "unknown")


def bad(name, behave):
    return Row(name, behave, "bad-response", False, 502, "unknown")


def late(name, behave):
    return Row(name, behave, "timeout", True, 504, "unknown", "timeouts.total")


def large(name, behave):
    return Row(name, behave, "response-too-large", False, 502, "unknown", "limits.response")


def protocol(status, executed="unknown", body=HTML, http=502, **headers):
    return Row(status, responds(body, status, Content_Type="text/html", **headers),
               "protocol-error", False, http, executed)


def fault(name, behave):
    return Row(name, behave, "fault", False, 500, "yes")


def fine(name, behave):
    return Row(name, behave)


TABLE = [
    # The connection ends.
    lost("close before the head", sends("")),
    lost("close in the status line", sends("HTTP/1.1 20")),
    lost("close after the status line", sends("HTTP/1.1 200 OK\r\n")),
    lost("close in the head", sends(GOOD[:IN_HEAD])),
    lost("close before the empty line", sends("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n")),
    lost("close after the head", sends(GOOD[:-len(DOCUMENT)])),
    lost("close in the body", sends(GOOD[:IN_BODY])),
    lost("reset before the head", sends("", "reset")),
    lost("reset in the head", sends(GOOD[:IN_HEAD], "reset")),
    lost("reset in the body", sends(GOOD[:IN_BODY], "reset")),
    # Time.
    late("silence", sends("", "silence")),
    late("silence in the head", sends(GOOD[:IN_HEAD], "silence")),
    late("silence in the body", sends(GOOD[:IN_BODY], "silence")),
    fine("silence instead of the end", head(body=DOCUMENT, end="silence")),
    late("drips from the head on", drips(GOOD, 5)),
    late("drips in the body", drips(GOOD, IN_BODY - 100)),
    fine("drips at the end", drips(GOOD, len(GOOD) - 3)),
    # Lengths.
    # A document that is complete counts, though more was promised.
    fine("length too large", head(f"Content-Length: {len(DOCUMENT) + 1}", body=DOCUMENT)),
    fine("length far too large, reset",
         head(f"Content-Length: {len(DOCUMENT) + 999}", body=DOCUMENT, end="reset")),
    fine("length too large, blanks behind it",
         head(f"Content-Length: {len(DOCUMENT) + 999}", body=DOCUMENT + b"\r\n ")),
    fault("length of a fault too large", head(f"Content-Length: {len(FAULT) + 2}", body=FAULT)),
    fault("length of a fault with 500 too large",
          head(f"Content-Length: {len(FAULT) + 2}", status="HTTP/1.1 500 Oops", body=FAULT)),
    fine("length too large, kept open",
         head(f"Content-Length: {len(DOCUMENT) + 1}", body=DOCUMENT, end="silence")),
    lost("length too large, the document cut off",
         head(f"Content-Length: {len(DOCUMENT) + 1}", body=DOCUMENT[:-2])),
    bad("length too large, something behind the document",
         head(f"Content-Length: {len(DOCUMENT) + 9}", body=DOCUMENT + b"<")),
    fine("no length, reset", head(body=DOCUMENT, end="reset")),
    bad("length too small", head(f"Content-Length: {len(DOCUMENT) - 5}", body=DOCUMENT)),
    fine("length twice", head(SIZE, SIZE, body=DOCUMENT, end="keep")),
    fine("length as a list", head(SIZE + f", {len(DOCUMENT)}", body=DOCUMENT, end="keep")),
    lost("two lengths", head(SIZE, f"Content-Length: {len(DOCUMENT) - 5}", body=DOCUMENT)),
    lost("two lengths, the good one last",
         head(f"Content-Length: {len(DOCUMENT) - 5}", SIZE, body=DOCUMENT)),
    lost("length negative", head("Content-Length: -1", body=DOCUMENT)),
    lost("length no number", head("Content-Length: many", body=DOCUMENT)),
    lost("length half a number", head(SIZE + "x", body=DOCUMENT)),
    lost("length hexadecimal", head("Content-Length: 0x10", body=DOCUMENT)),
    lost("length with a sign", head(f"Content-Length: +{len(DOCUMENT)}", body=DOCUMENT)),
    lost("length beyond 64 bits", head("Content-Length: 18446744073709551616", body=DOCUMENT)),
    fine("no length", head(body=DOCUMENT)),
    fine("no length, HTTP/1.0", head(status="HTTP/1.0 200 OK", body=DOCUMENT)),
    fine("length and chunks", head(SIZE, "Transfer-Encoding: chunked",
                                   body=chunk(DOCUMENT) + b"0\r\n\r\n", end="keep")),
    # Chunks.
    fine("chunks", chunked(chunk(DOCUMENT[:9]) + chunk(DOCUMENT[9:]) + b"0\r\n\r\n", "keep")),
    fine("chunk extension", chunked(b"%x;a=b\r\n%s\r\n0;c\r\n\r\n" % (len(DOCUMENT), DOCUMENT),
                                    "keep")),
    fine("chunk trailer", chunked(chunk(DOCUMENT) + b"0\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\n",
                                  "keep")),
    lost("chunk size no number", chunked(b"zz\r\nno\r\n0\r\n\r\n")),
    lost("chunk size negative", chunked(b"-5\r\n" + DOCUMENT)),
    lost("chunk size overflows", chunked(b"f" * 17 + b"\r\n" + DOCUMENT)),
    lost("chunk size almost overflows", chunked(b"7" + b"f" * 15 + b"\r\n" + DOCUMENT)),
    lost("chunk longer than it says", chunked(b"5\r\n" + DOCUMENT + b"\r\n0\r\n\r\n")),
    lost("chunk cut off", chunked(chunk(DOCUMENT)[:-30])),
    lost("no last chunk", chunked(chunk(DOCUMENT))),
    lost("last chunk cut off", chunked(chunk(DOCUMENT) + b"0\r\n")),
    late("no last chunk, kept open", chunked(chunk(DOCUMENT), "silence")),
    bad("trailer flood", chunked(chunk(DOCUMENT) + b"0\r\n" + b"X: y\r\n" * 5000 + b"\r\n")),
    bad("unknown transfer coding", head("Transfer-Encoding: odd", body=DOCUMENT)),
    # Heads.
    bad("many header lines", head(*[f"X-{n}: y" for n in range(5000)], SIZE, body=DOCUMENT)),
    bad("long header line", head("X-Long: " + "y" * 1_000_000, SIZE, body=DOCUMENT)),
    bad("long status line", head(status="HTTP/1.1 200 " + "y" * 1_000_000, body=DOCUMENT)),
    bad("endless header line", sends(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 4_000_000, "silence")),
    bad("folded header line", head("X-Folded: a", "\tb", SIZE, body=DOCUMENT, end="keep")),
    bad("folded header line before all others", head(" X: a", SIZE, body=DOCUMENT, end="keep")),
    bad("folded header line of 103",
        sends(b"HTTP/1.1 103 Early\r\nLink: x\r\n y\r\n\r\n" + GOOD, "keep")),
    # Interim responses.
    fine("100", sends(b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD, "keep")),
    fine("100 twice", sends(b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + GOOD, "keep")),
    fine("102, 103 and 199", sends(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early\r\nLink: x"
                                   b"\r\n\r\nHTTP/1.1 199 Odd\r\n\r\n" + GOOD, "keep")),
    fine("length in 100", sends(b"HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n" + GOOD,
                                "keep")),
    lost("100 and close", sends("HTTP/1.1 100 Continue\r\n\r\n")),
    late("100 and nothing", sends("HTTP/1.1 100 Continue\r\n\r\n", "silence")),
    bad("100 for ever", sends(b"HTTP/1.1 100 Continue\r\n\r\n" * 5000, "silence")),
    Row("101", head("Upgrade: h2c", "Connection: Upgrade", status="HTTP/1.1 101 Switching"),
        "protocol-error", False, 502, "unknown"),
    # Compression. Of a document that is complete, libcurl does not miss gzip's own end.
    fine("gzip", responds(gzip.compress(DOCUMENT), Content_Encoding="gzip")),
    fine("x-gzip", responds(gzip.compress(DOCUMENT), Content_Encoding="x-gzip")),
    fine("deflate with zlib's head", responds(deflate(DOCUMENT, 15), Content_Encoding="deflate")),
    fine("deflate without it", responds(deflate(DOCUMENT, -15), Content_Encoding="deflate")),
    fine("two layers", responds(gzip.compress(deflate(DOCUMENT, 15)),
                                Content_Encoding="deflate, gzip")),
    fine("identity", responds(DOCUMENT, Content_Encoding="identity")),
    bad("gzip cut off", responds(gzip.compress(DOCUMENT)[:-20], Content_Encoding="gzip")),
    bad("gzip's sum wrong", responds(gzip.compress(DOCUMENT)[:-8] + b"\1" * 8,
                                     Content_Encoding="gzip")),
    bad("gzip corrupt", responds(gzip.compress(DOCUMENT)[:30] + b"\xff" * 80,
                                 Content_Encoding="gzip")),
    fine("gzip and padding", responds(gzip.compress(DOCUMENT) + b"\0\0\0", Content_Encoding="gzip")),
    fine("gzip and a line end", responds(gzip.compress(DOCUMENT) + b"\r\n", Content_Encoding="gzip")),
    bad("gzip and more behind it", responds(gzip.compress(DOCUMENT) + b"more",
                                            Content_Encoding="gzip")),
    bad("gzip that is none", responds(DOCUMENT, Content_Encoding="gzip")),
    bad("deflate that is none", responds(DOCUMENT, Content_Encoding="deflate")),
    bad("deflate cut off", responds(deflate(DOCUMENT, 15)[:-30], Content_Encoding="deflate")),
    bad("compressed, not said", responds(gzip.compress(DOCUMENT))),
    bad("six layers", responds(DOCUMENT, Content_Encoding=", ".join(["gzip"] * 6))),
    *(fine(f"coding {coding}", responds(DOCUMENT, Content_Encoding=coding)) for coding in
      ("odd", "UTF-8", "none", "binary", "8bit", "text/xml", '"utf-8"', "br", "", ",", "a, b, c",
       "identity, UTF-8")),
    *(fine(f"coding {coding} of gzip", responds(gzip.compress(DOCUMENT), Content_Encoding=coding))
      for coding in ("x-gzip, identity", "GZIP, UTF-8", "none, gzip", "utf-8;gzip, gzip")),
    bad("coding that is one", responds(b"\x0b\x02\x80" + DOCUMENT[:9], Content_Encoding="br")),
    large("bomb", responds(BOMB, Content_Encoding="gzip")),
    large("bomb in a bomb", responds(gzip.compress(BOMB), Content_Encoding="gzip, gzip")),
    large("large", responds(response_document("x" * 2_000_000))),
    large("blanks for ever", chunked(chunk(b" " * 65536) * 40 + b"0\r\n\r\n")),
    # Statuses.
    protocol("201 Created", body=DOCUMENT),
    Row("204", head(status="HTTP/1.1 204 No Content", end="keep"), "protocol-error", False, 502,
        "unknown"),
    Row("304", head(status="HTTP/1.1 304 Not Modified", end="keep"), "protocol-error", False, 502,
        "unknown"),
    protocol("206 Partial Content", body=DOCUMENT, Content_Range="bytes 0-9/10"),
    *(protocol(f"{status} Over there", Location="/elsewhere") for status in
      (300, 301, 302, 303, 307, 308)),
    *(protocol(f"{status} Refused", "no") for status in (401, 403, 404, 405, 411, 413, 415)),
    *(protocol(f"{status} Odd") for status in (400, 402, 406, 408, 410, 418, 500, 501, 502, 504,
                                               599, 999)),
    protocol("429 Slow down", "no", http=503),
    protocol("503 Away", http=503),
    protocol("500 No text", body=b"\0\1\2\xff" * 100),
    protocol("500 A result", body=DOCUMENT),
    protocol("500 Nothing", body=""),
    lost("500, closed in the body", sends(http_response(HTML.encode(), "500 Oops")[:-5])),
    bad("status of two digits", head(status="HTTP/1.1 42 Odd", body=DOCUMENT)),
    bad("status no number", head(status="HTTP/1.1 abc OK", body=DOCUMENT)),
    bad("status 000", head(status="HTTP/1.1 000 OK", body=DOCUMENT)),
    # Faults, with whatever status.
    *(fault(f"fault with {status}", responds(FAULT, f"{status} Oops")) for status in
      (200, 201, 302, 400, 401, 404, 500, 502, 503)),
    fault("fault as HTML", responds(FAULT, "500 Oops", Content_Type="text/html")),
    # What stands before the document.
    fine("a line end before the declaration", responds(b" \n   \n" + DOCUMENT)),
    fine("two byte order marks", responds(b"\xef\xbb\xbf\n\xef\xbb\xbf" + DOCUMENT)),
    fine("blanks that keep the connection alive", stays_alive(DOCUMENT, 20)),
    fine("much before the document", responds(b"\r\n" * 200_000 + DOCUMENT)),
    large("too much before the document", responds(b"\r\n" * 600_000 + DOCUMENT)),
    # 200, and no response.
    bad("HTML", responds(HTML, Content_Type="text/html")),
    bad("plain text", responds("Hello, world", Content_Type="text/plain")),
    bad("nothing", responds("")),
    bad("nothing until the end", head()),
    bad("blanks", responds("  \r\n ")),
    bad("half a document", responds(DOCUMENT[:len(DOCUMENT) // 2])),
    bad("two documents", responds(DOCUMENT + DOCUMENT)),
    bad("something behind the document", responds(DOCUMENT + b"more")),
    bad("a call", responds(CALL)),
    bad("JSON", responds('{"result": 1}', Content_Type="application/json")),
    bad("other XML", responds("<?xml version='1.0'?><rss/>")),
    bad("a DTD", responds(b"<!DOCTYPE x [<!ENTITY e 'x'>]>" + DOCUMENT)),
    bad("a fault that is none", responds("<methodResponse><fault/></methodResponse>")),
    # No HTTP/1.
    bad("HTTP/0.9", sends(DOCUMENT)),
    bad("HTTP/0.9, one line", sends("Hello, world\n")),
    bad("HTTP/2 frames", sends(b"\0\0\x12\4\0\0\0\0\0" + b"\0\3\0\0\0\x80" * 3, "silence")),
    bad("HTTP/2 in words", head(status="HTTP/2 200", body=DOCUMENT)),
    bad("HTTP in small letters", head(status="http/1.1 200 OK", body=DOCUMENT)),
    bad("HTTP in mixed letters", head(status="Http/1.1 200 OK", body=DOCUMENT, end="keep")),
    bad("HTTP/1.9", head(status="HTTP/1.9 200 OK", body=DOCUMENT)),
    bad("HTTP/3.0", head(status="HTTP/3.0 200 OK", body=DOCUMENT)),
    bad("a request", sends("GET / HTTP/1.1\r\nHost: x\r\n\r\n")),
    bad("a TLS alert", sends(b"\x15\x03\x01\0\2\2\x46")),
    bad("an SSH greeting", sends("SSH-2.0-OpenSSH_9.2\r\n")),
    bad("noise", sends(bytes(range(256)) * 50)),
]


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream()


@pytest.fixture(scope="module")
def gateway(start_shared, upstream):
    """One worker, so that the next call finds the connection that the last one has left; and a name
    for each row, since what has ended connections before is not trusted to keep them. The
    credentials must not be seen in any problem."""
    url = upstream.url.replace("//", "//us%40er:pass%3Aword@")
    settings = {"url": url, "limits": LIMIT, "breaker": {"failures": 1000}}
    return start_shared.simple(upstream, workers=1, upstreams={
        name: settings for name in ["up", *map(kept_name, TABLE)]})


def kept_name(row: Row) -> str:
    return f"kept{TABLE.index(row)}"


def waits(row: Row) -> dict:
    """Headers of a call: who never gets an answer does not wait long for it."""
    return {"X_Rpcgate_Timeout": "400ms"} if row.waits else {}


def answering(value) -> Behaviour:
    return sends(http_response(response_document(value)), "keep")


@pytest.mark.parametrize("kept", [False, True], ids=["new", "kept"])
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_failure(gateway, upstream, row, kept):
    """On a new connection and on one that has carried a call before."""
    nonce = f"{row.name} {kept}"
    up = kept_name(row) if kept else "up"
    upstream.close_idle()
    if kept:
        upstream.behave = answering("before")
        assert gateway.call(up, "m", ["before"]).result == "before"
    connections = upstream.connections
    upstream.behave = row.behave
    answer = gateway.call(up, "m", [nonce], **waits(row))
    assert upstream.connections == connections + (not kept)
    if row.problem is None:
        assert answer.result == "fine"
    else:
        document = assert_problem(answer, row.problem, row.status, row.executed, upstream=up,
                                  method="m")
        assert row.setting is None or row.setting in document["setting"]
    assert b"pass" not in answer.body
    assert upstream.executed[nonce] == 1
    upstream.behave = answering("after")
    assert gateway.call(up, "m", ["after"]).result == "after", "it left something behind"
    assert upstream.executed[nonce] == 1


@pytest.mark.parametrize("promises", [False, True], ids=["no length", "too large a length"])
@pytest.mark.parametrize("document, status", [(DOCUMENT, 200), (FAULT, 500)],
                         ids=["result", "fault"])
def test_a_whole_document_is_not_waited_for(gateway, upstream, promises, document, status):
    """The connection stays open, and what HTTP promises beyond the document never comes."""
    length = [f"Content-Length: {len(document) + 1}"] if promises else []
    upstream.behave = head(*length, body=document, end="silence")
    began = time.monotonic()
    answer = gateway.call("up", "m", [], X_Rpcgate_Timeout="60s")
    assert answer.status == status
    assert time.monotonic() - began < 30
    upstream.behave = answering("after")
    assert gateway.call("up", "m", ["after"]).result == "after"


# Kept connections that end between two calls.

@pytest.mark.parametrize("how", ["close", "reset"])
def test_kept_connection_ends_before_the_next_request(gateway, upstream, how):
    """Nothing has gone out on it then: the call runs, on another connection."""
    upstream.behave = echo
    upstream.executed.clear()
    for number in range(20):
        assert gateway.call("up", "m", [f"{number}"]).result == f"{number}"
        upstream.wait_for(lambda u: not u.exchanges[-1].link.busy)
        upstream.close_idle(how == "reset")
    assert len(upstream.executed) == 20 and set(upstream.executed.values()) == {1}


# Answers that nobody has asked for.

UNASKED = http_response(response_document("unasked for"))


@pytest.mark.parametrize("first", [
    http_response(response_document("first")),
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(response_document("first"))
    + b"0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\n\r\n",
    http_response(b"", "500 Oops"),
    http_response(fault_document(1, "first")),
], ids=["length", "chunks", "204", "304", "nothing", "fault"])
@pytest.mark.parametrize("extra", [UNASKED, UNASKED * 300, UNASKED[:50], b"\r\n", b"\0" * 20000],
                         ids=["whole", "many", "part", "line", "noise"])
@pytest.mark.parametrize("at_once", [True, False], ids=["with", "behind"])
def test_unasked_answer(gateway, upstream, first, extra, at_once):
    """Whatever comes with or behind an answer, the next call gets its own."""
    async def behave(x):
        if x.params[0] != "first":
            return await x.answer(x.params[0])
        if at_once:
            return await x.send(first + extra)
        await x.send(first)
        await x.send(extra)
    upstream.behave = behave
    upstream.executed.clear()
    for number in range(3):
        answer = gateway.call("up", "m", ["first"])
        assert b"unasked" not in answer.body
        upstream.wait_for(lambda u: not u.exchanges[-1].link.busy)
        assert gateway.call("up", "m", [f"next {number}"]).result == f"next {number}"
    assert upstream.executed == {"first": 3, "next 0": 1, "next 1": 1, "next 2": 1}


def test_answer_after_the_deadline(gateway, upstream):
    """It is nobody's, and its connection is not used again."""
    gate = upstream.gate()

    async def behave(x):
        if x.params[0] == "late":
            await gate.passed()
        await x.answer(x.params[0])
    upstream.behave = behave
    upstream.executed.clear()
    for _ in range(3):
        assert_problem(gateway.call("up", "m", ["late"], X_Rpcgate_Timeout="100ms"), "timeout", 504,
                       "unknown")
    gate.open()
    assert gateway.call("up", "m", ["next"]).result == "next"
    assert upstream.executed == {"late": 3, "next": 1}


# What is told of an answer that is no XML-RPC.

def protocol_of(gateway, upstream, behave) -> dict:
    upstream.behave = behave
    answer = gateway.call("up", "m", ["x"])
    document = assert_problem(answer, "protocol-error", answer.status, upstream="up", method="m")
    return document["protocol"]


def test_protocol(gateway, upstream):
    protocol = protocol_of(gateway, upstream, responds(
        "<h1>nö</h1>", "405 Not like that", Allow="GET, HEAD",
        Content_Type="text/html; charset=utf-8", Date="Sun, 06 Nov 1994 08:49:37 GMT",
        Retry_After="5", Server="odd/1", Set_Cookie="a=b",
        WWW_Authenticate='Basic realm="x"', Location="http://elsewhere/", X_Private="p",
        Authorization="Basic eA=="))
    assert protocol == {
        "url": upstream.url, "status": 405, "message": "Not like that",
        "headers": {"Allow": "GET, HEAD", "Content-Length": "12",
                    "Content-Type": "text/html; charset=utf-8",
                    "Date": "Sun, 06 Nov 1994 08:49:37 GMT",
                    "Location": "http://elsewhere/", "Retry-After": "5", "Server": "odd/1",
                    "WWW-Authenticate": 'Basic realm="x"'},
        "content_type": "text/html; charset=utf-8", "body": "<h1>nö</h1>"}


@pytest.mark.parametrize("status_line, message", [
    ("HTTP/1.1 500 Oops", "Oops"), ("HTTP/1.1 500", ""), ("HTTP/1.1 500 ", ""),
    ("HTTP/1.0 500 a  b", "a  b"), ("HTTP/1.1 500 gr\xfc\xdfe", "gr\ufffd\ufffde"),
    ("HTTP/1.1 500 " + "x" * 1000, "x" * 255)])
def test_message_of_a_protocol_error(gateway, upstream, status_line, message):
    behave = head("Content-Length: 0", status=status_line, end="keep")
    assert protocol_of(gateway, upstream, behave)["message"] == message


@pytest.mark.parametrize("body, shown", [
    (b"", ""), (b"plain", "plain"), (b"x" * 512, "x" * 512), (b"x" * 100_000, "x" * 512),
    (b"x" * 511 + "ü".encode(), "x" * 511), (b"\0\1\2\xff" * 200, None),
    ("eine größere".encode("latin-1"), "eine gr\ufffd\ufffdere"),
    (b"\x89PNG\r\n\x1a\n\0\0", None),
    (gzip.compress(b"packed", mtime=0), None)],
    ids=["empty", "short", "512", "long", "cut in a character", "bytes", "latin-1", "png", "gzip"])
def test_body_of_a_protocol_error(gateway, upstream, body, shown):
    assert protocol_of(gateway, upstream, responds(body, "500 Oops"))["body"] == shown


def test_packed_body_of_a_protocol_error(gateway, upstream):
    behave = responds(gzip.compress(HTML.encode()), "500 Oops", Content_Encoding="gzip")
    assert protocol_of(gateway, upstream, behave)["body"] == HTML


def test_no_content_type(gateway, upstream):
    protocol = protocol_of(gateway, upstream, head("Content-Length: 1", status="HTTP/1.1 500 Oops",
                                                   body=b"x", end="keep"))
    assert not protocol["content_type"] and "Content-Type" not in protocol["headers"]


@pytest.mark.parametrize("status", ["429 Slow down", "503 Away"])
@pytest.mark.parametrize("headers, wanted", [
    ({"Retry_After": "17"}, "17"), ({"Retry_After": "soon"}, None), ({}, None),
    ({"Retry_After": "-3"}, None),
    ({"Retry_After": "Sun, 06 Nov 1994 08:50:07 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"},
     "30"),
    ({"Retry_After": "Sun, 06 Nov 1994 08:50:07 GMT"}, None),
    ({"Retry_After": "Fri, 31 Dec 9999 23:59:59 GMT"}, "86400")],
    ids=["number", "word", "none", "negative", "date", "past", "far"])
def test_retry_after(gateway, upstream, status, headers, wanted):
    upstream.behave = responds(HTML, status, Content_Type="text/html", **headers)
    answer = gateway.call("up", "m", ["x"])
    assert_problem(answer, "protocol-error", 503)
    assert answer.header("Retry-After") == wanted


def test_redirects_are_not_followed(gateway, upstream):
    upstream.exchanges.clear()
    for status in (301, 302, 303, 307, 308):
        protocol = protocol_of(gateway, upstream,
                               responds("", f"{status} There", Location=upstream.url + "/there"))
        assert protocol["status"] == status
    assert [x.request_line for x in upstream.exchanges] == ["POST /RPC2 HTTP/1.1"] * 5


@pytest.mark.parametrize("location, shown", [
    ("https://other.example:8443/RPC2?x=1", "https://other.example:8443/RPC2?x=1"),
    ("/there", "/there"),
    ("https://user:word-of-the-server@other.example/@x", "https://***@other.example/@x"),
    ("//user@name:word-of-the-server@other.example?a@b", "//***@other.example?a@b"),
    ("", None),
])
def test_redirect_s_target_is_told(gateway, upstream, location, shown):
    upstream.behave = responds("", "308 There", Location=location)
    answer = gateway.call("up", "m", ["x"])
    document = assert_problem(answer, "protocol-error", 502, "unknown")
    assert document["protocol"]["headers"]["Location"] == (shown or "")
    assert (f"wants the request at {shown}." in document["detail"]) == (shown is not None)
    assert "word-of-the-server" not in answer.body.decode()


def test_target_is_told_of_redirects_alone(gateway, upstream):
    upstream.behave = responds("", "403 No", Location="/there")
    assert "/there" not in gateway.call("up", "m", ["x"]).json["detail"]


# Room.

def test_bomb_takes_no_memory(start, upstream):
    """100 MB that were packed to 100 KB: not more than limits.response is ever there."""
    gateway = start.simple(upstream, workers=1, upstreams={"up": {
        "url": upstream.url, "limits": {"response": "4M"}}})
    upstream.behave = responds(response_document("x" * 3_900_000))
    assert len(gateway.call("up", "m", ["large"]).result) == 3_900_000
    before = holds(gateway.process.pid).peak
    for name in ("bomb", "bomb in a bomb"):
        upstream.behave = next(row.behave for row in TABLE if row.name == name)
        assert_problem(gateway.call("up", "m", [name]), "response-too-large", 502, "unknown")
    # Sanitizers keep what was freed for a while.
    assert holds(gateway.process.pid).peak < before + ((8 << 20) if not SANITIZED else (40 << 20))
