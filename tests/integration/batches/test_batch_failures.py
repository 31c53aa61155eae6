# SPDX-License-Identifier: Apache-2.0
"""What becomes of a batch's calls when the answer to them is wrong, or none."""

import socket

import pytest

from rig.check import assert_failed
from rig.multicall import Multicall
from rig.settings import up_settings


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

    gateway = start.gateway(up_settings(start.upstream(behave)))
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
    gateway = start.gateway(up_settings(start.upstream(multicall),
                                     methods=({"match": "get.*", "safe": True},),
                                     multicall_results="wrapped"))
    multicall.functions |= {"get.it": lambda: 1, "set.it": lambda: 2}
    assert gateway.batch("up", ("get.it",), ("get.it",)) == [{"result": 1}] * 2
    assert multicall.sizes == [2, 2]
    lost = 0
    for result in gateway.batch("up", ("get.it",), ("set.it",)):
        assert_failed(result, "connection-lost", 502, "unknown")
    assert multicall.sizes == [2, 2, 2]
