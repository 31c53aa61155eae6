# SPDX-License-Identifier: Apache-2.0
"""Failures that come as results, and values within them: for single calls, MultiCall in both ways,
and JSON-RPC."""

import pytest

from rig.check import assert_failed, assert_problem
from rig.multicall import Multicall, methods

#: As OpenNebula, XenServer and INWX answer.
ENVELOPE = [
    {"match": "one.*", "good": {"at": "/0", "is": True}, "value": "/1", "code": "/2",
     "text": "/1"},
    {"match": ["xen.*", "host.*"], "good": {"at": "/Status", "is": "Success"}, "value": "/Value",
     "code": "/ErrorDescription/0", "text": "/ErrorDescription"},
    {"match": "inwx.*", "good": {"at": "/code", "from": 1000, "to": 1999}, "value": "/resData",
     "code": "/code", "text": "/msg"},
    {"match": "done", "bad": {"text": ["ERROR*", "FAIL*"]}, "text": ""},
    {"match": "plain", "bad": {"has": ["/err", "/why"]}, "value": "", "code": "/err",
     "text": "/why"},
]

FAULTS = [
    {"match": "one.*", "code": 1024, "status": 404, "type": "no-such-thing"},
    {"code": "HOST_*", "status": 409},
    {"text": "*wait <n> s*", "status": 503, "retry_after": "<n>"},
]

FUNCTIONS = methods(**{
    "one.get": lambda n: [True, "x" * n, 0],
    "one.bad": lambda code: [False, "[one.bad] no such VM", code],
    "xen.get": lambda value: {"Status": "Success", "Value": value},
    "xen.none": lambda: {"Status": "Success"},
    "host.bad": lambda *why: {"Status": "Failure", "ErrorDescription": list(why)},
    "inwx.get": lambda code, data: {"code": code, "msg": "wait 17 s, please", "resData": data},
    "done": lambda text: text,
    "plain": lambda value: value,
})

#: method, params; the result, or code, string, status, type and Retry-After.
GOOD = [
    ("one.get", [5], "xxxxx"),
    ("one.get", [100000], "x" * 100000),
    ("xen.get", [{"a": [1]}], {"a": [1]}),
    ("xen.get", [[]], []),
    ("xen.none", [], None),
    ("inwx.get", [1000, 7], 7),
    ("done", ["fine"], None),
    ("plain", [{"err": 1}], {"err": 1}),
    ("plain", [[1, "x"]], [1, "x"]),
    ("echo", [[False, "x", 1024]], [False, "x", 1024]),
]
BAD = [
    ("one.bad", [1024], 1024, "[one.bad] no such VM", 404, "no-such-thing", None),
    ("one.bad", [5], 5, "[one.bad] no such VM", 500, "fault", None),
    ("host.bad", ["HOST_OFFLINE", "ref"], "HOST_OFFLINE", '["HOST_OFFLINE","ref"]', 409, "fault",
     None),
    ("host.bad", ["5"], "5", '["5"]', 500, "fault", None),
    ("host.bad", [], 0, "[]", 500, "fault", None),
    ("inwx.get", [2302, 7], 2302, "wait 17 s, please", 503, "fault", 17),
    ("done", [" ERROR: disk full\n"], 0, " ERROR: disk full\n", 500, "fault", None),
    ("plain", [{"err": 3, "why": {"a": 1}}], 3, '{"a":1}', 500, "fault", None),
]


@pytest.fixture(scope="module")
def behaviour():
    return Multicall(FUNCTIONS)


@pytest.fixture(scope="module", params=["trip", "parallel"])
def gateway(request, start_shared, behaviour):
    upstream = start_shared.upstream(behaviour)
    multicall = "always" if request.param == "trip" else "never"
    return start_shared.simple(upstream, upstreams={"up": {
        "url": upstream.url, "breaker": {"failures": 0}, "multicall": multicall,
        "envelope": ENVELOPE, "faults": FAULTS}})


def assert_fault(problem: dict, code, string):
    told = problem["fault"]
    assert told["code"] == (0 if isinstance(code, str) else code)
    assert told.get("code_text") == (code if isinstance(code, str) else None)
    assert told["string"] == string


@pytest.mark.parametrize("method, params, result", GOOD)
def test_the_value_within(gateway, method, params, result):
    answer = gateway.call("up", method, params)
    assert answer.status == 200 and answer.json == {"result": result}


@pytest.mark.parametrize("method, params, code, string, status, name, pause", BAD)
def test_failures(gateway, method, params, code, string, status, name, pause):
    answer = gateway.call("up", method, params)
    problem = assert_problem(answer, name, status, "yes", method=method)
    assert_fault(problem, code, string)
    assert answer.header("Retry-After") == (str(pause) if pause else None)


def test_in_a_batch(gateway):
    calls = [(method, *params) for method, params, *_ in GOOD + BAD]
    results = gateway.batch("up", *calls, ("fail", 4, "x"), ("echo", 1))
    assert results[-1] == {"result": 1}
    assert_fault(assert_failed(results[-2], "fault", 500, "yes"), 4, "x")
    for (*_, expected), result in zip(GOOD, results):
        assert result == {"result": expected}
    for (_, _, code, string, status, name, _), result in zip(BAD, results[len(GOOD):]):
        assert_fault(assert_failed(result, name, status, "yes"), code, string)


def test_in_jsonrpc(gateway):
    calls = [{"jsonrpc": "2.0", "id": i, "method": method, "params": params}
             for i, (method, params, *_) in enumerate(GOOD + BAD)]
    calls.append({"jsonrpc": "2.0", "method": "one.bad", "params": [1]})
    calls.append({"jsonrpc": "2.0", "method": "one.get", "params": [1]})
    answers = {a["id"]: a for a in gateway.jsonrpc("up", calls).json}
    assert len(answers) == len(GOOD) + len(BAD)
    for i, (*_, expected) in enumerate(GOOD):
        assert answers[i]["result"] == expected
    for i, (_, _, code, string, status, *_) in enumerate(BAD):
        problem = answers[len(GOOD) + i]["error"]["data"]
        assert problem["status"] == status
        assert_fault(problem, code, string)
    one = gateway.jsonrpc("up", calls[0]).json
    assert one == {"jsonrpc": "2.0", "id": 0, "result": "xxxxx"}
    bad = gateway.jsonrpc("up", calls[len(GOOD)]).json
    assert bad["error"]["data"]["fault"]["code"] == 1024


def test_what_the_caller_chooses_decides_nothing(gateway):
    """Whatever form values have in JSON, a failure is one."""
    for query in ("types=tagged", "integers=string"):
        answer = gateway.call("up", "inwx.get", [1500, [1]], query=query)
        assert answer.status == 200 and answer.json["result"] in ([1], [{"$int": 1}], ["1"])
        answer = gateway.call("up", "one.bad", [1024], query=query)
        assert_fault(assert_problem(answer, "no-such-thing", 404), 1024, "[one.bad] no such VM")


def test_what_is_arranged_later(start):
    """Names twice in structs beside the value, around it and within it."""
    def member(name, value):
        return f"<member><name>{name}</name><value>{value}</value></member>"
    twice = "<struct>" + member("a", "<int>1</int>") + member("a", "<int>2</int>") + "</struct>"
    result = ("<struct>" + member("Status", "x") + member("Value", twice + "")
              + member("Other", twice) + member("Value", "<array><data><value>" + twice
                                                + "</value></data></array>")
              + member("Status", "Success") + member("Last", twice) + "</struct>")
    document = ("<?xml version='1.0'?><methodResponse><params><param><value>%s</value></param>"
                "</params></methodResponse>")
    trip = "<array><data>" + ("<value><array><data><value>%s</value></data></array></value>"
                              % result) * 2 + "</data></array>"

    async def behave(x):
        body = trip if x.method == "system.multicall" else result
        await x.respond((document % body).encode())

    upstream = start.upstream(behave)
    gateway = start.simple(upstream, upstreams={"up": {
        "url": upstream.url, "multicall": "always", "multicall_results": "wrapped",
        "envelope": ENVELOPE}})
    assert gateway.call("up", "xen.a").json == {"result": [{"a": 2}]}
    assert gateway.batch("up", ("xen.a",), ("xen.b",)) == [{"result": [{"a": 2}]}] * 2


def test_faults_stay_faults(start):
    """A fault is one, and an answer that is none is none, whatever the envelope."""
    async def behave(x):
        if x.method == "one.fault":
            await x.answer_fault(1024, "x")
        else:
            await x.respond(b"<html>", status="401 Unauthorized")

    upstream = start.upstream(behave)
    gateway = start.simple(upstream, upstreams={"up": {
        "url": upstream.url, "envelope": ENVELOPE,
        "faults": [{"http": 401, "status": 503, "type": "closed", "retry_after": "3s"}, *FAULTS]}})
    assert_problem(gateway.call("up", "one.fault"), "no-such-thing", 404, "yes")
    answer = gateway.call("up", "one.html")
    assert answer.status == 503 and answer.problem == "closed"
    assert answer.header("Retry-After") == "3"


def test_secrets_are_hidden_in_failures(start):
    behaviour = Multicall(methods(**{"host.bad": lambda: {
        "Status": "Failure", "ErrorDescription": ["SESSION_INVALID", "hunter2-hunter2"]}}))
    upstream = start.upstream(behaviour)
    gateway = start.simple(upstream, upstreams={"up": {
        "url": upstream.url, "envelope": ENVELOPE, "multicall": "always",
        "auth": {"scheme": "basic", "username": "api", "password": "hunter2-hunter2"}}})
    single = gateway.call("up", "host.bad").json
    (item,) = gateway.batch("up", ("host.bad",))
    for problem in (single, item["problem"]):
        assert problem["fault"]["string"] == '["SESSION_INVALID","***"]'
