# SPDX-License-Identifier: Apache-2.0
"""Results that are kept, and equal calls that are made once."""

import asyncio
import json
import socket
import subprocess
from base64 import b64encode

import pytest

from rig import crowd, npm
from rig.check import assert_problem
from rig.gateway import run_program
from rig.mcp import Mcp
from rig.multicall import Multicall
from rig.settings import configuration, up_settings

TOKENS = {"one": "1" * 40, "two": "2" * 40}


def numbered():
    """A behaviour that answers each call with another number; and what it was called with."""
    calls = []

    async def behave(x):
        calls.append((x.method, *x.params))
        await x.answer(len(calls))
    return behave, calls


def keeping(**cache) -> list:
    """All methods that begin with `get` are safe, and their results kept."""
    return [{"match": "get*", "safe": True, "cache": {"ttl": "1h", **cache}}]


def kept(answer) -> str:
    status = answer.header("Cache-Status")
    assert status.startswith("rpcgate; ")
    return status.removeprefix("rpcgate; ")


def count(gateway, result: str) -> int:
    wanted = f'rpcgate_cache_total{{upstream="up",result="{result}"}} '
    lines = gateway.get("/metrics").body.decode().splitlines()
    return sum(int(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))


@pytest.fixture
def pair(start):
    """A gateway of four workers and the calls that its upstream got."""
    def make(top=None, **more):
        behave, calls = numbered()
        upstream = start.upstream(behave)
        settings = up_settings(upstream, **{"methods": keeping(), **more})
        return start.gateway(settings | {"workers": 4} | (top or {})), calls
    return make


# ---- What is kept -------------------------------------------------------------------------------

def test_a_result_answers_equal_calls(pair):
    gateway, calls = pair()
    first = gateway.call("up", "get", ["a", 1])
    assert first.result == 1 and kept(first) == "fwd=miss; stored" and not first.header("Age")
    for _ in range(20):  # of all workers
        again = gateway.call("up", "get", [ "a",  1 ])
        assert again.result == 1 and int(again.header("Age")) < 3600
        assert kept(again) == f"hit; ttl={3600 - int(again.header('Age'))}"
        assert again.header("Cache-Control") == "no-store" and not again.header("ETag")
    assert gateway.call("up", "get", ["a", 2]).result == 2
    assert gateway.call("up", "getmore", ["a", 1]).result == 3
    assert len(calls) == 3
    assert count(gateway, "hit") == 20 and count(gateway, "miss") == 3
    assert gateway.metric("rpcgate_cache_bytes") > 0


def test_of_other_methods_nothing_is_kept(pair):
    gateway, calls = pair()
    answers = [gateway.call("up", "set", [1]) for _ in range(2)]
    assert [answer.result for answer in answers] == [1, 2]
    assert not [answer for answer in answers if answer.header("Cache-Status")]


def test_all_faces_share_it(pair):
    route = {"name": "r", "get": "/r/{a}", "call": "up/get", "params": ({"name": "a"}, 1)}
    gateway, calls = pair({"routes": (route,)})
    assert gateway.call("up", "get", ["x", 1]).result == 1
    assert gateway.jsonrpc("up", {"jsonrpc": "2.0", "id": 7, "method": "get",
                                  "params": ["x", 1]}).json["result"] == 1
    answer = gateway.get("/r/x")
    assert answer.result == 1 and kept(answer).startswith("hit; ")
    assert gateway.batch("up", ("get", "x", 1), ("get", "x", 1)) == [{"result": 1}] * 2
    batch = [{"jsonrpc": "2.0", "id": n, "method": "get", "params": ["x", 1]} for n in (1, 2)]
    assert [item["result"] for item in gateway.jsonrpc("up", batch).json] == [1, 1]
    assert len(calls) == 1


def test_forms_are_kept_apart(start):
    async def behave(x):
        await x.answer_xml("<i8>5000000000</i8>")
    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream, methods=keeping()))
    for query, wanted in (("", 5000000000), ("types=tagged", {"$i8": "5000000000"}),
                          ("integers=string", "5000000000")) * 2:
        assert gateway.call("up", "get", query=query).result == wanted
    assert len(upstream.exchanges) == 3


def test_a_part_is_cut_from_the_whole(start):
    async def behave(x):
        await x.answer([{"name": "A", "none": []}] if x.params[0] == "full" else [])
    upstream = start.upstream(behave)
    routes = tuple({"name": f"r{number}", "get": f"/r{number}/{{a}}", "call": "up/get",
                    "params": ({"name": "a"},), "result": result}
                   for number, result in enumerate((
                       {"at": "/0/name"}, {"at": "/0/none", "empty": 404}, {"empty": 404},
                       {"at": "/0/none"}, {"at": "/0/not"}, {"at": "/0", "wrap": False})))
    gateway = start.gateway(up_settings(upstream, methods=keeping()) | {"routes": routes})
    whole = [{"name": "A", "none": []}]
    for _ in range(2):
        assert gateway.get("/r0/full").result == "A"
        assert_problem(gateway.get("/r1/full"), "not-found", 404, "yes")
        assert gateway.get("/r2/full").result == whole
        assert gateway.get("/r3/full").result == []
        assert gateway.get("/r4/full").result is None
        assert gateway.get("/r5/full").json == whole[0]
        assert gateway.call("up", "get", ["full"]).result == whole
        assert gateway.get("/r0/full?types=tagged").result == "A"
        assert_problem(gateway.get("/r2/empty"), "not-found", 404, "yes")
        assert gateway.get("/r0/empty").result is None
    assert dict(upstream.executed) == {"full": 2, "empty": 1}  # once of it tagged


def test_a_part_of_what_is_too_large_to_be_kept(start):
    big = "x" * 3_000_000

    async def behave(x):
        await x.answer({"big": big, "small": 7})
    upstream = start.upstream(behave)
    route = {"name": "r", "get": "/r", "call": "up/get", "result": {"at": "/small"}}
    gateway = start.gateway(up_settings(upstream, methods=keeping()) | {"routes": (route,)})
    assert gateway.get("/r").result == 7
    for _ in range(2):
        answer = gateway.call("up", "get")
        assert answer.result["big"] == big and kept(answer) == "fwd=miss"
    assert gateway.metric("rpcgate_cache_bytes") == 0


def test_faults_and_failures_are_not_kept(start):
    async def behave(x):
        n = len(upstream.exchanges)
        await (x.answer_fault(5, "no") if n == 1 else x.respond(b"", "404 Not Found")
               if n == 2 else x.answer(n))
    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream, methods=keeping()))
    fault = gateway.call("up", "get")
    assert_problem(fault, "fault", 500, "yes")
    assert fault.json["fault"] == {"code": 5, "string": "no"}
    protocol = gateway.call("up", "get")
    assert_problem(protocol, "protocol-error", 502, "no")
    assert protocol.json["protocol"]["status"] == 404
    assert protocol.json["protocol"]["headers"]["Content-Length"] == "0"
    assert [gateway.call("up", "get").result for _ in range(2)] == [3, 3]


def test_an_envelopes_failure_is_none_either(start):
    async def behave(x):
        n = len(upstream.exchanges)
        await x.answer({"ok": n > 1, "value": n, "text": "bad"})
    upstream = start.upstream(behave)
    envelope = ({"good": {"at": "/ok", "is": True}, "value": "/value", "text": "/text"},)
    gateway = start.gateway(up_settings(upstream, methods=keeping(), envelope=envelope))
    assert_problem(gateway.call("up", "get"), "fault", 500)
    assert [gateway.call("up", "get").result for _ in range(2)] == [2, 2]


def test_no_cache_asks_anew(pair):
    gateway, calls = pair()
    assert gateway.call("up", "get").result == 1
    anew = gateway.call("up", "get", Cache_Control="max-age=0, No-Cache")
    assert anew.result == 2 and kept(anew) == "fwd=request; stored"
    assert gateway.call("up", "get").result == 2, "the newer one is kept"
    aside = gateway.call("up", "get", Cache_Control="no-store")
    assert aside.result == 3 and kept(aside) == "fwd=request"
    assert gateway.call("up", "get").result == 2


def test_time_is_over(pair):
    gateway, calls = pair(methods=keeping(ttl="20ms"))
    results = [gateway.call("up", "get").result]
    while results[-1] == 1:
        results.append(gateway.call("up", "get").result)
    assert results[-1] == 2


def test_where_it_is_set(pair):
    """The nearest one counts, and an upstream's is for what is safe."""
    route = {"name": "r", "post": "/r", "call": "up/post", "safe": True, "cache": {"ttl": "1h"}}
    plain = {"name": "p", "post": "/p", "call": "up/post", "safe": True}
    gateway, calls = pair({"routes": (route, plain)}, cache={"ttl": "1h"}, methods=[
        {"match": "never", "safe": True, "cache": {"ttl": "0s", "collapse": False}},
        {"match": "safe", "safe": True}])
    for method, wanted in (("safe", "hit"), ("system.listMethods", "hit"), ("never", None),
                           ("post", None)):
        answers = [gateway.call("up", method) for _ in range(2)]
        assert (answers[0].result == answers[1].result) == (wanted == "hit")
        assert bool(answers[1].header("Cache-Status")) == (wanted == "hit")
    assert gateway.post_json("/r", {}).result == gateway.post_json("/r", {}).result
    assert gateway.post_json("/p", {}).result != gateway.post_json("/p", {}).result


@pytest.mark.parametrize("by_caller", [False, True])
def test_callers_share_or_not(pair, by_caller):
    callers = [{"name": name, "token": token, "allow": ["up/*"]} for name, token in TOKENS.items()]
    gateway, calls = pair({"callers": callers}, methods=keeping(by_caller=by_caller))
    results = [gateway.call("up", "get", Authorization=f"Bearer {token}").result
               for token in TOKENS.values() for _ in range(2)]
    assert results == ([1, 1, 2, 2] if by_caller else [1] * 4)
    assert gateway.call("up", "get").result == (3 if by_caller else 1)


def test_rights_and_rates_come_first(pair):
    one = {"name": "one", "token": TOKENS["one"], "rate": 1, "burst": 2, "allow": (
        {"match": "up/get", "params": ({"at": 0, "in": ["mine"]},)},)}
    gateway, calls = pair({"callers": [one]})
    assert gateway.call("up", "get", ["other"]).result == 1
    headers = {"Authorization": f"Bearer {TOKENS['one']}"}
    assert_problem(gateway.call("up", "get", ["other"], **headers), "forbidden", 403)
    assert gateway.call("up", "get", ["mine"], **headers).result == 2
    assert_problem(gateway.call("up", "get", ["mine"], **headers), "rate-limited", 429)
    assert len(calls) == 2


def test_a_session_is_no_part_of_the_key(start):
    """Nor is a login needed for what is there."""
    async def behave(x):
        if x.method == "login":
            return await x.answer(f"key{len(upstream.exchanges)}")
        await x.answer([*x.params])
    upstream = start.upstream(behave)
    more = {"inject": ({"match": "get", "params": ["{session}", "fixed"]},),
            "session": {"login": {"method": "login"}}, "credentials": {"username": "u"}}
    settings = up_settings(upstream, methods=keeping(), **more)
    gateway = start.gateway(settings)
    assert gateway.call("up", "get", ["a"]).result == ["key1", "fixed", "a"]
    assert gateway.call("up", "get", ["a"]).result == ["key1", "fixed", "a"]
    assert [x.method for x in upstream.exchanges] == ["login", "get"]


def test_repaired_values_are_counted_again(start):
    async def behave(x):
        await x.answer_xml("<string>a&#1;b</string>")
    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream, methods=keeping(), text="replace"))
    for _ in range(2):
        answer = gateway.call("up", "get")
        assert answer.result == "a\ufffdb" and answer.header("X-Rpcgate-Repaired") == "1"
    assert len(upstream.exchanges) == 1


def test_the_access_line_tells(start):
    behave, _ = numbered()
    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream, methods=keeping()) | {"log": {"format": "json"}})
    for wanted in ("miss", "hit"):
        request_id = gateway.call("up", "get").header("X-Request-Id")
        line = gateway.access_line(request_id)
        assert line["cache"] == wanted
        assert ("upstream_ms" in line) == (wanted == "miss")


# ---- Reloads ------------------------------------------------------------------------------------

def test_a_reload_keeps_what_is_of_the_same_upstream(start):
    behave, calls = numbered()
    upstream = start.upstream(behave)
    settings = up_settings(upstream, methods=keeping())
    gateway = start.gateway(settings)
    assert gateway.call("up", "get").result == 1
    gateway.reload(settings | {"log": {"access": False}})
    assert gateway.call("up", "get").result == 1
    settings["upstreams"]["up"]["fault_status"] = 501
    gateway.reload(settings)
    assert gateway.call("up", "get").result == 2
    gateway.reload(settings | {"limits": {"cache": "0"}})
    assert gateway.metric("rpcgate_cache_bytes") == 0
    assert gateway.call("up", "get").result == 3


def test_what_leaves_with_its_upstream(start):
    behave, calls = numbered()
    upstream = start.upstream(behave)
    settings = up_settings(upstream, methods=keeping())
    gateway = start.gateway(settings)
    gateway.call("up", "get")
    assert gateway.metric("rpcgate_cache_bytes") > 0
    settings["upstreams"]["up"]["fault_status"] = 501
    gateway.reload(settings)
    while gateway.metric("rpcgate_cache_bytes") > 0:  # workers let go of it one after another
        pass


# ---- Equal calls under way ----------------------------------------------------------------------

class Held:
    """An upstream whose calls wait for a gate, and a gateway of four workers."""

    def __init__(self, start, end=None, top=None, **cache):
        async def behave(x):
            await self.gate.passed()
            await (end(x) if end is not None else x.answer("done"))
        self.upstream = start.upstream(behave)
        self.gate = self.upstream.gate()
        self.gateway = start.gateway(
            up_settings(self.upstream, methods=keeping(**cache), timeouts={"total": "60s"})
            | {"workers": 4} | (top or {}))

    async def sent(self, n: int = 1):
        await asyncio.to_thread(self.upstream.wait_requests, n)

    async def wait_awaiting(self, n: int):
        """So many calls wait for another one."""
        wanted = f'rpcgate_calls{{state="awaiting"}} {n}'
        while wanted not in (await asyncio.to_thread(self.gateway.get, "/metrics")).body.decode():
            pass


@pytest.mark.concurrency
def test_two_hundred_equal_calls_are_made_once(start):
    held = Held(start)

    async def main():
        everyone = await crowd.gather_callers(held.gateway.tcp, 200)
        asked = [asyncio.ensure_future(c.call("up", "get", ["nonce", [1]])) for c in everyone]
        await held.wait_awaiting(200)
        held.gate.open()
        answers = await asyncio.gather(*asked)
        assert {answer.result for answer in answers} == {"done"}
        assert sorted(map(kept, answers))[:2] == ["fwd=miss; collapsed; stored"] * 2
        for c in everyone:
            c.close()
    crowd.run(main())
    assert held.upstream.executed == {"nonce": 1}
    assert count(held.gateway, "collapsed") == 199 and count(held.gateway, "miss") == 1


@pytest.mark.concurrency
def test_with_nothing_kept_they_are_made_once_too(start):
    held = Held(start, ttl="0s")

    async def main():
        everyone = await crowd.gather_callers(held.gateway.tcp, 50)
        asked = [asyncio.ensure_future(c.call("up", "get", ["nonce"])) for c in everyone]
        await held.wait_awaiting(50)
        held.gate.open()
        assert {answer.result for answer in await asyncio.gather(*asked)} == {"done"}
        assert kept(await everyone[0].call("up", "get", ["nonce"])) == "fwd=miss"
        for c in everyone:
            c.close()
    crowd.run(main())
    assert held.upstream.executed == {"nonce": 2}


def test_without_collapse_each_is_made(start):
    held = Held(start, collapse=False)

    async def main():
        everyone = await crowd.gather_callers(held.gateway.tcp, 5)
        asked = [asyncio.ensure_future(c.call("up", "get", ["nonce"])) for c in everyone]
        await held.sent(5)
        held.gate.open()
        await asyncio.gather(*asked)
        for c in everyone:
            c.close()
    crowd.run(main())
    assert held.upstream.executed == {"nonce": 5}
    assert kept(held.gateway.call("up", "get", ["nonce"])).startswith("hit")


def leave(caller):
    """Ends the connection with a reset; who only closes may still read."""
    transport = caller._writer.transport
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                  b"\1\0\0\0\0\0\0\0")
    transport.abort()


@pytest.mark.parametrize("who", ["first", "second"])
def test_who_leaves_ends_its_own_wait_alone(start, who):
    held = Held(start)

    async def main():
        one, two = await crowd.gather_callers(held.gateway.tcp, 2)
        first = asyncio.ensure_future(one.call("up", "get", ["nonce"]))
        await held.sent()
        second = asyncio.ensure_future(two.call("up", "get", ["nonce"]))
        await held.wait_awaiting(2)
        leaves, stays = (one, second) if who == "first" else (two, first)
        (first if who == "first" else second).cancel()
        leave(leaves)
        await held.wait_awaiting(1)
        held.gate.open()
        assert (await stays).result == "done"
        (two if who == "first" else one).close()
    crowd.run(main())
    assert held.upstream.executed == {"nonce": 1}


def test_whose_time_ends_ends_its_own_wait_alone(start):
    """Though it was the first: the call is under the upstream's own timeout."""
    held = Held(start)

    async def main():
        one, two = await crowd.gather_callers(held.gateway.tcp, 2)
        first = asyncio.ensure_future(one.call("up", "get", ["nonce"],
                                               {"X-Rpcgate-Timeout": "300ms"}))
        await held.sent()
        second = asyncio.ensure_future(two.call("up", "get", ["nonce"]))
        late = await first
        assert_problem(late, "timeout", 504, "unknown")
        assert "X-Rpcgate-Timeout" in late.json["detail"]
        held.gate.open()
        assert (await second).result == "done"
        one.close()
        two.close()
    crowd.run(main())
    assert held.upstream.executed == {"nonce": 1}
    assert held.gateway.call("up", "get", ["nonce"]).result == "done"


@pytest.mark.parametrize("end, problem, status, executed", [
    (lambda x: x.answer_fault(3, "secretless"), "fault", 500, "yes"),
    (lambda x: x.respond(b"<html>", "503 Busy", {"Retry-After": "7"}), "protocol-error", 503,
     "unknown"),
    (lambda x: asyncio.sleep(0, x.reset()), "connection-lost", 502, "unknown")])
def test_a_failure_is_given_to_all_who_wait(start, end, problem, status, executed):
    held = Held(start, end)

    async def main():
        everyone = await crowd.gather_callers(held.gateway.tcp, 20)
        asked = [asyncio.ensure_future(c.call("up", "get", [["x"]])) for c in everyone]
        await held.wait_awaiting(20)
        held.gate.open()
        for answer in await asyncio.gather(*asked):
            assert_problem(answer, problem, status, executed)
            assert answer.header("Retry-After") == ("7" if status == 503 else None)
            if problem == "fault":
                assert answer.json["fault"] == {"code": 3, "string": "secretless"}
            if problem == "protocol-error":
                assert answer.json["protocol"]["body"] == "<html>"
        for c in everyone:
            c.close()
    crowd.run(main())
    assert len(held.upstream.exchanges) == (2 if problem == "connection-lost" else 1)


def test_the_end_of_the_service_ends_all_waits(start):
    held = Held(start, top={"limits": {"drain": "0s"}})

    async def main():
        everyone = await crowd.gather_callers(held.gateway.tcp, 20)
        asked = [asyncio.ensure_future(c.call("up", "get", ["nonce"])) for c in everyone]
        await held.wait_awaiting(20)
        await asyncio.to_thread(held.gateway.stop)
        for answer in await asyncio.gather(*asked):
            assert_problem(answer, "draining", 503, "unknown")
        for c in everyone:
            c.close()
    crowd.run(main())


# ---- Batches ------------------------------------------------------------------------------------

def test_a_batch_takes_from_it_item_by_item(start):
    behave = Multicall()
    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream, methods=[
        {"match": "echo", "safe": True, "cache": {"ttl": "1h"}}]))
    assert gateway.call("up", "echo", [1]).result == 1
    results = gateway.batch("up", ("add", 1, 2), ("echo", 1), ("echo", 2), ("add", 3, 4),
                            ("fail", 9, "no"), ("echo", 2), {"method": 5})
    assert [item.get("result") for item in results] == [3, 1, 2, 7, None, 2, None]
    assert results[4]["problem"]["fault"] == {"code": 9, "string": "no"}
    assert behave.sizes == [3], "the others go as one"
    assert [ran for ran in behave.ran if ran[0] == "echo"] == [("echo", 1), ("echo", 2)]
    assert gateway.call("up", "echo", [2]).header("Cache-Status").startswith("rpcgate; hit")


@pytest.mark.parametrize("multicall", ["auto", "never"])
def test_a_long_batch_of_what_is_kept(start, multicall):
    behave = Multicall()
    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream, multicall=multicall, multicall_max=100, methods=[
        {"match": "echo", "safe": True, "cache": {"ttl": "1h"}}]))
    calls = [("echo", n % 7) if n % 3 else ("add", n, 1) for n in range(1500)]
    wanted = [n % 7 if n % 3 else n + 1 for n in range(1500)]
    for _ in range(2):
        assert [item["result"] for item in gateway.batch("up", *calls)] == wanted
    assert len([ran for ran in behave.ran if ran[0] == "echo"]) == 7


# ---- Where the upstream fails -------------------------------------------------------------------

@pytest.fixture
def failing(start):
    """The first call succeeds, the next ones end so."""
    def make(end, **cache):
        async def behave(x):
            await (x.answer("good") if len(upstream.exchanges) == 1 else end(x))
        upstream = start.upstream(behave)
        gateway = start.gateway(up_settings(
            upstream, methods=keeping(**{"ttl": "0s", "stale_if_error": "1h"} | cache)))
        assert gateway.call("up", "get").result == "good"
        return gateway
    return make


def test_stale_where_the_upstream_fails(failing):
    for end in (lambda x: x.respond(b"busy", "503 Busy"),
                lambda x: x.respond(b"<html>"),
                lambda x: asyncio.sleep(0, x.reset())):
        gateway = failing(end)
        answer = gateway.call("up", "get")
        assert answer.result == "good"
        age = int(answer.header("Age"))
        assert kept(answer) == f"hit; ttl={-age}; detail=STALE-IF-ERROR"
        assert count(gateway, "stale") == 1
        assert gateway.call("up", "get", ["another"]).status >= 500
        assert gateway.call("up", "get", Cache_Control="no-cache").status >= 500


def test_stale_is_no_answer_to_a_fault(failing):
    assert_problem(failing(lambda x: x.answer_fault(1, "no")).call("up", "get"), "fault", 500)


def test_stale_has_an_end(failing):
    gateway = failing(lambda x: x.respond(b"busy", "503 Busy"), stale_if_error="20ms")
    while (answer := gateway.call("up", "get")).status == 200:
        pass
    assert_problem(answer, "protocol-error", 503)


def test_stale_behind_an_open_breaker(start):
    async def behave(x):
        if len(upstream.exchanges) == 1:
            return await x.answer(1)
        x.reset()
    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream, breaker={"failures": 1, "open": "1h"},
                                        methods=keeping(ttl="0s", stale_if_error="1h")))
    for _ in range(4):
        assert gateway.call("up", "get").result == 1
    assert_problem(gateway.call("up", "get", [5]), "circuit-open", 503, "no")


# ---- What HTTP says of it -----------------------------------------------------------------------

ROUTES = ({"name": "r", "get": "/r/{a}", "call": "up/get", "params": ({"name": "a"},)},
          {"name": "w", "post": "/w", "call": "up/get"})


def test_get_routes_have_an_etag(pair):
    gateway, calls = pair({"routes": ROUTES})
    first = gateway.get("/r/a")
    etag = first.header("ETag")
    assert len(etag) == 18 and first.header("Cache-Control") == "private, max-age=3600"
    assert first.header("Vary") == "Authorization"
    for sent in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = gateway.get("/r/a", If_None_Match=sent)
        assert answer.status == 304 and answer.body == b"" and answer.header("ETag") == etag
        assert kept(answer).startswith("hit; ttl=")
        assert answer.header("Cache-Control") == "private, max-age=3600"
        assert not answer.header("Content-Type")
    head = gateway.request("HEAD", "/r/a")
    assert head.status == 200 and head.header("ETag") == etag and head.body == b""
    assert gateway.get("/r/a", If_None_Match='"x"').result == 1
    assert gateway.get("/r/b").header("ETag") != etag
    post = gateway.post_json("/w", {}, If_None_Match="*")
    assert post.status == 200 and not post.header("ETag")
    assert post.header("Cache-Control") == "no-store"
    refused = gateway.get("/r/a?x=1")
    assert refused.status == 400 and refused.header("Cache-Control") == "no-store"


def test_tools_of_get_routes_have_none(pair):
    gateway, _ = pair({"routes": ROUTES, "mcp": ({"name": "ops", "tools": ("@r",)},)})
    for status in ("fwd=miss; stored", "hit; ttl="):
        answer = Mcp(gateway).ask("tools/call", {"name": "r", "arguments": {"a": "x"}},
                                  **{"If-None-Match": "*"})
        assert answer.status == 200 and kept(answer).startswith(status)
        assert answer.json["result"]["structuredContent"] == {"result": 1}
        assert not answer.header("ETag") and answer.header("Cache-Control") == "no-store"


def test_a_connection_goes_on_behind_a_304(pair):
    gateway, calls = pair({"routes": ROUTES})
    etag = gateway.get("/r/a").header("ETag")
    with gateway.connect() as caller:
        for _ in range(3):
            caller.send(f"GET /r/a HTTP/1.1\r\nHost: x.localhost\r\nIf-None-Match: {etag}\r\n\r\n"
                        .replace("x.localhost", "localhost").encode())
            version, status, headers = caller.head()
            assert status == 304
            assert not [value for name, value in headers
                        if name.lower() == "content-length" and value != "0"]


CHECK = """
import CachePolicy from "http-cache-semantics";
import { readFileSync } from "fs";
const told = JSON.parse(readFileSync(process.argv[2]));
console.log(JSON.stringify(told.map(({ request, response, now }) => {
  const policy = new CachePolicy(request, response, { shared: false });
  policy.now = () => policy._responseTime + now;
  return { storable: policy.storable(), ttl: policy.timeToLive(), age: policy.age(),
           fresh: policy.satisfiesWithoutRevalidation(request) };
})));
"""


@pytest.fixture(scope="module")
def semantics(folder):
    npm.install(folder, "http-cache-semantics@4.2.0")
    (folder / "check.mjs").write_text(CHECK)
    return folder


def test_another_cache_understands_it(semantics, failing, pair):
    """http-cache-semantics, which npm's own cache and others go by, agrees with each answer."""
    def told(method, path, answer, now=0):
        headers = {name.lower(): value for name, value in answer.headers}
        return {"request": {"method": method, "url": path, "headers": {}}, "now": now,
                "response": {"status": answer.status, "headers": headers}}
    gateway, _ = pair({"routes": ROUTES})
    first, second = gateway.get("/r/a"), gateway.get("/r/a")
    post = gateway.post_json("/w", {})
    left = 3600 - int(second.header("Age"))
    cases = [(told("GET", "/r/a", first), True, 3600, True),
             (told("GET", "/r/a", second), True, left, True),
             (told("GET", "/r/a", second, left * 1000 + 1000), True, 0, False),
             (told("POST", "/w", post), False, 0, False),
             (told("GET", "/r/a?x=1", gateway.get("/r/a?x=1")), False, 0, False)]
    (semantics / "told.json").write_text(json.dumps([case[0] for case in cases]))
    done = subprocess.run(["node", "check.mjs", "told.json"], cwd=semantics, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    for said, (case, storable, ttl, fresh) in zip(json.loads(done.stdout), cases):
        assert said["storable"] == storable and said["fresh"] == fresh, (said, case)
        assert abs(said["ttl"] / 1000 - ttl) <= 1, (said, case)


# ---- What it takes ------------------------------------------------------------------------------

def test_it_has_its_bounds(start):
    """A small cache and many keys: what was not asked for the longest time goes."""
    async def behave(x):
        await x.answer("v" * 1000)
    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream, methods=keeping()) | {
        "limits": {"cache": "64K"}, "workers": 4})
    for n in range(300):
        gateway.call("up", "get", [f"k{n}"])
        gateway.call("up", "get", ["hot"])
        assert gateway.metric("rpcgate_cache_bytes") <= 65536 if n % 50 == 0 else True
    assert 32768 < gateway.metric("rpcgate_cache_bytes") <= 65536
    assert upstream.executed["hot"] == 1 and upstream.executed["k0"] == 1
    gateway.call("up", "get", ["k0"])
    assert upstream.executed["k0"] == 2


@pytest.mark.concurrency
def test_many_hostile_keys_at_once(start):
    """Callers that never ask for the same, who leave, and who ask for what is large."""
    async def behave(x):
        await x.answer("v" * (100_000 if x.params[0] == "big" else 10))
    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream, methods=keeping()) | {
        "limits": {"cache": "256K"}, "workers": 4})

    async def work(caller, number):
        for turn in range(20):
            if (number + turn) % 11 == 0:
                leave(caller)
                return
            params = ["big"] if turn % 5 == 0 else [f"{number} {turn % 3}", b64encode(
                bytes([number, turn % 7])).decode()]
            answer = await caller.call("up", "get", params)
            assert answer.result.startswith("v"), answer
        caller.close()

    async def main():
        everyone = await crowd.gather_callers(gateway.tcp, 60)
        await asyncio.gather(*(work(c, n) for n, c in enumerate(everyone)))
    crowd.run(main())
    assert gateway.metric("rpcgate_cache_bytes") <= 256 * 1024
    assert gateway.call("up", "get", ["after"]).result == "v" * 10


def test_server_timing(pair):
    gateway, calls = pair({"server_timing": True})
    for method in ("get", "get", "set"):
        line = gateway.call("up", method).header("Server-Timing")
        names = [part.split(";dur=") for part in line.split(", ")]
        assert [name for name, _ in names] == ["queue", "upstream", "total"]
        times = {name: float(value) for name, value in names}
        assert times["upstream"] <= times["total"]
    assert not pair()[0].call("up", "get").header("Server-Timing")
    total = gateway.get("/v1").header("Server-Timing")
    assert total.startswith("total;dur=") and "," not in total


# ---- Settings -----------------------------------------------------------------------------------

def test_only_what_is_safe_is_kept(tmp_path):
    settings = {"upstreams": {"up": {"url": "http://127.0.0.1:1/", "methods": (
        {"match": "set", "cache": {"ttl": "1s"}}, {"match": "get", "safe": True, "cache": {}},
        {"match": "system.listMethods", "cache": {}})}},
        "routes": ({"name": "a", "post": "/a", "call": "up/x", "cache": {"ttl": "1s"}},
                   {"name": "b", "post": "/b", "call": "up/get", "cache": {"ttl": "1s"}})}
    file = tmp_path / "rpcgate.conf"
    file.write_text(configuration(settings))
    done = run_program("-t", "-c", str(file))
    lines = [line.partition(": ")[2] for line in done.stderr.splitlines()]
    assert done.returncode == 78, done.stderr
    assert [line.split(": ")[0] for line in lines] == ["upstreams.up.methods[0].cache",
                                                       "routes[0].cache"]
    assert all("say `safe = true;`" in line for line in lines)
