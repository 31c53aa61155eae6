# SPDX-License-Identifier: Apache-2.0
"""HTTP as bytes: requests made by hand, answers read strictly, on blocking sockets."""

import json as json_module
import socket
from dataclasses import dataclass, field

from .settings import DEADLINE


@dataclass
class Answer:
    """A response of the gateway."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    version: str = "HTTP/1.1"
    interim: list[int] = field(default_factory=list)  # statuses of 1xx that came before

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {self.headers}"
        return values[0] if values else None

    @property
    def json(self):
        return json_module.loads(self.body)

    @property
    def result(self):
        assert self.status == 200, f"{self.status}: {self.body[:2000]!r}"
        return self.json["result"]

    @property
    def problem(self) -> str:
        """The NAME of the problem."""
        assert self.header("Content-Type") == "application/problem+json", (self.status, self.body)
        kind = self.json["type"]
        assert kind.startswith("urn:rpcgate:problem:"), kind
        return kind.rsplit(":", 1)[1]

    @property
    def closes(self) -> bool:
        return (self.header("Connection") or "").lower() == "close"


def request(method: str, path: str, body: bytes | None = None, headers: dict | None = None,
            version: str = "HTTP/1.1") -> bytes:
    """The bytes of a request. `Host`, and for a body `Content-Length` and `Content-Type`, are
    there unless `headers` has them; a value of None leaves a header out, a list sends it several
    times."""
    lines = {"Host": "localhost"}
    if body is not None:
        lines |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    for name, value in (headers or {}).items():
        for known in [known for known in lines if known.lower() == name.lower()]:
            del lines[known]
        lines[name] = value
    text = f"{method} {path} {version}\r\n"
    for name, value in lines.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                text += f"{name}: {one}\r\n"
    return text.encode("latin-1") + b"\r\n" + (body or b"")


def parse_head(head: bytes) -> tuple[str, int, list[tuple[str, str]]]:
    """Version, status and headers of a response's head, which ends with the empty line."""
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    version, status, *_ = first.split(" ", 2)
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        assert colon and name and name == name.strip(), f"bad header line {line!r}"
        headers.append((name, value.strip()))
    return version, int(status), headers


class Connection:
    """A caller's connection, with `tls` (an ssl.SSLContext) by TLS. Context manager; every wait has
    a deadline."""

    def __init__(self, address, timeout: float = DEADLINE, tls=None):
        if isinstance(address, str):
            family = socket.AF_UNIX
        else:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self._ahead = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with a reset instead of an orderly end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data: bytes):
        self.socket.sendall(data)

    def ask(self, *args, **kwargs) -> Answer:
        """Sends a request (see `request`) and reads its answer."""
        self.send(request(*args, **kwargs))
        return self.answer(head=args[0] == "HEAD")

    def _more(self) -> bytes:
        data = self.socket.recv(1 << 20)
        if not data:
            raise EOFError(f"closed after {self._ahead[:500]!r}")
        return data

    def _take_until(self, mark: bytes) -> bytes:
        while mark not in self._ahead:
            self._ahead += self._more()
        found, _, self._ahead = self._ahead.partition(mark)
        return found + mark

    def _take(self, size: int) -> bytes:
        pieces, have = [self._ahead], len(self._ahead)
        while have < size:
            pieces.append(self._more())
            have += len(pieces[-1])
        data = b"".join(pieces)
        self._ahead = data[size:]
        return data[:size]

    def head(self) -> tuple[str, int, list[tuple[str, str]]]:
        return parse_head(self._take_until(b"\r\n\r\n"))

    def answer(self, head: bool = False) -> Answer:
        """Reads one response; `head`: to a HEAD request."""
        interim = []
        version, status, headers = self.head()
        while status < 200:
            interim.append(status)
            version, status, headers = self.head()
        answer = Answer(status, headers, b"", version, interim)
        length = answer.header("Content-Length")
        coding = answer.header("Transfer-Encoding")
        assert not (length and coding), headers
        if head or status in (204, 304):
            pass
        elif length is not None:
            answer.body = self._take(int(length))
        elif coding is not None:
            raise AssertionError("sizes are always known, yet this answer is chunked")
        else:
            answer.body = self.rest()
        return answer

    def rest(self) -> bytes:
        """All that comes until the other side closes; a reset counts as the end."""
        pieces, self._ahead = [self._ahead], b""
        try:
            while data := self.socket.recv(1 << 20):
                pieces.append(data)
        except ConnectionResetError:
            pass
        return b"".join(pieces)

    def ends(self) -> bool:
        """Waits for the other side to close, without another byte."""
        return self.rest() == b""
