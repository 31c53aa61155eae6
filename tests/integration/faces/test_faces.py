# SPDX-License-Identifier: Apache-2.0
"""Whatever the way of a call, the same rules hold: each face is asked for the same, and answers the
same in its own words."""

import json
import xmlrpc.client
from dataclasses import dataclass

import pytest

from rig.mcp import LEGACY, MODERN, Mcp
from rig.settings import up_settings
from rig.upstream import echo

TOKEN, NARROW = "t" * 32, "n" * 32


@dataclass
class Told:
    """What became of a call: its value, or the problem's name and what ran."""

    status: int
    value: object = None
    problem: str | None = None
    executed: str | None = None
    code: int | None = None  # of an upstream's fault
    text: str = ""


def _of_problem(status, problem) -> Told:
    return Told(status, None, problem["type"].rpartition(":")[2], problem.get("executed"),
                problem.get("fault", {}).get("code"), json.dumps(problem))


class Face:
    def __init__(self, name: str, several: bool):
        self.name, self.several = name, several

    def __repr__(self):
        return self.name + ("-several" if self.several else "")

    @property
    def word(self) -> str:
        """As `faces` and the log have it."""
        return "json" if self.name == "route" else self.name.partition("_")[0]

    def call(self, gateway, method, params, token=TOKEN, upstream="up", **headers) -> Told:
        headers = {"Authorization": f"Bearer {token}"} | {
            name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(self, "_" + self.name)(gateway, upstream, method, params, headers)

    def _json(self, gateway, upstream, method, params, headers):
        path = f"/v1/{upstream}" + ("" if self.several else f"/{method}")
        body = [{"method": method, "params": params}] if self.several else params
        answer = gateway.request("POST", path, json.dumps(body).encode(),
                                 {"Content-Type": "application/json", **headers})
        told = answer.json["results"][0] if "results" in answer.json else answer.json
        if "result" in told:
            return Told(answer.status, told["result"])
        return _of_problem(answer.status, told.get("problem", told))

    def _route(self, gateway, upstream, method, params, headers):
        """One of routes_of(): its body has the param by name."""
        body = dict(zip(("value",), params))
        answer = gateway.request("POST", f"/of/{upstream}/{method}", json.dumps(body).encode(),
                                 {"Content-Type": "application/json", **headers})
        if answer.status == 200:
            return Told(200, answer.result)
        return _of_problem(answer.status, answer.json)

    def _jsonrpc(self, gateway, upstream, method, params, headers):
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = gateway.request("POST", f"/jsonrpc/{upstream}",
                                 json.dumps([body] if self.several else body).encode(),
                                 {"Content-Type": "application/json", **headers})
        told = answer.json[0] if isinstance(answer.json, list) else answer.json
        if "result" in told:
            return Told(answer.status, told["result"])
        return _of_problem(answer.status, told["error"]["data"] if "error" in told else told)

    def _xmlrpc(self, gateway, upstream, method, params, headers):
        asked = ((([{"methodName": method, "params": params}],), "system.multicall")
                 if self.several else (tuple(params), method))
        answer = gateway.request("POST", f"/xmlrpc/{upstream}",
                                 xmlrpc.client.dumps(*asked, allow_none=True).encode(),
                                 {"Content-Type": "text/xml", **headers})
        if answer.status != 200:
            return _of_problem(answer.status, answer.json)
        try:
            value = xmlrpc.client.loads(answer.body)[0][0]
        except xmlrpc.client.Fault as fault:
            value = {"faultCode": fault.faultCode, "faultString": fault.faultString}
        if self.several and isinstance(value, list):
            value = value[0]
            if isinstance(value, list):
                return Told(200, value[0])
        elif not isinstance(value, dict) or "faultCode" not in value:
            return Told(200, value)
        return self._of_fault(value["faultCode"], value["faultString"])

    def _mcp(self, gateway, upstream, method, params, headers, era=MODERN):
        """The server `all` has all methods of both upstreams as tools, but for system.multicall."""
        mcp = Mcp(gateway, "all", era)
        mcp.own = headers
        answer = mcp.ask("tools/call", {"name": f"{upstream}__{method.replace('.', '_')}",
                                        "arguments": {"params": params}})
        if answer.status != 200:
            return _of_problem(answer.status, answer.json)
        if "error" in answer.json:
            return _of_problem(200, answer.json["error"]["data"])
        result = answer.json["result"]
        if result["isError"]:
            return _of_problem(200, result["structuredContent"])
        return Told(200, result["structuredContent"]["result"])

    def _mcp_legacy(self, *asked):
        return self._mcp(*asked, era=LEGACY[0])

    @staticmethod
    def _of_fault(code, text):
        if "; executed: " not in text:
            return Told(200, None, "fault", "yes", code, text)
        name, _, rest = text.partition(": ")
        return Told(200, None, name, rest.rpartition("; executed: ")[2].partition(";")[0], None, text)


FACES = [Face(name, several) for name in ("json", "jsonrpc", "xmlrpc") for several in (False, True)]
FACES += [Face("route", False), Face("mcp", False), Face("mcp_legacy", False)]

METHODS = ("by", "denied", "other", "never", "lost", "fault")

TOOLS = [{"match": f"{upstream}/{method}", "write": True} for upstream in ("up", "other")
         for method in METHODS]


def routes_of(*upstreams: str) -> list[dict]:
    return [{"name": f"{upstream}-{method}", "post": f"/of/{upstream}/{method}",
             "call": f"{upstream}/{method}",
             "params": ({"name": "value", "type": "any", "optional": True},)}
            for upstream in upstreams for method in METHODS]


async def behave(x):
    if x.method == "system.multicall":
        await x.answer_fault(-32601, "no such method")
    elif x.method == "lost":
        x.reset()
    elif x.method == "fault":
        await x.answer_fault(-7, f"bad key {x.params[-1]}")
    elif x.method == "never":
        await x.gone()
    else:
        await echo(x)


@pytest.fixture(scope="module")
def settings(start_shared):
    upstream = start_shared.upstream(behave)
    settings = up_settings(upstream, credentials={"key": "secret-of-the-gateway"},
                           inject=[{"match": "fault", "at": -1, "params": ["{key}"]}],
                           retry={"attempts": 1})
    del settings["anonymous"]
    return upstream, settings | {
        "log": {"format": "json"}, "limits": {"body": "8K", "depth": 8},
        "mcp": [{"name": "all", "tools": TOOLS[:6]}], "routes": routes_of("up"),
        "callers": [
            {"name": "wide", "token": TOKEN, "allow": ["up/*"], "deny": ["up/denied"]},
            {"name": "narrow", "token": NARROW,
             "allow": [{"match": "up/by", "params": [{"at": 0, "in": ["read"]}]}]}]}


@pytest.fixture(scope="module")
def gateway(start_shared, settings):
    return start_shared.gateway(settings[1])


def nested(depth: int):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def executed(settings) -> int:
    """How many calls have reached the upstream, but for the question after its multicall."""
    return len([x for x in settings[0].exchanges if x.method != "system.multicall"])


#: By name: what is called, by whom, and the problem's name and what ran of it; None: the value.
RULES = {
    "allowed": (("by", ["x"]), {}, None),
    "denied": (("denied", []), {}, ("forbidden", "no")),
    "multicall by name": (("system.multicall", [[]]), {}, ("forbidden", "no")),
    "params that are allowed": (("by", ["read"]), {"token": NARROW}, None),
    "other params": (("by", ["write"]), {"token": NARROW}, ("forbidden", "no")),
    "params of another type": (("by", [5]), {"token": NARROW}, ("forbidden", "no")),
    "another method": (("other", ["read"]), {"token": NARROW}, ("forbidden", "no")),
    "wrong token": (("by", ["x"]), {"token": "w" * 32}, ("unauthenticated", "no")),
    "no such upstream": (("by", ["x"]), {"upstream": "other"}, ("not-found", "no")),
    "too large": (("by", ["x" * 9000]), {}, ("body-too-large", "no")),
    "nil without the extension": (("by", [None]), {}, ("unrepresentable", "no")),
    "too slow": (("never", []), {"X_Rpcgate_Timeout": "300ms"}, ("timeout", "unknown")),
    "lost": (("lost", []), {}, ("connection-lost", "unknown")),
    "fault": (("fault", []), {}, ("fault", "yes")),
}


#: What a caller may not use by any params is no tool for it; nor is a route there without a right, but
#: one that is denied says so.
OF_TOOLS = dict.fromkeys(("denied", "multicall by name", "another method", "no such upstream"),
                         ("not-found", "no"))
OF_ROUTES = dict.fromkeys(("multicall by name", "another method"), ("not-found", "no"))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("face", FACES, ids=repr)
def test_rules(gateway, settings, face, rule):
    (method, params), how, expected = RULES[rule]
    if face.word == "mcp" or face.name == "route":
        expected = (OF_TOOLS if face.word == "mcp" else OF_ROUTES).get(rule, expected)
    if rule == "multicall by name" and face.name == "xmlrpc" and not face.several:
        pytest.skip("there it is what takes several calls")
    before = executed(settings)
    told = face.call(gateway, method, params, **how)
    ran = executed(settings) - before
    if expected is None:
        assert (told.problem, told.value, ran) == (None, params[0], 1)
        return
    assert (told.problem, told.executed) == expected, told
    assert ran == (0 if told.executed == "no" else 1)
    assert "secret-of-the-gateway" not in told.text
    if told.problem == "fault":
        assert told.code == -7 and "bad key ***" in told.text


@pytest.mark.parametrize("face", FACES, ids=repr)
def test_depth(gateway, face):
    assert face.call(gateway, "by", [nested(4)]).problem is None
    assert face.call(gateway, "by", [nested(9)]).problem in ("invalid-json", "invalid-request")


@pytest.mark.parametrize("face", FACES, ids=repr)
def test_rate(start, settings, face):
    """Each call costs one, and is told when to come again."""
    limited = settings[1] | {"callers": [{"name": "wide", "token": TOKEN, "allow": ["up/*"],
                                          "rate": 1, "burst": 2}]}
    gateway = start.gateway(limited)
    told = [face.call(gateway, "by", ["x"]) for _ in range(3)]
    assert [each.problem for each in told] == [None, None, "rate-limited"]


@pytest.mark.parametrize("face", FACES, ids=repr)
def test_log_and_metrics(start, settings, face):
    gateway = start.gateway(settings[1])
    request_id = f"face-{face!r}"
    assert face.call(gateway, "by", ["x"], X_Request_Id=request_id).value == "x"
    line = gateway.access_line(request_id)
    assert (line["face"], line["caller"], line["upstream"], line["status"]) == \
        (face.word, "wide", "up", 200)
    assert line.get("calls") == (1 if face.several else None)
    assert face.several or line["method"] == "by"
    assert line.get("route") == ("up-by" if face.name == "route" else None)
    assert (line.get("mcp"), line.get("tool")) == \
        (("all", "up__by") if face.word == "mcp" else (None, None))
    counted = gateway.get("/metrics", Authorization=f"Bearer {TOKEN}").body.decode()
    assert 'rpcgate_requests_total{upstream="up",method="by",outcome="ok"} 1\n' in counted
    requests = [line for line in counted.splitlines()
                if line.startswith("rpcgate_face_requests_total")]
    assert requests == [f'rpcgate_face_requests_total{{upstream="up",face="{face.word}"}} 1']


def test_root_links_to_all(start, settings):
    """Where this caller can make calls, by whatever face."""
    up = settings[1]["upstreams"]["up"]
    upstreams = {f"only-{name}": up | {"faces": [name]}
                 for name in ("json", "jsonrpc", "xmlrpc", "mcp")}
    gateway = start.gateway(settings[1] | {
        "upstreams": {"up": up, **upstreams}, "callers": [
            {"name": "all", "token": TOKEN, "allow": ["*/*"]},
            {"name": "narrow", "token": NARROW, "allow": ["only-xmlrpc/by", "@up-by"]}]})
    fixed = ["/v1", "/livez", "/readyz", "/metrics", "/openapi.json", "/-/routes.json"]
    for token, wanted in ((TOKEN, ["/jsonrpc/up", "/xmlrpc/up", "/jsonrpc/only-jsonrpc",
                                   "/xmlrpc/only-xmlrpc", "/mcp/all"]),
                          (NARROW, ["/xmlrpc/only-xmlrpc"])):
        links = gateway.get("/", Authorization=f"Bearer {token}").json["links"]
        assert links == fixed + wanted


@pytest.mark.parametrize("face", FACES, ids=repr)
def test_faces_of_an_upstream(start, settings, face):
    up = settings[1]["upstreams"]["up"]
    gateway = start.gateway(settings[1] | {"upstreams": {
        "up": up | {"faces": [face.word]},
        "other": up | {"faces": [name for name in ("json", "jsonrpc", "xmlrpc", "mcp")
                                 if name != face.word]}}} | {
        "mcp": [{"name": "all", "tools": TOOLS}], "routes": routes_of("up", "other"),
        "callers": [{"name": "wide", "token": TOKEN, "allow": ["*/*"]}]})
    assert face.call(gateway, "by", ["x"]).value == "x"
    told = face.call(gateway, "by", ["x"], upstream="other")
    assert (told.status, told.problem) == (200 if face.word == "mcp" else 404, "not-found")
