# SPDX-License-Identifier: Apache-2.0
"""POST /xmlrpc/{upstream}: callers that speak XML-RPC, by Python's own client."""

import xmlrpc.client
from base64 import b64encode
from datetime import datetime
from xmlrpc.client import Fault, MultiCall, ProtocolError, ServerProxy

import pytest

from rig.settings import up_settings
from rig.upstream import echo
from rig.wire import request

TOKEN, OTHER = "t" * 32, "o" * 32
METHODS = ["m.one", "m.two", "secret", "system.listMethods", "system.methodHelp"]


def rights(upstream) -> dict:
    settings = up_settings(upstream, extensions=["nil", "i8"])
    del settings["anonymous"]
    return settings | {
        "log": {"format": "json"},
        "callers": [
            {"name": "shop", "token": TOKEN, "allow": ["up/*"], "deny": ["up/secret"]},
            {"name": "narrow", "token": OTHER, "allow": [
                {"match": "up/m.one", "params": [{"at": 0, "in": ["read"]}]}]},
        ]}


@pytest.fixture(scope="module")
def gateway(start_shared, shared_upstream):
    return start_shared.gateway(rights(shared_upstream))


def proxy(gateway, name="shop", token=TOKEN, upstream="up", **options) -> ServerProxy:
    who = f"{name}:{token}@" if name else ""
    return ServerProxy(f"http://{who}127.0.0.1:{gateway.tcp[1]}/xmlrpc/{upstream}",
                       allow_none=True, use_builtin_types=True, **options)


def post(gateway, body: bytes, **headers):
    lines = {"Content-Type": "text/xml", "Authorization": f"Bearer {TOKEN}", **headers}
    return gateway.raw(request("POST", "/xmlrpc/up", body,
                               {key.replace("_", "-"): value for key, value in lines.items()}))


def fault(answer) -> Fault:
    assert answer.status == 200 and answer.header("Content-Type") == "text/xml", answer
    with pytest.raises(Fault) as told:
        xmlrpc.client.loads(answer.body)
    return told.value


VALUE = {"i": -7, "big": 2**31 - 1, "d": -0.125, "s": "é<&>]]>\n\t", "t": True, "n": None,
         "l": [[], {}, [1, [2]]], "b": b"\0\xff" * 100, "when": datetime(2024, 2, 29, 23, 59, 58),
         "": "", "$x": {"$i8": "7"}, "only": {"$base64": "AA=="}}


def test_values(gateway, upstream):
    assert proxy(gateway).echo(VALUE) == VALUE
    assert upstream.exchanges[0].params == (VALUE,)
    assert upstream.exchanges[0].header("Authorization") is None, "the token is for the gateway"


def test_types_go_as_they_came(gateway, upstream):
    """i8, the text of dates, and nil, in both directions."""
    xml = ("<array><data><value><i8>5</i8></value><value><int>5</int></value><value><nil/></value>"
           "<value><dateTime.iso8601>20240229T24:00:00Z</dateTime.iso8601></value>"
           "<value><dateTime.iso8601>yesterday &lt;</dateTime.iso8601></value>"
           "<value><double>5.0</double></value></data></array>")

    async def behave(x):
        await x.answer_xml(xml)
    upstream.behave = behave
    answer = post(gateway, f"<methodCall><methodName>m</methodName><params><param><value>{xml}"
                           "</value></param></params></methodCall>".encode())
    assert xml in answer.body.decode()
    assert xml in upstream.exchanges[0].body.decode()


def test_no_params_and_no_params_element(gateway, upstream):
    assert proxy(gateway).echo() == ""
    answer = post(gateway, b"<methodCall><methodName>m</methodName></methodCall>")
    assert xmlrpc.client.loads(answer.body) == (("",), None)


def test_faults_are_the_upstreams_own(gateway, upstream):
    async def behave(x):
        await x.answer_fault(-42, "no <ünï>")
    upstream.behave = behave
    with pytest.raises(Fault) as told:
        proxy(gateway).m()
    assert (told.value.faultCode, told.value.faultString) == (-42, "no <ünï>")


def test_a_code_that_is_text_stays_text(gateway, upstream):
    async def behave(x):
        await x.respond(xmlrpc.client.dumps(Fault("E_NO", "x")).encode())
    upstream.behave = behave
    answer = post(gateway, b"<methodCall><methodName>m</methodName></methodCall>")
    assert b"<string>E_NO</string>" in answer.body


def test_own_faults_tell_what_ran(gateway, upstream):
    async def lost(x):
        x.reset()
    upstream.behave = lost
    answer = post(gateway, b"<methodCall><methodName>m</methodName></methodCall>",
                  X_Request_Id="face-lost")
    told = fault(answer)
    assert told.faultCode == -32300
    assert told.faultString.startswith("connection-lost: ")
    assert told.faultString.endswith("; executed: unknown; request face-lost")


def test_bad_answers_are_transport(gateway, upstream):
    async def behave(x):
        await x.respond(b"<methodResponse><params>")
    upstream.behave = behave
    told = fault(post(gateway, b"<methodCall><methodName>m</methodName></methodCall>"))
    assert told.faultCode == -32300 and "; executed: unknown; " in told.faultString


@pytest.mark.parametrize("body, code", [
    (b"", -32700), (b"{}", -32700), (b"<methodCall>", -32700), (b"<!DOCTYPE a><methodCall/>", -32700),
    (b"<?xml version='1.0' encoding='nope'?><methodCall/>", -32701),
    (b"<methodCall><methodName>\xff</methodName></methodCall>", -32701),
    (b"<methodCall><methodName>a&#1;</methodName></methodCall>", -32702),
    (b"<html/>", -32600), (b"<methodCall><params/></methodCall>", -32600),
    (b"<methodCall><methodName></methodName></methodCall>", -32600),
    (b"<methodResponse><params><param><value/></param></params></methodResponse>", -32600),
    (b"<methodCall><methodName>m</methodName><params><param><value><int>x</int></value></param>"
     b"</params></methodCall>", -32600),
    (b"<methodCall><methodName>secret</methodName></methodCall>", -32601),
    (b"<methodCall><methodName>m</methodName><params><param><value><biginteger>1</biginteger>"
     b"</value></param></params></methodCall>", -32602),
    (b"<methodCall><methodName>system.multicall</methodName></methodCall>", -32602),
    (b"<methodCall><methodName>m</methodName><params><param>" + b"<value><array><data>" * 129
     + b"</data></array></value>" * 129 + b"</param></params></methodCall>", -32602)])
def test_what_is_refused(gateway, upstream, body, code):
    told = fault(post(gateway, body))
    assert told.faultCode == code, told
    assert "; executed: no; request " in told.faultString
    assert upstream.exchanges == []


@pytest.mark.parametrize("kind", ["text/xml", "application/xml", "text/xml; charset=utf-8",
                                  "TEXT/XML;charset=\"ISO-8859-1\""])
def test_content_types(gateway, upstream, kind):
    text = "é".encode("latin-1" if "8859" in kind else "utf-8")
    answer = post(gateway, b"<methodCall><methodName>m</methodName><params><param><value>" + text
                  + b"</value></param></params></methodCall>", Content_Type=kind)
    assert xmlrpc.client.loads(answer.body)[0] == ("é",)


@pytest.mark.parametrize("headers", [{"Content_Type": "application/json"}, {"Content_Type": "text/html"},
                                     {"Content_Encoding": "gzip"}])
def test_415(gateway, headers):
    answer = post(gateway, b"<methodCall/>", **headers)
    assert (answer.status, answer.header("Content-Type")) == (415, "application/problem+json")
    assert "text/xml" in answer.json["detail"]


def test_what_http_says(gateway):
    get = request("GET", "/xmlrpc/up", None, {"Authorization": f"Bearer {TOKEN}"})
    answer = gateway.raw(get)
    assert (answer.status, answer.header("Allow")) == (405, "POST")
    answer = gateway.raw(request("POST", "/xmlrpc/other", b"", {"Authorization": f"Bearer {TOKEN}"}))
    assert answer.status == 404
    assert post(gateway, b"<a/>", Content_Length="99999999").status == 413
    query = request("POST", "/xmlrpc/up?types=tagged", b"<a/>",
                    {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/xml"})
    assert gateway.raw(query).status == 400


def test_who_calls(gateway, upstream):
    assert proxy(gateway).echo(1) == 1
    for name, token in [(None, None), ("shop", OTHER), ("narrow", TOKEN), ("shop", "x" * 32),
                        ("shop", "")]:
        with pytest.raises(ProtocolError) as told:
            proxy(gateway, name, token).echo(1)
        assert told.value.errcode == 401, (name, token)
        assert told.value.headers["WWW-Authenticate"] == 'Basic realm="rpcgate", Bearer'
    assert len(upstream.exchanges) == 1


@pytest.mark.parametrize("text", ["", "=", "a", b64encode(b"shop").decode(), "!!!!",
                                  b64encode(f"shop:{TOKEN}".encode()).decode() + "="])
def test_basic_that_is_none(gateway, text):
    assert post(gateway, b"", Authorization=f"Basic {text}").status == 401


def test_basic_is_for_this_face_alone(gateway):
    basic = "Basic " + b64encode(f"shop:{TOKEN}".encode()).decode()
    assert gateway.call("up", "m", [], Authorization=basic).status == 401


def test_rules_about_params(gateway, upstream):
    narrow = proxy(gateway, "narrow", OTHER)
    assert getattr(narrow, "m.one")("read", 1) == "read"
    for params in (("write",), (b"read",), ({"a": "read"},), ()):
        with pytest.raises(Fault) as told:
            getattr(narrow, "m.one")(*params)
        assert told.value.faultCode == -32602, params
    with pytest.raises(Fault) as told:
        getattr(narrow, "m.two")("read")
    assert told.value.faultCode == -32601
    assert len(upstream.exchanges) == 1


async def server(x):
    """Knows its methods, and takes a system.multicall."""
    if x.method == "system.multicall":
        await x.answer([run(**call) for call in x.params[0]])
    else:
        await x.answer(run(x.method, x.params)[0])


def run(methodName, params, more=0):
    if methodName == "system.listMethods":
        return [METHODS]
    if methodName == "system.methodSignature":
        return [[["int", "string"]] if params[0] == "m.one" else "undef"]
    if methodName == "system.methodHelp":
        return ["what it does <b>"]
    if methodName == "m.two":
        return {"faultCode": 7, "faultString": "seven"}
    return [params[0] if params else ""]


def test_multicall(start):
    upstream = start.upstream(server)
    gateway = start.gateway(rights(upstream))
    calls = MultiCall(proxy(gateway))
    calls.m.one(VALUE)
    calls.m.two(1)
    calls.secret("x")
    calls.m.three(None)
    results = calls()
    assert results[0] == VALUE and results[3] is None
    with pytest.raises(Fault) as told:
        results[1]
    assert (told.value.faultCode, told.value.faultString) == (7, "seven")
    with pytest.raises(Fault) as told:
        results[2]
    assert told.value.faultCode == -32601
    sent = [call["methodName"] for x in upstream.exchanges[1:] for call in x.params[0]]
    assert sent == ["m.one", "m.two", "m.three"], "one round trip behind the question"


def test_odd_items_of_a_multicall(start):
    upstream = start.upstream(server)
    client = proxy(start.gateway(rights(upstream)))
    assert client.system.multicall([]) == []
    *bad, good = client.system.multicall([
        5, {}, {"methodName": 5}, {"methodName": "m.one", "params": {}},
        {"methodName": "system.multicall", "params": [[]]},
        {"methodName": "m.one", "params": ["x"], "more": 1}])
    assert [item["faultCode"] for item in bad] == [-32600, -32600, -32600, -32600, -32601]
    assert good == ["x"]
    for params in ((5,), ({},), ([], [])):
        with pytest.raises(Fault) as told:
            client.system.multicall(*params)
        assert told.value.faultCode == -32602


def test_multicall_beside_an_upstream_without_one(gateway, upstream):
    async def behave(x):
        if x.method == "system.multicall":
            return await x.answer_fault(-32601, "no such method")
        await echo(x)
    upstream.behave = behave
    calls = MultiCall(proxy(gateway))
    for number in range(20):
        calls.m(number)
    assert list(calls()) == list(range(20))


def test_introspection_shows_what_may_be_used(start):
    upstream = start.upstream(server)
    gateway = start.gateway(rights(upstream))
    client = proxy(gateway)
    own = ["system.getCapabilities", "system.listMethods", "system.methodHelp",
           "system.methodSignature", "system.multicall"]
    assert client.system.listMethods() == ["m.one", "m.two", *own]
    assert client.system.methodSignature("m.one") == [["int", "string"]]
    assert client.system.methodSignature("m.two") == "undef"
    assert client.system.methodHelp("m.one") == "what it does <b>"
    narrow = proxy(gateway, "narrow", OTHER)
    assert narrow.system.listMethods() == ["m.one", *own]
    for ask in (narrow.system.methodHelp, narrow.system.methodSignature):
        with pytest.raises(Fault) as told:
            ask("m.two")
        assert told.value.faultCode == -32601
    with pytest.raises(Fault) as told:
        client.system.methodHelp(5)
    assert told.value.faultCode == -32602
    assert client.system.getCapabilities()["faults_interop"]["specVersion"] == 20010516


def test_an_upstream_that_tells_nothing(gateway, upstream):
    async def behave(x):
        await x.answer_fault(-32601, "no such method")
    upstream.behave = behave
    assert "system.multicall" in proxy(gateway).system.listMethods()


def test_rate(start, upstream):
    settings = rights(upstream)
    settings["callers"] = [{"name": "shop", "token": TOKEN, "allow": ["up/*"], "rate": 1, "burst": 3}]
    gateway = start.gateway(settings)
    client = proxy(gateway)
    assert client.echo(1) == 1
    calls = MultiCall(client)
    for number in range(3):
        calls.echo(number)
    with pytest.raises(Fault) as told:
        calls()
    assert told.value.faultCode == -32099, "a batch over the burst is refused as a whole"
    assert client.echo(1) == 1 and client.echo(1) == 1
    answer = post(gateway, xmlrpc.client.dumps((1,), "echo").encode())
    assert fault(answer).faultCode == -32099 and int(answer.header("Retry-After")) >= 1


def test_faces_of_an_upstream(start, upstream):
    gateway = start.gateway(up_settings(upstream, faces=["json"]))
    body = xmlrpc.client.dumps((1,), "echo").encode()
    headers = {"Content-Type": "text/xml"}
    assert gateway.raw(request("POST", "/xmlrpc/up", body, headers)).status == 404
    assert gateway.call("up", "echo", [1]).status == 200
    assert gateway.jsonrpc("up", {"jsonrpc": "2.0", "id": 1, "method": "m"}).status == 404
    gateway = start.gateway(up_settings(upstream, faces=["xmlrpc"]))
    assert gateway.raw(request("POST", "/xmlrpc/up", body, headers)).status == 200
    assert gateway.call("up", "echo", [1]).status == 404
    assert gateway.get("/v1").json == {"upstreams": []}


def test_log_lines(gateway, upstream):
    post(gateway, xmlrpc.client.dumps((1,), "m.one").encode(), X_Request_Id="face-1")
    line = gateway.access_line("face-1")
    assert (line["face"], line["caller"], line["method"], line["status"]) == \
        ("xmlrpc", "shop", "m.one", 200)
    post(gateway, b"<a/>", X_Request_Id="face-2")
    line = gateway.access_line("face-2")
    assert (line["status"], line["problem"]) == (200, "invalid-request")


def test_metrics(gateway, upstream):
    before = gateway.get("/metrics", Authorization=f"Bearer {TOKEN}").body.decode()
    proxy(gateway).metric_of_this(1)
    after = gateway.get("/metrics", Authorization=f"Bearer {TOKEN}").body.decode()
    name = 'rpcgate_requests_total{upstream="up",method="metric_of_this",outcome="ok"} 1'
    assert name not in before and name in after


def test_injected_params(start):
    upstream = start.upstream(echo)
    gateway = start.gateway(up_settings(
        upstream, credentials={"key": "k" * 20}, extensions=["nil"],
        inject=[{"match": "in.*", "member": {"key": "{key}"}}, {"match": "*", "at": 0, "params": ["{key}"]}]))
    client = proxy(gateway, None)
    client.m(None, datetime(2020, 1, 2, 3, 4, 5))
    assert upstream.exchanges[0].params == ("k" * 20, None, datetime(2020, 1, 2, 3, 4, 5))
    getattr(client, "in.x")({"a": 1})
    assert upstream.exchanges[1].params == ({"a": 1, "key": "k" * 20},)
    for params in (({"key": "mine"},), (5,)):
        with pytest.raises(Fault) as told:
            getattr(client, "in.x")(*params)
        assert told.value.faultCode == -32602, params


def test_large_values_in_steps(start):
    upstream = start.upstream(echo)
    gateway = start.gateway(up_settings(upstream) | {"limits": {"body": "64M"}})
    rows = [{"name": f"n{number}", "value": number, "text": "<&>" * 5} for number in range(20000)]
    assert proxy(gateway, None).echo(rows) == rows


def test_a_member_twice(gateway, upstream):
    """The last one counts, as everywhere."""
    xml = ("<struct><member><name>a</name><value>1</value></member><member><name>b</name><value>2"
           "</value></member><member><name>a</name><value>3</value></member></struct>")
    answer = post(gateway, f"<methodCall><methodName>m</methodName><params><param><value>{xml}"
                           "</value></param></params></methodCall>".encode())
    assert xmlrpc.client.loads(answer.body)[0] == ({"a": "3", "b": "2"},)
