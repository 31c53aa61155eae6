# SPDX-License-Identifier: Apache-2.0
"""TLS to upstreams: nginx with certificates of a CA that the test makes."""

import os
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from rig.certificates import Authority
from rig.check import assert_problem
from rig.gateway import run_program
from rig.servers import Nginx
from rig.settings import DEADLINE, configuration
from rig.upstream import http_response, response_document


@pytest.fixture(scope="module")
def ours(folder):
    return Authority(folder, "ours")


@pytest.fixture(scope="module")
def foreign(folder):
    return Authority(folder, "foreign")


@pytest.fixture(scope="module")
def good(ours):
    return ours.issue("good")


@pytest.fixture(scope="module")
def client_certificate(ours):
    return ours.issue("client")


@pytest.fixture(scope="module")
def backend(start_shared):
    return start_shared.upstream()


@pytest.fixture(scope="module")
def nginx(folder, ours, good, backend):
    def serves(certificate, more=""):
        return (f"ssl_certificate {certificate.cert}; ssl_certificate_key {certificate.key}; "
                + more)
    server = Nginx(folder, f"http://127.0.0.1:{backend.port}", {
        "good": serves(good, "ssl_protocols TLSv1.2 TLSv1.3;"),
        "other": serves(ours.issue("other", "DNS:other.example")),
        "expired": serves(ours.issue("expired", days=0)),
        "old": serves(good, "ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;"),
        "tls12": serves(good, "ssl_protocols TLSv1.2;"),
        "client": serves(good, f"ssl_verify_client on; ssl_client_certificate {ours.cert};"),
    })
    yield server
    server.stop()


@pytest.fixture
def call(start, nginx, backend):
    """Calls a server of nginx through a gateway of its own, with these settings of `tls`."""
    def make(server="good", host="localhost", **tls):
        gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
            "url": f"https://{host}:{nginx.ports[server]}/RPC2", "tls": tls}}})
        make.gateway = gateway
        return gateway.call("up", "echo", ["hello"])
    backend.exchanges.clear()
    return make


def assert_refused(answer, backend, reason):
    document = assert_problem(answer, "tls-failed", 502, "no")
    assert reason in document["detail"].lower(), document["detail"]
    assert backend.exchanges == []


def test_right_ca(call, ours, backend):
    assert call(ca_file=ours.cert).result == "hello"
    assert backend.exchanges[0].header("X-Protocol") == "TLSv1.3"


def test_right_ca_by_address(call, ours):
    assert call(host="127.0.0.1", ca_file=ours.cert).result == "hello"


def test_right_ca_in_a_folder(call, ours):
    assert call(ca_path=ours.hashed_folder()).result == "hello"


def test_files_are_read_with_the_configuration(start, nginx, folder, ours):
    copy = folder / "copy.pem"
    copy.write_bytes(Path(ours.cert).read_bytes())
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
        "url": f"https://localhost:{nginx.ports['good']}", "tls": {"ca_file": str(copy)}}}})
    copy.unlink()
    assert gateway.call("up", "echo", ["hello"]).result == "hello"


def test_many_cas(call, folder, ours, foreign):
    """A file as large as the system's."""
    many = folder / "many.pem"
    many.write_text(Path(foreign.cert).read_text() * 200 + Path(ours.cert).read_text())
    assert call(ca_file=str(many)).result == "hello"
    many.write_text(Path(foreign.cert).read_text() * 200)
    assert_problem(call(ca_file=str(many)), "tls-failed", 502, "no")


def test_unknown_ca(call, backend):
    assert_refused(call(), backend, "certificate")


def test_wrong_ca(call, foreign, backend):
    assert_refused(call(ca_file=foreign.cert), backend, "certificate")
    # Its own CA stands in place of the system's: neither is trusted beside it.


def test_wrong_host(call, ours, backend):
    assert_refused(call("other", ca_file=ours.cert), backend, "localhost")


def test_wrong_host_may_be_allowed(call, ours):
    assert call("other", ca_file=ours.cert, verify_host=False).result == "hello"
    call.gateway.wait_line(lambda line: "verify_host" in line and "rpcgate.conf:" in line)


def test_expired(call, ours, backend):
    assert_refused(call("expired", ca_file=ours.cert), backend, "expired")


def test_verification_may_be_turned_off(call):
    assert call("expired", verify_peer=False).result == "hello"
    call.gateway.wait_line(lambda line: "verify_peer" in line and "rpcgate.conf:" in line)


def test_old_tls(call, ours, backend):
    answer = call("old", ca_file=ours.cert)
    assert_refused(answer, backend, "version")


def test_least_version(call, ours, backend):
    assert_refused(call("tls12", ca_file=ours.cert, min_version="1.3"), backend, "version")
    assert call("good", ca_file=ours.cert, min_version="1.3").result == "hello"


@pytest.mark.parametrize("server, ciphers, chosen", [
    ("tls12", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    ("good", "TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
    ("tls12", "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-CHACHA20-POLY1305",
     "ECDHE-ECDSA-CHACHA20-POLY1305"),
    ("good", "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_AES_128_GCM_SHA256"),
])
def test_ciphers(call, ours, backend, server, ciphers, chosen):
    assert call(server, ca_file=ours.cert, ciphers=ciphers).result == "hello"
    assert backend.exchanges[0].header("X-Cipher") == chosen


def test_pinned_key(call, ours, good):
    assert call(ca_file=ours.cert, pinned_public_key=good.pin).result == "hello"


def test_one_of_two_pinned_keys(call, ours, good, client_certificate):
    pins = f"{client_certificate.pin};{good.pin}"
    assert call(ca_file=ours.cert, pinned_public_key=pins).result == "hello"


def test_wrong_pinned_key(call, ours, client_certificate, backend):
    assert_refused(call(ca_file=ours.cert, pinned_public_key=client_certificate.pin), backend,
                   "public key")


def test_client_certificate_is_wanted(call, ours, backend):
    document = assert_problem(call("client", ca_file=ours.cert), "protocol-error", 502)
    assert document["protocol"]["status"] == 400
    assert backend.exchanges == []


def test_client_certificate(call, ours, client_certificate, backend):
    assert call("client", ca_file=ours.cert, cert_file=client_certificate.cert,
                key_file=client_certificate.key).result == "hello"
    assert backend.exchanges[0].header("X-Client") == "CN=client"


def test_client_certificate_and_key_in_one_file(call, folder, ours, client_certificate):
    both = folder / "both.pem"
    both.write_text(Path(client_certificate.cert).read_text()
                    + Path(client_certificate.key).read_text())
    assert call("client", ca_file=ours.cert, cert_file=str(both)).result == "hello"


def test_encrypted_key(call, folder, ours, client_certificate):
    key = client_certificate.encrypted_key("hunter2hunter2")
    password = folder / "key.pw"
    password.write_text("hunter2hunter2\n")
    assert call("client", ca_file=ours.cert, cert_file=client_certificate.cert, key_file=key,
                key_password=f"${{file:{password}}}").result == "hello"


ANSWER = http_response(response_document("ok"))


class Strict:
    """A server that ends the TLS connection where there is no certificate of its CA."""

    def __init__(self, certificate, authority):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.cert, certificate.key)
        context.load_verify_locations(authority.cert)
        context.verify_mode = ssl.CERT_REQUIRED
        self._context = context
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(DEADLINE)
            self.connections += 1
            # What closes first must not be a reset, which would overtake the reason.
            with connection.dup() as raw:
                try:
                    self._talk(connection)
                except OSError:
                    with suppress(OSError):
                        raw.shutdown(socket.SHUT_WR)
                        while raw.recv(4096):
                            pass

    def _talk(self, connection):
        self._context.wrap_socket(connection, server_side=True).close()

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(DEADLINE)


def test_server_that_ends_without_a_client_certificate(start, ours, good):
    """In TLS 1.3 that comes after the handshake, when the request is on its way: nobody knows then
    whether it was read."""
    server = Strict(good, ours)
    try:
        gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
            "url": f"https://localhost:{server.port}", "tls": {"ca_file": ours.cert}}}})
        for _ in range(3):
            document = assert_problem(gateway.call("up", "system.listMethods"),
                                      "connection-lost", 502, "unknown")
            assert "certificate" in document["detail"], document
        assert server.connections == 3, "it was tried again"
    finally:
        server.stop()


class Afterwards(Strict):
    """A server that answers so many calls on a connection, runs the next one, and asks for a
    certificate only then, whose absence ends the connection with an alert."""

    def __init__(self, certificate, authority, answers):
        self.answers = answers
        self.ran = 0
        super().__init__(certificate, authority)
        self._context.post_handshake_auth = True

    def _talk(self, connection):
        with self._context.wrap_socket(connection, server_side=True) as tls:
            for number in range(self.answers + 1):
                request = b""
                while not request.endswith(b"</methodCall>"):
                    if not (more := tls.recv(65536)):
                        return
                    request += more.rstrip()
                self.ran += 1
                if number < self.answers:
                    tls.sendall(ANSWER)
            tls.verify_client_post_handshake()
            tls.do_handshake()
            tls.recv(65536)


class Resuming(Strict):
    """Answers one call on each connection, and counts those that went on with a session, and those
    on which TLS was told the end."""

    def __init__(self, certificate, authority):
        self.resumed = self.ended = 0
        super().__init__(certificate, authority)
        self._context.verify_mode = ssl.CERT_NONE

    def _talk(self, connection):
        with self._context.wrap_socket(connection, server_side=True) as tls:
            request = b""
            while not request.endswith(b"</methodCall>"):
                request += tls.recv(65536).rstrip()
            self.resumed += tls.session_reused
            tls.sendall(ANSWER)
            tls.unwrap()
            self.ended += 1


class Waiting(Resuming):
    """Waits for the next call on the connection instead."""

    def _talk(self, connection):
        with self._context.wrap_socket(connection, server_side=True,
                                       suppress_ragged_eofs=False) as tls:
            while data := tls.recv(65536):
                if data.rstrip().endswith(b"</methodCall>"):
                    tls.sendall(ANSWER)
            self.ended += 1


def test_the_end_of_a_kept_connection(start, ours, good):
    """Whoever ends it says so (RFC 8446 section 6.1)."""
    server = Waiting(good, ours)
    try:
        gateway = start.gateway({"workers": 1, "anonymous": {"allow": ["*/*"]}, "upstreams": {
            "up": {"url": f"https://localhost:{server.port}", "tls": {"ca_file": ours.cert}}}})
        for _ in range(3):
            assert gateway.call("up", "pay", [1]).result == "ok"
        gateway.stop()
    finally:
        server.stop()
    assert (server.connections, server.ended) == (1, 1)


def test_sessions_are_all_workers(start, ours, good):
    """Each call is any worker's, on a connection of its own; the first ones have no session yet."""
    server = Resuming(good, ours)
    try:
        gateway = start.gateway({"workers": 8, "anonymous": {"allow": ["*/*"]}, "upstreams": {
            "up": {"url": f"https://localhost:{server.port}", "tls": {"ca_file": ours.cert},
                   "timeouts": {"idle": "0s"}}}})
        for _ in range(12):
            assert gateway.call("up", "pay", [1]).result == "ok"
    finally:
        server.stop()
    assert server.connections == 12 and server.resumed >= 10
    assert server.ended == 12


@pytest.mark.parametrize("answers, method", [(0, "pay"), (0, "system.listMethods"), (1, "pay")])
def test_refusal_behind_a_call_that_ran(start, ours, good, answers, method):
    """It is the same alert, on a new connection or a kept one, and the call ran."""
    server = Afterwards(good, ours, answers)
    try:
        gateway = start.gateway({"workers": 1, "anonymous": {"allow": ["*/*"]}, "upstreams": {
            "up": {"url": f"https://localhost:{server.port}", "tls": {"ca_file": ours.cert}}}})
        for _ in range(answers):
            assert gateway.call("up", "pay", [1]).result == "ok"
        document = assert_problem(gateway.call("up", method), "connection-lost", 502, "unknown")
        assert answers > 0 or "certificate" in document["detail"], document
        assert server.ran == answers + 1
    finally:
        server.stop()


@pytest.mark.parametrize("server, host, tls", [
    ("good", "localhost", {}),
    ("other", "localhost", {"ca_file": True}),
    ("expired", "localhost", {"ca_file": True}),
])
def test_a_refused_certificate_is_not_tried_again(call, ours, backend, server, host, tls):
    settings = {name: ours.cert for name in tls}
    answer = call(server, host, **settings)
    assert_refused(answer, backend, "certificate")
    metrics = call.gateway.request("GET", "/metrics").body.decode()
    assert 'rpcgate_retries_total{upstream="up"} 0' in metrics


# Files are checked when the configuration is read.

@pytest.mark.parametrize("tls, line", [
    ({"ca_file": "none.pem"}, "tls.ca_file: `none.pem` cannot be opened: No such file"),
    ({"ca_file": "."}, "tls.ca_file: `.` is a folder"),
    ({"ca_file": "client.key"}, "tls.ca_file: `client.key` has no certificate"),
    ({"ca_file": "broken.pem"}, "tls.ca_file: `broken.pem` is damaged"),
    ({"ca_file": "empty.pem"}, "tls.ca_file: `empty.pem` has no certificate"),
    ({"ca_path": "none"}, "tls.ca_path: `none` cannot be opened"),
    ({"ca_path": "ours.pem"}, "tls.ca_path: `ours.pem` is not a folder"),
    ({"cert_file": "client.pem"}, "tls.cert_file: `client.pem` has no private key"),
    ({"cert_file": "client.key", "key_file": "client.key"},
     "tls.cert_file: `client.key` has no certificate"),
    ({"cert_file": "client.pem", "key_file": "client.pem"},
     "tls.key_file: `client.pem` has no private key"),
    ({"cert_file": "client.pem", "key_file": "client.key.encrypted"},
     "tls.key_file: `client.key.encrypted` has an encrypted key, so set `key_password`"),
    ({"cert_file": "client.pem", "key_file": "client.key.encrypted", "key_password": "wrong-word"},
     "tls.key_file: `client.key.encrypted` has an encrypted key that `key_password` does not open"),
    ({"cert_file": "client.pem", "key_file": "good.key"},
     "tls.key_file: `good.key` has a key that is not the certificate's"),
    ({"key_file": "client.key"}, "`key_file` and `key_password` need a `cert_file`"),
    ({"min_version": "0.9"},
     'tls.min_version: "0.9" is none of the words `1.0`, `1.1`, `1.2` and `1.3`'),
    ({"pinned_public_key": "sha256//short="}, "tls.pinned_public_key: this is no public key"),
    ({"ciphers": "A\tB"}, "control character"),
])
def test_bad_files(folder, client_certificate, good, tls, line):
    client_certificate.encrypted_key("hunter2hunter2")
    text = Path(client_certificate.cert).read_text()
    (folder / "broken.pem").write_text(text.replace("-----END", "!\n-----END", 1))
    (folder / "empty.pem").write_text("no PEM at all\n")
    path = folder / f"bad-{os.getpid()}.conf"
    path.write_text(configuration({"upstreams": {"up": {"url": "https://h", "tls": tls}}}))
    done = run_program("-t", "-c", str(path))
    assert done.returncode == 78
    assert line in done.stderr, done.stderr
    assert "wrong-word" not in done.stderr
    assert done.stderr.startswith(f"{path}:"), done.stderr
