# SPDX-License-Identifier: Apache-2.0
"""Requests and responses that are made to hurt: refused or answered within limits.memory, while
the worker's other callers go on."""

import gzip
import json
import threading
import time

import pytest

from rig.check import assert_problem
from rig.pulse import pulse
from rig.settings import SLOW
from rig.upstream import at_a_gate, http_response
from rig.wire import request

MILLION = 1_000_000
# A turn of the worker takes some milliseconds. The rest is for sanitizers and busy machines.
OTHERS_WAIT = 1.0 * SLOW
# Nothing here is about the gateway's own limits of time.
PATIENT = {"timeouts": {"total": f"{int(30 * SLOW)}s"},
           "pool": {"queue_timeout": f"{int(30 * SLOW)}s"}}


async def swallow(x):
    """Answers without a look at the params."""
    await x.answer(len(x.body))


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream(swallow)


@pytest.fixture(scope="module")
def gateway(start_shared, upstream):
    """One worker, so that whoever waits waits for the hostile request."""
    return start_shared.simple(upstream, workers=1, limits={"body": "32M", "memory": "256M"},
                               upstreams={"up": {"url": upstream.url, "extensions": ["i8"],
                                                 "timeouts": PATIENT["timeouts"]}})


HOSTILE = {
    "zeros": (b"[" + b"0," * (4 * MILLION - 1) + b"0]", 200, None),
    "keys": (json.dumps({f"k{i}": i for i in range(50_000)}).encode(), 200, None),
    "more keys": (json.dumps({f"k{i}": 0 for i in range(MILLION)}).encode(), 200, None),
    "same key": (b'{"a":1,"' + b"b" * 100_000 + b'":2,"a":3}', 400, "invalid-json"),
    "deep": (b"[" * 100_000 + b"]" * 100_000, 400, "invalid-json"),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, "invalid-json"),
    "long integer": (b"[" + b"1" * MILLION + b"]", 422, "unrepresentable"),
    "long double": (b"[0." + b"1" * MILLION + b"]", 200, None),
    "long exponent": (b"[1e" + b"9" * MILLION + b"]", 400, "invalid-json"),
    "long string": (b'["' + b"x" * (13 * MILLION) + b'"]', 200, None),
    "escapes": (b'["' + b"\\u00e9" * (2 * MILLION) + b'"]', 200, None),
    "markup": (b'["' + b"<" * (8 * MILLION) + b'"]', 200, None),
    "base64": (b'[{"$base64":"' + b"QUJD" * (4 * MILLION) + b'"}]', 200, None),
    "empty objects": (b"[" + b"{}," * (2 * MILLION) + b"{}]", 200, None),
    "dollars": (b"[" + b'{"$struct":{"$a":1}},' * 200_000 + b"1]", 200, None),
    "too much": (b"[" + b"[0]," * (7 * MILLION) + b"[0]]", 503, "overloaded"),
}


@pytest.mark.parametrize("body, status, problem", HOSTILE.values(),
                         ids=[name.replace(" ", "-") for name in HOSTILE])
def test_others_go_on(gateway, body, status, problem):
    with pulse(gateway) as beats:
        answer = gateway.request("POST", "/v1/up/m", body, {"Content-Type": "application/json"})
    assert answer.status == status, answer.body[:500]
    if problem == "overloaded":
        assert_problem(answer, problem, status, "no", setting="limits.memory")
    elif problem:
        assert_problem(answer, problem, status, "no")
    assert beats.longest < OTHERS_WAIT


def test_time_is_linear_in_the_size(gateway):
    """Names that differ at their end only, eight times as many: about eight times as long."""
    def took(n):
        body = json.dumps({"x" * 40 + str(i): 0 for i in range(n)}).encode()
        best = 1e9
        for _ in range(3):
            began = time.monotonic()
            assert gateway.request("POST", "/v1/up/m", body,
                                   {"Content-Type": "application/json"}).status == 200
            best = min(best, time.monotonic() - began)
        return best
    assert took(160_000) < 8 * 4 * took(20_000)


#: A share of the memory is a half of it where all are anonymous, and a quarter for one by name.
SHARES = {"half": {"anonymous": {"allow": ["*/*"]}},
          "quarter": {"callers": [{"name": "one", "token": "t" * 32, "allow": ["*/*"]}]}}
TOKEN = {"Authorization": "Bearer " + "t" * 32}


@pytest.mark.concurrency
@pytest.mark.parametrize("share", SHARES)
def test_bodies_wait_for_memory(start, share):
    """What does not fit into limits.memory waits until others are done: no call is refused."""
    upstream, gate = at_a_gate(start)
    gateway = start.gateway({**SHARES[share], "workers": 2, "limits": {"body": "4M", "memory": "12M"},
                             "upstreams": {"up": {"url": upstream.url, **PATIENT}}})
    body = b'["' + b"x" * (2 * MILLION) + b'"]'
    headers = {"Content-Type": "application/json", **(TOKEN if share == "quarter" else {})}
    answers = []
    callers = [threading.Thread(target=lambda: answers.append(gateway.request(
        "POST", "/v1/up/m", body, headers))) for _ in range(12)]
    for caller in callers:
        caller.start()
    upstream.wait_requests(1)
    gate.open()
    for caller in callers:
        caller.join()
    assert [answer.status for answer in answers] == [200] * 12


@pytest.mark.concurrency
@pytest.mark.parametrize("chunked", [False, True])
def test_no_memory_in_time(start, chunked):
    """A body that waits longer than pool.queue_timeout is refused, and not one byte is lost of the
    connection's next request."""
    upstream, gate = at_a_gate(start)
    gateway = start.gateway({
        "anonymous": {"allow": ["*/*"]}, "workers": 1, "limits": {"body": "6M", "memory": "8M"},
        "upstreams": {"up": {"url": upstream.url, "pool": {"queue_timeout": "50ms"}}}})
    large = b'["' + b"x" * (3 * MILLION) + b'"]'
    answers = []
    first = threading.Thread(target=lambda: answers.append(gateway.request(
        "POST", "/v1/up/m", large, {"Content-Type": "application/json"})))
    first.start()
    upstream.wait_requests(1)
    with gateway.connect() as connection:
        if chunked:
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (2 * len(large), large * 2)
            connection.send(request("POST", "/v1/up/m", None, {
                "Transfer-Encoding": "chunked", "Content-Type": "application/json"}) + body)
        else:
            connection.send(request("POST", "/v1/up/m", large * 2))
        refused = connection.answer()
        assert_problem(refused, "overloaded", 503, "no", setting="limits.memory")
        assert refused.header("Retry-After")
        connection.send(request("GET", "/livez"))
        assert connection.answer().status == 200
    gate.open()
    first.join()
    assert answers[0].status == 200


def listing(item: bytes, size: int) -> bytes:
    return (b"<methodResponse><params><param><value><array><data>" + item * (size // len(item))
            + b"</data></array></value></param></params></methodResponse>")


LARGE = {
    "doubles": (8, listing(b"<value><double>0.123456789012345678901234567891</double></value>",
                           6 * MILLION)),
    "strings": (30, listing(b"<value>x</value>", 6 * MILLION)),
    "members": (30, listing(b"<value><struct><member><name>a</name><value><int>1</int></value>"
                            b"</member></struct></value>", 6 * MILLION)),
}


@pytest.mark.concurrency
@pytest.mark.parametrize("coding", [None, "gzip"])
@pytest.mark.parametrize("count, body", LARGE.values(), ids=LARGE)
def test_others_go_on_beside_responses(start, count, body, coding):
    """Many large responses at once, twice, so that connections are used again: none is lost, and
    who asks for something else waits no longer than a turn of each lasts."""
    sent = gzip.compress(body, 1) if coding else body

    async def behave(x):
        await x.respond(sent, headers={"Content-Encoding": coding})
    upstream = start.upstream(behave)
    gateway = start.simple(upstream, workers=1, limits={"memory": "1G"},
                           upstreams={"up": {"url": upstream.url, **PATIENT}})
    for _ in range(2):
        answers = []
        callers = [threading.Thread(target=lambda: answers.append(gateway.call("up", "m")))
                   for _ in range(count)]
        with pulse(gateway) as beats:
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
        assert len(answers) == count
        assert [answer.json for answer in answers if answer.status != 200] == []
        assert beats.longest < OTHERS_WAIT


LAUGHS = (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
          b"<methodResponse><params><param><value>&b;</value></param></params></methodResponse>")

RESPONSES = {
    "entities": (LAUGHS, "bad-response", None),
    "deep": (b"<methodResponse><params><param>" + b"<value><array><data>" * 200, "response-too-large",
             "limits.depth"),
    "long": (b"<methodResponse><params><param><value><string>" + b"x" * (2 * MILLION),
             "response-too-large", "limits.response"),
    "attributes": (b"<methodResponse><params><param><value " +
                   b"".join(b'a%d="" ' % i for i in range(100_000)) + b"/>", "bad-response", None),
    "nul": (b"<methodResponse><params><param><value>\0</value></param></params></methodResponse>",
            "bad-response", None),
    "trailing": (b"<methodResponse><params/></methodResponse>x", "bad-response", None),
    "second": (b"<methodResponse><params/></methodResponse>" * 2, "bad-response", None),
    "half": (b"<methodResponse><params><param><value>1</value>", "bad-response", None),
    "request": (b"<methodCall><methodName>x</methodName></methodCall>", "bad-response", None),
}


@pytest.mark.parametrize("body, problem, setting", RESPONSES.values(), ids=RESPONSES)
def test_response_is_no_answer(start, body, problem, setting):
    async def behave(x):
        await x.respond(body)
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "up": {"url": start.upstream(behave).url, "limits": {"response": "1M"}}}})
    expected = {"setting": setting} if setting else {}
    assert_problem(gateway.call("up", "m"), problem, 502, "unknown", **expected)


def test_replies_respect_the_budget(start):
    """A response that grows over limits.memory as JSON."""
    async def behave(x):
        await x.send(http_response(
            b"<methodResponse><params><param><value><array><data>" + b"<value>x</value>" * (3 * MILLION)
            + b"</data></array></value></param></params></methodResponse>"))
    gateway = start.gateway({
        "anonymous": {"allow": ["*/*"]}, "limits": {"memory": "8M"},
        "upstreams": {"up": {"url": start.upstream(behave).url, "limits": {"response": "64M"}}}})
    assert_problem(gateway.call("up", "m"), "response-too-large", 502, "unknown",
                   setting="limits.memory")
    assert gateway.get("/livez").status == 200


@pytest.mark.concurrency
@pytest.mark.parametrize("share", SHARES)
def test_replies_wait_for_memory(start, share):
    """What does not fit into limits.memory together fits one after the other."""
    async def behave(x):
        await x.answer("x" * 3 * MILLION)
    upstream = start.upstream(behave)
    gateway = start.gateway({**SHARES[share], "limits": {"memory": "10M"}, "workers": 2, "upstreams": {
        "up": {"url": upstream.url, **PATIENT}}})
    headers = TOKEN if share == "quarter" else {}
    answers = []
    callers = [threading.Thread(target=lambda: answers.append(gateway.call("up", "m", **headers)))
               for _ in range(16)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert [len(answer.result) for answer in answers] == [3 * MILLION] * 16
