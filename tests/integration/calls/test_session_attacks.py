# SPDX-License-Identifier: Apache-2.0
"""What servers with sessions may do to the gateway, whose calls and secrets must not suffer."""

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
