# SPDX-License-Identifier: Apache-2.0
"""Many callers at once, callers that leave, upstreams that take their time."""

import asyncio
import json
import statistics
import time

import pytest

from rig import crowd
from rig.settings import SANITIZED, SLOW
from rig.wire import request

pytestmark = pytest.mark.concurrency


@pytest.fixture(scope="module")
def gateway(start_shared, shared_upstream):
    return start_shared.simple(shared_upstream, workers=4)


def one_after_another(gateway, calls: int) -> list[float]:
    """The seconds that each of so many calls takes on one connection."""
    data = request("POST", "/v1/up/m", b"[1]")
    seconds = []
    with gateway.connect() as caller:
        for _ in range(calls):
            start = time.perf_counter()
            caller.send(data)
            assert caller.answer().result == 1
            seconds.append(time.perf_counter() - start)
    return seconds


def test_exactly_one_connection_has_no_stall(gateway, upstream):
    """A reply that wakes nobody waits for the next time-out: whole seconds, on a connection that is
    alone. No call may come near one; and as other processes of the machine can delay a call, too,
    one run of many has to be even, not all."""
    one_after_another(gateway, 20)
    ratios = []
    while len(ratios) < 40 and (not ratios or ratios[-1] > 1.5):
        run = one_after_another(gateway, 200)
        assert max(run) < 0.5 * SLOW
        ratios.append(sum(run) / (len(run) * statistics.median(run)))
    assert ratios[-1] <= 1.5, ratios


async def _crowd(gateway, callers: int, calls: int, over: str = "tcp"):
    """All callers connect, then all call at once, each so many times; every answer is its own."""
    address = gateway.tcp if over == "tcp" else gateway.unix
    everyone = await crowd.gather_callers(address, callers)

    async def work(number: int, caller: crowd.Caller):
        for turn in range(calls):
            nonce = f"{over} {number} {turn}"
            answer = await caller.call("up", "m", [nonce, {"n": number}])
            assert answer.result == nonce
        caller.close()

    await asyncio.gather(*(work(number, caller) for number, caller in enumerate(everyone)))


@pytest.mark.parametrize("over", ["tcp", "unix"])
@pytest.mark.parametrize("callers, calls", [(64, 20), (1000, 2)])
def test_callers_at_once(gateway, upstream, over, callers, calls):
    crowd.run(_crowd(gateway, callers, calls, over))
    assert len(upstream.executed) == callers * calls
    assert set(upstream.executed.values()) == {1}


def test_errors_and_results_side_by_side(gateway, upstream):
    """Each of 64 callers gets what is its own: results, faults, refusals, lost connections."""
    async def behave(x):
        kind = x.params[0]
        if kind == "fault":
            await x.answer_fault(7, "no")
        elif kind == "lost":
            x.close()
        else:
            await x.answer(kind)
    upstream.behave = behave
    wanted = {"fine": 200, "fault": 500, "lost": 502, None: 422}

    async def main():
        async def work(caller, number):
            for turn in range(12):
                kind = list(wanted)[(number + turn) % 4]
                assert (await caller.call("up", "m", [kind])).status == wanted[kind]
            caller.close()
        everyone = await crowd.gather_callers(gateway.tcp, 64)
        await asyncio.gather(*(work(caller, n) for n, caller in enumerate(everyone)))
    crowd.run(main())


def test_slow_upstream_while_others_go_on(start, gateway, upstream):
    """A call that takes 2 s holds nobody up, not even in its own worker."""
    answered = []

    async def behave(x):
        if x.method == "slow":
            await x.after(2)
            answered.append(time.monotonic())
        await x.answer(x.params[0])
    upstream.behave = behave
    lonely = start.simple(upstream, workers=1)

    async def main():
        slow, *others = await crowd.gather_callers(lonely.tcp, 9)
        waiting = asyncio.create_task(slow.call("up", "slow", ["s"]))
        await asyncio.to_thread(upstream.wait_requests, 1)

        async def quick(caller):
            slowest = 0.0
            for number in range(50):
                one = await crowd.timed(caller.call("up", "m", [number]))
                assert one.answer.result == number
                slowest = max(slowest, one.seconds)
            return slowest, time.monotonic()
        results = await asyncio.gather(*map(quick, others))
        assert (await waiting).result == "s"
        return results
    results = crowd.run(main())
    assert max(slowest for slowest, _ in results) < 1.5 * SLOW
    if not SANITIZED:
        assert max(end for _, end in results) < answered[0], "they waited for the slow one"


def test_one_stuck_call_for_each_worker_and_livez(start, upstream):
    """Calls that hang do not keep /livez from answering."""
    gate = upstream.gate()

    async def behave(x):
        await gate.passed()
        await x.answer(1)
    upstream.behave = behave
    gateway = start.simple(upstream, workers=2)
    callers = [gateway.connect() for _ in range(16)]
    for caller in callers:
        caller.send(request("POST", "/v1/up/m", b"[]"))
    upstream.wait_requests(16)
    for _ in range(8):
        assert gateway.get("/livez").status == 200
    gate.open()
    assert all(caller.answer().result == 1 for caller in callers)
    for caller in callers:
        caller.close()


@pytest.mark.parametrize("leave", ["close", "reset"])
def test_callers_that_leave_while_their_call_runs(start, upstream, leave):
    """The gateway lives on, forgets them, and runs no call twice."""
    gate = upstream.gate()

    async def behave(x):
        if x.method == "held":
            await gate.passed()
        await x.answer(x.params[0])
    upstream.behave = behave
    gateway = start.simple(upstream, workers=2)
    callers = [gateway.connect() for _ in range(32)]
    for number, caller in enumerate(callers):
        caller.send(request("POST", "/v1/up/held", json.dumps([f"n{number}"]).encode()))
    upstream.wait_requests(32)
    for caller in callers[::2]:
        getattr(caller, leave)()
    assert gateway.call("up", "m", ["other"]).result == "other"
    gate.open()
    for number, caller in list(enumerate(callers))[1::2]:
        assert caller.answer().result == f"n{number}"
        caller.close()
    assert gateway.call("up", "m", ["after"]).result == "after"
    assert set(upstream.executed.values()) == {1}


def test_caller_that_has_only_finished_sending(start, upstream):
    """A half-closed connection still wants its answer."""
    gate = upstream.gate()

    async def behave(x):
        await gate.passed()
        await x.answer("for you")
    upstream.behave = behave
    gateway = start.simple(upstream)
    with gateway.connect() as caller:
        caller.send(request("POST", "/v1/up/m", b"[]"))
        caller.finish_sending()
        upstream.wait_requests(1)
        gate.open()
        assert caller.answer().result == "for you"


def test_new_connections_all_the_time(gateway, upstream):
    """Callers that make a connection for each call."""
    async def main():
        async def work(number):
            for turn in range(15):
                caller = await crowd.Caller.connect(gateway.tcp)
                answer = await caller.ask("POST", "/v1/up/m", b'["%d"]' % turn,
                                          {"Connection": "close"})
                assert answer.result == str(turn)
                caller.close()
        await asyncio.gather(*(work(number) for number in range(32)))
    crowd.run(main())
    assert len(upstream.exchanges) == 15 * 32
