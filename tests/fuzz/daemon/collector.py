# SPDX-License-Identifier: Apache-2.0
"""A collector of traces, which takes them, or fails in the ways that HTTP has. Whatever it answers, no
caller may notice; what it is sent is JSON, and has no secret and no number of a call."""

import asyncio
import json

from exchange import chunked, reset, response
from ledger import find_secret, numbers_in
from oracles import read_json
from server import Server


class Collector(Server):
    def __init__(self, name: str, findings, journal, seed: str):
        super().__init__(name, journal, seed)
        self._findings = findings
        self.spans = 0

    async def start(self):
        self.address = f"http://127.0.0.1:{await self.listen(limit=1 << 20)}/v1/traces"

    async def serve(self, reader, writer):
        if self._rng.random() < 0.05:
            reset(writer)
        while not writer.is_closing() and await self._one(reader, writer):
            pass

    async def _one(self, reader, writer) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if self._rng.random() < 0.05:
            reset(writer)
            return False
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        self._judge(await reader.readexactly(length))
        name = self._rng.choice(["take"] * 6 + ["busy", "refuse", "hang", "drip", "end", "reset",
                                                "noise", "flood", "away", "partly", "cut"])
        self._journal.note(self.name, name)
        return await getattr(self, f"_{name}")(reader, writer)

    def _judge(self, body: bytes):
        place = find_secret(body)
        if place is not None:
            self._findings.add("secret in a trace", place)
        numbers = numbers_in(body.decode("latin-1"))
        if numbers:
            self._findings.add("number in a trace", f"{sorted(numbers)[:3]}")
        try:
            for resource in read_json(body)["resourceSpans"]:
                self.spans += sum(len(scope["spans"]) for scope in resource["scopeSpans"])
        except (ValueError, KeyError, TypeError) as error:
            self._findings.add("no trace", f"{error!r}: {body[:500]!r}")

    # ---- Answers ---------------------------------------------------------------------------------

    @staticmethod
    async def _say(writer, data: bytes) -> bool:
        writer.write(data)
        await writer.drain()
        return True

    async def _take(self, _, writer):
        body = self._rng.choice([b"{}", b"", b'{"partialSuccess":{}}'])
        return await self._say(writer, response(body))

    async def _partly(self, _, writer):
        told = {"partialSuccess": {"rejectedSpans": self._rng.choice(["1", 2, "x", -1, None]),
                                   "errorMessage": "\x1b[31m" + "e" * 5000}}
        return await self._say(writer, response(json.dumps(told).encode()))

    async def _busy(self, _, writer):
        status = self._rng.choice(["429 Slow", "502 Bad", "503 Busy", "504 Late"])
        after = self._rng.choice(["0", "1", "-1", "x", "99999999999999999999",
                                  "Fri, 31 Dec 1999 23:59:59 GMT"])
        return await self._say(writer, response(b"", status, f"Retry-After: {after}"))

    async def _refuse(self, _, writer):
        status = self._rng.choice(["400 Bad", "401 No", "404 Nowhere", "413 Large", "500 Oops",
                                   "204 Nothing", "200 "])
        return await self._say(writer, response(b"no" * 5000, status))

    async def _away(self, _, writer):
        where = self._rng.choice([self.address, "file:///etc/passwd", "gopher://127.0.0.1/", ""])
        return await self._say(writer, response(b"", "307 Away", f"Location: {where}"))

    async def _hang(self, reader, _):
        while await reader.read(65536):
            pass
        return False

    async def _drip(self, _, writer):
        for byte in response(b"{}"):
            await self._say(writer, bytes([byte]))
            await asyncio.sleep(0.02)
        return True

    async def _end(self, _, __):
        return False

    async def _reset(self, _, writer):
        reset(writer)
        return False

    async def _cut(self, _, writer):
        await self._say(writer, response(b"{}" * 50)[:self._rng.randrange(100)])
        return False

    async def _noise(self, _, writer):
        await self._say(writer, self._rng.choice([self._rng.randbytes(5000), b"HTTP/1.1 200\r\n x: y\r\n",
                                                  chunked(b"{}", 1, end=b"zz\r\n")]))
        return False

    async def _flood(self, _, writer):
        for _ in range(100):
            await self._say(writer, b"HTTP/1.1 102 Wait\r\nX: y\r\n\r\n" * 50)
        await self._say(writer, response(b"x" * 5_000_000))
        return True
