# SPDX-License-Identifier: Apache-2.0
"""POST /v1/{upstream}: several calls at once, in one round trip, in several, or side by side."""

import asyncio
import json
import xmlrpc.client

import pytest

from rig.check import assert_failed
from rig.multicall import Multicall, methods
from rig.settings import SLOW, up_settings

JOURNAL = {"log": {"format": "json"}}


def test_one_round_trip(up):
    multicall = Multicall()
    gateway, upstream = up(multicall)
    results = gateway.batch("up", ("add", 1, 2), {"method": "system.listMethods"},
                            ("echo", {"a": [1.5]}), {"method": "echo", "params": "alone"})
    assert results == [{"result": 3}, {"result": multicall.functions["system.listMethods"]()},
                       {"result": {"a": [1.5]}}, {"result": "alone"}]
    assert (multicall.questions, multicall.sizes, multicall.singles) == (1, [4], [])
    assert len(upstream.exchanges) == 2


@pytest.mark.parametrize("wraps", [True, False])
@pytest.mark.parametrize("value", [[], [1], [[1]], [[]], ["a"], [["a"]], [{"a": 1}], {}, {"a": [1]},
                                   "", 0, False, [1, 2], {"faultCode": 1}, {"faultString": "x"}])
def test_no_shape_is_confused(start_shapes, wraps, value):
    """A list of one never comes out as its element."""
    results = start_shapes[wraps].batch("up", ("echo", value), ("echo", value))
    assert results == [{"result": value}, {"result": value}]


@pytest.fixture(scope="module")
def start_shapes(start_shared):
    shapes = {}
    for wraps in (True, False):
        upstream = start_shared.upstream(Multicall(wraps=wraps))
        shapes[wraps] = start_shared.gateway(up_settings(upstream))
    return shapes


def test_empty(up):
    gateway, upstream = up(Multicall())
    assert gateway.batch("up") == []
    assert upstream.exchanges == []


@pytest.mark.parametrize("wraps, wraps_faults", [(True, False), (True, True), (False, False)])
def test_faults_of_calls(up, wraps, wraps_faults):
    gateway, _ = up(Multicall(wraps=wraps, wraps_faults=wraps_faults),
                    faults=({"code": 7, "status": 409, "type": "taken"},))
    results = gateway.batch("up", ("fail", 4, "four"), ("add", 1, 1), ("fail", -32601, "none"),
                            ("fail", 7, ""))
    assert_failed(results[0], "fault", 500, "yes", method="fail", upstream="up",
                  fault={"code": 4, "string": "four"})
    assert results[1] == {"result": 2}
    assert_failed(results[2], "fault", 404, "no")
    assert results[3]["problem"]["type"] == "urn:rpcgate:problem:taken"
    assert results[3]["problem"]["status"] == 409


def test_secrets_are_hidden(up):
    gateway, _ = up(Multicall(methods(
        tell=lambda: (_ for _ in ()).throw(xmlrpc.client.Fault(1, "it is s3cr3t-word!")))),
        auth={"scheme": "basic", "username": "u", "password": "s3cr3t-word"})
    result, = gateway.batch("up", ("tell",))
    assert result["problem"]["fault"]["string"] == "it is ***!"
    assert "s3cr3t" not in json.dumps(result)


# Many.

def test_chunks(up):
    multicall = Multicall()
    gateway, _ = up(multicall, multicall_max=3)
    assert gateway.batch("up", *[("echo", n) for n in range(8)]) == [
        {"result": n} for n in range(8)]
    assert multicall.sizes == [3, 3, 2]


def test_a_chunk_that_fails_is_the_only_one(start):
    multicall = Multicall()

    async def behave(x):
        if len(multicall.sizes) == 1:
            multicall.sizes.append(0)
            x.reset()
        else:
            await multicall(x)

    gateway = start.gateway(up_settings(start.upstream(behave), multicall_max=2))
    results = gateway.batch("up", *[("echo", n) for n in range(6)])
    assert results[:2] == [{"result": 0}, {"result": 1}]
    assert results[4:] == [{"result": 4}, {"result": 5}]
    for result in results[2:4]:
        assert_failed(result, "connection-lost", 502, "unknown")


@pytest.mark.parametrize("way", ["auto", "never"])
def test_thousands(up, way):
    gateway, _ = up(Multicall(), multicall=way, timeouts={"total": f"{60 * SLOW}s"})
    calls = [("echo", [n]) if n % 7 else ("fail", n, "x") for n in range(2500)]
    results = gateway.batch("up", *calls)
    for n, result in enumerate(results):
        if n % 7:
            assert result == {"result": [n]}
        else:
            assert result["problem"]["fault"]["code"] == n


def test_large_values(up):
    gateway, _ = up(Multicall(), limits={"response": "64M"}, top={"limits": {"body": "16M"}})
    text = "x" * 3_000_000
    results = gateway.batch("up", ("echo", text), ("echo", None), ("echo", [text]))
    assert results[0] == {"result": text} and results[2] == {"result": [text]}
    assert_failed(results[1], "unrepresentable", 422, "no", pointer="/1/params/0")


def test_side_by_side_within_the_pool(start):
    """At most pool.max_connections of them run at once, and order is kept."""
    running = most = 0

    async def slow(n):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002 * (10 - n % 10))
        running -= 1
        return n

    gateway = start.gateway(up_settings(start.upstream(Multicall(methods(slow=slow))),
                                     multicall="never", pool={"max_connections": 4}))
    assert gateway.batch("up", *[("slow", n) for n in range(40)]) == [
        {"result": n} for n in range(40)]
    assert most == 4


def test_side_by_side_each_fails_alone(up):
    gateway, _ = up(Multicall(), multicall="never")
    results = gateway.batch("up", ("add", 1, 2), ("fail", 3, "x"), ("none",), ("echo", None),
                            ("echo", [1]))
    assert results[0] == {"result": 3} and results[4] == {"result": [1]}
    assert_failed(results[1], "fault", 500, "yes", fault={"code": 3, "string": "x"})
    assert_failed(results[2], "fault", 404, "no")
    assert_failed(results[3], "unrepresentable", 422, "no", pointer="/3/params/0")


# What is told of it.

def test_too_long_a_method_is_not_repeated(up):
    gateway, _ = up(Multicall())
    short, long = gateway.batch("up", {"method": "no.such"}, {"method": "\n" * 2000})
    assert short["problem"]["method"] == "no.such"
    assert "method" not in long["problem"]
    assert "2000 characters" in long["problem"]["detail"]


def test_access_line_and_metrics(start):
    upstream = start.upstream(Multicall())
    gateway = start.gateway(up_settings(upstream) | JOURNAL)
    answer = gateway.post_json("/v1/up", [{"method": "add", "params": [1, 2]}, {"method": "none"},
                                          {"method": "add", "params": [1, 2]}, 5])
    line = gateway.access_line(answer.header("X-Request-Id"))
    assert line["calls"] == 4 and line["status"] == 200 and "method" not in line
    assert "problem" not in line and line["upstream_ms"] > 0
    metrics = gateway.get("/metrics").body.decode()
    requests = 'rpcgate_requests_total{upstream="up",'
    assert requests + 'method="add",outcome="ok"} 2' in metrics
    assert requests + 'method="other",outcome="fault"} 1' in metrics
    assert requests + 'method="other",outcome="invalid-request"} 1' in metrics
    assert "multicall" not in metrics
    assert 'rpcgate_request_duration_seconds_count{upstream="up"} 1' in metrics


@pytest.mark.parametrize("use", ["auto", "never"])
def test_retry_after_is_the_longest(up, use):
    gateway, _ = up(Multicall(), multicall=use, faults=({"code": 1, "retry_after": "7s"},
                                                        {"code": 2, "retry_after": "3s"}))
    answer = gateway.post_json("/v1/up", [{"method": "fail", "params": [code, "x"]}
                                          for code in (1, 2, 4)])
    assert answer.status == 200 and answer.header("Retry-After") == "7"
    answer = gateway.post_json("/v1/up", [{"method": "fail", "params": [4, "x"]}])
    assert answer.status == 200 and answer.header("Retry-After") is None
