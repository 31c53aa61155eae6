# SPDX-License-Identifier: Apache-2.0
"""Thousands of failing calls of all kinds: nothing is lost by them."""

import asyncio
import socket

import pytest

from rig import crowd
from rig.process import Holds, holds, wait_until
from rig.settings import SANITIZED
from test_failures import TABLE

CALLERS = 32
CALLS = 10_000
#: What a freed heap may keep, and what libraries remember. [bytes]
GROWTH = 6 << 20

#: Without those that move megabytes or wait.
QUICK = [row for row in TABLE if not row.waits and "bomb" not in row.name
         and row.name not in ("endless header line", "long header line", "long status line",
                              "blanks for ever", "large",
                              "too much before the document")]


async def as_the_nonce_says(x):
    await QUICK[int(x.params[0].split()[0])].behave(x)


async def silence(x):
    await x.gone()


@pytest.fixture
def gateway(start):
    upstream, silent = start.upstream(as_the_nonce_says), start.upstream(silence)
    with socket.socket() as dead:  # its port is taken, and nobody accepts
        dead.bind(("127.0.0.1", 0))
        urls = {"up": upstream.url, "silent": silent.url,
                "dead": f"http://127.0.0.1:{dead.getsockname()[1]}",
                "nowhere": "http://nowhere.invalid/"}
        gateway = start.gateway({
            "workers": 2, "anonymous": {"allow": ["*/*"]}, "log": {"access": False},
            "upstreams": {name: {"url": url, "breaker": {"failures": 1_000_000},
                                 "retry": {"backoff": "1ms"}, "timeouts": {"idle": "1s"}}
                          for name, url in urls.items()}})
        gateway.upstream = upstream
        yield gateway


async def fail(caller: crowd.Caller, number: int):
    """One call that fails, of the kind that belongs to the number."""
    turn = number // 16
    match number % 16:
        case 0:
            answer = await caller.call("dead", "m", [1])
            assert answer.problem == "connect-failed"
        case 1:
            answer = await caller.ask("POST", "/v1/up/m", b"[1,")
            assert answer.problem == "invalid-json"
        case 2:
            answer = await caller.call("up", "m", [None])
            assert answer.problem == "unrepresentable"
        case 3 if turn % 8 == 0:
            answer = await caller.call("silent", "m", [1], {"X-Rpcgate-Timeout": "20ms"})
            assert answer.problem == "timeout"
        case 4 if turn % 8 == 0:
            answer = await caller.call("nowhere", "m", [1])
            assert answer.problem == "connect-failed"
        case _:
            at = (number * 7) % len(QUICK)
            answer = await caller.call("up", "m", [f"{at} {number}"])
            # A connection may end just when the next call is on its way.
            assert answer.status == QUICK[at].status or answer.problem == "connection-lost", (
                QUICK[at].name, answer)


async def crowd_of(gateway, first: int, calls: int):
    async def work(caller, numbers):
        for number in numbers:
            await fail(caller, number)
        caller.close()
    everyone = await crowd.gather_callers(gateway.tcp, CALLERS)
    await asyncio.gather(*(work(caller, range(first + n, first + calls, CALLERS))
                           for n, caller in enumerate(everyone)))


def rest(gateway, then: Holds) -> Holds:
    """Waits until callers are gone and idle connections have ended, and with them whatever else it
    holds more than then."""
    return wait_until(gateway.process.pid, lambda now: now.descriptors <= then.descriptors
                      and now.threads <= then.threads)


@pytest.mark.concurrency
def test_nothing_is_lost(gateway):
    idle = holds(gateway.process.pid)
    crowd.run(crowd_of(gateway, 0, 2000))
    before = rest(gateway, idle)
    crowd.run(crowd_of(gateway, 2000, CALLS), timeout=300)
    after = rest(gateway, before)
    assert (after.descriptors, after.threads) == (before.descriptors, before.threads)
    assert SANITIZED or after.memory < before.memory + GROWTH, (before, after)
    executed = gateway.upstream.executed
    assert max(executed.values()) == 1 and len(executed) > CALLS // 2
