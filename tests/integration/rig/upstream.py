# SPDX-License-Identifier: Apache-2.0
"""A scriptable upstream: an HTTP server on bytes, whose behaviour is a coroutine.

The behaviour gets an `Exchange` for each request and does what it likes: answers with a value, a
fault or any bytes, in pieces, waits for a gate of the test, closes, resets, or stays silent. The
server notes each call before it behaves, so that a test can count how often a call was executed.

    async def behave(x):
        if x.number == 2:
            return x.reset()
        await x.answer(x.params[0])

    with Upstream(behave) as upstream: ...

The server runs on an asyncio loop in a thread of its own. What a test calls is thread-safe."""

import asyncio
import socket
import ssl
import threading
import xmlrpc.client
from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from .settings import DEADLINE


def response_document(*values) -> bytes:
    """A methodResponse with these values as its params: one, unless a test wants else."""
    if len(values) == 1:
        return xmlrpc.client.dumps((values[0],), methodresponse=True, allow_none=True).encode()
    params = "".join(xmlrpc.client.dumps((value,), allow_none=True)
                     .replace("<params>", "").replace("</params>", "") for value in values)
    return ("<?xml version='1.0'?><methodResponse><params>" + params
            + "</params></methodResponse>").encode()


def value_document(xml: str) -> bytes:
    """A methodResponse around the XML of one value, written by hand."""
    return (f"<?xml version='1.0'?><methodResponse><params><param><value>{xml}</value></param>"
            "</params></methodResponse>").encode()


def fault_document(code: int, text: str) -> bytes:
    return xmlrpc.client.dumps(xmlrpc.client.Fault(code, text)).encode()


def http_response(body: bytes, status: str = "200 OK", headers: dict | None = None) -> bytes:
    """The bytes of an HTTP response; a header with the value None is left out."""
    lines = {"Content-Type": "text/xml", "Content-Length": str(len(body)), **(headers or {})}
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"HTTP/1.1 {status}\r\n{text}\r\n".encode("latin-1") + body


class Gate:
    """An event that the test's thread opens and behaviours wait for."""

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self._loop = loop
        self._event = asyncio.Event()

    def open(self):
        self._loop.call_soon_threadsafe(self._event.set)

    async def passed(self):
        await self._event.wait()


class Exchange:
    """One request that arrived, and the connection to do something with."""

    def __init__(self, link: "_Link", number: int, head: bytes):
        self.link = link
        self.number = number  # of this connection's requests, from 1
        self.head = head
        self.body = b""
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        self.request_line = first
        self.headers = [(name, value.strip()) for name, _, value in
                        (line.partition(":") for line in lines)]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, self.headers
        return values[0] if values else None

    @property
    def params(self) -> tuple:
        return xmlrpc.client.loads(self.body, use_builtin_types=True)[0]

    @property
    def method(self) -> str:
        return xmlrpc.client.loads(self.body, use_builtin_types=True)[1]

    async def send(self, data: bytes):
        self.link.writer.write(data)
        await self.link.writer.drain()

    async def answer(self, *values):
        await self.send(http_response(response_document(*values)))

    async def answer_xml(self, xml: str):
        await self.send(http_response(value_document(xml)))

    async def answer_fault(self, code: int, text: str):
        await self.send(http_response(fault_document(code, text)))

    async def respond(self, body: bytes, status: str = "200 OK", headers: dict | None = None):
        await self.send(http_response(body, status, headers))

    def close(self):
        """Closes the connection in order; nothing else is read from it."""
        self.link.close()

    def reset(self):
        """Ends the connection with a reset."""
        self.link.reset()

    async def gone(self):
        """Waits until the other side has closed."""
        await self.link.reader.read()

    async def after(self, seconds: float):
        """Lets time pass, for upstreams that are slow by nature."""
        await asyncio.sleep(seconds)


Behaviour = Callable[[Exchange], Awaitable[None]]


async def echo(x: Exchange):
    """Answers with the first param; without params with an empty string."""
    await x.answer(x.params[0] if x.params else "")


class _Link:
    """A connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader, self.writer = reader, writer
        self.closed = False
        self.busy = False

    def close(self):
        self.closed = True
        self.writer.close()

    def reset(self):
        self.closed = True
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.writer.transport.abort()


class Upstream:
    """The server. `behave` is called when a request is complete, `greet` (with the connection's
    link) when a connection comes, `peek` when a head is complete and the body is not yet read.

    `exchanges` holds every complete request. A call whose first param is a string is counted under
    it in `executed` when its request is complete: a nonce shows how often it ran."""

    def __init__(self, behave: Behaviour = echo, *, unix: str | None = None, port: int = 0,
                 greet=None, peek=None, tls: ssl.SSLContext | None = None):
        self.behave, self._greet, self._peek = behave, greet, peek
        self.exchanges: list[Exchange] = []
        self.executed: Counter[str] = Counter()
        self.connections = 0
        self.broken: list[BaseException] = []  # what behaviours raised
        self._unix, self._port, self._tls = unix, port, tls
        self._links: set[_Link] = set()
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(self._listen())
        self.port = None if unix else self._server.sockets[0].getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self) -> str:
        if self._unix:
            return f"http+unix://{quote(self._unix, safe='')}/RPC2"
        return f"http://127.0.0.1:{self.port}/RPC2"

    def gate(self) -> Gate:
        return Gate(self._loop)

    def wait_for(self, test: Callable[["Upstream"], bool], timeout: float = DEADLINE):
        """Waits until `test` is true; it is asked again after each request, at the beginning and
        end of each connection, and at the end of a behaviour."""
        with self._changed:
            met = self._changed.wait_for(lambda: test(self), timeout)
        assert met, f"{len(self.exchanges)} requests, {self.connections} connections; {self.broken}"

    def wait_requests(self, count: int):
        self.wait_for(lambda u: len(u.exchanges) >= count)

    @property
    def open_connections(self) -> int:
        return len(self._links)

    def close_idle(self, reset: bool = False):
        """Closes every connection that has no request under way; returns when that is done."""
        async def close():
            idle = [link for link in self._links if not link.busy]
            for link in idle:
                link.reset() if reset else link.close()
            await asyncio.gather(*(link.writer.wait_closed() for link in idle),
                                 return_exceptions=True)
        self._run(close())

    def stop(self):
        """Closes all; a broken behaviour fails the test."""
        async def end():
            self._server.close()
            for link in list(self._links):
                link.writer.transport.abort()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()
        if self.broken:
            raise self.broken[0]

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(DEADLINE)

    async def _listen(self):
        limit = 1 << 26
        if self._unix:
            return await asyncio.start_unix_server(self._serve, self._unix, limit=limit,
                                                   backlog=2048)
        return await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=limit,
                                          backlog=2048, ssl=self._tls)

    def _note(self, x: Exchange | None = None):
        with self._changed:
            if x is None:
                self.connections += 1
            else:
                self._count(x)
                self.exchanges.append(x)
            self._changed.notify_all()

    def _count(self, x: Exchange):
        if len(x.body) > 4 << 20:  # no nonce, and slow to read
            return
        try:
            nonce = x.params[0] if x.params else None
        except Exception:  # not XML-RPC: nothing to count
            return
        if isinstance(nonce, str):
            self.executed[nonce] += 1

    async def _serve(self, reader, writer):
        link = _Link(reader, writer)
        self._links.add(link)
        self._note()
        try:
            if self._greet is not None:
                await self._greet(link)
            number = 0
            while not link.closed:
                number += 1
                if not await self._one(link, number):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the other side left, or the test is over
        except Exception as error:  # told at stop()
            self.broken.append(error)
        finally:
            writer.close()
            with self._changed:
                self._links.discard(link)
                self._changed.notify_all()

    async def _one(self, link: _Link, number: int) -> bool:
        x = Exchange(link, number, await link.reader.readuntil(b"\r\n\r\n"))
        link.busy = True
        if self._peek is not None:
            await self._peek(x)
            if link.closed:
                return False
        x.body = await link.reader.readexactly(int(x.header("Content-Length") or 0))
        self._note(x)
        await self.behave(x)
        with self._changed:
            link.busy = False
            self._changed.notify_all()
        return (x.header("Connection") or "").lower() != "close"


def at_a_gate(start, value="done") -> tuple[Upstream, Gate]:
    """An upstream that answers each call with that value, once the gate has been opened."""
    async def behave(x):
        await gate.passed()
        await x.answer(value)
    upstream = start.upstream(behave)
    gate = upstream.gate()
    return upstream, gate
