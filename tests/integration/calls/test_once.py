# SPDX-License-Identifier: Apache-2.0
"""No call is executed twice, whatever happens to the connection that it went out on."""

import asyncio
import threading

import pytest

from rig import crowd
from rig.check import assert_problem
from rig.settings import DEADLINE
from rig.upstream import http_response, response_document


@pytest.fixture
def pair(start):
    """A scriptable upstream and a gateway with one worker: it keeps few connections."""
    upstream = start.upstream()
    return upstream, start.simple(upstream, workers=1)


async def close_second(x):
    """Answers the first request of a connection; reads the next one and closes."""
    if x.number == 1:
        return await x.answer("first")
    x.close()


async def reset_second(x):
    if x.number == 1:
        return await x.answer("first")
    x.reset()


@pytest.mark.parametrize("behave", [close_second, reset_second])
def test_kept_connection_dies_after_the_request_was_read(pair, behave):
    upstream, gateway = pair
    upstream.behave = behave
    assert gateway.call("up", "m", ["one"]).result == "first"
    assert_problem(gateway.call("up", "m", ["two"]), "connection-lost", 502, "unknown")
    assert gateway.call("up", "m", ["three"]).result == "first"
    assert upstream.connections == 2, "the connection was kept for the second call"
    assert upstream.executed == {"one": 1, "two": 1, "three": 1}


def test_kept_connection_dies_with_a_large_request(pair):
    """The same with a body that goes out in many pieces."""
    upstream, gateway = pair
    upstream.behave = close_second
    assert gateway.call("up", "m", ["one"]).result == "first"
    assert_problem(gateway.call("up", "m", ["two", "x" * 1_000_000]), "connection-lost", 502,
                   "unknown")
    assert upstream.executed == {"one": 1, "two": 1}
    # libcurl would rewind the body of a call that was refused once with each later one, too.
    assert gateway.call("up", "m", ["three"]).result == "first"
    # What has ended one is not sent another on it.
    assert gateway.call("up", "m", ["four", "x" * 1_000_000]).result == "first"
    assert gateway.call("up", "m", ["five", "x" * 1_000_000]).result == "first"


def test_kept_connection_dies_while_the_request_is_read(start):
    """The upstream has only the head when it closes."""
    async def peek(x):
        if x.number == 2:
            x.reset()
    upstream = start.upstream(peek=peek)
    gateway = start.simple(upstream, workers=1)
    assert gateway.call("up", "m", ["one"]).result == "one"
    answer = gateway.call("up", "m", ["two", "x" * 2_000_000])
    assert_problem(answer, "connection-lost", 502, "unknown")
    assert upstream.executed == {"one": 1}


def test_upstream_that_closes_idle_connections(pair):
    """What is closed before the call begins is seen, or the call is lost; it never runs twice."""
    upstream, gateway = pair
    for number in range(20):
        answer = gateway.call("up", "m", [f"n{number}"])
        if answer.status != 200:
            assert_problem(answer, "connection-lost", 502)
        upstream.close_idle()
    assert set(upstream.executed.values()) == {1}
    assert upstream.executed["n0"] == 1


def test_upstream_that_closes_after_each_answer_without_saying(pair):
    """Calls race with the close: each runs once or not at all, and most succeed."""
    upstream, gateway = pair

    async def behave(x):
        await x.answer(x.params[0])
        x.close()
    upstream.behave = behave
    statuses = [gateway.call("up", "m", [f"n{number}"]).status for number in range(50)]
    assert set(statuses) <= {200, 502} and statuses.count(200) >= 25
    assert max(upstream.executed.values()) == 1
    assert len(upstream.executed) >= statuses.count(200)


def test_upstream_that_says_close(pair):
    """`Connection: close` is obeyed: no call is lost."""
    upstream, gateway = pair

    async def behave(x):
        await x.respond(response_document(x.params[0]), headers={"Connection": "close"})
        x.close()
    upstream.behave = behave
    for number in range(20):
        assert gateway.call("up", "m", [f"n{number}"]).result == f"n{number}"
    assert upstream.connections == 20


@pytest.mark.parametrize("at_once", [True, False])
def test_unasked_for_second_answer(pair, at_once):
    """What an upstream sends without being asked, with its answer or when nothing is under way, is
    never taken for the next call's answer."""
    upstream, gateway = pair
    unasked, sent = upstream.gate(), threading.Event()

    async def behave(x):
        answer = http_response(response_document(x.params[0]))
        if x.params[0] == "n0":
            more = http_response(response_document("unasked for"))
            if at_once:
                return await x.send(answer + more)
            await x.send(answer)
            await unasked.passed()
            answer = more
        await x.send(answer)
        sent.set()
    upstream.behave = behave
    assert gateway.call("up", "m", ["n0"]).result == "n0"
    if not at_once:
        unasked.open()
        assert sent.wait(DEADLINE)
    for number in range(1, 10):
        answer = gateway.call("up", "m", [f"n{number}"])
        assert answer.status == 502 or answer.result == f"n{number}"
    assert max(upstream.executed.values()) == 1


def test_answer_after_the_deadline(pair):
    """An answer that comes too late is not the next call's."""
    upstream, gateway = pair
    gate = upstream.gate()

    async def behave(x):
        if x.params[0] == "late":
            await gate.passed()
        await x.answer(x.params[0])
    upstream.behave = behave
    assert gateway.call("up", "m", ["early"]).result == "early"
    assert_problem(gateway.call("up", "m", ["late"], X_Rpcgate_Timeout="100ms"), "timeout", 504,
                   "unknown")
    gate.open()
    assert gateway.call("up", "m", ["next"]).result == "next"
    assert upstream.executed == {"early": 1, "late": 1, "next": 1}


@pytest.mark.concurrency
def test_dying_connections_under_load(start):
    """64 callers while every third request of a connection is read and never answered."""
    upstream = start.upstream()

    async def behave(x):
        if x.number % 3 == 0:
            return x.reset()
        await x.answer(x.params[0])
    upstream.behave = behave
    gateway = start.simple(upstream, workers=2)

    async def main():
        async def work(caller, number):
            for turn in range(20):
                nonce = f"{number} {turn}"
                answer = await caller.call("up", "m", [nonce])
                if answer.status == 200:
                    assert answer.result == nonce
                else:
                    assert_problem(answer, "connection-lost", 502)
            caller.close()
        everyone = await crowd.gather_callers(gateway.tcp, 64)
        await asyncio.gather(*(work(caller, n) for n, caller in enumerate(everyone)))
    crowd.run(main())
    assert max(upstream.executed.values()) == 1
