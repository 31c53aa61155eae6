# SPDX-License-Identifier: Apache-2.0
"""Documents of callers that are made to hurt: they are as harmless as those of upstreams. What the
tests of the decoder have, test_xmlrpc_documents.py sends."""

import asyncio
import random
import threading
import time
import xmlrpc.client
from xmlrpc.client import Fault, ServerProxy

import pytest

from rig import crowd
from rig.pulse import pulse
from rig.settings import SLOW, up_settings
from rig.upstream import at_a_gate, response_document
from rig.wire import request

MILLION = 1_000_000
OTHERS_WAIT = 1.0 * SLOW
PATIENT = {"timeouts": {"total": f"{int(30 * SLOW)}s"},
           "pool": {"queue_timeout": f"{int(30 * SLOW)}s"}}
XML = {"Content-Type": "text/xml"}


async def swallow(x):
    await x.answer(len(x.body))


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream(swallow)


@pytest.fixture(scope="module")
def gateway(start_shared, upstream):
    """One worker, so that whoever waits waits for the hostile document."""
    return start_shared.gateway(up_settings(upstream, extensions=["nil"], **PATIENT) | {
        "workers": 1, "limits": {"body": "32M", "memory": "256M"}})


def call(value: bytes) -> bytes:
    return (b"<methodCall><methodName>m</methodName><params><param><value>" + value
            + b"</value></param></params></methodCall>")


def listing(item: bytes, n: int) -> bytes:
    return call(b"<array><data>" + item * n + b"</data></array>")


def members(name: str, n: int) -> bytes:
    return call(b"<struct>" + b"".join(
        b"<member><name>" + (name % i).encode() + b"</name><value/></member>" for i in range(n))
        + b"</struct>")


LAUGHS = (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
          + call(b"&b;"))
EXTERNAL = (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
            + call(b"&a;"))

#: What comes back: a fault's code, or None for the length of what went out.
HOSTILE = {
    "entities": (LAUGHS, -32700),
    "external entity": (EXTERNAL, -32700),
    "parameter entity": (b"<!DOCTYPE x [<!ENTITY % a SYSTEM 'http://127.0.0.1:9/'>%a;]>" + call(b""),
                         -32700),
    "deep arrays": (call(b"<array><data><value>" * 100_000), -32602),
    "deep structs": (call(b"<struct><member><name>a</name><value>" * 100_000), -32602),
    "deep elements": (b"<methodCall>" + b"<a>" * 500_000, -32600),
    "attributes": (call(b"<i4 " + b"".join(b'a%d="" ' % i for i in range(100_000)) + b">1</i4>"),
                   -32602),
    "long tag": (call(b"<i4" + b"x" * MILLION + b">1</i4>"), -32602),
    "tag names": (b"<methodCall>" + b"".join(b"<a%d/>" % i for i in range(200_000)), -32600),
    "comments": (call(b"<!---->" * MILLION + b"1"), None),
    "instructions": (call(b"<?a b?>" * MILLION + b"1"), None),
    "references": (call(b"&#233;" * (2 * MILLION)), None),
    "unknown reference": (call(b"&" + b"a" * MILLION + b";"), -32700),
    "nul": (call(b"\0"), -32702),
    "control": (call(b"\x01"), -32702),
    "not UTF-8": (call(b"\xc0\x80"), -32701),
    "surrogate": (call(b"\xed\xa0\x80"), -32702),
    "utf-16 without a mark": (b'<?xml version="1.0" encoding="UTF-16"?>' + call(b"x"), -32701),
    "utf-7": (b'<?xml version="1.0" encoding="UTF-7"?>' + call(b"+AOk-"), None),
    "nul in utf-7": (b'<?xml version="1.0" encoding="UTF-7"?>' + call(b"+AAA-"), -32702),
    "trailing": (call(b"") + b"x", -32700),
    "second": (call(b"") * 2, -32700),
    "half": (call(b"x" * MILLION)[:-20], -32700),
    "blanks": (b" " * (8 * MILLION), -32700),
    "long name": (b"<methodCall><methodName>" + b"m" * (2 * MILLION), -32602),
    "long integer": (call(b"<int>" + b"1" * (2 * MILLION) + b"</int>"), -32602),
    "exponent": (call(b"<int>1e999999999</int>"), -32600),
    "base64 with a mistake": (call(b"<base64>" + b"QUJD" * (4 * MILLION) + b"!</base64>"), -32600),
    "long string": (call(b"x" * (20 * MILLION)), None),
    "base64": (call(b"<base64>" + b"QUJD" * (5 * MILLION) + b"</base64>"), None),
    "values": (listing(b"<value/>", 2 * MILLION), None),
    "members": (members("k%d", 300_000), None),
    "one name": (members("k%.0s", 300_000), None),
    "long names": (members("x" * 60_000 + "%d", 300), None),
    "calls": (b"<methodCall><methodName>system.multicall</methodName><params><param><value><array>"
              b"<data>" + b"<value/>" * MILLION, -32700),
}


@pytest.mark.parametrize("body, code", HOSTILE.values(),
                         ids=[name.replace(" ", "-") for name in HOSTILE])
def test_others_go_on(gateway, upstream, body, code):
    upstream.exchanges.clear()
    with pulse(gateway) as beats:
        answer = gateway.request("POST", "/xmlrpc/up", body, XML)
    assert answer.status == 200, answer.body[:500]
    assert beats.longest < OTHERS_WAIT
    if code is None:
        assert xmlrpc.client.loads(answer.body)[0][0] > 0
        return
    with pytest.raises(Fault) as told:
        xmlrpc.client.loads(answer.body)
    assert told.value.faultCode == code, told.value
    assert len(answer.body) < 2000 and b"root:" not in answer.body
    assert upstream.exchanges == []


def test_too_many_calls(start):
    gateway = start.gateway(up_settings(start.upstream(swallow)) | {"limits": {"batch": 10}})
    item = b"<value><struct><member><name>methodName</name><value>m</value></member></struct></value>"
    text = (b"<methodCall><methodName>system.multicall</methodName><params><param><value><array><data>"
            + item * 11 + b"</data></array></value></param></params></methodCall>")
    answer = gateway.request("POST", "/xmlrpc/up", text, XML)
    with pytest.raises(Fault) as told:
        xmlrpc.client.loads(answer.body)
    assert told.value.faultCode == -32602 and "limits.batch" in told.value.faultString


def test_bodies_over_the_limit(start):
    gateway = start.gateway(up_settings(start.upstream(swallow)) | {"limits": {"body": "1K"}})
    long = call(b"x" * 2000)
    assert gateway.request("POST", "/xmlrpc/up", long, XML).status == 413
    chunked = request("POST", "/xmlrpc/up", None, {**XML, "Transfer-Encoding": "chunked"})
    assert gateway.raw(chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (len(long), long)).status == 413


def test_mutations_do_no_harm(gateway):
    """Whatever comes, there is an answer that can be read, and the next one is as good."""
    chance = random.Random(14)
    whole = xmlrpc.client.dumps(([{"methodName": "m", "params": [1, "x", {"a": [None]}]}] * 3,),
                                "system.multicall", allow_none=True).encode()
    with gateway.connect() as connection:
        for _ in range(300):
            text = bytearray(whole)
            for _ in range(chance.randint(1, 4)):
                at = chance.randrange(len(text))
                text[at:at + chance.randint(0, 9)] = chance.choice(
                    [b"", b"<", b"&", b"\0", b"</value>", b"<value>", b"<struct>", b"\xff", b"]]>"])
            answer = connection.ask("POST", "/xmlrpc/up", bytes(text), XML)
            assert answer.status == 200
            try:
                xmlrpc.client.loads(answer.body)
            except Fault:
                continue


def test_time_is_linear_in_the_size(gateway):
    def took(n):
        body = members("x" * 40 + "%d", n)
        best = 1e9
        for _ in range(3):
            began = time.monotonic()
            assert gateway.request("POST", "/xmlrpc/up", body, XML).status == 200
            best = min(best, time.monotonic() - began)
        return best
    assert took(80_000) < 8 * 4 * took(10_000)


SHARES = {"half": {"anonymous": {"allow": ["*/*"]}},
          "quarter": {"callers": [{"name": "one", "token": "t" * 32, "allow": ["*/*"]}]}}


@pytest.mark.concurrency
@pytest.mark.parametrize("share", SHARES)
def test_documents_and_replies_wait_for_memory(start, share):
    """What does not fit into limits.memory together fits one after the other."""
    async def behave(x):
        await x.answer("x" * 2 * MILLION)
    gateway = start.gateway({**SHARES[share], "limits": {"memory": "24M"}, "workers": 2, "upstreams": {
        "up": {"url": start.upstream(behave).url, **PATIENT}}})
    who = "one:" + "t" * 32 + "@" if share == "quarter" else ""
    host, port = gateway.tcp
    answers = []

    def ask():
        proxy = ServerProxy(f"http://{who}{host}:{port}/xmlrpc/up")
        answers.append(len(proxy.m("y" * MILLION)))
    callers = [threading.Thread(target=ask) for _ in range(12)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert answers == [2 * MILLION] * 12


def test_replies_respect_the_budget(start):
    async def behave(x):
        await x.respond(response_document(["x"] * 400_000))
    gateway = start.gateway({
        "anonymous": {"allow": ["*/*"]}, "limits": {"memory": "8M"},
        "upstreams": {"up": {"url": start.upstream(behave).url, "pool": {"queue_timeout": "100ms"},
                             "limits": {"response": "64M"}}}})
    answer = gateway.request("POST", "/xmlrpc/up", call(b""), XML)
    with pytest.raises(Fault) as told:
        xmlrpc.client.loads(answer.body)
    assert "limits.memory" in told.value.faultString and "executed: yes;" in told.value.faultString
    assert gateway.get("/livez").status == 200


@pytest.mark.concurrency
def test_a_reply_without_memory_says_that_the_call_ran(start):
    """Of many at once some have room for the document that is made of their answer, and some wait in vain."""
    async def behave(x):
        await x.answer(["x" * 1000] * 1500)
    upstream = start.upstream(behave)
    gateway = start.gateway({
        "anonymous": {"allow": ["*/*"]}, "limits": {"memory": "8M"}, "workers": 2,
        "upstreams": {"up": {"url": upstream.url, "pool": {"queue_timeout": "20ms"}}}})

    async def go():
        callers = await crowd.gather_callers(gateway.tcp, 48)
        return await asyncio.gather(*(caller.ask("POST", "/xmlrpc/up", call(b"%d" % i), XML)
                                      for i, caller in enumerate(callers)))
    ran = {}
    for i, answer in enumerate(crowd.run(go())):
        try:
            xmlrpc.client.loads(answer.body)
        except Fault as fault:
            ran[i] = fault.faultString
    executed = {exchange.params[0] for exchange in upstream.exchanges}
    assert ran, "all had room"
    assert not [text for i, text in ran.items() if str(i) in executed and "executed: no;" in text]


def test_callers_that_leave(start):
    """In the middle of their document, or while the call runs: nothing is left of them."""
    upstream, gate = at_a_gate(start)
    gateway = start.gateway(up_settings(upstream))
    whole = request("POST", "/xmlrpc/up", call(b"y" * MILLION), XML)
    for part in (10, MILLION // 2):
        with gateway.connect() as connection:
            connection.send(whole[:part])
            connection.reset()
    connection = gateway.connect()
    connection.send(whole)
    upstream.wait_requests(1)
    connection.reset()
    gate.open()
    assert gateway.request("POST", "/xmlrpc/up", call(b""), XML).status == 200
