# SPDX-License-Identifier: Apache-2.0
"""`rpcgate check` of upstreams with a session: the login and the logout, each a step."""

import json
import subprocess

import pytest

from rig.codec import RPCGATE
from rig.gateway import run_program
from rig.settings import configuration
from rig.simulator import PASSWORD, SECRET, USER, Simulator
from rig.upstream import fault_document

STEPS = ["dns", "connect", "tls", "authentication", "system.listMethods", "login", "logout"]
LOGIN = {"method": "auth.login", "params": ["{username}", "{password}"]}
LOGOUT = {"method": "auth.logout", "params": ["{session}"]}
OURS = "a-password-of-ours"


@pytest.fixture(scope="module")
def simulator(folder):
    simulator = Simulator(folder)
    yield simulator
    simulator.stop()


@pytest.fixture
def check(tmp_path):
    path = tmp_path / "rpcgate.conf"

    def run(upstreams: dict, *arguments: str) -> subprocess.CompletedProcess:
        path.write_text(configuration({"anonymous": {"allow": ["*/*"]}, "upstreams": upstreams}))
        done = run_program("check", "-c", str(path), *arguments, program=RPCGATE)
        assert not done.stderr, done.stderr
        for secret in (PASSWORD, SECRET, OURS):
            assert secret not in done.stdout
        return done

    def steps(settings: dict, status: int) -> dict:
        done = run({"up": settings}, "--json")
        assert done.returncode == status, done.stdout
        found = json.loads(done.stdout)["upstreams"][0]["urls"][0]["steps"]
        assert [step["step"] for step in found] == STEPS
        return {step["step"]: step for step in found}

    run.steps = steps
    return run


def results(steps: dict) -> str:
    """The first letter of each step's result, of a server without TLS."""
    return "".join(step["result"][0] for step in steps.values())


def profile(simulator, name: str, path: str, **settings) -> dict:
    return {"profile": name, "url": simulator.url(path), **settings, "credentials": {
        "username": USER, "password": PASSWORD, "key": SECRET, "database": "prod",
        **settings.get("credentials", {})}}


def mine(upstream, **settings) -> dict:
    return {"url": upstream.url, "credentials": {"username": "api", "password": OURS},
            "inject": [{"at": 0, "params": ["{session}"]}],
            "session": {"login": LOGIN, "logout": LOGOUT}, **settings}


class Server:
    """Answers calls by name with a value, a fault's document, or a function of the exchange."""

    def __init__(self, **answers):
        self.answers = {"auth.login": "key-0123456789", "auth.logout": True} | {
            name.replace("_", "."): answer for name, answer in answers.items()}
        self.seen = []

    async def __call__(self, x):
        self.seen.append((x.method, x.params))
        answer = self.answers.get(x.method, fault_document(-1, "no session"))
        if callable(answer):
            await answer(x)
        elif isinstance(answer, bytes):
            await x.respond(answer)
        else:
            await x.answer(answer)


#: Name, path; a logout as a step, and one that there is none for.
IN_AND_OUT = [("uyuni", "/rpc/api"), ("cobbler", "/cobbler_api"), ("atheme", "/xmlrpc"),
              ("bugzilla-token", "/xmlrpc.cgi"), ("tryton", "/tryton/prod/"), ("koji", "/kojihub"),
              ("xapi", "/"), ("kiwi", "/xml-rpc/"), ("inwx", "/inwx/xmlrpc/"),
              ("opensubtitles", "/xml-rpc"), ("confluence", "/rpc/xmlrpc")]


@pytest.mark.parametrize("name,path", IN_AND_OUT)
def test_in_and_out(check, simulator, name, path):
    control = name.split("-")[0]
    simulator.control(control, reset=True)
    steps = check.steps(profile(simulator, name, path), 0)
    assert steps["login"]["result"] == steps["logout"]["result"] == "ok", steps
    assert steps["login"]["reason"].startswith("by ") and steps["login"]["duration_ms"] > 0
    counts = simulator.counts(control)
    assert (counts["logins"], counts["logouts"]) == (1, 1), counts


def test_no_logout(check, simulator):
    """An Odoo's service is a part of the path, which the first call has as well."""
    simulator.control("odoo", reset=True)
    steps = check.steps(profile(simulator, "odoo", "/xmlrpc/2"), 0)
    assert results(steps) == "ooso" + "oos"
    assert "session.logout" in steps["logout"]["reason"]
    assert simulator.control("odoo")["log"][0]["path"] == "/xmlrpc/2/common"


@pytest.mark.parametrize("name,path", [*IN_AND_OUT, ("odoo", "/xmlrpc/2")])
def test_a_wrong_password(check, simulator, name, path):
    control = name.split("-")[0]
    simulator.control(control, reset=True)
    steps = check.steps(profile(simulator, name, path,
                                credentials={"password": OURS}), 69)
    assert (steps["login"]["result"], steps["logout"]["result"]) == ("failed", "skipped")
    assert "refused" in steps["login"]["reason"]
    assert "`credentials`" in steps["login"]["advice"]
    assert simulator.counts(control)["logins_bad"] == 1


def test_a_fault_is_told_without_secrets(check, start):
    server = Server()

    async def refuse(x):
        await x.answer_fault(5, f"no user {x.params[0]} with {x.params[1]}")
    server.answers["auth.login"] = refuse
    settings = mine(start.upstream(server))
    steps = check.steps(settings, 69)
    assert results(steps) == "ooso" + "ofs"
    reason = "the credentials are refused: The upstream answered with fault 5: no user api with ***"
    assert steps["login"]["reason"] == reason
    people = check({"up": settings})
    assert "  login               failed" in people.stdout and reason in people.stdout
    assert "  -> Correct the upstream's `credentials`" in people.stdout
    assert [method for method, _ in server.seen].count("auth.login") == 2  # of two runs


async def lose(x):
    x.close()


async def busy(x):
    await x.respond(b"<p>wait</p>", "503 Busy")


@pytest.mark.parametrize("answer,part", [
    (lose, "Empty reply"), (busy, "503"), (b"<html>", "XML"), (lambda x: x.gone(), "400 ms")])
def test_other_failures_are_what_they_are(check, start, answer, part):
    server = Server(auth_login=answer)
    steps = check.steps(mine(start.upstream(server), timeouts={"total": "400ms"}), 69)
    assert results(steps) == "ooso" + "ofs", steps
    reason = steps["login"]["reason"]
    assert "refused" not in reason and part in reason, reason
    assert "credentials" not in steps["login"]["advice"]


def test_a_result_without_what_is_kept(check, start):
    """It is no question of the password."""
    settings = mine(start.upstream(Server()), session={"login": LOGIN | {"keep": {"a": "/token"}}},
                    inject=[{"params": ["{a}"]}])
    steps = check.steps(settings, 69)
    assert "`/token`" in steps["login"]["reason"]
    assert "`session`" in steps["login"]["advice"]


def test_a_logout_that_fails(check, start):
    server = Server(auth_logout=fault_document(9, "cannot end key-0123456789"))
    steps = check.steps(mine(start.upstream(server)), 69)
    assert results(steps) == "ooso" + "oof"
    assert steps["logout"]["reason"].endswith("fault 9: cannot end ***")
    assert steps["logout"]["advice"]


@pytest.mark.parametrize("status", ["401 Who", "403 No", "500 What"])
def test_servers_that_let_nobody_in_without(check, start, status):
    """Before the login that says nothing about what is configured."""
    server = Server()

    async def forbid(x):
        await x.respond(b"", status)
    server.answers["system.listMethods"] = forbid
    steps = check.steps(mine(start.upstream(server)), 0)
    assert results(steps) == "ooss" + "soo"


def test_one_login_for_all_urls(check, start):
    servers = Server(), Server()
    urls = ["http://127.0.0.1:1/", *(start.upstream(server).url for server in servers)]
    settings = mine(start.upstream(Server()))
    del settings["url"]
    done = check({"up": settings | {"urls": urls}}, "--json")
    found = json.loads(done.stdout)["upstreams"][0]["urls"]
    assert [url["steps"][5]["result"] for url in found] == ["skipped", "ok", "skipped"]
    assert [url["steps"][6]["result"] for url in found] == ["skipped", "ok", "skipped"]
    methods = [method for server in servers for method, _ in server.seen]
    assert methods.count("auth.login") == methods.count("auth.logout") == 1


def test_header_credentials_go_with_the_first_call(check, start):
    """What `inject` adds to each call needs no login."""
    async def behave(x):
        await x.answer(["a"]) if x.header("X-Key") == OURS else await x.respond(b"", "401 Who")
    settings = {"url": start.upstream(behave).url, "credentials": {"key": OURS},
                "inject": [{"headers": ["X-Key: {key}"]}]}
    done = check({"up": settings})
    assert done.returncode == 0 and "1 method" in done.stdout and "login" not in done.stdout
