# SPDX-License-Identifier: Apache-2.0
"""Rights and rates of batches and JSON-RPC: each call is judged by itself, whichever way it goes."""

import json
import xmlrpc.client

import pytest

from rig.check import assert_problem

BOT, PACED = ("token-of-the-bot-" * 2, "token-of-the-paced-" * 2)
CALLERS = [{"name": "bot", "token": BOT, "deny": ["*/secret*"], "allow": [
    "up/free", "up/secret", {"match": "up/execute", "params": [{"at": 1, "in": ["read"]}]}]}]


async def serve(x):
    """Echoes first params; `system.multicall` wraps each result."""
    def one(method, params):
        return f"{method} {params[-1] if params else ''}"
    if x.method == "system.multicall":
        await x.answer([[one(call["methodName"], call["params"])] for call in x.params[0]])
    else:
        await x.answer(one(x.method, x.params))


def called(upstream) -> list:
    """The methods that were called, one by one or in a multicall; but for probes."""
    names = []
    for x in upstream.exchanges:
        params, method = xmlrpc.client.loads(x.body)
        names += [call["methodName"] for call in params[0]] if method == "system.multicall" \
            else [method]
    return [name for name in names if not name.startswith("system.")]


@pytest.fixture(scope="module")
def shared_upstream(start_shared):
    return start_shared.upstream(serve)


@pytest.fixture
def upstream(shared_upstream):
    shared_upstream.exchanges.clear()
    return shared_upstream


def start_gateway(start, upstream, use="always", callers=None):
    one = {"url": upstream.url, "multicall": use, "multicall_results": "wrapped"}
    return start.gateway({"callers": callers or CALLERS, "upstreams": {"up": one, "other": one}})


@pytest.fixture(scope="module", params=["always", "never"])
def gateway(request, start_shared, shared_upstream):
    return start_gateway(start_shared, shared_upstream, request.param)


def post(gateway, path, body, token=BOT):
    return gateway.request("POST", path, json.dumps(body).encode(), {
        "Content-Type": "application/json", "Authorization": f"Bearer {token}"})


def item(method, *params):
    return {"method": method, "params": list(params)}


ITEMS = [  # and whether they may
    (item("free", 1), True), (item("execute", 0, "read"), True),
    (item("execute", 0, {"$string": "read"}), True), (item("secret"), False),
    (item("execute", 0, "write"), False), (item("execute", 0), False), ({"method": "execute"}, False),
    (item("execute", "read"), False), (item("unknown"), False), (item("system.multicall", []), False),
    (item("system.listMethods"), False), ({"method": "free"}, True), (item("free/x"), False)]


def test_each_item_is_judged_by_itself(gateway, upstream):
    results = post(gateway, "/v1/up", [one for one, _ in ITEMS]).json["results"]
    assert len(results) == len(ITEMS)
    for (one, may), result in zip(ITEMS, results):
        if may:
            assert result["result"].startswith(one["method"]), (one, result)
        else:
            assert result["problem"]["type"] == "urn:rpcgate:problem:forbidden", (one, result)
            assert result["problem"]["status"] == 403 and result["problem"]["executed"] == "no"
    assert sorted(called(upstream)) == ["execute", "execute", "free", "free"]


def test_each_item_of_json_rpc_too(gateway, upstream):
    batch = [{"jsonrpc": "2.0", "id": n, **one} for n, (one, _) in enumerate(ITEMS)]
    answers = {answer["id"]: answer for answer in post(gateway, "/jsonrpc/up", batch).json}
    for number, (one, may) in enumerate(ITEMS):
        if may:
            assert answers[number]["result"].startswith(one["method"])
        else:
            assert answers[number]["error"]["code"] == -32601, (one, answers[number])
    # Notifications that may not be made are not made either.
    silent = [{"jsonrpc": "2.0", **one} for one, _ in ITEMS]
    upstream.exchanges.clear()
    assert post(gateway, "/jsonrpc/up", silent).status == 204
    assert sorted(called(upstream)) == ["execute", "execute", "free", "free"]


@pytest.mark.parametrize("params, may", [
    ([0, "read"], True), ([0, "write"], False), ({"model": "read"}, False), (None, False)])
def test_single_json_rpc(gateway, upstream, params, may):
    call = {"jsonrpc": "2.0", "id": 1, "method": "execute"}
    answer = post(gateway, "/jsonrpc/up", call if params is None else call | {"params": params})
    assert answer.status == 200
    if may:
        assert answer.json["result"] == "execute read"
    else:
        assert answer.json["error"]["code"] == -32601
        assert answer.json["error"]["data"]["type"].endswith(":forbidden")
    assert called(upstream) == ["execute"] * may


DENYING = [{"name": "bot", "token": BOT, "allow": ["*/*"], "deny": [
    {"match": "up/execute", "params": [{"at": 0, "in": ["drop*"]}]}]}]
DENIED = [([{"$base64": "ZHJvcA=="}], False), (["drop"], False), ([5], False), ([[]], False),
          ({"a": 1}, False), (["select", {"$base64": "ZHJvcA=="}], True), ([], True)]


@pytest.mark.parametrize("use", ["always", "never"])
def test_other_forms_match_what_is_denied(start, upstream, use):
    """Whichever way the call comes; named params of JSON-RPC are a struct."""
    gateway = start_gateway(start, upstream, use, DENYING)
    calls = [{"jsonrpc": "2.0", "id": n, "method": "execute", "params": params}
             for n, (params, _) in enumerate(DENIED)]
    answers = [post(gateway, "/jsonrpc/up", call).json for call in calls]
    answers += sorted(post(gateway, "/jsonrpc/up", calls).json, key=lambda answer: answer["id"])
    for answer, (params, may) in zip(answers, DENIED * 2, strict=True):
        assert ("result" in answer) == may, (params, answer)
    positional = [(params, may) for params, may in DENIED if isinstance(params, list)]
    results = post(gateway, "/v1/up", [item("execute", *params) for params, _ in positional]).json
    for result, (params, may) in zip(results["results"], positional, strict=True):
        assert ("result" in result) == may, (params, result)
    assert called(upstream) == ["execute"] * 6


@pytest.mark.parametrize("path", ["/v1/{}", "/jsonrpc/{}"])
def test_an_upstream_without_rights_does_not_exist(gateway, upstream, path):
    """Not for those who come without credentials, either."""
    for headers, status in (({"Authorization": f"Bearer {BOT}"}, 404), ({}, 401)):
        bodies = set()
        for name in ("other", "nope1"):
            answer = gateway.request("POST", path.format(name), b"[]", headers | {
                "Content-Type": "application/json", "X-Request-Id": "same"})
            assert answer.status == status
            bodies.add(answer.body)
        assert len(bodies) == 1
    assert not upstream.exchanges


def paced(start, upstream, **limits):
    return start_gateway(start, upstream, callers=[
        {"name": "paced", "token": PACED, "allow": ["up/*"], **limits}])


def test_each_item_costs_one(start, upstream):
    gateway = paced(start, upstream, rate=1, burst=60)
    for _ in range(3):
        answer = post(gateway, "/v1/up", [item("free")] * 20, PACED)
        assert answer.status == 200 and len(answer.json["results"]) == 20
    answer = post(gateway, "/v1/up", [item("free")] * 20, PACED)
    assert_problem(answer, "rate-limited", 429, "no", setting="callers.rate")
    assert 1 <= int(answer.header("Retry-After")) <= 20
    assert len(called(upstream)) == 60


def test_a_batch_over_the_burst_is_refused_as_a_whole(start, upstream):
    gateway = paced(start, upstream, rate=1000, burst=5)
    answer = post(gateway, "/v1/up", [item("free")] * 6, PACED)
    document = assert_problem(answer, "rate-limited", 429, "no", setting="callers.burst")
    assert "6" in document["detail"] and answer.header("Retry-After") is None
    batch = [{"jsonrpc": "2.0", "id": n, "method": "free"} for n in range(6)]
    answer = post(gateway, "/jsonrpc/up", batch, PACED)
    assert answer.status == 200 and answer.json["error"]["code"] == -32000
    assert answer.json["error"]["data"]["setting"] == "callers.burst" and answer.json["id"] is None
    assert not called(upstream)
    assert post(gateway, "/v1/up", [item("free")] * 5, PACED).status == 200


def test_a_batch_is_one_request_in_flight(start, upstream):
    gateway = paced(start, upstream, max_in_flight=1)
    for use in ("/v1/up", "/jsonrpc/up"):
        batch = [item("free") | {"jsonrpc": "2.0", "id": n} for n in range(10)]
        answer = post(gateway, use, batch if "rpc" in use else [item("free")] * 10, PACED)
        assert answer.status == 200
    assert called(upstream) == ["free"] * 20
