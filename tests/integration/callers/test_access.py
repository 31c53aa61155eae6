# SPDX-License-Identifier: Apache-2.0
"""Who may call: tokens, the processes behind unix sockets, rights with params, rates, and what those
see who may not."""

import json
import time

import pytest

from rig import wire
from rig.check import assert_problem

ALICE, BOB_NEW, BOB_OLD, NOBODY, PACED = (name * 8 for name in (
    "Alice-42", "bob.new_", "bob~old/", "no+thing", "paced-00"))
ODD = "odd." * 8 + "=="

CALLERS = [
    {"name": "alice", "token": ALICE, "allow": ["up/*", "half/public.*"],
     "deny": ["up/secret.*", "*/*.hidden"]},
    {"name": "bob", "tokens": [BOB_NEW, BOB_OLD], "allow": [
        "half/*", {"match": "up/execute", "params": [{"at": 1, "in": ["read", "search_*"]}]}],
     "deny": [{"match": "half/do", "params": [{"at": 0, "in": ["drop*"]}]}]},
    {"name": "odd", "token": ODD, "allow": ["*/*"], "deny": ["other/*"]},
    {"name": "nobody", "token": NOBODY, "allow": ["*/*"], "deny": ["*/*"]},
]


def bearer(token: str) -> dict:
    return {"Authorization": f"Bearer {token}"}


def settings_for(upstream, **more) -> dict:
    names = ("up", "half", "other")
    return {"callers": CALLERS, "log": {"format": "json"},
            "upstreams": {name: {"url": upstream.url} for name in names}} | more


@pytest.fixture(scope="module")
def closed(start_shared, shared_upstream):
    """Only `callers` get in."""
    return start_shared.gateway(settings_for(shared_upstream))


@pytest.fixture(scope="module")
def gateway(start_shared, shared_upstream):
    """Others get in, too, and may do less."""
    return start_shared.gateway(settings_for(shared_upstream, anonymous={"allow": ["up/open.*"]}))


# Who is calling.

@pytest.mark.parametrize("token, name", [
    (ALICE, "alice"), (BOB_NEW, "bob"), (BOB_OLD, "bob"), (ODD, "odd")])
@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_tokens(closed, gateway, upstream, token, name, over):
    for g in (closed, gateway):
        answer = g.call("half", "public.x", [1], over=over, **bearer(token))
        assert answer.result == 1
        assert g.access_line(answer.header("X-Request-Id"))["caller"] == name


@pytest.mark.parametrize("value", [
    f"bearer {ALICE}", f"BEARER {ALICE}", f"Bearer   {ALICE}  "])
def test_schemes_have_no_case(closed, upstream, value):
    assert closed.call("up", "m", [1], Authorization=value).result == 1


WRONG = [
    f"Bearer {ALICE}x", f"Bearer {ALICE[:-1]}", f"Bearer {ALICE.lower()}", f"Bearer x{ALICE[1:]}",
    "Bearer x", "Bearer", "Bearer ", f"Bearer{ALICE}", ALICE, "", f'Bearer "{ALICE}"',
    f"Bearer {ALICE} {ALICE}", f"Bearer {ALICE},", f"Bearer\t{ALICE}", "Bearer ******",
    f"Basic {ALICE}", "Basic YWxpY2U6eA==", f"Token {ALICE}", "Digest username=\"alice\"",
    "Bearer \xe4" + ALICE, "Bearer " + "x" * 8000]


@pytest.mark.parametrize("value", WRONG, ids=range(len(WRONG)))
def test_wrong_credentials_never_fall_back(closed, gateway, upstream, value):
    """Neither to anonymous access nor to anything else."""
    for g in (closed, gateway):
        answer = g.raw(wire.request("POST", "/v1/up/open.x", b"[1]", {"Authorization": value}))
        document = assert_problem(answer, "unauthenticated", 401, "no")
        assert answer.header("WWW-Authenticate") == "Bearer"
        assert ALICE not in json.dumps(document)
    assert not upstream.exchanges


def test_several_headers_are_refused(gateway, upstream):
    for values in ([f"Bearer {ALICE}"] * 2, [f"Bearer {ALICE}", ""], ["", f"Bearer {ALICE}"]):
        answer = gateway.raw(wire.request("POST", "/v1/up/m", b"[1]", {"Authorization": values}))
        assert_problem(answer, "unauthenticated", 401, "no")
    assert not upstream.exchanges


def test_other_schemes_are_told_of_bearer(gateway):
    answer = gateway.call("up", "m", [1], Authorization="Basic YTpi")
    assert "Authorization: Bearer" in answer.json["detail"]


def test_anonymous(closed, gateway, upstream):
    answer = gateway.call("up", "open.x", [1])
    assert answer.result == 1
    assert gateway.access_line(answer.header("X-Request-Id"))["caller"] == "anonymous"
    assert_problem(gateway.call("up", "m", [1]), "forbidden", 403, "no")
    assert_problem(gateway.call("half", "public.x", [1]), "not-found", 404, "no")
    answer = closed.call("up", "open.x", [1])
    assert_problem(answer, "unauthenticated", 401, "no")
    assert "caller" not in closed.access_line(answer.header("X-Request-Id"))


@pytest.mark.parametrize("path", [
    "/v1/up/m", "/v1/none/m", "/v1/up", "/v1/none", "/v1", "/", "/metrics", "/nothing"])
def test_without_credentials_all_looks_alike(closed, path):
    seen = set()
    for method in ("GET", "POST"):
        for name in ("up", "half"):
            answer = closed.request(method, path.replace("up", name))
            document = assert_problem(answer, "unauthenticated", 401, "no")
            del document["request_id"]
            seen.add(json.dumps(document))
            assert answer.header("WWW-Authenticate") == "Bearer"
    assert len(seen) == 1


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_asks_for_nobody(closed, path):
    assert closed.get(path).status == 200
    assert closed.get(path, Authorization="Bearer wrong").status == 200


@pytest.mark.parametrize("path", ["/v1", "/metrics", "/"])
def test_known_callers_may_look(closed, gateway, path):
    assert closed.get(path, **bearer(ALICE)).status == 200
    assert gateway.get(path).status == 200


# What they may do.

def test_allow_and_deny(closed, upstream):
    who = bearer(ALICE)
    assert closed.call("up", "m", [1], **who).result == 1
    assert closed.call("half", "public.x", [1], **who).result == 1
    for name, method in (("up", "secret.x"), ("up", "a.hidden"), ("half", "public.hidden"),
                         ("half", "m"), ("half", "x/public.y")):
        assert_problem(closed.call(name, method, [1], **who), "forbidden", 403, "no",
                       upstream=name, method=method)
    assert len(upstream.exchanges) == 2


def test_an_upstream_without_rights_does_not_exist(closed, upstream):
    """Whatever is done with it, byte for byte but for the request's id."""
    for token, name in ((ALICE, "other"), (ODD, "other"), (NOBODY, "up")):
        for method, tail in (("POST", "/m"), ("POST", ""), ("GET", "/m"), ("GET", ""),
                             ("PUT", "/m"), ("POST", "/system.multicall")):
            answers = [closed.request(method, f"/v1/{upstream_name}{tail}", b"[]",
                                      bearer(token) | {"X-Request-Id": "same"})
                       for upstream_name in (name, "nope1")]
            there, missing = answers
            assert_problem(there, "not-found", 404, "no")
            assert there.body == missing.body
            assert _comparable(there) == _comparable(missing)
    assert not upstream.exchanges


def _comparable(answer) -> list:
    return [(name, value) for name, value in answer.headers if name != "Date"]


def test_listings_show_what_may_be_used(closed, gateway):
    def names(answer):
        return [item["name"] for item in answer.json["upstreams"]]
    assert names(closed.get("/v1", **bearer(ALICE))) == ["up", "half"]
    assert names(closed.get("/v1", **bearer(BOB_OLD))) == ["up", "half"]
    assert names(closed.get("/v1", **bearer(NOBODY))) == []
    assert names(gateway.get("/v1")) == ["up"]


def test_methods_that_may_be_used_are_shown(start, upstream):
    """And no others, whether they are there or not."""
    async def behave(x):
        if x.method == "system.listMethods":
            await x.answer(["m", "secret.x", "execute", "do", "system.listMethods"])
        else:
            await x.answer("")
    upstream.behave = behave
    gateway = start.gateway(settings_for(upstream))

    def names(path, token):
        answer = gateway.get(path, **bearer(token))
        assert answer.status == 200, answer.body
        return [method["name"] for method in answer.json["methods"]]
    assert names("/v1/up", ALICE) == ["m", "execute", "do", "system.listMethods"]
    assert names("/v1/up", BOB_NEW) == ["execute"]
    assert names("/v1/half", BOB_NEW) == ["m", "secret.x", "execute", "do", "system.listMethods"]
    assert names("/v1/half", ALICE) == []
    for path, token, status in (
            ("/v1/up/m", ALICE, 200), ("/v1/up/execute", BOB_NEW, 200),
            ("/v1/up/m", BOB_NEW, 403), ("/v1/up/secret.x", ALICE, 403),
            ("/v1/up/secret.not-there", ALICE, 403), ("/v1/other/m", ALICE, 404),
            ("/v1/other", ALICE, 404), ("/v1/nope1", ALICE, 404)):
        assert gateway.get(path, **bearer(token)).status == status, path


PARAMS = [  # params of up/execute, of which bob may have "read" and "search_*" at 1
    (["db", "read"], True), (["db", "search_x", 1], True), (["db", "r\u0065ad"], True),
    (["db", {"$string": "read"}], True), (b'["db", "\\u0072ead"]', True),
    (b'["db", {"\\u0024string": "read"}]', True),
    (["db", "write"], False), (["db", "Read"], False), (["db", " read"], False),
    (["db"], False), ([], False), (["read"], False), ("read", False), (None, False),
    ({"read": "read"}, False), (["db", ["read"]], False), (["db", 1], False),
    (["db", {"$base64": "cmVhZA=="}], False), (["db", {"$string": "write"}], False),
    (["db", {"$struct": {"$string": "read"}}], False), (["db", {"a": "read"}], False),
    (["db", {"$string": "read", "b": 1}], False), (["db", "search_" + "x" * 70_000], False)]


@pytest.mark.parametrize("params, may", PARAMS, ids=lambda value: repr(value)[:30])
def test_params(start, upstream, params, may):
    gateway = start.gateway(settings_for(upstream, upstreams={
        name: {"url": upstream.url, "extensions": ["nil"]} for name in ("up", "half")}))
    answer = gateway.call("up", "execute", params, **bearer(BOB_NEW))
    if may:
        assert answer.status == 200, answer.body
    else:
        document = assert_problem(answer, "forbidden", 403, "no", upstream="up", method="execute")
        assert "params" in document["detail"]
    assert len(upstream.exchanges) == may


def test_no_body_is_no_params(closed, upstream):
    assert_problem(closed.call("up", "execute", **bearer(BOB_NEW)), "forbidden", 403, "no")
    assert closed.call("half", "do", **bearer(BOB_NEW)).status == 200


def test_denied_params(start, upstream):
    """What is not the plain string that a rule reads matches it: many methods take base64, a number or
    a date for the string of the same characters."""
    gateway = start.gateway(settings_for(upstream, upstreams={
        name: {"url": upstream.url, "extensions": ["nil"]} for name in ("up", "half")}))
    for params, may in ((["select"], True), ([], True), (["x", "drop table"], True),
                        ("select", True), ({"$string": "select"}, True), (["x", 1], True),
                        (["x", {"$base64": "ZHJvcA=="}], True),
                        (["drop table"], False), ("drop it", False), ({"$string": "drop"}, False),
                        ([1], False), ([1.5], False), ([True], False), ([None], False),
                        ([{"$base64": "ZHJvcCB0YWJsZQ=="}], False),
                        ({"$base64": "ZHJvcCB0YWJsZQ=="}, False), ([["drop table"]], False),
                        ([{"$base64": "c2VsZWN0"}], False), ([{"$int": "5"}], False),
                        ([{"$dateTime": "20240229T12:00:00"}], False), ([{}], False),
                        ([{"$struct": {"$string": "drop"}}], False), ({"a": 1, "b": 2}, False)):
        before = len(upstream.exchanges)
        answer = gateway.call("half", "do", params, **bearer(BOB_NEW))
        assert answer.status == (200 if may else 403), params
        assert len(upstream.exchanges) == before + may, params


def test_base64_is_the_same_string_for_some_methods(start):
    """Such as of PHP and Perl: that is what the rule is there for."""
    ran = []

    async def behave(x):
        ran.append(bytes(x.params[0].data if hasattr(x.params[0], "data") else
                         x.params[0].encode()))
        await x.answer(1)

    gateway = start.gateway(settings_for(start.upstream(behave)))
    assert gateway.call("half", "do", ["select"], **bearer(BOB_NEW)).status == 200
    assert_problem(gateway.call("half", "do", [{"$base64": "ZHJvcA=="}], **bearer(BOB_NEW)),
                   "forbidden", 403, "no")
    assert ran == [b"select"]


@pytest.mark.parametrize("policy", ["replace", "base64"])
def test_text_that_goes_out_as_another_counts_against_the_caller(start, upstream, policy):
    gateway = start.gateway(settings_for(upstream, upstreams={
        name: {"url": upstream.url, "text": policy} for name in ("up", "half")}))
    who = bearer(BOB_NEW)
    for text in ("search_\x00", "search_\ufffe", {"$string": "search_\x1f"}):
        assert gateway.call("up", "execute", [0, text], **who).status == 403, text
        assert gateway.call("half", "do", [text], **who).status == 403, text
    assert gateway.call("half", "public", ["\x01"], **who).status == 200
    assert len(upstream.exchanges) == 1


def test_bad_json_is_told_before_params_are_judged(closed, upstream):
    assert_problem(closed.call("up", "execute", b'["db", "read', **bearer(BOB_NEW)),
                   "invalid-json", 400, "no")
    assert not upstream.exchanges


# How much.

def paced(start, upstream, **limits):
    caller = {"name": "paced", "token": PACED, "allow": ["*/*"], **limits}
    return start.gateway(settings_for(upstream, callers=[*CALLERS, caller], workers=2))


def test_rate(start, upstream):
    """A burst, then the rate; Retry-After is when the next one is let through."""
    gateway = paced(start, upstream, rate=1, burst=3)
    begin = time.monotonic()
    good = 0
    with gateway.connect() as caller:
        def call():
            return caller.ask("POST", "/v1/up/m", None, bearer(PACED))
        while (answer := call()).status == 200:
            good += 1
        assert 3 <= good <= 3 + (time.monotonic() - begin)
        document = assert_problem(answer, "rate-limited", 429, "no", setting="callers.rate")
        assert "upstream" in document
        assert answer.header("Retry-After") == "1"
        refused = time.monotonic()
        while call().status != 200:
            assert time.monotonic() < refused + 1 + 0.5
    # Nobody else is held up, and what no upstream is asked for costs nothing.
    assert gateway.call("up", "m", [1], **bearer(ALICE)).result == 1
    assert all(gateway.get("/v1", **bearer(PACED)).status == 200 for _ in range(5))


def test_refused_calls_cost_no_rate(start, upstream):
    gateway = paced(start, upstream, rate=1, burst=1, deny=["up/secret"])
    for _ in range(3):
        assert gateway.call("up", "secret", [1], **bearer(PACED)).status == 403
    assert gateway.call("up", "m", [1], **bearer(PACED)).result == 1


@pytest.mark.concurrency
def test_rate_is_shared_by_all_workers(start, upstream):
    gateway = paced(start, upstream, rate=1, burst=20)
    begin = time.monotonic()
    statuses = [gateway.call("up", "m", [1], **bearer(PACED)).status for _ in range(60)]
    good = statuses.count(200)
    assert 20 <= good <= 20 + time.monotonic() - begin + 1
    assert set(statuses) == {200, 429}


@pytest.mark.concurrency
def test_max_in_flight(start, upstream):
    gate = upstream.gate()

    async def behave(x):
        if x.params == ("held",):
            await gate.passed()
        await x.answer(1)
    upstream.behave = behave
    gateway = paced(start, upstream, max_in_flight=2)
    with gateway.connect() as one, gateway.connect() as two:
        for caller in (one, two):
            caller.send(wire.request("POST", "/v1/up/m", b'["held"]', bearer(PACED)))
        upstream.wait_requests(2)
        for _ in range(3):
            answer = gateway.call("up", "m", [1], **bearer(PACED))
            assert_problem(answer, "rate-limited", 429, "no", setting="callers.max_in_flight")
            assert answer.header("Retry-After") is None
        assert gateway.get("/v1", **bearer(PACED)).status == 200
        assert gateway.call("up", "m", [1], **bearer(ALICE)).result == 1
        gate.open()
        assert one.answer().result == 1 and two.answer().result == 1
    # Given back before the answers went out, so that nobody is refused for having been quick.
    for _ in range(50):
        assert gateway.call("up", "m", [1], **bearer(PACED)).result == 1


@pytest.mark.parametrize("body, status", [
    (b"[1]", 200), (b"[", 400), (b'["\\u0000"]', 422), (b"x" * 100_000, 413)])
def test_max_in_flight_is_given_back_however_it_ends(start, upstream, body, status):
    callers = [{"name": "paced", "token": PACED, "allow": ["*/*"], "max_in_flight": 1}]
    gateway = start.gateway(settings_for(upstream, limits={"body": "64K"}, callers=callers))
    for _ in range(5):
        assert gateway.call("up", "m", body, **bearer(PACED)).status == status
    assert gateway.call("up", "m", [1], **bearer(PACED)).result == 1


def test_max_in_flight_is_given_back_when_callers_leave(start, upstream):
    gate = upstream.gate()

    async def behave(x):
        await gate.passed()
        await x.answer(1)
    upstream.behave = behave
    gateway = paced(start, upstream, max_in_flight=1)
    with gateway.connect() as caller:  # leaves in the middle of a body
        caller.send(wire.request("POST", "/v1/up/m", b"", bearer(PACED) | {
            "Content-Length": "9", "Content-Type": "application/json", "X-Request-Id": "early",
            "Expect": "100-continue"}))
        assert caller.head()[1] == 100  # a reset takes away what was not read yet
        caller.send(b"[1")
        caller.reset()
    gateway.wait_line('"request_id":"early"')
    with gateway.connect() as caller:  # and with the call at the upstream
        caller.send(wire.request("POST", "/v1/up/m", b"[1]", bearer(PACED) | {
            "X-Request-Id": "late"}))
        upstream.wait_requests(1)
        caller.reset()
    gate.open()
    gateway.wait_line('"request_id":"late"')
    assert gateway.call("up", "m", [1], **bearer(PACED)).result == 1


# What is told of it.

@pytest.mark.concurrency
def test_wrong_credentials_are_logged_at_a_bounded_rate(start, upstream):
    """Who guesses is seen, does not fill the log, and finds no token in it."""
    gateway = start.gateway(settings_for(upstream, log={"access": False}))
    for number in range(200):
        gateway.call("up", "m", [1], Authorization=f"Bearer {number:064}")
    gateway.call("up", "m", [1])  # none are no wrong ones
    lines = [line for line in gateway.lines if "wrong credentials" in line]
    assert 10 <= len(lines) < 30
    assert "token is not known" in lines[0] and "127.0.0.1" in lines[0]
    gateway.stop()
    assert f"{199:064}" not in gateway.stderr and f"{0:064}" not in gateway.stderr


# When the configuration changes.

def test_a_reload_changes_who_may_call(start, upstream):
    """At once, also on kept connections; a running call ends as it began."""
    gate = upstream.gate()

    async def behave(x):
        if x.params == ("held",):
            await gate.passed()
        await x.answer(1)
    upstream.behave = behave
    before = settings_for(upstream)
    gateway = start.gateway(before)
    with gateway.connect() as held, gateway.connect() as kept:
        held.send(wire.request("POST", "/v1/up/m", b'["held"]', bearer(ALICE)))
        upstream.wait_requests(1)
        assert kept.ask("POST", "/v1/up/m", b"[1]", bearer(ALICE)).result == 1
        alice = CALLERS[0] | {"token": "another-" * 5, "deny": ["up/m"]}
        gateway.reload(before | {"callers": [alice, *CALLERS[1:]], "listen": [
            {"address": "127.0.0.1", "port": gateway.tcp[1]}]})
        assert_problem(kept.ask("GET", "/v1", None, bearer(ALICE)), "unauthenticated", 401, "no")
        assert gateway.get("/v1", **bearer("another-" * 5)).status == 200
        assert_problem(gateway.call("up", "m", [1], **bearer("another-" * 5)),
                       "forbidden", 403, "no")
        gate.open()
        assert held.answer().result == 1


def test_a_reload_forgives_nobody(start, upstream):
    """Requests in flight count on, under the caller's name."""
    gate = upstream.gate()

    async def behave(x):
        await gate.passed()
        await x.answer(1)
    upstream.behave = behave
    caller = {"name": "paced", "token": PACED, "allow": ["*/*"], "max_in_flight": 1}
    before = settings_for(upstream, callers=[caller])
    gateway = start.gateway(before)
    with gateway.connect() as held:
        held.send(wire.request("POST", "/v1/up/m", b"[1]", bearer(PACED)))
        upstream.wait_requests(1)
        gateway.reload(before | {"callers": [CALLERS[0], caller], "listen": [
            {"address": "127.0.0.1", "port": gateway.tcp[1]}]})
        assert_problem(gateway.call("up", "m", [1], **bearer(PACED)), "rate-limited", 429, "no")
        gate.open()
        assert held.answer().result == 1
    assert gateway.call("up", "m", [1], **bearer(PACED)).result == 1
