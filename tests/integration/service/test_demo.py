# SPDX-License-Identifier: Apache-2.0
"""rpcgated --demo: the real gateway with a real server behind it, in one process."""

import re

import pytest

from rig.check import assert_problem


@pytest.fixture(scope="module")
def demo(start_shared):
    return start_shared.gateway(None, arguments=("--demo", "--listen", "127.0.0.1:0"))


def call(demo, method, *params):
    return demo.call("demo", method, list(params))


def test_demo_methods(demo):
    assert call(demo, "demo.add", 2, 3).result == 5
    for value in (1, "ü<&>", [1, {"a": []}], {"x": 1.5}, True):
        assert call(demo, "demo.echo", value).result == value
    assert re.match(r"\d{4}-\d\d-\d\dT", call(demo, "demo.now").result)
    assert call(demo, "demo.sleep", 0).status == 200


def test_demo_types(demo):
    plain = call(demo, "demo.types").result
    tagged = demo.call("demo", "demo.types", query="types=tagged").result
    assert set(plain) == set(tagged)
    kinds = {type(value) for value in plain.values()}
    assert kinds >= {bool, int, float, str, list, dict}
    tags = {name for value in tagged.values() if isinstance(value, dict) for name in value}
    assert tags >= {"$dateTime", "$base64"}


def test_demo_route(demo):
    assert demo.get("/sums/20?b=22").result == 42
    assert demo.get("/sums/41").result == 42
    assert_problem(demo.get("/sums/x"), "invalid-request", 400, "no")
    assert list(demo.get("/-/routes.json").json["paths"]) == ["/sums/{a}"]


def test_demo_links(demo):
    links = demo.get("/").json["links"]
    assert {"/v1", "/-/routes.json", "/openapi.json", "/jsonrpc/demo", "/xmlrpc/demo"} <= set(links)


def test_demo_explorer(demo):
    """Where a call changes nothing it does not ask."""
    assert demo.get("/", Accept="text/html").body.startswith(b"<!doctype html>")
    assert demo.get("/v1/demo/demo.add").json["safe"] is True
    assert demo.get("/v1/demo/demo.sleep").json["safe"] is False


def test_demo_fault(demo):
    assert_problem(call(demo, "demo.fault", 4, "my fault"), "fault", 500, "yes", upstream="demo",
                   method="demo.fault", fault={"code": 4, "string": "my fault"})
    assert_problem(call(demo, "demo.none"), "fault", 404, "no")
    assert_problem(call(demo, "demo.add", "a", 1), "fault", 400)


def test_demo_introspection(demo):
    methods = call(demo, "system.listMethods").result
    assert {"demo.add", "demo.echo", "demo.types", "demo.now", "demo.sleep", "demo.fault",
            "system.listMethods", "system.methodSignature", "system.methodHelp",
            "system.multicall"} <= set(methods)
    assert call(demo, "system.methodSignature", "demo.add").result == [["int", "int", "int"]]
    for method in methods:
        assert call(demo, "system.methodHelp", method).result


def test_validator1(demo):
    """The eight methods of the validator1 suite, http://xmlrpc.com/validator1Docs."""
    def validate(name, *params):
        return call(demo, f"validator1.{name}", *params).result
    assert validate("arrayOfStructsTest", [{"moe": 1, "curly": 2, "larry": 3},
                                           {"moe": 4, "curly": 5, "larry": 6}]) == 7
    assert validate("countTheEntities", "<<&'\"\">a") == {
        "ctLeftAngleBrackets": 2, "ctRightAngleBrackets": 1, "ctAmpersands": 1,
        "ctApostrophes": 1, "ctQuotes": 2}
    assert validate("easyStructTest", {"moe": 1, "larry": 2, "curly": 4}) == 7
    struct = {"a": [1, {"b": "c"}], "d": True}
    assert validate("echoStructTest", struct) == struct
    assert validate("manyTypesTest", 1, True, "x", 2.5, {"$dateTime": "19980717T14:08:55"},
                    {"$base64": "AAE="}) == [1, True, "x", 2.5, "1998-07-17T14:08:55", "AAE="]
    assert validate("moderateSizeArrayCheck", ["first", *["x"] * 150, "last"]) == "firstlast"
    calendar = {"2000": {"04": {"01": {"moe": 1, "larry": 2, "curly": 3}}}}
    assert validate("nestedStructTest", calendar) == 6
    assert validate("simpleStructReturnTest", 3) == {"times10": 30, "times100": 300,
                                                     "times1000": 3000}
