# SPDX-License-Identifier: Apache-2.0
"""What upstreams tell of themselves: GET /v1/{upstream} and GET /v1/{upstream}/{method}."""

import signal
import time
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from rig.check import assert_problem, eventually
from rig.programs import Aria2, PythonServer, Supervisord
from rig.settings import DEADLINE
from rig.upstream import fault_document

NONE = fault_document(-32601, "no such method")
SYSTEM = ["system.listMethods", "system.methodSignature", "system.methodHelp"]


class Talker:
    """Behaves as an upstream that tells of its methods: each answer is a value, a Fault, or bytes
    that go out as they are."""

    def __init__(self, methods=("a.b", "c"), *, signatures=None, help=None, multicall=None):
        self.methods = methods
        self.signatures = signatures or {}
        self.help = help or {}
        self.multicall = multicall  # None: it has none; or how it wraps
        self.gate = None

    def _one(self, method, params):
        if method == "system.listMethods":
            return list(self.methods) if isinstance(self.methods, tuple) else self.methods
        known = {"system.methodSignature": (self.signatures, [["int", "string"]]),
                 "system.methodHelp": (self.help, "Helps.")}
        if method not in known:
            return xmlrpc.client.Fault(-32601, "no such method")
        answers, usual = known[method]
        return answers.get(params[0], usual)

    def _in_multicall(self, call):
        value = self._one(call["methodName"], call["params"])
        if isinstance(value, xmlrpc.client.Fault):
            fault = {"faultCode": value.faultCode, "faultString": value.faultString}
            return [fault] if self.multicall == "all wrapped" else fault
        return value if self.multicall == "bare" else [value]

    async def __call__(self, x):
        if self.gate is not None:
            await self.gate.passed()
        if x.method == "system.multicall":
            if self.multicall is None:
                return await x.respond(NONE)
            return await x.answer([self._in_multicall(call) for call in x.params[0]])
        value = self._one(x.method, x.params)
        if isinstance(value, bytes):
            return await x.send(value)
        if isinstance(value, xmlrpc.client.Fault):
            return await x.respond(fault_document(value.faultCode, value.faultString))
        await x.answer(value)


def names(answer) -> list[str]:
    assert answer.status == 200, answer.body
    assert answer.header("Content-Type") == "application/json"
    assert all(set(method) == {"name"} for method in answer.json["methods"])
    return [method["name"] for method in answer.json["methods"]]


def calls(upstream) -> list[str]:
    return [x.method for x in upstream.exchanges]


# What is shown.

def test_methods_in_their_order(start):
    upstream = start.upstream(Talker(("z", "a.b", "ä\"\\/\n", "system.listMethods")))
    gateway = start.simple(upstream)
    answer = gateway.get("/v1/up")
    assert answer.json["name"] == "up"
    assert names(answer) == ["z", "a.b", "ä\"\\/\n", "system.listMethods"]


def test_each_caller_sees_what_it_may_use(start):
    listed = ("a.get", "a.set", "b.get", "b.secret", "c", "system.multicall", "by.params")
    upstream = start.upstream(Talker(listed))
    token = {who: f"token-of-{who}-".ljust(32, "x") for who in ("all", "few")}
    gateway = start.simple(upstream, anonymous={"allow": ["up/a.*"]}, callers=[
        {"name": "all", "token": token["all"], "allow": ["*/*"]},
        {"name": "few", "token": token["few"], "deny": ["*/*.secret", "up/a.set"],
         "allow": ["up/?.*", {"match": "up/by.*", "params": [
             {"at": 0, "in": ["x"]}]}]}])

    def seen(who):
        return names(gateway.get("/v1/up", Authorization=f"Bearer {token[who]}"))
    assert names(gateway.get("/v1/up")) == ["a.get", "a.set"]
    assert seen("all") == [name for name in listed if name != "system.multicall"]
    assert seen("few") == ["a.get", "b.get", "by.params"]
    assert calls(upstream) == ["system.listMethods"]
    assert_problem(gateway.get("/v1/up/b.get"), "forbidden", 403)
    assert_problem(gateway.get("/v1/up/nowhere"), "forbidden", 403)
    assert gateway.get("/v1/up/a.get").status == 200
    assert_problem(gateway.get("/v1/up/a.nowhere"), "not-found", 404, upstream="up")
    assert_problem(gateway.get("/v1/other"), "not-found", 404)


def test_rules_judge_names_not_their_json(start):
    """A name is compared as it is, whatever its escapes in the list."""
    odd = ('a"b', "a\\b", "a\nb", "\u00e4")
    upstream = start.upstream(Talker((*odd, "fine")))
    gateway = start.simple(upstream, anonymous={"allow": ["up/*"],
                                                "deny": [f"up/{name}" for name in odd[:2]]})
    assert names(gateway.get("/v1/up")) == ["a\nb", "\u00e4", "fine"]


def test_thousands_of_methods(start):
    listed = tuple(f"module{n % 97}.method_{n}" for n in range(20000))
    upstream = start.upstream(Talker(listed))
    gateway = start.simple(upstream, anonymous={"allow": ["up/*"], "deny": ["up/module7.*"]})
    shown = names(gateway.get("/v1/up"))
    assert shown == [name for name in listed if not name.startswith("module7.")]
    assert gateway.get(f"/v1/up/{listed[-1]}").json["help"] == "Helps."


@pytest.mark.parametrize("multicall", [None, "wrapped", "bare", "all wrapped"])
@pytest.mark.parametrize("signatures, help, shown", [
    ([["int", "string"], ["nil"]], "Says <b>how</b> &amp; \"why\".\n", None),
    ([["int", "string"]], "x", None),
    ([], "", None),
    ([[]], "x", None),
    (["int", "string"], "x", ([["int", "string"]], "x")),
    ("undef", "x", (None, "x")),
    ("signatures not supported", "", (None, "")),
    (xmlrpc.client.Fault(1, "no"), "x", (None, "x")),
    ([["int", "int"]], xmlrpc.client.Fault(1, "no"), ([["int", "int"]], "")),
    (xmlrpc.client.Fault(1, "no"), xmlrpc.client.Fault(-500, "no"), (None, "")),
    ([["int", 7]], ["no", "text"], (None, "")),
    (7, 8.5, (None, "")),
    ({}, False, (None, "")),
])
def test_descriptions(start, multicall, signatures, help, shown):
    upstream = start.upstream(Talker(("m",), signatures={"m": signatures}, help={"m": help},
                                     multicall=multicall))
    gateway = start.simple(upstream)
    answer = gateway.get("/v1/up/m")
    signatures, help = shown or (signatures, help)
    assert answer.status == 200, answer.body
    assert answer.json == {"method": "m", "signatures": signatures, "help": help, "safe": False}
    made = ["system.listMethods", "system.multicall"]
    assert calls(upstream) == (made if multicall else made + SYSTEM[1:])
    # No second one is made where there is none.
    gateway.get("/v1/up/m")
    assert len(calls(upstream)) == (2 if multicall else 4)


@pytest.mark.parametrize("use", ["never", "auto"])
def test_without_multicall(start, use):
    upstream = start.upstream(Talker(("m", "n"), multicall="wrapped" if use == "never" else None))
    gateway = start.simple(upstream, upstreams={"up": {"url": upstream.url, "multicall": use}})
    for method in "mn":
        assert gateway.get(f"/v1/up/{method}").json["help"] == "Helps."
    assert calls(upstream).count("system.multicall") == (0 if use == "never" else 1)


HTTP_404 = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("answer, reason", [
    (xmlrpc.client.Fault(-32601, "none"), "fault -32601"),
    (xmlrpc.client.Fault(1, "none"), "fault 1"),
    (HTTP_404, "HTTP status 404"),
    (HTTP_404.replace(b"404", b"405"), "HTTP status 405"),
    (HTTP_404.replace(b"404", b"501"), "HTTP status 501"),
    ({}, "no list of names"),
    ("", "no list of names"),
    ([], None),
    (["a", 7, ["b"], "c"], None),
])
def test_upstreams_that_tell_nothing(start, answer, reason):
    upstream = start.upstream(Talker(answer))
    gateway = start.simple(upstream)
    for _ in range(2):
        told = gateway.get("/v1/up")
        assert told.status == 200
        if reason is None:
            assert names(told) == [name for name in answer if isinstance(name, str)]
        else:
            assert told.json["methods"] is None and reason in told.json["reason"]
    assert len(upstream.exchanges) == 1
    described = gateway.get("/v1/up/c")
    if reason is None and "c" not in answer:
        assert_problem(described, "not-found", 404)
    else:  # what is there is not known
        assert described.json == {"method": "c", "signatures": [["int", "string"]],
                                  "help": "Helps.", "safe": False}


@pytest.mark.parametrize("lost", [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<p>", None])
def test_multicall_that_is_only_odd(start, lost):
    """An upstream that ends the connection on it, or answers with something else."""
    talker = Talker(("m",))

    async def behave(x):
        if x.method != "system.multicall":
            await talker(x)
        elif lost is None:
            x.close()
        else:
            await x.send(lost)
    gateway = start.simple(start.upstream(behave))
    assert gateway.get("/v1/up/m").json == {"method": "m", "signatures": [["int", "string"]],
                                            "help": "Helps.", "safe": False}


def test_multicall_is_tried_again_after_a_lost_answer(start):
    """One lost answer says nothing of the upstream."""
    talker = Talker(("m", "n"), multicall="wrapped")
    lose = [True]

    async def behave(x):
        if x.method == "system.multicall" and lose:
            lose.pop()
            x.close()
        else:
            await talker(x)
    upstream = start.upstream(behave)
    gateway = start.simple(upstream, upstreams={"up": {"url": upstream.url,
                                                       "retry": {"attempts": 1}}})
    for method in "mn":
        assert gateway.get(f"/v1/up/{method}").json["help"] == "Helps."
    assert calls(upstream) == ["system.listMethods", "system.multicall", *SYSTEM[1:],
                               "system.multicall"]


def test_what_a_batch_found_out_counts(start):
    """No system.multicall is sent to an upstream that has none."""
    upstream = start.upstream(Talker(("m",)))
    gateway = start.simple(upstream)
    gateway.batch("up", ("system.methodHelp", "m"), ("system.methodHelp", "m"))
    asked = calls(upstream).count("system.multicall")
    assert asked > 0 and gateway.get("/v1/up/m").json["help"] == "Helps."
    assert calls(upstream).count("system.multicall") == asked


def test_names_that_have_to_be_encoded(start):
    upstream = start.upstream(Talker(("a/b", "größe"), help={"größe": "ß", "a/b": "/"}))
    gateway = start.simple(upstream)
    for method, help in (("a/b", "/"), ("größe", "ß")):
        assert gateway.get(f"/v1/up/{quote(method, safe='')}").json["help"] == help


# HTTP.

def test_head_and_other_methods(start):
    gateway = start.simple(start.upstream(Talker()))
    for path in ("/v1", "/v1/up", "/v1/up/c"):
        whole = gateway.get(path)
        head = gateway.request("HEAD", path)
        assert head.status == 200 and head.body == b""
        assert head.header("Content-Length") == str(len(whole.body))
        refused = gateway.request("PUT", path)
        assert_problem(refused, "method-not-allowed", 405)
        assert refused.header("Allow") == ("GET, HEAD" if path == "/v1" else "GET, HEAD, POST")


def test_upstreams_and_their_links(start):
    upstream = start.upstream(Talker())
    gateway = start.simple(upstream, upstreams={
        "up": {"url": upstream.url}, "other": {"url": upstream.url}, "gone": {"url": "http://[::1]:1"}})

    def states():
        listed = gateway.get("/v1").json["upstreams"]
        assert all(item["links"] == [f"/v1/{item['name']}"] for item in listed)
        return {item["name"]: item["state"] for item in listed}
    assert states() == {"up": "unknown", "other": "unknown", "gone": "unknown"}
    for name in states():
        gateway.get(f"/v1/{name}")
    assert states() == {"up": "up", "other": "up", "gone": "down"}


def test_a_body_is_no_question(start):
    gateway = start.simple(start.upstream(Talker()))
    assert gateway.request("GET", "/v1/up", b"[1]").status == 200


# Kept, shared, renewed.

WORKERS = {"workers": 3}


def ask_at_once(gateway, path: str, count: int, pool: ThreadPoolExecutor):
    return [pool.submit(gateway.get, path) for _ in range(count)]


@pytest.mark.parametrize("path, made", [("/v1/up", 1), ("/v1/up/c", 2)])
def test_one_asks_for_all(start, path, made):
    talker = Talker(multicall="wrapped")
    upstream = start.upstream(talker)
    talker.gate = upstream.gate()
    gateway = start.simple(upstream, **WORKERS)
    with ThreadPoolExecutor(30) as pool:
        answers = ask_at_once(gateway, path, 30, pool)
        upstream.wait_requests(1)
        talker.gate.open()
        bodies = {answer.result(DEADLINE).body for answer in answers}
    assert len(bodies) == 1 and b"problem" not in bodies.pop()
    assert len(upstream.exchanges) == made


def test_all_are_told_of_a_failure(start):
    talker = Talker()
    upstream = start.upstream(talker)
    gate = upstream.gate()

    async def lose(x):
        await gate.passed()
        x.close()
    upstream.behave = lose
    gateway = start.simple(upstream, **WORKERS, upstreams={
        "up": {"url": upstream.url, "breaker": {"failures": 0}, "retry": {"attempts": 1}}})
    with ThreadPoolExecutor(20) as pool:
        answers = ask_at_once(gateway, "/v1/up", 20, pool)
        upstream.wait_requests(1)
        gate.open()
        for answer in answers:
            assert_problem(answer.result(DEADLINE), "connection-lost", 502, upstream="up")
    upstream.behave = talker
    end = time.monotonic() + DEADLINE
    while gateway.get("/v1/up").status != 200:
        assert time.monotonic() < end
    assert names(gateway.get("/v1/up")) == ["a.b", "c"]


@pytest.mark.parametrize("has_list", [True, False])
def test_who_has_just_failed_is_left_alone(start, has_list):
    """Whatever is asked for, by whomever: within a second the upstream is not asked anew."""
    talker = Talker(("m", *(f"m{n}" for n in range(40))) if has_list else None)
    upstream = start.upstream(talker)
    gateway = start.simple(upstream, **WORKERS, upstreams={
        "up": {"url": upstream.url, "breaker": {"failures": 0}, "retry": {"attempts": 1}}})
    assert gateway.get("/v1/up").status == 200
    made = len(upstream.exchanges)

    async def lose(x):
        x.close()
    upstream.behave = lose
    begin = time.monotonic()
    for n in range(40):
        assert_problem(gateway.get(f"/v1/up/m{n}"), "connection-lost", 502, upstream="up")
    # A description is asked for in three calls at most.
    assert len(upstream.exchanges) - made <= 3 * (1 + int(time.monotonic() - begin))


def test_lookups_count_for_the_rate(start):
    token = "t" * 32
    upstream = start.upstream(Talker())
    gateway = start.gateway({"upstreams": {"up": {"url": upstream.url}}, "callers": (
        {"name": "c", "token": token, "allow": ["*/*"], "rate": 1, "burst": 4},)})
    bearer = {"Authorization": f"Bearer {token}"}
    assert [gateway.get(path, **bearer).status for path in ("/v1/up", "/v1/up/c")] == [200, 200]
    with gateway.connect() as caller:
        assert caller.ask("HEAD", "/v1/up", None, bearer).status == 200
        assert caller.ask("GET", "/v1/up/c", None, bearer).status == 200
        answers = [caller.ask("GET", "/v1/up", None, bearer) for _ in range(5)]
    refused = next(answer for answer in answers if answer.status != 200)
    assert_problem(refused, "rate-limited", 429, "no", setting="callers.rate")
    assert int(refused.header("Retry-After")) == 1
    assert gateway.get("/v1", **bearer).status == 200


def renewing(start, talker, **options):
    """A gateway that asks again after every answer."""
    upstream = start.upstream(talker)
    up = {"url": upstream.url, "introspection": {"ttl": "0s"}, "retry": {"attempts": 1},
          "breaker": {"failures": 0}}
    return upstream, start.simple(upstream, upstreams={"up": up}, **options)


def test_what_is_kept_serves_while_it_is_renewed(start):
    talker = Talker(("old",))
    upstream, gateway = renewing(start, talker, **WORKERS)
    assert names(gateway.get("/v1/up")) == ["old"]
    talker.methods = ("new",)
    talker.gate = upstream.gate()
    for _ in range(10):
        assert names(gateway.get("/v1/up")) == ["old"]
    upstream.wait_requests(2)
    assert len(upstream.exchanges) == 2
    talker.gate.open()
    eventually(lambda: names(gateway.get("/v1/up")), ["new"])


def test_what_is_kept_serves_where_it_cannot_be_renewed(start):
    talker = Talker(("m",), help={"m": "old"})
    upstream, gateway = renewing(start, talker)
    assert names(gateway.get("/v1/up")) == ["m"]
    assert gateway.get("/v1/up/m").json["help"] == "old"

    async def lose(x):
        x.close()
    upstream.behave = lose
    for _ in range(20):
        assert names(gateway.get("/v1/up")) == ["m"]
        assert gateway.get("/v1/up/m").json["help"] == "old"
    upstream.wait_requests(4)
    # Who has just failed is left alone for a moment.
    assert len(upstream.exchanges) < 15
    upstream.behave = talker
    talker.help = {"m": "new"}
    eventually(lambda: gateway.get("/v1/up/m").json["help"], "new")


def test_a_reload_keeps_what_has_not_changed(start):
    same, changed = (start.upstream(Talker()) for _ in range(2))

    def settings(user_agent):
        return {"anonymous": {"allow": ["*/*"]}, "upstreams": {
            "same": {"url": same.url}, "changed": {"url": changed.url, "user_agent": user_agent}}}
    gateway = start.gateway(settings("one"))
    for agent in ("one", "two"):
        gateway.reload(settings(agent))
        for name in ("same", "changed"):
            assert names(gateway.get(f"/v1/{name}")) == ["a.b", "c"]
    assert (len(same.exchanges), len(changed.exchanges)) == (1, 2)


def test_a_caller_may_not_want_to_wait(start):
    talker = Talker()
    upstream = start.upstream(talker)
    talker.gate = upstream.gate()
    gateway = start.simple(upstream, **WORKERS)
    late = gateway.get("/v1/up", **{"X-Rpcgate-Timeout": "50ms"})
    assert_problem(late, "timeout", 504, executed="no", upstream="up")
    with gateway.connect() as gone:
        gone.send(b"GET /v1/up HTTP/1.1\r\nHost: localhost\r\n\r\n")
    talker.gate.open()
    eventually(lambda: names(gateway.get("/v1/up")), ["a.b", "c"])
    assert len(upstream.exchanges) == 1


def test_the_service_ends_while_an_upstream_is_asked(start):
    talker = Talker()
    upstream = start.upstream(talker)
    talker.gate = upstream.gate()
    gateway = start.simple(upstream, **WORKERS, limits={"drain": "100ms"})
    with ThreadPoolExecutor(6) as pool:
        answers = ask_at_once(gateway, "/v1/up", 6, pool)
        upstream.wait_requests(1)
        eventually(lambda: gateway.metric("rpcgate_connections"), lambda n: n >= 7)
        gateway.signal(signal.SIGTERM)
        for answer in answers:
            assert_problem(answer.result(DEADLINE), "draining", 503)


def test_memory_is_bounded(start):
    """Help of 100 KiB for each of hundreds of methods: the oldest is forgotten."""
    listed = tuple(f"m{n}" for n in range(150))
    upstream = start.upstream(Talker(listed, help=dict.fromkeys(listed, "x" * 100_000)))
    gateway = start.simple(upstream)
    for name in listed:
        assert len(gateway.get(f"/v1/up/{name}").json["help"]) == 100_000
    assert 1e6 < gateway.metric("rpcgate_memory_bytes") < 6e6
    made = len(upstream.exchanges)
    gateway.get(f"/v1/up/{listed[-1]}")
    assert len(upstream.exchanges) == made
    gateway.get(f"/v1/up/{listed[0]}")
    assert len(upstream.exchanges) == made + 2


def test_so_many_names_are_kept(start):
    """Where no list says which there are, names that callers make up take no memory for ever."""
    upstream = start.upstream(Talker(xmlrpc.client.Fault(1, "no list")))
    gateway = start.simple(upstream)
    count = 1100
    for n in range(count):
        assert gateway.get(f"/v1/up/m{n}").status == 200
    made = len(upstream.exchanges)
    assert gateway.get(f"/v1/up/m{count - 1}").status == 200
    assert len(upstream.exchanges) == made
    assert gateway.get("/v1/up/m0").status == 200
    assert len(upstream.exchanges) > made


@pytest.mark.concurrency
def test_what_is_too_large(start):
    upstream = start.upstream(Talker(("m",), help={"m": "x" * 5_000_000}))
    gateway = start.simple(upstream, limits={"memory": "16M"})
    assert_problem(gateway.get("/v1/up/m"), "response-too-large", 502)
    assert names(gateway.get("/v1/up")) == ["m"]
    assert gateway.metric("rpcgate_memory_bytes") < 1e6


# Real servers.

def test_supervisord(start, folder):
    server = Supervisord(folder)
    try:
        url = f"http://127.0.0.1:{server.port}"
        gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
            "url": url, "auth": {"scheme": "basic", "username": server.USER,
                                 "password": server.PASSWORD}}}})
        assert {"supervisor.getState", "system.methodHelp"} <= set(names(gateway.get("/v1/up")))
        described = gateway.get("/v1/up/supervisor.startProcess").json
        assert described["signatures"] == [["boolean", "string", "boolean"]]
        assert "@param string name" in described["help"]
        assert_problem(gateway.get("/v1/up/supervisor.nothing"), "not-found", 404)
    finally:
        server.stop()


def test_aria2(start, folder):
    server = Aria2(folder)
    try:
        gateway = start.gateway({"anonymous": {"allow": ["*/*"]},
                                 "upstreams": {"up": {"url": server.url}}})
        assert "aria2.addUri" in names(gateway.get("/v1/up"))
        assert gateway.get("/v1/up/aria2.addUri").json == {
            "method": "aria2.addUri", "signatures": None, "help": "", "safe": False}
    finally:
        server.stop()


def test_python(start):
    server = PythonServer()
    try:
        gateway = start.gateway({"anonymous": {"allow": ["*/*"]},
                                 "upstreams": {"up": {"url": server.url}}})
        assert names(gateway.get("/v1/up")) == ["add", "echo", "fail", "show", *sorted(SYSTEM),
                                                "types"]
        assert gateway.get("/v1/up/add").json == {"method": "add", "signatures": None, "help": "",
                                                  "safe": False}
    finally:
        server.stop()
