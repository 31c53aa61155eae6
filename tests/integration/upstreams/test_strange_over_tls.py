# SPDX-License-Identifier: Apache-2.0
"""Answers over TLS that libcurl refuses, or reads in another way, before anybody else sees them: no
kind of call loses one, but with Digest and `transport = "curl"`."""

import gzip
import ssl

import pytest

from rig.certificates import Authority
from rig.check import assert_problem
from rig.upstream import Upstream, response_document

DOCUMENT = response_document("fine")
PACKED = gzip.compress(DOCUMENT)
BROKEN = "content-disposition attachment"

#: Header lines and the body of an answer to a call.
SHAPES = {
    "no-colon": ([BROKEN, f"Content-Length: {len(DOCUMENT)}"], DOCUMENT),
    "blank-length": (["Content-Length:"], DOCUMENT),
    "no-coding": (["Content-Encoding: UTF-8", f"Content-Length: {len(DOCUMENT)}"], DOCUMENT),
    "too-long": ([f"Content-Length: {len(DOCUMENT) + 999}"], DOCUMENT),
    "padding": (["Content-Encoding: gzip", f"Content-Length: {len(PACKED) + 3}"],
                PACKED + b"\0\0\0"),
    "all": ([BROKEN, "Content-Length:", "Content-Encoding: binary, gzip"], PACKED + b"\r\n"),
}

LOGIN = {"login": {"method": "login"}}
FORM = {"login": {"form": {"user": "me"}, "path": "login"}}

#: What makes calls of that kind, and what of a request tells that it is one.
KINDS = {
    "plain": ({}, lambda x, first: True),
    "lines": ({"inject": [{"headers": ["X-Key: k", "User-Agent: other"]}]},
              lambda x, first: x.header("X-Key") == "k" and x.header("User-Agent") == "other"),
    "path": ({"inject": [{"path": "/own"}]},
             lambda x, first: x.request_line.endswith("/own HTTP/1.1")),
    "a session's lines": ({"inject": [{"match": "login"}, {"headers": ["X-Key: {session}"]}],
                           "session": LOGIN}, lambda x, first: x.header("X-Key") == "fine"),
    "a session's cookies": ({"inject": [{"cookies": True, "path": "/own"}], "session": FORM},
                            lambda x, first: x.header("Cookie") == "sid=0123456789"
                            and x.request_line.endswith("/own HTTP/1.1")),
    "cookies": ({"cookies": True},
                lambda x, first: x.header("Cookie") == (None if first else "sid=0123456789")),
}

DIGEST = {"auth": {"scheme": "digest", "username": "me", "password": "secret-of-ours"}}


@pytest.fixture(scope="module")
def authority(folder):
    return Authority(folder, "ours")


@pytest.fixture(scope="module")
def context(authority):
    certificate = authority.issue("heads")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate.cert, certificate.key)
    return made


async def behave(x):
    """Answers as the first segment of the path says, logins as well."""
    lines, body = SHAPES[x.request_line.split("/")[1]]
    lines = ["HTTP/1.1 200 OK", "Set-Cookie: sid=0123456789; Path=/; Secure", *lines]
    await x.send("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body)
    if "Content-Length:" in lines:
        x.close()


async def behave_digest(x):
    if x.header("Authorization") is not None:
        return await behave(x)
    challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'
    await x.respond(b"no", "401 Unauthorized", {"WWW-Authenticate": challenge})


def gateway_before(start, upstream, authority, **more):
    """An upstream for each shape, which has to learn for itself."""
    return start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        name: {"url": f"https://localhost:{upstream.port}/{name}/RPC2",
               "tls": {"ca_file": authority.cert}, "breaker": {"failures": 0}, "transport": "auto", **more}
        for name in SHAPES}})


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_is_lost(start, context, authority, kind):
    more, is_of_kind = KINDS[kind]
    with Upstream(behave, tls=context) as upstream:
        gateway = gateway_before(start, upstream, authority, **more)
        for name in SHAPES:
            for number in range(3):
                answer = gateway.call(name, "m", [f"{name}-{number}"])
                assert answer.status == 200 and answer.result == "fine", (name, answer.body)
                assert is_of_kind(upstream.exchanges[-1], number == 0), name
        assert set(upstream.executed.values()) == {1}


@pytest.mark.parametrize("more", [{"transport": "curl"}, DIGEST], ids=["curl", "digest"])
def test_what_libcurl_loses(start, context, authority, more):
    with Upstream(behave_digest if "auth" in more else behave, tls=context) as upstream:
        gateway = gateway_before(start, upstream, authority, **more)
        assert gateway.call("no-coding", "m").result == "fine"
        document = assert_problem(gateway.call("no-colon", "m"), "bad-response", 502, "unknown")
        assert "line 3 of the response's head has no colon" in document["detail"]
