# SPDX-License-Identifier: Apache-2.0
"""Sessions at upstreams: one login for all, expiry, refusals, the end, and that nobody sees a key."""

import base64
import itertools
import json
import os
import signal
import time
import xmlrpc.client
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Condition

import pytest

from rig.check import assert_failed, assert_problem
from rig.sessions import LOGIN, PASSWORD, Liar, Server, call_all, session_of, settings_of
from rig.settings import DEADLINE, up_settings
from rig.upstream import fault_document

@pytest.fixture
def serve(start):
    """A server with sessions and a gateway before it."""
    def make(**session):
        server = Server()
        upstream = start.upstream(server)
        return server, upstream, start.gateway(settings_of(upstream, **session))
    return make


LONG = os.environ.get("RPCGATE_LONG_TESTS") == "1"


# ---- Logging in ----


def test_the_first_call_logs_in_for_all(serve):
    server, _, gateway = serve()
    assert gateway.call("up", "open.echo", [1]).result == [1]
    assert server.counts["login"] == 0
    answers = call_all(gateway, 200)
    assert [answer.result for answer in answers] == [[i] for i in range(200)]
    assert server.counts["login"] == 1
    assert gateway.call("up", "a.echo", [{"a": [1.5, "x"]}]).result == [{"a": [1.5, "x"]}]
    assert server.counts["login"] == 1


def test_one_login_after_expiry_and_each_call_runs_once(serve):
    server, _, gateway = serve()
    call_all(gateway, 200)
    server.ran.clear()
    server.expire()
    answers = call_all(gateway, 200)
    assert [answer.result for answer in answers] == [[i] for i in range(200)]
    assert server.counts["login"] == 2
    assert server.ran == Counter({json.dumps([i]): 1 for i in range(200)})


def test_a_login_that_hangs_holds_nobody_beyond_its_time(serve, start):
    server, upstream, gateway = serve()
    server.gate = upstream.gate()
    answer = gateway.call("up", "a.echo", [1], X_Rpcgate_Timeout="300ms")
    problem = assert_problem(answer, "timeout", 504, "no")
    assert "login" in problem["detail"]
    assert gateway.call("up", "open.echo", [2]).result == [2]
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(gateway.call, "up", "a.echo", [i]) for i in range(3)]
        server.gate.open()
        assert [each.result().result for each in waiting] == [[0], [1], [2]]
    assert server.counts["login"] == 1


def test_who_leaves_ends_no_login(serve):
    server, upstream, gateway = serve()
    server.gate = upstream.gate()
    with gateway.connect() as connection:
        connection.send(b"POST /v1/up/a.echo HTTP/1.1\r\nHost: localhost\r\n"
                        b"Content-Type: application/json\r\nContent-Length: 3\r\n\r\n[1]")
        upstream.wait_for(lambda _: server.counts["login begun"] == 1)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(gateway.call, "up", "a.echo", [2])
        server.gate.open()
        assert other.result().result == [2]
    assert server.counts["login"] == 1


def test_a_lost_login_is_no_refusal(serve):
    server, _, gateway = serve()
    server.loses = True
    problem = assert_problem(gateway.call("up", "a.echo", [1]), "connection-lost", 502, "no")
    assert "login" in problem["detail"]
    server.loses = False
    assert gateway.call("up", "a.echo", [1]).result == [1]


# ---- Refusals ----


def test_a_refused_login_is_not_tried_again(serve):
    server, _, gateway = serve(retry="10m")
    server.password = "another-one-now"
    for answer in call_all(gateway, 100) + call_all(gateway, 20):
        problem = assert_problem(answer, "login-failed", 502, "no")
        assert "no such user or password: ***" in problem["detail"]
        assert 1 <= int(answer.header("Retry-After")) <= 600
    assert server.counts["login"] == 1
    assert gateway.call("up", "open.echo", [2]).result == [2]
    gateway.reload()
    assert_problem(gateway.call("up", "a.echo", [1]), "login-failed", 502, "no")
    assert server.counts["login"] == 1
    assert PASSWORD not in gateway.stderr


def test_another_password_is_tried_at_once(serve):
    server, upstream, gateway = serve(retry="10m")
    server.password = "another-one-now"
    assert_problem(gateway.call("up", "a.echo", [1]), "login-failed", 502, "no")
    gateway.reload(settings_of(upstream, password="another-one-now", retry="10m"))
    assert gateway.call("up", "a.echo", [1]).result == [1]
    assert server.counts["login"] == 2


def test_after_the_pause_it_is_tried_again(serve):
    server, _, gateway = serve(retry="100ms")
    server.password = "another-one-now"
    assert_problem(gateway.call("up", "a.echo", [1]), "login-failed", 502, "no")
    server.password = PASSWORD
    deadline = time.monotonic() + DEADLINE
    while (answer := gateway.call("up", "a.echo", [1])).status != 200:
        assert_problem(answer, "login-failed", 502, "no")
        assert time.monotonic() < deadline
    assert server.counts["login"] == 2


# ---- Expiry ----


def test_a_young_session_is_not_renewed(serve):
    server, _, gateway = serve(settle="10m")
    assert gateway.call("up", "a.echo", [1]).result == [1]
    server.rights = False
    for _ in range(5):
        assert_problem(gateway.call("up", "a.echo", [1]), "fault", 500, "no")
    assert server.counts["login"] == 1


def test_what_a_fresh_session_is_refused_is_the_answer(serve):
    server, _, gateway = serve()
    server.rights = False
    answer = gateway.call("up", "a.echo", [1])
    assert assert_problem(answer, "fault", 500, "no")["fault"]["code"] == -1
    assert server.counts["expired"] == 2
    assert server.counts["login"] == 2


def test_only_that_answer_leads_to_a_second_one(up):
    server = Server()

    async def behave(x):
        if x.method == "auth.login":
            return await server.login(x)
        server.counts[x.method] += 1
        x.close()
    gateway, upstream = up(behave, **{key: value for key, value in settings_of(
        type("U", (), {"url": "http://127.0.0.1:1/"})(), logout=None)["upstreams"]["up"].items()
        if key not in ("url", "breaker")})
    assert_problem(gateway.call("up", "a.echo", [1]), "connection-lost", 502, "unknown")
    assert server.counts["a.echo"] == 1 and server.counts["login"] == 1


def test_large_calls_are_sent_again_whole(serve):
    server, _, gateway = serve()
    text = "0123456789 äöü" * 100000
    assert gateway.call("up", "a.echo", [text]).result == [text]
    server.expire()
    assert gateway.call("up", "a.echo", [text]).result == [text]
    assert server.counts["login"] == 2


# ---- The end ----


def test_logs_out_at_the_end(serve):
    server, _, gateway = serve()
    call_all(gateway, 20)
    gateway.signal(signal.SIGTERM)
    gateway.assert_clean_end()
    assert server.counts["logout"] == 1 and not server.keys


def test_logs_out_when_the_upstream_goes(serve, start):
    server, upstream, gateway = serve()
    call_all(gateway, 20)
    gateway.reload()
    assert gateway.call("up", "a.echo", [1]).result == [1]
    assert server.counts["login"] == 1 and server.counts["logout"] == 0
    gateway.reload(up_settings(upstream))
    upstream.wait_for(lambda _: server.counts["logout"] == 1)
    assert not server.keys


def test_an_end_that_hangs_is_bounded(serve, start):
    server, upstream, gateway = serve(logout={
        "method": "auth.login", "params": ["a", "b", "{session}"]})
    assert gateway.call("up", "a.echo", [1]).result == [1]
    server.gate = upstream.gate()
    began = time.monotonic()
    gateway.signal(signal.SIGTERM)
    gateway.assert_clean_end()
    assert server.counts["login begun"] == 2
    assert 1.5 < time.monotonic() - began < DEADLINE
    server.gate.open()


# ---- Secrets ----


def test_keys_are_hidden_and_results_are_not_altered(start):
    server = Server()
    upstream = start.upstream(server)
    settings = settings_of(upstream)
    settings["upstreams"]["up"]["verbose"] = True
    gateway = start.gateway(settings)
    problem = assert_problem(gateway.call("up", "a.fail", [1]), "fault", 500)
    (key,) = server.keys
    assert problem["fault"]["string"] == "bad thing with ***"
    assert gateway.call("up", "a.echo", [key]).result == [key]
    for name in ("/metrics", "/v1"):
        assert key not in gateway.get(name).body.decode()
    server.expire()
    assert gateway.call("up", "a.echo", [1]).result == [1]
    gateway.signal(signal.SIGTERM)
    gateway.assert_clean_end()
    assert "verbose" in gateway.stderr
    for secret in [PASSWORD] + [f"key-{i}-0123456789abcdef" for i in (1, 2)]:
        assert secret not in gateway.stderr


# ---- Batches and JSON-RPC ----


def test_only_expired_parts_of_a_batch_are_sent_again(serve):
    server, _, gateway = serve()
    results = gateway.batch("up", *(("a.echo", i) for i in range(5)))
    assert [each["result"] for each in results] == [[i] for i in range(5)]
    assert server.counts["login"] == 1
    server.ran.clear()
    server.expire()
    calls = [("open.echo", "first"), ("a.echo", 1), ("open.echo", "mid"), ("a.fail", 2),
             ("a.echo", 3), ("open.echo", "last")]
    results = gateway.batch("up", *calls)
    assert [each.get("result") for each in results] == [
        ["first"], [1], ["mid"], None, [3], ["last"]]
    assert assert_failed(results[3], "fault", 500)["fault"]["string"] == "bad thing with ***"
    assert server.counts["login"] == 2
    assert server.counts["open.echo"] == 3
    assert server.ran == Counter({"[1]": 1, "[2]": 1, "[3]": 1})


def test_parts_are_sent_again_once(serve):
    server, _, gateway = serve()
    server.rights = False
    results = gateway.batch("up", ("a.echo", 1), ("open.echo", 2), ("a.echo", 3))
    for i in (0, 2):
        assert assert_failed(results[i], "fault", 500, "no")["fault"]["code"] == -1
    assert results[1]["result"] == [2]
    assert server.counts["expired"] == 4 and server.counts["open.echo"] == 1


def test_parts_that_were_sent_again_are_not_with_all_others(start):
    """What an answer to one call and what one to all of them says are one and the same allowance."""
    server = Liar()
    gateway = start.gateway(settings_of(start.upstream(server)))
    gateway.batch("up", ("a.echo", "the shape is known"), ("a.echo", "now"))
    server.came = []
    results = gateway.batch("up", *(("a.echo", i) for i in range(5)))
    assert server.came == [[0, 1, 2, 3, 4], [1, 3]]
    assert [each.get("result") for each in results] == [0, None, 2, None, 4]
    for i in (1, 3):
        assert assert_failed(results[i], "fault", 500)["fault"]["string"] == "no session at all"


def test_side_by_side_and_jsonrpc(start):
    server = Server()
    upstream = start.upstream(server)
    settings = settings_of(upstream)
    settings["upstreams"]["up"]["multicall"] = "never"
    gateway = start.gateway(settings)
    for _ in range(2):
        server.expire()
        results = gateway.batch("up", ("a.echo", 1), ("open.echo", 2), ("a.echo", 3))
        assert [each["result"] for each in results] == [[1], [2], [3]]
        server.expire()
        answer = gateway.jsonrpc("up", {"jsonrpc": "2.0", "id": 1, "method": "a.echo",
                                        "params": [5]})
        assert answer.json["result"] == [5]
    assert server.counts["login"] == 4
    assert sum(server.ran.values()) == 6


# ---- What sessions are made of ----


def web_settings(upstream, **more):
    return up_settings(upstream, **more) | {"workers": 2}


def test_a_form_brings_cookies(start):
    seen = []

    async def behave(x):
        seen.append((x.request_line.split()[1], x.header("Cookie"), x.header("Content-Type")))
        if x.request_line.split()[1] == "/RPC2/login":
            if x.body != b"user=a%2Fb&password=s3cret%20pw%26":
                return await x.respond(b"no", "401 Unauthorized")
            return await x.respond(b"<html>hello</html>", "302 Found", {
                "Content-Type": "text/html", "Location": "/",
                "Set-Cookie": "sid=c00kie-value-of-ours; Path=/elsewhere; Secure; HttpOnly"})
        if x.header("Cookie") != "sid=c00kie-value-of-ours":
            return await x.respond(b"no", "401 Unauthorized")
        await x.answer_fault(3, "we know sid=c00kie-value-of-ours")
    upstream = start.upstream(behave)
    gateway = start.gateway(web_settings(
        upstream, credentials={"username": "a/b", "password": "s3cret pw&"},
        inject=[{"cookies": True, "path": "/xml", "headers": ["X-A: b"]}],
        session={"login": {"form": {"user": "{username}", "password": "{password}"},
                           "path": "login"}},
        faults=[{"http": 401, "session_expired": True}]))
    problem = assert_problem(gateway.call("up", "a.echo", [1]), "fault", 500)
    assert problem["fault"]["string"] == "we know sid=***"
    assert [each[0] for each in seen] == ["/RPC2/login", "/RPC2/xml"]
    assert seen[0][2] == "application/x-www-form-urlencoded"
    gateway.reload(web_settings(
        upstream, credentials={"username": "a/b", "password": "another"},
        inject=[{"cookies": True}],
        session={"login": {"form": {"user": "{username}", "password": "{password}"},
                           "path": "login"}}))
    assert "401" in assert_problem(gateway.call("up", "a.echo", [1]), "login-failed", 502,
                                   "no")["detail"]


def test_cookies_follow_what_each_answer_sets(start):
    number, seen = itertools.count(1), []

    async def behave(x):
        seen.append(x.header("Cookie"))
        cookie = {"Set-Cookie": f"sid=c00kie-value-{next(number)}; Path=/"}
        if x.method == "a.fail":
            return await x.respond(fault_document(1, f"we had {seen[-1]}"), headers=cookie)
        await x.respond(xmlrpc.client.dumps((1,), methodresponse=True).encode(), headers=cookie)
    upstream = start.upstream(behave)
    gateway = start.gateway(web_settings(
        upstream, inject=[{"cookies": True}],
        session={"login": {"method": "login"}, "serial": True}))
    for _ in range(3):
        assert gateway.call("up", "a.echo", [1]).result == 1
    problem = assert_problem(gateway.call("up", "a.fail", [1]), "fault", 500)
    assert problem["fault"]["string"] == "we had sid=***"
    assert seen == [None] + [f"sid=c00kie-value-{i}" for i in range(1, 5)]


def test_kept_parts_and_counts_in_headers(start):
    seen = []

    async def behave(x):
        if x.method == "login":
            return await x.answer({"id": 1234567, "name/s": ["n", "the-key-itself"], "ok": True})
        seen.append((x.header("X-Session"), x.header("Authorization"), x.params))
        await x.answer(1)
    upstream = start.upstream(behave)
    gateway = start.gateway(web_settings(
        upstream, credentials={"username": "api"},
        inject=[{"member": {"id": "{id}", "n": "{count}"},
                 "headers": ["X-Session: {key}", "Authorization: Session {base64({username}:{id})}"]
                 }],
        session={"login": {"method": "login", "good": {"at": "/ok", "is": True},
                           "keep": {"id": "/id", "key": "/name~1s/1"}}}))
    for i in range(3):
        assert gateway.call("up", "a.echo", [{"x": i}]).result == 1
    token = base64.b64encode(b"api:1234567").decode()
    assert seen == [("the-key-itself", "Session " + token, ({"x": i, "id": 1234567, "n": i + 1},))
                    for i in range(3)]


def test_a_result_that_is_not_good_is_a_refusal(start):
    async def behave(x):
        await x.answer(False)
    upstream = start.upstream(behave)
    gateway = start.gateway(web_settings(
        upstream, inject=[{"params": ["{session}"]}],
        session={"login": {"method": "login", "good": {"from": 1}}, "retry": "10m"}))
    for _ in range(3):
        assert_problem(gateway.call("up", "a.echo", [1]), "login-failed", 502, "no")
    assert len(upstream.exchanges) == 1
    assert session_of(gateway) == "refused"


def test_serial_and_exclusive_sessions(serve):
    server, upstream, gateway = serve(serial=True, exclusive=True)
    at_once, running = [], Counter()
    run = server.run

    async def behave(x):
        if x.method.startswith("a."):
            running[x.params[0]] += 1
            at_once.append(running[x.params[0]])
            await x.after(0.002)
            await x.answer(run(x.method, x.params))
            running[x.params[0]] -= 1
        else:
            await server(x)
    upstream.behave = behave
    answers = call_all(gateway, 30)
    assert [answer.result for answer in answers] == [[i] for i in range(30)]
    assert max(at_once) == 1 and server.counts["login"] == 1


def test_rested_sessions_are_kept_alive(serve):
    server, upstream, gateway = serve(keepalive={"method": "a.ping", "params": ["{session}"],
                                                 "every": "1s"})
    assert gateway.call("up", "a.echo", [1]).result == [1]
    upstream.wait_for(lambda _: server.counts["a.ping"] == 2)
    assert server.counts["login"] == 1


def test_idle_and_old_sessions_are_renewed_before(serve):
    server, upstream, gateway = serve(max_age="1s")
    assert gateway.call("up", "a.echo", [1]).result == [1]
    deadline = time.monotonic() + DEADLINE
    while server.counts["login"] < 2:
        assert gateway.call("up", "a.echo", [1]).result == [1]
        assert time.monotonic() < deadline
    upstream.wait_for(lambda _: server.counts["logout"] == 1)
    assert server.counts["expired"] == 0


# ---- What is told of them ----


def test_state_and_metrics(serve):
    server, _, gateway = serve(retry="10m")
    assert session_of(gateway) == "none"
    gateway.call("up", "a.echo", [1])
    assert session_of(gateway) == "active"
    assert gateway.metric("rpcgate_session_active") == 1
    server.expire()
    server.password = "another-one-now"
    assert_problem(gateway.call("up", "a.echo", [1]), "login-failed", 502, "no")
    assert session_of(gateway) == "refused"
    for name, value in (('logins_total{upstream="up",result="ok"}', 1),
                        ('logins_total{upstream="up",result="refused"}', 1),
                        ('logins_total{upstream="up",result="failed"}', 0),
                        ('expired_total{upstream="up"}', 1), ('active{upstream="up"}', 0)):
        assert gateway.get("/metrics").body.decode().splitlines().count(
            f"rpcgate_session_{name} {value}") == 1, name


def test_reloads_under_load_cost_no_login_and_no_call(serve):
    server, upstream, gateway = serve()
    over = False

    def caller(number):
        n = 0
        while not over:
            assert gateway.call("up", "a.echo", [number, n]).result == [number, n]
            n += 1
        return n
    with ThreadPoolExecutor(8) as pool:
        callers = [pool.submit(caller, i) for i in range(8)]
        for i in range(30):
            gateway.reload(settings_of(upstream) | {"limits": {"batch": 100 + i}})
        assert server.counts["login"] == 1 and server.counts["logout"] == 0
        server.expire()
        for i in range(3):
            gateway.reload(settings_of(upstream, retry=f"{i + 1}s"))
        over = True
        n = sum(each.result() for each in callers)
    assert sum(server.ran.values()) == n and set(server.ran.values()) == {1}
    assert server.counts["login"] <= 5


def test_a_storm_of_reloads(serve):
    """RPCGATE_LONG_TESTS=1 in the environment: 500 of them."""
    server, upstream, gateway = serve()
    settings, n_reloads, n_expired, over = settings_of(upstream), 500 if LONG else 40, 4, False
    made, one_more = [0] * 8, Condition()  # calls by each caller

    def caller(number):
        while not over:
            n = made[number]
            assert gateway.call("up", "a.echo", [number, n]).result == [number, n]
            with one_more:
                made[number] += 1
                one_more.notify_all()

    def wait_for_all():
        """Who was refused once has its answer, so that nobody is refused twice."""
        with one_more:
            before = list(made)
            assert one_more.wait_for(lambda: all(now >= then + 2 for now, then in
                                                 zip(made, before)), DEADLINE)
    with ThreadPoolExecutor(8) as pool:
        callers = [pool.submit(caller, i) for i in range(8)]
        for i in range(n_reloads):
            gateway.reload(settings | {"limits": {"batch": 100 + i}})
            if i % (n_reloads // n_expired) == 1:
                wait_for_all()
                server.expire()
        over = True
        for each in callers:
            each.result()
    assert server.counts["login"] == 1 + n_expired and server.counts["logout"] == 0
    assert sum(server.ran.values()) == sum(made) and set(server.ran.values()) == {1}
    assert len(server.keys) == 1


def gives(up, key, **rule):
    """A gateway before a server whose logins give that."""
    async def behave(x):
        await x.answer(key if x.method == "auth.login" else "ok")
    return up(behave, credentials={"username": "api", "password": PASSWORD},
              session={"login": LOGIN}, inject=({"match": "auth.*"}, {"match": "*"} | rule))


@pytest.mark.parametrize("key", ["key-of-a\r\nX-Evil: 2", {"a": [1]}], ids=["lines", "struct"])
def test_a_key_that_is_no_header_is_not_sent(up, key):
    gateway, upstream = gives(up, key, headers=["X-Session: {session}"])
    for _ in range(2):
        assert_problem(gateway.call("up", "m"), "login-failed", 502, "no")
    assert [x.method for x in upstream.exchanges] == ["auth.login"]


def test_a_key_stays_one_segment_of_a_path(up):
    gateway, upstream = gives(up, "../../admin?x=%2e#y", path="/{session}")
    assert gateway.call("up", "m").result == "ok"
    assert upstream.exchanges[-1].request_line.split()[1] == "/RPC2/..%2F..%2Fadmin%3Fx%3D%252e%23y"
