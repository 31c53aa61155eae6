# SPDX-License-Identifier: Apache-2.0
"""No step is long where one answer is for several: a result that is kept, of the most that is, and calls that
are joined. As test_steps.py."""

import asyncio
import json

import pytest

from rig import crowd
from rig.steps import LIMIT, MARKS, PROGRAM, Steps, environment
from rig.upstream import response_document, value_document

pytestmark = MARKS

KEPT = 2_090_000    # of a result, just below what is kept at most [bytes of JSON]
JOINED = 20         # calls, which are there at once

#: What is kept, by the name that the call has: XML of a value.
RESULTS = {
    "text": "<string>" + "x" * KEPT + "</string>",
    "escapes": "<string>" + "\n" * (KEPT // 2) + "</string>",
    "characters": "<string>" + "\u00e9" * (KEPT // 2) + "</string>",
    "integers": "<array><data>" + "<value><i4>1</i4></value>" * (KEPT // 2) + "</data></array>",
    "empty": "<array><data>" + "<value><array><data/></array></value>" * (KEPT // 3) + "</data></array>",
    "names": "<struct>" + "".join(f"<member><name>k{n}</name><value><i4>1</i4></value></member>"
                                  for n in range(180_000)) + "</struct>",
    "last": "<struct><member><name>a</name><value><string>" + '"' * (KEPT // 2) + "</string></value></member>"
            "<member><name>b</name><value><i4>1</i4></value></member></struct>",
    "deep": "<array><data><value>" * 120 + "<string>" + "x" * KEPT + "</string>"
            + "</value></data></array>" * 120,
}

#: What routes take out of them.
PARTS = {"last": "/b", "integers": "/1000000", "empty": "/600000", "names": "/k5", "deep": "/0/0"}

#: What each of the joined calls is answered: the XML of an item.
ITEMS = {
    "long text": "<value><array><data><value><string>" + "x" * 1_000_000
                 + "</string></value></data></array></value>",
    "escapes": "<value><array><data><value><string>" + "\n" * 500_000
               + "</string></value></data></array></value>",
    "integers": "<value><array><data><value><array><data>" + "<value><i4>1</i4></value>" * 30_000
                + "</data></array></value></data></array></value>",
    "names": "<value><array><data><value><struct>" + "".join(
        f"<member><name>k{n}</name><value><i4>1</i4></value></member>" for n in range(10_000))
        + "</struct></value></data></array></value>",
    "faults": "<value><struct><member><name>faultCode</name><value><i4>4</i4></value></member><member>"
              "<name>faultString</name><value><string>" + "s3cret " * 100_000
              + "</string></value></member></struct></value>",
    "no items": "<value><i4>1</i4></value>",
}


async def behave(x):
    if x.method == "system.multicall":
        name = x.params[0][0]["methodName"].removeprefix("get.").replace("-", " ")
        await x.respond(value_document("<array><data>" + ITEMS[name] * len(x.params[0]) + "</data></array>"))
    elif x.method.startswith("keep."):
        await x.respond(value_document(RESULTS[x.method.removeprefix("keep.")]))
    else:
        await x.respond(response_document(1))


@pytest.fixture(scope="module")
def steps(start_shared, folder):
    upstream = start_shared.upstream(behave)
    usual = {"url": upstream.url, "breaker": {"failures": 0}, "timeouts": {"total": "10m"}}
    gateway = start_shared.gateway({
        "workers": 1, "anonymous": {"allow": ["*/*"]}, "limits": {"cache": "256M"},
        "upstreams": {
            "up": usual | {"methods": [{"match": "keep.*", "safe": True, "cache": {
                "ttl": "1h", "stale_if_error": "1h"}}]},
            "joining": usual | {"methods": [{"match": "get.*", "safe": True}], "retry": {"attempts": 1},
                                "join": {"wait": "1s", "max": JOINED}, "multicall": "always",
                                "multicall_results": "wrapped"},
        },
        "routes": [{"name": name, "get": f"/{name}", "call": f"up/keep.{name}"} for name in RESULTS] + [
            {"name": f"{name}-part", "get": f"/{name}/part", "call": f"up/keep.{name}",
             "result": {"at": at}} for name, at in PARTS.items()],
    }, program=PROGRAM, environment=environment(folder / "steps"))
    return Steps(gateway, folder / "steps")


def judge(steps, name: str):
    work, told = steps.longest()
    print(f"STEP {name}: {work / 1e6:.1f} {told}")
    assert work <= LIMIT, told


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_that_is_kept(steps, name):
    """It is taken, answers its route with its ETag, the ways to call, and a caller who has it."""
    first = steps.gateway.get(f"/{name}")
    assert first.status == 200 and "stored" in first.header("Cache-Status"), first.headers
    judge(steps, "kept: " + name)
    again = steps.gateway.get(f"/{name}")
    assert again.body == first.body and "hit" in again.header("Cache-Status")
    judge(steps, "again: " + name)
    has = steps.gateway.get(f"/{name}", **{"If-None-Match": first.header("ETag")})
    assert has.status == 304
    judge(steps, "has it: " + name)
    for types in ("plain", "tagged"):
        answer = steps.gateway.call("up", f"keep.{name}", [], query=f"types={types}")
        assert answer.status == 200, answer.body[:300]
        judge(steps, f"{types}: {name}")
    answer = steps.gateway.request("POST", "/xmlrpc/up", (
        f"<methodCall><methodName>keep.{name}</methodName></methodCall>").encode(),
        {"Content-Type": "text/xml"})
    assert answer.status == 200 and b"<params>" in answer.body
    judge(steps, "XML: " + name)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_what_is_kept(steps, name):
    answers = [steps.gateway.get(f"/{path}") for path in (name, f"{name}/part", f"{name}/part")]
    assert [answer.status for answer in answers] == [200] * 3, answers[1].body[:300]
    assert len(answers[1].body) < len(answers[0].body) and answers[1].body == answers[2].body
    judge(steps, "part: " + name)


@pytest.mark.parametrize("name", ITEMS)
def test_joined_calls(steps, name):
    async def play():
        callers = await crowd.gather_callers(steps.gateway.tcp, JOINED)
        answers = await asyncio.gather(*(one.call("joining", "get." + name.replace(" ", "-"), [n])
                                         for n, one in enumerate(callers)))
        for one in callers:
            one.close()
        return answers

    answers = crowd.run(play())
    assert {answer.status for answer in answers} <= {200, 500, 502}, json.loads(answers[0].body)
    joined = steps.gateway.metric("rpcgate_joined_calls_total")
    assert joined > 0 and joined % JOINED == 0
    judge(steps, "joined: " + name)
