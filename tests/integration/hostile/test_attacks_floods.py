# SPDX-License-Identifier: Apache-2.0
"""Floods of connections and of bytes: who comes is served within 2 s, nothing spins, and what was
taken is given back."""

import asyncio
import resource
import socket
import time

import pytest

from rig import crowd
from rig.check import assert_problem
from rig.process import cpu_seconds, holds, wait_until
from rig.settings import SANITIZED, SLOW
from rig.wire import request

pytestmark = pytest.mark.concurrency

MEBIBYTE = 1 << 20
PROMPT = 2.0 * SLOW


class Crowd:
    """Sockets that do nothing by themselves."""

    def __init__(self):
        self.sockets: list[socket.socket] = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.sockets:
            each.close()

    def join(self, address, count: int, data: bytes = b"", small: bool = False):
        for _ in range(count):
            family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
            each = socket.socket(family, socket.SOCK_STREAM)
            if small:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            each.setblocking(False)
            self.sockets.append(each)
            try:
                each.connect(address)
            except BlockingIOError:
                pass
        if data:
            self.send(data)

    def send(self, data: bytes):
        """To those that are still there. A connection that is being made takes bytes later."""
        for each in self.sockets:
            try:
                each.send(data)
            except OSError:
                pass


#: Of a caller with memory of its own: what strangers hold is theirs.
TOKEN = "token-of-a-caller-".ljust(32, "x")
CALLERS = [{"name": "known", "token": TOKEN, "allow": ["*/*"]}]
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def served(gateway, over, *args) -> bool:
    """Who has no request yet when many others come may have to make room for them."""
    with gateway.connect(over) as caller:
        try:
            return caller.ask(*args).status == 200
        except (EOFError, ConnectionError):
            return False


def connect_time(gateway, over) -> float:
    """How long it takes until /livez is answered, and a call."""
    began = time.monotonic()
    while not served(gateway, over, "GET", "/livez"):
        pass
    while not served(gateway, over, "POST", "/v1/up/m", b'["x"]', BEARER):
        pass
    return time.monotonic() - began


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream()


def need_descriptors(count: int):
    have = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if have < count:
        pytest.skip(f"needs {count} file descriptors, may have {have}")


@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_idle_slow_and_unread(start, upstream, over):
    """5,000 idle connections, 200 that send their head byte by byte, and 200 that do not read
    their reply, all at once."""
    need_descriptors(12_000)
    gateway = start.simple(upstream, limits={"connections": 2048}, callers=CALLERS)
    where = gateway.tcp if over == "tcp" else gateway.unix
    large = request("POST", "/v1/up/m", b'["' + b"x" * MEBIBYTE + b'"]')
    head = request("GET", "/livez", None, {"X-Long": "x" * 100})
    with Crowd() as idle, Crowd() as slow, Crowd() as unread:
        for _ in range(10):  # the kernel's queue has room for 4096 at most
            idle.join(where, 500, b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connect_time(gateway, over) < PROMPT
        slow.join(where, 200)
        unread.join(where, 200, small=True)
        for at, byte in enumerate(head[:-1]):
            slow.send(bytes([byte]))
            unread.send(large[at * 4096:(at + 1) * 4096])
            if at % 20 == 0:
                assert connect_time(gateway, over) < PROMPT
        assert connect_time(gateway, "unix" if over == "tcp" else "tcp") < PROMPT
    wait_until(gateway.process.pid, lambda now: now.descriptors < 200)
    assert connect_time(gateway, over) < PROMPT


@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_connections_above_the_limit(start, upstream, over):
    """The oldest idle ones make room; one that is used stays."""
    gateway = start.simple(upstream, workers=1, limits={"connections": 32}, callers=CALLERS)
    where = gateway.tcp if over == "tcp" else gateway.unix
    with Crowd() as idle, gateway.connect(over) as used:
        for _ in range(20):
            idle.join(where, 16)
            assert used.ask("GET", "/livez").status == 200
            assert connect_time(gateway, over) < PROMPT
        wait_until(gateway.process.pid, lambda now: now.descriptors < 32 + 16 + 64)


@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_out_of_descriptors(start, upstream, over):
    """Nothing spins, connections that can be spared make room, and with descriptors all is well."""
    gateway = start.simple(upstream, workers=4, callers=CALLERS)  # each gives one up in 10 ms
    where = gateway.tcp if over == "tcp" else gateway.unix
    pid = gateway.process.pid
    assert connect_time(gateway, over) < PROMPT
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (holds(pid).descriptors + 8, before[1]))
    with Crowd() as idle:
        idle.join(where, 400)
        wait_until(pid, lambda now: now.descriptors >= 30)
        assert "no further caller can be taken in" in gateway.wait_line("no further caller")
        began, used = time.monotonic(), cpu_seconds(pid)
        while not served(gateway, over, "GET", "/livez"):
            pass
        assert time.monotonic() - began < PROMPT
        wait_until(pid, lambda now: time.monotonic() - began > 1)
        assert cpu_seconds(pid) - used < 0.3 * SLOW
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    for _ in range(20):
        assert connect_time(gateway, over) < PROMPT


def test_no_descriptors_at_all(start, upstream):
    """Not one is left, and nobody can be spared: the workers wait without spinning."""
    gateway = start.simple(upstream, callers=CALLERS)
    pid = gateway.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
    callers = [gateway.connect(over) for over in ("tcp", "unix") * 20]
    for caller in callers:
        caller.send(request("GET", "/livez"))
    gateway.wait_line("no further caller")
    began, used = time.monotonic(), cpu_seconds(pid)
    wait_until(pid, lambda now: time.monotonic() - began > 1)
    assert cpu_seconds(pid) - used < 0.2 * SLOW
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    for caller in callers:
        assert caller.answer().status == 200
        caller.close()
    assert gateway.call("up", "m", ["x"]).result == "x"


async def as_much(x):
    """An answer as large as the call, without a look into it."""
    begin, end = x.body.index(b"<string>") + 8, x.body.index(b"</string>")
    await x.respond(b"<methodResponse><params><param><value>" + x.body[begin:end]
                    + b"</value></param></params></methodResponse>")


def test_the_largest_bodies_and_replies(start):
    """200 callers at once, within limits.memory: each is served, or told that there is no room.
    What was taken is given back."""
    gateway = start.simple(start.upstream(as_much), workers=2,
                           limits={"body": "1M", "memory": "32M"})
    pid = gateway.process.pid
    body = b'["' + b"x" * (MEBIBYTE - 4) + b'"]'

    async def call(caller):
        began = time.monotonic()
        answer = await caller.ask("POST", "/v1/up/m", body)
        if answer.status != 200:
            assert_problem(answer, "overloaded", 503, "no", setting="limits.memory")
        return answer.status, time.monotonic() - began

    async def main():
        callers = await crowd.gather_callers(gateway.tcp, 200)
        done = await asyncio.gather(*(call(caller) for caller in callers))
        for caller in callers:
            caller.close()
        return [status for status, _ in done]

    for _ in range(4):
        assert gateway.request("POST", "/v1/up/m", body, {"Content-Type": "application/json"}
                               ).status == 200
    before = holds(pid)
    statuses = crowd.run(main())
    assert statuses.count(200) > 0
    if not SANITIZED:  # sanitizers keep what was freed
        after = wait_until(pid, lambda now: now.memory < before.memory + 16 * MEBIBYTE)
        assert after.peak < (32 + 64) * MEBIBYTE
