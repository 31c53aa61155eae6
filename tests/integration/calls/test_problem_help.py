# SPDX-License-Identifier: Apache-2.0
"""Problems name what helps: the limit that ended a call and how long it was, and the upstreams that this
caller may use, but no other."""

import pytest

from rig.check import assert_failed, assert_problem
from rig.misbehave import head, responds, sends
from rig.programs import free_port
from rig.upstream import echo, http_response, response_document

TOKENS = {name: f"{name}-token-" * 4 for name in ("some", "other", "none")}


async def silent(x):
    await x.gone()


@pytest.fixture(scope="module")
def slow(start_shared):
    upstream = start_shared.upstream(silent)
    base = {"url": upstream.url, "breaker": {"failures": 0}}
    return start_shared.gateway({
        "anonymous": {"allow": ["*/*"]},
        "upstreams": {
            "calc": {**base, "timeouts": {"total": "1s"}, "multicall": "never"},
            "quick": {**base, "timeouts": {"total": "150ms", "connect": "100ms"},
                      "multicall": "always", "multicall_results": "wrapped",
                      "methods": ({"match": "long.*", "timeout": "250ms"},)}}})


@pytest.mark.parametrize("upstream, method, headers, words", [
    ("calc", "m", {}, "calc did not answer within 1 s (timeouts.total)"),
    ("quick", "m", {}, "quick did not answer within 150 ms (timeouts.total)"),
    ("quick", "long.m", {}, "quick did not answer within 250 ms (methods.timeout)"),
    ("calc", "m", {"X_Rpcgate_Timeout": "120ms"},
     "calc did not answer within 120 ms (X-Rpcgate-Timeout)"),
    ("quick", "m", {"X_Rpcgate_Timeout": "1h"},
     "quick did not answer within 150 ms (timeouts.total)")])
def test_timeouts(slow, upstream, method, headers, words):
    setting = "methods.timeout" if method == "long.m" else "timeouts.total"
    document = assert_problem(slow.call(upstream, method, [1], **headers), "timeout", 504, "unknown",
                              setting=setting)
    assert words in document["detail"]
    wanted = "Send a longer one" if "X-Rpcgate-Timeout" in words else "Raise that limit"
    assert wanted in document["detail"]


@pytest.mark.parametrize("upstream, words", [
    ("calc", "calc did not answer within 1 s (timeouts.total)"),
    ("quick", "quick did not answer within 250 ms (methods.timeout)")])
def test_timeouts_of_batches(slow, upstream, words):
    for result in slow.batch(upstream, ("m", 1), ("long.m", 2)):
        assert words in result["problem"]["detail"]
    short = slow.batch("calc", ("m", 1), X_Rpcgate_Timeout="130ms")
    assert "within 130 ms (X-Rpcgate-Timeout)" in short[0]["problem"]["detail"]


def test_timeouts_of_jsonrpc(slow):
    call = {"jsonrpc": "2.0", "method": "m", "id": 1}
    answer = slow.post_json("/jsonrpc/quick", call).json["error"]["data"]
    assert "quick did not answer within 150 ms (timeouts.total)" in answer["detail"]


@pytest.fixture(scope="module")
def gateway(start_shared):
    url = start_shared.upstream(echo).url
    allow = {"some": ["calc/*", "books/get.*"], "other": ["secret/*"], "none": []}
    return start_shared.gateway({
        "callers": tuple({"name": name, "token": token, "allow": allow[name],
                          "deny": ["calc/*"] if name == "other" else []}
                         for name, token in TOKENS.items()),
        "upstreams": {name: {"url": url} for name in ("calc", "books", "secret", "hidden")}})


@pytest.mark.parametrize("method, path", [
    ("POST", "/v1/{}/m"), ("POST", "/v1/{}"), ("GET", "/v1/{}"), ("GET", "/v1/{}/m"),
    ("POST", "/jsonrpc/{}")])
def test_unknown_upstreams(gateway, method, path):
    may = {"some": {"calc", "books"}, "other": {"secret"}, "none": set()}
    for name, token in TOKENS.items():
        details = set()
        for unknown in ({"calc", "books", "secret", "hidden"} - may[name]) | {"cal", "nothing"}:
            answer = gateway.request(method, path.format(unknown), None,
                                     {"Authorization": f"Bearer {token}"})
            document = assert_problem(answer, "not-found", 404, "no")
            assert "upstream" not in document
            details.add(document["detail"])
        assert len(details) == 1, "what is hidden is answered like what is not there"
        told = details.pop()
        for upstream in ("calc", "books", "secret", "hidden"):
            assert (upstream in told) == (upstream in may[name]), (name, told)


def test_strangers_learn_nothing(gateway):
    for path in ("/v1/calc/m", "/v1/nothing/m"):
        document = assert_problem(gateway.request("POST", path), "unauthenticated", 401, "no")
        for upstream in ("calc", "books", "secret", "hidden"):
            assert upstream not in document["detail"]


def test_many_upstreams(start):
    """As many as find room; where the others are is told."""
    names = [f"upstream-{number:03}-" + "x" * 40 for number in range(200)]
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]},
                             "upstreams": {name: {"url": "http://127.0.0.1:1"} for name in names}})
    detail = assert_problem(gateway.call("none", "m"), "not-found", 404, "no")["detail"]
    told = sum(name in detail for name in names)
    assert 1 <= told < 20 and f"and {200 - told} more" in detail and "GET /v1" in detail
    assert detail.endswith(".")


#: What an upstream does, and of the problem: its name, what happened, and what to do.
DOCUMENT = response_document("x")
FAILING = {
    "nothing": (sends(""), "connection-lost", "ended before its answer was complete: ",
                "Look into the server's log"),
    "half a head": (sends("HTTP/1.1 200 OK\r\nX: y\r\n"), "connection-lost", "head was cut off",
                    "closed in the middle of its answer's head"),
    "half a body": (sends(http_response(DOCUMENT)[:-9]), "connection-lost", "9 bytes",
                    "sent less than it promised"),
    "no length": (head("Content-Length: x"), "connection-lost", "Content-Length",
                  "Its Content-Length is no length"),
    "chunks": (head("Transfer-Encoding: chunked", body=b"zz\r\n"), "connection-lost", "hunk",
               "The chunks of its answer are broken"),
    "no HTTP": (sends("SSH-2.0-x\r\n\r\n"), "bad-response", "HTTP", "Check the port of `url`"),
    "folded": (sends("HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n"), "bad-response",
               "begins with a blank", "has to be mended"),
    "bad gzip": (responds(b"x" * 50, Content_Encoding="gzip"), "bad-response", "Content-Encoding",
                 "compression.accept = false"),
    "empty": (responds(b" "), "bad-response", "is empty", 'empty = "null"'),
    "301": (responds(b"", "301 Moved", Location="/other"), "protocol-error", "/other",
            "set `url` to where the server really is"),
    "400": (responds(b"", "400 Bad"), "protocol-error", "400 Bad", "check `url`, `headers`"),
    "401": (responds(b"", "401 No"), "protocol-error", "401 No", "`auth`"),
    "403": (responds(b"", "403 No"), "protocol-error", "403 No", "what the server grants"),
    "404": (responds(b"", "404 No"), "protocol-error", "404 No", "the path of `url`"),
    "405": (responds(b"", "405 No"), "protocol-error", "405 No", "the path of `url`"),
    "413": (responds(b"", "413 No"), "protocol-error", "413 No", "too large for it"),
    "429": (responds(b"", "429 No"), "protocol-error", "429 No", "try again later"),
    "500": (responds(b"", "500 No"), "protocol-error", "500 No", "Look into the server's log"),
    "502": (responds(b"", "502 No"), "protocol-error", "502 No", "check that it runs"),
}


def assert_advised(document: dict, what: str, advice: str):
    detail = document["detail"]
    assert what in detail and advice in detail and detail.index(what) < detail.index(advice)
    assert detail.endswith(".") and ".." not in detail, detail


@pytest.mark.parametrize("kind", FAILING)
def test_failures_say_what_to_do(up, kind):
    behave, name, what, advice = FAILING[kind]
    gateway, _ = up(behave, multicall="always")
    answer = gateway.call("up", "m", [1])
    assert_advised(assert_problem(answer, name, answer.status), what, advice)
    if kind != "empty":
        result = gateway.batch("up", ("m", 1), ("m", 2))[1]
        assert_advised(assert_failed(result, name, answer.status), what, advice)


NOWHERE = {
    "name": ({"url": "http://nowhere.invalid/"}, "resolve host", "Check the host name in `url`"),
    "port": ({"url": "http://127.0.0.1:{port}/"}, "efused", "check the port of `url`"),
    "socket": ({"url": "http+unix://%2Fnonexistent%2Fs/RPC2"}, "/nonexistent/s",
               "check the socket's path in `url`"),
    "proxy": ({"url": "http://127.0.0.1/", "proxy": {"url": "http://127.0.0.1:{port}"}}, "efused",
              "Check `proxy`"),
    "proxy's name": ({"url": "http://127.0.0.1/", "proxy": {"url": "http://nowhere.invalid:1"}},
                     "resolve proxy", "Check `proxy`"),
}


@pytest.mark.parametrize("kind", NOWHERE)
def test_what_cannot_be_reached_says_what_to_do(start, kind):
    settings, what, advice = NOWHERE[kind]
    port = str(free_port())
    filled = {key: {k: v.replace("{port}", port) for k, v in value.items()}
              if isinstance(value, dict) else value.replace("{port}", port)
              for key, value in settings.items()}
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": filled}})
    document = assert_problem(gateway.call("up", "m", []), "connect-failed", 502, "no")
    assert_advised(document, what, advice)


def test_tls_says_what_to_do(start):
    """https where http is spoken."""
    async def greet(link):
        link.writer.write(b"HTTP/1.1 400 Bad\r\n\r\n")
    plain = start.upstream(greet=greet)
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "up": {"url": f"https://127.0.0.1:{plain.port}/"}}})
    document = assert_problem(gateway.call("up", "m", []), "tls-failed", 502, "no")
    assert_advised(document, "TLS connection", "The port speaks no TLS")
