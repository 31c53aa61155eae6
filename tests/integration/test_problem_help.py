# SPDX-License-Identifier: Apache-2.0
"""Problems name what helps: the limit that ended a call and how long it was, and the upstreams that this
caller may use, but no other."""

import pytest

from rig.check import assert_problem
from rig.upstream import echo

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
