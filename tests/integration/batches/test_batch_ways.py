# SPDX-License-Identifier: Apache-2.0
"""Which way batches go: whether an upstream has system.multicall, and how that is found out."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from rig.check import assert_failed
from rig.multicall import Multicall, methods
from rig.settings import up_settings


@pytest.mark.parametrize("code", [-32601, -506, 1, 8001])
def test_without_multicall_once_and_for_all(up, code):
    """Whatever the fault: the question ran nothing that a caller wants."""
    multicall = Multicall(missing=code)
    gateway, _ = up(multicall)
    for _ in range(3):
        assert gateway.batch("up", ("add", 1, 2), ("fail", 1, "x"), ("echo", [3]))[::2] == [
            {"result": 3}, {"result": [3]}]
    assert multicall.questions == 1 and multicall.sizes == []
    assert sorted(multicall.singles) == ["add"] * 3 + ["echo"] * 3 + ["fail"] * 3


@pytest.mark.parametrize("settings", [{"faults": ({"code": 5, "text": "no such*", "status": 404},)},
                                      {"fault_status": 404}])
def test_a_status_tells_nothing(up, settings):
    """It says what callers see. What may have run is not sent again by another way."""
    multicall = Multicall(missing=5)
    gateway, _ = up(multicall, multicall="always", **settings)
    for _ in range(2):
        for result in gateway.batch("up", ("add", 1, 2), ("add", 3, 4)):
            assert_failed(result, "fault", 404, "unknown")
    assert multicall.questions == 1 and multicall.sizes == [2, 2] and multicall.singles == []


def test_without_multicall_whatever_a_rule_makes_of_it(up):
    multicall = Multicall(missing=-32601)
    gateway, _ = up(multicall, faults=({"code": -32601, "status": 410},))
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    assert multicall.sizes == [] and multicall.singles == ["add"]


def test_asked_for_although_the_shape_is_set(up):
    """A batch itself is never the question."""
    multicall = Multicall(missing=-32601)
    gateway, _ = up(multicall, multicall_results="wrapped")
    assert gateway.batch("up", ("add", 1, 2), ("add", 3, 4)) == [{"result": 3}, {"result": 7}]
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    assert (multicall.questions, multicall.sizes) == (1, [])


class HandWritten(Multicall):
    """Its system.multicall runs the calls one by one, and lets the first fault be its own."""

    def __init__(self, fault: int, **options):
        super().__init__(**options)
        self.fault = fault

    async def multicall(self, x, calls):
        if [call["methodName"] for call in calls] == ["system.listMethods"]:
            self.questions += 1
            await x.answer([[sorted(self.functions)]])
            return
        self.sizes.append(len(calls))
        results = []
        for call in calls:
            if call["methodName"] not in self.functions:
                await x.answer_fault(self.fault, "no such method")
                return
            results.append([await self._run(call["methodName"], call["params"])])
        await x.answer(results)


def _batch(gateway, *calls):
    return gateway.batch("up", *calls)


def _jsonrpc(gateway, *calls):
    answers = gateway.jsonrpc("up", [{"jsonrpc": "2.0", "method": method, "params": list(params),
                                      "id": i} for i, (method, *params) in enumerate(calls)]).json
    return [{"problem": answer["error"]["data"]} if "error" in answer else
            {"result": answer["result"]} for answer in answers]


@pytest.mark.parametrize("fault, status, executed", [
    (-32601, 404, "unknown"), (-506, 404, "unknown"), (7, 404, "unknown"), (-32700, 502, "no"),
    (-32701, 502, "no"), (-32702, 502, "no"), (-32602, 400, "unknown"), (9, 500, "unknown")])
@pytest.mark.parametrize("send", [_batch, _jsonrpc])
@pytest.mark.parametrize("settings", [
    {}, {"multicall_results": "wrapped"}, {"multicall": "always"},
    {"multicall": "always", "multicall_results": "wrapped"}], ids=str)
def test_calls_before_the_one_that_is_not_there_run_once(up, settings, send, fault, status,
                                                         executed):
    multicall = HandWritten(fault)
    gateway, _ = up(multicall, faults=({"code": 7, "status": 404},), **settings)
    for result in send(gateway, ("add", 1, 2), ("echo", 3), ("none",), ("add", 5, 6)):
        assert_failed(result, "fault", status, executed)
    assert multicall.ran == [("add", 1, 2), ("echo", 3)]
    assert multicall.sizes == [4] and multicall.singles == []


@pytest.mark.parametrize("fault, status, executed", [(-32601, 404, "no"), (-506, 404, "no"),
                                                     (9, 500, "unknown")])
def test_one_call_that_is_not_there(up, fault, status, executed):
    """It is the one that the fault is for."""
    multicall = HandWritten(fault)
    gateway, _ = up(multicall)
    assert_failed(gateway.batch("up", ("none",))[0], "fault", status, executed)
    assert multicall.singles == []


def test_calls_of_round_trips_behind_it_run_once(up):
    """A batch that is several round trips goes on by the same way."""
    multicall = HandWritten(-32601)
    gateway, _ = up(multicall, multicall_max=2)
    results = gateway.batch("up", ("add", 1, 1), ("none",), ("add", 2, 2), ("add", 3, 3))
    for result in results[:2]:
        assert_failed(result, "fault", 404, "unknown")
    assert results[2:] == [{"result": 4}, {"result": 6}]
    assert multicall.ran == [("add", 1, 1), ("add", 2, 2), ("add", 3, 3)]


def test_multicall_that_is_gone(up):
    """It is asked again before the next batch; what was sent is not sent anew."""
    multicall = Multicall()
    gateway, _ = up(multicall)
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    multicall.missing = -32601
    for result in gateway.batch("up", ("add", 1, 2), ("add", 3, 4)):
        assert_failed(result, "fault", 404, "unknown")
    assert gateway.batch("up", ("add", 1, 2), ("add", 3, 4)) == [{"result": 3}, {"result": 7}]
    assert multicall.sizes == [1, 2] and multicall.questions == 2
    assert multicall.singles == ["add", "add"]


def test_asked_again_after_a_reload(up):
    multicall = Multicall(missing=-32601)
    gateway, upstream = up(multicall)
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    multicall.missing = None
    assert gateway.batch("up", ("add", 1, 2)) == [{"result": 3}]
    assert multicall.sizes == []
    gateway.reload(up_settings(upstream))
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
        assert_failed(result, "fault", 404, "unknown",
                      fault={"code": -32601, "string": "no such method"})
    assert multicall.singles == []


@pytest.mark.parametrize("wraps, shape", [(True, "wrapped"), (False, "bare")])
def test_what_is_set_is_not_asked_for(up, wraps, shape):
    multicall = Multicall(wraps=wraps)
    gateway, _ = up(multicall, multicall="always", multicall_results=shape)
    assert gateway.batch("up", ("echo", [1]), ("fail", 1, "x"))[0] == {"result": [1]}
    assert multicall.questions == 0


@pytest.mark.parametrize("wraps, shape", [(True, "wrapped"), (False, "bare")])
def test_a_shape_that_is_set_counts_more_than_the_answer(up, wraps, shape):
    multicall = Multicall(wraps=wraps, wraps_faults=not wraps)
    gateway, _ = up(multicall, multicall_results=shape)
    del multicall.functions["system.listMethods"]
    for _ in range(2):
        assert gateway.batch("up", ("echo", [1]), ("echo", 2)) == [{"result": [1]}, {"result": 2}]
    assert multicall.questions == 1


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
    gateway = start.gateway(up_settings(upstream))
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
    gateway = start.gateway(up_settings(upstream) | {"workers": 3})
    with ThreadPoolExecutor(12) as pool:
        running = [pool.submit(gateway.batch, "up", ("echo", [n])) for n in range(12)]
        upstream.wait_requests(1)
        late = gateway.batch("up", ("echo", 1), X_Rpcgate_Timeout="200ms")
        assert_failed(late[0], "overloaded", 503, "no")
        gate.open()
        assert [future.result() for future in running] == [[{"result": [n]}] for n in range(12)]
    assert multicall.questions == 1
    assert len(multicall.sizes) == 12
