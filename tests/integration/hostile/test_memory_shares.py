# SPDX-License-Identifier: Apache-2.0
"""limits.memory among callers: each takes memory as its bytes come, and has a share; who has taken
that waits, and nobody else does."""

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from rig.check import assert_problem, eventually
from rig.settings import DEADLINE, SLOW
from rig.upstream import at_a_gate
from rig.wire import request

pytestmark = pytest.mark.concurrency

MILLION = 1_000_000
MEBIBYTE = 1024 * 1024
HOG, HOG2, OTHER = (name.ljust(32, "x") for name in ("hog", "hog2", "other"))
MANY = {f"many{n}": f"many{n}".ljust(32, "x") for n in range(8)}

#: A share is 8 MiB.
MEMORY = 32


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def gateway_of(start, behave, *, workers=4, limits=None, anonymous=False, **up):
    """Callers with names of their own, or everybody as the hog."""
    upstream = start.upstream(behave)
    callers = [{"name": "other", "token": OTHER, "allow": ["*/*"]}]
    settings = {"anonymous": {"allow": ["*/*"]}} if anonymous else {}
    if not anonymous:
        callers += [{"name": name, "token": token, "allow": ["*/*"]}
                    for name, token in (("hog", HOG), ("hog2", HOG2), *MANY.items())]
    gateway = start.gateway({
        **settings, "callers": callers, "workers": workers,
        "limits": {"memory": f"{MEMORY}M", "body": "4M", **(limits or {})},
        "upstreams": {"up": {"url": upstream.url, "introspection": {"ttl": "1h"}, **up}}})
    return upstream, gateway


def metrics(gateway, token=OTHER) -> str:
    return gateway.get("/metrics", **(bearer(token) if token else {})).body.decode()


def used(gateway, token=OTHER) -> int:
    answer = gateway.get("/metrics", **(bearer(token) if token else {}))
    if answer.status != 200:  # the last parts of the memory are for replies
        assert_problem(answer, "overloaded", 503, "no", setting="limits.memory")
        return MEMORY * MEBIBYTE
    return int(answer.body.decode().split("\nrpcgate_memory_bytes ")[1].split()[0])


def others_are_served(gateway, size=MILLION // 2):
    """At once, each kind of request, with small bodies and large ones."""
    text = "x" * size
    with ThreadPoolExecutor(4) as pool:
        began = time.monotonic()
        calls = [pool.submit(gateway.call, "up", "echo", [text], **bearer(OTHER)) for _ in range(4)]
        assert all(call.result().result == text for call in calls)
    batch = gateway.batch("up", ("echo", text), ("echo", 1), **bearer(OTHER))
    assert [one["result"] for one in batch] == [text, 1]
    assert gateway.jsonrpc("up", {"jsonrpc": "2.0", "id": 1, "method": "echo", "params": [1]},
                           **bearer(OTHER)).json["result"] == 1
    assert gateway.get("/v1/up", **bearer(OTHER)).status == 200
    assert time.monotonic() - began < 4 * SLOW


async def behave_well(x):
    """Echoes; `large` gives a text of that many bytes; has a list of methods."""
    match x.method:
        case "large":
            await x.answer("y" * x.params[0])
        case "system.listMethods":
            await x.answer([f"method-{n:06}" for n in range(20_000)] + ["echo", "large"])
        case "system.multicall":
            await x.answer_fault(-32601, "no such method")
        case _:
            await x.answer(x.params[0] if x.params else None)


def begin_body(connection, sent, announced, token=HOG, path="/v1/up/echo"):
    """The head, and so many bytes of the body."""
    headers = {"Content-Type": "application/json", **(bearer(token) if token else {})}
    if announced is None:
        headers["Transfer-Encoding"] = "chunked"
        body = b"%x\r\n%s" % (sent + 1, b'["' + b"x" * (sent - 2)) if sent else b""
    else:
        headers["Content-Length"] = str(announced)
        body = (b'["' + b"x" * sent)[:sent]
    connection.send(request("POST", path, None, headers) + body)


@pytest.mark.parametrize("path", ["/v1/up/echo", "/v1/up", "/jsonrpc/up"])
def test_announced_bytes_take_no_memory(start, path):
    _, gateway = gateway_of(start, behave_well)
    others_are_served(gateway)
    before = used(gateway)
    with ExitStack() as stack:
        for _ in range(60):
            begin_body(stack.enter_context(gateway.connect()), 1, 4 * MEBIBYTE, path=path)
        eventually(lambda: metrics(gateway), lambda text: sum(
            float(line.split()[1]) for line in text.splitlines()
            if line.startswith("rpcgate_connections")) >= 60)
        # Its own calls are served, too.
        assert gateway.call("up", "echo", ["x" * MILLION], **bearer(HOG)).status == 200
        others_are_served(gateway)
        assert used(gateway) < before + MILLION


@pytest.mark.parametrize("announced", [4 * MEBIBYTE, None])
@pytest.mark.parametrize("anonymous", [False, True])
def test_bodies_beyond_the_share_make_nobody_else_wait(start, announced, anonymous):
    _, gateway = gateway_of(start, behave_well, anonymous=anonymous,
                            pool={"queue_timeout": f"{int(500 * SLOW)}ms"})
    others_are_served(gateway)
    with ExitStack() as stack:
        bodies = [stack.enter_context(gateway.connect()) for _ in range(30)]
        with ThreadPoolExecutor(30) as pool:
            for one in bodies:
                pool.submit(begin_body, one, 2 * MILLION, announced, None if anonymous else HOG)
            eventually(lambda: used(gateway), lambda n: n > MEMORY * MEBIBYTE // 10)
            for _ in range(3):
                others_are_served(gateway)
                assert used(gateway) < MEMORY * MEBIBYTE / 4 + 8 * MEBIBYTE
            # The hog itself waits, and is told so.
            answer = gateway.call("up", "echo", ["x" * 3 * MILLION],
                                  **({} if anonymous else bearer(HOG)))
            if answer.status != 200:
                assert_problem(answer, "overloaded", 503, "no", setting="limits.memory")
                assert answer.header("Retry-After")
            others_are_served(gateway)


def unread(gateway, stack, method, path, body, n, token=HOG):
    """Asks so often, over connections of their own, and reads nothing. What is not read stays with
    the gateway: unix sockets have small buffers."""
    for _ in range(n):
        connection = stack.enter_context(gateway.connect("unix"))
        connection.send(request(method, path, body, bearer(token) if token else {}))


UNREAD = {
    "calls": ("POST", "/v1/up/large", json.dumps([1_500_000]).encode()),
    "batches": ("POST", "/v1/up", json.dumps(
        [{"method": "large", "params": [700_000]}] * 2).encode()),
    "jsonrpc": ("POST", "/jsonrpc/up", json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": "large", "params": [1_500_000]}).encode()),
    "lists": ("GET", "/v1/up", None),
}


@pytest.mark.parametrize("method, path, body", UNREAD.values(), ids=UNREAD)
def test_replies_that_are_not_read_make_nobody_else_wait(start, method, path, body):
    upstream, gateway = gateway_of(start, behave_well,
                                   pool={"queue_timeout": f"{int(300 * SLOW)}ms",
                                         "max_connections": 200})
    others_are_served(gateway)
    with ExitStack() as stack:
        unread(gateway, stack, method, path, body, 60)
        n, end = 0, time.monotonic() + DEADLINE
        while (answer := gateway.call("up", "echo", [f"mine {n}"], **bearer(HOG))).status != 503:
            assert time.monotonic() < end, f"{n} calls were served"
            n += 1
            if n % 200 == 0:  # those before may all have waited for each other in vain
                unread(gateway, stack, method, path, body, 30)
        assert_problem(answer, "overloaded", 503, "no", setting="limits.memory")
        assert answer.header("Retry-After")
        assert [f"mine {n}"] not in [x.params for x in upstream.exchanges if x.method == "echo"]
        for _ in range(3):
            others_are_served(gateway)
            # A quarter, and one reply that goes beyond it.
            assert used(gateway) < MEMORY * MEBIBYTE / 4 + 4 * MEBIBYTE + 4 * MILLION
    eventually(lambda: gateway.call("up", "echo", [1], **bearer(HOG)).status, lambda n: n == 200)
    eventually(lambda: used(gateway), lambda n: n < 2 * MILLION)


def test_anonymous_callers_have_more_where_there_are_no_others(start):
    """A half; and a quarter as soon as a reload brings others, whom it would press."""
    upstream = start.upstream(behave_well)
    settings = {"anonymous": {"allow": ["*/*"]}, "workers": 2, "limits": {"memory": f"{MEMORY}M"},
                "upstreams": {"up": {"url": upstream.url, "pool": {
                    "queue_timeout": f"{int(2 * SLOW)}s", "max_connections": 200}}}}
    gateway = start.gateway(settings)
    body = json.dumps([3 * MILLION]).encode()
    with ExitStack() as stack:
        unread(gateway, stack, "POST", "/v1/up/large", body, 30, token="")
        eventually(lambda: used(gateway, ""), lambda n: n > MEMORY * MEBIBYTE * 7 // 16)
        # The rest is for calls of our own.
        for _ in range(20):
            assert used(gateway, "") < MEMORY * MEBIBYTE * 7 // 8
    eventually(lambda: used(gateway, ""), lambda n: n < MILLION)
    gateway.reload(settings | {"callers": [{"name": "other", "token": OTHER, "allow": ["*/*"]}]})
    with ExitStack() as stack:
        unread(gateway, stack, "POST", "/v1/up/large", body, 20, token="")
        eventually(lambda: used(gateway), lambda n: n > 7 * MEBIBYTE)
        others_are_served(gateway)
        assert used(gateway) < MEMORY * MEBIBYTE / 4 + 4 * MEBIBYTE + 4 * MILLION


@pytest.mark.parametrize("way", ["body", "reply"])
def test_one_that_is_larger_than_the_share(start, way):
    """There is always room for one body and one response."""
    _, gateway = gateway_of(start, behave_well, limits={"memory": "16M", "body": "6M"})
    with ExitStack() as stack:
        for _ in range(20):
            begin_body(stack.enter_context(gateway.connect()), 50_000, 4 * MEBIBYTE)
        if way == "body":
            answer = gateway.call("up", "echo", ["x" * 5 * MILLION], **bearer(HOG))
            if answer.status == 200:
                assert len(answer.result) == 5 * MILLION
            else:
                assert answer.problem in ("overloaded", "response-too-large")
        else:
            answer = gateway.call("up", "large", [6 * MILLION], **bearer(HOG))
            assert len(answer.result) == 6 * MILLION


@pytest.mark.parametrize("way", ["calls", "batches"])
def test_one_caller_with_more_than_its_share(start, way):
    """All wait for their turn, over all workers, and all are served."""
    text = "x" * 2 * MILLION
    _, gateway = gateway_of(start, behave_well, limits={"memory": "16M"},
                            pool={"queue_timeout": f"{int(60 * SLOW)}s"})

    def call(n):
        with gateway.connect() as connection:
            if way == "calls":
                body = json.dumps([f"{n}{text}"]).encode()
                connection.send(request("POST", "/v1/up/echo", body, bearer(HOG)))
                return connection.answer().result == f"{n}{text}"
            body = json.dumps([{"method": "echo", "params": [f"{n}{text[:MILLION]}"]}] * 2).encode()
            connection.send(request("POST", "/v1/up", body, bearer(HOG)))
            return connection.answer().json["results"] == [{"result": f"{n}{text[:MILLION]}"}] * 2
    with ThreadPoolExecutor(24) as pool:
        assert all(pool.map(call, range(48)))
    eventually(lambda: used(gateway), lambda n: n < MILLION)


def test_a_body_that_waits_at_the_end_of_the_drain(start):
    """It gets `draining`, and no reset."""
    upstream, _ = at_a_gate(start)
    gateway = start.gateway({
        "anonymous": {"allow": ["*/*"]}, "workers": 1,
        "limits": {"body": "6M", "memory": "8M", "drain": "500ms"},
        "upstreams": {"up": {"url": upstream.url, "pool": {"queue_timeout": "60s"}}}})
    large = b'["' + b"x" * (3 * MILLION) + b'"]'
    with gateway.connect() as first, gateway.connect() as second, gateway.connect() as third:
        first.send(request("POST", "/v1/up/m", large))
        upstream.wait_requests(1)
        with ThreadPoolExecutor(2) as pool:
            sending = [pool.submit(second.send, request("POST", "/v1/up/m", large)),
                       pool.submit(third.send, request("POST", "/v1/up", large))]
            eventually(lambda: gateway.metric("rpcgate_connections"), lambda n: n >= 4)
            gateway.signal(signal.SIGTERM)
            answers = [second.answer(), third.answer()]
            for one in sending:
                one.result()
        for answer in answers:
            assert_problem(answer, "draining", 503, "no", setting="limits.drain")
        assert_problem(first.answer(), "draining", 503, "unknown")
    gateway.assert_clean_end()


@pytest.mark.parametrize("ends", ["room", "drain"])
def test_a_batch_waits_for_the_memory_of_its_calls(start, ends):
    """As a body does, and its calls count for the caller's rate once. The calls are notifications
    that the caller may not make: nothing is sent, nothing answered."""
    n = 50_000
    upstream = start.upstream(behave_well)
    gateway = start.gateway({
        "callers": [{"name": "hog", "token": HOG, "allow": ["*/*"]},
                    {"name": "other", "token": OTHER, "allow": ["*/echo"], "rate": 1, "burst": n}],
        "workers": 1, "limits": {"memory": "16M", "batch": n, "drain": "500ms"},
        "upstreams": {"up": {"url": upstream.url, "multicall_max": n, "limits": {"response": "64M"},
                             "pool": {"queue_timeout": f"{int(60 * SLOW)}s"}}}})
    body = b"[" + b",".join([b'{"jsonrpc":"2.0","method":"no"}'] * n) + b"]"
    with gateway.connect() as connection, ExitStack() as stack:
        unread(gateway, stack, "POST", "/v1/up/large", json.dumps([9_300_000]).encode(), 1)
        held = eventually(lambda: used(gateway), lambda n: n > 9_000_000)
        connection.send(request("POST", "/jsonrpc/up", body, bearer(OTHER)))
        eventually(lambda: used(gateway), lambda n: n > held + len(body))
        for _ in range(30):  # the worker's turns in which the text is read
            used(gateway)
        if ends == "drain":
            gateway.signal(signal.SIGTERM)
        else:
            stack.close()
        answer = connection.answer()
    if ends == "room":
        assert answer.status == 204, answer.body
        eventually(lambda: used(gateway), lambda n: n < MILLION)
    else:
        assert answer.json["error"]["data"]["type"].endswith("draining"), answer.body
        gateway.assert_clean_end()


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("slots", [1, 3])
def test_replies_without_room_keep_no_upstream(start, workers, slots):
    """Replies that wait for their caller's memory hold slots of the upstream. They give them to
    other callers' calls, and the caller gets none for more such calls meanwhile."""
    upstream, gateway = gateway_of(start, behave_well, workers=workers, pool={
        "queue_timeout": f"{int(4 * SLOW)}s", "max_connections": slots})
    with ExitStack() as stack:
        for token in (HOG, HOG2):
            unread(gateway, stack, "POST", "/v1/up/large", json.dumps([3 * MILLION]).encode(), 40,
                   token)
        # All of a share, and one reply that goes beyond it.
        eventually(lambda: used(gateway), lambda n: n > 7 * MEBIBYTE)
        for n in range(10):
            assert gateway.call("up", "echo", [n], **bearer(OTHER)).result == n
        others_are_served(gateway)


def test_replies_without_room_wait_for_it_while_nobody_presses(start):
    """A caller that reads its replies late has all of them, though its own calls queue."""
    upstream, gateway = gateway_of(start, behave_well, pool={
        "queue_timeout": f"{int(60 * SLOW)}s", "max_connections": 4})
    body = json.dumps([3 * MILLION]).encode()
    with ExitStack() as stack:
        callers = [stack.enter_context(gateway.connect("unix")) for _ in range(12)]
        for one in callers:
            one.send(request("POST", "/v1/up/large", body, bearer(HOG)))
        eventually(lambda: used(gateway), lambda n: n > 6 * MEBIBYTE)
        with ThreadPoolExecutor(13) as pool:
            other = pool.submit(gateway.call, "up", "echo", ["x"], **bearer(OTHER))
            answers = list(pool.map(lambda one: one.answer(), callers))
        assert [len(answer.result) for answer in answers] == [3 * MILLION] * 12
        assert other.result().result == "x"


def hold_together(gateway, stack, way):
    """Several callers fill the memory, each within what it may hold."""
    def large(n, size, token):
        unread(gateway, stack, "POST", "/v1/up/large", json.dumps([size]).encode(), n, token)

    if way == "one large":
        large(1, 24_000_000, HOG)
        eventually(lambda: used(gateway), lambda n: n > 22 * MEBIBYTE)
        large(5, 3 * MILLION, HOG2)
    elif way == "replies":
        for token in MANY.values():
            large(5, 1_500_000, token)
    else:
        for token in MANY.values():
            for _ in range(2):
                begin_body(stack.enter_context(gateway.connect()), 1_700_000, 4_000_000, token)


@pytest.mark.parametrize("way", ["one large", "replies", "bodies"])
@pytest.mark.parametrize("workers", [1, 4])
def test_many_callers_together_hold_up_nobody_else(start, way, workers):
    """They give way to whoever holds less: after a quarter of pool.queue_timeout the first time,
    then at once. The others' own replies, read late or not, stay."""
    _, gateway = gateway_of(start, behave_well, workers=workers, limits={"write_time": "1h",
                                                                         "body_time": "1h"},
                            pool={"queue_timeout": f"{int(8 * SLOW)}s", "max_connections": 200})
    size = 2 * MILLION if way == "one large" else MILLION // 2
    text = "x" * size
    with ExitStack() as stack:
        late = stack.enter_context(gateway.connect("unix"))
        late.send(request("POST", "/v1/up/large", json.dumps([MILLION // 2]).encode(), bearer(OTHER)))
        hold_together(gateway, stack, way)
        eventually(lambda: used(gateway), lambda n: n > MEMORY * MEBIBYTE * 12 // 16)
        for _ in range(3):
            began = time.monotonic()
            assert gateway.call("up", "echo", [text], **bearer(OTHER)).result == text
            assert time.monotonic() - began < 4 * SLOW
            others_are_served(gateway, size // 8)
            hold_together(gateway, stack, way)
        assert len(late.answer().result) == MILLION // 2
    if way == "replies":
        line = gateway.wait_line("request, reply cut off")
        assert "problem=overloaded" in line and "limits.memory" in line and "caller=other" not in line
    eventually(lambda: used(gateway), lambda n: n < MILLION)


def test_a_body_that_gives_way(start):
    """Its sender is told, when it has sent the rest."""
    _, gateway = gateway_of(start, behave_well, pool={"queue_timeout": f"{int(2 * SLOW)}s"})
    with ExitStack() as stack:
        bodies = [stack.enter_context(gateway.connect()) for _ in range(2 * len(MANY))]
        for one, token in zip(bodies, [*MANY.values()] * 2):
            begin_body(one, 1_700_000, 4_000_000, token)
        eventually(lambda: used(gateway), lambda n: n > MEMORY * MEBIBYTE * 12 // 16)
        text = "x" * 2 * MILLION
        assert gateway.call("up", "echo", [text], **bearer(OTHER)).result == text
        for one in bodies:
            one.send(b"x" * (4_000_000 - 1_700_000 - 2) + b'"]')
        answers = [one.answer() for one in bodies]
    refused = [answer for answer in answers if answer.status != 200]
    assert refused
    for answer in refused:
        assert_problem(answer, "overloaded", 503, "no", setting="limits.memory")
        assert answer.header("Retry-After")
