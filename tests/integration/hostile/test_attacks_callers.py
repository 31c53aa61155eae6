# SPDX-License-Identifier: Apache-2.0
"""Callers that send too much, too slowly, or leave at every stage of a call."""

import json
import socket
import threading
import time

import pytest

from rig.check import assert_problem
from rig.settings import DEADLINE, SLOW
from rig.wire import request

pytestmark = pytest.mark.concurrency

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream()


@pytest.fixture(scope="module")
def gateway(start_shared, upstream):
    return start_shared.simple(upstream)


def others(caller) -> int:
    """How many connections there are beside the one that asks."""
    lines = caller.ask("GET", "/metrics").body.decode().splitlines()
    return sum(int(line.rpartition(" ")[2]) for line in lines
               if line.startswith("rpcgate_connections{")) - 1


def settled(gateway):
    """Waits until the one who asks has the only connection."""
    end = time.monotonic() + DEADLINE
    with gateway.connect() as caller:
        while count := others(caller):
            assert time.monotonic() < end, count


PIPELINED = [
    (lambda n: request("POST", "/v1/up/m", b"[%d]" % n), lambda n, a: a.result == n),
    (lambda n: request("GET", "/livez"), lambda n, a: a.json == {"status": "ok"}),
    (lambda n: request("GET", f"/nothing/{n}"), lambda n, a: a.problem == "not-found"),
    (lambda n: request("POST", "/v1/up/m", None, {"Transfer-Encoding": "chunked",
                                                  "Content-Type": "application/json"})
     + b"2\r\n[%d\r\n1\r\n]\r\n0\r\n\r\n" % (n % 10), lambda n, a: a.result == n % 10),
    (lambda n: request("POST", "/v1/up/m", b"["), lambda n, a: a.problem == "invalid-json"),
]


@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_a_thousand_pipelined(gateway, over):
    """All are answered, in order."""
    made = [PIPELINED[n % len(PIPELINED)][0](n) for n in range(1000)]
    with gateway.connect(over) as caller:
        sender = threading.Thread(target=caller.send, args=(b"".join(made),))
        sender.start()
        for n in range(1000):
            assert PIPELINED[n % len(PIPELINED)][1](n, caller.answer()), n
        sender.join()
    settled(gateway)


@pytest.mark.parametrize("over", ["tcp", "unix"])
@pytest.mark.parametrize("leave", ["close", "reset"])
def test_a_thousand_pipelined_and_gone(gateway, over, leave):
    """Nobody reads the answers."""
    caller = gateway.connect(over)
    caller.socket.setblocking(False)
    try:
        caller.socket.send(b"".join(PIPELINED[n % 2][0](n) for n in range(1000)))
    except BlockingIOError:
        pass
    getattr(caller, leave)()
    settled(gateway)
    assert gateway.call("up", "m", [1]).result == 1


class Stages:
    """An upstream that holds `held`, and answers `large` with much."""

    def __init__(self, start):
        self.upstream = start.upstream(self._behave)
        self.gate = self.upstream.gate()

    async def _behave(self, x):
        if x.method == "held":
            await self.gate.passed()
        await x.answer("x" * 4 * MEBIBYTE if x.method == "large" else "x")


HEAD = b"POST /v1/up/m HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

#: What is sent before the caller leaves, and how much of an answer is read.
STAGES = {
    "connected": (b"", 0),
    "in the request line": (HEAD[:10], 0),
    "in the head": (HEAD[:60], 0),
    "before the body": (HEAD + b"Content-Length: 10\r\n\r\n", 0),
    "in the body": (HEAD + b"Content-Length: 10\r\n\r\n[1,", 0),
    "in a chunk's size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1", 0),
    "in a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\n[1", 0),
    "before the last chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n", 0),
    "in the trailers": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\nA: b\r\n", 0),
    "waiting for 100": (HEAD + b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n", 25),
    "while it is translated": (request("POST", "/v1/up/m", b'["' + b"x" * 2 * MEBIBYTE + b'"]'), 0),
    "while it runs": (request("POST", "/v1/up/held", b"[]"), 0),
    "before the answer": (request("POST", "/v1/up/large", b"[]"), 0),
    "in the answer's head": (request("POST", "/v1/up/large", b"[]"), 10),
    "in the answer": (request("POST", "/v1/up/large", b"[]"), MEBIBYTE),
    "in a refusal": (request("POST", "/v1/none/m", b"[1]"), 10),
    "after a refusal": (request("POST", "/v1/up/m", None, {"Content-Length": "99999999"}), 100),
    "between two requests": (request("GET", "/livez"), 100),
    "in the second request": (request("GET", "/livez") + HEAD[:30], 100),
}


def read(caller, size: int):
    while size > 0:
        got = len(caller.socket.recv(min(size, 65536)))
        assert got > 0
        size -= got


@pytest.mark.parametrize("data, size", STAGES.values(),
                         ids=[name.replace(" ", "-") for name in STAGES])
@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_leaving(start, over, data, size):
    """By an orderly end, a reset, and an end of sending after which nothing is read: the gateway
    serves others, forgets the connection, and ends well."""
    stages = Stages(start)
    gateway = start.simple(stages.upstream, workers=1)
    half = []
    for leave in ("close", "reset", "finish_sending"):
        for _ in range(3):
            caller = gateway.connect(over)
            caller.send(data)
            read(caller, size)
            getattr(caller, leave)()
            half.append(caller)
    assert gateway.call("up", "m", [1]).result == "x"
    stages.gate.open()
    for caller in half:
        caller.close()
    settled(gateway)


@pytest.mark.parametrize("over", ["tcp", "unix"])
@pytest.mark.parametrize("data", [
    request("GET", "/livez", None, {"X-Long": "x" * 5000}),
    request("POST", "/v1/up/m", b"[" + b" " * 5000 + b"]"),
    request("POST", "/v1/up/m", None, {"Transfer-Encoding": "chunked",
                                       "Content-Type": "application/json"})
    + b"1;" + b"x" * 5000,
    request("POST", "/v1/up/m", None, {"Transfer-Encoding": "chunked",
                                       "Content-Type": "application/json"})
    + b"2\r\n[]\r\n0\r\nX-Long: " + b"x" * 5000,
], ids=["head", "body", "chunk-size", "trailer"])
def test_dripping(start, upstream, over, data):
    """Times are absolute: however steadily the bytes come, the end comes, too."""
    gateway = start.simple(upstream, limits={"header_time": "500ms", "body_time": "500ms"})
    began = time.monotonic()
    with gateway.connect(over) as caller:
        try:
            for byte in data:
                caller.send(bytes([byte]))
                assert time.monotonic() - began < 3 * SLOW
                threading.Event().wait(0.005)
            pytest.fail("all of it was taken")
        except ConnectionError:
            pass
    assert time.monotonic() - began >= 0.45


@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_a_reader_in_drips(start, over):
    """After limits.write_time the connection goes, although something is read all the time."""
    stages = Stages(start)
    gateway = start.simple(stages.upstream, limits={"write_time": "500ms"})
    began = time.monotonic()
    with gateway.connect(over) as caller, gateway.connect() as other:
        caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.send(request("POST", "/v1/up/large", b"[]"))
        stages.upstream.wait_requests(1)
        while others(other) > 0:
            try:
                caller.socket.recv(128)
            except ConnectionError:
                pass
            assert time.monotonic() - began < 5 * SLOW
    assert time.monotonic() - began >= 0.45


def test_tokens_and_garbage_leave_no_trace(gateway):
    """A thousand connections, each with other nonsense."""
    for n in range(1000):
        with gateway.connect("unix" if n % 2 else "tcp") as caller:
            try:
                caller.send(bytes((n * k * 7919) % 256 for k in range(n % 64)))
                caller.finish_sending()
                answers = caller.rest()
            except OSError:
                answers = b""
            assert b" 200 " not in answers
    settled(gateway)


@pytest.mark.parametrize("body", [
    json.dumps([{"a" * 200: n} for n in range(20)]).encode(), b"[" * 127 + b"]" * 127,
    b'["' + b"\\ud83d\\ude00" * 10_000 + b'"]', b"[" + b"1," * 10_000 + b"1]"])
def test_odd_bodies_are_just_bodies(gateway, body):
    assert gateway.call("up", "m", body).status == 200


def test_far_too_many_headers(gateway):
    """Whoever refuses them; a problem, or the connection's end."""
    for count in (65, 100, 1000, 10_000):
        with gateway.connect() as caller:
            try:
                caller.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * count
                            + b"\r\n")
                answer = caller.answer()
            except (ConnectionError, EOFError):
                continue
            assert answer.status in (400, 431) and answer.closes
            if count == 65:
                assert_problem(answer, "invalid-request", 400, setting="limits.header_count")
