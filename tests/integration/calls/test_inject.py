# SPDX-License-Identifier: Apache-2.0
"""What the gateway adds to calls: params, members, header lines and a path, for single calls,
batches in both ways, and JSON-RPC."""

import pytest

from rig.check import assert_failed, assert_problem
from rig.multicall import Multicall, methods

CREDENTIALS = {"username": "api", "password": "hunter2-hunter2", "key": "k-12345678"}

INJECT = [
    {"match": ["auth.*", "system.*"]},
    {"match": "first.*", "at": 0, "params": ("{username}", "{password}", 5)},
    {"match": "last.*", "at": -1, "params": ("{key}", {"a": "x{key}"})},
    {"match": "second.*", "at": 1, "params": ("{key}",)},
    {"match": "member.*", "in": 1, "member": {"token": "{key}", "n": 1}},
    {"match": "header.*", "headers": ["X-Key: {base64({username}:{key})}", "X-One: 1"],
     "path": "/object"},
]


def echo_all(*params):
    return list(params)


FUNCTIONS = methods(**{name: echo_all for name in (
    "auth.a", "first.a", "last.a", "second.a", "member.a", "header.a", "other")})

#: method, what the caller sends, what arrives.
CALLS = [
    ("auth.a", [1], [1]),
    ("other", [1], [1]),
    ("first.a", [], ["api", "hunter2-hunter2", 5]),
    ("first.a", [{"b": [1]}], ["api", "hunter2-hunter2", 5, {"b": [1]}]),
    ("last.a", [1], [1, "k-12345678", {"a": "xk-12345678"}]),
    ("second.a", [1, 2], [1, "k-12345678", 2]),
    ("second.a", [1], [1, "k-12345678"]),
    ("member.a", [1], [1, {"token": "k-12345678", "n": 1}]),
    ("member.a", [1, {"b": 2}, 3], [1, {"token": "k-12345678", "n": 1, "b": 2}, 3]),
    ("header.a", [1], [1]),
]

#: method, what the caller sends, the problem, its status and pointer.
REFUSED = [
    ("second.a", [], "invalid-request", 400, ""),
    ("member.a", [], "invalid-request", 400, ""),
    ("member.a", [1, 2], "invalid-request", 400, "/1"),
    ("member.a", [1, {"b": 1, "token": "mine"}], "forbidden", 403, "/1/token"),
    ("first.a", [1, {"b": None}], "unrepresentable", 422, "/1/b"),
]


@pytest.fixture
def upstream(start):
    return start.upstream(Multicall(FUNCTIONS))


@pytest.fixture(params=["always", "never"])
def gateway(request, start, upstream):
    return start.simple(upstream, upstreams={"up": {
        "url": upstream.url + "/base", "breaker": {"failures": 0}, "multicall": request.param,
        "pool": {"max_connections": 1}, "credentials": CREDENTIALS, "inject": INJECT}})


def test_what_arrives(gateway):
    for method, params, expected in CALLS:
        assert gateway.call("up", method, params).json == {"result": expected}


def test_what_is_refused(gateway, upstream):
    for method, params, name, status, pointer in REFUSED:
        problem = assert_problem(gateway.call("up", method, params), name, status, "no")
        assert problem["pointer"] == pointer
    assert not upstream.exchanges


def test_in_a_batch(gateway):
    calls = [(method, *params) for method, params, *_ in CALLS + REFUSED]
    results = gateway.batch("up", *calls, *reversed(calls))
    for (*_, expected), result in zip(CALLS, results):
        assert result == {"result": expected}
    for (_, _, name, status, pointer), result in zip(REFUSED, results[len(CALLS):]):
        problem = assert_failed(result, name, status, "no")
        assert problem["pointer"].partition("/params")[2] == pointer
    problems = ["problem" in result for result in results]
    assert problems == list(reversed(problems))
    assert results[-1] == {"result": [1]}


def test_in_jsonrpc(gateway):
    for i, (method, params, expected) in enumerate(CALLS):
        call = {"jsonrpc": "2.0", "id": i, "method": method, "params": params}
        assert gateway.jsonrpc("up", call).json == {"jsonrpc": "2.0", "id": i, "result": expected}


def requests(upstream):
    return [(x.request_line.split()[1], x.header("X-Key"), x.header("X-One"))
            for x in upstream.exchanges]


PLAIN = ("/RPC2/base", None, None)


def test_lines_and_path(gateway, upstream):
    for method in ("other", "header.a", "other"):
        assert gateway.call("up", method, [1]).status == 200
    plain, added, again = requests(upstream)
    assert plain == again and plain[1:] == (None, None)
    assert added == (plain[0] + "/object", "YXBpOmstMTIzNDU2Nzg=", "1")


def test_members_of_other_requests_go_by_themselves(start, upstream):
    gateway = start.simple(upstream, upstreams={"up": {
        "url": upstream.url, "breaker": {"failures": 0}, "multicall": "always",
        "multicall_results": "wrapped", "credentials": CREDENTIALS, "inject": INJECT}})
    names = ["other", "first.a", "header.a", "header.a", "second.a", "header.a"]
    results = gateway.batch("up", *((name, i) for i, name in enumerate(names)))
    assert [result["result"][-1] if name != "second.a" else result["result"][0]
            for name, result in zip(names, results)] == list(range(6))
    assert upstream.behave.sizes == [2, 2, 1, 1]
    assert [one for _, _, one in requests(upstream)] == [None, "1", None, "1"]


def test_nothing_of_it_is_told(start):
    async def behave(x):
        await x.answer_fault(1, f"not {x.params[1]} for {x.params[0]}")

    upstream = start.upstream(behave)
    gateway = start.simple(upstream, upstreams={"up": {
        "url": upstream.url, "credentials": CREDENTIALS, "inject": INJECT}})
    problem = assert_problem(gateway.call("up", "first.a", [1]), "fault", 500, "yes")
    assert problem["fault"]["string"] == "not *** for api"
