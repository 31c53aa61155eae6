# SPDX-License-Identifier: Apache-2.0
"""HTTP by rpcgate itself on connections that libcurl opens, and by libcurl: the same requests, and
over TLS what only shows there."""

import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig.certificates import Authority
from rig.check import eventually
from rig.upstream import Upstream, echo, response_document

BOTH = pytest.mark.parametrize("transport", ["auto", "curl"])


@pytest.fixture(scope="module")
def authority(folder):
    return Authority(folder, "transports")


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue("transport")


@pytest.fixture(params=["TLSv1.2", "TLSv1.3"])
def context(request, certificate):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate.cert, certificate.key)
    version = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}[request.param]
    made.minimum_version = made.maximum_version = version
    return made


def over_tls(start, upstream, authority, transport, **more):
    return start.gateway({"workers": 1, "limits": {"body": "32M"}, "anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
        "url": f"https://localhost:{upstream.port}/RPC2", "transport": transport,
        "tls": {"ca_file": authority.cert}, **more}}})


HEADS = {
    "plain": {},
    "credentials": {"auth": {"scheme": "basic", "username": "ü", "password": "p:w"}},
    "a token": {"auth": {"scheme": "bearer", "token": "t0ken-of-ours"}},
    "headers": {"headers": ["X-Tenant: blue", "Accept: text/xml", "User-Agent: mine/2"]},
    "an agent": {"user_agent": "mine/1", "compression": {"accept": False}},
    "cookies": {"cookies": True},
    "a call's lines": {"headers": ["X-Tenant: blue"], "cookies": True,
                       "inject": [{"headers": ["X-Key: k", "user-agent: mine/3", "Accept: a/b"]}]},
    "a call's credentials": {"auth": {"scheme": "basic", "username": "a", "password": "b-secret"},
                             "inject": [{"headers": ["Authorization: Own secret", "Cookie: c=d"]}]},
    "a call's path": {"inject": [{"path": "//x y:z/"}]},
}


async def echo_with_cookie(x):
    await x.respond(response_document(x.params[0]), headers={"Set-Cookie": "a=b; Path=/"})


@pytest.mark.parametrize("name", HEADS)
def test_requests_are_the_same(start, name):
    """All lines, in their order."""
    upstream = start.upstream(echo_with_cookie)
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        transport: {"url": upstream.url.replace("/RPC2", "/a/../b%2Fc?d=e&f"),
                    "transport": transport, **HEADS[name]}
        for transport in ("auto", "curl")}})
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for transport in ("auto", "curl") * 2:
        assert gateway.call(transport, "echo", ["ä" * 300],
                            traceparent=traceparent).result == "ä" * 300
    exchanges = upstream.exchanges
    for by_us, by_curl in (exchanges[:2], exchanges[2:]):
        assert by_us.request_line == by_curl.request_line
        assert by_us.headers == by_curl.headers
        assert by_us.body == by_curl.body
    with_cookie = ("Cookie", "a=b") in exchanges[2].headers
    assert with_cookie == ("cookies" in HEADS[name])


@BOTH
def test_is_kept_over_tls(start, context, authority, transport):
    """Tickets that come behind the handshake are no end of the connection, nor an answer."""
    with Upstream(echo, tls=context) as upstream:
        gateway = over_tls(start, upstream, authority, transport)
        for number in range(10):
            assert gateway.call("up", "echo", [f"{number}"]).result == f"{number}"
        assert upstream.connections == 1
        assert set(upstream.executed.values()) == {1}


@BOTH
def test_large_over_tls(start, context, authority, transport):
    """More than a record, and more than all buffers on the way, which the server reads late."""
    async def peek(_exchange):
        await gate.passed()
    with Upstream(echo, tls=context, peek=peek) as upstream:
        gate = upstream.gate()
        gateway = over_tls(start, upstream, authority, transport)
        text = "".join(f"{number:07x}" for number in range(700_000))
        with ThreadPoolExecutor(1) as pool:
            begun = pool.submit(gateway.call, "up", "echo", [text])
            upstream.wait_for(lambda u: u.connections == 1)
            gate.open()
            assert begun.result().result == text
        assert gateway.call("up", "echo", [text[:100_000]]).result == text[:100_000]
        assert upstream.connections == 1


def test_what_tls_is_given_counts(start, context, authority):
    """While a request is under way the piece that TLS has, of 16 KiB, is memory like all the rest."""
    gates = {}

    async def greet(link):
        link.writer.transport.pause_reading()
        await gates[link.writer.get_extra_info("ssl_object") is not None].passed()
        link.writer.transport.resume_reading()
    text = "0123456789abcdef" * 1_000_000  # more than the system takes
    with Upstream(echo, greet=greet) as plain, Upstream(echo, greet=greet, tls=context) as secret:
        gates.update({False: plain.gate(), True: secret.gate()})
        gateways = [over_tls(start, secret, authority, "auto", limits={"response": "32M"}),
                    start.simple(plain, workers=1, limits={"body": "32M"})]

        def used():
            return [int(gateway.metric("rpcgate_memory_bytes")) for gateway in gateways]

        def is_counted():
            by_tls, by_socket = used()
            return by_socket > len(text) and by_tls - by_socket == 16384
        with ThreadPoolExecutor(2) as pool:
            calls = [pool.submit(gateway.call, "up", "echo", [text]) for gateway in gateways]
            eventually(is_counted, True)
            for gate in gates.values():
                gate.open()
            assert all(call.result().result == text for call in calls)
        eventually(lambda: max(used()) < 16384, True)


@BOTH
def test_an_end_over_tls_costs_no_call(start, context, authority, transport):
    async def behave(exchange):
        await exchange.answer("fine")
        exchange.close()
    with Upstream(behave, tls=context) as upstream:
        gateway = over_tls(start, upstream, authority, transport, timeouts={"idle": "5s"})
        for number in range(5):
            assert gateway.call("up", "m", [f"{number}"]).result == "fine"
            upstream.wait_for(lambda u: u.open_connections == 0)
        assert set(upstream.executed.values()) == {1}


def test_what_is_left_to_libcurl(start):
    """Digest and bare connects; both on one gateway, and none in the way of another."""
    async def behave(x):
        if x.header("Authorization") is None and x.request_line.split()[1] == "/RPC2/digest":
            return await x.respond(b"no", "401 Unauthorized", {
                "WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'})
        await echo(x)
    upstream = start.upstream(behave)
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "digest": {"url": upstream.url + "/digest", "transport": "auto",
                   "auth": {"scheme": "digest", "username": "me", "password": "secret-of-ours"}},
        "plain": {"url": upstream.url, "transport": "auto", "required": True}}})
    for _ in range(5):
        assert gateway.call("digest", "echo", ["fine"]).result == "fine"
        assert gateway.call("plain", "echo", ["fine"]).result == "fine"
