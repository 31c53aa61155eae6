# SPDX-License-Identifier: Apache-2.0
"""POST /v1/{upstream}: several calls at once."""

import asyncio
import json
import re
import signal
import socket
import tempfile
import threading
import time
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rig.check import assert_failed, assert_problem
from rig.multicall import Multicall, methods
from rig.programs import PythonServer, Supervisord
from rig.settings import SLOW

JOURNAL = {"log": {"format": "json"}}


def settings(upstream, **more):
    """A gateway's settings with that upstream as `up`."""
    return {"anonymous": {"allow": ["*/*"]},
            "upstreams": {"up": {"url": upstream.url, "breaker": {"failures": 0}, **more}}}


@pytest.fixture
def up(start):
    """A gateway before an upstream that behaves so, with these settings of it."""
    def make(behave, top=None, **more):
        upstream = start.upstream(behave)
        gateway = start.gateway(settings(upstream, **more) | (top or {}))
        return gateway, upstream
    return make


# One round trip.

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
        shapes[wraps] = start_shared.gateway(settings(upstream))
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


# What fails here fails alone.

LOCAL = [
    (5, "invalid-request", 400, "/1"),
    ({}, "invalid-request", 400, "/1"),
    ({"method": 5}, "invalid-request", 400, "/1/method"),
    ({"method": "echo", "param": []}, "invalid-request", 400, "/1/param"),
    ({"method": ""}, "invalid-request", 400, "/1/method"),
    ({"method": "a b"}, "invalid-request", 400, "/1/method"),
    ({"method": "x" * 256}, "invalid-request", 400, "/1/method"),
    ({"method": "system.multicall", "params": [[]]}, "forbidden", 403, "/1/method"),
    ({"method": "secret.it"}, "forbidden", 403, "/1/method"),
    ({"method": "echo", "params": [1, None]}, "unrepresentable", 422, "/1/params/1"),
    ({"method": "echo", "params": [{"a/b": ["\0"]}]}, "unrepresentable", 422,
     "/1/params/0/a~1b/0"),
    ({"method": "echo", "params": {"$int": "x"}}, "unrepresentable", 422, "/1/params"),
    ({"method": "echo", "params": 1 << 40}, "unrepresentable", 422, "/1/params"),
    ({"method": "echo", "params": [[[[[[[[[1]]]]]]]]]}, "invalid-json", 400, None),
]


@pytest.fixture(scope="module")
def guarded(start_shared):
    multicall = Multicall()
    upstream = start_shared.upstream(multicall)
    return start_shared.gateway(settings(upstream) | {
        "anonymous": {"allow": ["up/*"], "deny": ["up/secret.*"]}, "limits": {"depth": 8}}
    ), multicall


@pytest.mark.parametrize("item, name, status, pointer", LOCAL)
def test_local_failures(guarded, item, name, status, pointer):
    gateway, multicall = guarded
    multicall.sizes.clear()
    results = gateway.batch("up", ("add", 1, 2), item, ("echo", [7]))
    problem = assert_failed(results[1], name, status, "no")
    if pointer is not None:
        assert problem["pointer"] == pointer
    assert results[0] == {"result": 3} and results[2] == {"result": [7]}
    assert multicall.sizes == [2]


def test_only_local_failures(start):
    upstream = start.upstream(Multicall())
    gateway = start.gateway(settings(upstream))
    results = gateway.batch("up", 1, {"method": "system.multicall"}, ("echo", None))
    assert all(list(result) == ["problem"] for result in results)
    assert [x.method for x in upstream.exchanges] in ([], ["system.multicall"])  # the question


def test_a_local_failure_says_where_in_the_body(guarded):
    gateway, _ = guarded
    body = b'[\n {"method": "echo",\n  "params": [[[[[[[[[[1]]]]]]]]]]}]'
    answer = gateway.post_json("/v1/up", body)
    assert "line 3, column" in answer.json["results"][0]["problem"]["detail"]


@pytest.mark.parametrize("body, name", [
    (b"", "invalid-json"), (b"{}", "invalid-request"), (b"[1", "invalid-json"),
    (b'"x"', "invalid-request"), (b'[{"method":"a","method":"b"}]', "invalid-json"),
    (b"[]x", "invalid-json"), (b'[{"method":"a"},]', "invalid-json"),
])
def test_bodies_that_are_no_batch(guarded, body, name):
    assert_problem(guarded[0].post_json("/v1/up", body), name, 400, "no")


def test_the_surface(guarded):
    gateway, _ = guarded
    assert_problem(gateway.request("PUT", "/v1/up", b"[]"), "method-not-allowed", 405)
    assert_problem(gateway.request("POST", "/v1/up", b"[]"), "unsupported-media-type", 415)
    assert_problem(gateway.post_json("/v1/none", []), "not-found", 404)
    assert_problem(gateway.post_json("/v1/up/", []), "not-found", 404)
    assert_problem(gateway.post_json("/v1/up?x=1", []), "invalid-request", 400)
    assert_problem(gateway.post_json("/v1/up", [], X_Rpcgate_Timeout="1"), "invalid-request", 400)
    assert_problem(gateway.post_json("/v1/up", [1], Content_Length=str(1 << 30)),
                   "body-too-large", 413)


def test_query_and_settings_hold_for_each(up):
    gateway, _ = up(Multicall(methods(
        tell=lambda: xmlrpc.client.Binary(b"x"), big=lambda: 2 ** 31 - 1)), text="replace")
    results = gateway.batch("up", ("tell",), ("echo", {"$dateTime": "20000101T00:00:00"}),
                            query="types=tagged")
    assert results == [{"result": {"$base64": "eA=="}},
                       {"result": {"$dateTime": "20000101T00:00:00"}}]
    answer = gateway.post_json("/v1/up", [{"method": "echo", "params": ["a\0b"]},
                                          {"method": "echo", "params": ["\1"]}])
    assert answer.json["results"] == [{"result": "a\ufffdb"}, {"result": "\ufffd"}]
    assert answer.header("X-Rpcgate-Repaired") == "2"


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "UTF-16", "US-ASCII"])
def test_encodings(up, encoding):
    gateway, upstream = up(Multicall(), encoding=encoding)
    assert gateway.batch("up", ("echo", "größer"), 5, ("echo", ["☃"]))[::2] == [
        {"result": "größer"}, {"result": ["☃"]}]
    assert f'encoding="{encoding}"'.encode(
        "utf-16" if encoding == "UTF-16" else "ascii")[2:] in upstream.exchanges[-1].body


def test_extensions(up):
    gateway, upstream = up(Multicall(methods(show=repr)), extensions=["ex:nil", "i8"])
    assert gateway.batch("up", ("show", 1 << 40), ("show", [None])) == [
        {"result": repr(1 << 40)}, {"result": "[None]"}]
    assert b"<ex:nil/>" in upstream.exchanges[-1].body
    assert b"xmlns:ex=" in upstream.exchanges[-1].body


# Which way it goes.

@pytest.mark.parametrize("code", [-32601, -506])
def test_without_multicall_once_and_for_all(up, code):
    multicall = Multicall(missing=code)
    gateway, _ = up(multicall)
    for _ in range(3):
        assert gateway.batch("up", ("add", 1, 2), ("fail", 1, "x"), ("echo", [3]))[::2] == [
            {"result": 3}, {"result": [3]}]
    assert multicall.questions == 1 and multicall.sizes == []
    assert sorted(multicall.singles) == ["add"] * 3 + ["echo"] * 3 + ["fail"] * 3


def test_without_multicall_by_a_rule(up):
    multicall = Multicall(missing=1)
    gateway, _ = up(multicall, faults=({"code": 1, "text": "no such*", "status": 404},))
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    assert multicall.questions == 1 and multicall.singles == ["add", "add"]


def test_without_multicall_whatever_a_rule_makes_of_it(up):
    multicall = Multicall(missing=-32601)
    gateway, _ = up(multicall, faults=({"code": -32601, "status": 410},))
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    assert multicall.sizes == [] and multicall.singles == ["add"]


def test_a_status_of_all_faults_tells_nothing(up):
    """What may have run is not sent again."""
    multicall = Multicall(missing=5)
    gateway, _ = up(multicall, fault_status=404, multicall_results="wrapped")
    for _ in range(2):
        for result in gateway.batch("up", ("add", 1, 2), ("add", 3, 4)):
            assert_failed(result, "fault", 404, "unknown")
    assert multicall.sizes == [2, 2] and multicall.singles == []


def test_found_out_by_a_batch(up):
    """Where the shape is known the batch itself is the question."""
    multicall = Multicall(missing=-32601)
    gateway, _ = up(multicall, multicall_results="wrapped")
    assert gateway.batch("up", ("add", 1, 2), ("add", 3, 4)) == [{"result": 3}, {"result": 7}]
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    assert (multicall.questions, multicall.sizes) == (0, [2])


def test_asked_again_after_a_reload(up):
    multicall = Multicall(missing=-32601)
    gateway, upstream = up(multicall)
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    multicall.missing = None
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    assert multicall.sizes == []
    gateway.reload(settings(upstream))
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    assert multicall.sizes == [1] and multicall.questions == 2


def test_never(up):
    multicall = Multicall()
    gateway, upstream = up(multicall, multicall="never")
    assert gateway.batch("up", ("add", 1, 2), ("add", 3, 4)) == [{"result": 3}, {"result": 7}]
    assert sorted(multicall.singles) == ["add", "add"] and len(upstream.exchanges) == 2


def test_always(up):
    multicall = Multicall(missing=-32601)
    gateway, _ = up(multicall, multicall="always")
    for result in gateway.batch("up", ("add", 1, 2), ("add", 3, 4)):
        assert_failed(result, "fault", 404, "no", fault={"code": -32601, "string": "no such method"})
    assert multicall.singles == []


@pytest.mark.parametrize("wraps, shape", [(True, "wrapped"), (False, "bare")])
def test_a_shape_that_is_set_is_not_asked_for(up, wraps, shape):
    multicall = Multicall(wraps=wraps)
    gateway, _ = up(multicall, multicall_results=shape)
    assert gateway.batch("up", ("echo", [1]), ("fail", 1, "x"))[0] == {"result": [1]}
    assert multicall.questions == 0


def test_a_question_that_tells_nothing(up):
    """Without system.listMethods results are read as wrapped."""
    functions = methods()
    del functions["system.listMethods"]
    multicall = Multicall(functions)
    gateway, _ = up(multicall)
    for _ in range(2):
        assert gateway.batch("up", ("echo", [1]), ("echo", 2)) == [{"result": [1]}, {"result": 2}]
    assert multicall.questions == 1


def test_a_question_that_fails(start):
    """Nothing of the batch was sent then; the next batch asks again."""
    multicall = Multicall()
    fails = True

    async def behave(x):
        if fails:
            x.reset()
        else:
            await multicall(x)

    upstream = start.upstream(behave)
    gateway = start.gateway(settings(upstream))
    for result in gateway.batch("up", ("add", 1, 2), ("add", 3, 4)):
        assert_failed(result, "connection-lost", 502, "no")
    fails = False
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    assert multicall.questions == 1


@pytest.mark.concurrency
def test_one_asks_for_all(start):
    """Batches that come at once wait for one answer, over all workers."""
    gate = None

    class Slow(Multicall):
        async def multicall(self, x, calls):
            if self.questions == 0:
                self.questions = 1
                await gate.passed()
                await x.answer([[["echo"]]])
                return
            await super().multicall(x, calls)

    multicall = Slow()
    upstream = start.upstream(multicall)
    gate = upstream.gate()
    gateway = start.gateway(settings(upstream) | {"workers": 3})
    with ThreadPoolExecutor(12) as pool:
        running = [pool.submit(gateway.batch, "up", ("echo", [n])) for n in range(12)]
        upstream.wait_requests(1)
        late = gateway.batch("up", ("echo", 1), X_Rpcgate_Timeout="200ms")
        assert_failed(late[0], "overloaded", 503, "no")
        gate.open()
        assert [future.result() for future in running] == [[{"result": [n]}] for n in range(12)]
    assert multicall.questions == 1
    assert len(multicall.sizes) == 12


# Answers that are wrong.

def answering(value):
    """system.multicall answers so, after the question."""
    async def behave(x):
        calls = x.params[0]
        if [call["methodName"] for call in calls] == ["system.listMethods"]:
            await x.answer([[["m"]]])
        elif isinstance(value, bytes):
            await x.respond(value)
        else:
            await x.answer(value)
    return behave


@pytest.mark.parametrize("value", [
    [], [[1]], [[1], [2], [3]], [[1], [2], [3], {"faultCode": 1, "faultString": "x"}], "text", 5,
    {"a": 1}, b"<html>", b"", b"<?xml version='1.0'?><methodResponse><params/></methodResponse>",
    b"<?xml version='1.0'?><methodResponse><params><param><value><array><data><value><array><data>"
    b"<value><int>1</int></value></data></array></value>",
])
def test_answers_that_are_none(up, value):
    """Too few, too many, or nothing that can be read: nobody knows whose they are."""
    gateway, _ = up(answering(value))
    for result in gateway.batch("up", ("a",), ("b",)):
        assert_failed(result, "bad-response", 502, "unknown")


@pytest.mark.parametrize("odd", [5, "x", [], [1, 2], {}, {"a": 1}, {"faultCode": 1}])
def test_results_that_are_neither(up, odd):
    gateway, _ = up(answering([[1], odd, [[3]]]))
    results = gateway.batch("up", ("a",), ("b",), ("c",))
    assert results[0] == {"result": 1} and results[2] == {"result": [3]}
    problem = assert_failed(results[1], "bad-response", 502, "unknown", method="b")
    assert "multicall_results" in problem["detail"]


async def _reset(x):
    x.reset()


async def _half(x):
    await x.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<?xml version='1.0'?>"
                 b"<methodResponse><params><param><value><array><data><value><array><data>"
                 b"<value><int>1</int></value></data></array></value>")
    x.close()


@pytest.mark.parametrize("fail, name, status, executed", [
    (_reset, "connection-lost", 502, "unknown"),
    (_half, "connection-lost", 502, "unknown"),
    (lambda x: x.respond(b"no", "401 Unauthorized"), "protocol-error", 502, "no"),
    (lambda x: x.respond(b"no", "500 Oops"), "protocol-error", 502, "unknown"),
    (lambda x: x.respond(b"<html>", "200 OK"), "bad-response", 502, "unknown"),
    (lambda x: x.answer_fault(99, "all of it"), "fault", 500, "unknown"),
    (lambda x: x.answer_fault(-32700, "bad xml"), "fault", 502, "no"),
])
def test_round_trips_that_fail(start, fail, name, status, executed):
    async def behave(x):
        if x.params[0][0]["methodName"] == "system.listMethods":
            await x.answer([[["m"]]])
        else:
            await fail(x)

    gateway = start.gateway(settings(start.upstream(behave)))
    results = gateway.batch("up", ("a",), 5, ("b",))
    assert_failed(results[0], name, status, executed, method="a")
    assert_failed(results[1], "invalid-request", 400, "no")
    assert_failed(results[2], name, status, executed, method="b")


def test_an_upstream_that_is_not_there(start):
    with socket.socket() as silent:  # its port is taken, so nobody else gets it; nobody accepts
        silent.bind(("127.0.0.1", 0))
        gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
            "up": {"url": f"http://127.0.0.1:{silent.getsockname()[1]}"}}})
        for result in gateway.batch("up", ("a",), ("b",)):
            assert_failed(result, "connect-failed", 502, "no")


def test_round_trips_are_repeated_if_all_calls_are_safe(start):
    lost = 0

    class Losing(Multicall):
        async def multicall(self, x, calls):
            nonlocal lost
            if calls[0]["methodName"] != "system.listMethods" and lost == 0:
                lost += 1
                self.sizes.append(len(calls))
                x.reset()
            else:
                await super().multicall(x, calls)

    multicall = Losing()
    gateway = start.gateway(settings(start.upstream(multicall),
                                     methods=({"match": "get.*", "safe": True},),
                                     multicall_results="wrapped"))
    multicall.functions |= {"get.it": lambda: 1, "set.it": lambda: 2}
    assert gateway.batch("up", ("get.it",), ("get.it",)) == [{"result": 1}] * 2
    assert multicall.sizes == [2, 2]
    lost = 0
    for result in gateway.batch("up", ("get.it",), ("set.it",)):
        assert_failed(result, "connection-lost", 502, "unknown")
    assert multicall.sizes == [2, 2, 2]


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

    gateway = start.gateway(settings(start.upstream(behave), multicall_max=2))
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

    gateway = start.gateway(settings(start.upstream(Multicall(methods(slow=slow))),
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


# Limits.

def test_deadline_is_the_greatest_of_the_calls(start):
    gate = None

    async def wait():
        await gate.passed()
        return 1

    upstream = start.upstream(Multicall(methods(wait=wait)))
    gate = upstream.gate()
    gateway = start.gateway(settings(upstream, timeouts={"total": "200ms"}, methods=(
        {"match": "wait", "timeout": f"{20 * SLOW}s"},)))
    for result in gateway.batch("up", ("wait",), ("echo", 2), X_Rpcgate_Timeout="300ms"):
        assert_failed(result, "timeout", 504, "unknown")
    threading.Timer(0.5, gate.open).start()
    assert gateway.batch("up", ("wait",), ("echo", 2)) == [{"result": 1}, {"result": 2}]


def test_rate_counts_each_call(start):
    token = "t" * 32
    upstream = start.upstream(Multicall())
    gateway = start.gateway(settings(upstream) | {"callers": (
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


def test_in_flight_counts_the_batch_once(start):
    gate = None

    async def wait():
        await gate.passed()
        return 1

    token = "t" * 32
    upstream = start.upstream(Multicall(methods(wait=wait)))
    gate = upstream.gate()
    gateway = start.gateway(settings(upstream, multicall="never") | {"callers": (
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
    gateway = start.gateway(settings(upstream) | {"anonymous": {"allow": (
        {"match": "up/echo", "params": ({"at": 0, "in": ["good*"]},)},)}})
    results = gateway.batch("up", ("echo", "good one"), ("echo", "bad"), ("add", 1, 2),
                            ("echo", {"$string": "good"}))
    assert results[0] == {"result": "good one"} and results[3] == {"result": "good"}
    assert_failed(results[1], "forbidden", 403, "no")
    assert_failed(results[2], "forbidden", 403, "no")


def test_answers_beyond_memory(start):
    """What does not fit fails alone, and all memory comes back."""
    upstream = start.upstream(Multicall(methods(large=lambda: "x" * 6_000_000)))
    gateway = start.gateway(settings(upstream, multicall_max=1) | {"limits": {"memory": "8M"}})
    results = gateway.batch("up", ("large",), ("large",), ("echo", 1))
    assert len(results[0]["result"]) == 6_000_000
    assert_failed(results[1], "response-too-large", 502, "unknown", setting="limits.memory")
    assert results[2] == {"result": 1}
    assert gateway.batch("up", ("echo", 1)) == [{"result": 1}]


@pytest.mark.parametrize("way", ["always", "never"])
def test_many_large_batches_at_once(start, way):
    """Those that find no room in limits.memory wait for it, or are told so; none hangs, none is
    without an answer, and all memory comes back."""
    upstream = start.upstream(Multicall())
    gateway = start.gateway(settings(upstream, multicall=way, multicall_results="wrapped")
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
    metrics = gateway.get("/metrics").body.decode()
    assert float(re.search(r"^rpcgate_memory_bytes (\S+)", metrics, re.M)[1]) < 500_000


def test_problems_beyond_memory(start):
    """As many as there is room for, and then an end is made of it."""
    upstream = start.upstream(Multicall())
    gateway = start.gateway(settings(upstream) | {"limits": {"memory": "8M"}})
    answer = gateway.post_json("/v1/up", b"[" + b",".join([b"1"] * 100_000) + b"]")
    assert_problem(answer, "response-too-large", 502, setting="limits.memory")
    assert gateway.batch("up", ("echo", 1)) == [{"result": 1}]
    metrics = gateway.get("/metrics").body.decode()
    assert float(re.search(r"^rpcgate_memory_bytes (\S+)", metrics, re.M)[1]) < 100_000


def test_response_limit_is_the_round_trips(up):
    gateway, _ = up(Multicall(), limits={"response": "1K"})
    for result in gateway.batch("up", ("echo", "x" * 600), ("echo", "y" * 600)):
        assert_failed(result, "response-too-large", 502, "unknown", setting="limits.response")


# When it ends before its time.

def test_a_batch_is_drained(start):
    gate = None

    async def wait():
        await gate.passed()
        return 1

    upstream = start.upstream(Multicall(methods(wait=wait)))
    gate = upstream.gate()
    gateway = start.gateway(settings(upstream))
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
    gateway = start.gateway(settings(upstream, multicall=way, multicall_max=2,
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
    gateway = start.gateway(settings(upstream) | {"limits": {"drain": "300ms"}, "workers": 2})
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(gateway.batch, "up", ("echo", 1), ("echo", 2)) for _ in range(4)]
        upstream.wait_requests(1)
        gateway.signal(signal.SIGTERM)
        for future in running:
            for result in future.result():
                assert_failed(result, "draining", 503, "no")
    assert len(upstream.exchanges) == 1


def test_a_caller_that_leaves(start):
    """What was sent goes on to its end; nothing more is sent."""
    gate = None

    async def wait(n):
        await gate.passed()
        return n

    upstream = start.upstream(Multicall(methods(wait=wait)))
    gate = upstream.gate()
    gateway = start.gateway(settings(upstream, multicall="never", pool={"max_connections": 2})
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


# What is told of it.

def test_access_line_and_metrics(start):
    upstream = start.upstream(Multicall())
    gateway = start.gateway(settings(upstream) | JOURNAL)
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


def test_other_callers_have_their_turn(start):
    """A batch of the largest size does not hold up others of its worker."""
    upstream = start.upstream(Multicall())
    gateway = start.gateway(settings(upstream) | {"workers": 1, "limits": {"body": "32M"}})
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


# Servers that nobody here wrote.

@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(prefix="rpcgate-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def real(start_shared, folder):
    """Python's server with system.multicall and without, supervisord, and the demo."""
    servers = [PythonServer(multicall=True), PythonServer(), Supervisord(folder)]
    wrapped, without, supervisord = servers
    yield start_shared.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "wrapped": {"url": wrapped.url, "extensions": ["nil"]},
        "without": {"url": without.url, "faults": (
            {"code": 1, "text": "*method \"system.multicall\" is not supported*", "status": 404},)},
        "unruly": {"url": without.url},
        "bare": {"url": f"http://127.0.0.1:{supervisord.port}", "auth": {
            "scheme": "basic", "username": supervisord.USER, "password": supervisord.PASSWORD}},
    }})
    for server in servers:
        server.stop()


@pytest.mark.parametrize("upstream", ["wrapped", "without"])
def test_python(real, upstream):
    results = real.batch(upstream, ("add", 1, 2), ("echo", [1]), ("fail", 4, "four"), ("none",),
                         ("echo", {"a": []}), ("show", 1, "x"))
    assert results[:2] == [{"result": 3}, {"result": [1]}]
    assert_failed(results[2], "fault", 500, "yes", fault={"code": 4, "string": "four"})
    assert_failed(results[3], "fault", 500, "yes")
    assert results[4:] == [{"result": {"a": []}}, {"result": "(1, 'x')"}]


def test_python_without_a_rule(real):
    """Its code for a method that is not there is 1, as that of any exception."""
    for result in real.batch("unruly", ("add", 1, 2), ("echo", [1])):
        problem = assert_failed(result, "fault", 500, "unknown")
        assert "system.multicall" in problem["fault"]["string"]


def test_supervisord(real):
    results = real.batch("bare", ("supervisor.getState",), ("supervisor.getAllProcessInfo",),
                         ("supervisor.getProcessInfo", "nobody"), ("none",),
                         ("system.listMethods",))
    assert results[0] == {"result": {"statename": "RUNNING", "statecode": 1}}
    processes = results[1]["result"]  # a list of one, as it is
    assert isinstance(processes, list) and [process["name"] for process in processes] == ["cat"]
    assert results[2]["problem"]["fault"]["code"] == 10
    assert results[3]["problem"]["fault"]["code"] == 1
    assert "supervisor.getState" in results[4]["result"]


def test_demo(start):
    gateway = start.gateway(None, arguments=("--demo", "--listen", "127.0.0.1:0"))
    results = gateway.batch("demo", ("demo.add", 1, 2), ("demo.echo", [None]),
                            ("demo.fault", 4, "x"), ("none",))
    assert results[:2] == [{"result": 3}, {"result": [None]}]
    assert_failed(results[2], "fault", 500, "yes", fault={"code": 4, "string": "x"})
    assert_failed(results[3], "fault", 404, "no")
