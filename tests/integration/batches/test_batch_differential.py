# SPDX-License-Identifier: Apache-2.0
"""Batches against xmlrpc.client.MultiCall: of values made at random, in both shapes, each must come
out as MultiCall has it, and byte for byte as the same call has it alone."""

import json
import xmlrpc.client
from xmlrpc.server import SimpleXMLRPCDispatcher

import pytest

from rig import generate
from rig.codec import parse_json
from rig.python_client import Form, same

VALUES = 150 * generate.MORE
EXTENSIONS = ["nil", "i8", "biginteger", "bigdecimal", "nonfinite"]


class Items(SimpleXMLRPCDispatcher):
    """Gives out its values by number; some are faults."""

    def __init__(self, values: list, bare: bool):
        super().__init__(allow_none=True, use_builtin_types=False)
        self._values, self._bare = values, bare
        self.register_function(self._item, "item")
        self.register_function(self._multicall, "system.multicall")

    def _item(self, number: int):
        value = self._values[number]
        if isinstance(value, xmlrpc.client.Fault):
            raise value
        return value

    def _multicall(self, calls: list):
        results = self.system_multicall(calls)
        return [result[0] if self._bare and isinstance(result, list) else result
                for result in results]

    async def __call__(self, x):
        # dumps() writes CR as it is; a reader would take it for a line's end.
        await x.respond(self._marshaled_dispatch(x.body).replace(b"\r", b"&#13;"))


def values_of(rng) -> list:
    values = [generate.value(rng) for _ in range(VALUES)]
    values += [[], [[]], [1], [[1]], [[[]]], ["a"], [{}], {"faultCode": 1}, {"faultString": "x"},
               {"faultCode": 1, "faultString": "x", "more": True}, None, "", False]
    values += [xmlrpc.client.Fault(n, f"fault {n} <&> é") for n in (-32601, 0, 7, 2**31 - 1)]
    rng.shuffle(values)
    return values


@pytest.mark.parametrize("shape", ["wrapped", "bare"])
@pytest.mark.parametrize("types", ["plain", "tagged"])
def test_batches(start, shape, types):
    values = values_of(generate.generator("multicall", shape, types))
    upstream = start.upstream(Items(values, shape == "bare"))
    gateway = start.simple(upstream, upstreams={"up": {
        "url": upstream.url, "extensions": EXTENSIONS, "multicall_results": shape,
        "multicall_max": 61}})
    calls = [{"method": "item", "params": [n]} for n in range(len(values))]
    answer = gateway.request("POST", f"/v1/up?types={types}", json.dumps(calls).encode(),
                             {"Content-Type": "application/json"})
    assert answer.status == 200, answer.body
    trips = [x for x in upstream.exchanges if x.method == "system.multicall"]
    assert len(trips) == 1 + -(-len(values) // 61), "the question, and round trips"
    results = parse_json(answer.body.decode()).get("results")
    assert len(results) == len(values)
    form = Form(types, "number")
    for number, (value, result) in enumerate(zip(values, results, strict=True)):
        alone = gateway.call("up", "item", [number], query=f"types={types}")
        if isinstance(value, xmlrpc.client.Fault):
            fault = result.get("problem").get("fault")
            assert fault.get("string") == value.faultString, generate.again()
            assert alone.json["fault"] == {"code": value.faultCode, "string": value.faultString}
        else:
            assert same([value], [result.get("result")], form), (value, generate.again())
            assert alone.body[len('{"result":'):-1].strip() in answer.body
            assert parse_json(alone.body.decode()).get("result") == result.get("result")
