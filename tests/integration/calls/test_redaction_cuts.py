# SPDX-License-Identifier: Apache-2.0
"""An upstream says what it was told so that our cuts fall into it: no beginning of a secret shows,
wherever text is cut, in whichever form."""

import base64
from urllib.parse import quote

import pytest

from rig.settings import up_settings
from rig.tool import tool
from rig.upstream import http_response

#: Of 70 characters, and of more than what is kept behind the verbose log's cut.
TOKEN = "tk+" + "".join(chr(ord("a") + i * 7 % 26) for i in range(67))
LONG = "lg+" + "".join(chr(ord("A") + i * 11 % 26) for i in range(2097))
FORMS = [lambda x: x, lambda x: base64.b64encode(x.encode()).decode(),
         lambda x: quote(x, safe=""), lambda x: "".join(f"%{ord(c):02x}" for c in x)]
FORM_NAMES = ["plain", "base64", "percent", "percent-all"]
LEAST = 6  # [characters] that must not show of it


def assert_hidden(text: str, secret: str, form):
    """Not even the beginning."""
    shown = form(secret)
    for n in (len(shown), 640, 60, 30, 12, LEAST):
        assert shown[:n] not in text, (n, text[:3000])


def settings(upstream, secret: str, **more):
    return up_settings(upstream, auth={"scheme": "bearer", "token": secret}, **more) | {
        "log": {"level": "debug"}}


def xml(value: str) -> bytes:
    return ("<?xml version='1.0'?><methodResponse><params><param><value>" + value +
            "</value></param></params></methodResponse>").encode()


def fault(text: str, code: str = "<int>4</int>") -> bytes:
    return ("<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>faultCode"
            f"</name><value>{code}</value></member><member><name>faultString</name><value>{text}"
            "</value></member></struct></value></fault></methodResponse>").encode()


def name_of(text: str) -> str:
    """As the name of a tag."""
    return "".join(c if c.isalnum() else "_" for c in text)


DOCUMENTS = {  # each cuts what it tells of it
    "int": lambda s: xml(f"<int>{s}</int>"),
    "boolean": lambda s: xml(f"<boolean>{s}</boolean>"),
    "double": lambda s: xml(f"<double>{s}</double>"),
    "encoding": lambda s: f"<?xml version='1.0' encoding='x{'y' * 30}{s}'?><a/>".encode(),
    "fault": lambda s: fault("x" * 270 + s),
    "code": lambda s: fault("y", f"<string>{'x' * 270 + s}</string>"),
    "long int": lambda s: xml("<int>" + "x" * 40 + s + "</int>"),
}


@pytest.mark.parametrize("form", FORMS, ids=FORM_NAMES)
@pytest.mark.parametrize("where", DOCUMENTS)
def test_documents(up, where, form):
    async def behave(x):
        await x.respond(DOCUMENTS[where](form(TOKEN)))
    gateway, _ = up(behave, auth={"scheme": "bearer", "token": TOKEN})
    answer = gateway.call("up", "m")
    assert answer.status >= 400
    assert_hidden(answer.body.decode() + gateway.stderr, TOKEN, form)
    if where != "encoding" or form is FORMS[0]:
        assert "***" in answer.body.decode()


@pytest.mark.parametrize("start_of", [
    lambda n: f"<{n}/>", lambda n: f"<methodResponse><{n}/></methodResponse>",
    lambda n: f"<methodResponse><params><param><value><struct><member><{n}/>",
    lambda n: f"<methodResponse><{n}><x", lambda n: f"<methodResponse><params><{n}></params>",
])
@pytest.mark.parametrize("before", range(0, 81, 16))
def test_names_of_tags(up, start_of, before):
    token = name_of(TOKEN)

    async def behave(x):
        await x.respond(start_of("n" * before + token).encode())
    gateway, _ = up(behave, auth={"scheme": "bearer", "token": token})
    answer = gateway.call("up", "m")
    assert answer.problem == "bad-response"
    assert_hidden(answer.body.decode(), token, FORMS[0])


@pytest.mark.parametrize("form", FORMS, ids=FORM_NAMES)
@pytest.mark.parametrize("secret", [TOKEN, LONG], ids=["70", "2100"])
def test_heads_and_bodies(up, secret, form):
    """The reason phrase, the type, the coding, headers, and the page, cut at each place."""
    text, at = form(secret), 0

    async def behave(x):
        await x.send((f"HTTP/1.1 500 {'p' * at}{text}\r\nContent-Type: {'t' * at}{text}\r\n"
                      f"Server: {'s' * at}{text}\r\n\r\n{'b' * at * 4}{text}").encode())
        x.close()
    gateway, _ = up(behave, auth={"scheme": "bearer", "token": secret})
    for at in (0, 100, 128, 200, 225, 240, 250):
        answer = gateway.call("up", "m")
        assert answer.problem == "protocol-error", answer.body
        assert_hidden(answer.body.decode() + gateway.stderr, secret, form)


def test_codings(up):
    token = "Token-with-40-characters-0123456789abcde"

    async def behave(x):
        await x.respond(b"<html>", headers={"Content-Encoding": token + "-more"})
    gateway, _ = up(behave, auth={"scheme": "bearer", "token": token})
    answer = gateway.call("up", "m")
    assert answer.problem == "bad-response" and "Content-Encoding" in answer.json["detail"]
    assert_hidden(answer.body.decode(), token, FORMS[0])


@pytest.mark.parametrize("form", FORMS, ids=FORM_NAMES)
def test_the_verbose_log(start, form):
    """It keeps 64 KiB and some bytes more; a secret of 2,100 reaches over all of these."""
    text, at = form(LONG), 0

    async def behave(x):
        body = xml("<string>" + "v" * at + text + "</string>")
        await x.send(http_response(body, "200 " + "h" * 40, {}))
    upstream = start.upstream(behave)
    gateway = start.gateway(settings(upstream, LONG, verbose=True))
    for at in (65_536 - 200, 65_536 - 90, 65_536 + 320, 65_536 + 700):
        answer = gateway.call("up", "m")
        assert answer.status == 200
        cut = f"request_id={answer.header('X-Request-Id')} "
        gateway.wait_line(lambda line, cut=cut: cut in line and "cut=" in line)
    assert gateway.call("up", "m", [text[:5] + "w" * 65_000 + text]).status == 200
    pieces = "".join(line.split(' text="', 1)[1].rsplit('"', 1)[0] for line in gateway.lines
                     if ' text="' in line)
    assert "vvv" in pieces
    assert_hidden(pieces, LONG, form)


@pytest.mark.parametrize("form", FORMS, ids=FORM_NAMES)
def test_the_tool(start, tmp_path, form):
    """`check` tells reasons, too."""
    async def behave(x):
        text = form(TOKEN)
        if x.method == "system.listMethods":
            await x.send(("HTTP/1.1 401 " + "r" * 230 + text + "\r\nWWW-Authenticate: Basic realm=\""
                          + "q" * 215 + text + "\"\r\nContent-Length: 0\r\n\r\n").encode())
        else:
            await x.respond(fault(text))
    upstream = start.upstream(behave)
    path = tmp_path / "rpcgate.conf"
    path.write_text(f'upstreams = {{ u = {{ url = "{upstream.url}"; headers = '
                    f'[ "X-Api-Key: {TOKEN}" ]; }}; }};')
    for words in ((), ("--json",)):
        done = tool("check", *words, "-c", str(path))
        assert "401" in done.out
        assert_hidden(done.out + done.err, TOKEN, form)
