# SPDX-License-Identifier: Apache-2.0
"""An upstream that fails gets no calls for a while; what /readyz says of required ones."""

import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig import crowd, wire
from rig.check import assert_problem
from rig.settings import SLOW
from rig.upstream import echo

pytestmark = pytest.mark.concurrency

FAILURES = 3


def gateway_of(start, url: str, workers: int = 1, **settings):
    up = {"url": url, "breaker": {"failures": FAILURES, "open": "500ms"},
          "retry": {"attempts": 1}, **settings}
    return start.gateway({"workers": workers, "anonymous": {"allow": ["*/*"]},
                          "log": {"format": "json"}, "upstreams": {"up": up}})


def scripted(start):
    """An upstream that does what `how[0]` says."""
    how = ["fine"]

    async def behave(x):
        what = how[0]
        if what == "fine":
            await x.answer(x.params[0])
        elif what == "close":
            x.close()
        elif what == "stall":
            await x.gone()
        elif what == "500":
            await x.respond(b"no", "500 Internal Server Error")
        elif what == "html":
            await x.respond(b"<html>")
        elif what == "fault":
            await x.answer_fault(1, "no")
        elif what == "garbage":
            await x.send(b"garbage\r\n\r\n")
            x.close()
    return start.upstream(behave), how


def assert_open(answer):
    assert_problem(answer, "circuit-open", 503, "no", setting="breaker.failures", upstream="up")
    assert int(answer.header("Retry-After")) >= 1


def wait_until_due(gateway):
    """Calls until one is let through; its answer."""
    while True:
        answer = gateway.call("up", "m", ["probe"])
        if answer.status != 503:
            return answer
        assert_open(answer)
        time.sleep(0.02)


def test_one_call_is_one_failure(start):
    """However often it is made again: no record may close the way to the others."""
    upstream, how = scripted(start)
    gateway = gateway_of(start, upstream.url, methods=[{"match": "*", "safe": True}],
                         retry={"attempts": FAILURES + 1, "backoff": "1ms"})
    how[0] = "close"
    assert_problem(gateway.call("up", "m", ["x"]), "connection-lost", 502, "unknown")
    assert upstream.executed["x"] == FAILURES + 1
    how[0] = "fine"
    assert gateway.call("up", "m", ["y"]).result == "y"


def test_opens_and_closes(start):
    upstream, how = scripted(start)
    gateway = gateway_of(start, upstream.url)
    how[0] = "close"
    for _ in range(FAILURES):
        assert_problem(gateway.call("up", "m", ["x"]), "connection-lost", 502, "unknown")
    requests = len(upstream.exchanges)
    for _ in range(5):
        assert_open(gateway.call("up", "m", ["x"]))
    assert len(upstream.exchanges) == requests
    # One that fails opens it again.
    assert wait_until_due(gateway).problem == "connection-lost"
    assert_open(gateway.call("up", "m", ["x"]))
    how[0] = "fine"
    assert wait_until_due(gateway).result == "probe"
    for _ in range(5):
        assert gateway.call("up", "m", ["y"]).result == "y"
    gateway.wait_line('"breaker":"closed"')
    assert sum('"breaker":"open"' in line for line in gateway.lines) == 1
    assert sum('"breaker":"closed"' in line for line in gateway.lines) == 1


@pytest.mark.parametrize("what", ["500", "html", "fault"])
def test_complete_responses_do_not_count(start, what):
    upstream, how = scripted(start)
    gateway = gateway_of(start, upstream.url)
    how[0] = what
    for _ in range(3 * FAILURES):
        assert gateway.call("up", "m", ["x"]).problem in ("protocol-error", "bad-response", "fault")


def test_failures_must_be_in_a_row(start):
    upstream, how = scripted(start)
    gateway = gateway_of(start, upstream.url)
    for number in range(5 * FAILURES):
        how[0] = "fault" if number % FAILURES == FAILURES - 1 else "close"
        assert gateway.call("up", "m", ["x"]).problem in ("fault", "connection-lost")


@pytest.mark.parametrize("short", ["20ms", "300ms"])
def test_no_caller_opens_it_with_a_short_time(start, short):
    """Not with one of more than half of the time that the upstream has, either."""
    upstream, how = scripted(start)
    gateway = gateway_of(start, upstream.url, timeouts={"total": "500ms"})
    how[0] = "stall"
    for _ in range(3 * FAILURES):
        answer = gateway.call("up", "m", ["x"], X_Rpcgate_Timeout=short)
        assert_problem(answer, "timeout", 504)


def test_own_time_outs_count(start):
    upstream, how = scripted(start)
    gateway = gateway_of(start, upstream.url, timeouts={"total": "100ms"})
    how[0] = "stall"
    for _ in range(FAILURES):
        assert gateway.call("up", "m", ["x"], X_Rpcgate_Timeout="10s").problem == "timeout"
    assert_open(gateway.call("up", "m", ["x"]))


def test_time_in_the_queue_does_not_count(start):
    upstream, how = scripted(start)
    gateway = gateway_of(start, upstream.url, timeouts={"total": "2s"},
                         pool={"max_connections": 1, "queue_timeout": "50ms"})
    how[0] = "stall"
    with gateway.connect() as caller:
        caller.send(b'POST /v1/up/m HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n'
                    b'Content-Type: application/json\r\n\r\n[]')
        upstream.wait_requests(1)
        for _ in range(3 * FAILURES):
            assert_problem(gateway.call("up", "m", ["x"]), "overloaded", 503)
        assert caller.answer().problem == "timeout"


def test_a_late_turn_does_not_count(start):
    """A call that waited for most of its time, and then had too little for the upstream."""
    total = 1.0 * SLOW
    upstream, how = scripted(start)
    gate = upstream.gate()

    async def behave(x):
        if x.params[0] == "first":
            await gate.passed()
            await x.answer(1)
        else:
            await x.gone()
    upstream.behave = behave
    gateway = gateway_of(start, upstream.url, timeouts={"total": f"{int(1000 * total)}ms"},
                         methods=[{"match": "first", "timeout": "1m"}],
                         breaker={"failures": 1, "open": "1m"},
                         pool={"max_connections": 1, "queue_timeout": "1m"})
    with ThreadPoolExecutor(1) as pool, gateway.connect() as late:
        first = pool.submit(gateway.call, "up", "first", ["first"])
        upstream.wait_requests(1)
        late.send(wire.request("POST", "/v1/up/m", b'["late"]',
                               {"Content-Type": "application/json"}))
        threading.Timer(0.7 * total, gate.open).start()
        assert first.result().result == 1
        assert_problem(late.answer(), "timeout", 504, "unknown")
    upstream.behave = echo
    assert gateway.call("up", "m", ["x"]).result == "x"


def test_connect_failures_count(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        gateway = gateway_of(start, f"http://127.0.0.1:{taken.getsockname()[1]}")
        for _ in range(FAILURES):
            assert_problem(gateway.call("up", "m", [1]), "connect-failed", 502, "no")
        assert_open(gateway.call("up", "m", [1]))


def test_one_probe_over_all_workers(start):
    """While one call tries, 63 others are refused at once."""
    upstream, how = scripted(start)
    gateway = gateway_of(start, upstream.url, 4)
    how[0] = "close"
    for _ in range(FAILURES):
        gateway.call("up", "m", ["x"])
    time.sleep(0.55)
    gate = upstream.gate()
    before = len(upstream.exchanges)

    async def held(x):
        await gate.passed()
        await x.answer(1)
    upstream.behave = held

    async def main():
        everyone = await crowd.gather_callers(gateway.tcp, 64)
        calls = [asyncio.create_task(caller.call("up", "m", ["p"])) for caller in everyone]
        done = set()
        while len(done) < 63:
            done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0.01)
        for call in done:
            assert_open(call.result())
        gate.open()
        assert sorted(answer.status for answer in await asyncio.gather(*calls)) == [200] + [503] * 63
        for caller in everyone:
            caller.close()
    crowd.run(main())
    assert len(upstream.exchanges) == before + 1
    assert gateway.call("up", "m", ["x"]).result == 1


def test_probe_whose_caller_has_no_time(start):
    """It tells nothing of the upstream, and the next call tries."""
    upstream, how = scripted(start)
    gateway = gateway_of(start, upstream.url, timeouts={"total": "5s"})
    how[0] = "close"
    for _ in range(FAILURES):
        gateway.call("up", "m", ["x"])
    how[0] = "stall"
    while (answer := gateway.call("up", "m", ["x"], X_Rpcgate_Timeout="20ms")).status == 503:
        time.sleep(0.02)
    assert_problem(answer, "timeout", 504)
    how[0] = "fine"
    assert gateway.call("up", "m", ["now"]).result == "now"


# /readyz

def status_of(gateway) -> tuple[int, str]:
    answer = gateway.get("/readyz")
    return answer.status, answer.json["status"]


def wait_status(gateway, wanted: tuple[int, str]):
    end = time.monotonic() + 12 * SLOW
    while (found := status_of(gateway)) != wanted:
        assert time.monotonic() < end, found
        time.sleep(0.05)


def test_ready_without_required(start):
    upstream, how = scripted(start)
    gateway = gateway_of(start, upstream.url)
    how[0] = "close"
    for _ in range(FAILURES + 1):
        gateway.call("up", "m", ["x"])
    assert status_of(gateway) == (200, "ready")


def test_required_with_an_open_breaker(start):
    upstream, how = scripted(start)
    gateway = gateway_of(start, upstream.url, required=True)
    assert status_of(gateway) == (200, "ready")
    how[0] = "close"
    for _ in range(FAILURES):
        gateway.call("up", "m", ["x"])
    assert status_of(gateway) == (503, "upstream-down")
    assert gateway.get("/livez").status == 200
    how[0] = "fine"
    wait_until_due(gateway)
    assert status_of(gateway) == (200, "ready")


def test_required_is_tried_without_calls(start):
    """By a bare connect: nothing is sent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        gateway = gateway_of(start, f"http://127.0.0.1:{taken.getsockname()[1]}", required=True)
        wait_status(gateway, (503, "upstream-down"))
        taken.listen(8)
        wait_status(gateway, (200, "ready"))
        taken.settimeout(20)
        connection, _ = taken.accept()
        with connection:
            connection.settimeout(20)
            assert connection.recv(1) == b""
