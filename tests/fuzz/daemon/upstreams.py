# SPDX-License-Identifier: Apache-2.0
"""Servers that misbehave as their callers ask, and beyond that by chance: at the beginning of a
connection, while a request is still coming, in TLS, and in what they tell of themselves."""

import asyncio
import inspect
import random
import ssl
from urllib.parse import quote

import telling  # noqa: F401 # its behaviours are in the table then
from behaviours import BEHAVIOURS
from exchange import CLOSE, KEEP, RESET, Exchange, reset, response
from server import Server

HEAD_LIMIT = 1 << 20
#: Of all requests, or connections, so many meet something that nobody asked for.
BY_CHANCE = 0.04

#: What a request without a body can meet, which is the first leg of a digest login.
_TO_NOTHING = ["login"] * 8 + ["busy", "redirect", "page", "folded", "odd_status", "ends_before",
                               "ends_within", "dribble", "no_answer", "wrong_length", "bad_chunks"]


class Upstream(Server):
    """A server at an address of its own. `tls` is a list of contexts: each connection gets one of
    them, by chance. `url` is for the configuration."""

    def __init__(self, name: str, ledger, journal, seed: str, *, wraps: bool = True,
                 calm: bool = False, tls: list[ssl.SSLContext] | None = None):
        super().__init__(name, journal, seed)
        self.ledger, self.wraps = ledger, wraps
        self._calm = calm  # nothing happens by chance
        self._seed, self._tls = seed, tls
        self.names = ["b.plain", "b.fault", "safe.plain", "system.listMethods", "b.\u00fc", "b.<&>"]
        if self._rng.random() < 0.2:
            self.names += [f"b.n{number}" for number in range(self._rng.choice([100, 30_000]))]

    async def start(self, path: str | None = None):
        """On a free port, or as a unix socket."""
        limits = {"limit": HEAD_LIMIT, "backlog": 1024}
        if path is not None:
            await self.listen_at(path, **limits)
            self.address = f"http+unix://{quote(path, safe='')}/RPC2"
            return
        context = self._context() if self._tls else None
        port = await self.listen(ssl=context, **limits)
        self.address = (f"https://localhost:{port}/RPC2" if context else
                        f"http://127.0.0.1:{port}/RPC2")

    def _context(self) -> ssl.SSLContext:
        """One that chooses anew when a handshake begins, or breaks it off with an alert."""
        def choose(connection: ssl.SSLObject, _name, _context):
            if self._rng.random() < BY_CHANCE:
                return self._rng.choice([ssl.ALERT_DESCRIPTION_INTERNAL_ERROR,
                                         ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME,
                                         ssl.ALERT_DESCRIPTION_ACCESS_DENIED])
            if self._rng.random() < 0.1:
                connection.context = self._rng.choice(self._tls)
            return None
        self._tls[0].sni_callback = choose
        return self._tls[0]

    async def serve(self, reader, writer):
        await self._greet(writer)
        while not writer.is_closing() and await self._one(reader, writer):
            pass

    async def _greet(self, writer):
        """Before any request."""
        if self._calm or self._rng.random() > BY_CHANCE:
            return
        kind = self._rng.randrange(4)
        self._journal.note(self.name, f"greets {kind}")
        if kind == 0:
            reset(writer)
        elif kind == 1:
            writer.close()
        elif kind == 2:
            writer.write(response(b"", "408 Request Timeout", "Connection: close"))
        else:
            writer.write(self._rng.randbytes(self._rng.choice([1, 100, 5000])))

    async def _one(self, reader, writer) -> bool:
        x = await self._read_head(reader, writer)
        if not self._calm and self._rng.random() < BY_CHANCE and not await self._early(x):
            return False
        await x.read_body()
        self.ledger.exchanges += 1
        self.ledger.arrived(x.numbers)
        first = min(x.numbers, default=None)
        if first is not None:
            x.rng = random.Random(f"{self._seed}/{first}")
        name = self._choose(x)
        self.ledger.behaved[name] += 1
        self._journal.note(self.name, f"{name} to {x.method} {' '.join(sorted(x.numbers)[:3])}")
        return await self._behave(x, name)

    async def _read_head(self, reader, writer) -> Exchange:
        return Exchange(self, reader, writer, await reader.readuntil(b"\r\n\r\n"), self._rng)

    async def _early(self, x: Exchange) -> bool:
        """While the body is still coming. False: the connection is over."""
        kind = x.rng.randrange(5)
        self._journal.note(self.name, f"early {kind}")
        if kind == 0:
            reset(x.writer)
            return False
        if kind == 1:
            return False
        status = x.rng.choice(["413 Too Large", "401 No", "500 No", "302 Found"])
        await x.send(response(b"", status, "Connection: close"))
        if kind == 2:
            await x.gone()
        elif kind == 3:
            await x.reader.read(1)
            reset(x.writer)
        return False

    def _choose(self, x: Exchange) -> str:
        if not x.body:
            names = [name for name in _TO_NOTHING if name in BEHAVIOURS]
            return "login" if self._calm else x.rng.choice(names)
        name = x.method.partition(".")[2]
        if x.method.startswith(("b.", "safe.")) and name in BEHAVIOURS:
            return name
        return "plain" if self._calm else x.rng.choice(["plain"] * 100 + sorted(BEHAVIOURS))

    async def _behave(self, x: Exchange, name: str) -> bool:
        done = BEHAVIOURS[name](x)
        if inspect.isawaitable(done):
            end = await done
        else:
            data, end = done
            await x.send(data)
        if end == RESET:
            reset(x.writer)
        return end == KEEP and x.headers.get("connection", "").lower() != "close"


class Refusing(Upstream):
    """Takes a port on which nobody listens, or whose listener ends each connection before TLS."""

    def __init__(self, name, ledger, journal, seed, *, speaks: bytes | None = None):
        super().__init__(name, ledger, journal, seed)
        self._speaks = speaks

    async def start(self, path: str | None = None):
        await super().start(path)
        self.address = self.address.replace("http://127.0.0.1", "https://localhost")

    async def serve(self, reader, writer):
        await reader.read(self._rng.choice([1, 100, 1000]))
        choices = [
            b"\x15\x03\x03\0\2\2\x28",
            b"\x15\x03\x03\0\2\2\x2a",
            b"\x15\x03\x03\0\2\1\0",
            b"HTTP/1.1 400 Bad\r\n\r\n",
            self._rng.randbytes(300),
            b"\x16\x03\x03\xff\xff" + b"x" * 5000,
            b""]
        writer.write(self._rng.choice(choices))
        if self._rng.random() < 0.3:
            reset(writer)
        elif self._rng.random() < 0.2:
            await asyncio.sleep(0.5)


__all__ = ["CLOSE", "Refusing", "Upstream"]
