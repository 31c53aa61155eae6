# SPDX-License-Identifier: Apache-2.0
"""What servers with sessions may do to the gateway, whose calls and secrets must not suffer."""

import html
import itertools
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig.check import assert_failed, assert_problem
from rig.sessions import EXPIRED, LOGIN, PASSWORD, session_of, settings_of
from rig.upstream import echo, response_document


def before(up, behave, **more):
    """A gateway before a server that behaves so, where all methods but `open.` want a session."""
    settings = {"credentials": {"username": "api", "password": PASSWORD},
                "inject": [{"match": "open.*"}, {"params": ["{session}"]}],
                "session": {"login": LOGIN, "settle": "0s"}, "faults": [EXPIRED]}
    return up(behave, **settings | more)


class Keys:
    """Behaves as a server that gives keys, and answers calls with what the test says."""

    def __init__(self, answer):
        self.answer, self.counts = answer, Counter()

    async def __call__(self, x):
        self.counts[x.method] += 1
        if x.method == "auth.login":
            return await x.answer(f"key-{self.counts[x.method]}-0123456789")
        await self.answer(x, self.counts[x.method])


# ---- Answers that are taken back ----


def test_results_of_a_refused_batch_are_not_in_the_reply(up):
    async def answer(x, n):
        results = response_document([[i] for i in range(len(x.params[0]))])
        await x.respond(results, "401 Unauthorized" if n == 1 else "200 OK")
    keys = Keys(answer)
    gateway, _ = before(up, keys, multicall="always", multicall_results="wrapped",
                        faults=[{"http": 401, "session_expired": True}])
    results = gateway.batch("up", ("a.x", 1), ("open.x", 2), ("a.y", 3))
    assert results == [{"result": 0}, {"result": 1}, {"result": 2}]
    assert keys.counts == {"auth.login": 2, "system.multicall": 2}


def test_members_that_cannot_be_made_fail_alone(up):
    async def behave(x):
        await x.answer({"a": [1]} if x.method == "auth.login" else [[7]] * len(x.params[0]))
    gateway, upstream = before(up, behave, multicall="always", multicall_results="wrapped", inject=[
        {"match": "open.*"}, {"params": ["{username}", "key {session}"]}])
    results = gateway.batch("up", *[("a.x", i) for i in range(999)], ("open.x", 1))
    assert results.pop() == {"result": 7}
    for result in results:
        assert_failed(result, "login-failed", 502, "no")
    assert [x.method for x in upstream.exchanges] == ["auth.login", "system.multicall"]


def test_a_secret_may_be_a_word_of_a_rule(up):
    """What is hidden in a fault is there for the rules: here for the one that tells the end."""
    async def answer(x, n):
        if n == 1:
            return await x.answer_fault(-1, "Could not find session")
        await x.answer(1)
    gateway, _ = before(up, Keys(answer), credentials={"username": "api", "password": "session"})
    assert gateway.call("up", "a.x").result == 1


# ---- Failed logins ----


@pytest.mark.parametrize("how", ["status", "page", "long", "lost"])
def test_a_login_that_fails_is_no_storm(up, how):
    """The server may count what it does not answer as a refusal is answered."""
    async def behave(x):
        if how == "lost":
            return x.close()
        if how == "long":
            return await x.answer("x" * 2_000_000)
        await x.respond(b"<html>no", "500 No" if how == "status" else "200 OK")
    gateway, upstream = before(up, behave, session={"login": LOGIN, "retry": "10m"})
    answers = [gateway.call("up", "a.x") for _ in range(20)]
    assert len(upstream.exchanges) == 2
    assert len({answer.problem for answer in answers}) == 1
    for answer in answers:
        assert answer.json["executed"] == "no" and answer.problem != "login-failed"
    last = answers[-1]
    assert "session.retry" in last.json["detail"] and 1 <= int(last.header("Retry-After")) <= 60
    assert session_of(gateway) == "none"
    gateway.wait_line(lambda line: "our login at the upstream failed" in line)


def test_a_login_that_is_not_sent_has_no_pause(up):
    gateway, _ = before(up, echo, session={"login": LOGIN, "retry": "10m"},
                        url="http://127.0.0.1:1/")
    for _ in range(5):
        answer = gateway.call("up", "a.x")
        assert_problem(answer, "connect-failed", 502, "no")
        assert answer.header("Retry-After") is None


def test_why_a_login_failed_outlives_its_configuration(start):
    """Who waits for a login may have a newer configuration, or an older one, than its call."""
    async def behave(x):
        await x.after(0.05)
        await x.respond(b"no", "500 No")
    upstream = start.upstream(behave)
    settings = settings_of(upstream)
    settings["upstreams"]["up"]["faults"] = [{"http": 500, "type": "my-own-type"}]
    gateway = start.gateway(settings)
    with ThreadPoolExecutor(20) as pool:
        for number in range(8):
            calls = [pool.submit(gateway.call, "up", "a.x") for _ in range(20)]
            gateway.reload(settings | {"limits": {"batch": 100 + number}})
            assert {call.result().problem for call in calls} == {"my-own-type"}


# ---- What logins give ----


@pytest.mark.parametrize("result", ["k" * 100_000, ["k1234567"] * 10_000], ids=["long", "many"])
def test_more_than_can_be_hidden_is_not_taken(up, result):
    async def behave(x):
        await x.answer(result)
    gateway, _ = before(up, behave)
    problem = assert_problem(gateway.call("up", "a.x"), "login-failed", 502, "no")
    assert "`keep`" in problem["detail"]


def test_of_a_long_result_a_part_is_enough(up):
    async def behave(x):
        if x.method == "auth.login":
            return await x.answer({"key": "key-0123456789", "more": ["x" * 200] * 1000})
        await x.answer_fault(1, f"no {x.params[0]}")
    gateway, _ = before(up, behave, inject=[{"params": ["{key}"]}],
                        session={"login": LOGIN | {"keep": {"key": "/key"}}})
    assert gateway.call("up", "a.x").json["fault"]["string"] == "no ***"


def test_what_cannot_be_sent_is_renewed(up):
    """One bad answer to a login is not for ever."""
    async def behave(x):
        count["login"] += x.method == "auth.login"
        await x.answer("bad\nkey" if count["login"] == 1 else "good-key-1234")
    count = Counter()
    gateway, _ = before(up, behave, inject=[{"headers": ["X-Session: {session}"]}])
    assert_problem(gateway.call("up", "a.x"), "login-failed", 502, "no")
    assert gateway.call("up", "a.x").result == "good-key-1234"


# ---- Secrets ----


def test_a_key_is_hidden_however_deep(up):
    key = "deep-key-0123456789"
    result = {"name-of-it": key}
    for _ in range(30):
        result = [result, 1234567]

    async def behave(x):
        if x.method == "auth.login":
            return await x.answer(result)
        await x.answer_fault(1, f"{key} is a name-of-it, 1234567")
    gateway, _ = before(up, behave)
    assert gateway.call("up", "a.x").json["fault"]["string"] == "*** is a name-of-it, ***"


@pytest.mark.parametrize("cookie, told", [('"qu0ted-v4lue-x"', "qu0ted-v4lue-x"),
                                          ("a%2Fb%3dq0r%2Bqq", "a/b=q0r+qq")])
def test_cookies_are_hidden_as_servers_know_them(up, cookie, told):
    async def behave(x):
        if x.method == "auth.login":
            return await x.respond(response_document(1), headers={"Set-Cookie": f"sid={cookie}"})
        await x.answer_fault(1, f"{x.header('Cookie')} is {told}")
    gateway, _ = before(up, behave, inject=[{"cookies": True}])
    assert gateway.call("up", "a.x").json["fault"]["string"] == "sid=*** is ***"


def test_cookies_have_no_controls(up):
    async def behave(x):
        head = ("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\x01\r\nSet-Cookie: b=\x7f\r\n"
                "Set-Cookie: c=3")
        body = response_document(1)
        await x.send(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode("latin-1") + body)
    gateway, upstream = before(up, behave, inject=[{"cookies": True}])
    assert gateway.call("up", "a.x").result == 1
    assert upstream.exchanges[-1].header("Cookie") == "c=3"


def test_what_a_login_gives_is_hidden_in_its_own_head(up):
    token = "tok-0123456789-abc"

    async def behave(x):
        await x.respond(response_document(token), headers={"X-Auth": token, "X-Other": "told"})
    gateway, _ = before(up, behave, verbose=True, inject=[{"params": ["{session}"]}])
    assert gateway.call("up", "a.x").result == token
    gateway.signal(signal.SIGTERM)
    gateway.assert_clean_end()
    assert "X-Other: told" in gateway.stderr and token not in gateway.stderr


def test_secrets_of_a_newer_configuration_are_hidden_as_well(start):
    """The upstream stays as it is, with what it knows of its session."""
    async def behave(x):
        if x.method == "auth.login":
            return await x.answer("key-0123456789")
        await x.answer_fault(1, " and ".join(x.params))
    upstream = start.upstream(behave)
    settings = settings_of(upstream)
    gateway = start.gateway(settings)
    secret = "of-the-newer-configuration-0123456789"
    assert secret in gateway.call("up", "a.x", [secret]).json["fault"]["string"]
    gateway.reload(settings | {"callers": [{"name": "c", "token": secret, "allow": ["*/*"]}]})
    for _ in range(2):
        assert gateway.call("up", "a.x", [secret]).json["fault"]["string"] == "*** and ***"


def test_changing_cookies_are_no_work(up):
    """What is hidden is made anew when it is asked for, not with each answer."""
    numbers = itertools.count()

    async def behave(x):
        n = next(numbers)
        cookie = f"c{n % 32}={n:0200d}"
        await x.respond(response_document(1), headers={"Set-Cookie": cookie})
    gateway, upstream = before(up, behave, inject=[{"cookies": True}])
    for _ in range(100):
        assert gateway.call("up", "a.x").result == 1
    assert upstream.exchanges[-1].header("Cookie").count("=") == 32


# ---- Callers ----


@pytest.mark.parametrize("param", [
    '{"token":"mine"}', '{"$struct":{"token":"mine"}}', '{"\\u0074oken":"mine"}',
    '{"a":1,"token ":"mine"}', '{"\\n token":"mine"}', '{"a":{"token":1},"token\\t":1}',
    '{"' + " " * 500 + 'token":"mine"}'], ids=range(7))
def test_a_member_of_ours_is_nobody_elses(up, param):
    gateway, upstream = before(up, echo, inject=[{"member": {"token": "{password}"}}],
                               session={"login": LOGIN})
    answer = gateway.request("POST", "/v1/up/a.x", f"[{param}]".encode(),
                             {"Content-Type": "application/json"})
    assert_problem(answer, "forbidden", 403, "no")
    assert not upstream.exchanges


@pytest.mark.parametrize("value", [
    "<int>{}</int>", "<dateTime.iso8601>{}</dateTime.iso8601>", "<{}>1</{}>", "a&{};b",
    "<struct><member><name>{}</name><value>1</value></member><member><value>1</value></member>"
    "</struct>", "<string><{}", "<string></{}>"])
def test_a_login_that_cannot_be_read_shows_nothing(up, value):
    """What stands where a key would may be one."""
    key = "key-of-session-0123456789"

    async def behave(x):
        await x.respond(response_document("@@").replace(
            b"<string>@@</string>", value.replace("{}", key).encode()))
    gateway, _ = before(up, behave)
    problem = gateway.call("up", "a.x").json
    assert problem["status"] == 502 and "login" in problem["detail"], problem
    assert "key-of" not in str(problem) and "key-of" not in gateway.stderr


def test_a_result_that_is_used_whole_is_hidden_beside_what_is_kept(up):
    async def behave(x):
        if x.method == "auth.login":
            return await x.answer({"id": "id-0123456789", "key": "key-0123456789"})
        await x.answer_fault(1, "id-0123456789, key-0123456789")
    gateway, _ = before(up, behave, inject=[{"params": ["{session}", "{id}"]}],
                        session={"login": LOGIN | {"keep": {"id": "/id"}}})
    assert gateway.call("up", "a.x").json["fault"]["string"] == "***, ***"


@pytest.mark.parametrize("escape", [
    lambda text: html.escape(text, quote=False), html.escape,
    lambda text: html.escape(text).replace("#x27", "#039")])
def test_a_key_that_is_escaped_twice(up, escape):
    key = "key<&>'\"-0123456789"

    async def behave(x):
        if x.method == "auth.login":
            return await x.answer(key)
        once = escape(key)
        await x.answer_fault(1, f"{once} {once.replace('&', '&amp;')}")
    gateway, _ = before(up, behave)
    assert gateway.call("up", "a.x").json["fault"]["string"] == "*** ***"
