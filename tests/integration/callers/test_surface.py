# SPDX-License-Identifier: Apache-2.0
"""The HTTP surface: paths, methods, the order of checks, headers, who may come in."""

import re
import socket

import pytest

from rig import wire
from rig.check import assert_problem

OPEN = {
    "hosts": ["gateway.internal"],
    "anonymous": {"allow": ["up/*", "half/public.*"], "deny": ["up/secret.*", "*/*.hidden"]},
    "limits": {"body": "64K"},
}


@pytest.fixture(scope="module")
def gateway(start_shared, shared_upstream):
    """Anonymous callers may use two of three upstreams."""
    upstreams = {name: {"url": shared_upstream.url} for name in ("up", "half", "other")}
    return start_shared.gateway(OPEN | {"upstreams": upstreams})


@pytest.fixture(scope="module")
def closed(start_shared, shared_upstream):
    """Nobody gets in."""
    return start_shared.gateway({"upstreams": {"up": {"url": shared_upstream.url}},
                                 "limits": {"body": "64K"}})


# Paths.

@pytest.mark.parametrize("segment, method", [
    ("a.b:c", "a.b:c"), ("a%2Fb", "a/b"), ("a%2fb", "a/b"), ("a%252Fb", "a%2Fb"),
    ("%65cho", "echo"), ("gr%C3%BC%C3%9Fe", "grüße"), ("x" * 255, "x" * 255), ("a+b", "a+b"),
    ("-_~!$&'()*,;=@", "-_~!$&'()*,;=@"), ("%2E%2E", ".."), ("a%3Fb%23c", "a?b#c")])
def test_method_names(gateway, upstream, segment, method):
    answer = gateway.raw(wire.request("POST", f"/v1/up/{segment}", b"[1]"))
    assert answer.status == 200, answer.body
    assert upstream.exchanges[0].method == method


@pytest.mark.parametrize("path", [
    "/v1/up/%", "/v1/up/a%2", "/v1/up/%zz", "/v1/up/a%00b", "/v1/up/a%0Ab", "/v1/up/%7F",
    "/v1/up/%C2%85", "/v1/up/%ff", "/v1/up/%C0%AF", "/v1/up/%ED%A0%80", "/v1/up/" + "x" * 256,
    "/v1/%gg/echo", "/v1/up%00/echo", "/%ff", "/v1/up/a%20b"])
def test_bad_paths(gateway, upstream, path):
    assert_problem(gateway.raw(wire.request("POST", path, b"[1]")), "invalid-request", 400, "no")
    assert not upstream.exchanges


@pytest.mark.parametrize("path", [
    "/v1/up/echo/", "/v1/up/a/b", "/v2/up/echo", "/V1/up/echo", "/v1x", "/livez/", "/livez/x",
    "/v1/none/echo", "/v1/Up/echo", "//v1/up/echo", "/nothing", "/v1/up%2Fecho", "/v1/./up/echo"])
def test_unknown_paths(gateway, upstream, path):
    for method in ("POST", "GET"):
        assert_problem(gateway.raw(wire.request(method, path)), "not-found", 404, "no")
    assert not upstream.exchanges


@pytest.mark.parametrize("query", [
    "typos=plain", "types=Plain", "types=", "types", "types=plain&types=tagged", "integers=big",
    "types=plain&x=1", "%ff=1", "types=%zz"])
def test_bad_queries(gateway, upstream, query):
    assert_problem(gateway.call("up", "m", [1], query=query), "invalid-request", 400, "no")
    assert not upstream.exchanges


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/metrics", "/v1"])
def test_bad_query_of_a_page(gateway, path):
    assert_problem(gateway.get(path + "?verbose"), "invalid-request", 400, "no")


def test_unknown_query_names_the_known_ones(gateway):
    detail = gateway.call("up", "m", [1], query="typos=plain").json["detail"]
    assert "types" in detail and "integers" in detail


# Methods.

@pytest.mark.parametrize("method, path, allow", [
    *((method, "/v1/up/m", {"POST"}) for method in (
        "PUT", "DELETE", "PATCH", "OPTIONS", "ODD", "TRACE", "post")),
    ("POST", "/livez", {"GET", "HEAD"}), ("PUT", "/readyz", {"GET", "HEAD"})])
def test_method_not_allowed(gateway, upstream, method, path, allow):
    answer = gateway.raw(wire.request(method, path))
    assert_problem(answer, "method-not-allowed", 405, "no")
    assert allow <= {name.strip() for name in answer.header("Allow").split(",")}
    assert not upstream.exchanges


# Health.

@pytest.mark.parametrize("which", ["gateway", "closed"])
@pytest.mark.parametrize("path, status", [("/livez", "ok"), ("/readyz", "ready")])
def test_health(request, which, path, status):
    gateway = request.getfixturevalue(which)
    answer = gateway.get(path)
    assert answer.status == 200 and answer.json == {"status": status}
    assert answer.header("Content-Type") == "application/json"
    assert gateway.request("GET", path, over="unix").json == {"status": status}


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_by_old_http(gateway, path):
    with gateway.connect() as caller:
        caller.send(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answer = caller.answer()
        assert answer.status == 200 and answer.json["status"] in ("ok", "ready")
        assert caller.ends()


def test_head(gateway):
    length = gateway.get("/livez").header("Content-Length")
    with gateway.connect() as caller:
        for _ in range(2):
            answer = caller.ask("HEAD", "/livez")
            assert answer.status == 200 and answer.header("Content-Length") == length
        assert caller.ask("GET", "/livez").json == {"status": "ok"}


def test_connections_are_kept(gateway, upstream):
    with gateway.connect() as caller:
        for number in range(3):
            assert caller.ask("POST", "/v1/up/m", b"[%d]" % number).result == number
            assert caller.ask("POST", "/v1/up/m").result == ""
            assert caller.ask("GET", "/nothing").status == 404
            assert caller.ask("POST", "/v1/up/m", b"[").status == 400


def test_connection_close_is_obeyed(gateway, upstream):
    with gateway.connect() as caller:
        answer = caller.ask("POST", "/v1/up/m", b"[1]", {"Connection": "close"})
        assert answer.result == 1 and answer.closes and caller.ends()


def test_pipelined_requests_are_answered_in_order(gateway, upstream):
    with gateway.connect() as caller:
        caller.send(b"".join(wire.request("POST", "/v1/up/m", b"[%d]" % n) for n in range(20)))
        assert [caller.answer().result for _ in range(20)] == list(range(20))


def test_ipv6_listener(start, upstream):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    gateway = start.simple(upstream, listen=[{"address": "::1", "port": 0}])
    line = gateway.wait_line("http://[::1]:")
    port = int(re.search(r"\[::1\]:(\d+)", line)[1])
    for host, status in (("[::1]", 200), (f"[::1]:{port}", 200), ("[::2]", 421)):
        with wire.Connection(("::1", port)) as caller:
            assert caller.ask("POST", "/v1/up/m", b"[1]", {"Host": host}).status == status


# Host and Origin.

@pytest.mark.parametrize("host", [
    "localhost", "LocalHost", "localhost.", "localhost:1", "127.0.0.1", "127.0.0.1:8080",
    "127.1.2.3", "[::1]", "[::1]:80", "gateway.internal", "GATEWAY.internal.:99"])
def test_our_hosts(gateway, upstream, host):
    assert gateway.raw(wire.request("POST", "/v1/up/m", b"[1]", {"Host": host})).result == 1


@pytest.mark.parametrize("host", [
    "evil.example", "localhost.evil.example", "gateway.internal.evil", "128.0.0.1", "127.0.0.1.x",
    "[::2]", "localhost..", "1270.0.0.1", "xlocalhost"])
def test_foreign_hosts(gateway, upstream, host):
    answer = gateway.raw(wire.request("POST", "/v1/up/m", b"[1]", {"Host": host}))
    assert_problem(answer, "misdirected", 421, "no")
    assert gateway.raw(wire.request("GET", "/v1", None, {"Host": host})).status == 421
    assert not upstream.exchanges


def test_any_host_on_a_unix_socket(gateway, upstream):
    data = wire.request("POST", "/v1/up/m", b"[1]", {"Host": "any.example"})
    assert gateway.raw(data, over="unix").result == 1


@pytest.mark.parametrize("headers", [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:1"},
    {"Origin": "http://localhost:PORT.evil.example"}, {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://localhost:PORT", "Sec-Fetch-Site": "cross-site"}])
def test_foreign_origins(gateway, upstream, headers):
    port = str(gateway.tcp[1])
    headers = {name: value.replace("PORT", port) for name, value in headers.items()}
    answer = gateway.raw(
        wire.request("POST", "/v1/up/m", b"[1]", {"Host": f"localhost:{port}", **headers}))
    assert_problem(answer, "forbidden", 403, "no")
    assert not upstream.exchanges


@pytest.mark.parametrize("headers", [
    {"Origin": "http://localhost:PORT"}, {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost:PORT", "Sec-Fetch-Site": "same-origin"}])
def test_own_origin(gateway, upstream, headers):
    port = str(gateway.tcp[1])
    headers = {name: value.replace("PORT", port) for name, value in headers.items()}
    answer = gateway.raw(
        wire.request("POST", "/v1/up/m", b"[1]", {"Host": f"localhost:{port}", **headers}))
    assert answer.result == 1
    assert answer.header("Access-Control-Allow-Origin") is None


# Who may call what.

def test_denied_method(gateway, upstream):
    for method in ("secret.x", "m.hidden"):
        assert_problem(gateway.call("up", method, [1]), "forbidden", 403, "no", upstream="up",
                       method=method)
    assert_problem(gateway.call("half", "private.x", [1]), "forbidden", 403, "no")
    assert gateway.call("half", "public.x", [1]).result == 1
    assert len(upstream.exchanges) == 1


def test_a_slash_in_a_method_reaches_no_other_rule(gateway, upstream):
    assert_problem(gateway.call("half", "x/public.y", [1]), "forbidden", 403, "no")
    assert not upstream.exchanges


def test_an_upstream_without_rights_does_not_exist(gateway, upstream):
    """Not even its answers' wording tells it from one that is not there."""
    there, missing = (gateway.call(name, "m", [1]) for name in ("other", "nope1"))
    documents = []
    for answer, name in ((there, "other"), (missing, "nope1")):
        document = assert_problem(answer, "not-found", 404, "no")
        del document["request_id"]
        documents.append(str(document).replace(name, "NAME"))
    assert documents[0] == documents[1]
    assert [name for name, _ in there.headers] == [name for name, _ in missing.headers]
    assert not upstream.exchanges


def test_nobody_gets_in_unless_configured(closed, upstream):
    for answer in (closed.call("up", "m", [1]), closed.call("none", "m", [1]),
                   closed.request("POST", "/nothing"), closed.call("up", "m", [1], over="unix"),
                   closed.call("up", "m", [1], Authorization="Bearer " + "x" * 40)):
        assert_problem(answer, "unauthenticated", 401, "no")
        assert answer.header("WWW-Authenticate").startswith("Bearer")
    assert not upstream.exchanges


@pytest.mark.parametrize("segment", ["system.multicall", "system%2Emulticall"])
def test_multicall_by_name_is_refused(gateway, upstream, segment):
    answer = gateway.raw(wire.request("POST", f"/v1/up/{segment}", b"[[]]"))
    document = assert_problem(answer, "forbidden", 403, "no")
    assert "POST /v1/up" in document["detail"]
    assert not upstream.exchanges


# The body's type.

@pytest.mark.parametrize("kind", [
    "application/json", "Application/JSON", "application/json; charset=utf-8",
    "application/json;charset=\"UTF-8\"", "application/vnd.api+json", "application/problem+json"])
def test_types_that_are_json(gateway, upstream, kind):
    assert gateway.call("up", "m", [1], Content_Type=kind).result == 1


@pytest.mark.parametrize("headers", [
    {"Content-Type": "text/plain"}, {"Content-Type": None}, {"Content-Type": "text/json"},
    {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "application/xml"},
    {"Content-Type": "application/json; charset=iso-8859-1"}, {"Content-Type": "application/jsonx"},
    {"Content-Encoding": "gzip"}, {"Content-Type": ""}])
def test_types_that_are_not(gateway, upstream, headers):
    answer = gateway.raw(wire.request("POST", "/v1/up/m", b"[1]", headers))
    document = assert_problem(answer, "unsupported-media-type", 415, "no")
    if "Content-Encoding" not in headers:
        assert "--json" in document["detail"]
    assert not upstream.exchanges


def test_empty_body_needs_no_type(gateway, upstream):
    for headers in ({}, {"Content-Length": "0"}, {"Content-Length": "0", "Content-Type": "text/x"}):
        assert gateway.raw(wire.request("POST", "/v1/up/m", None, headers)).result == ""


# Headers of every answer.

def _answers(gateway):
    """One of each kind that can be had without trouble."""
    yield 200, gateway.call("up", "m", [1])
    yield 200, gateway.get("/livez")
    yield 200, gateway.get("/readyz")
    yield 400, gateway.call("up", "m", b"[")
    yield 400, gateway.raw(wire.request("GET", "/livez", None, {"Host": ["a", "b"]}))
    yield 403, gateway.call("up", "secret.x")
    yield 404, gateway.get("/nothing")
    yield 405, gateway.request("PUT", "/livez")
    yield 413, gateway.call("up", "m", b" " * 100_000)
    yield 415, gateway.call("up", "m", b"1", Content_Type="text/plain")
    yield 421, gateway.raw(wire.request("GET", "/v1", None, {"Host": "a.example"}))
    yield 422, gateway.call("up", "m", [None])


def test_headers_of_every_answer(gateway, upstream):
    for status, answer in _answers(gateway):
        assert answer.status == status, answer.body
        assert re.fullmatch(r"[\x21-\x7e]{1,64}", answer.header("X-Request-Id")), status
        assert answer.header("Cache-Control") == "no-store", status
        assert answer.header("X-Content-Type-Options") == "nosniff", status
        assert not re.search(r"\d", answer.header("Server") or ""), status
        kind = "application/json" if status == 200 else "application/problem+json"
        assert answer.header("Content-Type") == kind, status
        assert answer.header("Content-Length") == str(len(answer.body))


def test_request_id_of_the_caller(gateway, upstream):
    for given in ("a", "x" * 64, "b-1/2:\"'<>"):
        assert gateway.call("up", "m", [1], X_Request_Id=given).header("X-Request-Id") == given
        answer = gateway.request("GET", "/nothing", None, {"X-Request-Id": given})
        assert answer.header("X-Request-Id") == given == answer.json["request_id"]


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "\xe4", "a\tb"])
def test_request_id_that_cannot_be_kept(gateway, upstream, given):
    answer = gateway.raw(wire.request("GET", "/livez", None, {"X-Request-Id": given}))
    assert answer.status == 200 and answer.header("X-Request-Id") not in ("", given)


def test_request_ids_differ(gateway, upstream):
    assert len({gateway.get("/livez").header("X-Request-Id") for _ in range(20)}) == 20


# The order of checks: each request has two things wrong, the first one counts.

FRAMING, HOST, ORIGIN = {"Content-Length": ["1", "2"]}, {"Host": "evil.example"}, {
    "Origin": "http://evil.example"}
TEXT = {"Content-Type": "text/plain"}
LARGE = {"Content-Length": "100000", "Content-Type": "application/json"}

ORDER = [
    ("framing before host", "gateway", 400, ("POST", "/v1/up/m", None, FRAMING | HOST)),
    ("host before origin", "gateway", 421, ("POST", "/v1/up/m", None, HOST | ORIGIN)),
    ("origin before path", "gateway", 403, ("POST", "/v1/up/%ff", None, ORIGIN)),
    ("host before path", "closed", 421, ("POST", "/v1/up/%ff", None, HOST)),
    ("path before caller", "closed", 400, ("POST", "/v1/up/%ff", None, {})),
    ("caller before 404", "closed", 401, ("POST", "/v1/none/m", None, {})),
    ("caller before 405", "closed", 401, ("PUT", "/v1/up/m", None, {})),
    ("caller before 413", "closed", 401, ("POST", "/v1/up/m", None, LARGE)),
    ("404 before 405", "gateway", 404, ("PUT", "/v1/none/m", None, {})),
    ("405 before 403", "gateway", 405, ("PUT", "/v1/up/secret.x", None, {})),
    ("403 before 413", "gateway", 403, ("POST", "/v1/up/secret.x", None, LARGE)),
    ("404 before 413", "gateway", 404, ("POST", "/v1/none/x", None, LARGE)),
    ("413 before 415", "gateway", 413, ("POST", "/v1/up/m", None, LARGE | TEXT)),
    ("415 before the body", "gateway", 415, ("POST", "/v1/up/m", b"[", TEXT)),
]


@pytest.mark.parametrize("which, status, asked", [row[1:] for row in ORDER],
                         ids=[row[0].replace(" ", "-") for row in ORDER])
def test_order_of_checks(request, upstream, which, status, asked):
    gateway = request.getfixturevalue(which)
    answer = gateway.raw(wire.request(*asked))
    assert answer.status == status, answer.body
    assert not upstream.exchanges
