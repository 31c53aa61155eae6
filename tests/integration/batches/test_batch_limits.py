# SPDX-License-Identifier: Apache-2.0
"""What limits, deadlines, rates and rights mean for a batch."""

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig.check import assert_failed, assert_problem
from rig.multicall import Multicall, held, methods
from rig.settings import SLOW, up_settings


def test_deadline_is_the_greatest_of_the_calls(start):
    upstream, gate = held(start)
    gateway = start.gateway(up_settings(upstream, timeouts={"total": "200ms"}, methods=(
        {"match": "wait", "timeout": f"{20 * SLOW}s"},)))
    for result in gateway.batch("up", ("wait",), ("echo", 2), X_Rpcgate_Timeout="300ms"):
        assert_failed(result, "timeout", 504, "unknown")
    threading.Timer(0.5, gate.open).start()
    assert gateway.batch("up", ("wait",), ("echo", 2)) == [{"result": 1}, {"result": 2}]


async def pause():
    """A call that takes its time."""
    await asyncio.sleep(0.2 * SLOW)
    return 1


def test_the_callers_time_is_for_the_whole_batch(start):
    """It does not begin anew with each call."""
    upstream = start.upstream(Multicall(methods(pause=pause)))
    gateway = start.gateway(up_settings(upstream, multicall="never", pool={"max_connections": 1}))
    results = gateway.batch("up", *[("pause",)] * 6,
                            X_Rpcgate_Timeout=f"{int(500 * SLOW)}ms")
    assert results[0] == {"result": 1}
    late = [result["problem"]["executed"] for result in results if "problem" in result]
    assert len(late) >= 4 and late.count("unknown") <= 1
    assert upstream.behave.ran.count(("pause",)) <= 3


@pytest.mark.parametrize("way", ["always", "never"])
@pytest.mark.parametrize("calls", [("quick", "pause"), ("pause", "quick")])
def test_deadline_is_the_greatest_in_any_order(start, way, calls):
    """In one round trip; side by side each has its own."""
    async def quick():
        return 2
    upstream = start.upstream(Multicall(methods(pause=pause, quick=quick)))
    gateway = start.gateway(up_settings(
        upstream, multicall=way, multicall_results="wrapped", pool={"max_connections": 1}, methods=(
            {"match": "quick", "timeout": f"{int(100 * SLOW)}ms"},
            {"match": "pause", "timeout": f"{20 * SLOW}s"})))
    values = {"quick": 2, "pause": 1}
    results = gateway.batch("up", *[(name,) for name in calls], ("pause",))
    assert results == [{"result": values[name]} for name in (*calls, "pause")]


def test_rate_counts_each_call(start):
    token = "t" * 32
    upstream = start.upstream(Multicall())
    gateway = start.gateway(up_settings(upstream) | {"callers": (
        {"name": "c", "token": token, "allow": ["*/*"], "rate": 1, "burst": 5},)})
    bearer = {"Authorization": f"Bearer {token}"}
    assert len(gateway.batch("up", ("echo", 1), 7, ("echo", 2), **bearer)) == 3
    call = [{"method": "echo", "params": [1]}]
    answer = gateway.post_json("/v1/up", call * 3, **bearer)
    assert_problem(answer, "rate-limited", 429, "no", setting="callers.rate")
    assert int(answer.header("Retry-After")) >= 1
    assert len(gateway.batch("up", ("echo", 1), ("echo", 1), **bearer)) == 2
    assert_problem(gateway.post_json("/v1/up", call * 6, **bearer), "rate-limited", 429, "no")
    assert gateway.batch("up", **bearer) == []


def refused_batch(gateway, use, body, **headers):
    """The one problem that answers for all of it."""
    answer = gateway.post_json(f"/{use}/up", body, **headers)
    if use == "v1":
        return answer, answer.json
    assert answer.status == 200 and answer.json["id"] is None
    return answer, answer.json["error"]["data"]


@pytest.mark.parametrize("use", ["v1", "jsonrpc"])
@pytest.mark.parametrize("item", ["1", '{"method":"echo","params":[1]}',
                                  '{"jsonrpc":"2.0","method":"echo","params":[1]}'])
def test_too_many_calls_are_one_error(start, use, item):
    upstream = start.upstream(Multicall())
    gateway = start.gateway(up_settings(upstream) | {"limits": {"batch": 20}})
    answer, problem = refused_batch(gateway, use, f"[{','.join([item] * 21)}]".encode())
    assert problem["type"] == "urn:rpcgate:problem:invalid-request"
    assert (problem["status"], problem["setting"]) == (400, "limits.batch")
    assert "21" in problem["detail"] and "20" in problem["detail"]
    assert problem["executed"] == "no" and len(answer.body) < 800
    if use == "jsonrpc":
        assert answer.json["error"]["code"] == -32600
    assert upstream.exchanges == []
    most = f"[{','.join([item] * 20)}]".encode()
    assert gateway.post_json(f"/{use}/up", most).status in (200, 204)


@pytest.mark.parametrize("use", ["v1", "jsonrpc"])
def test_many_items_that_are_no_calls(start, use):
    """4 MB of them take no more memory than they are, and are answered with one problem."""
    upstream = start.upstream(Multicall())
    token = "t" * 32
    gateway = start.gateway({"upstreams": {"up": {"url": upstream.url}}, "callers": (
        {"name": "c", "token": token, "allow": ["*/*"], "rate": 1, "burst": 1},)})
    body = b"[" + b"1," * 2_000_000 + b"1]"
    answer, problem = refused_batch(gateway, use, body, Authorization=f"Bearer {token}")
    assert problem["setting"] == "limits.batch" and len(answer.body) < 800
    few = b"[" + b"1," * 5_000 + b"1]"
    answer, problem = refused_batch(gateway, use, few, Authorization=f"Bearer {token}")
    assert problem["setting"] == "callers.burst" and len(answer.body) < 800


def test_in_flight_counts_the_batch_once(start):
    token = "t" * 32
    upstream, gate = held(start)
    gateway = start.gateway(up_settings(upstream, multicall="never") | {"callers": (
        {"name": "c", "token": token, "allow": ["*/*"], "max_in_flight": 1},)})
    bearer = {"Authorization": f"Bearer {token}"}
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(gateway.batch, "up", ("wait",), ("wait",), **bearer)
        upstream.wait_requests(2)
        assert_problem(gateway.post_json("/v1/up", [], **bearer), "rate-limited", 429, "no")
        gate.open()
        assert running.result() == [{"result": 1}] * 2


def test_access_by_params(start):
    upstream = start.upstream(Multicall())
    gateway = start.gateway(up_settings(upstream) | {"anonymous": {"allow": (
        {"match": "up/echo", "params": ({"at": 0, "in": ["good*"]},)},)}})
    results = gateway.batch("up", ("echo", "good one"), ("echo", "bad"), ("add", 1, 2),
                            ("echo", {"$string": "good"}))
    assert results[0] == {"result": "good one"} and results[3] == {"result": "good"}
    assert_failed(results[1], "forbidden", 403, "no")
    assert_failed(results[2], "forbidden", 403, "no")


@pytest.mark.concurrency
def test_answers_beyond_memory(start):
    """What does not fit fails alone, and all memory comes back."""
    upstream = start.upstream(Multicall(methods(large=lambda: "x" * 6_000_000)))
    gateway = start.gateway(up_settings(upstream, multicall_max=1) | {"limits": {"memory": "8M"}})
    results = gateway.batch("up", ("large",), ("large",), ("echo", 1))
    assert len(results[0]["result"]) == 6_000_000
    assert_failed(results[1], "response-too-large", 502, "unknown", setting="limits.memory")
    assert results[2] == {"result": 1}
    assert gateway.batch("up", ("echo", 1)) == [{"result": 1}]


@pytest.mark.concurrency
@pytest.mark.parametrize("way", ["always", "never"])
def test_many_large_batches_at_once(start, way):
    """Those that find no room in limits.memory wait for it, or are told so; none hangs, none is
    without an answer, and all memory comes back."""
    upstream = start.upstream(Multicall())
    gateway = start.gateway(up_settings(upstream, multicall=way, multicall_results="wrapped")
                            | {"limits": {"memory": "16M"}})
    body = json.dumps([{"method": "echo", "params": ["x" * 20_000]}] * 50).encode()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: gateway.post_json("/v1/up", body), range(24)))
    whole = 0
    for answer in answers:
        if answer.status == 200:
            results = answer.json["results"]
            assert len(results) == 50
            whole += all(result == {"result": "x" * 20_000} for result in results)
        else:
            assert answer.problem in ("overloaded", "response-too-large"), answer.body
    assert whole > 0
    assert gateway.metric("rpcgate_memory_bytes") < 500_000


@pytest.mark.concurrency
def test_problems_beyond_memory(start):
    """As many as there is room for, and then an end is made of it."""
    upstream = start.upstream(Multicall())
    gateway = start.gateway(up_settings(upstream) | {"limits": {"memory": "8M", "batch": 100_000}})
    answer = gateway.post_json("/v1/up", b"[" + b",".join([b"1"] * 100_000) + b"]")
    assert_problem(answer, "response-too-large", 502, setting="limits.memory")
    assert gateway.batch("up", ("echo", 1)) == [{"result": 1}]
    assert gateway.metric("rpcgate_memory_bytes") < 100_000


def test_response_limit_is_the_round_trips(up):
    gateway, _ = up(Multicall(), limits={"response": "1K"})
    for result in gateway.batch("up", ("echo", "x" * 600), ("echo", "y" * 600)):
        assert_failed(result, "response-too-large", 502, "unknown", setting="limits.response")


@pytest.mark.concurrency
def test_other_callers_have_their_turn(start):
    """A batch of the largest size does not hold up others of its worker."""
    upstream = start.upstream(Multicall())
    gateway = start.gateway(up_settings(upstream) | {"workers": 1, "limits": {"body": "32M",
                                                                                "batch": 400_000}})
    body = b"[" + b",".join([b'{"method":5}'] * 400_000) + b"]"
    worst = 0.0
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(gateway.post_json, "/v1/up", body)
        while not running.done():
            begin = time.monotonic()
            assert gateway.get("/livez").status == 200
            worst = max(worst, time.monotonic() - begin)
        assert running.result().status in (200, 502)
    assert worst < 0.5 * SLOW, worst
