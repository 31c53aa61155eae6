# SPDX-License-Identifier: Apache-2.0
"""What of a batch fails in the gateway fails alone, and is not sent."""

import xmlrpc.client

import pytest

from rig.check import assert_failed, assert_problem
from rig.multicall import Multicall, methods
from rig.settings import up_settings

LOCAL = [
    (5, "invalid-request", 400, "/1"),
    ({}, "invalid-request", 400, "/1"),
    ({"method": 5}, "invalid-request", 400, "/1/method"),
    ({"method": "echo", "param": []}, "invalid-request", 400, "/1/param"),
    ({"method": ""}, "invalid-request", 400, "/1/method"),
    ({"method": "a b"}, "invalid-request", 400, "/1/method"),
    ({"method": "x" * 256}, "invalid-request", 400, "/1/method"),
    ({"method": "system.multicall", "params": [[]]}, "forbidden", 403, "/1/method"),
    ({"method": "secret.it"}, "forbidden", 403, "/1/method"),
    ({"method": "echo", "params": [1, None]}, "unrepresentable", 422, "/1/params/1"),
    ({"method": "echo", "params": [{"a/b": ["\0"]}]}, "unrepresentable", 422,
     "/1/params/0/a~1b/0"),
    ({"method": "echo", "params": {"$int": "x"}}, "unrepresentable", 422, "/1/params"),
    ({"method": "echo", "params": 1 << 40}, "unrepresentable", 422, "/1/params"),
    ({"method": "echo", "params": [[[[[[[[[1]]]]]]]]]}, "invalid-json", 400, None),
]


@pytest.fixture(scope="module")
def guarded(start_shared):
    multicall = Multicall()
    upstream = start_shared.upstream(multicall)
    return start_shared.gateway(up_settings(upstream) | {
        "anonymous": {"allow": ["up/*"], "deny": ["up/secret.*"]}, "limits": {"depth": 8}}
    ), multicall


@pytest.mark.parametrize("item, name, status, pointer", LOCAL)
def test_local_failures(guarded, item, name, status, pointer):
    gateway, multicall = guarded
    multicall.sizes.clear()
    results = gateway.batch("up", ("add", 1, 2), item, ("echo", [7]))
    problem = assert_failed(results[1], name, status, "no")
    if pointer is not None:
        assert problem["pointer"] == pointer
    assert results[0] == {"result": 3} and results[2] == {"result": [7]}
    assert multicall.sizes == [2]


def test_only_local_failures(start):
    upstream = start.upstream(Multicall())
    gateway = start.gateway(up_settings(upstream))
    results = gateway.batch("up", 1, {"method": "system.multicall"}, ("echo", None))
    assert all(list(result) == ["problem"] for result in results)
    assert [x.method for x in upstream.exchanges] in ([], ["system.multicall"])  # the question


def test_a_local_failure_says_where_in_the_body(guarded):
    gateway, _ = guarded
    body = b'[\n {"method": "echo",\n  "params": [[[[[[[[[[1]]]]]]]]]]}]'
    answer = gateway.post_json("/v1/up", body)
    assert "line 3, column" in answer.json["results"][0]["problem"]["detail"]


@pytest.mark.parametrize("body, name", [
    (b"", "invalid-json"), (b"{}", "invalid-request"), (b"[1", "invalid-json"),
    (b'"x"', "invalid-request"), (b'[{"method":"a","method":"b"}]', "invalid-json"),
    (b"[]x", "invalid-json"), (b'[{"method":"a"},]', "invalid-json"),
])
def test_bodies_that_are_no_batch(guarded, body, name):
    assert_problem(guarded[0].post_json("/v1/up", body), name, 400, "no")


def test_the_surface(guarded):
    gateway, _ = guarded
    assert_problem(gateway.request("PUT", "/v1/up", b"[]"), "method-not-allowed", 405)
    assert_problem(gateway.request("POST", "/v1/up", b"[]"), "unsupported-media-type", 415)
    assert_problem(gateway.post_json("/v1/none", []), "not-found", 404)
    assert_problem(gateway.post_json("/v1/up/", []), "not-found", 404)
    assert_problem(gateway.post_json("/v1/up?x=1", []), "invalid-request", 400)
    assert_problem(gateway.post_json("/v1/up", [], X_Rpcgate_Timeout="1"), "invalid-request", 400)
    assert_problem(gateway.post_json("/v1/up", [1], Content_Length=str(1 << 30)),
                   "body-too-large", 413)


def test_query_and_settings_hold_for_each(up):
    gateway, _ = up(Multicall(methods(
        tell=lambda: xmlrpc.client.Binary(b"x"), big=lambda: 2 ** 31 - 1)), text="replace")
    results = gateway.batch("up", ("tell",), ("echo", {"$dateTime": "20000101T00:00:00"}),
                            query="types=tagged")
    assert results == [{"result": {"$base64": "eA=="}},
                       {"result": {"$dateTime": "20000101T00:00:00"}}]
    answer = gateway.post_json("/v1/up", [{"method": "echo", "params": ["a\0b"]},
                                          {"method": "echo", "params": ["\1"]}])
    assert answer.json["results"] == [{"result": "a\ufffdb"}, {"result": "\ufffd"}]
    assert answer.header("X-Rpcgate-Repaired") == "2"


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "UTF-16", "US-ASCII"])
def test_encodings(up, encoding):
    gateway, upstream = up(Multicall(), encoding=encoding)
    assert gateway.batch("up", ("echo", "größer"), 5, ("echo", ["☃"]))[::2] == [
        {"result": "größer"}, {"result": ["☃"]}]
    assert f'encoding="{encoding}"'.encode(
        "utf-16" if encoding == "UTF-16" else "ascii")[2:] in upstream.exchanges[-1].body


def test_extensions(up):
    gateway, upstream = up(Multicall(methods(show=repr)), extensions=["ex:nil", "i8"])
    assert gateway.batch("up", ("show", 1 << 40), ("show", [None])) == [
        {"result": repr(1 << 40)}, {"result": "[None]"}]
    assert b"<ex:nil/>" in upstream.exchanges[-1].body
    assert b"xmlns:ex=" in upstream.exchanges[-1].body
