# SPDX-License-Identifier: Apache-2.0
"""Smuggling: what stands behind an odd request is never taken for another one, and what is odd is
never executed. More of what test_framing.py begins."""

import pytest

from rig.settings import MICROHTTPD

pytestmark = pytest.mark.concurrency

HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
LENGTH = b"Content-Length: 7\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
BODY = b'["odd"]'
CHUNKS = b"7\r\n" + BODY + b"\r\n0\r\n\r\n"
HIDDEN = (b"POST /v1/up/m HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          b"Content-Length: 10\r\n\r\n" b'["hidden"]')


def post(*lines: bytes, body: bytes = BODY, first: bytes = b"POST /v1/up/m HTTP/1.1\r\n") -> bytes:
    return first + HOST + JSON + b"".join(lines) + b"\r\n" + body


def coding(value: bytes, *more: bytes) -> bytes:
    return post(b"Transfer-Encoding:" + value + b"\r\n", *more, body=CHUNKS)


def length(value: bytes) -> bytes:
    return post(b"Content-Length:" + value + b"\r\n")


def chunks(body: bytes) -> bytes:
    return post(CHUNKED, body=body)


#: Neither these nor what follows them may reach the upstream.
REFUSED = {
    # Transfer codings that somebody takes for `chunked`, and somebody else does not.
    "chunked, identity": coding(b" chunked, identity"),
    "identity, chunked": coding(b" identity, chunked"),
    "chunked, chunked": coding(b" chunked, chunked"),
    "chunked with a parameter": coding(b" chunked;q=1"),
    "chunked in quotes": coding(b' "chunked"'),
    "chunked after a comma": coding(b" ,chunked"),
    "chunked before a comma": coding(b" chunked,"),
    "chunked after a vertical tab": coding(b" \x0bchunked"),
    "chunked before a form feed": coding(b" chunked\x0c"),
    "chunked after a no-break space": coding(b"\xa0chunked"),
    "chunked before a NUL": coding(b" chunked\0"),
    "chunked behind a NUL": coding(b" x\0chunked"),
    "chunked with a suffix": coding(b" chunkedx"),
    "chunked cut short": coding(b" chunke"),
    "chunked in two words": coding(b" chun ked"),
    "no coding": coding(b""),
    "blank coding": coding(b" "),
    "deflate": coding(b" deflate"),
    "compress, chunked": coding(b" compress, chunked"),
    "folded coding": coding(b"\r\n chunked"),
    "coding folded behind its value": coding(b" chunked\r\n , gzip"),
    "coding with a space before the colon": post(b"Transfer-Encoding : chunked\r\n", body=CHUNKS),
    "coding with a tab before the colon": post(b"Transfer-Encoding\t: chunked\r\n", body=CHUNKS),
    "coding behind a bare CR": post(LENGTH, b"X-A: a\rTransfer-Encoding: chunked\r\n"),
    "coding behind a bare LF": post(LENGTH, b"X-A: a\nTransfer-Encoding: chunked\r\n"),
    "coding behind a NUL": post(LENGTH, b"X-A: a\0\r\nTransfer-Encoding: chunked\r\n"),
    "coding on a folded line": post(LENGTH, b"X-A: a\r\n Transfer-Encoding: chunked\r\n"),
    "coding and length 0": post(CHUNKED, b"Content-Length: 0\r\n", body=CHUNKS),
    "length 0 and coding": post(b"Content-Length: 0\r\n", CHUNKED, body=CHUNKS),
    "coding of HTTP/1.0 with a length": post(CHUNKED, LENGTH, body=CHUNKS,
                                             first=b"POST /v1/up/m HTTP/1.0\r\n"),
    # Lengths that are read in several ways.
    "two lengths, the second short": post(LENGTH, b"Content-Length: 0\r\n"),
    "two lengths, the first short": post(b"Content-Length: 0\r\n", LENGTH),
    "two lengths of different case": post(LENGTH, b"content-LENGTH: 7\r\n"),
    "list of lengths": length(b" 7,7"),
    "length in scientific form": length(b" 7e0"),
    "length with an underscore": length(b" 0_7"),
    "length with a point": length(b" 7.0"),
    "octal length": length(b" 0o7"),
    "length with a semicolon": length(b" 7;"),
    "length in quotes": length(b' "7"'),
    "negative zero": length(b" -0"),
    "wide digit": length(b" \xef\xbc\x97"),
    "length over 64 bits": length(b" 18446744073709551623"),
    "length of 64 bits": length(b" 18446744073709551615"),
    "length before a vertical tab": length(b" 7\x0b"),
    "length before a NUL": length(b" 7\0"),
    "folded length": length(b"\r\n 7"),
    "length folded behind its value": length(b" 7\r\n 7"),
    "length with a space before the colon": post(b"Content-Length : 7\r\n"),
    "length behind a bare CR": post(b"X-A: a\rContent-Length: 7\r\n", b"Content-Length: 0\r\n"),
    # Chunks.
    "chunk size over 64 bits": chunks(b"10000000000000007\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "negative chunk size": chunks(b"-7\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk size with a space before it": chunks(b" 7\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk size with a space behind it": chunks(b"7 \r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk size in words": chunks(b"seven\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk size with a comma": chunks(b"7,7\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "no chunk size": chunks(b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk size of only an extension": chunks(b";x\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk size before a NUL": chunks(b"7\0\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk longer than its size": chunks(b"3\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk shorter than its size": chunks(b"f\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk without its end": chunks(b"7\r\n" + BODY + b"0\r\n\r\n"),
    "other bytes for a chunk's end": chunks(b"7\r\n" + BODY + b"XX0\r\n\r\n"),
    "endless chunk size": chunks(b"0" * 100_000 + b"7\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "endless extension": chunks(b"7;" + b"x" * 100_000 + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "endless trailers": chunks(b"7\r\n" + BODY + b"\r\n0\r\n" + b"A: b\r\n" * 20_000 + b"\r\n"),
    "one endless trailer": chunks(b"7\r\n" + BODY + b"\r\n0\r\nA: " + b"b" * 100_000 + b"\r\n\r\n"),
    # Request lines.
    "two request lines": b"POST /v1/up/m HTTP/1.1\r\n" + post(LENGTH),
    "a tab in the request line": post(LENGTH, first=b"POST\t/v1/up/m\tHTTP/1.1\r\n"),
    "a bare CR in the request line": post(LENGTH, first=b"POST /v1/up/m\rHTTP/1.1\r\n"),
    "a second version": post(LENGTH, first=b"POST /v1/up/m HTTP/1.1 HTTP/1.1\r\n"),
    "lower-case version": post(LENGTH, first=b"POST /v1/up/m http/1.1\r\n"),
    "version 1.10": post(LENGTH, first=b"POST /v1/up/m HTTP/1.10\r\n"),
    "version 01.1": post(LENGTH, first=b"POST /v1/up/m HTTP/01.1\r\n"),
    "version 3": post(LENGTH, first=b"POST /v1/up/m HTTP/3\r\n"),
    "version 0.9": post(LENGTH, first=b"POST /v1/up/m HTTP/0.9\r\n"),
    "lower-case method": post(LENGTH, first=b"post /v1/up/m HTTP/1.1\r\n"),
    "no method": post(LENGTH, first=b"/v1/up/m HTTP/1.1\r\n"),
    "blank method": post(LENGTH, first=b" /v1/up/m HTTP/1.1\r\n"),
    "control character in the method": post(LENGTH, first=b"PO\x01ST /v1/up/m HTTP/1.1\r\n"),
    "header before the request line": b"X-A: b\r\n" + post(LENGTH),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a handshake of TLS": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"x" * 161 + b"\r\n\r\n",
    "a line of a PROXY protocol": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n" + post(LENGTH),
    "NUL before all": b"\0" + post(LENGTH),
    "a byte order mark": b"\xef\xbb\xbf" + post(LENGTH),
}

#: These are read in one way only: the body, once, and then the request behind it.
UNDERSTOOD = {
    "coding without a space": coding(b"chunked"),
    "coding in capitals": coding(b" CHUNKED"),
    "coding with blanks before it": coding(b" \t chunked"),
    "length with leading zeros": length(b" 0007"),
    "length with blanks before it": length(b" \t 7"),
    "chunk size with leading zeros": chunks(b"0007\r\n" + BODY + b"\r\n000\r\n\r\n"),
    "chunks of single bytes": chunks(b"".join(b"1\r\n%c\r\n" % byte for byte in BODY)
                                     + b"0\r\n\r\n"),
    "trailers that look like framing": chunks(
        b"7\r\n" + BODY + b"\r\n0\r\nContent-Length: 100\r\nTransfer-Encoding: gzip\r\n"
        b"Host: evil.example\r\n\r\n"),
    "a header that only looks like a coding": post(LENGTH, b"Transfer_Encoding: chunked\r\n"),
    "a length in another header": post(LENGTH, b"X-Content-Length: 0\r\n"),
    "an empty line before it": b"\r\n" + post(LENGTH),
    "a body that looks like a request": post(
        b"Content-Length: %d\r\n" % (len(HIDDEN) * 2 + 12),
        body=b'["odd", "' + HIDDEN.replace(b'"', b"'").replace(b"\r\n", b"\\n").ljust(
            len(HIDDEN) * 2 + 1) + b'"]'),
}

#: White space behind a value, which is none of it (RFC 9110 section 5.5): libmicrohttpd 1.0 takes it
#: off, 0.9 leaves it there, and we refuse what it is then.
BLANKS_BEHIND = {
    "chunked before a blank": coding(b" chunked "),
    "chunked before a tab": coding(b" chunked\t"),
    "length before a blank": length(b" 7 "),
}

#: libmicrohttpd 1.0 refuses them.
EXTENSIONS = {
    "an extension": chunks(b'7;a="b;c"\r\n' + BODY + b"\r\n0;x\r\n\r\n"),
}

if MICROHTTPD >= (1,):
    UNDERSTOOD |= BLANKS_BEHIND
    REFUSED |= EXTENSIONS
else:
    REFUSED |= BLANKS_BEHIND
    UNDERSTOOD |= EXTENSIONS


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream()


@pytest.fixture(scope="module")
def gateway(start_shared, upstream):
    return start_shared.simple(upstream)


def everything(gateway, over, data) -> bytes:
    with gateway.connect(over) as caller:
        try:
            caller.send(data)
            caller.finish_sending()
            return caller.rest()
        except OSError:
            return b""


def named(cases):
    return {"argvalues": cases.values(), "ids": [name.replace(" ", "-") for name in cases]}


@pytest.mark.parametrize("data", **named(REFUSED))
@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_refused(gateway, upstream, over, data):
    before = len(upstream.exchanges)
    answers = everything(gateway, over, data + HIDDEN)
    assert len(upstream.exchanges) == before, answers
    assert b" 200 " not in answers
    assert answers == b"" or answers[:8] in (b"HTTP/1.1", b"HTTP/1.0"), answers
    assert answers.count(b"X-Request-Id") <= 1, "what was hidden was answered"
    assert gateway.get("/livez").status == 200


@pytest.mark.parametrize("data", **named(UNDERSTOOD))
@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_understood(gateway, upstream, over, data):
    upstream.exchanges.clear()
    answers = everything(gateway, over, data + HIDDEN)
    assert answers.count(b"HTTP/1.1 200 ") == 2, answers
    assert [exchange.params[0] for exchange in upstream.exchanges] == ["odd", "hidden"]
