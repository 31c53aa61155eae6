# SPDX-License-Identifier: Apache-2.0
"""Calls of several callers that go out as one system.multicall."""

import asyncio
import json
import xmlrpc.client

import pytest

from rig import crowd
from rig.check import assert_problem
from rig.multicall import Multicall, methods
from rig.programs import PythonServer, Supervisord
from rig.sessions import Liar, Server, settings_of
from rig.settings import up_settings

TOP = {"workers": 1, "log": {"format": "json"}}
SAFE = [{"match": "unsafe.*"}, {"match": "*", "safe": True}]
JOIN = {"methods": SAFE, "multicall": "always", "multicall_results": "wrapped"}
BEARER = {name: f"{name}-" + "t" * 40 for name in ("one", "two")}


def joining(n, **more):
    """So many calls are sent together: the last one ends the wait."""
    return JOIN | {"join": {"max": n, "wait": "1s"}} | more


def ask_all(gateway, calls):
    """Answers to calls of as many callers at once: (method, params, headers), in their order."""
    async def go():
        callers = await crowd.gather_callers(gateway.tcp, len(calls))
        answers = await asyncio.gather(*(caller.call("up", *call)
                                         for caller, call in zip(callers, calls)))
        for caller in callers:
            caller.close()
        return answers
    return crowd.run(go())


def results(answers):
    return [answer.json["result"] for answer in answers]


def test_each_has_its_own(up):
    behave = Multicall()
    gateway, upstream = up(behave, TOP, **joining(6))
    answers = ask_all(gateway, [("echo", ["a"]), ("add", [1, 2]), ("fail", [4, "four"]),
                                ("none", []), ("echo", [None]), ("echo", [{"k": [1, "ü"]}])])
    assert behave.sizes == [5] and behave.singles == []
    assert answers[0].json == {"result": "a"} and answers[1].json == {"result": 3}
    assert_problem(answers[2], "fault", 500, "yes", fault={"code": 4, "string": "four"})
    assert answers[3].status in (404, 500) and answers[3].json["fault"]
    assert_problem(answers[4], "unrepresentable", 422, "no", pointer="/0")
    assert answers[5].json == {"result": {"k": [1, "ü"]}}
    lines = [gateway.access_line(answer.header("X-Request-Id")) for answer in answers]
    assert [line["method"] for line in lines] == ["echo", "add", "fail", "none", "echo", "echo"]
    assert lines[2]["fault_code"] == 4
    assert gateway.metric('rpcgate_joins_total{upstream="up"}') == 1
    assert gateway.metric('rpcgate_joined_calls_total{upstream="up"}') == 5
    assert gateway.metric('rpcgate_requests_total{upstream="up",method="add",outcome="ok"}') == 1
    assert gateway.metric('rpcgate_upstream_duration_seconds_count{upstream="up"}') == 5
    assert len(upstream.exchanges) == 1


def test_load_alone_brings_them_together(up):
    """Without any wait: while one answer is on its way to many callers they all ask again."""
    behave = Multicall()
    gateway, _ = up(behave, {"workers": 1}, **JOIN, join={})

    async def one(caller, number):
        for k in range(20):
            answer = await caller.call("up", "add", [number, k])
            assert answer.json == {"result": number + k}

    async def go():
        callers = await crowd.gather_callers(gateway.tcp, 32)
        await asyncio.gather(*(one(caller, number) for number, caller in enumerate(callers)))
        for caller in callers:
            caller.close()
    crowd.run(go())
    assert sum(behave.sizes) + len(behave.singles) == 640 == len(behave.ran)
    assert len(behave.sizes) > 0 and max(behave.sizes) > 2


@pytest.mark.parametrize("method, headers", [
    ("unsafe.add", None),
    ("add", {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}),
])
def test_some_go_by_themselves(up, method, headers):
    behave = Multicall(methods(**{"unsafe.add": lambda a, b: a + b}))
    gateway, upstream = up(behave, {"workers": 1}, **joining(2))
    answers = ask_all(gateway, [(method, [n, 1], headers) for n in range(4)])
    assert results(answers) == [1, 2, 3, 4]
    assert behave.sizes == [] and behave.singles == [method] * 4
    assert all(x.header("traceparent") == (headers or {}).get("traceparent")
               for x in upstream.exchanges)


def test_callers_with_rights_of_their_own(up):
    """Nothing of a caller is in the document, and what it may not do is not there, either."""
    behave = Multicall()
    callers = [{"name": "one", "token": BEARER["one"], "allow": ["up/add"]},
               {"name": "two", "token": BEARER["two"], "allow": [
                   {"match": "up/echo", "params": [{"at": 0, "in": ["good*"]}]}]}]
    gateway, upstream = up(behave, {"workers": 1, "callers": callers}, **joining(3))
    one, two = ({"Authorization": f"Bearer {BEARER[name]}"} for name in ("one", "two"))
    answers = ask_all(gateway, [("add", [1, 2], one), ("echo", ["good"], two),
                                ("echo", ["bad"], two)])
    assert results(answers[:2]) == [3, "good"] and answers[2].status == 403
    assert ask_all(gateway, [("echo", ["good"], one)])[0].status == 403
    assert behave.sizes == [2] and ("echo", ["bad"]) not in behave.ran
    sent = b"".join(x.head + x.body for x in upstream.exchanges)
    assert b"bad" not in sent and not any(t.encode() in sent for t in BEARER.values())


def test_other_credentials_are_another_document(start):
    """Two upstreams that are one server, with credentials of their own."""
    behave = Multicall()
    upstream = start.upstream(behave)
    settings = up_settings(upstream, **joining(2))
    up = settings["upstreams"].pop("up")
    for name in "ab":
        settings["upstreams"][name] = up | {
            "credentials": {"key": f"key-of-{name}"},
            "inject": [{"at": 0, "params": [f"key-of-{name}"]}]}
    gateway = start.gateway(settings | {"workers": 1})

    async def go():
        callers = await crowd.gather_callers(gateway.tcp, 8)
        answers = await asyncio.gather(*(
            caller.call("ab"[n % 2], "echo", [n]) for n, caller in enumerate(callers)))
        for caller in callers:
            caller.close()
        return answers
    assert results(crowd.run(go())) == ["key-of-a", "key-of-b"] * 4
    documents = [x.body for x in upstream.exchanges]
    assert sum(behave.sizes) == 8 and len(documents) == 4
    assert all((b"key-of-a" in body) != (b"key-of-b" in body) for body in documents)


def test_times_are_their_own(start):
    upstream = start.upstream(None)
    gate = upstream.gate()
    behave = Multicall(methods(wait=lambda value: _passed(gate, value)))
    upstream.behave = behave
    gateway = start.gateway(up_settings(upstream, **joining(3)) | {"workers": 1})

    async def go():
        callers = await crowd.gather_callers(gateway.tcp, 3)
        tasks = [asyncio.ensure_future(caller.call("up", "wait", [n], headers)) for
                 n, (caller, headers) in enumerate(zip(callers, (
                     None, {"X-Rpcgate-Timeout": "300ms"}, None)))]
        short = await tasks[1]
        assert_problem(short, "timeout", 504, "unknown", setting="timeouts.total")
        assert "X-Rpcgate-Timeout" in short.json["detail"]
        assert not tasks[0].done() and not tasks[2].done()
        callers[2].close()
        gate.open()
        assert (await tasks[0]).json == {"result": 0}
        tasks[2].cancel()
        callers[0].close()
    crowd.run(go())
    assert behave.sizes == [3] and len(behave.ran) == 3


async def _passed(gate, value):
    await gate.passed()
    return value


def test_a_bad_member_fails_alone(start):
    """Its value breaks the document of all: so each asks by itself, once."""
    async def behave(x):
        asked.append(x.method)
        if x.method == "system.multicall":
            await x.answer_xml("<array><data>" + "".join(
                f"<value><array><data><value>{one(call['params'])}</value></data></array></value>"
                for call in x.params[0]) + "</data></array>")
        else:
            await x.answer_xml(one(x.params))

    def one(params):
        return "<int>no number</int>" if params[0] == 1 else f"<int>{params[0]}</int>"

    asked = []
    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream, **joining(3)) | {"workers": 1})
    answers = ask_all(gateway, [("echo", [n]) for n in range(3)])
    assert [answers[0].json, answers[2].json] == [{"result": 0}, {"result": 2}]
    assert_problem(answers[1], "bad-response", 502, "unknown")
    assert asked == ["system.multicall"] + ["echo"] * 3
    assert results(ask_all(gateway, [("echo", [n]) for n in (4, 5, 6)])) == [4, 5, 6]
    assert asked.count("system.multicall") == 1  # for a while


def test_no_multicall_after_all(up):
    """It was there, or so the configuration says."""
    behave = Multicall(missing=-32601)
    gateway, _ = up(behave, {"workers": 1}, **joining(2))
    assert results(ask_all(gateway, [("echo", [n]) for n in range(2)])) == [0, 1]
    assert behave.sizes == [2] and behave.singles == ["echo", "echo"]


def test_a_lost_answer(start):
    async def behave(x):
        if not lost:
            lost.append(x)
            x.reset()
        else:
            await calls(x)

    lost, calls = [], Multicall()
    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream, **joining(2)) | TOP)
    answers = ask_all(gateway, [("echo", [n]) for n in range(2)])
    assert results(answers) == [0, 1] and calls.sizes == [2]
    line = gateway.access_line(answers[0].header("X-Request-Id"))
    assert line["attempts"] == 2


def test_sessions(start):
    """One login for all; those that were refused are sent again, once."""
    server = Server()
    upstream = start.upstream(server)
    settings = settings_of(upstream, workers=1)
    settings["upstreams"]["up"] |= joining(4)
    gateway = start.gateway(settings)
    for count in (1, 2):
        answers = ask_all(gateway, [("a.echo", [n]) for n in range(4)])
        assert [answer.json["result"] for answer in answers] == [[n] for n in range(4)]
        assert server.counts["login"] == count
        server.expire()
    assert all(ran == 2 for ran in server.ran.values())
    assert not any(method == "a.echo" for method, _ in server.seen)


def test_those_that_were_sent_again_are_not_with_all_others(start):
    server = Liar()
    settings = settings_of(start.upstream(server), workers=1)
    settings["upstreams"]["up"] |= joining(4) | {"join": {"max": 4, "wait": "300ms"}}
    gateway = start.gateway(settings)
    server.came = []
    answers = ask_all(gateway, [("a.echo", [n]) for n in range(4)])
    assert [sorted(values) for values in server.came] == [[0, 1, 2, 3], [1, 3]]
    assert [answer.status for answer in answers] == [200, 500, 200, 500]


def test_a_session_is_for_who_needs_one(start):
    server = Server()
    upstream = start.upstream(server)
    settings = settings_of(upstream, workers=1)
    settings["upstreams"]["up"] |= joining(4)
    gateway = start.gateway(settings)
    answers = ask_all(gateway, [("a.echo", [1]), ("open.x", [2]), ("a.echo", [3]), ("open.x", [4])])
    assert results(answers) == [[1], [2], [3], [4]]
    documents = [params[0] for method, params in server.seen if method == "system.multicall"]
    assert [{call["methodName"] for call in calls} for calls in documents].count({"open.x"}) == 1
    assert len(documents) == 2


def test_a_reload_in_the_middle(start):
    """What has begun ends as it began; what comes then is no longer joined."""
    upstream = start.upstream(None)
    gate = upstream.gate()
    behave = Multicall(methods(wait=lambda value: _passed(gate, value)))
    upstream.behave = behave
    settings = up_settings(upstream, **joining(2)) | {"workers": 1}
    gateway = start.gateway(settings)

    async def go():
        callers = await crowd.gather_callers(gateway.tcp, 2)
        tasks = [asyncio.ensure_future(caller.call("up", "wait", [n]))
                 for n, caller in enumerate(callers)]
        await asyncio.get_running_loop().run_in_executor(None, upstream.wait_requests, 1)
        del settings["upstreams"]["up"]["join"]
        await asyncio.get_running_loop().run_in_executor(None, gateway.reload, settings)
        gate.open()
        assert [(await task).json for task in tasks] == [{"result": 0}, {"result": 1}]
        for caller in callers:
            caller.close()
    crowd.run(go())
    assert results(ask_all(gateway, [("echo", [n]) for n in range(2)])) == [0, 1]
    assert behave.sizes == [2] and behave.singles == ["echo", "echo"]


def test_verbose(up):
    gateway, _ = up(Multicall(), {"workers": 1}, **joining(2), verbose=True)
    answers = ask_all(gateway, [("echo", [n]) for n in range(2)])
    ids = {answer.header("X-Request-Id") for answer in answers}
    line = gateway.wait_line(lambda text: "part=joined" in text)
    assert sum(one in line for one in ids) == 2
    gateway.wait_line(lambda text: 'part="request head"' in text)


@pytest.mark.parametrize("form", ["xmlrpc", "jsonrpc", "query"])
def test_forms(up, form):
    """Whatever way a call comes by, it is joined with others and answered in its own form."""
    gateway, _ = up(Multicall(methods(day=lambda: xmlrpc.client.DateTime("19980717T14:08:55"))),
                    {"workers": 1}, **joining(2))
    requests = {
        "xmlrpc": ("POST", "/xmlrpc/up", xmlrpc.client.dumps((), "day").encode(),
                   {"Content-Type": "text/xml"}),
        "jsonrpc": ("POST", "/jsonrpc/up", b'{"jsonrpc":"2.0","method":"day","id":5}', {}),
        "query": ("POST", "/v1/up/day?types=tagged", b"[]", {}),
    }

    async def go():
        callers = await crowd.gather_callers(gateway.tcp, 2)
        answers = await asyncio.gather(callers[0].call("up", "day", []),
                                       callers[1].ask(*requests[form]))
        for caller in callers:
            caller.close()
        return answers
    plain, other = crowd.run(go())
    assert plain.json == {"result": "1998-07-17T14:08:55"}
    if form == "xmlrpc":
        assert xmlrpc.client.loads(other.body)[0] == (xmlrpc.client.DateTime("19980717T14:08:55"),)
    elif form == "jsonrpc":
        assert other.json == {"jsonrpc": "2.0", "result": "1998-07-17T14:08:55", "id": 5}
    else:
        assert json.loads(other.body) == {"result": {"$dateTime": "19980717T14:08:55"}}
    assert gateway.metric('rpcgate_joined_calls_total{upstream="up"}') == 2


@pytest.mark.parametrize("multicall", [True, False])
def test_python(start, multicall):
    server = PythonServer(multicall=multicall)
    try:
        gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "workers": 1, "upstreams": {
            "up": {"url": server.url, "methods": SAFE, "join": {"max": 3, "wait": "100ms"}}}})
        gateway.call("up", "add", [1, 1])  # the gateway asks beside it
        gateway.batch("up", ("add", 1, 1))  # and waits for that answer
        answers = ask_all(gateway, [("add", [1, 2]), ("fail", [4, "four"]), ("echo", [[5]])])
        assert answers[0].json == {"result": 3} and answers[2].json == {"result": [5]}
        fault = answers[1].json["fault"]
        assert fault == {"code": 4, "string": "four"}
        joined = gateway.metric('rpcgate_joined_calls_total{upstream="up"}')
        assert joined == (3 if multicall else 0)
    finally:
        server.stop()


def test_supervisord(start, folder):
    server = Supervisord(folder)
    try:
        gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "workers": 1, "upstreams": {
            "up": {"url": f"http://127.0.0.1:{server.port}", "methods": SAFE, "auth": {
                "scheme": "basic", "username": server.USER, "password": server.PASSWORD},
                "join": {"max": 3, "wait": "100ms"}}}})
        gateway.batch("up", ("supervisor.getState",))
        answers = ask_all(gateway, [("supervisor.getState", []),
                                    ("supervisor.getProcessInfo", ["nobody"]),
                                    ("supervisor.getAllProcessInfo", [])])
        assert answers[0].json["result"]["statename"] == "RUNNING"
        assert answers[1].json["fault"]["code"] == 10
        assert [process["name"] for process in answers[2].json["result"]] == ["cat"]
        assert gateway.metric('rpcgate_joined_calls_total{upstream="up"}') == 3
    finally:
        server.stop()
