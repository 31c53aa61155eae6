# SPDX-License-Identifier: Apache-2.0
"""What hurts as the answer of an upstream, as the document of a caller: each limit holds, nothing is
opened or visited, time and memory are bounded by the size, and the worker's other callers go on."""

import os
import re
import threading
import time
import xmlrpc.client
from xmlrpc.client import Fault

import pytest

from rig.documents import (EXTERNAL, GROWING, QUIET, SAMPLES, Listener, as_call, broken, laughs,
                           value)
from rig.pulse import pulse
from rig.settings import SANITIZED, SLOW, up_settings
from rig.wire import request

MILLION = 1_000_000
OTHERS_WAIT = 1.0 * SLOW
XML = {"Content-Type": "text/xml"}
NO_XML = (-32700, -32701, -32702)

#: What the daemon may hold beside a document's own size, eight times. [bytes]
MEMORY_BASE = 64 * 2**20


async def swallow(x):
    await x.answer(len(x.body))


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream(swallow)


@pytest.fixture(scope="module")
def settings(upstream):
    patient = f"{int(60 * SLOW)}s"
    return up_settings(upstream, extensions=["nil"], timeouts={"total": patient},
                       pool={"queue_timeout": patient}) | {
        "workers": 1, "limits": {"body": "32M", "memory": "1G"}}


@pytest.fixture(scope="module")
def gateway(start_shared, settings):
    """One worker, so that whoever waits waits for the hostile document."""
    return start_shared.gateway(settings)


def told(answer) -> Fault | None:
    """The fault; None: it is a value."""
    assert answer.status == 200, answer.body[:500]
    try:
        xmlrpc.client.loads(answer.body)
    except Fault as fault:
        assert len(answer.body) < 3000
        return fault
    return None


def send(gateway, document: bytes) -> Fault | None:
    return told(gateway.request("POST", "/xmlrpc/up", document, XML))


def refused(gateway, upstream, document: bytes, *codes: int, part: str = ""):
    """And nothing was sent for it."""
    before = len(upstream.exchanges)
    fault = send(gateway, document)
    assert fault is not None and fault.faultCode in codes, fault
    assert part in fault.faultString and "; executed: no; request " in fault.faultString, fault
    assert len(upstream.exchanges) == before


# ---- Ends ---------------------------------------------------------------------------------------

CALLS = {name: as_call(text.encode()).decode() for name, text in SAMPLES.items()
         if name == "every type"} | {"a call": SAMPLES["a call"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", CALLS)
def test_truncation_at_every_byte(gateway, upstream, name, encoding):
    """No beginning of a document is one."""
    whole = CALLS[name].replace("UTF-8", encoding.upper()).encode(encoding)
    upstream.exchanges.clear()
    with gateway.connect() as connection:
        for end in range(len(whole)):
            fault = told(connection.ask("POST", "/xmlrpc/up", whole[:end], XML))
            assert fault is not None and fault.faultCode in NO_XML, (end, fault)
        assert upstream.exchanges == []
        assert told(connection.ask("POST", "/xmlrpc/up", whole, XML)) is None
    assert len(upstream.exchanges) == 1


@pytest.mark.parametrize("name", CALLS)
def test_one_byte_wrong(gateway, upstream, name):
    """A byte that UTF-8 cannot have, at every place, is refused everywhere."""
    whole = CALLS[name].encode()
    upstream.exchanges.clear()
    with gateway.connect() as connection:
        for at in range(len(whole) + 1):
            bad = whole[:at] + b"\xff" + whole[at:]
            fault = told(connection.ask("POST", "/xmlrpc/up", bad, XML))
            assert fault is not None and fault.faultCode in NO_XML, (at, fault)
    assert upstream.exchanges == []


def test_input_in_pieces(gateway, upstream):
    """How the body comes makes no difference to what goes out."""
    whole = CALLS["every type"].encode()
    assert send(gateway, whole) is None
    wanted = upstream.exchanges[-1].body
    for size in (1, 2, 7, 100):
        with gateway.connect() as connection:
            connection.send(request("POST", "/xmlrpc/up", None,
                                    {**XML, "Transfer-Encoding": "chunked"}))
            for at in range(0, len(whole), size):
                piece = whole[at:at + size]
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.send(b"0\r\n\r\n")
            assert told(connection.answer()) is None
        assert upstream.exchanges[-1].body == wanted


BROKEN = broken(CALLS["a call"].encode())


@pytest.mark.parametrize("name", BROKEN)
def test_broken_documents(gateway, upstream, name):
    refused(gateway, upstream, BROKEN[name][0], *NO_XML)


def test_what_is_no_call(gateway, upstream):
    """But an answer, or params alone."""
    for document in (b"<methodResponse><params/></methodResponse>", b"<params/>",
                     SAMPLES["a fault"].encode(), b"<x/>"):
        refused(gateway, upstream, document, -32600)


# ---- Document types and entities ----------------------------------------------------------------

def test_document_types(gateway, upstream):
    """Refused before they are read, whatever they would become."""
    long = "<!DOCTYPE params [<!ENTITY a '%s'>]>" % ("a" * 100_000)
    for document in (laughs(10), laughs(30), long.encode() + value("&a;" * 10_000)):
        refused(gateway, upstream, as_call(document), -32700, part="DTD")


def test_no_connection_is_made(gateway, upstream):
    """An address in a document is never visited."""
    listener = Listener()
    url = f"http://127.0.0.1:{listener.port}/x.dtd"
    for document in EXTERNAL:
        filled = document.replace("%s", url).replace("%%", "%").encode()
        refused(gateway, upstream, as_call(filled), -32700, part="DTD")
    for document in QUIET:
        assert send(gateway, as_call(document.replace("%s", url).encode())) is None
    include = "<params><xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='%s'/></params>"
    refused(gateway, upstream, as_call(include.replace("%s", url).encode()), -32600, -32602,
            part="include")
    listener.check()


def test_no_file_is_opened(gateway, upstream, tmp_path):
    """A FIFO without a writer: who opens it to read waits for ever."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for document in EXTERNAL:
        for path in (str(fifo), f"file://{fifo}"):
            filled = document.replace("%s", path).replace("%%", "%").encode()
            refused(gateway, upstream, as_call(filled), -32700, part="DTD")
    for document in QUIET:
        assert send(gateway, as_call(document.replace("%s", str(fifo)).encode())) is None
    with pytest.raises(OSError):  # nobody reads there
        os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)


# ---- Depth --------------------------------------------------------------------------------------

NESTS = {"arrays": ("<array><data><value>", "</value></data></array>"),
         "structs": ("<struct><member><name>a</name><value>", "</value></member></struct>"),
         # In JSON each is two levels.
         "odd structs": ("<struct><member><name>$a</name><value>", "</value></member></struct>")}


@pytest.fixture(scope="module")
def deep(start_shared):
    """An upstream without system.multicall, which answers with what it gets."""
    async def behave(x):
        if x.method == "system.multicall":
            return await x.answer_fault(-32601, "no such method")
        inner = x.body.partition(b"<param>")[2].rpartition(b"</param>")[0]
        await x.respond(b"<methodResponse><params><param>" + inner
                        + b"</param></params></methodResponse>")
    return start_shared.upstream(behave)


@pytest.mark.parametrize("nest", NESTS)
@pytest.mark.parametrize("limit", [1, 4, 128, 1000])
def test_depth_of_values(start, deep, nest, limit):
    """To the level, in both directions; in a system.multicall three of them are around a value."""
    gateway = start.gateway(up_settings(deep, limits={"depth": 1000}) | {"limits": {"depth": limit}})
    before, after = (part.encode() for part in NESTS[nest])

    def single(depth: int) -> bytes:
        return as_call(value((before * depth + b"<double>0.5</double>" + after * depth).decode()))

    def inside(depth: int) -> bytes:
        params = before * depth + b"<double>0.5</double>" + after * depth
        item = ("<struct><member><name>methodName</name><value>m</value></member><member>"
                f"<name>params</name><value><array><data><value>{params.decode()}</value></data>"
                "</array></value></member></struct>")
        return as_call(value(f"<array><data><value>{item}</value></data></array>"),
                       "system.multicall")

    for make, around in ((single, 0), (inside, 3)):
        most = limit - around
        if most >= 0:
            answer = gateway.request("POST", "/xmlrpc/up", make(most), XML)
            assert b"fault" not in answer.body, answer.body[-500:]
            assert answer.body.count(before) == most + (around > 0 and nest == "arrays") * 2
        refused(gateway, deep, make(max(most, -1) + 1), -32602, part="limits.depth")
    refused(gateway, deep, single(20_000), -32602, part="limits.depth")


def test_depth_of_other_elements(gateway, upstream):
    """Elements that hold no values are not nested at all."""
    for document in (b"<params>" * 100_000, value("<value>" * 100_000), b"<params><x>" * 100_000):
        refused(gateway, upstream, as_call(document), -32600, -32602, -32700)


# ---- Time and memory ----------------------------------------------------------------------------

@pytest.mark.parametrize("name", GROWING)
def test_time_is_linear(gateway, name):
    """Quadratic would be 16 times; and others go on meanwhile."""
    make, n = GROWING[name], 50_000 // SLOW

    def took(document: bytes) -> float:
        best = float("inf")
        for _ in range(3):
            began = time.monotonic()
            send(gateway, document)
            best = min(best, time.monotonic() - began)
        return best

    one = took(as_call(make(n)))
    with pulse(gateway) as beats:
        four = took(as_call(make(4 * n)))
    assert four < 8 * one + 0.2 * SLOW, f"{one:.3f} s, four times as much: {four:.3f} s"
    assert beats.longest < OTHERS_WAIT


@pytest.mark.skipif(SANITIZED, reason="sanitizers take memory of their own")
@pytest.mark.parametrize("document", [
    laughs(12), value("<int>1e999999999</int>"), value("<double>1e999999999</double>"),
    b"<" + b"a" * 5_000_000, b"<params " + b"a='' " * 1_000_000,
    value("<array><data><value>" * 100_000), value("<struct><member>" * 100_000),
], ids=lambda document: re.sub(r"\W+", "-", document[:24].decode()))
def test_memory_is_bounded(start, settings, document):
    """A short document cannot ask for much."""
    gateway = start.gateway(settings)
    assert send(gateway, as_call(value("1"))) is None

    def most() -> int:
        with open(f"/proc/{gateway.process.pid}/status", encoding="ascii") as status:
            return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1))

    before = most()
    assert send(gateway, as_call(document)) is not None
    assert most() - before < MEMORY_BASE + 8 * len(document)


def items(item: bytes, size: int) -> bytes:
    return as_call(b"<params><param><value><array><data>" + item * (size // len(item))
                   + b"</data></array></value></param></params>")


LARGE = {
    "doubles": (8, items(b"<value><double>0.123456789012345678901234567891</double></value>",
                         6 * MILLION)),
    "strings": (30, items(b"<value>x</value>", 6 * MILLION)),
    "members": (30, items(b"<value><struct><member><name>a</name><value><int>1</int></value>"
                          b"</member></struct></value>", 6 * MILLION)),
    "calls": (30, items(b"<value><struct><member><name>a</name><value/></member></struct></value>",
                        6 * MILLION).replace(b">m<", b">system.multicall<")),
}


@pytest.mark.concurrency
@pytest.mark.parametrize("count, body", LARGE.values(), ids=LARGE)
def test_others_go_on_beside_many(gateway, count, body):
    """Many large documents at once, twice: each has its answer, and who asks for something else
    waits no longer than a turn of each lasts."""
    for _ in range(2):
        answers = []
        callers = [threading.Thread(target=lambda: answers.append(
            gateway.request("POST", "/xmlrpc/up", body, XML))) for _ in range(count)]
        with pulse(gateway) as beats:
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
        faults = [told(answer) for answer in answers]
        is_multicall = b"system.multicall" in body
        assert len(faults) == count and all((fault is not None) == is_multicall for fault in faults)
        assert beats.longest < OTHERS_WAIT
