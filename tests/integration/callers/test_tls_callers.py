# SPDX-License-Identifier: Apache-2.0
"""Callers that speak TLS: versions, handshakes that do not end, bodies and replies of every size,
and the end of connections."""

import json
import signal
import ssl
import time

import pytest

from rig.certificates import Authority
from rig.check import assert_problem
from rig.settings import DEADLINE
from rig.wire import Connection, request

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"), "ca")


@pytest.fixture(scope="module")
def server(authority):
    return authority.issue("server")


def trusting(authority, client=None, **versions) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.cert)
    for name, version in versions.items():
        setattr(context, name, version)
    if client is not None:
        context.load_cert_chain(client.cert, client.key)
    return context


def listening(server, **tls) -> list:
    files = {"cert_file": server.cert, "key_file": server.key}
    return [{"address": "127.0.0.1", "port": 0, "tls": files | tls}]


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream()


@pytest.fixture(scope="module")
def gateway(start_shared, upstream, server):
    return start_shared.simple(upstream, listen=listening(server),
                               limits={"body": "8M", "header_time": "1s"})


@pytest.fixture
def connect(gateway, authority):
    return lambda: Connection(gateway.tls, tls=trusting(authority))


def test_calls_on_one_connection(connect):
    with connect() as caller:
        for number in range(3):
            assert caller.ask("POST", "/v1/up/m", b"[%d]" % number).result == number
        assert caller.ask("GET", "/livez").status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(gateway, authority, version):
    context = trusting(authority, minimum_version=version, maximum_version=version)
    with Connection(gateway.tls, tls=context) as caller:
        assert caller.ask("POST", "/v1/up/m", b"[1]").result == 1


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_older_versions_are_refused(gateway, authority):
    context = trusting(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Connection(gateway.tls, tls=context)


def test_least_version_can_be_raised(start, upstream, authority, server):
    gateway = start.simple(upstream, listen=listening(server, min_version="1.3"))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Connection(gateway.tls, tls=trusting(authority, maximum_version=ssl.TLSVersion.TLSv1_2))
    with Connection(gateway.tls, tls=trusting(authority)) as caller:
        assert caller.socket.version() == "TLSv1.3"
        assert caller.ask("POST", "/v1/up/m", b"[1]").result == 1


@pytest.mark.parametrize("size", [16_000, 100_000, 3_000_000])
def test_large_both_ways(connect, size):
    text = "x" * size
    with connect() as caller:
        for _ in range(2):
            assert caller.ask("POST", "/v1/up/m", json.dumps([text]).encode()).result == text


def test_pipelined(connect):
    with connect() as caller:
        caller.send(b"".join(request("POST", "/v1/up/m", b"[%d]" % n) for n in range(50)))
        assert [caller.answer().result for _ in range(50)] == list(range(50))


def test_a_body_in_single_records(connect):
    with connect() as caller:
        for byte in request("POST", "/v1/up/m", b'["slow"]'):
            caller.send(bytes([byte]))
        assert caller.answer().result == "slow"


def test_answer_before_the_body(connect):
    """The answer is not destroyed by what the caller still sends."""
    with connect() as caller:
        caller.send(request("POST", "/v1/none/m", None, {"Content-Length": "900000"}))
        caller.send(b"x" * 400_000)
        answer = caller.answer()
        assert_problem(answer, "not-found", 404, "no")
        assert answer.closes and caller.ends()


@pytest.mark.parametrize("leave", ["close", "reset"])
@pytest.mark.parametrize("size", [0, 30, 150])
def test_callers_that_leave(gateway, authority, leave, size):
    """At every stage; and nothing of it stays."""
    whole = request("POST", "/v1/up/m", b"[" + b" " * 200 + b"]")
    for _ in range(5):
        caller = Connection(gateway.tls, tls=trusting(authority))
        caller.send(whole[:size])
        getattr(caller, leave)()
    with Connection(gateway.tls, tls=trusting(authority)) as caller:
        while b'127.0.0.1:%d"} 1\n' % gateway.tls[1] not in caller.ask("GET", "/metrics").body:
            pass


@pytest.mark.parametrize("data", [b"", b"\x16\x03", b"\x16\x03\x01\x02\x00\x01"],
                         ids=["nothing", "two-bytes", "six-bytes"])
def test_handshakes_that_do_not_end(gateway, data):
    """limits.header_time counts from the connection's beginning."""
    with Connection(gateway.tls) as caller:
        caller.send(data)
        caller.rest()


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\0" * 1000,
                                  b"\x80\x2e\x01\x00\x02" + b"x" * 60],
                         ids=["http", "zeros", "ssl2"])
def test_what_is_no_tls(gateway, data):
    with Connection(gateway.tls) as caller:
        caller.send(data)
        assert b" 200 " not in caller.rest()


# What is told of handshakes that fail.

FAILED = "rpcgate_tls_handshakes_failed_total"


@pytest.fixture
def told(start, upstream, server):
    return start.simple(upstream, log={"format": "json"},
                        listen=listening(server, min_version="1.2"),
                        limits={"header_time": "1s"})


def until_failed(gateway, authority, n: int):
    """Asks until the metric says so many."""
    label = b'%s{listener="https://127.0.0.1:%d"} ' % (FAILED.encode(), gateway.tls[1])
    count, ends_at = -1, time.monotonic() + DEADLINE
    with Connection(gateway.tls, tls=trusting(authority)) as caller:
        while count < n and time.monotonic() < ends_at:
            body = caller.ask("GET", "/metrics").body
            count = int(body.partition(b"\n" + label)[2].partition(b"\n")[0])
    assert count == n


def plain_http(address, authority):
    with Connection(address) as caller:
        caller.send(request("GET", "/livez"))
        caller.rest()


def old_versions(address, authority):
    context = trusting(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Connection(address, tls=context)


def untrusting(**versions):
    def attempt(address, authority):
        context = ssl.create_default_context()
        for name, version in versions.items():
            setattr(context, name, version)
        with pytest.raises(ssl.SSLCertVerificationError):
            Connection(address, tls=context)
    return attempt


def begun_only(then):
    def attempt(address, authority):
        with Connection(address) as caller:
            caller.send(b"\x16\x03\x01\x02\x00\x01")
            getattr(caller, then)()
    return attempt


HANDSHAKES = {
    "plain HTTP": (plain_http, "no TLS"),
    "old versions": (old_versions, "cannot be accepted"),
    "no trust": (untrusting(), "with an alert"),
    "no trust, TLS 1.2": (untrusting(maximum_version=ssl.TLSVersion.TLSv1_2),
                          "alert: CA is unknown"),
    "left": (begun_only("close"), "left"),
    "reset": (begun_only("reset"), "left"),
    "silent": (begun_only("rest"), "limits.header_time"),
}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("attempt, reason", HANDSHAKES.values(),
                         ids=[name.replace(" ", "-") for name in HANDSHAKES])
def test_a_failed_handshake_is_told(told, authority, attempt, reason):
    attempt(told.tls, authority)
    line = json.loads(told.wait_line("TLS handshake failed"))
    assert line["listener"] == "https://127.0.0.1:%d" % told.tls[1] and line["address"] == "127.0.0.1"
    assert reason in line["reason"] and line["level"] == "warn"
    until_failed(told, authority, 1)


def test_what_is_no_failed_handshake(told, authority):
    """Checks that connect and leave, with a handshake or without a byte; and the end."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        Connection(told.tls, tls=trusting(authority, maximum_version=version)).close()
    for leave in ("close", "reset", "rest"):
        with Connection(told.tls) as caller:
            getattr(caller, leave)()
    until_failed(told, authority, 0)
    with Connection(told.tls) as caller:
        caller.send(b"\x16\x03")
        told.stop()
    assert "handshake" not in told.stderr


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_failed_handshakes_do_not_fill_the_log(told, authority):
    for number in range(500):
        (plain_http, old_versions, untrusting())[number % 3](told.tls, authority)
    until_failed(told, authority, 500)
    told.stop()
    lines = [json.loads(line) for line in told.lines if "handshake" in line]
    own = [line for line in lines if line["msg"] == "TLS handshake failed"]
    assert 10 <= len(own) < 100
    assert len(own) + sum(line.get("not_logged", 0) for line in lines) == 500


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A CA that calls itself as the one that is trusted."""
    return Authority(tmp_path_factory.mktemp("foreign"), "ca")


@pytest.fixture(scope="module")
def by_certificate(start_shared, upstream, authority, server):
    """Known is whose subject begins with `CN=b`; anybody may call `up/open`."""
    return start_shared.simple(
        upstream, listen=listening(server, client_ca_file=authority.cert),
        callers=[{"name": "b", "cert": "CN=b*", "allow": ["*/*"]}],
        anonymous={"allow": ["up/open"]})


CERTIFICATES = {
    "good": (200, lambda ours, foreign: ours.issue("bill")),
    "good for clients": (200, lambda ours, foreign: ours.issue("bob", purpose="clientAuth")),
    "of another subject": (403, lambda ours, foreign: ours.issue("carol")),
    "expired": (401, lambda ours, foreign: ours.issue("beth", days=0)),
    "of another CA": (401, lambda ours, foreign: foreign.issue("bert")),
    "good for servers": (401, lambda ours, foreign: ours.issue("bess", purpose="serverAuth")),
    "none": (403, lambda ours, foreign: None),
}


@pytest.mark.parametrize("status, make", CERTIFICATES.values(),
                         ids=[name.replace(" ", "-") for name in CERTIFICATES])
def test_certificates(by_certificate, authority, foreign, status, make):
    """A certificate that cannot be trusted is never taken for none."""
    context = trusting(authority, client=make(authority, foreign))
    for path, expected in (("/v1/up/m", status), ("/v1/up/open", 401 if status == 401 else 200)):
        with Connection(by_certificate.tls, tls=context) as caller:
            answer = caller.ask("POST", path, b"[1]")
            assert answer.status == expected, answer.body
            if expected == 200:
                assert caller.ask("POST", path, b"[2]").result == 2


def test_the_end(start, upstream, authority, server):
    """Connections in every state do not hold the end up."""
    gateway = start.simple(upstream, listen=listening(server))
    context = trusting(authority)
    silent, idle, body = (Connection(gateway.tls), Connection(gateway.tls, tls=context),
                          Connection(gateway.tls, tls=context))
    assert idle.ask("GET", "/livez").status == 200
    body.send(request("POST", "/v1/up/m", None, {"Content-Length": "5",
                                                 "Content-Type": "application/json"}))
    gateway.signal(signal.SIGTERM)
    gateway.assert_clean_end()
    for caller in (silent, idle, body):
        caller.close()


def test_a_running_call_is_drained(start, authority, server):
    async def hold(x):
        await gate.passed()
        await x.answer("late")
    held = start.upstream(hold)
    gate = held.gate()
    gateway = start.simple(held, listen=listening(server))
    with Connection(gateway.tls, tls=trusting(authority)) as caller:
        caller.send(request("POST", "/v1/up/m", b"[]"))
        held.wait_requests(1)
        gateway.signal(signal.SIGTERM)
        gateway.wait_line("stopping")
        gate.open()
        answer = caller.answer()
        assert answer.result == "late" and answer.closes
        assert caller.ends()
    gateway.assert_clean_end()
