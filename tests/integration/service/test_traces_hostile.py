# SPDX-License-Identifier: Apache-2.0
"""Collectors of traces that misbehave, below what an HTTP server does by itself."""

import re
import socket

import pytest

from rig.process import holds
from rig.settings import DEADLINE, up_settings

_LENGTH = re.compile(rb"content-length: (\d+)", re.I)


async def behave(x):
    await x.answer(1)


class Raw:
    """Takes one connection after another."""

    def __init__(self):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(DEADLINE)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1/traces"
        self._file = self.connection = None

    def accept(self):
        self.connection, _ = self._listening.accept()
        self.connection.settimeout(DEADLINE)
        self._file = self.connection.makefile("rb")

    def read(self) -> bytes:
        """The body of the next request."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self._file.readline()
            assert line, "the connection has ended"
            head += line
        return self._file.read(int(_LENGTH.search(head)[1]))

    def answer(self, data: bytes):
        self.connection.sendall(data)

    def close(self):
        self._listening.close()
        if self.connection is not None:
            self._file.close()
            self.connection.close()


@pytest.fixture
def raw():
    with_end = Raw()
    yield with_end
    with_end.close()


@pytest.fixture
def traced(start, raw):
    """A gateway that sends each span at once, and its upstream's settings."""
    plain = up_settings(start.upstream(behave))
    settings = plain | {"traces": {"url": raw.url, "interval": "100ms", "batch": 1, "retry": "0s"}}
    return start.gateway(settings), plain


FOLDED = {
    "first": b"HTTP/1.1 200 OK\r\n x: y\r\nContent-Length: 2\r\n\r\n{}",
    "long": b"HTTP/1.1 200 OK\r\n " + b"z" * 3000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    "within": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\n{}",
    "interim": b"HTTP/1.1 102 Wait\r\n x: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n x: y\r\n\r\n",
}


@pytest.mark.parametrize("answer", FOLDED.values(), ids=list(FOLDED))
def test_folded_lines(traced, raw, answer):
    """What a line belongs to is nothing of the answer before."""
    gateway, _ = traced
    good = b"HTTP/1.1 200 OK\r\nServer: " + b"s" * 100 + b"\r\nContent-Length: 2\r\n\r\n{}"
    gateway.call("up", "m", [1])
    raw.accept()
    for data in [good, answer] * 5:
        try:
            raw.read()
        except AssertionError:  # it was refused, and the next comes on a new connection
            raw.accept()
            raw.read()
        raw.answer(data)
        assert gateway.call("up", "m", [1]).status == 200
    gateway.stop()


@pytest.mark.parametrize("is_other", [False, True])
def test_a_reload_leaves_no_connection_behind(traced, raw, is_other):
    gateway, plain = traced
    gateway.call("up", "m", [1])
    raw.accept()
    raw.read()
    raw.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    other = {"traces": {"url": "http://127.0.0.1:1/v1/traces"}} if is_other else {}
    gateway.reload(plain | other)
    assert raw.connection.recv(1) == b""


def test_heads_without_end_hold_no_memory(traced, raw):
    gateway, _ = traced
    gateway.call("up", "m", [1])
    raw.accept()
    raw.read()
    before = holds(gateway.process.pid).memory
    try:
        for _ in range(20_000):
            raw.answer(b"HTTP/1.1 102 Wait\r\n" + b"X: y\r\n" * 100 + b"\r\n")
    except OSError:
        pass
    assert holds(gateway.process.pid).memory < before + 20_000_000
