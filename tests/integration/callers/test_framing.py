# SPDX-License-Identifier: Apache-2.0
"""Requests that two HTTP readers could understand differently are refused, and nothing of them is
ever executed. What the HTTP library refuses by itself may have another body."""

import pytest

from rig.check import assert_html, assert_problem
from rig.settings import MICROHTTPD

HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
LENGTH = b"Content-Length: 3\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
BODY = b"[1]"
CHUNKS = b"3\r\n[1]\r\n0\r\n\r\n"


def post(*lines: bytes, body: bytes = BODY, end: bytes = b"\r\n") -> bytes:
    return b"POST /v1/up/m HTTP/1.1" + end + b"".join(lines) + end + body


#: Refused by us, with a problem.
OURS = {
    "no host": post(JSON, LENGTH),
    "two hosts": post(HOST, HOST, JSON, LENGTH),
    "two different hosts": post(HOST, b"Host: 127.0.0.1\r\n", JSON, LENGTH),
    "two lengths": post(HOST, JSON, LENGTH, b"Content-Length: 4\r\n"),
    "two equal lengths": post(HOST, JSON, LENGTH, LENGTH),
    "length and chunked": post(HOST, JSON, LENGTH, CHUNKED, body=CHUNKS),
    "chunked and length": post(HOST, JSON, CHUNKED, LENGTH, body=CHUNKS),
    "coding gzip": post(HOST, JSON, b"Transfer-Encoding: gzip\r\n"),
    "coding gzip, chunked": post(HOST, JSON, b"Transfer-Encoding: gzip, chunked\r\n", body=CHUNKS),
    "coding identity": post(HOST, JSON, b"Transfer-Encoding: identity\r\n", LENGTH),
    "coding xchunked": post(HOST, JSON, b"Transfer-Encoding: xchunked\r\n", body=CHUNKS),
    "two codings": post(HOST, JSON, CHUNKED, CHUNKED, body=CHUNKS),
    "codings chunked and gzip": post(HOST, JSON, CHUNKED, b"Transfer-Encoding: gzip\r\n",
                                     body=CHUNKS),
    "space in a name": post(HOST, b"Bad Name: x\r\n", JSON, LENGTH),
    "space before the colon": post(HOST, b"X-Odd : x\r\n", JSON, LENGTH),
    "length with a space": post(HOST, JSON, LENGTH, b"Content-Length : 4\r\n"),
    "parenthesis in a name": post(HOST, b"X(1): x\r\n", JSON, LENGTH),
    "non-ASCII name": post(HOST, b"X-\xe4: x\r\n", JSON, LENGTH),
    "control character in a value": post(HOST, b"X-A: a\x01b\r\n", JSON, LENGTH),
    "DEL in a value": post(HOST, b"X-A: a\x7fb\r\n", JSON, LENGTH),
    "escape in a value": post(HOST, b"X-A: \x1b[31m\r\n", JSON, LENGTH),
}

#: Of these, refused by libmicrohttpd 1.0 before it asks us.
LIBRARYS = {
    "no host", "length and chunked", "chunked and length", "coding gzip", "coding gzip, chunked",
    "coding identity", "coding xchunked", "space in a name", "space before the colon",
    "length with a space",
}

#: Refused by us or, with whatever body or none, by the HTTP library.
ANYBODYS = {
    "NUL in a value": post(HOST, b"X-A: a\x00b\r\n", JSON, LENGTH),
    "NUL at the end of a value": post(HOST, b"X-A: a\x00\r\n", JSON, LENGTH),
    "NUL in a name": post(HOST, b"X\x00A: a\r\n", JSON, LENGTH),
    "NUL in the host": post(b"Host: localhost\x00.evil\r\n", JSON, LENGTH),
    "NUL in the path": post(HOST, JSON, LENGTH).replace(b"/m", b"/m\0x", 1),
    "folded value": post(HOST, b"X-A: a\r\n b\r\n", JSON, LENGTH),
    "folded with a tab": post(HOST, b"X-A: a\r\n\tb\r\n", JSON, LENGTH),
    "folded length": post(HOST, JSON, b"Content-Length:\r\n 3\r\n"),
    "folded first line": post(b" X: y\r\n", HOST, JSON, LENGTH),
    "bare LF everywhere": post(HOST.replace(b"\r", b""), JSON.replace(b"\r", b""),
                               LENGTH.replace(b"\r", b""), end=b"\n"),
    "one bare LF": post(HOST, b"X-A: a\n", JSON, LENGTH),
    "bare LF before a second length": post(HOST, b"X-A: a\nContent-Length: 0\r\n", JSON, LENGTH),
    "bare LF after the request line": post(HOST, JSON, LENGTH).replace(b"\r\n", b"\n", 1),
    "bare LF at the end": post(HOST, JSON, LENGTH, b"\n", body=b"[1]")[:-5] + BODY,
    "bare CR in a value": post(HOST, b"X-A: a\rb\r\n", JSON, LENGTH),
    "empty name": post(HOST, b": x\r\n", JSON, LENGTH),
    "no colon": post(HOST, b"nonsense\r\n", JSON, LENGTH),
    "length +3": post(HOST, JSON, b"Content-Length: +3\r\n"),
    "length -3": post(HOST, JSON, b"Content-Length: -3\r\n"),
    "length 0x3": post(HOST, JSON, b"Content-Length: 0x3\r\n"),
    "length 3, 3": post(HOST, JSON, b"Content-Length: 3, 3\r\n"),
    "length 3 4": post(HOST, JSON, b"Content-Length: 3 4\r\n"),
    "empty length": post(HOST, JSON, b"Content-Length:\r\n"),
    "huge length": post(HOST, JSON, b"Content-Length: 99999999999999999999999\r\n"),
    "bad chunk size": post(HOST, JSON, CHUNKED, body=b"z\r\n[1]\r\n0\r\n\r\n"),
    "chunk size with a sign": post(HOST, JSON, CHUNKED, body=b"+3\r\n[1]\r\n0\r\n\r\n"),
    "chunk size in 0x": post(HOST, JSON, CHUNKED, body=b"0x3\r\n[1]\r\n0\r\n\r\n"),
    "chunk longer than it says": post(HOST, JSON, CHUNKED, body=b"2\r\n[1]\r\n0\r\n\r\n"),
    "no version": post(HOST, JSON, LENGTH).replace(b" HTTP/1.1", b"", 1),
    "version 2.0": post(HOST, JSON, LENGTH).replace(b"HTTP/1.1", b"HTTP/2.0", 1),
    "version 1.2x": post(HOST, JSON, LENGTH).replace(b"HTTP/1.1", b"HTTP/1.2x", 1),
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "space in the target": post(HOST, JSON, LENGTH).replace(b"/m", b"/m x", 1),
}


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream()


@pytest.fixture(scope="module")
def gateway(start_shared, upstream):
    return start_shared.simple(upstream)


@pytest.mark.parametrize("name", OURS, ids=[name.replace(" ", "-") for name in OURS])
@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_refused_by_us(gateway, upstream, name, over):
    before = len(upstream.exchanges)
    with gateway.connect(over) as caller:
        caller.send(OURS[name])
        answer = caller.answer()
        if MICROHTTPD >= (1,) and name in LIBRARYS:
            assert_html(answer)
        else:
            assert_problem(answer, "invalid-request", 400, "no")
        assert answer.closes and caller.ends()
    assert len(upstream.exchanges) == before


@pytest.mark.parametrize("data", ANYBODYS.values(),
                         ids=[name.replace(" ", "-") for name in ANYBODYS])
def test_refused_by_anybody(gateway, upstream, data):
    before = len(upstream.exchanges)
    with gateway.connect() as caller:
        caller.send(data)
        caller.finish_sending()
        answers = caller.rest()
    assert answers == b"" or answers[:10] in (b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 5"), answers
    assert b" 200 " not in answers
    assert len(upstream.exchanges) == before, "it was executed"


@pytest.mark.parametrize("hidden", ["two lengths", "length and chunked", "coding xchunked"])
def test_nothing_is_smuggled(gateway, upstream, hidden):
    """A second request in the bytes behind a refused one is never read."""
    before = len(upstream.exchanges)
    with gateway.connect() as caller:
        caller.send(OURS[hidden] + post(HOST, JSON, LENGTH) * 2)
        assert caller.answer().status == 400
        assert caller.ends()
    assert len(upstream.exchanges) == before


def test_what_is_fine(gateway):
    """The same bytes without the fault are taken."""
    assert gateway.raw(post(HOST, JSON, LENGTH)).result == 1
    assert gateway.raw(post(HOST, JSON, CHUNKED, body=CHUNKS)).result == 1
    assert gateway.raw(post(HOST, JSON, b"Transfer-Encoding: Chunked\r\n", body=CHUNKS)).result == 1
    assert gateway.raw(post(HOST, JSON, LENGTH, b"X-A:\r\n", b"X-B: \t a \t\r\n")).result == 1
    assert gateway.raw(post(HOST, JSON, LENGTH, b"X-A: \xe4\r\n")).result == 1
    assert gateway.raw(post(HOST, JSON, CHUNKED, body=b"1\r\n[\r\n2\r\n1]\r\n0\r\nA: b\r\n\r\n")
                       ).result == 1


def test_extension_of_a_chunk(gateway, upstream):
    """libmicrohttpd 1.0 refuses them."""
    before = len(upstream.exchanges)
    answer = gateway.raw(post(HOST, JSON, CHUNKED, body=b"1;x=y\r\n[\r\n2\r\n1]\r\n0\r\n\r\n"))
    if MICROHTTPD >= (1,):
        assert_html(answer)
        assert answer.closes and len(upstream.exchanges) == before
    else:
        assert answer.result == 1


def test_old_http_needs_no_host(gateway):
    data = post(JSON, LENGTH).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    with gateway.connect() as caller:
        caller.send(data)
        assert caller.answer().result == 1
        assert caller.ends()


def test_too_large_a_head(gateway):
    """Over limits.headers the answer is ours and names the setting."""
    answer = gateway.raw(post(HOST, b"X-A: " + b"x" * 17000 + b"\r\n", JSON, LENGTH))
    assert_problem(answer, "invalid-request", 400, "no", setting="limits.headers")


def test_too_many_headers(gateway):
    lines = b"".join(b"X-%d: a\r\n" % number for number in range(70))
    answer = gateway.raw(post(HOST, lines, JSON, LENGTH))
    assert_problem(answer, "invalid-request", 400, "no", setting="limits.header_count")


def test_a_head_beyond_all_limits(gateway, upstream):
    """Whoever refuses it, it is refused, and the gateway lives on."""
    with gateway.connect() as caller:
        try:
            caller.send(post(HOST, b"X-A: " + b"x" * 500_000 + b"\r\n", JSON, LENGTH))
            answers = caller.rest()
        except ConnectionError:
            answers = b""
    assert answers == b"" or answers.startswith(b"HTTP/1.1 4")
    assert gateway.get("/livez").status == 200
