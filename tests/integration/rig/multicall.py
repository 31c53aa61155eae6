# SPDX-License-Identifier: Apache-2.0
"""system.multicall for scripted upstreams: what servers make of it."""

import inspect
import xmlrpc.client

from .upstream import Exchange


def methods(**functions):
    """The usual ones, and those."""
    table = {"echo": lambda *params: params[0], "add": lambda a, b: a + b, "fail": _fail,
             **functions}
    return table | {"system.listMethods": lambda: sorted(table)}


def _fail(code, text):
    raise xmlrpc.client.Fault(code, text)


class Multicall:
    """A behaviour that has `functions` (name to function or coroutine), and a system.multicall that
    wraps its results, or not, or is not there (`missing`: the code of the fault). Notes how many
    calls each system.multicall had; the question of one call of system.listMethods is a `question`
    instead."""

    def __init__(self, functions: dict | None = None, *, wraps: bool = True,
                 missing: int | None = None, wraps_faults: bool = False):
        self.functions = functions or methods()
        self.wraps, self.missing, self.wraps_faults = wraps, missing, wraps_faults
        self.sizes: list[int] = []
        self.questions = 0
        self.singles: list[str] = []
        self.ran: list[tuple] = []

    async def __call__(self, x: Exchange):
        method, params = x.method, x.params
        if method == "system.multicall":
            await self.multicall(x, params[0])
            return
        self.singles.append(method)
        try:
            await x.answer(await self._run(method, params))
        except xmlrpc.client.Fault as fault:
            await x.answer_fault(fault.faultCode, fault.faultString)

    async def multicall(self, x: Exchange, calls: list):
        if [call["methodName"] for call in calls] == ["system.listMethods"]:
            self.questions += 1
        else:
            self.sizes.append(len(calls))
        if self.missing is not None:
            await x.answer_fault(self.missing, "no such method")
            return
        await x.answer([await self._one(call) for call in calls])

    async def _one(self, call: dict):
        assert set(call) == {"methodName", "params"} and isinstance(call["params"], list)
        try:
            value = await self._run(call["methodName"], call["params"])
            return [value] if self.wraps else value
        except xmlrpc.client.Fault as fault:
            struct = {"faultCode": fault.faultCode, "faultString": fault.faultString}
            return [struct] if self.wraps_faults else struct

    async def _run(self, method: str, params):
        if method not in self.functions:
            raise xmlrpc.client.Fault(-32601, f"no method {method}")
        self.ran.append((method, *params))
        value = self.functions[method](*params)
        return await value if inspect.isawaitable(value) else value


def held(start):
    """An upstream whose method `wait` answers its param, or 1, when the gate has been opened."""
    async def wait(value=1):
        await gate.passed()
        return value

    upstream = start.upstream(Multicall(methods(wait=wait)))
    gate = upstream.gate()
    return upstream, gate
