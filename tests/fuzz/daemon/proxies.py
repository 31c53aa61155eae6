# SPDX-License-Identifier: Apache-2.0
"""Proxies on the way to upstreams: HTTP (by request and by tunnel) and SOCKS5. They let most
connections pass, and fail the others in all the ways that their protocol knows, and some more."""

import asyncio
from urllib.parse import urlsplit

from exchange import reset
from server import Server

PASSES = 0.8


async def _pump(reader, writer):
    """Bytes of one direction, to their end."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except (OSError, RuntimeError):
        pass


async def _join(reader, writer, there_reader, there_writer):
    """Both directions, until both have ended; what is left of one side is not waited for long."""
    pumps = [asyncio.ensure_future(_pump(reader, there_writer)),
             asyncio.ensure_future(_pump(there_reader, writer))]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(pumps, timeout=0.2)
    finally:
        for pump in pumps:
            pump.cancel()
        there_writer.close()


class Proxy(Server):
    """What both kinds have in common: how they start and fail."""

    scheme = ""

    async def start(self):
        self.address = f"{self.scheme}://127.0.0.1:{await self.listen(limit=1 << 20)}"

    async def fail(self, writer, reader, data: bytes):
        """Answers so, and ends the connection, at once or a little later."""
        self._journal.note(self.name, f"fails with {data[:60]!r}")
        writer.write(data)
        end = self._rng.randrange(4)
        if end == 0:
            reset(writer)
        elif end == 1:
            await asyncio.wait_for(reader.read(), 0.5)


class HttpProxy(Proxy):
    scheme = "http"

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.decode("latin-1").split("\r\n", 1)[0].split(" ")
        if self._rng.random() > PASSES:
            await self.fail(writer, reader, self._refusal(head))
        elif method == "CONNECT":
            host, _, port = target.rpartition(":")
            writer.write(self._agreement())
            await _join(reader, writer, *await asyncio.open_connection(host, int(port),
                                                                       limit=1 << 20))
        else:
            await self._pass_on(reader, writer, head, target)

    def _agreement(self) -> bytes:
        return self._rng.choice([b"HTTP/1.1 200 OK\r\n\r\n",
                                b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n",
                                b"HTTP/1.0 200 \r\n\r\n",
                                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
                                b"HTTP/1.1 200 OK\r\n folded: x\r\nX: y\r\n z\r\n\r\n",
                                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])

    def _refusal(self, head: bytes) -> bytes:
        told = b" ".join(
            line for line in head.split(b"\r\n") if line.lower().startswith(
                (b"proxy-auth", b"x-proxy-key", b"authori")))
        return self._rng.choice([
            b"",
            b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 407 x\r\nProxy-Authenticate: Digest realm=x, nonce=y\r\n\r\n",
            b"HTTP/1.1 502 " + told + b"\r\nServer: " + told + b"\r\n\r\n<html>" + told,
            b"HTTP/1.1 200 OK\r\nX: y\r\n",
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", b"SSH-2.0-x\r\n",
            b"HTTP/1.1 407 x\r\n y: z\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\ngarbage in the tunnel", b"HTTP/1.1 204 No\r\n\r\n", b"\5\0",
            b"H" * 200_000,
            b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"])

    async def _pass_on(self, reader, writer, head: bytes, target: str):
        parts = urlsplit(target)
        there = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)
        there[1].write(
            head.replace(
                target.encode("latin-1"),
                (parts.path or "/").encode("latin-1"),
                1))
        await _join(reader, writer, *there)


class SocksProxy(Proxy):
    """RFC 1928 and 1929."""

    scheme = "socks5h"

    async def serve(self, reader, writer):
        version, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        if self._rng.random() > PASSES:
            await self.fail(writer, reader,
                            self._rng.choice([b"", b"\4\0", b"\5\xff", b"\5\1", b"\5", b"\5\2\1\1",
                                             b"HTTP/1.1 200\r\n", b"\5\0" * 500]))
            return
        await self._log_in(reader, writer, methods)
        version, command, _, kind = await reader.readexactly(4)
        host = await self._host(reader, kind)
        port = int.from_bytes(await reader.readexactly(2), "big")
        if (version, command) != (5, 1) or self._rng.random() > PASSES:
            code = bytes([self._rng.randrange(1, 255)])
            await self.fail(writer, reader, self._rng.choice([
                b"\5" + code + b"\0\1\0\0\0\0\0\0", b"\5\0\0\3\xffx", b"\5\0\0",
                b"\4\0\0\1\0\0\0\0\0\0", b"\5\0\0\x09\0\0",
                b"\5\0\0\3\5ab", b"\5" + code + b"\0\4" + b"\0" * 18]))
            return
        there = await asyncio.open_connection(host, port, limit=1 << 20)
        writer.write(b"\5\0\0\1\0\0\0\0\0\0")
        await _join(reader, writer, *there)

    async def _log_in(self, reader, writer, methods: bytes):
        if 2 not in methods:
            writer.write(b"\5\0")
            return
        writer.write(b"\5\2")
        await reader.readexactly(1)
        for _ in range(2):
            await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\1" + (b"\0" if self._rng.random() < 0.95 else b"\1"))

    @staticmethod
    async def _host(reader, kind: int) -> str:
        if kind == 3:
            return (await reader.readexactly((await reader.readexactly(1))[0])).decode("latin-1")
        return "127.0.0.1" if len(await reader.readexactly(4 if kind == 1 else 16)) == 4 else "::1"
