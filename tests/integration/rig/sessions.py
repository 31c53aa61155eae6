# SPDX-License-Identifier: Apache-2.0
"""A server that wants a session, settings for a gateway before it, and many calls at once."""

import asyncio
import itertools
import json
import xmlrpc.client
from collections import Counter

from rig import crowd
from rig.settings import up_settings

PASSWORD = "s3cret-pw-of-ours"
EXPIRED = {"code": -1, "text": "*session*", "session_expired": True}
LOGIN = {"method": "auth.login", "params": ["{username}", "{password}"]}
LOGOUT = {"method": "auth.logout", "params": ["{session}"]}


class Server:
    """Lets in who has the password; `a.` methods want a session's key as their first param, and
    `open.` methods nothing. All that it is asked to do it counts."""

    def __init__(self):
        self.password = PASSWORD
        self.keys = set()
        self.numbers = itertools.count(1)
        self.counts = Counter()  # of methods, and what is said of them
        self.ran = Counter()  # first params of the caller's own
        self.gate = None  # logins wait for it
        self.loses = False  # the connection, in place of an answer to a login
        self.rights = True
        self.seen = []

    def expire(self):
        self.keys.clear()

    async def login(self, x):
        self.counts["login begun"] += 1
        if self.gate is not None:
            await self.gate.passed()
        self.counts["login"] += 1
        if self.loses:
            return x.close()
        if x.params[1] != self.password:
            self.counts["refused"] += 1
            return await x.answer_fault(5, f"no such user or password: {x.params[1]}")
        key = f"key-{next(self.numbers)}-0123456789abcdef"
        self.keys.add(key)
        await x.answer(key)

    def run(self, method, params):
        if method.startswith(("open.", "system.")):
            self.counts[method] += 1
            return list(params)
        if params[:1] == () or params[0] not in self.keys or not self.rights:
            self.counts["expired"] += 1
            return xmlrpc.client.Fault(-1, f"no session {params[:1]}")
        self.counts[method] += 1
        self.ran[json.dumps(params[1:])] += 1
        if method == "a.fail":
            return xmlrpc.client.Fault(7, f"bad thing with {params[0]}")
        return list(params[1:])

    async def multicall(self, x):
        answers = []
        for call in x.params[0]:
            value = self.run(call["methodName"], tuple(call["params"]))
            if isinstance(value, xmlrpc.client.Fault):
                answers.append({"faultCode": value.faultCode, "faultString": value.faultString})
            else:
                answers.append([value])
        await x.answer(answers)

    async def __call__(self, x):
        self.seen.append((x.method, x.params))
        if x.method == "auth.login":
            return await self.login(x)
        if x.method == "auth.logout":
            self.counts["logout"] += 1
            self.keys.discard(x.params[0])
            return await x.answer(True)
        if x.method == "system.listMethods":
            return await x.answer(["a.echo"])
        if x.method == "system.multicall":
            return await self.multicall(x)
        value = self.run(x.method, x.params)
        if isinstance(value, xmlrpc.client.Fault):
            return await x.answer_fault(value.faultCode, value.faultString)
        await x.answer(value)


class Liar(Server):
    """Its first system.multicall finds some sessions expired; each later one runs all, and says that the
    session of all has."""

    came = None

    async def multicall(self, x):
        if self.came is None:
            return await super().multicall(x)
        values = [call["params"][-1] for call in x.params[0]]
        self.came.append(values)
        if len(self.came) > 1:
            return await x.answer_fault(-1, "no session at all")
        await x.answer([{"faultCode": -1, "faultString": "no session"} if value in (1, 3) else [value]
                        for value in values])


def settings_of(upstream, *, password=PASSWORD, workers=4, logout=LOGOUT, **session):
    session = {"login": LOGIN, "settle": "0s", **session}
    if logout:
        session["logout"] = logout
    more = {"credentials": {"username": "api", "password": password},
            "inject": [{"match": "open.*"}, {"at": 0, "params": ["{session}"]}],
            "session": session, "faults": [EXPIRED]}
    return up_settings(upstream, **more) | {"workers": workers}


def call_all(gateway, n, method="a.echo"):
    """Answers to n calls of as many callers at once, each with its number."""
    async def go():
        callers = await crowd.gather_callers(gateway.tcp, n)
        answers = await asyncio.gather(*(caller.call("up", method, [i])
                                         for i, caller in enumerate(callers)))
        for caller in callers:
            caller.close()
        return answers
    return crowd.run(go())


def session_of(gateway):
    return gateway.get("/v1").json["upstreams"][0]["session"]
