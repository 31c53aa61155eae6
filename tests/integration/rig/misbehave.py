# SPDX-License-Identifier: Apache-2.0
"""Behaviours of bad upstreams, to be put together: each of these makes one for `Upstream`."""

import zlib

from .upstream import Behaviour, Exchange, http_response, response_document

#: Between two drops of an upstream that drips. [s]
DRIP = 0.02


async def _end(x: Exchange, end: str):
    if end == "close":
        x.close()
    elif end == "reset":
        x.reset()
    elif end == "silence":
        await x.gone()
    else:
        assert end == "keep", end


def sends(data: bytes | str, end: str = "close") -> Behaviour:
    """Sends these bytes; then it closes, resets, stays silent ("silence") or serves the next
    request ("keep")."""
    data = data.encode() if isinstance(data, str) else data

    async def behave(x: Exchange):
        await x.send(data)
        await _end(x, end)
    return behave


def responds(body: bytes | str, status: str = "200 OK", end: str = "keep", **headers) -> Behaviour:
    """A whole response. Names of headers are written with `_` for `-`."""
    body = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return sends(http_response(body, status, named), end)


def head(*lines: str, status: str = "HTTP/1.1 200 OK", body: bytes = b"", end: str = "close"
         ) -> Behaviour:
    """A status line, header lines and a body, written by hand."""
    text = "".join(f"{line}\r\n" for line in (status, *lines))
    return sends(text.encode("latin-1") + b"\r\n" + body, end)


def chunked(data: bytes, end: str = "close") -> Behaviour:
    """What stands in for the chunks of a body is written by hand."""
    return head("Content-Type: text/xml", "Transfer-Encoding: chunked", body=data, end=end)


def drips(data: bytes, start: int) -> Behaviour:
    """The bytes from `start` on come one by one, far too slowly."""
    async def behave(x: Exchange):
        await x.send(data[:start])
        for at in range(start, len(data)):
            await x.after(DRIP)
            await x.send(data[at:at + 1])
    return behave


def stays_alive(data: bytes, blanks: int) -> Behaviour:
    """A body that begins with blanks, each a drop, which keep the connection open."""
    async def behave(x: Exchange):
        await x.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(blanks):
            await x.send(chunk(b" "))
            await x.after(DRIP)
        await x.send(chunk(data) + b"0\r\n\r\n")
    return behave


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def deflate(data: bytes, window: int) -> bytes:
    """zlib's compression: 15 with zlib's head, -15 without, 31 gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return packer.compress(data) + packer.flush()


def bomb(size: int) -> bytes:
    """A document with a text of `size` megabytes, in gzip."""
    begin, _, end = response_document("@").partition(b"@")
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = [packer.compress(begin)]
    packed += [packer.compress(b"x" * 1_000_000) for _ in range(size)]
    packed += [packer.compress(end), packer.flush()]
    return b"".join(packed)
