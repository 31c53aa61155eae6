# SPDX-License-Identifier: Apache-2.0
"""Passwords whose bytes are no UTF-8: what they become on their way into problems and the log is
hidden like what they are."""

import base64
from contextlib import suppress

import pytest

from rig.settings import up_settings
from rig.upstream import http_response

WORD = b"geheimnis-des-hauses"
LATIN_1 = b"\xfc\xdf" + WORD + b"\xe4"
UTF_8 = "üß".encode() + WORD + "ä".encode()

#: The cut of a Content-Encoding falls into its fourteenth character.
KEY = "fremder-Schlüssel".encode()


def fault(text: bytes, declaration: bytes) -> bytes:
    return (b"<?xml version='1.0'" + declaration + b"?><methodResponse><fault><value><struct>"
            b"<member><name>faultCode</name><value><int>4</int></value></member><member><name>"
            b"faultString</name><value><string>before " + text + b" behind</string></value>"
            b"</member></struct></value></fault></methodResponse>")


def value(text: bytes, declaration: bytes) -> bytes:
    return (b"<?xml version='1.0'" + declaration + b"?><methodResponse><params><param><value>"
            + text + b"</value></param></params></methodResponse>")


LATIN = b" encoding='ISO-8859-1'"
ANSWERS = {
    "fault in Latin-1": lambda s: http_response(fault(s, LATIN)),
    "fault in UTF-8": lambda s: http_response(fault(s, b"")),
    "fault at 1 of 3": lambda s: http_response(fault(b"x" + s, b"")),
    "fault at 2 of 3": lambda s: http_response(fault(b"xx" + s, b"")),
    "number in Latin-1": lambda s: http_response(value(b"<int>" + s + b"</int>", LATIN)),
    "number in UTF-8": lambda s: http_response(value(b"<int>" + s + b"</int>", b"")),
    "reason": lambda s: b"HTTP/1.1 500 no " + s + b"\r\nContent-Length: 0\r\n\r\n",
    "long reason": lambda s: b"HTTP/1.1 500 " + b"x" * 239 + s + b"\r\nContent-Length: 0\r\n\r\n",
    "header": lambda s: b"HTTP/1.1 401 No\r\nServer: " + s + b"\r\nContent-Length: 0\r\n\r\n",
    "place": lambda s: b"HTTP/1.1 302 No\r\nLocation: /" + s + b"\r\nContent-Length: 0\r\n\r\n",
    "coding": lambda s: (b"HTTP/1.1 200 OK\r\nContent-Encoding: xxxxxxxxx" + s
                         + b"\r\nContent-Length: 0\r\n\r\n"),
    "cut in a character": lambda s: (b"HTTP/1.1 200 OK\r\nContent-Encoding: xxxxxxxxxxxxxxxxx" + KEY
                                     + b"\r\nContent-Length: 0\r\n\r\n"),
    "body": lambda s: http_response(b"<p>" + s + b"</p>", "500 No"),
    "long body": lambda s: http_response(b"x" * 500 + s, "500 No"),
}


def shown_pieces(word: bytes) -> list[str]:
    """Of the word as it is and in Base64, wherever it begins in that."""
    within = [base64.b64encode(b"x" * n + word)[4:-4].decode() for n in range(3)]
    return [text[at:at + 8] for text in [word.decode(), *within] for at in range(len(text) - 7)]


def assert_hidden(text: str):
    for word in (WORD, KEY[:12]):
        for piece in shown_pieces(word):
            assert piece not in text, (piece, text)
    with suppress(UnicodeDecodeError):
        for raw in (LATIN_1, UTF_8):
            assert raw.decode() not in text


@pytest.mark.parametrize("policy", ["reject", "replace", "base64"])
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("secret", [LATIN_1, UTF_8], ids=["Latin-1", "UTF-8"])
def test_bytes_that_are_no_text(start, tmp_path, secret, answer, policy):
    (tmp_path / "password").write_bytes(secret)

    async def behave(x):
        await x.send(ANSWERS[answer](secret))
    gateway = start.gateway(up_settings(
        start.upstream(behave), text=policy, verbose=True,
        auth={"scheme": "basic", "username": "u", "password": f"${{file:{tmp_path}/password}}"},
        headers=["X-Api-Key: " + KEY.decode()]) | {"log": {"level": "debug"}})
    results = [gateway.call("up", "m").body, gateway.post_json("/v1/up", [{"method": "m"}]).body]
    gateway.wait_line(lambda line: 'part="response head"' in line)
    for text in (*(result.decode() for result in results), gateway.stderr):
        assert_hidden(text)
    if answer not in ("number in UTF-8", "fault in UTF-8", "fault at 1 of 3", "fault at 2 of 3"):
        assert "***" in results[0].decode(), results[0]
