# SPDX-License-Identifier: Apache-2.0
"""A hostile gateway or server puts what a terminal obeys into each text that the tool prints."""

import json
import unicodedata

import pytest

from rig.tool import tool, tool_on_terminal

#: Escape, CSI and OSC (as C0 and C1), a bell, a backspace, overrides and marks of direction, a tag, DEL.
EVIL = ("\x1b[2J \x9b2J \x9d0;owned\x07 \x08\x90\x9c \u202egpj\u2066\u2069\u200f\u061c \ufeff\u2028"
        "\U000e0041 \x7f\r")


def assert_harmless(text: str):
    for c in text:
        assert c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp", "Cs"), (
            f"U+{ord(c):04X} in {text!r}")


def wire(text: str) -> str:
    """Its UTF-8, as heads are written."""
    return text.encode().decode("latin-1")


def answers(escaped: bool) -> dict:
    """Documents by their paths: JSON with escapes, or with the characters as they are."""
    fault = {"type": "urn:rpcgate:problem:fault", "title": EVIL, "status": 500, "detail": EVIL,
             "executed": EVIL, "request_id": EVIL, "fault": {"code": 4, "string": EVIL}}
    documents = {
        "/v1": {"upstreams": [{"name": "a" + EVIL, "state": EVIL}, {"name": "b\nc", "state": "up"}]},
        "/v1/u": {"name": EVIL, "methods": [{"name": EVIL}, {"name": "x\ny"}]},
        "/v1/none": {"name": EVIL, "methods": None, "reason": EVIL},
        "/v1/u/m": {"method": EVIL, "signatures": [[EVIL, EVIL], [EVIL]], "help": EVIL},
        "/v1/u/result": {"result": {EVIL: [EVIL]}},
        "/v1/u/fault": fault,
        "/v1/u/code": fault | {"fault": {"code": EVIL, "string": "x"}},
        "/v1/u/nested": fault | {"fault": {"code": [EVIL], "string": [EVIL]}},
        "/v1/u/word": fault | {"fault": {"code_text": EVIL, "string": None}},
        "/v1/u/named": fault | {"type": "urn:rpcgate:problem:" + EVIL, "fault": None},
        "/v1/u/pointer": fault | {"fault": None, "pointer": "/0/" + EVIL, "setting": EVIL},
        "/v1/u/shaped": fault | {"fault": None, "pointer": [EVIL], "title": [EVIL]},
        "/v1/u/foreign": [EVIL],
    }
    return {path: json.dumps(document, ensure_ascii=escaped).encode()
            for path, document in documents.items()}


@pytest.fixture(scope="module", params=[True, False], ids=["escaped", "raw"])
def url(request, start_shared):
    documents = answers(request.param)

    async def behave(x):
        body = documents.get(x.request_line.split()[1], b"{" + EVIL.encode() + b"}")
        bad = b"urn:rpcgate:problem" in body
        await x.respond(body, "500 " + wire(EVIL.replace("\r", "")) if bad else "200 OK", {
            "Content-Type": "application/problem+json" if bad else "application/json"})
    return f"http://127.0.0.1:{start_shared.upstream(behave).port}"


COMMANDS = [
    ("upstreams",), ("methods", "u"), ("methods", "none"), ("describe", "u", "m"),
    ("describe", "u", "pointer"), ("methods", "garbage"),
    *[("call", "u", method) for method in ("result", "fault", "code", "nested", "word", "named",
                                           "pointer", "shaped", "foreign", "garbage")]]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_hostile_gateway(url, words):
    """What goes to people: text, errors, and on a terminal also JSON."""
    command, *operands = words
    terminal = tool_on_terminal(command, "--url", url, *operands)
    assert terminal.out or terminal.err
    assert_harmless(terminal.out + terminal.err)
    pipe = tool(command, "--url", url, *operands)
    assert_harmless(pipe.err)
    if command != "call":
        assert_harmless(pipe.out)


@pytest.mark.parametrize("words", [("upstreams",), ("methods", "u"), ("describe", "u", "m")],
                         ids=" ".join)
def test_json_keeps_its_value(url, words):
    command, *operands = words
    terminal = tool_on_terminal(command, "--json", "--url", url, *operands)
    pipe = tool(command, "--json", "--url", url, *operands)
    assert_harmless(terminal.out)
    assert json.loads(terminal.out) == json.loads(pipe.out)


def test_lines_are_one_each(url):
    assert len(tool("upstreams", "--url", url).out.splitlines()) == 2
    assert len(tool("methods", "--url", url, "u").out.splitlines()) == 2


def test_bytes_that_are_no_answer(start):
    """Raw C1 in what is no HTTP, no JSON, no UTF-8."""
    async def behave(x):
        if x.request_line.split()[1] == "/v1":
            await x.send(b"HTTP/1.1 \x9b2J\x1b]0;x\x07 \xc2\x9b\r\n\r\n")
        else:
            await x.respond(b'{"upstreams":[{"name":"\x9b2J"}]}', "200 \x9b2J")
        x.close()
    url = f"http://127.0.0.1:{start.upstream(behave).port}"
    for words in (("upstreams",), ("methods", "u"), ("call", "u", "m")):
        done = tool_on_terminal(words[0], "--url", url, *words[1:])
        assert done.err
        assert_harmless(done.out + done.err)


def xml(value: str) -> bytes:
    return ("<?xml version='1.0'?><methodResponse><params><param><value>" + value +
            "</value></param></params></methodResponse>").encode()


def fault(code: str, text: str) -> bytes:
    return ("<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>faultCode"
            f"</name><value>{code}</value></member><member><name>faultString</name><value>{text}"
            "</value></member></struct></value></fault></methodResponse>").encode()


#: What of it XML can carry.
XML_EVIL = "".join(c for c in EVIL if c >= " " and c != "\r")


@pytest.mark.parametrize("body, status", [
    (xml(f"<string>{XML_EVIL}</string>"), "200 OK"),
    (xml(f"<struct><member><name>{XML_EVIL}</name><value>1</value></member></struct>"), "200 OK"),
    (xml(f"<int>{XML_EVIL}</int>"), "200 OK"),
    (xml(f"<dateTime.iso8601>{XML_EVIL}</dateTime.iso8601>"), "200 OK"),
    (fault(f"<string>{XML_EVIL}</string>", XML_EVIL), "200 OK"),
    (fault("<int>4</int>", XML_EVIL), "200 OK"),
    (f"<{XML_EVIL}/>".encode(), "200 OK"),
    (b"<\x9b2J\x1b/>", "200 OK"),
    (XML_EVIL.encode(), "500 \x9b2J" + wire(XML_EVIL)),
    (b"\x9b2J\x1b", "404 \x1b[2J"),
], ids=range(10))
def test_a_hostile_server(start, tmp_path, body, status):
    """Called directly, checked, and what it has written decoded."""
    async def behave(x):
        await x.respond(body, status, {"Server": "\x9b2J"})
    url = start.upstream(behave).url
    path = tmp_path / "rpcgate.conf"
    path.write_text(f'upstreams = {{ u = {{ url = "{url}"; }}; }};')
    (tmp_path / "document.xml").write_bytes(body)
    for words in (("call", "--direct", url, "m"), ("check", "-c", str(path)),
                  ("check", "--json", "-c", str(path)), ("decode", str(tmp_path / "document.xml"))):
        done = tool_on_terminal(*words)
        assert done.out or done.err, words
        assert_harmless(done.out + done.err)
