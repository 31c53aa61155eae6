# SPDX-License-Identifier: Apache-2.0
"""Profiles against what was recorded with the real servers: the gateway asks as was asked then, and
makes of the answers what the profile promises."""

import base64
from dataclasses import replace

import pytest

from rig.recorded import FOLDER, Batch, Call, Play, Player, Recording, Server, at

REFUSED = ("credentials-refused", 502, "no")
LOGIN_FAILED = ("login-failed", 502, "no")
UNKNOWN = ("fault", 404, "no")  # -32601, or -506 of xmlrpc-c


def fault(status: int, executed: str = "yes"):
    return ("fault", status, executed)


WRAPPED = {"multicall": "always", "multicall_results": "wrapped"}

ARIA2 = Server("aria2", "/rpc", {"key": "s3cret"}, settings={"multicall_results": "wrapped"})
ATHEME = Server("atheme", "/xmlrpc", {"username": "admin", "password": "s3cret-pw"},
                login="login", logout="logout")
BUGZILLA = Server("bugzilla", "/xmlrpc.cgi", {"key": "HnMlCo9933116377DlFiEg4316004013OpCmMo20"})
BUGZILLA_TOKEN = Server(
    "bugzilla-token", "/xmlrpc.cgi", {"username": "admin@example.org", "password": "s3cret-pw1"},
    recording="bugzilla", login="login", logout="logout")
COBBLER = Server("cobbler", "/", {"username": "admin", "password": "s3cret-pw"},
                 login="login", logout="logout")
DOKUWIKI = Server("dokuwiki", "/lib/exe/xmlrpc.php",
                  {"username": "admin", "password": "s3cret-pw"})
EJABBERD = Server("ejabberd", "/", {"username": "admin", "password": "s3cret-pw",
                                    "database": "example.org"})
KAMAILIO = Server("kamailio", "/RPC2", {})
KIWI = Server("kiwi", "/xml-rpc/", {"username": "admin", "password": "s3cret-pw"},
              login="login (cookie, and the same id as result)", logout="logout",
              settings=WRAPPED)
# The server needs no numbers, as the step without shows. There was one logout, of the renewed key.
KOJI = Server("koji", "/kojihub", {"username": "kojiadmin", "password": "s3cret-pw"},
              login="login", logout="logout", without=("Koji-Session-Callnum",),
              change=(("5-2BGBg9afldEPDGPnpa1", "5-c2J3LBI0HCcI4Efjcbn"),
                      ("<methodName>multiCall<", "<methodName>system.multicall<")),
              settings=WRAPPED)
MAGENTO = Server("magento", "/index.php/api/xmlrpc/", {"username": "admin", "key": "s3cret-pw"},
                 login="login", logout="logout",
                 logout_head=(("Cookie", "PHPSESSID=oak922pl38lifkd6gajmcnojdm"),),
                 change=(("bc5817bc690af693f2c35a918630d084", "7e7233036d8dce32c5f81bee03325138"),))
NZBGET = Server("nzbget", "/xmlrpc", {"username": "nzbget", "password": "tegbzn6789"},
                settings=WRAPPED)
ROS = Server("ros", "/", {}, settings=WRAPPED)
RTORRENT = Server("rtorrent", "/RPC2", {}, settings=WRAPPED)
SUPERVISOR = Server("supervisor", "/RPC2", {"username": "sup", "password": "s3cret"})
TESTLINK = Server("testlink", "/lib/api/xmlrpc/v1/xmlrpc.php",
                  {"key": "6a79720363555f61d18512ef737a56b8"}, settings=WRAPPED)
# The recorded header cannot be decoded: what was in it stands for the session's key.
_SESSION = ("GDAnmI10BOppJfE0BPOjIoEdCoN5IJI6GmEaNmj5ECIaGLGoLLMmOANdH7F2IEKmDoMkDHF3KGhfNNI5OAPnNoBdBbGe"
            "FkLk")
_KEY = "cca7f7d186593f2b02229031467636f40930b5a8663169b500ea7662bf93b734"
TRYTON = Server("tryton", "/wire/", {"username": "admin", "password": "s3cret-pw"},
                login="login", logout="logout",
                change=((_SESSION, base64.b64encode(f"admin:1:{_KEY}".encode()).decode()),))
WORDPRESS = Server("wordpress", "/xmlrpc.php", {"username": "admin", "password": "s3cret"},
                   settings=WRAPPED)

AT_ONCE = {"session": {"settle": "0s"}}
READ = ([1], ["login"], {})  # of Tryton


def expiry(server: Server, refusal: str, good: str, method: str, params: tuple = (), **more) -> Play:
    """A session that was good ends: one login, and the call again."""
    return Play(server, "expired", (
        Call(good, method, params, **more),
        Call((refusal, server.login, good), method, params, **more)), settings=AT_ONCE)


def bad_login(server: Server, step: str, method: str, params: tuple = (), **wrong) -> Play:
    """It is told, and not tried again."""
    calls = (Call(step, method, params, LOGIN_FAILED), Call((), method, params, LOGIN_FAILED))
    return Play(server, step.replace(" ", "-"), calls, credentials=wrong, login=False)


PLAYS = [
    Play(ARIA2, "calls", (
        Call("no credential, open method", "system.listMethods"),
        Call("credential in place", "aria2.getVersion"),
        Call("write", "aria2.addUri", (["http://127.0.0.1:9/x"], {"pause": "true"})),
        Call("read (numbers are strings)", "aria2.getGlobalStat"),
        Call("application fault", "aria2.tellStatus", ("ffffffffffffffff",), fault(404)),
        Call("unknown method", "aria2.noSuch", (), fault(404)),
    )),
    Play(ARIA2, "bad", (Call("bad credential", "aria2.getVersion", (), REFUSED),),
         credentials={"key": "wrong"}),
    # In the recording the third had another token, and the fourth none.
    Play(ARIA2, "multicall", (Batch("multicall, credentials inside", (
        ("aria2.getVersion",), ("aria2.tellStatus", "ffffffffffffffff"), ("aria2.getVersion",),
        ("aria2.getVersion",), ("system.listNotifications",)),
        (at(0, 0), fault(404), REFUSED, REFUSED, at(4, 0)),
        change=(("token:wrong", "token:s3cret"),
                ("aria2.getVersion</string></value>\n</member>\n<member>\n<name>params</name>\n"
                 "<value><array><data>\n</data>",
                 "aria2.getVersion</string></value>\n</member>\n<member>\n<name>params</name>\n"
                 "<value><array><data><value><string>token:s3cret</string></value></data>"))),)),

    Play(ATHEME, "calls", (
        Call("credential in place", "atheme.command", ("127.0.0.1", "NickServ", "INFO", "admin")),
        Call("application fault", "atheme.command", ("127.0.0.1", "NickServ", "INFO", "nosuch"),
             fault(500)),
        Call("application fault, no such service", "atheme.command", ("127.0.0.1", "NoServ", "X"),
             fault(500)),
        Call("privset", "atheme.privset"),
        Call("ison (two params in the answer)", "atheme.ison", ("someone",)),
    )),
    expiry(ATHEME, "after logout", "credential in place", "atheme.command",
           ("127.0.0.1", "NickServ", "INFO", "admin")),
    bad_login(ATHEME, "bad login", "atheme.privset", password="wrong-pass"),
    bad_login(ATHEME, "bad login, no such account", "atheme.privset",
              username="nosuch", password="wrong"),

    Play(BUGZILLA, "calls", (
        Call("api key in place", "Group.get", ({"names": ["admin"]},)),
        Call("write", "Bug.create", ({
            "product": "TestProduct", "component": "TestComponent", "summary": "S1",
            "version": "unspecified", "description": "d", "op_sys": "All", "platform": "All"},)),
        Call("read", "Bug.get", ({"ids": [1], "include_fields": [
            "id", "summary", "creation_time", "is_open", "cc"]},)),
        Call("application fault: no such bug", "Bug.get", ({"ids": [99]},), fault(404)),
        Call("application fault: missing member", "Bug.create", ({"product": "TestProduct"},),
             fault(500)),
        Call("unknown method", "Bug.no_such", (), UNKNOWN),
        Call("api key while locked out", "Group.get", ({"names": ["admin"]},)),
    )),
    Play(BUGZILLA, "made-up", (Call("api key made up", "Group.get", ({"names": ["admin"]},),
                                    REFUSED),), credentials={"key": "x" * 40}),
    Play(BUGZILLA, "revoked", (Call("api key revoked", "Group.get", ({"names": ["admin"]},),
                                    REFUSED),),
         credentials={"key": "BoIhEp0598170122OcMoKn5306582709FpCgNk49"}),

    expiry(BUGZILLA_TOKEN, "token after logout", "token in place", "Group.get",
           ({"names": ["admin"]},)),
    bad_login(BUGZILLA_TOKEN, "bad login", "Group.get", password="wrong-pass"),
    bad_login(BUGZILLA_TOKEN, "bad login number 5", "Group.get", password="wrong-pass"),
    bad_login(BUGZILLA_TOKEN, "right password while locked out", "Group.get"),

    Play(COBBLER, "calls", (
        Call("credential in place, token 1st and only (new_distro)", "new_distro"),
        Call("credential in place, token 2nd (new_item)", "new_item", ("system",)),
        Call("write, token last (modify_distro)", "modify_distro",
             ("___NEW___distro::iU13xCjEo+0/iYQPqdvyo/dvCaOTuzPXWw==", "name", "d1")),
        Call("write, token last, application fault", "modify_distro",
             ("___NEW___distro::iU13xCjEo+0/iYQPqdvyo/dvCaOTuzPXWw==", "no_such_attribute", "x")),
        Call("write, token 3rd of 4 (save_distro has editmode after it)", "save_distro",
             ("___NEW___distro::iU13xCjEo+0/iYQPqdvyo/dvCaOTuzPXWw==", "bypass"), fault(500)),
        Call("background task, token last", "background_sync", ({"verbose": False},)),
        Call("application fault: remove_distro of one that is not there", "remove_distro",
             ("nosuch",)),
    )),
    Play(COBBLER, "open", (
        Call("read without a token", "version"),
        Call("read without a token, list", "get_distros"),
        Call("get_item_handle (no token needed)", "get_item_handle", ("distro", "nosuch"),
             fault(500)),
        Call("get_item, not there (None is ~)", "get_item", ("distro", "nosuch")),
    ), login=False),
    expiry(COBBLER, "write after logout (an expired token looks the same)",
           "credential in place, token 1st and only (new_distro)", "new_distro"),
    bad_login(COBBLER, "bad login", "new_distro", password="wrong-pass"),

    Play(DOKUWIKI, "calls", (
        Call("credential in place, Basic", "core.getPage", ("start",)),
        Call("write", "core.savePage", ("p1", "text", "sum", False)),
        Call("application fault: empty new page", "core.savePage", ("p2", "", "sum", False),
             fault(500)),
        Call("application fault: no such page (info)", "core.getPageInfo", ("nosuch",),
             fault(404)),
        Call("unknown method", "no.such", (), fault(404)),
        Call("missing param", "core.savePage", (), fault(400)),
    )),
    Play(DOKUWIKI, "wrong-password", (
        Call("wrong password, Basic", "core.getPage", ("start",), REFUSED),),
        credentials={"password": "wrong-pass"}),
    Play(DOKUWIKI, "no-right-to-it", (
        Call("user without the right to use the API", "core.getPage", ("start",), fault(403)),),
        credentials={"username": "nobody"}),
    Play(DOKUWIKI, "token", (Call("token in place, Bearer", "core.whoAmI"),), credentials={
        "key": "kjJplFbeCcBBBgB9FpKjLcB4cJN7HfcHGHP1.jdDcd1MpMeDfi9p4e2mliPEjNgK0NjJ2AeDhjOiaJmpnnJL9Aga"
               "jPgn0PLApFOm8cC==.FK7PD1fJIpIB3IGJG3dHffhIIOlhbNbCmoJ7ln2F/N6="},
        settings={"auth": {"scheme": "bearer", "token": "{key}"}}),

    Play(EJABBERD, "calls", (
        Call("credential in place", "registered_users", ({"host": "example.org"},)),
        Call("without own params", "connected_users"),
        Call("missing attribute", "registered_users", ({},), fault(400)),
        Call("wrong type", "registered_users", ({"host": 5},), fault(400)),
        Call("already there", "register",
             ({"user": "joe", "host": "example.org", "password": "x"},), fault(409)),
        Call("unknown call", "status", ({}, 5), fault(400)),
    )),
    Play(EJABBERD, "bad", (
        Call("bad credential", "registered_users", ({"host": "example.org"},), REFUSED),),
        credentials={"password": "wr0ng-pw"}),
    Play(EJABBERD, "rights", (
        Call("without the right", "registered_users", ({"host": "example.org"},), fault(403)),),
        credentials={"username": "joe"}),

    Play(KAMAILIO, "calls", (
        Call("read", "core.echo", ("a", 1)),
        Call("write", "htable.sets", ("table", "k", "v")),
        Call("struct", "htable.get", ("table", "k")),
        Call("not there", "htable.get", ("table", "nosuch"), fault(500)),
        Call("wrong type", "cfg.seti", ("core", "debug", "abc"), fault(400)),
        Call("unknown method", "no.such", (), fault(404)),
    )),

    Play(KIWI, "calls", (
        Call("cookie in place", "User.filter", ({"username": "admin"},)),
        Call("write, nil result", "TestRun.remove", ({},)),
        Call("application fault", "TestRun.create", ({"x": 1},), fault(500)),
        Call("a member name that is refused", "User.filter", ({"password__startswith": "x"},),
             fault(400)),
        Call("unknown method", "No.such", (), UNKNOWN),
        # Within `settle`: no login for it.
        Call("not permitted (looks like not logged in)", "User.filter", ({},), fault(403, "no"),
             change=(("6ao0dl5jkicca8cjkjh1cad0748opom1", "flpjikpkihif4h1n1dakkape29agmm2j"),)),
        Batch("multicall with the cookie", (
            ("User.filter", {"username": "joe"}), ("TestRun.create", {}), ("No.such",)),
            (at(0, 0), fault(500), UNKNOWN)),
    )),
    bad_login(KIWI, "bad login", "User.filter", ({},), password="wrong-pass"),

    Play(KOJI, "calls", (
        Call("no call number header at all", "getLoggedInUser"),
        Call("credential in place, next call number, write", "createTag", ("t1",)),
        Call("named params (__starstar)", "createTag", ("t2", {"locked": True, "__starstar": True})),
        Call("application fault, from code", "createTag", ("t1",), fault(500)),
        Call("nil result", "getTag", ("nosuch",)),
        Call("unknown method", "no.such.method", (), fault(500)),
        Call("not permitted", "createTag", ("t7",), fault(403), change=(
            ("9-NLac3hncAMPiP2kI4EG", "5-c2J3LBI0HCcI4Efjcbn"),
            ("Koji-Session-Id: 3", "Koji-Session-Id: 1"))),
        Batch("multiCall", (
            ("getLoggedInUser",), ("getTag", "t1", {"strict": True, "__starstar": True}),
            ("getTag", "nosuch", {"strict": True, "__starstar": True}), ("nosuch",)),
            (at(0, 0), at(1, 0), fault(500), fault(500))),
    )),
    expiry(KOJI, "expired", "no call number header at all", "getLoggedInUser"),
    expiry(KOJI, "after logout (not 1007)", "no call number header at all", "getLoggedInUser"),
    bad_login(KOJI, "bad login", "getLoggedInUser", password="wrong-pass"),

    Play(MAGENTO, "calls", (
        Call("credential in place", "call", ("core_store.list",)),
        Call("write", "call", ("customer.create", [{
            "email": "c1@example.org", "firstname": "A", "lastname": "B & C",
            "password": "abc1234567", "website_id": 1, "store_id": 1, "group_id": 1}])),
        Call("write again: application fault", "call", ("customer.create", [{
            "email": "c1@example.org", "firstname": "A", "lastname": "B",
            "password": "abc1234567", "website_id": 1, "store_id": 1, "group_id": 1}]),
            fault(500)),
        Call("application fault: not there", "call", ("customer.info", [9999]), fault(500)),
        Call("unknown resource", "call", ("nosuch.list",), fault(404)),
        Call("too few params", "call", (), fault(400)),
        Call("unknown XML-RPC method", "nosuch", (), fault(404)),
        Call("multiCall", "multiCall", (
            [["core_store.list"], ["customer.info", [9999]], ["nosuch.x", []]],)),
        Call("not permitted", "call", ("customer.list", []), fault(403), change=(
            ("f90b735d34bc6acab98a2e72fce5939e", "7e7233036d8dce32c5f81bee03325138"),)),
    )),
    expiry(MAGENTO, "after logout", "credential in place", "call", ("core_store.list",)),
    bad_login(MAGENTO, "bad login", "call", ("core_store.list",), key="wrong-pass"),

    Play(NZBGET, "calls", (
        Call("version", "version"),
        Call("write", "rate", (100,)),
        Call("not there: false", "editqueue", ("GroupPause", "", [99])),
        Call("unknown method", "no.such", (), fault(404)),
        Call("wrong params", "editqueue", (), fault(400)),
        Batch("multicall", (("version",), ("no.such",)), (at(0, 0), fault(404))),
    )),
    Play(NZBGET, "bad", (Call("bad credential", "version", (), REFUSED),),
         credentials={"password": "wr0ng-pw"}),

    Play(ROS, "calls", (
        Call("credential (caller id) in place", "getUri", read=at(2)),
        Call("read", "getSystemState", read=at(2)),
        Call("write", "registerService", ("/svc", "rosrpc://127.0.0.1:9", "http://127.0.0.1:9/"),
             read=at(2)),
        Call("error by the caller", "lookupNode", ("/nosuch",), fault(400), read=at(slice(2))),
        Call("error by the caller, service", "lookupService", ("/nosuch",), fault(400),
             read=at(slice(2))),
        Call("param set", "setParam", ("/p", {"a": 1, "b": [1.5, "x", True]}), read=at(2)),
        Call("param get", "getParam", ("/p",), read=at(2)),
        Call("bad type of param", "lookupNode", (5,), fault(400), read=at(slice(2))),
        Call("unregister twice: value counts", "unregisterService", ("/svc", "rosrpc://127.0.0.1:9"),
             read=at(2)),
        Call("unknown method", "noSuch", (), fault(404)),
        # In the recording the third had no caller's id.
        Batch("multicall, credentials inside", (("getUri",), ("lookupNode", "/nosuch"), ("getUri",)),
              (at(0, 0, 2), fault(400), fault(400)),
              change=(("<value><array><data>\n</data></array></value>",
                       "<value><array><data><value><string>/rpcgate</string></value></data></array>"
                       "</value>"),)),
    )),

    Play(RTORRENT, "calls", (
        Call("read", "system.client_version"),
        Call("write", "throttle.global_down.max_rate.set", ("", 1024)),
        Call("64 bits", "throttle.global_down.max_rate"),
        Call("list", "d.multicall2", ("", "main", "d.name=")),
        Call("no such torrent", "d.name", ("0" * 40,), fault(404)),
        Call("no such view", "view.size", ("", "nosuch"), fault(404)),
        Call("wrong params", "d.name", (), fault(400)),
        Call("unknown method", "no.such", (), UNKNOWN),
        Batch("multicall", (("system.client_version",), ("d.name", "0" * 40), ("no.such",)),
              (at(0, 0), fault(404), UNKNOWN)),
    )),

    Play(SUPERVISOR, "calls", (
        Call("credential in place", "supervisor.getState"),
        Call("read", "supervisor.getProcessInfo", ("sleeper",)),
        Call("application fault: already started", "supervisor.startProcess", ("sleeper",),
             fault(409)),
        Call("unknown method", "supervisor.noSuch", (), fault(404)),
        Call("wrong params", "supervisor.startProcess", (), fault(400)),
        Batch("multicall (results bare)", (
            ("supervisor.getState",), ("supervisor.startProcess", "sleeper"), ("no.such",)),
            (at(0), fault(409), fault(404))),
    )),
    Play(SUPERVISOR, "bad", (Call("bad credential", "supervisor.getState", (), REFUSED),),
         credentials={"password": "wrong"}),

    Play(TESTLINK, "calls", (
        Call("checkDevKey, good", "tl.checkDevKey"),
        Call("credential in place", "tl.getProjects", ({},)),
        Call("write", "tl.createTestPlan", ({"testplanname": "U", "prefix": "P1"},)),
        Call("write again: application error", "tl.createTestPlan",
             ({"testplanname": "U", "prefix": "P1"},), fault(500),
             read=lambda v: (v[0]["code"], v[0]["message"])),
        Call("application error, not there", "tl.getTestPlanByName",
             ({"testprojectname": "P1", "testplanname": "nosuch"},), fault(500),
             read=lambda v: (v[0]["code"], v[0]["message"])),
        Call("application error, missing member", "tl.createTestPlan", ({"testplanname": "U"},)),
        Call("unknown method", "tl.noSuch", ({},), UNKNOWN),
        Call("upstream crash (PHP 8): HTTP 500, no body", "tl.createTestProject",
             ({"testprojectname": "P9", "testcaseprefix": "P9"},),
             ("protocol-error", 502, "unknown")),
    )),
    Play(TESTLINK, "rights", (Call(
        "write by one who may not", "tl.createTestPlan", ({"testplanname": "T3", "prefix": "P1"},),
        fault(403), read=lambda v: (v[0]["code"], v[0]["message"])),),
        credentials={"key": "29df1c995d19a9e5cce3eb78da4be135"}),
    Play(TESTLINK, "bad", (
        Call("checkDevKey, bad", "tl.checkDevKey", (), REFUSED),
        Call("bad credential", "tl.getProjects", (), REFUSED)), credentials={"key": "f" * 32}),
    # In the recording the first and the last had no key, and the third another.
    Play(TESTLINK, "multicall", (Batch("multicall, credentials inside", (
        ("tl.ping", {}), ("tl.checkDevKey",), ("tl.getProjects",), ("tl.noSuch", {})),
        (at(0, 0), at(1, 0), REFUSED, UNKNOWN),
        change=(("f" * 32, TESTLINK.credentials["key"]),
                ("<value><struct>\n</struct></value>",
                 "<value><struct><member><name>devKey</name><value><string>"
                 f"{TESTLINK.credentials['key']}</string></value></member></struct></value>"))),)),

    Play(TRYTON, "calls", (
        Call("session in place", "model.res.user.read", READ),
        Call("session in place, preferences", "model.res.user.get_preferences", (True, {})),
        Call("write", "model.res.group.create", ([{"name": "G"}], {})),
        Call("application fault: no such record", "model.res.group.read", ([9999], ["name"], {}),
             fault(422)),
        Call("application fault: unknown model", "model.no.such.search", ([], {}), fault(500)),
        Call("application fault: user error", "model.res.user.set_preferences",
             ({"password": "x"}, {}), fault(422)),
    )),
    expiry(TRYTON, "after logout", "session in place", "model.res.user.read", READ),
    bad_login(TRYTON, "bad login", "model.res.user.read", READ, password="wrong-pass"),
    bad_login(TRYTON, "bad login in a row, number 7", "model.res.user.read", READ,
              password="wrong-pass"),

    Play(WORDPRESS, "calls", (
        Call("no credential, open method", "demo.sayHello"),
        Call("credential at 0-1", "wp.getUsersBlogs"),
        Call("credential at 1-2", "wp.getPosts",
             (1, {"number": 1}, ["post_id", "post_title", "post_date"])),
        Call("credential at 2-3", "blogger.getPost", ("appkey", 1)),
        Call("credential at 1-2, blogger.getUserInfo", "blogger.getUserInfo", ("appkey",)),
        Call("write", "wp.newPost",
             (1, {"post_title": "t", "post_content": "c", "post_status": "draft"})),
        Call("application fault: no such post", "wp.getPost", (1, 99999), fault(404)),
        Call("application fault: bad post type", "wp.newPost", (1, {"post_type": "nosuch"}),
             fault(403)),
        Call("unknown method", "wp.noSuch", (1,), UNKNOWN),
        Batch("multicall, credentials inside", (
            ("wp.getUsersBlogs",), ("wp.getPost", 1, 99999), ("demo.sayHello",)),
            (at(0, 0), fault(404), at(2, 0))),
        # In the recording the second had another password. All from there on are refused.
        Batch("multicall, the second has a bad credential, the third a good one", (
            ("wp.getUsersBlogs",), ("wp.getUsersBlogs",), ("wp.getUsersBlogs",)),
            (at(0, 0), REFUSED, REFUSED), change=((">wrong<", ">s3cret<"),)),
    )),
    Play(WORDPRESS, "bad", (Call("bad credential", "wp.getPosts", (1,), REFUSED),),
         credentials={"password": "wrong"}),
]


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: f"{play.server.profile}-{play.name}")
def test_played(start, play):
    server = play.server
    recording = Recording(play.recording)

    def exchange(step, change):
        return recording.step(step, server.change + change, server.without)

    exchanges = [exchange(*step) for step in play.steps]
    if play.login and server.logout:
        exchanges[-1] = replace(exchanges[-1], more=server.logout_head)
    player = Player(exchanges)
    upstream = start.upstream(player)
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
        "profile": server.profile, "url": f"http://127.0.0.1:{upstream.port}{server.path}",
        "credentials": server.credentials | play.credentials,
        **server.settings, **play.settings}}})
    for call in play.calls:
        call.assert_answer(gateway, call.steps and exchange(call.steps[-1], call.change))
    gateway.stop()
    player.assert_played()


def test_all_are_played():
    """What nobody plays is no use in the files."""
    played = {(play.recording, step) for play in PLAYS for step, _ in play.steps}
    recorded = {(file.stem, step) for file in FOLDER.glob("*.jsonl")
                for step in Recording(file.stem).steps}
    assert recorded == played
