# SPDX-License-Identifier: Apache-2.0
"""Batches that end before their time: drained, cut off, or left by their callers."""

import asyncio
import json
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig.check import assert_failed, eventually
from rig.multicall import Multicall, held, methods
from rig.settings import up_settings

JOURNAL = {"log": {"format": "json"}}


def test_a_batch_is_drained(start):
    upstream, gate = held(start)
    gateway = start.gateway(up_settings(upstream))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(gateway.batch, "up", ("wait",), ("echo", 2))
        upstream.wait_requests(2)
        gateway.signal(signal.SIGTERM)
        gateway.wait_line("stopping")
        gate.open()
        assert running.result() == [{"result": 1}, {"result": 2}]


@pytest.mark.parametrize("way", ["auto", "never"])
def test_a_batch_is_cut_off(start, way):
    async def wait():
        await asyncio.sleep(3600)

    upstream = start.upstream(Multicall(methods(wait=wait)))
    gateway = start.gateway(up_settings(upstream, multicall=way, multicall_max=2,
                                     pool={"max_connections": 2}) | {"limits": {"drain": "300ms"}})
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(gateway.batch, "up", ("echo", 1), 5, ("wait",), ("wait",),
                              ("echo", 2), ("echo", 3))
        upstream.wait_for(lambda u: sum(b"wait" in x.body for x in u.exchanges) >= 1)
        gateway.signal(signal.SIGTERM)
        results = running.result()
    assert results[0] == {"result": 1}
    assert_failed(results[1], "invalid-request", 400, "no")
    assert_failed(results[2], "draining", 503, "unknown")
    assert_failed(results[3], "draining", 503, "unknown")
    assert_failed(results[4], "draining", 503, "no")
    assert_failed(results[5], "draining", 503, "no")


def test_a_question_is_cut_off(start):
    """Who asked how the upstream answers, and who waits for it, get `draining`."""
    async def behave(x):
        await x.gone()

    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream) | {"limits": {"drain": "300ms"}, "workers": 2})
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(gateway.batch, "up", ("echo", 1), ("echo", 2)) for _ in range(4)]
        upstream.wait_requests(1)
        # Who has not connected yet would be refused. The one that asks for the number counts, too.
        eventually(lambda: gateway.metric("rpcgate_connections"), lambda n: n >= 5)
        gateway.signal(signal.SIGTERM)
        for future in running:
            for result in future.result():
                assert_failed(result, "draining", 503, "no")
    assert len(upstream.exchanges) == 1


def test_a_caller_that_leaves(start):
    """What was sent goes on to its end; nothing more is sent."""
    upstream, gate = held(start)
    gateway = start.gateway(up_settings(upstream, multicall="never", pool={"max_connections": 2})
                            | JOURNAL)
    body = json.dumps([{"method": "wait", "params": [n]} for n in range(6)]).encode()
    connection = gateway.connect()
    connection.send(b"POST /v1/up HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    b"X-Request-Id: leaver\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    upstream.wait_requests(2)
    connection.reset()
    assert gateway.call("up", "echo", [1], X_Rpcgate_Timeout="100ms").status == 503  # looks again
    gate.open()
    line = gateway.access_line("leaver")
    assert line["msg"] == "request, caller left" and line["calls"] == 6
    assert len(upstream.exchanges) == 2
