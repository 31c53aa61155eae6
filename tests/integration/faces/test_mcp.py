# SPDX-License-Identifier: Apache-2.0
"""POST /mcp/{name}: which tools there are, what they look like, and what a call of one becomes."""

import json

import pytest

from rig.check import assert_problem
from rig.mcp import ERAS, LEGACY, MODERN, Mcp
from rig.multicall import Multicall, methods
from rig.settings import up_settings
from rig.wire import request

BOT, OTHER, NARROW = "b" * 32, "o" * 32, "n" * 32

SIGNATURES = {
    "add": [["int", "int", "int"]],
    "get.date": [["dateTime.iso8601", "dateTime.iso8601"], ["string", "dateTime.iso8601", "base64"]],
}
HELP = {"add": "Adds \"two\" <b>numbers</b>."}

ROUTES = (
    {"name": "partner", "get": "/partners/{id}", "call": "up/echo", "safe": True,
     "summary": "One partner", "description": "Name and address.",
     "params": ({"struct": ({"name": "id", "type": "int", "min": 1, "description": "Its number."},
                            {"name": "fields", "type": "string[]", "default": ("name",)},
                            {"name": "number", "type": "i8", "optional": True})},)},
    {"name": "start", "post": "/start", "call": "up/echo",
     "params": ({"name": "name"}, {"name": "wait", "type": "boolean", "optional": True})},
    {"name": "quiet", "post": "/quiet", "call": "up/echo", "status": 204, "params": (1,)},
    {"name": "hidden", "post": "/hidden", "call": "up/echo", "params": (1,)},
    {"name": "bare", "get": "/bare", "call": "up/echo", "safe": True, "params": ([5],),
     "result": {"at": "/0", "wrap": False}},
)

TOOLS = ("@partner", "@bare", "up/add", "up/get*",
         {"match": "@start", "write": True, "idempotent": True, "description": "Starts it."},
         {"match": "@quiet", "write": True}, {"match": "up/fail", "write": True},
         {"match": "up/set.*", "write": True})


class Behaviour(Multicall):
    """With a method whose integer has more bits than Python sends."""

    async def __call__(self, x):
        if x.method == "get.big":
            await x.answer_xml(f"<i8>{2 ** 60 + 1}</i8>")
        else:
            await super().__call__(x)


def functions():
    return {
        "echo": lambda *params: params[0], "add": lambda a, b: a + b,
        "get.date": lambda *params: params[0], "get.size": "x".__mul__,
        "get.nested": lambda: {"a": [1, {"b": "é\"\n"}]}, "getall": list, "odd näme": list,
        "set.it": lambda *params: len(params), "get.params": lambda *params: list(params),
        "unsafe": list, "fail": methods()["fail"], "drop.all": list,
        "system.listMethods": lambda: sorted([*functions(), "get.big"]),
        "system.methodSignature": lambda name: SIGNATURES.get(name, "undef"),
        "system.methodHelp": lambda name: HELP.get(name, ""),
    }


def settings_of(upstream, tools=TOOLS, **more):
    settings = up_settings(upstream, extensions=["i8", "nil"], methods=(
        {"match": "get*", "safe": True}, {"match": "add", "safe": True}))
    return settings | {
        "routes": ROUTES, "mcp": ({"name": "ops", "tools": tools, **more},),
        "log": {"format": "json"},
        "callers": ({"name": "bot", "token": BOT, "allow": ("@partner", "up/add"),
                     "deny": ("up/get.big",)},
                    {"name": "other", "token": OTHER, "allow": ("elsewhere/*",)},
                    {"name": "narrow", "token": NARROW, "allow": (
                        {"match": "up/get.params", "params": ({"at": 0, "in": ("read",)},)},)})}


@pytest.fixture(scope="module")
def behaviour():
    return Behaviour(functions())


@pytest.fixture(scope="module")
def gateway(start_shared, behaviour):
    return start_shared.gateway(settings_of(start_shared.upstream(behaviour)))


@pytest.fixture(params=ERAS)
def mcp(request, gateway):
    return Mcp(gateway, era=request.param)


# ---- Which tools there are ----

ALL = ["partner", "bare", "up__add", "start", "quiet", "up__fail",
       "up__get_big", "up__get_date", "up__get_nested", "up__get_params", "up__get_size",
       "up__getall", "up__set_it"]


def test_list(mcp):
    tools = mcp.tools()
    assert list(tools) == ALL
    assert tools["partner"] == {
        "name": "partner", "title": "One partner", "description": "Name and address.",
        "inputSchema": {
            "type": "object", "properties": {
                "id": {"type": "integer", "format": "int32", "minimum": 1,
                       "description": "Its number."},
                "fields": {"type": "array", "items": {"type": "string"}, "default": ["name"]},
                "number": {"type": ["integer", "string"], "format": "int64",
                           "pattern": "^-?[0-9]+$"}},
            "required": ["id"], "additionalProperties": False},
        "annotations": {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True,
                        "openWorldHint": False}}
    assert tools["start"]["description"] == "Starts it."
    assert tools["start"]["annotations"] == {
        "readOnlyHint": False, "destructiveHint": True, "idempotentHint": True,
        "openWorldHint": False}
    assert tools["quiet"]["annotations"]["idempotentHint"] is False
    assert tools["up__add"]["title"] == "up/add"
    assert tools["up__add"]["description"] == HELP["add"]
    assert tools["up__add"]["inputSchema"] == {
        "type": "object", "properties": {"a1": {"type": "integer"}, "a2": {"type": "integer"}},
        "required": ["a1", "a2"], "additionalProperties": False}
    date = tools["up__get_date"]["inputSchema"]
    assert list(date["properties"]) == ["a1", "a2"] and date["required"] == ["a1"]
    assert list(date["properties"]["a1"]["properties"]) == ["$dateTime"]
    unknown = tools["up__get_big"]
    assert list(unknown["inputSchema"]["properties"]) == ["params"]
    assert unknown["description"] == "Calls get.big of the XML-RPC server up."
    assert "required" not in unknown["inputSchema"]


@pytest.mark.parametrize("era", (MODERN, LEGACY[0]))
def test_each_sees_and_uses_its_own(gateway, era):
    bot = Mcp(gateway, era=era, token=BOT)
    assert list(bot.tools()) == ["partner", "up__add"]
    assert bot.value("up__add", {"a1": 1, "a2": 2}) == 3
    for name in ("start", "up__get_big", "up__getall", "nothing", "up__unsafe", "", "é" * 300):
        status, code, error = bot.error("tools/call", {"name": name})
        assert (status, code) == (200, -32602) and error["message"].startswith("Unknown tool: ")
    narrow = Mcp(gateway, era=era, token=NARROW)
    assert list(narrow.tools()) == ["up__get_params"]
    assert narrow.value("up__get_params", {"params": ["read", 1]}) == ["read", 1]
    problem = narrow.problem("up__get_params", {"a1": "write"})
    assert (problem["name"], problem["executed"]) == ("forbidden", "no")


def test_a_server_without_anything_for_the_caller(gateway):
    other = Mcp(gateway, token=OTHER)
    answer = other.ask("tools/list")
    assert_problem(answer, "not-found", 404)
    assert_problem(Mcp(gateway, "opsx").ask("tools/list"), "not-found", 404)
    assert_problem(gateway.get("/mcp"), "not-found", 404)
    links = {token: gateway.get("/", **({"Authorization": f"Bearer {token}"} if token else {}))
             .json["links"] for token in ("", BOT, OTHER)}
    assert "/mcp/ops" in links[""] and "/mcp/ops" in links[BOT]
    assert not [link for link in links[OTHER] if "mcp" in link]


def test_off_unless_written(start):
    gateway = start.gateway(up_settings(start.upstream()))
    assert_problem(Mcp(gateway).ask("tools/list"), "not-found", 404)
    assert not [link for link in gateway.get("/").json["links"] if "mcp" in link]


def test_names(start):
    """Too long, and twice the same: cut, with a hash."""
    names = ["a.b", "a_b", "a:b", "x" * 44, "x" * 45, "y" * 250, "z.z", "z_z"]
    upstream = start.upstream(Multicall({name: lambda: 1 for name in names} | {
        "system.listMethods": lambda: names}))
    mcp = Mcp(start.gateway(settings_of(upstream, ("up/z.z", {"match": "up/*", "write": True}),
                                        ) | {"routes": ()} | {"upstreams": up_settings(
                                            upstream, methods=({"match": "*", "safe": True},)
                                        )["upstreams"]}))
    tools = mcp.tools()
    titles = {tool["title"]: name for name, tool in tools.items()}
    assert set(titles) == {f"up/{name}" for name in names}
    assert all(len(name) <= 48 for name in tools)
    assert titles["up/z.z"] == "up__z_z" and titles["up/" + "x" * 44] == "up__" + "x" * 44
    for name in ("a.b", "a_b", "a:b"):
        assert titles["up/" + name].startswith("up__a_b_") and len(titles["up/" + name]) == 16
    assert titles["up/z_z"].startswith("up__z_z_")
    for name in ("x" * 45, "y" * 250):
        cut = titles["up/" + name]
        assert len(cut) == 48 and cut.startswith("up__" + name[:35] + "_")
    for name in tools:
        assert mcp.value(name) == 1


def test_more_than_max(start):
    names = [f"get{i:02}" for i in range(9)]
    upstream = start.upstream(Multicall({name: lambda: 1 for name in names} | {
        "system.listMethods": lambda: names}))
    gateway = start.gateway(settings_of(upstream, ("up/get*",), max=4))
    mcp = Mcp(gateway)
    assert list(mcp.tools()) == ["up__get00", "up__get01", "up__get02", "up__get03"]
    assert mcp.error("tools/call", {"name": "up__get04"})[1] == -32602
    assert gateway.wait_line(lambda line: "more tools of MCP" in line)


def test_what_servers_tell_of_twice_and_at_length(start):
    upstream = start.upstream(Multicall({
        "get.it": lambda: 1, "system.listMethods": lambda: ["get.it", "get.it"],
        "system.methodHelp": lambda name: "é" * 100_000}))
    tools = Mcp(start.gateway(settings_of(upstream, ("up/get*",)))).tools()
    assert list(tools) == ["up__get_it"]
    description = tools["up__get_it"]["description"]
    assert 4000 < len(description.encode()) < 4200 and description.endswith("é…")


def test_an_upstream_that_is_not_the_callers(start, behaviour):
    """It is not asked, and takes no tool's place."""
    async def never(x):
        await x.gone()

    other = start.upstream(never)
    settings = settings_of(start.upstream(behaviour), ("other/get*", "up/get*"), max=8)
    settings["upstreams"] = {"other": {"url": other.url, "methods": (
        {"match": "get*", "safe": True},)}} | settings["upstreams"]
    settings["callers"] = ({"name": "bot", "token": BOT, "allow": ("up/get.size",)},)
    mcp = Mcp(start.gateway(settings), token=BOT)
    assert list(mcp.tools()) == ["up__get_size"]
    assert mcp.error("tools/call", {"name": "other__get_it"})[1] == -32602
    assert not other.exchanges


def test_a_caller_who_leaves_while_tools_are_looked_for(start):
    """Then nothing is called for him."""
    async def slow(x):
        if x.method == "system.listMethods":
            await gate.passed()
        await Multicall({"set.it": lambda *params: len(params), "system.listMethods": lambda: [
            "set.it"]})(x)

    upstream = start.upstream(slow)
    gate = upstream.gate()
    gateway = start.gateway(settings_of(upstream, ({"match": "up/set*", "write": True},))
                            | {"workers": 1})
    mcp = Mcp(gateway)
    message = mcp.message("tools/call", {"name": "up__set_it", "arguments": {}})
    headers = mcp.headers("tools/call", message["params"]) | {"X-Request-Id": "gone"}
    with gateway.connect() as caller:
        caller.send(request("POST", mcp.path, json.dumps(message).encode(), headers=headers))
        upstream.wait_requests(1)
        caller.reset()
    for _ in range(2):  # the worker has seen what came before
        assert gateway.get("/livez").status == 200
    gate.open()
    assert gateway.access_line("gone")["problem"] == "request-timeout"
    assert "set.it" not in [x.method for x in upstream.exchanges]


def test_upstreams_that_tell_nothing(start):
    """What is written by name is there all the same; a glob matches nothing."""
    async def silent(x):
        if x.method.startswith("system."):
            await x.answer_fault(-32601, "no such method")
        else:
            await x.answer(list(x.params))

    settings = settings_of(start.upstream(silent), ("up/get.it", "up/get*", "down/get*"))
    settings["upstreams"]["down"] = {"url": "http://127.0.0.1:1/",
                                     "methods": ({"match": "*", "safe": True},)}
    mcp = Mcp(start.gateway(settings))
    assert list(mcp.tools()) == ["up__get_it"]
    assert mcp.value("up__get_it", {"params": [1, "x"]}) == [1, "x"]
    problem = mcp.problem("down__get_it")
    assert (problem["name"], problem["executed"]) == ("connect-failed", "no")
    assert mcp.error("tools/call", {"name": "up__getit"})[1] == -32602


def test_reload(start, behaviour):
    upstream = start.upstream(behaviour)
    gateway = start.gateway(settings_of(upstream, ("@partner",)))
    mcp = Mcp(gateway)
    assert list(mcp.tools()) == ["partner"]
    gateway.reload(settings_of(upstream, ("@bare",)))
    assert list(mcp.tools()) == ["bare"]
    settings = settings_of(upstream)
    del settings["mcp"]
    gateway.reload(settings)
    assert_problem(mcp.ask("tools/list"), "not-found", 404)


# ---- Calls ----

def test_calls_of_routes(mcp):
    assert mcp.value("partner", {"id": 7}) == {"id": 7, "fields": ["name"]}
    assert mcp.value("partner", {"id": 7, "fields": ["a", "b"], "number": "5"}) == \
        {"id": 7, "fields": ["a", "b"], "number": 5}
    assert mcp.value("start", {"name": "x", "wait": True}) == "x"
    assert mcp.value("quiet") is None
    assert mcp.value("bare") == 5


def test_calls_of_methods(mcp):
    assert mcp.value("up__add", {"a1": 2, "a2": 3}) == 5
    assert mcp.value("up__add", {"params": [2, 3]}) == 5
    assert mcp.value("up__get_params") == mcp.value("up__get_params", {}) == []
    assert mcp.value("up__get_params", {"a2": None, "a1": {"x": [1.5]}, "a3": "z"}) == \
        [{"x": [1.5]}, None, "z"]
    assert mcp.value("up__get_nested") == {"a": [1, {"b": "é\"\n"}]}
    assert mcp.value("up__get_date", {"a1": {"$dateTime": "2024-02-29T12:00:00"}}) == \
        "2024-02-29T12:00:00"
    assert mcp.value("up__get_big") == str(2 ** 60 + 1)  # a reader of doubles would lose digits
    assert mcp.value("up__set_it", {"params": []}) == 0


@pytest.mark.parametrize("arguments, detail, pointer", (
    ({"id": "x"}, "`id` must be an int, not \"x\"", "/params/arguments/id"),
    ({}, "`id` is missing: an int", "/params/arguments/id"),
    ({"id": 0}, "`id` must be at least 1", "/params/arguments/id"),
    ({"id": 1, "feilds": []}, "did you mean `fields`?", "/params/arguments/feilds"),
))
def test_wrong_arguments_of_routes(mcp, arguments, detail, pointer):
    problem = mcp.problem("partner", arguments)
    assert (problem["name"], problem["executed"]) == ("invalid-request", "no")
    assert detail in problem["detail"] and problem["route"] == "partner"
    assert problem["errors"][0]["in"] == "arguments"
    assert problem["pointer"] == problem["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("arguments, detail, pointer", (
    ({"x": 1}, "`x` is not known here", None),
    ({"a0": 1}, "`a0` is not known here", None),
    ({"a01": 1}, "`a01` is not known here", None),
    ({"a256": 1}, "`a256` is not known here", None),
    ({"a2": 1}, "`a1` is missing", None),
    ({"params": 1}, "must be an array", None),
    ({"params": [], "a1": 1}, "one of them, not both", None),
    ({"a1": 1, "a2": {"b": {"$int": "x"}}}, "int", "/params/arguments/a2/b"),
    ({"params": [1, {"b": {"$int": "x"}}]}, "int", "/params/arguments/params/1/b"),
))
def test_wrong_arguments_of_methods(mcp, arguments, detail, pointer):
    problem = mcp.problem("up__add", arguments)
    assert problem["executed"] == "no" and detail in problem["detail"]
    assert pointer is None or problem["pointer"].startswith(pointer), problem


def test_what_fails(mcp):
    problem = mcp.problem("up__fail", {"params": [-7, "no \"such\" key"]})
    assert (problem["name"], problem["executed"]) == ("fault", "yes")
    assert problem["fault"] == {"code": -7, "string": "no \"such\" key"}
    assert "no \"such\" key" in problem["detail"]


def test_large_results(start, behaviour):
    """They are refused, not cut."""
    upstream = start.upstream(behaviour)
    mcp = Mcp(start.gateway(settings_of(upstream)))
    most = 64 * 1024 - 2  # within the quotes
    assert mcp.value("up__get_size", {"a1": most}) == "x" * most
    problem = mcp.problem("up__get_size", {"a1": most + 1})
    assert (problem["name"], problem["executed"], problem["setting"]) == \
        ("response-too-large", "yes", "mcp.max_result")
    mcp = Mcp(start.gateway(settings_of(upstream, max_result="4M")))
    assert mcp.value("up__get_size", {"a1": 2_000_000}) == "x" * 2_000_000


def test_large_requests(start, behaviour):
    mcp = Mcp(start.gateway(settings_of(start.upstream(behaviour), max_request="1K")))
    assert mcp.value("up__get_params", {"a1": "x" * 500}) == ["x" * 500]
    answer = mcp.ask("tools/call", {"name": "up__get_params", "arguments": {"a1": "x" * 1000}})
    assert_problem(answer, "body-too-large", 413, setting="mcp.max_request")


def test_rate(start, behaviour):
    settings = settings_of(start.upstream(behaviour))
    settings["callers"] = ({"name": "bot", "token": BOT, "allow": ("*/*",), "rate": 1,
                            "burst": 2},)
    mcp = Mcp(start.gateway(settings), token=BOT)
    mcp.result("server/discover")  # asks nobody
    mcp.tools()
    assert mcp.value("up__get_big") == str(2 ** 60 + 1)
    problem = mcp.problem("up__get_big")
    assert (problem["name"], problem["setting"]) == ("rate-limited", "callers.rate")
    problem = mcp.problem("no_such_tool")  # looking for it counts
    assert problem["name"] == "rate-limited"
    answer = mcp.ask("tools/list")
    assert answer.status == 429 and answer.header("Retry-After")
    assert answer.json["error"]["data"]["setting"] == "callers.rate"


def test_log_and_metrics(start, behaviour):
    gateway = start.gateway(settings_of(start.upstream(behaviour)))
    mcp = Mcp(gateway, token=BOT)
    assert mcp.value("partner", {"id": 1}, **{"X-Request-Id": "one"})
    line = gateway.access_line("one")
    assert {key: line[key] for key in ("face", "mcp", "tool", "route", "upstream", "method",
                                       "caller", "status")} == {
        "face": "mcp", "mcp": "ops", "tool": "partner", "route": "partner", "upstream": "up",
        "method": "echo", "caller": "bot", "status": 200}
    mcp.problem("up__add", {"a2": 1}, **{"X-Request-Id": "two"})
    line = gateway.access_line("two")
    assert (line["tool"], line["problem"]) == ("up__add", "invalid-request")
    mcp.error("tools/call", {"name": "secret-name"}, **{"X-Request-Id": "three"})
    line = gateway.access_line("three")
    assert "tool" not in line and line["mcp"] == "ops" and line["problem"] == "not-found"
    counted = gateway.get("/metrics").body.decode()
    assert 'rpcgate_requests_total{upstream="up",method="echo",outcome="ok"} 1\n' in counted
    assert 'outcome="invalid-request"} 1\n' in counted


def test_timeout(start):
    async def never(x):
        await x.gone()

    mcp = Mcp(start.gateway(settings_of(start.upstream(never), ("up/get.it", "up/get*"))))
    problem = mcp.problem("up__get_it", **{"X-Rpcgate-Timeout": "200ms"})
    assert (problem["name"], problem["executed"]) == ("timeout", "unknown")
    answer = mcp.ask("tools/list", **{"X-Rpcgate-Timeout": "200ms"})
    assert answer.status == 504 and answer.json["error"]["code"] == -32000
    assert mcp.ask("tools/list", **{"X-Rpcgate-Timeout": "soon"}).status == 400


def test_what_a_caller_chooses(gateway):
    mcp = Mcp(gateway)
    mcp.path += "?integers=number&types=tagged"
    assert mcp.value("up__get_big") == {"$i8": str(2 ** 60 + 1)}


def test_many_names(start):
    """An upstream's names are looked at in steps."""
    names = [f"get.number{i}" for i in range(3000)]
    upstream = start.upstream(Multicall({"system.listMethods": lambda: names} |
                                        {name: lambda: 1 for name in names}))
    mcp = Mcp(start.gateway(settings_of(upstream, ("up/*7", "up/get*"), max=500)))
    assert len(mcp.tools()) == 500
    assert mcp.value("up__get_number2") == 1


# ---- The protocol ----

def test_older_revisions_begin(gateway):
    for version, answered in (*((each, each) for each in LEGACY), ("2024-11-05", LEGACY[0]),
                              (MODERN, LEGACY[0]), ("x" * 500, LEGACY[0])):
        mcp = Mcp(gateway, era=LEGACY[0])
        result = mcp.result("initialize", {"protocolVersion": version, "capabilities": {},
                                           "clientInfo": {"name": "x", "version": "1"}})
        assert result["protocolVersion"] == answered
        assert result["capabilities"] == {"tools": {}}
        assert result["serverInfo"]["name"] == "rpcgate"
    answer = mcp.post({"jsonrpc": "2.0", "method": "notifications/initialized"},
                      {"Content-Type": "application/json"})
    assert (answer.status, answer.body, answer.header("Content-Type")) == (202, b"", None)
    assert not answer.all("Mcp-Session-Id")
    assert mcp.result("ping") == {}
    assert mcp.error("server/discover")[:2] == (200, -32601)
    assert mcp.error("prompts/list")[:2] == (200, -32601)
    assert mcp.error("tools/list", {"cursor": "x"})[:2] == (200, -32602)
    assert mcp.error("tools/call", {"name": "partner", "arguments": []})[:2] == (200, -32602)
    assert mcp.error("tools/call", {"name": 5})[:2] == (200, -32602)
    without = mcp.ask("tools/list", **{"MCP-Protocol-Version": None})
    assert without.status == 200 and without.json["result"]["tools"]


def test_the_revision_without_sessions(gateway):
    mcp = Mcp(gateway)
    result = mcp.result("server/discover")
    assert result["supportedVersions"] == [MODERN] and result["capabilities"] == {"tools": {}}
    assert result["cacheScope"] == "private" and result["ttlMs"] >= 0
    for method in ("initialize", "ping", "prompts/list", "x"):
        assert mcp.error(method, **{"Mcp-Method": method})[:2] == (404, -32601)
    assert mcp.error("tools/list", {"cursor": "x"})[:2] == (400, -32602)
    assert mcp.error("tools/call", {"name": "up__add", "arguments": 5})[:2] == (400, -32602)


@pytest.mark.parametrize("lines, code", (
    ({"MCP-Protocol-Version": None}, -32020),
    ({"MCP-Protocol-Version": "2025-11-25"}, -32020),
    ({"Mcp-Method": None}, -32020),
    ({"Mcp-Method": "tools/list"}, -32020),
    ({"Mcp-Method": "TOOLS/CALL"}, -32020),
    ({"Mcp-Name": None}, -32020),
    ({"Mcp-Name": "start"}, -32020),
    ({"Mcp-Name": "=?base64?c3RhcnQ=?="}, -32020),
    ({"Mcp-Name": "=?base64?%%%?="}, -32020),
    ({"Mcp-Name": "=?base64?"}, -32020),
    ({"Mcp-Name": "=?base64?YmFyZQ==?="}, None),
    ({"mcp-method": "tools/call", "Mcp-Method": None}, None),
    ({"Mcp-Session-Id": "x", "Last-Event-ID": "1"}, None),
))
def test_header_lines(gateway, lines, code):
    mcp = Mcp(gateway)
    answer = mcp.ask("tools/call", {"name": "bare"}, **lines)
    if code is None:
        assert answer.json["result"]["structuredContent"] == {"result": 5}
    else:
        assert (answer.status, answer.json["error"]["code"]) == (400, code)


def test_header_lines_twice(gateway):
    mcp = Mcp(gateway)
    body = json.dumps(mcp.message("tools/list")).encode()
    answer = gateway.raw(
        b"POST /mcp/ops HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\nMcp-Method: tools/list\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    assert (answer.status, answer.json["error"]["code"]) == (400, -32020)


@pytest.mark.parametrize("change, code", (
    (lambda m: m.pop("_meta"), -32602),
    (lambda m: m.update(_meta=[]), -32602),
    (lambda m: m["_meta"].pop("io.modelcontextprotocol/protocolVersion"), -32602),
    (lambda m: m["_meta"].pop("io.modelcontextprotocol/clientCapabilities"), -32602),
    (lambda m: m["_meta"].update({"io.modelcontextprotocol/clientCapabilities": 5}), -32602),
    (lambda m: m["_meta"].update({"io.modelcontextprotocol/protocolVersion": 5}), -32602),
))
def test_meta(gateway, change, code):
    mcp = Mcp(gateway)
    message = mcp.message("tools/list")
    change(message["params"])
    answer = mcp.post(message, mcp.headers("tools/list", {}))
    assert (answer.status, answer.json["error"]["code"], answer.json["id"]) == \
        (400, code, message["id"])


def test_other_versions(gateway):
    mcp = Mcp(gateway)
    message = mcp.message("tools/list")
    for version in ("1900-01-01", "2025-11-25", "x\"y" + "z" * 500):
        message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = version
        answer = mcp.post(message, mcp.headers("tools/list", {}) |
                          {"MCP-Protocol-Version": version})
        assert (answer.status, answer.json["error"]["code"]) == (400, -32022)
        assert answer.json["error"]["data"] == {"supported": [MODERN], "requested": version[:64]}
    answer = Mcp(gateway, era="1900-01-01").ask("tools/list")
    assert (answer.status, answer.json["error"]["code"]) == (400, -32602)


@pytest.mark.parametrize("body, code, told", (
    (b"{", -32700, None),
    (b"", -32700, None),
    (b"\xff", -32700, None),
    (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":1,\"method\":\"ping\"}", -32700, None),
    (b"[]", -32600, None),
    (b"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600, None),
    (b"5", -32600, None),
    (b"{}", -32600, None),
    (b"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", -32600, 1),
    (b"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":5}", -32600, "a"),
    (b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600, None),
    (b"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", -32600, None),
    (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", -32600, 1),
    (b"{\"jsonrpc\":\"2.0\",\"method\":5}", -32600, None),
    (b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\",\"params\":[1]}", -32602, 2),
))
def test_what_is_no_request(gateway, body, code, told):
    answer = gateway.request("POST", "/mcp/ops", body, {"Content-Type": "application/json"})
    assert answer.status == (200 if code == -32602 else 400)
    assert answer.json["error"]["code"] == code and answer.json["error"]["message"]
    assert answer.json.get("id") == told
    assert ("id" in answer.json) == (told is not None)


def test_before_the_body(gateway):
    for method in ("GET", "DELETE", "PUT"):
        answer = gateway.request(method, "/mcp/ops")
        assert_problem(answer, "method-not-allowed", 405)
        assert answer.header("Allow") == "POST"
    assert_problem(gateway.request("POST", "/mcp/ops", b"{}", {"Content-Type": "text/plain"}),
                   "unsupported-media-type", 415)
    assert_problem(gateway.request("POST", "/mcp/ops", b"{}", {
        "Content-Type": "application/json", "Origin": "https://evil.example"}), "forbidden", 403)
    assert_problem(gateway.request("POST", "/mcp/ops", b"{}", {
        "Content-Type": "application/json", "Host": "evil.example"}), "misdirected", 421)
    assert_problem(gateway.request("POST", "/mcp/ops", b"{}", {
        "Content-Type": "application/json", "Authorization": "Bearer " + "x" * 32}),
        "unauthenticated", 401)


def test_ids_come_back_as_they_were(gateway):
    for text in ("1", "-5", "1.5e3", "\"\\u00e9\"", "\"" + "x" * 5000 + "\"", "123456789012345678901"):
        body = f'{{"jsonrpc":"2.0","id":{text},"method":"ping"}}'.encode()
        answer = gateway.request("POST", "/mcp/ops", body, {"Content-Type": "application/json"})
        assert answer.body.startswith(f'{{"jsonrpc":"2.0","id":{text},'.encode())
