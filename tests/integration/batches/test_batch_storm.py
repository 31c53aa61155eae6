# SPDX-License-Identifier: Apache-2.0
"""Many batches at once, before an upstream that fails in every way, with callers that leave,
reloads and a shutdown in between: each result is that of its call, or a problem."""

import asyncio
import json
import random
import signal
import threading
import time

import pytest

from rig.multicall import Multicall, methods
from rig.settings import SLOW
from rig.upstream import Upstream

CALLERS = 16
SECONDS = 3
SIZES = (0, 1, 2, 6, 20, 60)


async def slow(value):
    await asyncio.sleep(0.02)
    return value


class Failing(Multicall):
    """Most of the time it answers, and then it is right."""

    def __init__(self):
        super().__init__(methods(slow=slow))
        self.random = random.Random(1)

    async def __call__(self, x):
        match self.random.randrange(30):
            case 0:
                x.reset()
            case 1:
                x.close()
            case 2:
                await x.respond(b"<html>", "503 Busy")
            case 3:
                await x.answer_fault(self.random.choice([-32601, 5, -32700]), "all of it")
            case 4 if x.method == "system.multicall":
                await x.answer([[1]] * 61)
            case 5:
                await x.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<?xml")
                x.reset()
            case _:
                await super().__call__(x)


def settings(upstream: Upstream, number: int) -> dict:
    """Each number's are others, so that a reload changes all upstreams."""
    def up(**more):
        return {"url": upstream.url, "timeouts": {"total": f"{1000 * SLOW}ms"},
                "pool": {"max_connections": 4 + number % 3, "max_queue": 8,
                         "queue_timeout": "200ms"},
                "breaker": {"failures": 20, "open": "50ms"}, "retry": {"attempts": 3},
                "methods": ({"match": "echo", "safe": True},), "multicall_results": "wrapped",
                **more}
    return {"anonymous": {"allow": ["*/*"], "deny": ["*/secret"]}, "workers": 3,
            "limits": {"memory": "8M", "drain": "500ms"}, "log": {"access": False},
            "upstreams": {"chunks": up(multicall_max=5), "aside": up(multicall="never"),
                          "always": up(multicall="always", multicall_max=7)}}


#: Calls, and whether a result is one of theirs.
CALLS = (
    (lambda n: {"method": "echo", "params": [[n]]}, lambda n, result: result == [n]),
    (lambda n: {"method": "slow", "params": [n]}, lambda n, result: result == n),
    (lambda n: {"method": "echo", "params": [str(n) * 5000]},
     lambda n, result: result == str(n) * 5000),
    (lambda n: {"method": "fail", "params": [n, "f"]}, None),
    (lambda n: {"method": "secret"}, None),
    (lambda n: {"method": "echo", "params": [None]}, None),
    (lambda n: n, None),
)


class Caller:
    def __init__(self, gateway, seed: int, end: float):
        self.gateway, self.random, self.end = gateway, random.Random(seed), end
        self.good = 0
        self.wrong: list = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while time.monotonic() < self.end:
            kinds = self.random.choices(CALLS, (9, 3, 1, 1, 1, 1, 1), k=self.random.choice(SIZES))
            try:
                self._one(kinds)
            except OSError:
                pass  # it is going down
            except AssertionError as error:
                self.wrong.append(error)

    def _one(self, kinds):
        upstream = self.random.choice(("chunks", "aside", "always"))
        calls = [make(n) for n, (make, _) in enumerate(kinds)]
        if self.random.randrange(8) == 0:
            self._leave(upstream, calls)
        elif self.random.randrange(3) == 0:
            self._jsonrpc(upstream, calls, kinds)
        else:
            answer = self.gateway.post_json(f"/v1/{upstream}", calls)
            assert answer.status == 200 or answer.problem == "draining", answer
            if answer.status == 200:
                results = answer.json["results"]
                assert len(results) == len(kinds)
                self._check(kinds, enumerate(results))

    def _jsonrpc(self, upstream: str, calls: list, kinds):
        """Every fourth is a notification."""
        requests = [call if not isinstance(call, dict) else
                    {"jsonrpc": "2.0", **call} | ({"id": n} if n % 4 else {})
                    for n, call in enumerate(calls)]
        answer = self.gateway.jsonrpc(upstream, requests)
        if answer.status == 200 and isinstance(answer.json, list):
            told = [result for result in answer.json if result["id"] is not None]
            assert [result["id"] for result in told] == [
                n for n, call in enumerate(calls) if n % 4 and isinstance(call, dict)]
            self._check(kinds, ((result["id"], result) for result in told))
        else:
            assert answer.status in (200, 204) or answer.problem == "draining", answer

    def _check(self, kinds, results):
        for n, result in results:
            if "result" in result:
                is_right = kinds[n][1]
                assert is_right is not None and is_right(n, result["result"]), (n, result)
                self.good += 1

    def _leave(self, upstream: str, calls: list):
        body = json.dumps(calls).encode()
        with self.gateway.connect() as connection:
            connection.send(f"POST /v1/{upstream} HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                            f"application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            connection.send(body)
            connection.reset()


@pytest.mark.concurrency
@pytest.mark.parametrize("drains", [True, False])
def test_storm(start, drains):
    upstream = start.upstream(Failing())
    gateway = start.gateway(settings(upstream, 0))
    end = time.monotonic() + SECONDS
    callers = [Caller(gateway, seed, end) for seed in range(CALLERS)]
    number = 0
    while time.monotonic() < end - 1:
        number += 1
        gateway.reload(settings(upstream, number))
    if drains:
        gateway.signal(signal.SIGTERM)
    for caller in callers:
        caller.thread.join()
    wrong = [error for caller in callers for error in caller.wrong]
    assert not wrong, wrong[:3]
    assert sum(caller.good for caller in callers) > 100
