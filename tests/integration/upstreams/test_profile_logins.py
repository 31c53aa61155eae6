# SPDX-License-Identifier: Apache-2.0
"""Profiles with a login, against imitations of their servers: callers neither log in nor see a
password or a key, whatever becomes of the session."""

from dataclasses import dataclass

import pytest

from rig.check import assert_problem
from rig.simulator import PASSWORD, USER, Simulator

WRONG = "wr0ng-pw-fedcba98"


@dataclass(frozen=True)
class Row:
    """A profile, the server's path, a call that wants the session, and its result."""
    profile: str
    path: str
    method: str = "rg.echo"
    params: tuple = (1, "a")
    result: object = (1, "a")
    runs: str = ""  # what the server counts the call as, if not as the method
    server: str = ""  # where its name is not the profile's
    shares: bool = False  # two calls are one MultiCall
    expires: bool = True  # the server has sessions that end
    logs_out: bool = True
    echoes: bool = False  # a refusal has the session's key
    headers: tuple = ()

    @property
    def name(self):
        return self.server or self.profile

    @property
    def value(self):
        return list(self.result) if isinstance(self.result, tuple) else self.result


ROWS = [
    # The uid that a login gives is no secret and does not end.
    Row("odoo", "/xmlrpc/2", "execute_kw", ("rg", "echo", [1, "a"]), runs="rg.echo",
        expires=False, logs_out=False),
    Row("koji", "/kojihub", shares=True),
    Row("xapi", "/", echoes=True),
    Row("cobbler", "/cobbler_api", "modify_system", ("h", "name", "x"), True,
        echoes=True),
    Row("uyuni", "/rpc/api"),
    Row("bugzilla-token", "/xmlrpc.cgi", params=({"a": 1},), result={"a": 1}, server="bugzilla"),
    Row("kiwi", "/xml-rpc/", shares=True),
    Row("tryton", "/tryton/"),
    Row("magento", "/api/xmlrpc", "call", ("rg.echo", [1, "a"]), runs="rg.echo"),
    Row("atheme", "/xmlrpc"),
    Row("ipa", "/ipa", params=([1, "a"], {}), headers=("Referer: https://ipa.example/ipa",),
        result={"result": [1, "a"], "value": "", "summary": None}),
    Row("ifm", "/api/rpc/v1/com.ifm.efector/", "exportConfig", (), ""),
    Row("inwx", "/inwx/xmlrpc/", params=({"a": 1},), result=({"a": 1},)),
    Row("opensubtitles", "/xml-rpc", result={"data": [1, "a"], "status": "200 OK",
                                             "seconds": 0.01}),
    Row("confluence", "/rpc/xmlrpc"),
]


@pytest.fixture(scope="module")
def simulator(folder):
    simulator = Simulator(folder)
    yield simulator
    simulator.stop()


class Case:
    """A gateway with the profile before the fresh server. All that it answers is kept."""

    def __init__(self, start, simulator, row: Row):
        self.row, self.simulator, self._start = row, simulator, start
        simulator.control(row.name, reset=True)
        self.said, self.keys = [], set()
        self.gateway = None

    def begin(self, password=PASSWORD, **session):
        """As it comes, but for these members of `session`."""
        upstream = {"profile": self.row.profile, "url": self.simulator.url(self.row.path),
                    "credentials": {"username": USER, "password": password, "key": password,
                                    "database": "prod"}}
        if session:
            upstream["session"] = session
        if self.row.headers:
            upstream["headers"] = list(self.row.headers)
        self.gateway = self._start.gateway({
            "anonymous": {"allow": ["*/*"]}, "log": {"level": "debug"},
            "upstreams": {"up": upstream}})
        return self

    def call(self):
        answer = self.gateway.call("up", self.row.method, list(self.row.params))
        self.said += [answer.body.decode(), str(answer.headers)]
        return answer

    def assert_value(self):
        answer = self.call()
        assert (answer.status, answer.json.get("result")) == (200, self.row.value), answer.body

    def assert_both(self):
        call = (self.row.method, *self.row.params)
        results = self.gateway.batch("up", call, call)
        self.said.append(str(results))
        assert results == [{"result": self.row.value}] * 2

    def counts(self, *names):
        counts = self.simulator.counts(self.row.name)
        return tuple(counts[name] for name in names)

    def ran(self) -> int:
        return self.simulator.counts(self.row.name)["runs"].get(self.row.runs or self.row.method, 0)

    def assert_hidden(self, *secrets):
        """No answer and no line of the log has a password, or any part of a session's key."""
        self.keys |= set(self.simulator.control(self.row.name)["keys"])
        parts = [part for key in self.keys for part in key.split("|") if len(part) > 8]
        parts += [key[:10] for key in parts]  # a Bugzilla's token
        assert self.said and (self.keys or secrets)
        for secret in (PASSWORD, *secrets, *(() if self.row.profile == "odoo" else parts)):
            assert secret not in "\n".join(self.said)
            assert secret not in self.gateway.stderr


@pytest.fixture(params=ROWS, ids=lambda row: row.profile)
def case(request, start, simulator):
    return Case(start, simulator, request.param)


def only_if(condition):
    if not condition:
        pytest.skip("the server has no such thing")


def test_a_call_and_the_end(case):
    """One login for all calls, and a logout where the server has one."""
    case.begin()
    case.assert_value()
    case.assert_value()
    case.assert_hidden()
    case.gateway.stop()
    assert case.counts("logins", "logouts", "refused") == (1, int(case.row.logs_out), 0)
    assert case.ran() == 2
    case.assert_hidden()


def test_two_calls(case):
    case.begin()
    case.assert_both()
    logins, multicalls = case.counts("logins", "multicalls")
    assert (logins, multicalls > 0) == (1, case.row.shares)
    assert case.ran() == 2
    case.assert_hidden()


@pytest.mark.parametrize("several", [False, True], ids=["single", "several"])
def test_expiry(case, several):
    """Exactly one more login, and each call runs once."""
    only_if(case.row.expires)
    case.begin(settle="0s")
    case.assert_value()
    case.simulator.control(case.row.name, expire=True)
    if several:
        case.assert_both()
    else:
        case.assert_value()
    assert case.counts("logins")[0] == 2
    assert case.ran() == (3 if several else 2)
    case.assert_hidden()


def test_a_server_that_lies(case):
    """It says that the session has expired when the call has run: one replay, not more."""
    only_if(case.row.expires)
    case.begin(settle="0s")
    case.simulator.control(case.row.name, lie_expired=2)
    answer = case.call()
    assert answer.status >= 400 and answer.json["executed"] == "no", answer.body
    assert case.counts("logins")[0] == 2
    assert case.ran() == 2
    case.assert_value()
    case.assert_hidden()


def test_a_wrong_password(case):
    """Is tried once."""
    case.begin(password=WRONG, retry="10m")
    for _ in range(4):
        problem = assert_problem(case.call(), "login-failed", 502, "no")
        assert "Retry-After" in case.said[-1], problem
    assert case.counts("logins", "logins_bad", "calls") == (0, 1, 0)
    case.assert_hidden(WRONG)


def test_no_rights(case):
    """Where that looks like a session's end it is no reason to log in with each call."""
    case.begin()
    case.assert_value()
    case.simulator.control(case.row.name, expired_calls=True)
    for _ in range(5):
        answer = case.call()
        assert answer.status >= 400 and answer.json["executed"] == "no", answer.body
    if case.row.echoes:
        assert "***" in case.said[-2]
    assert case.counts("logins")[0] == 1
    assert case.ran() == 1
    case.assert_hidden()
