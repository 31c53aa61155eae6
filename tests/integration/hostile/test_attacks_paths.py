# SPDX-License-Identifier: Apache-2.0
"""Path tricks: a method that is denied is not reached by any way of writing it, and what is called
is exactly what the path's third segment says."""

import pytest

from rig.wire import request

pytestmark = pytest.mark.concurrency

DENIED = [
    "/v1/up/secret", "/v1/up/%73ecret", "/v1/up/%73%65%63%72%65%74", "/v1/up/./secret",
    "/v1/up//secret", "//v1/up/secret", "/v1//up/secret", "/./v1/up/secret", "/v1/up/x/../secret",
    "/v1/up/x/%2e%2e/secret", "/v1/up/%2e/secret", "/v1/up/../up/secret", "/v1/none/../up/secret",
    "/v1/up/secret/", "/v1/up/secret/.", "/v1/up/secret/..", "/v1/up/secret/x", "/v1/up/secret?",
    "/v1/up/secret?types=plain", "/v1/up/secret;x=1", "/v1/up/;x=1/secret", "/v1;x/up/secret",
    "/v1/up/secret%00", "/v1/up/secret%00x", "/v1/up/%00secret", "/v1/up/secret%0a",
    "/v1/up/secret%0d%0aX-A:%20b", "/v1/up/secret%20", "/v1/up/%20secret", "/v1/up/secret%09",
    "/v1/up/secret%7f", "/v1/up/%c0%b3ecret", "/v1/up/%e0%81%b3ecret", "/v1/up/%f0%80%81%b3ecret",
    "/v1/up/%ed%a0%80secret", "/v1/up/%ffsecret", "/v1/up/%u0073ecret", "/v1/up/%2573ecret",
    "/v1/up/%7", "/v1/up/%", "/v1/up/secret%", "/v1/up/%zzsecret", "/v1/up/SECRET",
    "/v1/up/\u017fecret".encode().decode("latin-1"), "/v1/up/secret#", "/v1/up/#/secret",
    "/v1/up/m#/../secret", "/v1/up\\secret", "/v1\\up\\secret", "\\v1\\up\\secret",
    "/v1/up/x%2f..%2fsecret", "/v1/up%2fsecret", "/v1%2fup/secret", "/v1/up/%2fsecret",
    "/v1/up/secret%2f", "/V1/up/secret", "/v1/UP/secret", "/v1/%75p/secret", "/v1/up./secret",
    "/v1/.up/secret", "/v1/up%00/secret", "/v1/up%20/secret", "/v1/up?/secret", "/v1?/up/secret",
    "?/v1/up/secret", "v1/up/secret", "", "*", "localhost", "localhost:80",
    "http://localhost/v1/up/secret", "http://localhost//v1/up/secret",
    "http://evil.example/v1/up/secret", "http:///v1/up/secret", "http:/v1/up/secret",
    "https://localhost/v1/up/secret", "HTTP://LOCALHOST/v1/up/secret",
    "http://localhost@evil.example/v1/up/secret", "//localhost/v1/up/secret",
    "file:///v1/up/secret", "/http://localhost/v1/up/secret", "/v1/up/" + "../" * 200 + "secret",
    "/v1/up/" + "%2e%2e%2f" * 200 + "secret", "/" * 5000 + "v1/up/secret",
    "/v1/up/" + "s" * 10_000, "/v1/" + "u" * 10_000 + "/secret",
]

#: Paths, and the methods that they call.
CALLED = {
    "/v1/up/m": "m",
    "/v1/up/%6d": "m",
    "/v1/%75%70/m": "m",
    "/v1/up/a.b:c": "a.b:c",
    "/v1/up/a%2Fb": "a/b",
    "/v1/up/%2e%2e": "..",
    "/v1/up/..": "..",
    "/v1/up/secret%2fx": "secret/x",
    "/v1/up/%25": "%",
    "/v1/up/%2573ecret": "%73ecret",
    "/v1/up/" + "x" * 255: "x" * 255,
}


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream()


@pytest.fixture(scope="module")
def gateway(start_shared, upstream):
    return start_shared.simple(upstream, anonymous={"allow": ["up/*"], "deny": ["up/secret"]})


@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_denied(gateway, upstream, over):
    for path in DENIED:
        upstream.exchanges.clear()
        with gateway.connect(over) as caller:
            caller.send(request("POST", path, b'["x"]'))
            try:
                caller.finish_sending()
            except OSError:
                pass  # it was refused already
            answers = caller.rest()
        methods = [exchange.method for exchange in upstream.exchanges]
        assert "secret" not in methods, path
        assert b" 200 " not in answers or methods not in ([], ["secret"]), (path, answers)
        assert answers == b"" or answers.startswith(b"HTTP/1."), (path, answers)


@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_called(gateway, upstream, over):
    for path, method in CALLED.items():
        upstream.exchanges.clear()
        with gateway.connect(over) as caller:
            answer = caller.ask("POST", path, b'["x"]')
        assert answer.result == "x", path
        assert [exchange.method for exchange in upstream.exchanges] == [method]


@pytest.mark.parametrize("path", ["/v1/up/system.multicall", "/v1/up/%73ystem.multicall",
                                  "/v1/up/system%2emulticall", "/v1/up/system.multical%6c"])
def test_multicall_has_one_way(gateway, upstream, path):
    upstream.exchanges.clear()
    with gateway.connect() as caller:
        assert caller.ask("POST", path, b"[[]]").status == 403
    assert not upstream.exchanges


QUERIES = {"values": b"x=1&" * 3500, "names": b"a&" * 7000, "empty": b"&" * 14_000,
           "equals": b"=" * 14_000, "one": b"x=" + b"1" * 14_000}


@pytest.mark.parametrize("path", ["/livez", "/v1", "/v1/up/m"])
@pytest.mark.parametrize("query", QUERIES.values(), ids=list(QUERIES))
def test_long_queries_are_answered(gateway, path, query):
    """As long as limits.headers allows, however many params that are."""
    for method in (b"GET", b"POST"):
        answer = gateway.raw(method + b" " + path.encode() + b"?" + query + b" HTTP/1.1\r\n"
                             b"Host: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        assert answer.status in (200, 400, 405)
        assert answer.header("X-Request-Id")


def test_a_list_in_a_query_is_as_long_as_its_head(start, upstream):
    route = {"name": "r", "get": "/r", "call": "up/m", "safe": True,
             "params": ({"name": "x", "type": "int[]"},)}
    gateway = start.simple(upstream, anonymous={"allow": ["*/*"]}, routes=(route,))
    answer = gateway.get("/r?" + "&".join(f"x={i}" for i in range(2000)))
    assert answer.json["result"] == list(range(2000))
