# SPDX-License-Identifier: Apache-2.0
"""Routes: what a request gives goes out as Python's `dumps` would write it, with all that holds for
calls besides: rights, rates, sessions, the log, metrics, reloads."""

import json
import threading
import xmlrpc.client

import pytest

from rig.check import assert_problem
from rig.routes import GOLDEN, PARTNER, ROUTES, START, canonical, name, route
from rig.settings import up_settings

TOKEN = "0123456789abcdef0123456789abcdef"


def routes(*more: dict, **top) -> dict:
    return {"routes": ROUTES + tuple(route(r) for r in more), **top}


def send(gateway, method, path, body=None, **headers):
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    if body is not None:
        sent["Content-Type"] = "application/json"
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return gateway.request(method, path, body, sent)


def test_what_goes_out(up):
    gateway, upstream = up(answer_nothing, routes(), extensions=["nil", "i8"])
    for method, path, body, _, rpc_method, params in GOLDEN:
        answer = send(gateway, method, path, body)
        assert answer.status in (200, 204), answer.body
        assert (answer.status == 204) == (method == "DELETE")
        expected = xmlrpc.client.dumps(params, rpc_method, allow_none=True)
        assert canonical(upstream.exchanges[-1].body) == canonical(expected)
    assert len(upstream.exchanges) == len(GOLDEN)


async def answer_nothing(x):
    await x.answer("")


async def answer_params(x):
    await x.answer(list(x.params))


def test_all_faults_at_once(up):
    gateway, upstream = up(answer_nothing, routes())
    answer = send(gateway, "PATCH", "/all/a/x?q=1&q=y&z=1", {"mor": 1})
    problem = assert_problem(answer, "invalid-request", 400, "no", route="all", upstream="up",
                             method="all", pointer="/mor")
    assert problem["errors"] == [
        {"in": "path", "name": "b", "detail": 'must be an integer of 64 bits, not "x"'},
        {"in": "query", "name": "z", "detail": "is not known here; known are `q`"},
        {"in": "query", "name": "q", "detail": 'must be a number, not "y"'},
        {"in": "body", "name": "mor", "pointer": "/mor",
         "detail": "is not known here: did you mean `more`?"}]
    for error in problem["errors"]:
        assert f'`{error["name"]}` {error["detail"]}' in problem["detail"]
    assert not upstream.exchanges


def test_bodies_that_are_none(up):
    gateway, upstream = up(answer_nothing, routes())
    path = "/programs/cat/start"
    assert_problem(send(gateway, "POST", path, b"{"), "invalid-json", 400, "no")
    assert_problem(send(gateway, "POST", path, b'{"wait":true,"wait":true}'), "invalid-json", 400)
    assert_problem(send(gateway, "POST", path, [True]), "invalid-request", 400, pointer="")
    assert_problem(gateway.request("POST", path, b"{}", {"Content-Type": "text/plain"}),
                   "unsupported-media-type", 415)
    deep = b'{"more":' + b"[" * 200 + b"]" * 200 + b"}"
    assert_problem(send(gateway, "PATCH", "/all/a/1", deep), "invalid-json", 400,
                   setting="limits.depth")
    assert_problem(send(gateway, "PATCH", "/all/a/1", {"more": "\1"}), "unrepresentable", 422, "no")
    assert not upstream.exchanges


def test_values_without_a_form(up):
    gateway, _ = up(answer_nothing, routes())
    without_null = [r for r in ROUTES if r["name"] == "partner"]
    assert without_null
    problem = assert_problem(send(gateway, "GET", "/partners/7?fields=%01"), "unrepresentable", 422)
    assert problem["detail"].startswith("`fields`: ") and "pointer" not in problem
    problem = assert_problem(send(gateway, "PUT", "/partners", {"name": "\1"}), "unrepresentable",
                             422, pointer="/name")
    assert problem["detail"].startswith("`name`: ")


def test_long_bodies(up):
    """They go in steps, and come back whole."""
    echo = {"name": "echo", "post": "/echo", "call": "up/echo", "params": (
        name("text"), name("data", type="base64"), name("more", type="any"))}
    gateway, _ = up(answer_params, routes(echo))
    text = "é<&\"\\" * 200_000
    body = {"text": text, "data": "aGlo" * 100_000, "more": list(range(50_000))}
    answer = send(gateway, "POST", "/echo", body)
    assert answer.json == {"result": [text, "aGlo" * 100_000, body["more"]]}


@pytest.mark.parametrize("value, status, result", [
    ([[1, 2]], 200, [1, 2]), ([5], 200, 5), ([[]], 404, None), ([{}], 404, None), ([], 404, None),
    (None, 404, None), ([False], 404, None), ([None], 404, None), ([True], 200, True),
    ([0], 200, 0), ([""], 200, ""), ("x", 404, None), ([{"a": 1}, 7], 200, {"a": 1})])
def test_a_part_of_the_result(up, value, status, result):
    async def behave(x):
        await x.answer(value)

    one = {"name": "one", "get": "/one", "call": "up/m", "safe": True,
           "result": {"at": "/0", "empty": 404}}
    bare = {"name": "bare", "get": "/bare", "call": "up/m", "safe": True,
            "result": {"at": "/0", "wrap": False}, "status": 203}
    gateway, _ = up(behave, routes(one, bare))
    answer = send(gateway, "GET", "/one")
    if status == 404:
        assert_problem(answer, "not-found", 404, "yes", route="one")
    else:
        assert (answer.status, answer.json) == (200, {"result": result})
    answer = send(gateway, "GET", "/bare")
    found = value[0] if isinstance(value, list) and value else None
    assert (answer.status, answer.json) == (203, found)


def test_behind_an_envelope(up):
    """The part is one of what the envelope opens."""
    async def behave(x):
        await x.answer(x.params[0])

    envelope = ({"good": {"at": "/ok", "is": True}, "value": "/value", "text": "/text"},)
    part = {"name": "part", "post": "/part", "call": "up/m", "result": {"at": "/0/id", "empty": 410},
            "params": (name("v", type="any"),)}
    gateway, _ = up(behave, routes(part), envelope=envelope, extensions=["nil"])

    def ask(value):
        return send(gateway, "POST", "/part", {"v": value})

    assert ask({"ok": True, "value": [{"id": 5}]}).json == {"result": 5}
    assert_problem(ask({"ok": True, "value": []}), "not-found", 410, "yes")
    assert_problem(ask({"ok": True, "value": [{"id": None}]}), "not-found", 410, "yes")
    problem = assert_problem(ask({"ok": False, "text": "broken"}), "fault", 500, "yes")
    assert problem["fault"]["string"] == "broken"


def test_types_of_the_route_and_of_the_query(up):
    async def behave(x):
        await x.answer_xml("<i8>9007199254740993</i8>")

    typed = {"name": "typed", "get": "/typed", "call": "up/m", "safe": True, "types": "tagged",
             "integers": "safe"}
    gateway, _ = up(behave, routes(typed))
    assert send(gateway, "GET", "/typed").json == {"result": {"$i8": "9007199254740993"}}
    plain = send(gateway, "GET", "/typed?types=plain")
    assert plain.json == {"result": "9007199254740993"}
    assert send(gateway, "GET", "/typed?types=plain&integers=number").body == \
        b'{"result": 9007199254740993}'


RIGHTS = [
    # allow, deny, status
    (["@partner"], [], 200),
    (["@part*"], [], 200),
    (["up/execute_kw"], [], 200),
    (["up/*"], ["@partner"], 404),
    (["@partner"], ["@*"], 404),
    (["@start"], [], 404),
    (["up/other"], [], 404),
    (["@partner"], ["up/execute_*"], 403),
    (["@partner"], ["up/other"], 200),
    (["@partner"], [{"match": "up/execute_kw", "params": ({"at": 1, "in": ["unlink"]},)}], 200),
    (["@partner"], [{"match": "up/execute_kw", "params": ({"at": 1, "in": ["read"]},)}], 403),
    ([{"match": "up/execute_kw", "params": ({"at": 1, "in": ["read"]},)}], [], 200),
    ([{"match": "up/execute_kw", "params": ({"at": 1, "in": ["write"]},)}], [], 403),
    ([{"match": "@partner", "params": ({"at": 0, "in": ["res.*"]},)}], [], 200),
    ([{"match": "@partner", "params": ({"at": 0, "in": ["other"]},)}], [], 403),
]


def test_who_may(start):
    """The right to a route is none to its method, and a denial of the method is one of the route."""
    upstream = start.upstream(answer_nothing)
    callers = tuple({"name": f"c{i}", "token": f"{i:032}",
                     "allow": tuple(allow), **({"deny": tuple(deny)} if deny else {})}
                    for i, (allow, deny, _) in enumerate(RIGHTS))
    gateway = start.gateway(up_settings(upstream) | {
        "routes": (route(PARTNER), route(START)), "callers": callers})
    for i, (allow, deny, status) in enumerate(RIGHTS):
        answer = send(gateway, "GET", "/partners/7", Authorization=f"Bearer {i:032}")
        assert answer.status == status, (allow, deny, answer.body)
        is_raw = any("up/" in str(rule) for rule in allow)
        if not is_raw:
            raw = gateway.call("up", "execute_kw", [], Authorization=f"Bearer {i:032}")
            assert_problem(raw, "not-found", 404)
    assert len(upstream.exchanges) == sum(status == 200 for *_, status in RIGHTS)
    assert_problem(send(gateway, "GET", "/partners/7", Authorization="Bearer " + "x" * 32),
                   "unauthenticated", 401)


def test_methods_that_a_path_takes(start):
    """Only those of routes that the caller may use."""
    upstream = start.upstream(answer_nothing)
    callers = ({"name": "bot", "token": TOKEN, "allow": ["@drop"]},)
    gateway = start.gateway(up_settings(upstream) | routes(callers=callers))
    answer = send(gateway, "PUT", "/partners/7")
    assert_problem(answer, "method-not-allowed", 405)
    assert answer.header("Allow") == "GET, HEAD, DELETE"
    answer = send(gateway, "GET", "/partners/7", Authorization=f"Bearer {TOKEN}")
    assert_problem(answer, "method-not-allowed", 405)
    assert answer.header("Allow") == "DELETE"
    head = send(gateway, "HEAD", "/partners/7")
    assert head.status == 200 and not head.body
    answer = gateway.request("OPTIONS", "*", None, {})
    assert answer.header("Allow") == "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE"
    for path in ("/partners/7/", "/partners//7", "/partner/7", "/partners/7/x"):
        assert_problem(send(gateway, "GET", path), "not-found", 404)


def test_pages_of_other_sites(start):
    upstream = start.upstream(answer_nothing)
    gateway = start.gateway(up_settings(upstream) | routes(cors_origins=["https://app.example"]))
    answer = send(gateway, "OPTIONS", "/partners/7", Origin="https://app.example",
                  Access_Control_Request_Method="DELETE")
    assert answer.status == 204
    assert "DELETE" in answer.header("Access-Control-Allow-Methods").split(", ")


def test_rates(start):
    upstream = start.upstream(answer_nothing)
    callers = ({"name": "bot", "token": TOKEN, "rate": 1, "burst": 2, "allow": ["@partner"]},)
    gateway = start.gateway(up_settings(upstream) | routes(callers=callers))
    answers = [send(gateway, "GET", "/partners/7", Authorization=f"Bearer {TOKEN}").status
               for _ in range(4)]
    assert answers[:2] == [200, 200] and 429 in answers


def test_log_and_metrics(start):
    upstream = start.upstream(answer_nothing)
    gateway = start.gateway(up_settings(upstream) | routes(log={"format": "json"}))
    good = send(gateway, "GET", "/partners/7")
    line = gateway.access_line(good.header("X-Request-Id"))
    assert (line["route"], line["upstream"], line["method"], line["status"]) == \
        ("partner", "up", "execute_kw", 200)
    bad = send(gateway, "GET", "/partners/x")
    line = gateway.access_line(bad.header("X-Request-Id"))
    assert (line["route"], line["problem"], line["status"]) == ("partner", "invalid-request", 400)
    found = gateway.get("/metrics").body.decode()
    assert 'rpcgate_requests_total{upstream="up",method="execute_kw",outcome="ok"} 1' in found
    assert 'method="execute_kw",outcome="invalid-request"} 1' in found


def test_what_is_added_to_calls(start):
    """With a session, whose end is noticed: the call is made anew."""
    logins = []

    async def behave(x):
        if x.method == "login":
            logins.append(x.params)
            await x.answer(f"s{len(logins)}")
        elif x.params[0] == "s1" and len(x.params) > 3:
            await x.answer_fault(-1, "Could not find session")
        else:
            await x.answer(list(x.params))

    upstream = start.upstream(behave)
    settings = up_settings(
        upstream, credentials={"username": "api", "password": "correct-horse"},
        inject=({"match": "*", "params": ("{session}",)},),
        session={"login": {"method": "login", "params": ("{username}", "{password}")},
                 "settle": "0s"},
        faults=({"code": -1, "session_expired": True},))
    gateway = start.gateway(settings | routes())
    assert send(gateway, "POST", "/programs/cat/start").json == {"result": ["s1", "cat"]}
    answer = send(gateway, "GET", "/partners/7")
    assert answer.json["result"][:2] == ["s2", "res.partner"]
    assert logins == [("api", "correct-horse")] * 2


def test_times(up):
    slow = {"name": "slow", "get": "/slow", "call": "up/m", "safe": True, "timeout": "100ms"}

    async def behave(x):
        await x.gone()

    gateway, _ = up(behave, routes(slow), retry={"attempts": 1})
    assert_problem(send(gateway, "GET", "/slow"), "timeout", 504, setting="routes.timeout")
    answer = send(gateway, "GET", "/partners/7", X_Rpcgate_Timeout="50ms")
    assert_problem(answer, "timeout", 504)


def test_what_is_safe_is_sent_again(up):
    """After a lost answer: by the route's word, for these params alone."""
    async def behave(x):
        if len(upstream.exchanges) == 1:
            return x.reset()
        await x.answer("again")

    gateway, upstream = up(behave, routes())
    assert send(gateway, "GET", "/partners/7").json == {"result": "again"}
    upstream.exchanges.clear()
    assert_problem(send(gateway, "PUT", "/partners", {"name": "a"}), "connection-lost", 502,
                   "unknown")


def test_callers_who_leave(start):
    """While the call runs: it goes on to its end."""
    upstream = start.upstream()
    gate = upstream.gate()

    async def behave(x):
        await gate.passed()
        await x.answer("")

    upstream.behave = behave
    gateway = start.simple(upstream, **routes())
    with gateway.connect() as connection:
        connection.send(b"GET /partners/7 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        upstream.wait_requests(1)
    gate.open()
    gateway.wait_line(lambda line: "route=partner " in line and " status=200" in line)
    assert len(upstream.exchanges) == 1


@pytest.mark.concurrency
def test_reload_under_load(start):
    """Requests end by the route that they began with; no one is lost, or meets a half of each."""
    upstream = start.upstream(answer_params)

    def variant(number: int) -> dict:
        changing = {"name": "changing", "get": "/changing/{id}", "call": "up/m", "safe": True,
                    "params": (name("id", type="int"), number, number)}
        return up_settings(upstream) | routes(changing)

    gateway = start.gateway(variant(0))
    listen = [{"address": "127.0.0.1", "port": 0}, {"unix": gateway.unix, "mode": "0600"}]
    ended, failures, seen = threading.Event(), [], set()

    def ask():
        while not ended.is_set():
            answer = send(gateway, "GET", "/changing/7")
            result = answer.json.get("result", [])
            if answer.status != 200 or result[0] != 7 or result[1] != result[2]:
                failures.append(answer.body)
                return
            seen.add(result[1])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 21):
        gateway.reload({**variant(number), "listen": listen})
        before = len(upstream.exchanges)
        upstream.wait_for(lambda u: len(u.exchanges) > before + 4 or failures)
    ended.set()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    assert len(seen) > 10
