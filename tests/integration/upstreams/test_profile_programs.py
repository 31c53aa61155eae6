# SPDX-License-Identifier: Apache-2.0
"""Profiles with the real programs, as Debian 12 has them. What is not installed is skipped; what takes
long to start runs with RPCGATE_LONG_TESTS=1."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rig import backends, wordpress
from rig.check import assert_failed, assert_problem
from rig.settings import up_settings

LONG = pytest.mark.skipif(not os.environ.get("RPCGATE_LONG_TESTS"), reason="takes long to start")
WRONG = "wr0ng-pw-fedcba98"
REFUSED = ("credentials-refused", 502, "no")
LOGIN_FAILED = ("login-failed", 502, "no")


def fault(status: int, executed: str = "yes"):
    return ("fault", status, executed)


@dataclass(frozen=True)
class Row:
    """`good` are calls with what they give: a value, or a test of it. `bad` are calls with their
    problems. `wrong` is what a wrong password or key gets; `more` is a test of its own."""

    profile: str
    program: type
    good: tuple
    bad: tuple
    wrong: tuple = REFUSED
    more: Callable | None = None


class Case:
    """A row, and its program, which runs."""

    def __init__(self, start, row: Row, program):
        self.row, self.program, self._start = row, program, start

    def gateway(self, login: dict | None = None, **settings):
        """With the profile as it comes, with the program's own credentials but for these."""
        credentials = self.program.credentials | (login or {})
        if credentials:
            settings["credentials"] = credentials
        return self._start.gateway(up_settings(self.program, profile=self.row.profile, **settings))

    def assert_calls(self):
        gateway = self.gateway()
        for method, params, wanted in self.row.good:
            answer = gateway.call("up", method, list(params))
            assert answer.status == 200, answer.body
            assert_value(answer.json["result"], wanted)
        for method, params, problem in self.row.bad:
            assert_problem(gateway.call("up", method, list(params)), *problem)
        for name in {"password", "key"} & set(self.program.credentials):
            assert self.program.credentials[name] not in gateway.stderr

    def assert_batch(self):
        """As one MultiCall where the server has it."""
        good, bad = self.row.good[:1] * 2, self.row.bad[:1]
        results = self.gateway().batch(
            "up", *((method, *params) for method, params, _ in good + bad))
        for result, (_, _, wanted) in zip(results, good):
            assert_value(result["result"], wanted)
        for result, (_, _, problem) in zip(results[len(good):], bad):
            assert_failed(result, *problem)

    def assert_wrong_password(self):
        gateway = self.gateway(
            {"key" if "key" in self.program.credentials else "password": WRONG})
        method, params, _ = self.row.good[0]
        answer = gateway.call("up", method, list(params))
        assert_problem(answer, *self.row.wrong)
        assert WRONG not in answer.body.decode() + gateway.stderr


def assert_value(result, wanted):
    assert wanted(result) if callable(wanted) else result == wanted, result


def ejabberd_rights(case: Case):
    """An account that is no administrator."""
    answer = case.gateway({"username": "joe"}).call("up", "registered_users",
                                                    [{"host": "example.org"}])
    assert_problem(answer, "fault", 403)


def dokuwiki_rights(case: Case):
    """An account without those to a page, and one without those to call at all."""
    joe, nobody = (case.gateway({"username": name}) for name in ("joe", "nobody"))
    assert joe.call("up", "wiki.getPage", ["start"]).result == "hello"
    assert_problem(joe.call("up", "wiki.getPage", ["secret"]), "protocol-error", 403, "no")
    assert_problem(nobody.call("up", "wiki.getPage", ["start"]), "protocol-error", 403, "no")


def wordpress_rights(case: Case):
    """An account that may only read; and in a MultiCall each member has the password."""
    joe = case.gateway({"username": "joe"})
    assert_problem(joe.call("up", "wp.newPost", [1, {"post_title": "t"}]), "fault", 403)
    results = case.gateway().batch("up", ("wp.getUsersBlogs",), ("wp.getPost", 1, 999),
                                   ("blogger.getUserInfo", "key"))
    assert results[0]["result"][0]["isAdmin"] is True
    assert_failed(results[1], "fault", 404)
    assert results[2]["result"]["nickname"] == "admin"


def tryton_sessions(case: Case):
    """The server ends them: each time one login more; and at the end nothing is left there."""
    case.program.end_sessions()
    gateway = case.gateway(session={"settle": "0s"})
    method, params, wanted = case.row.good[0]
    for _ in range(2):
        assert gateway.call("up", method, list(params)).result == wanted
        case.program.end_sessions()
    assert gateway.call("up", method, list(params)).result == wanted
    assert gateway.metric("rpcgate_session_logins_total") == 3
    assert case.program.sessions() == 1
    gateway.stop()
    assert case.program.sessions() == 0


NO_TORRENT = "0" * 40

ARIA2 = Row(
    "aria2", backends.Aria2Backend,
    good=(("aria2.getVersion", (), lambda v: v["version"]),
          ("aria2.addUri", (["http://127.0.0.1:9/x"], {"pause": "true"}), lambda v: len(v) == 16),
          ("system.listNotifications", (), lambda v: "aria2.onDownloadStart" in v)),
    bad=(("aria2.tellStatus", ("f" * 16,), fault(404)), ("aria2.noSuch", (), fault(404))))
SUPERVISOR = Row(
    "supervisor", backends.SupervisordBackend,
    good=(("supervisor.getState", (), {"statecode": 1, "statename": "RUNNING"}),
          ("supervisor.startProcess", ("cat",), True)),
    bad=(("supervisor.startProcess", ("cat",), fault(409)),
         ("supervisor.startProcess", ("dog",), fault(404)),
         ("supervisor.startProcess", (), fault(400)),
         ("supervisor.noSuch", (), fault(404))))
RTORRENT = Row(
    "rtorrent", backends.RtorrentBackend,
    good=(("system.client_version", (), lambda v: v.startswith("0.")),
          ("throttle.global_down.max_rate.set", ("", 1024), 0),
          ("d.multicall2", ("", "main", "d.name="), [])),
    bad=(("d.name", (NO_TORRENT,), fault(404)), ("view.size", ("", "nosuch"), fault(404)),
         ("d.name", (), fault(400)), ("no.such", (), fault(404, "no"))),
    wrong=())
RTORRENT_AT_SOCKET = replace(RTORRENT, program=backends.RtorrentAtSocketBackend)
NZBGET = Row(
    "nzbget", backends.NzbgetBackend,
    good=(("version", (), lambda v: "." in v), ("rate", (100,), True),
          ("editqueue", ("GroupPause", "", [99]), False)),
    bad=(("no.such", (), fault(404)), ("editqueue", (), fault(400))))
KAMAILIO = Row(
    "kamailio", backends.Kamailio,
    good=(("core.echo", ("a", 1), ["a", "1"]),
          ("htable.sets", ("table", "k", "v"), lambda v: v.startswith("Ok")),
          ("htable.get", ("table", "k"), lambda v: v["item"]["value"] == "v")),
    bad=(("no.such", (), fault(404)), ("cfg.seti", ("core", "debug", "abc"), fault(400)),
         ("htable.get", ("table", "nosuch"), fault(500))),
    wrong=())
# What the master has stands for the name that it was given.
ROS = Row(
    "ros", backends.Rosmaster,
    good=(("registerService", ("/svc", "rosrpc://127.0.0.1:9", "http://127.0.0.1:9/"), 1),
          ("getSystemState", (), lambda v: v[2] == [["/svc", ["/rpcgate"]]]),
          ("setParam", ("/p", {"a": [1.5, True]}), 0), ("getParam", ("/p",), {"a": [1.5, True]})),
    bad=(("lookupNode", ("/nosuch",), fault(400)), ("noSuch", (), fault(404))),
    wrong=())
ATHEME = Row(
    "atheme", backends.Atheme,
    good=(("atheme.command", ("127.0.0.1", "NickServ", "INFO", "admin"),
           lambda v: "Information on admin" in v), ("atheme.privset", (), "")),
    bad=(("atheme.command", ("127.0.0.1", "NickServ", "INFO", "nosuch"), fault(500)),
         ("atheme.noSuch", (), fault(404))),
    wrong=LOGIN_FAILED)
EJABBERD = Row(
    "ejabberd", backends.Ejabberd,
    good=(("registered_users", ({"host": "example.org"},),
           {"users": [{"username": "admin"}, {"username": "joe"}]}),
          ("check_account", ({"user": "joe", "host": "example.org"},), {"res": 0}),
          ("connected_users", (), {"connected_users": []})),
    bad=(("registered_users", ({},), fault(400)), ("registered_users", ({"host": 5},), fault(400)),
         ("register", ({"user": "joe", "host": "example.org", "password": "x"},), fault(409)),
         ("no_such", ({},), ("connection-lost", 502, "unknown"))),
    more=ejabberd_rights)
TRYTON = Row(
    "tryton", backends.Tryton,
    good=(("model.res.user.read", ([1], ["login"], {}), [{"login": "admin", "id": 1}]),
          ("model.res.user.get_preferences", (True, {}), lambda v: v["language"] == "en")),
    bad=(("model.res.group.read", ([9999], ["name"], {}), fault(422)),
         ("model.no.such.search", ([], {}), fault(500))),
    wrong=LOGIN_FAILED, more=tryton_sessions)
DOKUWIKI = Row(
    "dokuwiki", backends.DokuWiki,
    good=(("wiki.getPage", ("start",), "hello"), ("wiki.putPage", ("new", "text", {}), True),
          ("wiki.getPage", ("new",), "text")),
    bad=(), more=dokuwiki_rights)

WORDPRESS = Row(
    "wordpress", wordpress.WordPress,
    good=(("wp.getUsersBlogs", (), lambda v: v[0]["blogName"] == "Test"),
          ("wp.newPost", (1, {"post_title": "t", "post_content": "c", "post_status": "publish"}),
           lambda v: int(v) > 1),
          ("wp.getPosts", (1, {"number": 1}, ["post_title"]), lambda v: v[0]["post_title"] == "t"),
          ("blogger.getRecentPosts", ("key", 1, 1), lambda v: "<title>t</title>" in v[0]["content"]),
          ("demo.sayHello", (), "Hello!")),
    bad=(("wp.getPost", (1, 999), fault(404)), ("wp.newPost", (1, {"post_type": "no"}), fault(403)),
         ("wp.noSuch", (1,), fault(404, "no"))),
    more=wordpress_rights)


@pytest.fixture
def program(request):
    with tempfile.TemporaryDirectory(prefix="rpcgate-") as folder:
        program = request.param.program(Path(folder))
        yield request.param, program
        program.stop()


@pytest.mark.parametrize("program", [
    ARIA2, SUPERVISOR, RTORRENT, RTORRENT_AT_SOCKET, NZBGET, KAMAILIO, ROS, ATHEME, EJABBERD, DOKUWIKI,
    *(pytest.param(row, marks=LONG) for row in (TRYTON, WORDPRESS))],
    ids=lambda row: row.profile, indirect=True)
def test_program(program, start):
    """One start of the program for all, since some take long."""
    case = Case(start, *program)
    case.assert_calls()
    case.assert_batch()
    if case.row.wrong:
        case.assert_wrong_password()
    if case.row.more is not None:
        case.row.more(case)
