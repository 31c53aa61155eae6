# SPDX-License-Identifier: Apache-2.0
"""What is sent again, what never is, and the next url when one cannot be connected to."""

import asyncio
import socket
import time
from contextlib import closing

import pytest

from rig import crowd
from rig.check import assert_problem
from rig.settings import SLOW
from rig.upstream import Upstream

pytestmark = pytest.mark.concurrency

METHODS = [{"match": "safe.*", "safe": True}]


def taken_port():
    """A port that nobody else gets, and where nobody listens."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    return closing(taken), f"http://127.0.0.1:{taken.getsockname()[1]}/RPC2"


def gateway_of(start, settings: dict, workers: int = 1):
    up = {"methods": METHODS, "breaker": {"failures": 0}, **settings}
    return start.gateway({"workers": workers, "anonymous": {"allow": ["*/*"]},
                          "log": {"format": "json"}, "upstreams": {"up": up}})


def failing(times: int, how: str):
    """Fails each nonce's first calls."""
    seen = {}

    async def behave(x):
        nonce = x.params[0] if x.params else x.method
        seen[nonce] = seen.get(nonce, 0) + 1
        if seen[nonce] > times:
            return await x.answer(nonce)
        if how == "reset":
            return x.reset()
        if how == "half":
            await x.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<?xml version='1.0'?><metho")
        elif how == "500":
            return await x.respond(b"no", "500 Internal Server Error")
        elif how == "html":
            return await x.respond(b"<html>", "200 OK")
        elif how == "503":
            return await x.respond(b"", "503 Service Unavailable")
        elif how == "fault":
            return await x.answer_fault(-32601, "no")
        x.close()
    return behave


@pytest.mark.parametrize("how", ["close", "reset", "half"])
def test_safe_methods_are_called_again(start, how):
    upstream = start.upstream(failing(1, how))
    gateway = gateway_of(start, {"url": upstream.url, "retry": {"backoff": "100ms"}})
    began = time.monotonic()
    answer = gateway.call("up", "safe.m", ["s"], X_Request_Id="again")
    assert answer.result == "s" and time.monotonic() - began >= 0.05
    assert upstream.executed == {"s": 2}
    line = gateway.access_line("again")
    assert line["attempts"] == 2 and line["duration_ms"] >= 50
    assert line["upstream_ms"] + line["queue_ms"] <= line["duration_ms"] - 45
    assert_problem(gateway.call("up", "m", ["u"]), "connection-lost", 502, "unknown")
    assert upstream.executed == {"s": 2, "u": 1}


@pytest.mark.parametrize("how", ["500", "html", "503", "fault"])
def test_answers_are_answers(start, how):
    """Also of safe methods: what came back is no reason to call again."""
    upstream = start.upstream(failing(1, how))
    gateway = gateway_of(start, {"url": upstream.url, "retry": {"attempts": 5}})
    assert gateway.call("up", "safe.m", ["s"]).status >= 400
    assert upstream.executed == {"s": 1}


def test_introspection_is_safe(start):
    upstream = start.upstream(failing(1, "close"))
    gateway = gateway_of(start, {"url": upstream.url, "retry": {"backoff": "1ms"}})
    for method in ("system.listMethods", "system.methodHelp", "system.methodSignature"):
        assert gateway.call("up", method, [method]).result == method
    for method in ("system.shutdown", "system.listmethods", "get"):
        assert_problem(gateway.call("up", method, [method]), "connection-lost", 502, "unknown")
        assert upstream.executed[method] == 1


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_so_many_attempts(start, attempts):
    upstream = start.upstream(failing(100, "close"))
    gateway = gateway_of(start, {"url": upstream.url,
                                 "retry": {"attempts": attempts, "backoff": "1ms"}})
    answer = gateway.call("up", "safe.m", ["s"])
    assert_problem(answer, "connection-lost", 502, "unknown")
    assert upstream.executed == {"s": attempts}
    assert gateway.metric("rpcgate_retries_total") == attempts - 1


def test_one_deadline_for_all(start):
    """A pause that would end after it is not begun; an attempt ends with it."""
    upstream = start.upstream(failing(100, "close"))
    gateway = gateway_of(start, {"url": upstream.url, "timeouts": {"total": "500ms"},
                                 "retry": {"attempts": 10, "backoff": "300ms"}})
    began = time.monotonic()
    answer = gateway.call("up", "safe.m", ["s"])
    assert_problem(answer, "connection-lost", 502, "unknown")
    assert time.monotonic() - began < 0.6 * SLOW
    assert 1 <= upstream.executed["s"] <= 2


def test_time_out_of_a_safe_method(start):
    """No time is left, so that it is not called again."""
    async def stall(x):
        await x.gone()
    upstream = start.upstream(stall)
    gateway = gateway_of(start, {"url": upstream.url, "timeouts": {"total": "300ms"},
                                 "retry": {"backoff": "1ms"}})
    assert_problem(gateway.call("up", "safe.m", ["s"]), "timeout", 504, "unknown",
                   setting="timeouts.total")
    assert upstream.executed == {"s": 1}


def test_a_methods_own_time_out_is_named(start):
    async def stall(x):
        await x.gone()
    upstream = start.upstream(stall)
    gateway = gateway_of(start, {"url": upstream.url, "methods": [
        {"match": "slow", "timeout": "50ms"}, {"match": "*", "safe": True}]})
    assert_problem(gateway.call("up", "slow", ["s"]), "timeout", 504, "unknown",
                   setting="methods.timeout")


def test_not_connected_is_tried_again(start):
    """Whatever the method: nothing was sent."""
    held, url = taken_port()
    with held as taken:
        gateway = gateway_of(start, {"url": url, "retry": {"attempts": 4, "backoff": "60ms"}})
        began = time.monotonic()
        answer = gateway.call("up", "m", ["x"], X_Request_Id="never")
        assert_problem(answer, "connect-failed", 502, "no")
        assert time.monotonic() - began >= 0.03 + 0.06 + 0.12
        assert gateway.access_line("never")["attempts"] == 4
        # It comes while the call waits for its next attempt.
        taken.listen(8)
        answers = []

        async def main():
            caller = await crowd.Caller.connect(gateway.tcp)
            call = asyncio.create_task(caller.call("up", "m", ["y"]))
            reader, writer = await _accept(taken)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                          if line.lower().startswith(b"content-length"))
            assert b"<string>y</string>" in await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n<methodResponse><params><param><value>fine"
                         b"</value></param></params></methodResponse>")
            writer.close()
            answers.append(await call)
            caller.close()
        crowd.run(main())
        assert answers[0].result == "fine"


async def _accept(listening):
    loop = asyncio.get_running_loop()
    listening.setblocking(False)
    connection, _ = await loop.sock_accept(listening)
    return await asyncio.open_connection(sock=connection)


def test_next_url(start):
    """At once and without a pause; the one that failed is left alone for a while."""
    held, dead = taken_port()
    upstream = start.upstream()
    with held:
        gateway = gateway_of(start, {"urls": [dead, upstream.url], "breaker": {"open": "400ms"},
                                     "retry": {"attempts": 1, "backoff": "30s"}})
        for number in range(5):
            assert gateway.call("up", "m", [f"n{number}"]).result == f"n{number}"
        line = gateway.wait_line("cannot be connected to")
        assert dead in line
        assert sum("cannot be connected to" in line for line in gateway.lines) == 1
        lines = gateway.get("/metrics").body.decode().splitlines()
        assert f'rpcgate_upstream_url_up{{upstream="up",url="{dead}"}} 0' in lines
        assert f'rpcgate_upstream_url_up{{upstream="up",url="{upstream.url}"}} 1' in lines
    assert set(upstream.executed.values()) == {1} and len(upstream.executed) == 5


def test_urls_come_back(start):
    held, first_url = taken_port()
    second = start.upstream()
    with held as taken:
        gateway = gateway_of(start, {"urls": [first_url, second.url], "breaker": {"open": "50ms"}})
        assert gateway.call("up", "m", ["a"]).result == "a"
        taken.listen(8)
        port = taken.getsockname()[1]

        async def main():
            caller = await crowd.Caller.connect(gateway.tcp)
            while True:  # until the first one is tried again
                call = asyncio.create_task(caller.call("up", "m", ["b"]))
                accept = asyncio.create_task(_accept(taken))
                await asyncio.wait({call, accept}, return_when=asyncio.FIRST_COMPLETED)
                if accept.done():
                    _, writer = accept.result()
                    writer.write(b"HTTP/1.1 200 OK\r\n\r\n<methodResponse><params><param><value>back"
                                 b"</value></param></params></methodResponse>")
                    writer.close()
                    return (await call).result
                accept.cancel()
                await asyncio.gather(accept, return_exceptions=True)
        assert crowd.run(main()) == "back"
        assert str(port) in gateway.wait_line("works again")


def test_all_urls_are_dead(start):
    (one, first), (two, second) = taken_port(), taken_port()
    with one, two:
        gateway = gateway_of(start, {"urls": [first, second], "retry": {"attempts": 1}})
        for _ in range(3):
            assert_problem(gateway.call("up", "m", [1]), "connect-failed", 502, "no")


def test_upstream_that_is_killed_and_restarted_under_load(start):
    """64 callers all the time: only 502, 503 and 504 while it is away, no call twice, and full speed
    within a second of its return."""
    upstream = Upstream()
    port = upstream.port
    gateway = start.gateway({
        "workers": 2, "anonymous": {"allow": ["*/*"]},
        "upstreams": {"up": {"url": upstream.url, "breaker": {"open": "300ms"},
                             "pool": {"max_connections": 16}}}})
    statuses = []  # (time, status, problem)
    state = {"end": False}

    async def work(number):
        caller = await crowd.Caller.connect(gateway.tcp)
        turn = 0
        while not state["end"]:
            turn += 1
            answer = await caller.call("up", "m", [f"{number} {turn}"])
            problem = None if answer.status == 200 else answer.json["detail"]
            statuses.append((time.monotonic(), answer.status, problem))
            if answer.status == 200:
                assert answer.result == f"{number} {turn}"
            else:
                await asyncio.sleep(0.01)
        caller.close()

    async def main():
        everyone = [asyncio.create_task(work(number)) for number in range(64)]
        await asyncio.sleep(1)
        down = time.monotonic()
        await asyncio.to_thread(upstream.stop)
        await asyncio.sleep(0.7)
        second = await asyncio.to_thread(lambda: Upstream(port=port))
        up = time.monotonic()
        await asyncio.sleep(2)
        state["end"] = True
        await asyncio.gather(*everyone)
        return down, up, second
    down, up, second = crowd.run(main())
    try:
        for when, status, problem in statuses:
            if when < down or when > up + 1 * SLOW:
                assert status == 200, (when - down, when - up, problem)
            else:
                assert status in (200, 502, 503, 504), problem
        assert any(status != 200 for _, status, _ in statuses)
        before = sum(status == 200 and when < down for when, status, _ in statuses)
        after = sum(status == 200 and up + 1 < when < up + 2 for when, status, _ in statuses)
        assert after > before / 10, (before, after)  # lost slots would leave it next to none
        executed = upstream.executed + second.executed
        assert set(executed.values()) == {1}
    finally:
        gateway.stop()
        second.stop()
