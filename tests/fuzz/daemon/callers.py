# SPDX-License-Identifier: Apache-2.0
"""Callers: how requests are sent, how answers are read, and how a connection is left."""

import asyncio
import random
import re
import ssl
import time
from dataclasses import dataclass

from asking import Request
from exchange import reset
from faces import FaceAsker
from ledger import EITHER
from oracles import Answer

#: No answer is longer. [bytes]
LONGEST = 64 << 20

#: A machine that stands still may let a new connection be silent until limits.idle has ended it. [s]
LATE = 1.0

_LENGTH = re.compile(r"\d{1,12}")


@dataclass
class Door:
    """Where callers connect. Without an `address` it is TCP at that port."""

    name: str
    path: str | None = None
    host: str = "127.0.0.1"
    port: int = 0
    tls: tuple[ssl.SSLContext, ...] = ()
    is_steady: bool = True  # it answers whoever comes


async def read_rest(reader: asyncio.StreamReader) -> bytes:
    """To the connection's end."""
    pieces, size = [], 0
    while data := await reader.read(1 << 16):
        pieces.append(data)
        size += len(data)
        if size > LONGEST:
            raise ValueError("an answer without an end")
    return b"".join(pieces)


async def read_answer(reader: asyncio.StreamReader, is_head: bool) -> Answer | None:
    """None: the connection ended before one began. Raises IncompleteReadError within one."""
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as end:
            if end.partial:
                raise
            return None
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        status = int(first.split(" ")[1])
        if status >= 200:
            break
    headers = {name.lower(): value.strip()
               for name, _, value in (line.partition(":") for line in lines)}
    length = headers.get("content-length", "")
    if is_head or status in (204, 304):
        body = b""
    elif _LENGTH.fullmatch(length):
        if int(length) > LONGEST:
            raise ValueError(f"an answer of {length} bytes")
        body = await reader.readexactly(int(length))
    else:
        body = await read_rest(reader)
    return Answer(status, headers, body)


class Caller:
    """One of a round's callers. `run` has what all of them share (see rounds.Round)."""

    def __init__(self, run, place: int):
        self._run, self.name = run, f"caller{place}"
        self._rng = random.Random(f"{run.seed}/{self.name}")
        self._asker = FaceAsker(run, self.name, self._rng)
        self._known: set[str] = set()
        self._began, self._was_late = 0.0, False
        self._door: Door = run.doors[0]

    async def live(self):
        """Connection after connection, until the round is over."""
        shares = {self._in_turn: 8, self._mutated: 5, self._pipelined: 3, self._unfinished: 3,
                  self._leave_at_once: 3, self._in_pieces: 2, self._half_closed: 2, self._deaf: 2,
                  self._hoard: 1, self._noise: 1, self._drip: 1}
        while self._run.goes_on:
            script = self._rng.choices(list(shares), list(shares.values()))[0]
            self._began = time.monotonic()
            try:
                reader, writer = await self._connect()
            except (OSError, ssl.SSLError, asyncio.TimeoutError):
                await asyncio.sleep(0.05)
                continue
            self._known.clear()
            self._note(f"{script.__name__.strip('_')} by {self._door.name}")
            try:
                await script(reader, writer)
            except asyncio.TimeoutError:
                if not self._run.is_ending:
                    self._run.findings.add(
                        "no answer", f"{self.name} still waits after {self._run.patience:.0f} s")
            except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
                pass  # it, or we, have ended it
            except (ValueError, IndexError, asyncio.LimitOverrunError) as error:
                self._run.findings.add("no HTTP", f"what {self.name} got: {error!r}")
            finally:
                self._leave(writer)
            self._run.acts += 1
            await asyncio.sleep(self._rng.choice([0, 0, 0.001, 0.05]))

    def _note(self, what: str):
        self._run.journal.note(self.name, what)

    async def _connect(self):
        # A port that the daemon has left may be another program's already.
        doors = [door for door in self._run.doors if door.path or not self._run.is_ending]
        door = self._door = self._rng.choice(doors)
        limit = 1 << 16
        if door.path is not None:
            opening = asyncio.open_unix_connection(door.path, limit=limit)
        else:
            tls = self._rng.choice(door.tls) if door.tls else None
            opening = asyncio.open_connection(door.host, door.port, limit=limit, ssl=tls,
                                              server_hostname="localhost" if tls else None)
        return await asyncio.wait_for(opening, self._run.patience)

    def _leave(self, writer):
        """By FIN or RST."""
        if self._rng.random() < 0.3:
            reset(writer)
        else:
            writer.close()

    def _send(self, writer, *requests: Request):
        self._was_late = time.monotonic() - self._began > LATE
        for request in requests:
            self._note(request.what)
            self._know(request)
            self._run.sent += 1
        writer.write(b"".join(request.data for request in requests))

    def _know(self, request: Request):
        self._known |= request.numbers
        self._known |= {
            f"qN{digits}Nq" for digits in EITHER.findall(
                request.data.decode("latin-1"))}

    async def _answer(self, reader, request: Request, is_first: bool = False) -> bool:
        """Reads and judges one. True: the connection may have more. `is_first`: one must come."""
        answer = await asyncio.wait_for(read_answer(reader, request.kind == "head"),
                                        self._run.patience)
        if answer is None:
            if is_first and self._door.is_steady and not self._was_late:
                self._run.unanswered(self.name, request)
            return False
        self._run.answers[answer.status] += 1
        self._note(f"got {answer.status} {len(answer.body)}")
        self._run.oracle.judge(request, answer, self._known)
        if "etag" in answer.headers:
            self._run.etags.append(answer.headers["etag"])
        return not answer.closes and not answer.is_html

    # ---- Scripts ---------------------------------------------------------------------------------

    async def _in_turn(self, reader, writer):
        for place in range(self._rng.randint(1, 8)):
            request = self._asker.any()
            self._send(writer, request)
            if not await self._answer(reader, request, place == 0):
                return
            await asyncio.sleep(self._rng.choice([0, 0, 0, 0.02]))

    async def _pipelined(self, reader, writer):
        requests = [self._asker.any() for _ in range(self._rng.randint(2, 12))]
        self._send(writer, *requests)
        for request in requests:
            if not await self._answer(reader, request):
                return

    async def _in_pieces(self, reader, writer):
        request = self._asker.any()
        data, request.data = request.data, b""
        self._send(writer, request)
        request.data = data
        self._know(request)
        while data:
            size = self._rng.choice([1, 2, 20, 500, 20_000])
            writer.write(data[:size])
            data = data[size:]
            await asyncio.sleep(self._rng.choice([0, 0, 0.002]) if len(data) < 50_000 else 0)
        await self._answer(reader, request)

    async def _drip(self, reader, writer):
        """Too slowly for header_time or body_time, or nearly."""
        request = self._asker.any()
        self._know(request)
        start = self._rng.randrange(len(request.data))
        writer.write(request.data[:start])
        for at in range(start, min(start + 40, len(request.data))):
            await asyncio.sleep(0.2)
            if self._run.is_over:
                return
            writer.write(request.data[at:at + 1])
        await asyncio.wait_for(read_rest(reader), self._run.patience)

    async def _unfinished(self, reader, writer):
        """A part of a request, and then the end, or a wait before it."""
        request = self._asker.any()
        self._know(request)
        writer.write(request.data[:self._rng.randrange(len(request.data))])
        if self._rng.random() < 0.3 and writer.can_write_eof():
            writer.write_eof()
            await asyncio.wait_for(read_rest(reader), self._run.patience)
        else:
            await asyncio.sleep(self._rng.choice([0, 0.01, 0.3]))

    async def _leave_at_once(self, _reader, writer):
        self._send(writer, *[self._asker.any() for _ in range(self._rng.choice([1, 1, 3]))])
        await asyncio.sleep(self._rng.choice([0, 0.001, 0.01, 0.1, 0.4]))

    async def _half_closed(self, reader, writer):
        """Callers who have said all, and still want the answer."""
        requests = [self._asker.any() for _ in range(self._rng.choice([1, 1, 2]))]
        self._send(writer, *requests)
        if writer.can_write_eof():
            await writer.drain()
            writer.write_eof()
        for request in requests:
            if not await self._answer(reader, request):
                return

    async def _mutated(self, reader, writer):
        requests = [self._asker.mutated() for _ in range(self._rng.choice([1, 1, 3]))]
        self._send(writer, *requests)
        if writer.can_write_eof() and self._rng.random() < 0.7:
            await writer.drain()
            writer.write_eof()
        request = requests[0]
        # Of several it is not known which of them an answer is to, if it is to one at all.
        request.kind = "head" if any(b"HEAD" in each.data for each in requests) else "odd"
        for _ in range(20):
            try:
                answered = asyncio.wait_for(read_answer(reader, request.kind == "head"), 1)
                answer = await answered
            except asyncio.TimeoutError:
                return  # it waits for what never comes
            if answer is None:
                return
            self._run.answers[answer.status] += 1
            self._run.oracle.judge(request, answer, self._known)
            if answer.closes or answer.is_html or request.kind == "head":
                return

    async def _deaf(self, reader, writer):
        """Asks for much, and reads nothing of it for a while."""
        requests = [self._asker.any() for _ in range(self._rng.choice([3, 20]))]
        reader._transport.pause_reading()  # pylint: disable=protected-access
        self._send(writer, *requests)
        await asyncio.sleep(self._rng.choice([0.1, 0.5, 2]))
        if self._rng.random() < 0.5:
            reader._transport.resume_reading()  # pylint: disable=protected-access
            for request in requests:
                if not await self._answer(reader, request):
                    return

    async def _hoard(self, reader, writer):
        """Says that much will come, and sends nothing of it."""
        request = self._asker.call()
        head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" %
                      self._rng.choice([60_000, 1_000_000]), request.data.partition(b"\r\n\r\n")[0])
        writer.write(head + b"\r\n\r\n[")
        await asyncio.wait([asyncio.ensure_future(reader.read(100))],
                           timeout=self._rng.choice([0.1, 1, 3]))

    async def _noise(self, reader, writer):
        """What is no HTTP at all; at the door for TLS, within it."""
        writer.write(self._rng.choice([self._rng.randbytes(500),
                                       b"\x16\3\1\2\0\1\0\1\xfc\3\3" + self._rng.randbytes(200),
                                       b"\r\n" * 200,
                                       b"GET\r\n\r\n",
                                       b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                       b"A" * 40_000,
                                       b"\0"]))
        await asyncio.wait([asyncio.ensure_future(reader.read(100))], timeout=0.2)
