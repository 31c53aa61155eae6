# SPDX-License-Identifier: Apache-2.0
"""Tools whose answers are kept: a model that asks again gets what is there, by the same rules as
everywhere."""

import threading

import pytest

from rig.mcp import ERAS, Mcp
from rig.settings import up_settings

BOT, NARROW = "b" * 32, "n" * 32

ROUTES = (
    {"name": "partner", "get": "/partners/{id}", "call": "up/get", "safe": True,
     "params": ({"name": "id", "type": "int"},), "result": {"at": "/0"}},
    {"name": "fresh", "get": "/fresh/{id}", "call": "up/get", "safe": True,
     "params": ({"name": "id", "type": "int"},), "cache": {"ttl": "0s", "collapse": False}},
)


def keeping(**cache) -> dict:
    return {"methods": ({"match": "get*", "safe": True, "cache": {"ttl": "1h", **cache}},)}


def settings_of(upstream, more=None, **cache) -> dict:
    return up_settings(upstream, **keeping(**cache), **(more or {})) | {
        "routes": ROUTES, "workers": 4, "log": {"format": "json"},
        "callers": ({"name": "bot", "token": BOT, "allow": ("up/*",)},
                    {"name": "narrow", "token": NARROW, "allow": (
                        {"match": "up/get", "params": ({"at": 0, "in": ("mine",)},)},)}),
        "mcp": ({"name": "ops", "max_result": "1K", "tools": (
            "@partner", "@fresh", "up/get", "up/getbig", "up/getfault"),},)}


async def behave(x):
    """Each answer is another one."""
    if x.method == "getbig":
        await x.answer("x" * 2000)
    elif x.method == "getfault":
        await x.answer_fault(7, "not now")
    else:
        await x.answer([len(x.server.exchanges), *x.params])


@pytest.fixture
def upstream(start):
    upstream = start.upstream()

    async def numbered(x):
        x.server = upstream
        await behave(x)
    upstream.behave = numbered
    return upstream


def made(upstream, method="get") -> int:
    return sum(x.method == method for x in upstream.exchanges)


@pytest.mark.parametrize("era", ERAS)
def test_a_tool_is_answered_with_what_is_kept(start, upstream, era):
    gateway = start.gateway(settings_of(upstream))
    mcp = Mcp(gateway, era=era, token=BOT)
    first = mcp.call("up__get", {"a1": "x"}, **{"X-Request-Id": "miss"})
    assert first["isError"] is False
    for number in range(8):  # of all workers
        again = mcp.call("up__get", {"a1": "x"}, **{"X-Request-Id": f"hit{number}"})
        assert again == first
        line = gateway.access_line(f"hit{number}")
        assert (line["cache"], line["mcp"], line["tool"]) == ("hit", "ops", "up__get")
        assert "upstream_ms" not in line
    line = gateway.access_line("miss")
    assert line["cache"] == "miss" and "upstream_ms" in line
    answer = mcp.ask("tools/call", {"name": "up__get", "arguments": {"a1": "x"}})
    assert answer.header("Cache-Status").startswith("rpcgate; hit; ttl=")
    assert int(answer.header("Age")) < 3600
    assert answer.header("Cache-Control") == "no-store" and not answer.header("ETag")
    assert made(upstream) == 1
    assert mcp.value("up__get", {"a1": "y"})[1:] == ["y"]
    assert made(upstream) == 2


def test_it_is_shared_with_the_other_faces(start, upstream):
    """In the form that tools have, which is `integers=safe`; a route's part is cut from it."""
    gateway = start.gateway(settings_of(upstream))
    mcp = Mcp(gateway, token=BOT)
    result = mcp.value("up__get", {"a1": 5})
    asked = {"Authorization": f"Bearer {BOT}"}
    assert gateway.call("up", "get", [5], query="integers=safe", **asked).result == result
    assert gateway.get("/partners/5?integers=safe", **asked).result == result[0]
    assert mcp.value("partner", {"id": 5}) == result[0]
    assert made(upstream) == 1
    assert mcp.value("fresh", {"id": 5}) != result  # the route's own `cache` is nearer
    assert made(upstream) == 2


def test_rights_come_first(start, upstream):
    gateway = start.gateway(settings_of(upstream))
    assert Mcp(gateway, token=BOT).value("up__get", {"a1": "other"})[1:] == ["other"]
    narrow = Mcp(gateway, token=NARROW)
    problem = narrow.problem("up__get", {"a1": "other"})
    assert (problem["name"], problem["executed"]) == ("forbidden", "no")
    assert narrow.value("up__get", {"a1": "mine"})[1:] == ["mine"]
    assert made(upstream) == 2


def test_each_caller_for_itself(start, upstream):
    gateway = start.gateway(settings_of(upstream, by_caller=True))
    bot, narrow = Mcp(gateway, token=BOT), Mcp(gateway, token=NARROW)
    mine = [mcp.value("up__get", {"a1": "mine"}) for mcp in (bot, narrow, bot, narrow)]
    assert mine[0] == mine[2] != mine[1] == mine[3]
    assert made(upstream) == 2


def test_what_is_no_result_is_not_kept(start, upstream):
    """And what is kept is refused by `max_result` each time."""
    gateway = start.gateway(settings_of(upstream))
    mcp = Mcp(gateway, token=BOT)
    for _ in range(2):
        assert mcp.problem("up__getfault")["fault"] == {"code": 7, "string": "not now"}
    for _ in range(2):
        problem = mcp.problem("up__getbig")
        assert (problem["name"], problem["setting"]) == ("response-too-large", "mcp.max_result")
    assert (made(upstream, "getfault"), made(upstream, "getbig")) == (2, 1)
    asked = {"Authorization": f"Bearer {BOT}"}
    assert gateway.call("up", "getbig", query="integers=safe", **asked).result == "x" * 2000


def test_who_asks_anew(start, upstream):
    mcp = Mcp(start.gateway(settings_of(upstream)), token=BOT)
    first = mcp.value("up__get", {"a1": 1})
    anew = mcp.value("up__get", {"a1": 1}, **{"Cache-Control": "no-cache"})
    assert anew != first
    assert mcp.value("up__get", {"a1": 1}) == anew


@pytest.mark.concurrency
def test_equal_calls_of_many_are_made_once(start):
    upstream = start.upstream()
    gate = upstream.gate()

    async def wait(x):
        await gate.passed()
        await x.answer("done")
    upstream.behave = wait
    gateway = start.gateway(settings_of(upstream))
    results, threads = [], []
    for _ in range(12):
        threads.append(threading.Thread(target=lambda: results.append(
            Mcp(gateway, token=BOT).value("up__get", {"a1": 1}))))
        threads[-1].start()
    while 'rpcgate_calls{state="awaiting"} 12' not in gateway.get("/metrics").body.decode():
        pass
    gate.open()
    for thread in threads:
        thread.join()
    assert results == ["done"] * 12 and made(upstream) == 1


def test_stale_where_the_upstream_fails(start):
    upstream = start.upstream()

    async def once(x):
        if len(upstream.exchanges) > 1:
            x.reset()
        else:
            await x.answer("kept")
    upstream.behave = once
    gateway = start.gateway(settings_of(upstream, {"retry": {"attempts": 1}}, ttl="1ms",
                                        stale_if_error="1h"))
    mcp = Mcp(gateway, token=BOT)
    assert mcp.value("up__get") == "kept"
    while len(upstream.exchanges) < 2:  # until its millisecond is over
        assert mcp.value("up__get", **{"X-Request-Id": "last"}) == "kept"
    assert mcp.value("up__get", **{"X-Request-Id": "stale"}) == "kept"
    assert gateway.access_line("stale")["cache"] == "stale"
