# SPDX-License-Identifier: Apache-2.0
"""One request that an upstream has read, and the connection to misbehave on."""

import asyncio
import random
import re
import socket
import xmlrpc.client
import zlib

import documents
from ledger import ASKED, REFUSING_FAULTS, REFUSING_STATUSES, answer_to

_METHOD = re.compile(r"<methodName>([^<]*)</methodName>")
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")

#: What becomes of the connection.
KEEP, CLOSE, RESET = "keep", "close", "reset"


def response(body: bytes, status: str = "200 OK", *lines: str, length: bool = True) -> bytes:
    """The bytes of an HTTP response."""
    text = f"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\n"
    if length:
        text += f"Content-Length: {len(body)}\r\n"
    return (text + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode("latin-1") + body


def chunked(body: bytes, size: int, *lines: str, end: bytes = b"0\r\n\r\n") -> bytes:
    pieces = [body[at:at + size] for at in range(0, len(body), size)]
    return (response(b"", "200 OK", "Transfer-Encoding: chunked", *lines, length=False)
            + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end)


def reset(writer: asyncio.StreamWriter):
    """Ends a connection by RST."""
    taken = writer.get_extra_info("socket")
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    except OSError:
        pass  # it has ended already
    writer.transport.abort()


def _as_text(body: bytes) -> str:
    """Near enough to find names and numbers in it, whatever the encoding."""
    return body.replace(b"\0", b"").decode("latin-1")


class Exchange:
    def __init__(self, server, reader, writer, head: bytes, rng: random.Random):
        self.server, self.reader, self.writer, self.rng = server, reader, writer, rng
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        self.target = first.split(" ")[1] if " " in first else ""
        self.headers = {name.strip().lower(): value.strip() for name, _, value in
                        (line.partition(":") for line in lines)}
        self.body = b""
        self.method = ""
        self.numbers: set[str] = set()
        self.told = ""  # a credential that came within the call
        self.expired_item = None  # the fault of a call in system.multicall, or None

    async def read_body(self):
        self.body = await self.reader.readexactly(int(self.headers.get("content-length", 0)))
        if "gzip" in self.headers.get("content-encoding", ""):
            self.body = zlib.decompress(self.body, 31)
        text = _as_text(self.body)
        found = _METHOD.search(text)
        self.method = found[1] if found else ""
        self.numbers = {f"qN{digits}Nq" for digits in ASKED.findall(text)}

    @property
    def echoed(self) -> str:
        """The credentials that came with the request, for upstreams that tell them on."""
        told = [self.headers.get(name, "") for name in
                ("authorization", "proxy-authorization", "x-api-key", "x-tenant", "cookie",
                 "x-session")]
        return " ".join(value for value in [*told, self.told] if value)[:4000]

    def _one(self, text: str):
        """The answer to the call that this text holds."""
        numbers = ASKED.findall(text)
        if numbers:
            return answer_to(f"qN{numbers[0]}Nq")
        return "nothing asked"

    def _calls(self):
        """The good answer to system.multicall."""
        try:
            calls = xmlrpc.client.loads(self.body, use_builtin_types=True)[0][0]
        except Exception:  # params of another form: whatever it is, it is none of ours
            return []
        answers = []
        for call in calls:
            name = call["methodName"]
            fault = self.expired_item(call, self) if self.expired_item else None
            if fault is not None:
                answers.append(fault)
                continue
            if name == "system.listMethods":
                value = self.server.names
            elif name.startswith("system."):
                value = self._about(name)
            elif name.endswith(".fault"):
                answers.append({"faultCode": 7, "faultString": f"as asked {self.echoed}"})
                continue
            else:
                value = self._one(repr(call["params"]))
            answers.append([value] if self.server.wraps else value)
        return answers

    def _about(self, method: str):
        if method == "system.listMethods":
            return self.server.names
        if method == "system.methodSignature":
            return [["string", "string"]]
        return "Does as its name says."

    def document(self) -> bytes:
        """The good answer to what was asked."""
        if self.method == "system.multicall":
            return documents.response(self._calls())
        if self.method.startswith("system."):
            return documents.response(self._about(self.method))
        return documents.response(self._one(_as_text(self.body)))

    def fault(self, code: int, text: str) -> bytes:
        if code in REFUSING_FAULTS:
            self.server.ledger.refused(self.numbers, code)
        return documents.fault(code, text)

    def on_the_wire(self, data: bytes) -> bytes:
        """What is said as HTTP, as this connection says it."""
        return data

    async def send(self, data: bytes):
        """Bytes of an answer; a status by which it refuses the call is noted."""
        status = _STATUS.match(data)
        if status and int(status[1]) in REFUSING_STATUSES:
            self.server.ledger.refused(self.numbers, int(status[1]))
        if self.writer.is_closing():
            raise ConnectionError("the other side has left")
        self.writer.write(self.on_the_wire(data))
        await self.writer.drain()

    async def drip(self, data: bytes, seconds: float, start: int = 0):
        """Bytes that come one by one, within that time."""
        await self.send(data[:start])
        for at in range(start, len(data)):
            await asyncio.sleep(seconds / max(1, len(data) - start))
            await self.send(data[at:at + 1])

    async def pause(self, seconds: float):
        await asyncio.sleep(seconds)

    async def gone(self):
        """Until the other side has closed."""
        while await self.reader.read(65536):
            pass
