# SPDX-License-Identifier: Apache-2.0
"""Many callers at once, each on a connection of its own, on one asyncio loop."""

import asyncio
import json
import time
from dataclasses import dataclass

from .settings import DEADLINE
from .wire import Answer, parse_head, request


class Caller:
    """One connection of the crowd."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, address) -> "Caller":
        if isinstance(address, str):
            return cls(*await asyncio.open_unix_connection(address, limit=1 << 24))
        return cls(*await asyncio.open_connection(*address, limit=1 << 24))

    async def call(self, upstream: str, method: str, params, headers: dict | None = None) -> Answer:
        return await self.ask("POST", f"/v1/{upstream}/{method}", json.dumps(params).encode(),
                              headers)

    async def ask(self, *args) -> Answer:
        self._writer.write(request(*args))
        await self._writer.drain()
        version, status, headers = parse_head(await self._reader.readuntil(b"\r\n\r\n"))
        answer = Answer(status, headers, b"", version)
        answer.body = await self._reader.readexactly(int(answer.header("Content-Length") or 0))
        return answer

    def close(self):
        self._writer.close()


@dataclass
class Timed:
    answer: Answer
    seconds: float


async def timed(awaitable) -> Timed:
    start = time.monotonic()
    answer = await awaitable
    return Timed(answer, time.monotonic() - start)


def run(coroutine, timeout: float = DEADLINE * 3):
    """Runs a crowd to its end, which must come."""
    return asyncio.run(asyncio.wait_for(coroutine, timeout))


async def gather_callers(address, count: int) -> list[Caller]:
    """`count` connections, opened side by side."""
    return await asyncio.gather(*(Caller.connect(address) for _ in range(count)))
