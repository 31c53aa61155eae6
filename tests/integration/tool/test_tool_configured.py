# SPDX-License-Identifier: Apache-2.0
"""`rpcgate call -c FILE`: an upstream as a configuration has it, without a gateway."""

import xmlrpc.client

import pytest

from rig.settings import configuration
from rig.simulator import PASSWORD, SECRET, USER, Simulator
from rig.tool import (CONFIGURATION, FAULT, NO_INPUT, OK, UNAVAILABLE, USAGE, tool)


@pytest.fixture(scope="module")
def simulator(folder):
    simulator = Simulator(folder)
    yield simulator
    simulator.stop()


@pytest.fixture
def call(tmp_path):
    path = tmp_path / "rpcgate.conf"

    def call(upstreams: dict, *words: str, options=()):
        path.write_text(configuration({"upstreams": upstreams}))
        done = tool("call", "-c", str(path), *options, *words)
        for secret in (PASSWORD, SECRET):
            assert secret not in done.out + done.err
        return done
    return call


def profile(simulator, name: str, path: str, password=PASSWORD) -> dict:
    return {"up": {"profile": name, "url": simulator.url(path), "credentials": {
        "username": USER, "password": password, "key": SECRET, "database": "prod"}}}


def last_call(simulator, name):
    return simulator.control(name)["log"][-1]["method"]


@pytest.mark.parametrize("name,path,words,out,logout", [
    ("uyuni", "/rpc/api", ["rg.echo", "1", '"a"'], '[1,"a"]\n', "auth.logout"),
    ("odoo", "/xmlrpc/2", ["execute_kw", '"rg"', '"echo"', '[[1,"a"]]'], '[[1,"a"]]\n', None),
    ("bugzilla-token", "/xmlrpc.cgi", ["rg.echo", '{"a":1}'], '{"a":1}\n', "User.logout"),
    ("aria2", "/rpc", ["rg.echo", "1"], "[1]\n", None)])
def test_in_and_out(call, simulator, name, path, words, out, logout):
    control = name.split("-")[0]
    simulator.control(control, reset=True)
    done = call(profile(simulator, name, path), "up", *words)
    assert (done.status, done.out, done.err) == (OK, out, "")
    counts = simulator.counts(control)
    assert counts["calls"] == 1 and counts["refused"] == counts["expired"] == 0, counts
    assert counts["logouts"] == (logout is not None)
    if logout is not None:
        assert last_call(simulator, control) == logout


def test_a_fault_is_logged_out_after(call, simulator):
    simulator.control("uyuni", reset=True)
    done = call(profile(simulator, "uyuni", "/rpc/api"), "up", "rg.fail", "7", '"no way"')
    assert done.status == FAULT and "fault 7" in done.err and "no way" in done.err
    assert last_call(simulator, "uyuni") == "auth.logout"


def test_a_refused_login(call, simulator):
    simulator.control("uyuni", reset=True)
    done = call(profile(simulator, "uyuni", "/rpc/api", "a-wrong-one"), "up", "rg.echo", "1")
    assert (done.status, done.out) == (UNAVAILABLE, "")
    assert "refused our login" in done.err and "a-wrong-one" not in done.err
    counts = simulator.counts("uyuni")
    assert (counts["logins_bad"], counts["calls"], counts["logouts"]) == (1, 0, 0)


def test_a_login_that_is_not_good_is_told_once(call, start):
    async def behave(x):
        await x.answer(False)
    upstream = start.upstream(behave)
    done = call({"up": {"url": upstream.url, "inject": ({"params": ("{session}",)},),
                        "session": {"login": {"method": "login", "good": {"from": 1}}}}},
                "up", "a.x")
    assert done.status == UNAVAILABLE and "`good`" in done.err
    assert done.err.count("refused our login") == 1


def test_its_settings_hold(call, start):
    """Where the words choose nothing else."""
    seen = []

    async def behave(x):
        seen.append((x.header("X-Key"), x.params))
        await x.answer(xmlrpc.client.DateTime("20240229T12:00:00"))
    up = {"up": {"url": start.upstream(behave).url, "headers": ["X-Key: 0123456789"],
                 "extensions": ["nil"], "types": "tagged"}}
    assert call(up, "up", "a", "null").out == '{"$dateTime":"20240229T12:00:00"}\n'
    assert call(up, "up", "a", options=("--types", "plain")).out == '"2024-02-29T12:00:00"\n'
    assert seen == [("0123456789", (None,)), ("0123456789", ())]


def test_time_is_told_by_who_sets_it(call, start):
    async def behave(x):
        await x.gone()
    up = {"up": {"url": start.upstream(behave).url, "timeouts": {"total": "200ms"}}}
    assert "timeouts.total" in call(up, "up", "a").err
    assert "--timeout" in call(up, "up", "a", options=("--timeout", "100ms")).err


def test_wrong_words(call, simulator, tmp_path):
    up = profile(simulator, "uyuni", "/rpc/api")
    done = call(up, "upp", "rg.echo")
    assert done.status == USAGE and 'no upstream "upp"' in done.err
    for option in (("--url", "http://h"), ("--token-file", "t"), ("--direct", "http://h"),
                   ("-x", "nil"), ("--ca-file", "c")):
        assert call(up, "up", "rg.echo", options=option).status == USAGE
    assert call({"up": {"url": "http://h", "headers": ["x"]}}, "up", "m").status == CONFIGURATION
    missing = tool("call", "-c", str(tmp_path / "none"), "up", "m")
    assert missing.status == NO_INPUT and "none" in missing.err
