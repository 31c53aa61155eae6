# SPDX-License-Identifier: Apache-2.0
"""What upstreams and proxies have in common: a port, connections, chance, and an end."""

import asyncio
import random


class Server:
    """`address` is for the configuration, and known once it has started."""

    def __init__(self, name: str, journal, seed: str):
        self.name, self.address = name, ""
        self._journal, self._rng = journal, random.Random(f"{seed}/{name}")
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        """A connection, until it is to be closed."""
        raise NotImplementedError

    async def listen(self, **options) -> int:
        """On a free port, which is returned."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, **options)
        return self._server.sockets[0].getsockname()[1]

    async def listen_at(self, path: str, **options):
        """On a unix socket."""
        self._server = await asyncio.start_unix_server(self._serve, path, **options)

    async def stop(self):
        self._server.close()
        for writer in list(self._connections):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader, writer):
        self._connections.add(writer)
        try:
            await self.serve(reader, writer)
        except (OSError, ValueError, IndexError, asyncio.IncompleteReadError,
                asyncio.LimitOverrunError):
            pass  # the other side has left, or what it sent is none of ours
        finally:
            self._connections.discard(writer)
            writer.close()
