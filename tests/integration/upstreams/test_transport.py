# SPDX-License-Identifier: Apache-2.0
"""HTTP by rpcgate itself on connections that libcurl opens, and by libcurl: the same requests, and
over TLS what only shows there."""

import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig.certificates import Authority
from rig.upstream import Upstream, echo

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
    return start.gateway({"workers": 1, "limits": {"body": "8M"}, "anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
        "url": f"https://localhost:{upstream.port}/RPC2", "transport": transport,
        "tls": {"ca_file": authority.cert}, **more}}})


HEADS = {
    "plain": {},
    "credentials": {"auth": {"scheme": "basic", "username": "ü", "password": "p:w"}},
    "a token": {"auth": {"scheme": "bearer", "token": "t0ken-of-ours"}},
    "headers": {"headers": ["X-Tenant: blue", "Accept: text/xml", "User-Agent: mine/2"]},
    "an agent": {"user_agent": "mine/1", "compression": {"accept": False}},
}


@pytest.mark.parametrize("name", HEADS)
def test_requests_are_the_same(start, name):
    """All lines, in their order."""
    upstream = start.upstream()
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        transport: {"url": upstream.url.replace("/RPC2", "/a/../b%2Fc?d=e&f"),
                    "transport": transport, **HEADS[name]}
        for transport in ("auto", "curl")}})
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for transport in ("auto", "curl"):
        assert gateway.call(transport, "echo", ["ä" * 300],
                            traceparent=traceparent).result == "ä" * 300
    by_us, by_curl = upstream.exchanges
    assert by_us.request_line == by_curl.request_line
    assert by_us.headers == by_curl.headers
    assert by_us.body == by_curl.body


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
    """Cookies, Digest and bare connects; all on one gateway, and none in the way of another."""
    upstream = start.upstream()
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "cookies": {"url": upstream.url, "cookies": True, "transport": "auto"},
        "plain": {"url": upstream.url, "transport": "auto", "required": True}}})
    for _ in range(5):
        assert gateway.call("cookies", "echo", ["fine"]).result == "fine"
        assert gateway.call("plain", "echo", ["fine"]).result == "fine"
