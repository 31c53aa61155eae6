# SPDX-License-Identifier: Apache-2.0
"""No step of a worker is long, whatever the document: a step is what the worker does for one
connection or call before others may have their turn (src/base/step.h). A build of its own counts the
work of each step, tests/steps/count.c, so that nothing here depends on a clock."""

import json

import pytest

from rig.steps import LIMIT, MARKS, PROGRAM, Steps, environment
from rig.upstream import http_response, response_document, value_document

SIZE = 4_000_000    # of a document, just below the default of limits.body [bytes]
TEXT = {"Content-Type": "application/json"}

pytestmark = MARKS


def filled(before: str, piece: str, after: str, size: int = SIZE) -> bytes:
    """As many of a piece as there is room for."""
    pieces = (size - len(before) - len(after)) // len(piece.encode())
    return (before + piece * pieces + after).encode()


def members(name: str, size: int = SIZE) -> str:
    return ",".join(f'"{name % i}":0' for i in range(size // (len(name % 999_999) + 5)))


def struct_xml(name: str, n: int) -> bytes:
    return value_document("<struct>" + "".join(
        f"<member><name>{name % i}</name><value><i4>1</i4></value></member>" for i in range(n))
        + "</struct>")


def calls_of(call: str, size: int = SIZE) -> bytes:
    return filled("[" + call, "," + call, "]", size)


ONE = "/v1/%s/swallow"
CALL = '{"method":"swallow"}'
RPC = '{"jsonrpc":"2.0","id":1,"method":"swallow"}'

#: The most that a request of MCP may have.
MCP_SIZE = 262_000
MOST, MOST_ESCAPED = members("k%d", MCP_SIZE - 200), members("\\u00e9%d", MCP_SIZE - 200)
TOOL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%s","arguments":'

#: What a caller sends: path and body. The upstream's name says what its settings are.
REQUESTS = {
    "plain string": (ONE % "up", filled('["', "x", '"]')),
    "markup": (ONE % "up", filled('["', "&", '"]')),
    "two-byte characters": (ONE % "up", filled('["', "é", '"]')),
    "short escapes": (ONE % "up", filled('["', "\\n", '"]')),
    "unicode escapes": (ONE % "up", filled('["', "\\u00e9", '"]')),
    "surrogates": (ONE % "up", filled('["', "\\ud83d\\ude00", '"]')),
    "controls to base64": (ONE % "base64", filled('["', "\\u0001", '"]')),
    "last control to base64": (ONE % "base64", filled('["', "x", '\\u0001"]')),
    "escapes, last control to base64": (ONE % "base64", filled('["', "\\n", '\\u0001"]')),
    "controls replaced": (ONE % "replace", filled('["', "\\u0001", '"]')),
    "last control refused": (ONE % "up", filled('["', "\\n", '\\u0001"]')),
    "utf-16": (ONE % "utf16", filled('["', "é", '"]')),
    "japanese": (ONE % "eucjp", filled('["', "あ", '"]')),
    "latin-1, nothing of it there": (ONE % "latin1", filled('["', "€", '"]')),
    "integer": (ONE % "up", filled("[", "7", "]")),
    "double": (ONE % "up", filled("[0.", "7", "]")),
    "long exponent": (ONE % "up", filled("[1e", "7", "]")),
    "zeros of a double": (ONE % "up", filled("[0.", "0", "1]")),
    "integers": (ONE % "up", filled("[0", ",0", "]")),
    "doubles": (ONE % "up", filled("[0", ",1.7976931348623157e308", "]")),
    "tiny doubles": (ONE % "up", filled("[0", ",5e-324", "]", SIZE // 4)),
    "empty strings": (ONE % "up", filled('[""', ',""', "]")),
    "empty arrays": (ONE % "up", filled("[0", ",[]", "]")),
    "empty objects": (ONE % "up", filled("[0", ",{}", "]")),
    "nulls": (ONE % "up", filled("[0", ",null", "]")),
    "white space": (ONE % "up", filled("[0", " ", "]")),
    "white space before": (ONE % "up", filled("", " ", "[0]")),
    "white space behind": (ONE % "up", filled("[0]", " \n", "")),
    "lines, then an error": (ONE % "up", filled("[0", "\n", "x]")),
    "not UTF-8 at the end": (ONE % "up", filled('["', "x", "")[:-1] + b'\xff"]'),
    "one escaped name": (ONE % "up", filled('[{"', "\\u00e9", '":1}]')),
    "one long name": (ONE % "up", filled('[{"', "x", '":1}]')),
    "name of markup": (ONE % "up", filled('[{"', "&", '":1}]')),
    "name of short escapes": (ONE % "up", filled('[{"', "\\n", '":1}]')),
    "long name, last control replaced": (ONE % "replace", filled('[{"', "x", '\\u0001":1}]')),
    "long name, last control to base64": (ONE % "base64", filled('[{"', "x", '\\u0001":1}]')),
    "name of controls replaced": (ONE % "replace", filled('[{"', "\\u0001", '":1}]')),
    "name of controls to base64": (ONE % "base64", filled('[{"', "\\u0001", '":1}]')),
    "name of no characters replaced": (ONE % "replace", filled('[{"', "\uffff", '":1}]')),
    "name of wide characters": (ONE % "replace", filled('[{"', "\uff21", '":1}]')),
    "repaired name twice": (ONE % "replace", ('[{"' + "\uffff" * 660_000 + '":1,"' + "\uffff" * 660_000
                                              + '":1}]').encode()),
    "repaired name twice, to base64": (ONE % "base64", (
        '[{"' + "x" * 1_900_000 + '\\u0001":1,"' + "x" * 1_900_000 + '\\u0001":1}]').encode()),
    "many names repaired": (ONE % "replace", ('[{' + members("\\u0001%d") + '}]').encode()),
    "name of plain text, then escapes": (ONE % "up", filled('[{"' + "x" * 1_000_000, "\\n",
                                                            '":1}]')),
    "long name twice": (ONE % "up", ('[{"' + "\\n" * 990_000 + '":1,"' + "\\n" * 990_000
                                     + '":2}]').encode()),
    "many names": (ONE % "up", ('[{' + members("k%d") + '}]').encode()),
    "many escaped names": (ONE % "up", ('[{' + members("\\u00e9%d") + '}]').encode()),
    "tag base64": (ONE % "up", filled('[{"$base64":"', "QUJD", '"}]')),
    "tag base64 with an error": (ONE % "up", filled('[{"$base64":"', "QUJD", '!"}]')),
    "tag base64 of escapes": (ONE % "up", filled('[{"$base64":"', "\\u0051", '"}]')),
    "tag biginteger": (ONE % "up", filled('[{"$biginteger":"', "7", '"}]')),
    "tag bigdecimal": (ONE % "up", filled('[{"$bigdecimal":"0.', "7", '"}]')),
    "tag double": (ONE % "up", filled('[{"$double":"', "7", '"}]')),
    "tag int of zeros": (ONE % "up", filled('[{"$int":0.', "0", '}]')),
    "tag int of escapes": (ONE % "up", filled('[{"$int":"', "\\u0030", '"}]')),
    "tag int of short escapes": (ONE % "up", filled('[{"$int":"', "\\n", '"}]')),
    "tag date of short escapes": (ONE % "up", filled('[{"$dateTime":"', "\\n", '"}]')),
    "tag datetime": (ONE % "up", filled('[{"$datetime":"', "7", '"}]')),
    "unknown tag": (ONE % "up", filled('[{"$', "x", '":1}]')),
    "tagged structs": (ONE % "up", filled("[0", ',{"$struct":{"$a":1}}', "]")),
    "rule on a long param": (ONE % "ruled", filled('["', "\\u0061", '"]')),
    "rule on the last param": (ONE % "ruled", filled("[0", ",0", ',"a"]')),
    "pretty answer": (ONE % "up" + "?", filled("[0", ",0", "]")),
    "compressed": (ONE % "packing", filled('["', "é1&x", '"]')),
    "batch of least calls": ("/v1/together", filled("[0", ",0", "]")),
    "batch of no calls": ("/v1/together", calls_of("{}", 30_000)),
    "batch of calls": ("/v1/together", calls_of(CALL, 220_000)),
    "batch of calls aside": ("/v1/aside", calls_of(CALL, 220_000)),
    "batch, one long call": ("/v1/together", filled(
        '[{"method":"swallow","params":["', "&", '"]}]')),
    "batch, one long escaped method": ("/v1/together", filled('[{"method":"', "\\u0061", '"}]')),
    "batch, method of short escapes": ("/v1/together", filled('[{"method":"', "\\n", '"}]')),
    "batch, name of short escapes": ("/v1/together", filled('[{"', "\\n", '":1}]')),
    "batch, one long name": ("/v1/together", filled('[{"', "\\u0061", '":1}]')),
    "batch of long calls aside": ("/v1/aside", calls_of(
        '{"method":"swallow","params":["' + "&" * 60_000 + '"]}')),
    "batch of integers too long": ("/v1/together", calls_of(
        '{"method":"swallow","params":[1e999]}', 370_000)),
    "batch of integers too long, aside": ("/v1/aside", calls_of(
        '{"method":"swallow","params":[1e999]}', 370_000)),
    "integers too long behind lines": ("/v1/together", filled(
        "[", "\n", calls_of('{"method":"swallow","params":[1e999]}', 370_000)[1:].decode())),
    "batch in white space": ("/v1/together", filled("[" + CALL, "\t ", "]")),
    "JSON-RPC behind white space": ("/jsonrpc/up", filled("", "\r\n", RPC)),
    "batch refused as a whole": ("/v1/fault", calls_of(CALL, 220_000)),
    "batch of forbidden calls": ("/v1/together", calls_of('{"method":"no.way"}', 200_000)),
    "JSON-RPC of no calls": ("/jsonrpc/together", calls_of("{}", 30_000)),
    "JSON-RPC batch": ("/jsonrpc/together", calls_of(RPC, 440_000)),
    "JSON-RPC notifications": ("/jsonrpc/together", calls_of(
        '{"jsonrpc":"2.0","method":"swallow"}', 370_000)),
    "JSON-RPC with a long id": ("/jsonrpc/up", filled(
        '{"jsonrpc":"2.0","method":"swallow","id":"', "\\u00e9", '"}')),
    "JSON-RPC with a long number as id": ("/jsonrpc/up", filled(
        '{"jsonrpc":"2.0","method":"swallow","id":', "7", '}')),
    "JSON-RPC with long params": ("/jsonrpc/up", filled(
        '{"jsonrpc":"2.0","id":1,"method":"swallow","params":["', "&", '"]}')),
    "MCP, long argument": ("/mcp/all", filled(
        TOOL % "up__swallow" + '{"a1":"', "\\u00e9", '"}}}', MCP_SIZE)),
    "MCP, argument of least values": ("/mcp/all", filled(
        TOOL % "up__swallow" + '{"a1":[0', ",0", ']}}}', MCP_SIZE)),
    "MCP, params of least values": ("/mcp/all", filled(
        TOOL % "up__swallow" + '{"params":[[]', ",[]", ']}}}', MCP_SIZE)),
    "MCP, unknown arguments": ("/mcp/all", (
        TOOL % "up__swallow" + "{" + MOST + "}}}").encode()),
    "MCP, arguments of a route": ("/mcp/all", filled(
        TOOL % "given" + '{"x":[0', ",0", ']}}}', MCP_SIZE)),
    "MCP, arguments that the route has not": ("/mcp/all", (
        TOOL % "given" + "{" + MOST + "}}}").encode()),
    "MCP, long argument that is wrong": ("/mcp/all", filled(
        TOOL % "given" + '{"n":"', "\\n", '"}}}', MCP_SIZE)),
    "MCP, many params": ("/mcp/all", (
        '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{' + MOST
        + "}}").encode()),
    "MCP, many escaped params": ("/mcp/all", (
        '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{' + MOST_ESCAPED
        + "}}").encode()),
    "MCP, much in _meta": ("/mcp/all", (
        '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{' + MOST
        + "}}}").encode()),
    "MCP, long name of a tool": ("/mcp/all", filled(
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"', "\\n", '"}}', MCP_SIZE)),
    "MCP, long version": ("/mcp/all", filled(
        '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"', "\\n",
        '"}}', MCP_SIZE)),
    "MCP, long method": ("/mcp/all", filled(
        '{"jsonrpc":"2.0","id":1,"method":"', "\\u00e9", '"}', MCP_SIZE)),
    "MCP, long id": ("/mcp/all", filled(
        '{"jsonrpc":"2.0","method":"ping","id":"', "\\u00e9", '"}', MCP_SIZE)),
    "MCP, batch": ("/mcp/all", calls_of(RPC, MCP_SIZE)),
    "MCP, all tools of a server with many methods": ("/mcp/globs", (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}')),
    "JSON-RPC with params by name": ("/jsonrpc/up", (
        '{"jsonrpc":"2.0","id":1,"method":"swallow","params":{' + members("k%d") + "}}").encode()),
}

#: By routes: what a route asks for under many names, and one of each type.
WIDE = tuple({"name": f"{i:03}" + "n" * 60, "optional": True, "max_length": 5} for i in range(256))
ROUTES = (
    {"name": "one", "post": "/one", "call": "up/swallow", "params": ({"struct": (
        {"name": "text", "optional": True}, {"name": "bytes", "type": "base64", "optional": True},
        {"name": "many", "type": "int", "min": 5, "optional": True},
        {"name": "digits", "type": "i8", "optional": True},
        {"name": "part", "type": "double", "max": 9, "optional": True},
        {"name": "day", "type": "date", "optional": True},
        {"name": "like", "match": "*a*b*c", "optional": True},
        {"name": "likes", "type": "string[]", "match": "*a*b", "optional": True},
        {"name": "short", "max_length": 5, "optional": True},
        {"name": "words", "type": "string[]", "optional": True},
        {"name": "kinds", "type": "string[]", "enum": [f"kind{i}" for i in range(200)],
         "optional": True},
        {"name": "numbers", "type": "int[]", "optional": True},
        {"name": "days", "type": "date[]", "optional": True},
        {"name": "parts", "type": "double[]", "optional": True},
        {"name": "any", "type": "any", "optional": True}) },)},
    {"name": "wide", "post": "/wide", "call": "up/swallow", "params": ({"struct": WIDE},)},
    {"name": "query", "get": "/query/{id}", "call": "up/swallow", "safe": True, "params": (
        {"name": "id"}, {"struct": WIDE[:200]},
        {"name": "x", "type": "int[]", "optional": True})},
    {"name": "tall", "post": "/tall", "call": "up/swallow", "params": (
        {"list": ({"list": ({"struct": ({"member": "m", "list": ({"struct": WIDE[:200]},
                                         {"json": json.dumps(["c" * 100] * 500)})},)},)},)},)},
)


def member(name: str, before: str, piece: str, after: str, size: int = SIZE) -> bytes:
    return filled(f'{{"{name}":{before}', piece, after + "}", size)


BY_ROUTE = {
    "string": ("/one", member("text", '"', "x", '"')),
    "markup": ("/one", member("text", '"', "&", '"')),
    "string of escapes": ("/one", member("text", '"', "\\u00e9", '"')),
    "string of short escapes": ("/one", member("text", '"', "\\n", '"')),
    "base64": ("/one", member("bytes", '"', "QUJD", '"')),
    "base64 of escapes": ("/one", member("bytes", '"', "\\u0051", '"')),
    "base64, in the end an error": ("/one", member("bytes", '"', "QUJD", '!"')),
    "int": ("/one", member("many", "", "7", "")),
    "digits": ("/one", member("digits", '"', "7", '"')),
    "zeros": ("/one", member("digits", '"-', "0", '7"')),
    "double": ("/one", member("part", "0.", "7", "")),
    "date": ("/one", member("day", '"', "7", '"')),
    "date of escapes": ("/one", member("day", '"', "\\u0037", '"')),
    "text that is like no glob": ("/one", member("like", '"', "ab", '"')),
    "texts that are like no glob": ("/one", member("likes", "[", '"aab",', '"ab"]')),
    "text that is too long": ("/one", member("short", '"', "é", '"')),
    "words": ("/one", member("words", "[", '"",', '""]')),
    "kinds": ("/one", member("kinds", "[", '"kind199",', '"kind0"]')),
    "numbers": ("/one", member("numbers", "[", "7,", "7]")),
    "numbers, in the end an error": ("/one", member("numbers", "[", "7,", "7.5]")),
    "days": ("/one", member("days", "[", '"2024-02-29T12:00:00+01:00",', "7]")),
    "parts": ("/one", member("parts", "[", "5e-324,", "7]", SIZE // 4)),
    "any": ("/one", member("any", "[", "[{}],", "7]")),
    "deep": ("/one", b'{"any":' + b"[" * 120 + b"]" * 120 + b"}"),
    "no object": ("/one", filled("[7", ",7", "]")),
    "unknown names": ("/one", ("{" + members("k%d") + "}").encode()),
    "unknown names that are near": ("/wide", json.dumps(
        {f"{i:03}" + "n" * 59 + "m": 1 for i in range(300)}).encode()),
    "unknown name of escapes": ("/one", filled('{"', "\\u0061", '":1}')),
    "many errors": ("/wide", json.dumps({w["name"]: "é" * 2_000 for w in WIDE}).encode()),
    "all that is wide": ("/wide", json.dumps({w["name"]: "x" for w in WIDE}).encode()),
    "all that is tall": ("/tall", json.dumps({w["name"]: "x" for w in WIDE[:200]}).encode()),
    "white space": ("/one", filled("{", "\n", "}")),
    "pairs": ("/query/1?" + "&".join(f"{w['name']}=1" for w in WIDE[:100]), None),
    "one name often": ("/query/1?" + "x=1&" * 150, None),
    "unknown pairs that are near": ("/query/1?" + "&".join(
        f"{i:03}" + "n" * 59 + "m" for i in range(100)), None),
    "no pairs": ("/query/1?" + "&" * 200, None),
    "long segment": ("/query/" + "%C3%A9" * 1_000, None),
    "many segments": ("/query" + "/x" * 3_000, None),
}

#: What an upstream answers; the upstream's name as above.
RESPONSES = {
    "plain string": ("up", response_document("x" * SIZE)),
    "quotes": ("up", response_document('"' * SIZE)),
    "markup": ("up", response_document("&" * (SIZE // 5))),
    "references to characters": ("up", value_document("&#233;" * (SIZE // 6))),
    "CDATA": ("up", value_document("<![CDATA[x]]>" * (SIZE // 13))),
    "comments": ("up", value_document("<!---->" * (SIZE // 7))),
    "one comment": ("up", value_document("<!--" + "x" * SIZE + "-->")),
    "white space": ("up", value_document(" " * SIZE + "<i4>1</i4>")),
    "integer": ("up", value_document("<biginteger>" + "7" * 1_000_000 + "</biginteger>")),
    "double": ("up", value_document("<double>0." + "7" * 1_000_000 + "</double>")),
    "bigdecimal": ("up", value_document("<bigdecimal>0." + "7" * 1_000_000 + "</bigdecimal>")),
    "spread integer": ("up", value_document("<i4>" + " " * 1_000_000 + "7</i4>")),
    "date": ("up", value_document("<dateTime.iso8601>" + "7" * 1_000_000 + "</dateTime.iso8601>")),
    "base64": ("up", value_document("<base64>" + "QUJD" * (SIZE // 4) + "</base64>")),
    "base64 in lines": ("up", value_document("<base64>" + "Q\n" * (SIZE // 2) + "</base64>")),
    "integers": ("up", value_document("<array><data>" + "<value><i4>1</i4></value>" * 160_000
                                      + "</data></array>")),
    "empty values": ("up", value_document("<array><data>" + "<value/>" * 500_000
                                          + "</data></array>")),
    "doubles": ("up", value_document("<array><data>" + "<value><double>1.7976931348623157e308"
                                     "</double></value>" * 70_000 + "</data></array>")),
    "names": ("up", struct_xml("k%d", 60_000)),
    "one name twice": ("up", struct_xml("k%.0s", 60_000)),
    "each name twice": ("up", struct_xml("k%d", 30_000).replace(b"</struct>", struct_xml(
        "k%d", 30_000).partition(b"<struct>")[2].partition(b"</struct>")[0] + b"</struct>")),
    "long names": ("up", struct_xml("%d" + "x" * 60_000, 64)),
    "controls to base64": ("base64", value_document("x" * SIZE + "\x01")),
    "controls replaced": ("replace", value_document("\x01" * SIZE)),
    "markup repaired": ("replace", value_document("\x01&amp;" * (SIZE // 6))),
    "UTF 16": ("up", "\ufeff".encode("utf-16-le") + value_document(
        "é" * (SIZE // 2)).decode().replace("?>", ' encoding="UTF-16"?>').encode("utf-16-le")),
    "UTF 7": ("up", value_document("+AOk-" * (SIZE // 5)).replace(
        b"?>", b' encoding="UTF-7"?>')),
    "UTF 7 repaired": ("replace", value_document("+AAE-" * (SIZE // 5)).replace(
        b"?>", b' encoding="UTF-7"?>')),
    "UTF 7 broken": ("replace", value_document("+" * 400_000).replace(
        b"?>", b' encoding="UTF-7"?>')),
    "Shift_JIS broken": ("replace", value_document("@@").replace(
        b"@@", b"\x81\xff" * (SIZE // 8)).replace(b"?>", b' encoding="Shift_JIS"?>')),
    "Latin 1": ("up", value_document("@@").replace(b"@@", b"\xe9" * SIZE).replace(
        b"?>", b' encoding="ISO-8859-1"?>')),
    "fault": ("up", response_document(1).replace(b"<params>", b"<fault>").replace(
        b"</params>", b"</fault>").replace(b"<param>", b"").replace(b"</param>", b"").replace(
        b"<int>1</int>", b"<struct><member><name>faultCode</name><value><int>4</int></value>"
        b"</member><member><name>faultString</name><value>" + b"s3cret-" * (SIZE // 7)
        + b"</value></member></struct>")),
    "no XML": ("up", b"x" * SIZE),
    "deep": ("up", value_document("<array><data><value>" * 500)),
    "attributes": ("up", value_document('<i4 a="' + "x" * 900 + '">1</i4>')),
    "short of the end": ("up", b"<methodResponse><params><param><value>" + b"x" * SIZE),
}

#: What an upstream tells of itself; "system.listMethods" is cut to what is kept.
NAMES = [f"method.number{i}" for i in range(90_000)]

#: Steps that are longer than they should be: their work, rounded up. None may be added.
LONGER = {}


def many(document: bytes, body: bytes) -> bytes:
    """A system.multicall's answer to so many calls as that document has."""
    n = body.count(b"<name>methodName</name>")
    return value_document("<array><data>" + document.decode() * n + "</data></array>")


async def behave(x):
    if b"<methodName>system.multicall<" in x.body[:200]:
        if x.request_line.split()[1] == "/fault":
            await x.answer_fault(4, "s3cret " * 20_000)
            return
        await x.respond(many(b"<value><array><data><value><i4>1</i4></value></data></array></value>",
                             x.body))
    elif b"<methodName>system.listMethods<" in x.body[:200]:
        await x.answer(NAMES)
    elif b"<methodName>system.methodHelp<" in x.body[:200]:
        await x.answer("é&\n" * 300_000)
    elif b"<methodName>answer." in x.body[:200]:
        await x.respond(RESPONSES[x.method[7:].replace("-", " ")][1])
    else:
        await x.answer(1)


@pytest.fixture(scope="module")
def steps(start_shared, folder):
    upstream = start_shared.upstream(behave)
    told = folder / "steps"
    # The counted daemon is slow, and nothing here is about time.
    usual = {"url": upstream.url, "breaker": {"failures": 0}, "timeouts": {"total": "10m"},
             "extensions": ["i8", "nil", "biginteger", "bigdecimal"]}
    gateway = start_shared.gateway({
        "workers": 1,
        "mcp": [{"name": "all", "max": 100, "max_result": "4M", "max_request": "256K", "tools": [
                    {"match": match, "write": True} for match in (
                        "up/swallow", "@given", *(f"{of}/answer." + name.replace(" ", "-")
                                                  for name, (of, _) in RESPONSES.items()))]},
                {"name": "globs", "max": 500, "tools": [{"match": "up/*7", "write": True},
                                                        {"match": "up/method*", "write": True}]}],
        "anonymous": {"allow": ["*/swallow", "*/answer.*", "*/method.*", "*/system.*"]},
        "upstreams": {
            "up": usual,
            "base64": usual | {"text": "base64"},
            "replace": usual | {"text": "replace"},
            "utf16": usual | {"encoding": "UTF-16"},
            "eucjp": usual | {"encoding": "EUC-JP"},
            "latin1": usual | {"encoding": "ISO-8859-1"},
            "packing": usual | {"compression": {"request_over": "1K"}},
            "ruled": usual,
            "together": usual | {"multicall": "always", "multicall_results": "wrapped"},
            "fault": usual | {"url": upstream.url.replace("RPC2", "fault"), "multicall": "always",
                              "multicall_results": "wrapped"},
            "aside": usual | {"multicall": "never"},
        },
        "routes": [*ROUTES, {"name": "given", "post": "/given", "call": "up/swallow", "params": [
            {"name": "x", "type": "any", "optional": True},
            {"name": "n", "type": "int", "optional": True}]}],
    }, program=PROGRAM, environment=environment(told))
    return Steps(gateway, told)


def judge(steps, name: str):
    work, told = steps.longest()
    print(f"STEP {name}: {work / 1e6:.1f} {told}")
    assert work <= LONGER.get(name, LIMIT), told
    assert name not in LONGER or work > LIMIT, "this one need not be in LONGER any more"


@pytest.mark.parametrize("name", REQUESTS)
def test_requests(steps, name):
    path, body = REQUESTS[name]
    answer = steps.gateway.request("POST", path, body, TEXT)
    assert answer.status in (200, 204, 400, 403, 413, 422, 502), answer.body[:500]
    judge(steps, name)


@pytest.mark.parametrize("name", RESPONSES)
def test_responses_as_tools(steps, name):
    tool = f"{RESPONSES[name][0]}__answer_" + name.replace(" ", "-")
    answer = steps.gateway.request("POST", "/mcp/all", (TOOL % tool + "{}}}").encode(), TEXT)
    assert answer.status == 200 and b'"isError":' in answer.body, answer.body[:500]
    judge(steps, "tool: " + name)


@pytest.mark.parametrize("name", RESPONSES)
def test_responses(steps, name):
    upstream, _ = RESPONSES[name]
    answer = steps.gateway.call(upstream, "answer." + name.replace(" ", "-"), [])
    assert answer.status in (200, 500, 502), answer.body[:500]
    judge(steps, "answer: " + name)


@pytest.mark.parametrize("name", BY_ROUTE)
def test_routes(steps, name):
    path, body = BY_ROUTE[name]
    answer = steps.gateway.request("GET" if body is None else "POST", path, body, TEXT)
    assert answer.status in (200, 400, 404), answer.body[:500]
    judge(steps, "route: " + name)


def as_call(response: bytes) -> bytes:
    """The same document from a caller that speaks XML-RPC."""
    return (response.replace(b"<methodResponse>", b"<methodCall><methodName>swallow</methodName>")
            .replace(b"</methodResponse>", b"</methodCall>"))


XML = {"Content-Type": "text/xml"}


@pytest.mark.parametrize("name", RESPONSES)
def test_documents_of_callers(steps, name):
    upstream, document = RESPONSES[name]
    answer = steps.gateway.request("POST", f"/xmlrpc/{upstream}", as_call(document)[:SIZE], XML)
    assert answer.status == 200, answer.body[:500]
    judge(steps, "call: " + name)


@pytest.mark.parametrize("name", RESPONSES)
def test_responses_as_xml(steps, name):
    upstream, _ = RESPONSES[name]
    method = "answer." + name.replace(" ", "-")
    call = f"<methodCall><methodName>{method}</methodName></methodCall>".encode()
    answer = steps.gateway.request("POST", f"/xmlrpc/{upstream}", call, XML)
    assert answer.status == 200, answer.body[:500]
    judge(steps, "XML answer: " + name)


@pytest.mark.parametrize("upstream", ["together", "aside"])
@pytest.mark.parametrize("item", ["<value/>", "<value><struct><member><name>methodName</name>"
                                  "<value>swallow</value></member></struct></value>"])
def test_multicalls_of_callers(steps, upstream, item):
    before, after = ("<methodCall><methodName>system.multicall</methodName><params><param><value>"
                     "<array><data>"), "</data></array></value></param></params></methodCall>"
    answer = steps.gateway.request("POST", f"/xmlrpc/{upstream}",
                                   (before + item * 9_000 + after).encode(), XML)
    assert answer.status == 200 and b"<params>" in answer.body, answer.body[:500]
    judge(steps, "multicall")


def test_names_as_xml(steps):
    call = b"<methodCall><methodName>system.listMethods</methodName></methodCall>"
    answer = steps.gateway.request("POST", "/xmlrpc/up", call, XML)
    assert answer.status == 200 and answer.body.count(b"method.number") > 1000
    judge(steps, "names as XML")


@pytest.mark.parametrize("path", ["/v1/up", "/v1/up/method.number7", "/metrics", "/v1",
                                  "/openapi.json", "/openapi/up.json"])
def test_looks(steps, path):
    answer = steps.gateway.get(path)
    # So many methods of so many upstreams do not fit into limits.memory.
    assert answer.status == (503 if path == "/openapi.json" else 200), answer.body[:500]
    judge(steps, "GET " + path)


def test_metrics_of_many_upstreams(start, tmp_path):
    told = tmp_path / "steps"
    upstreams = {f"u{i}": {"url": "http://127.0.0.1:9/RPC2"} for i in range(1000)}
    gateway = start.gateway({"workers": 1, "anonymous": {"allow": ["*/*"]}, "upstreams": upstreams},
                            program=PROGRAM, environment=environment(told))
    steps = Steps(gateway, told)
    steps.longest()  # those of the start
    answer = gateway.get("/metrics")
    assert answer.status == 200 and b'upstream="u999"' in answer.body
    judge(steps, "metrics of many upstreams")
    assert gateway.get("/v1").status == 200
    judge(steps, "many upstreams")


def test_description_of_much(start, tmp_path):
    """A document of many upstreams and routes, for one who may use few of them."""
    told, token = tmp_path / "steps", "0123456789abcdef0123456789abcdef"
    upstreams = {f"u{i}": {"url": "http://127.0.0.1:9/RPC2", "retry": {"attempts": 1}}
                 for i in range(1000)}
    routes = [{"name": f"r{i}", "post": f"/r/a{i}/{{x}}", "call": f"u{i % 1000}/m",
               "tags": [f"t{i % 700}"], "params": ({"name": "x"},)} for i in range(2000)]
    gateway = start.gateway({"workers": 1, "anonymous": {"allow": ["*/*"]}, "upstreams": upstreams,
                             "routes": routes, "callers": (
                                 {"name": "bot", "token": token, "allow": ["@r1*"]},)},
                            program=PROGRAM, environment=environment(told))
    steps = Steps(gateway, told)
    steps.longest()  # those of the start
    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        for path in ("/openapi.json", "/openapi/u1.json"):
            answer = gateway.get(path, **headers)
            assert answer.status == 200 and len(answer.json["paths"]) > 1
            judge(steps, f"description of much, {path}, {len(headers)}")
