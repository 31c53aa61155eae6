# SPDX-License-Identifier: Apache-2.0
"""POST /jsonrpc/{upstream}: JSON-RPC 2.0, https://www.jsonrpc.org/specification."""

import json
import os
import shutil
import subprocess

import pytest

from rig.check import assert_problem
from rig.multicall import Multicall, methods
from rig.settings import DEADLINE, TOP

CLIENTS = TOP / "tests/integration/clients"


def subtract(*params):
    """By position, or by name in one struct."""
    if len(params) == 1:
        return params[0]["minuend"] - params[0]["subtrahend"]
    return params[0] - params[1]


FUNCTIONS = methods(
    subtract=subtract, sum=lambda *numbers: sum(numbers), get_data=lambda: ["hello", 5],
    update=lambda *_: 0, notify_hello=lambda *_: 0, notify_sum=lambda *_: 0, count=lambda *p: len(p))


@pytest.fixture(scope="module")
def multicall():
    return Multicall(FUNCTIONS)


@pytest.fixture(scope="module")
def gateway(start_shared, multicall):
    upstream = start_shared.upstream(multicall)
    up = {"url": upstream.url, "breaker": {"failures": 0}}
    return start_shared.gateway({
        "anonymous": {"allow": ["*/*"], "deny": ["up/secret.*"]},
        "limits": {"depth": 8, "body": "64K"},
        "log": {"format": "json"},
        "upstreams": {"up": up, "aside": {**up, "multicall": "never"},
                      "nil": {**up, "extensions": ["nil"]}}})


def shown(response):
    """A response without `data`, which the specification leaves to us."""
    if "error" in response:
        assert set(response) == {"jsonrpc", "error", "id"}
        assert set(response["error"]) == {"code", "message", "data"}
        problem = response["error"].pop("data")
        assert problem["type"].startswith("urn:rpcgate:problem:") and problem["detail"]
    else:
        assert set(response) == {"jsonrpc", "result", "id"}
    return response


def ask(gateway, text, upstream="up"):
    """What is answered to that text; None: nothing."""
    answer = gateway.jsonrpc(upstream, text.encode() if isinstance(text, str) else text)
    if answer.status == 204:
        assert answer.body == b"" and answer.header("Content-Type") is None
        return None
    assert answer.status == 200, (answer.status, answer.body)
    assert answer.header("Content-Type") == "application/json"
    if isinstance(answer.json, list):
        assert answer.json
        return [shown(response) for response in answer.json]
    return shown(answer.json)


# Section 7 of the specification: what is sent, and what comes back.

EXAMPLES = {
    "positional": (
        '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
        '{"jsonrpc": "2.0", "result": 19, "id": 1}'),
    "positional, the other way": (
        '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
        '{"jsonrpc": "2.0", "result": -19, "id": 2}'),
    "named": (
        '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, '
        '"id": 3}',
        '{"jsonrpc": "2.0", "result": 19, "id": 3}'),
    "named, the other way": (
        '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, '
        '"id": 4}',
        '{"jsonrpc": "2.0", "result": 19, "id": 4}'),
    "notification": ('{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', None),
    "notification of nothing": ('{"jsonrpc": "2.0", "method": "foobar"}', None),
    "no such method": (
        '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
        '{"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "1"}'),
    "invalid JSON": (
        '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
        '{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}'),
    "invalid request": (
        '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
        '{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}'),
    "batch of invalid JSON": (
        '[\n  {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},\n'
        '  {"jsonrpc": "2.0", "method"\n]',
        '{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}'),
    "empty batch": (
        '[]',
        '{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}'),
    "invalid batch": (
        '[1]',
        '[{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, '
        '"id": null}]'),
    "invalid batch of three": (
        '[1,2,3]',
        '[' + ','.join(['{"jsonrpc": "2.0", "error": {"code": -32600, "message": '
                        '"Invalid Request"}, "id": null}'] * 3) + ']'),
    "batch": (
        '''[
        {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
        {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
        ]''',
        '''[
        {"jsonrpc": "2.0", "result": 7, "id": "1"},
        {"jsonrpc": "2.0", "result": 19, "id": "2"},
        {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
        {"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "5"},
        {"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"}
        ]'''),
    "batch of notifications": (
        '''[
        {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
        ]''', None),
}


@pytest.mark.parametrize("upstream", ["up", "aside"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_of_the_specification(gateway, name, upstream):
    sent, expected = EXAMPLES[name]
    assert ask(gateway, sent, upstream) == (expected and json.loads(expected))


# Envelopes.

@pytest.mark.parametrize("number", ["1", "-0", "1.50", "1e2", "12345678901234567890123", "0.1",
                                    '"x"', '""', '"\\u00e9\\n"', "null", '"1"'])
def test_ids_are_kept_to_the_letter(gateway, number):
    call = '{"jsonrpc": "2.0", "method": "count", "id": %s }' % number
    assert gateway.jsonrpc("up", call.encode()).body.endswith(b',"id":%s}' % number.encode())
    failing = '{"jsonrpc": "2.0", "method": "fail", "params": [1, "x"], "id": %s}' % number
    assert gateway.jsonrpc("up", failing.encode()).body.endswith(b',"id":%s}' % number.encode())
    batch = gateway.jsonrpc("up", f"[{call},{failing}]".encode()).body
    assert batch.count(b'"id":' + number.encode() + b"}") == 2


@pytest.mark.parametrize("request_, code", [
    ('{"method": "count", "id": 1}', -32600),
    ('{"jsonrpc": "1.0", "method": "count", "id": 1}', -32600),
    ('{"jsonrpc": 2.0, "method": "count", "id": 1}', -32600),
    ('{"jsonrpc": "2.0", "id": 1}', -32600),
    ('{"jsonrpc": "2.0", "method": null, "id": 1}', -32600),
    ('{"jsonrpc": "2.0", "method": "", "id": 1}', -32600),
    ('{"jsonrpc": "2.0", "method": "count", "params": "text", "id": 1}', -32600),
    ('{"jsonrpc": "1.0", "method": "count", "params": null, "id": 1}', -32600),
    ('{"method": "count", "params": null, "id": 1}', -32600),
    ('{"jsonrpc": "2.0", "method": "count", "params": false, "id": 1}', -32600),
    ('{"jsonrpc": "2.0", "method": "secret.it", "id": 1}', -32601),
    ('{"jsonrpc": "2.0", "method": "system.multicall", "params": [[]], "id": 1}', -32601),
    ('{"jsonrpc": "2.0", "method": "count", "params": [null], "id": 1}', -32602),
    ('{"jsonrpc": "2.0", "method": "count", "params": {"a": {"$int": "x"}}, "id": 1}', -32602),
    ('{"jsonrpc": "2.0", "method": "count", "params": [[[[[[[[[9]]]]]]]]], "id": 1}', -32700),
    ('{"jsonrpc": "2.0", "method": "fail", "params": [-32602, "bad"], "id": 1}', -32602),
    ('{"jsonrpc": "2.0", "method": "fail", "params": [7, "seven"], "id": 1}', 7),
])
def test_errors(gateway, request_, code):
    alone = ask(gateway, request_)
    assert (alone["error"]["code"], alone["id"]) == (code, 1)
    assert ask(gateway, f"[{request_}]") == [alone]


def test_params_of_null_are_none(gateway):
    """`null` is no value for params, but many clients send it for what is left out."""
    call = '{"jsonrpc": "2.0", "method": "count", "params": null, "id": 1}'
    response = {"jsonrpc": "2.0", "result": 0, "id": 1}
    assert ask(gateway, call) == response
    assert ask(gateway, call, "nil") == response, "it is no null that is sent"
    assert ask(gateway, f"[{call}, {call}]") == [response, response]
    assert ask(gateway, f"[{call}, {call}]", "aside") == [response, response]
    assert gateway.jsonrpc("up", call.replace(', "id": 1', "").encode()).status == 204


@pytest.mark.parametrize("id_", ["{}", "[]", "true", "false"])
def test_ids_that_are_none(gateway, id_):
    """Such a request is answered with null, for its id cannot be told."""
    answer = ask(gateway, '{"jsonrpc": "2.0", "method": "count", "id": %s}' % id_)
    assert (answer["error"]["code"], answer["id"]) == (-32600, None)


@pytest.mark.parametrize("params, count", [
    ("", 0), (', "params": []', 0), (', "params": [1, [2]]', 2), (', "params": {}', 1),
    (', "params": {"a": 1, "b": 2}', 1), (', "params": [[]]', 1),
])
def test_params(gateway, params, count):
    request = '{"jsonrpc": "2.0", "method": "count"%s, "id": 1}' % params
    assert ask(gateway, request)["result"] == count
    assert ask(gateway, f"[{request}]")[0]["result"] == count


def test_members_in_any_order_and_further_ones(gateway):
    assert ask(gateway, ' {"id":1,"x":[{}],"params":[5],"method":"count","jsonrpc":"2.0"} ') == {
        "jsonrpc": "2.0", "result": 1, "id": 1}


def test_a_message_is_the_faults(gateway):
    answer = ask(gateway, '{"jsonrpc":"2.0","method":"fail","params":[7,"it \\"broke\\""],"id":1}')
    assert answer["error"] == {"code": 7, "message": 'it "broke"'}


def test_the_problem_is_in_data(gateway):
    answer = gateway.jsonrpc("up", b'{"jsonrpc":"2.0","method":"count","params":[1,null],"id":1}')
    problem = answer.json["error"]["data"]
    assert problem["type"] == "urn:rpcgate:problem:unrepresentable" and problem["status"] == 422
    assert problem["pointer"] == "/params/1" and problem["executed"] == "no"
    assert problem["request_id"] == answer.header("X-Request-Id")
    assert (problem["upstream"], problem["method"]) == ("up", "count")


def test_null_results(gateway):
    assert ask(gateway, '{"jsonrpc":"2.0","method":"echo","params":[null],"id":1}', "nil") == {
        "jsonrpc": "2.0", "result": None, "id": 1}


def test_names_twice_are_no_json(gateway):
    answer = ask(gateway, '{"jsonrpc":"2.0","method":"count","id":1,"id":2}')
    assert (answer["error"]["code"], answer["id"]) == (-32700, None)


# Notifications.

@pytest.mark.parametrize("call", [
    '{"jsonrpc":"2.0","method":"fail","params":[1,"x"]}',
    '{"jsonrpc":"2.0","method":"secret.it"}',
    '{"jsonrpc":"2.0","method":"count","params":[null]}',
])
def test_nothing_is_answered_to_notifications(gateway, call):
    assert ask(gateway, call) is None
    assert ask(gateway, f"[{call},{call}]") is None
    assert ask(gateway, '[%s,{"jsonrpc":"2.0","method":"count","id":0}]' % call) == [
        {"jsonrpc": "2.0", "result": 0, "id": 0}]


@pytest.mark.parametrize("upstream", ["up", "aside"])
def test_notifications_are_made(gateway, multicall, upstream):
    """204 says that their calls have ended."""
    multicall.ran.clear()
    call = '{"jsonrpc":"2.0","method":"update","params":["%s"]}'
    assert ask(gateway, call % "alone", upstream) is None
    assert multicall.ran == [("update", "alone")]
    assert ask(gateway, f"[{call % 'a'},{call % 'b'}]", upstream) is None
    assert sorted(multicall.ran[-2:]) == [("update", "a"), ("update", "b")]


def test_connection_goes_on_after_204(gateway):
    body = b'{"jsonrpc":"2.0","method":"update"}'
    head = b"POST /jsonrpc/up HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with gateway.connect() as connection:
        for _ in range(3):
            connection.send(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert connection.answer().status == 204


# Batches.

def test_a_batch_is_one_multicall(gateway, multicall):
    ask(gateway, '[{"jsonrpc":"2.0","method":"count","id":1}]')  # asks for the shape
    multicall.sizes.clear()
    multicall.singles.clear()
    calls = [{"jsonrpc": "2.0", "method": "echo", "params": [[n]], "id": n} for n in range(50)]
    assert ask(gateway, json.dumps(calls)) == [
        {"jsonrpc": "2.0", "result": [n], "id": n} for n in range(50)]
    assert (multicall.sizes, multicall.singles) == ([50], [])


def test_a_single_call_is_none(gateway, multicall):
    multicall.singles.clear()
    ask(gateway, '{"jsonrpc":"2.0","method":"count","id":1}')
    assert multicall.singles == ["count"]


# What is found before the body is parsed is a problem.

def test_problems(gateway):
    call = b'{"jsonrpc":"2.0","method":"count","id":1}'
    assert_problem(gateway.jsonrpc("none", call), "not-found", 404)
    assert_problem(gateway.get("/jsonrpc/up"), "method-not-allowed", 405)
    assert gateway.get("/jsonrpc/up").header("Allow") == "POST"
    assert_problem(gateway.request("POST", "/jsonrpc/up", call), "unsupported-media-type", 415)
    assert_problem(gateway.jsonrpc("up", b" " * 70_000), "body-too-large", 413)
    assert_problem(gateway.post_json("/jsonrpc", {}), "not-found", 404)
    assert_problem(gateway.post_json("/jsonrpc/up/count", {}), "not-found", 404)
    assert_problem(gateway.jsonrpc("up", call, Host="elsewhere"), "misdirected", 421)
    assert_problem(gateway.jsonrpc("up", call, Origin="http://else"), "forbidden", 403)


def test_unknown_callers(start):
    upstream = start.upstream(Multicall())
    gateway = start.gateway({"upstreams": {"up": {"url": upstream.url}}})
    answer = gateway.jsonrpc("up", {"jsonrpc": "2.0", "method": "echo", "id": 1})
    assert_problem(answer, "unauthenticated", 401)


def test_the_media_type_of_its_own(gateway):
    call = b'{"jsonrpc":"2.0","method":"count","id":1}'
    headers = {"Content-Type": "application/json-rpc"}
    assert gateway.request("POST", "/jsonrpc/up", call, headers).json["result"] == 0
    assert gateway.request("POST", "/v1/up", b"[]", headers).status == 415


def test_an_empty_body_is_no_json(gateway):
    assert ask(gateway, b"")["error"]["code"] == -32700


def test_rates(start):
    token = "t" * 32
    upstream = start.upstream(Multicall())
    gateway = start.gateway({"upstreams": {"up": {"url": upstream.url}}, "callers": (
        {"name": "c", "token": token, "allow": ["*/*"], "rate": 1, "burst": 2},)})
    bearer = {"Authorization": f"Bearer {token}"}
    call = {"jsonrpc": "2.0", "method": "echo", "params": [1], "id": 1}
    answer = gateway.jsonrpc("up", [call] * 3, **bearer).json
    assert (answer["error"]["code"], answer["id"]) == (-32000, None)
    assert answer["error"]["data"]["type"] == "urn:rpcgate:problem:rate-limited"
    assert upstream.exchanges == []
    assert len(gateway.jsonrpc("up", [call] * 2, **bearer).json) == 2
    answer = gateway.jsonrpc("up", call, **bearer)
    assert (answer.json["error"]["code"], answer.json["id"]) == (-32000, 1)
    assert answer.status == 200 and int(answer.header("Retry-After")) >= 1


def test_failures_of_the_upstream(start):
    async def behave(x):
        x.reset()

    gateway = start.gateway({"anonymous": {"allow": ["*/*"]},
                             "upstreams": {"up": {"url": start.upstream(behave).url}}})
    answer = gateway.jsonrpc("up", {"jsonrpc": "2.0", "method": "echo", "id": 1}).json
    assert answer["error"]["code"] == -32000
    assert answer["error"]["data"]["type"] == "urn:rpcgate:problem:connection-lost"
    assert answer["error"]["data"]["executed"] == "unknown"


def test_access_lines(gateway):
    def line(value):
        return gateway.access_line(gateway.jsonrpc("up", value).header("X-Request-Id"))

    call = {"jsonrpc": "2.0", "method": "count", "id": 1}
    alone = line(call)
    assert (alone["method"], alone["status"]) == ("count", 200) and "calls" not in alone
    failed = line({**call, "method": "fail", "params": [7, "x"]})
    assert (failed["problem"], failed["fault_code"]) == ("fault", 7)
    batch = line([call, 1])
    assert batch["calls"] == 2 and "method" not in batch
    assert line(b"[").get("problem") == "invalid-json"


# Clients that nobody here wrote.

def run_client(gateway, *command):
    done = subprocess.run([*command, f"http://127.0.0.1:{gateway.tcp[1]}/jsonrpc/up"],
                          capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all is well\n")


@pytest.mark.parametrize("package", ["jayson", "json-rpc-2.0"])
def test_clients_for_node(gateway, package):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    probe = subprocess.run([node, "-e", f"require('{package}')"], capture_output=True,
                           timeout=DEADLINE, check=False)
    if probe.returncode != 0:
        pytest.skip(f"{package} is not installed (npm install {package}, and NODE_PATH)")
    run_client(gateway, node, str(CLIENTS / f"{package}.js"))


def test_client_for_python(gateway):
    python = shutil.which("python3", path="/usr/bin:" + os.environ.get("PATH", os.defpath))
    probe = subprocess.run([python, "-c", "import jsonrpclib"], capture_output=True,
                           timeout=DEADLINE, check=False)
    if probe.returncode != 0:
        pytest.skip("python3-jsonrpclib-pelix is not installed")
    run_client(gateway, python, str(CLIENTS / "jsonrpclib_pelix.py"))
