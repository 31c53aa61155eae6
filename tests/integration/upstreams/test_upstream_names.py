# SPDX-License-Identifier: Apache-2.0
"""Names of upstreams that move, and resolvers that are slow."""

import ipaddress
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from rig.check import assert_problem
from rig.codec import RPCGATE
from rig.gateway import program_environment
from rig.settings import DEADLINE, SANITIZED, SLOW, TOP, configuration
from rig.upstream import http_response, response_document

SOURCE = TOP / "tests/integration/preload/names.c"

preloaded = pytest.mark.skipif(SANITIZED, reason="sanitizers want to be loaded first")


class Server:
    """Answers each call with its own name, on connections that it keeps."""

    def __init__(self, host: str, port: int, name: str):
        self.name = name
        self.heads = []
        self.agrees = []  # (what ends a message, the answer to it), before the calls
        where, zone = (host, port), host.partition("%")[2]
        if zone:
            where = (host.partition("%")[0], port, 0, socket.if_nametoindex(zone))
        self._listener = socket.create_server(
            where, family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self._listener.getsockname()[1]
        self._connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        answer = http_response(response_document(self.name))
        try:
            for end, agreement in self.agrees:
                while end not in (message := connection.recv(65536)):
                    if not message:
                        return
                connection.sendall(agreement)
            while True:
                request = b""
                while not request.rstrip().endswith(b"</methodCall>"):
                    if not (more := connection.recv(65536)):
                        return
                    request += more
                self.heads.append(request.split(b"\r\n\r\n")[0].decode())
                connection.sendall(answer)
        except OSError:
            pass

    def end(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.close()


@pytest.fixture
def two():
    old = Server("127.0.0.2", 0, "old")
    new = Server("127.0.0.3", old.port, "new")
    yield old, new
    new.end()


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("preload") / "names.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", made, SOURCE], check=True, timeout=DEADLINE)
    return made


class Names:
    def __init__(self, library: Path, file: Path):
        self._file = file
        self.environment = {"LD_PRELOAD": str(library), "TEST_NAMES": str(file)}
        self.point("127.0.0.2")

    def point(self, address: str, delay_ms: int = 0):
        new = self._file.with_suffix(".new")
        new.write_text(f"{address} {delay_ms}\n")
        new.replace(self._file)


@pytest.fixture
def names(library, tmp_path) -> Names:
    return Names(library, tmp_path / "names")


def gateway_of(start, names, port, **settings):
    return start.gateway({"workers": 4, "anonymous": {"allow": ["*/*"]}, "upstreams": {
        "up": {"url": f"http://moving.example:{port}/RPC2"} | settings}},
        environment=names.environment)


@preloaded
def test_a_server_that_moved(start, names, two):
    """It is not there any more: with default settings no call fails, as the next attempt looks
    the name up anew."""
    old, new = two
    gateway = gateway_of(start, names, old.port)
    assert {gateway.call("up", "m", []).result for _ in range(12)} == {"old"}
    names.point("127.0.0.3")
    old.end()
    answers = [gateway.call("up", "m", []) for _ in range(12)]
    # Kept connections may turn out dead, each once.
    lost = [answer for answer in answers if answer.status != 200]
    assert all("connection-lost" in answer.json["type"] for answer in lost) and len(lost) <= 4
    assert answers[-1].result == "new"


@preloaded
def test_a_connection_s_greatest_age(start, names, two):
    """The old server answers on, over a connection that is always busy."""
    old, _ = two
    gateway = gateway_of(start, names, old.port, timeouts={"max_age": "1s"})
    assert gateway.call("up", "m", []).result == "old"
    names.point("127.0.0.3")
    began = time.monotonic()
    while gateway.call("up", "m", []).result == "old":
        assert time.monotonic() - began < 10 * SLOW
    old.end()


@preloaded
def test_slow_resolver(start, names, two):
    """It takes longer than timeouts.connect: the second attempt has what the first has asked for,
    and the next connections do not wait for the resolver."""
    old, _ = two
    names.point("127.0.0.2", 700)
    gateway = gateway_of(start, names, old.port, timeouts={"connect": "500ms", "idle": "0s"})
    assert gateway.call("up", "m", []).result == "old"
    began = time.monotonic()
    assert {gateway.call("up", "m", []).result for _ in range(10)} == {"old"}
    assert time.monotonic() - began < 4 * SLOW
    old.end()


@preloaded
def test_the_limit_is_named(start, names, two, tmp_path):
    old, _ = two
    names.point("127.0.0.2", 5000)
    gateway = gateway_of(start, names, old.port, timeouts={"connect": "100ms"})
    document = assert_problem(gateway.call("up", "m", []), "connect-failed", 502, "no",
                              setting="timeouts.connect")
    assert "timeouts.connect" in document["detail"] and "moving.example" in document["detail"]
    path = tmp_path / "check.conf"
    path.write_text(configuration({
        "listen": [{"address": "127.0.0.1", "port": 0}], "anonymous": {"allow": ["*/*"]},
        "upstreams": {"up": {"url": f"http://moving.example:{old.port}/",
                             "timeouts": {"connect": "100ms"}}}}))
    done = subprocess.run([RPCGATE, "check", "-c", path], capture_output=True, text=True,
                          timeout=DEADLINE, env=program_environment(names.environment))
    assert done.returncode == 69 and "timeouts.connect" in done.stdout, done.stdout
    names.point("127.0.0.2")
    old.end()


def test_ipv6_zone(start):
    """The zone says by which interface; it is no part of the name that the server hears."""
    try:
        server = Server("::1", 0, "here")
    except OSError:
        pytest.skip("no IPv6 here")
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "up": {"url": f"http://[::1%25lo]:{server.port}/RPC2"}}})
    assert gateway.call("up", "m", []).result == "here"
    assert f"\r\nHost: [::1]:{server.port}\r\n" in server.heads[0], server.heads
    server.end()


def link_local() -> str | None:
    """One of this machine's own, with its zone: `fe80::1%eth0`. The system sends what is for it over
    loopback."""
    with suppress(OSError), open("/proc/net/if_inet6", encoding="ascii") as table:
        for line in table:
            digits, _, _, scope, _, interface = line.split()
            if scope == "20":
                return f"{ipaddress.IPv6Address(bytes.fromhex(digits))}%{interface}"
    return None


def server_at(address: str | None) -> Server:
    if address is None:
        pytest.skip("no link-local address here")
    try:
        return Server(address, 0, "here")
    except OSError as error:
        pytest.skip(f"{address}: {error}")


def in_url(address: str) -> str:
    return f"[{address.replace('%', '%25')}]"


#: What a proxy waits for and answers before it lets the call through.
AGREEMENTS = {
    "http": [],
    "http, tunnel": [(b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n")],
    "socks5h": [(b"\5", b"\5\0"), (b"upstream.invalid\0\x51", b"\5\0\0\1" + b"\0" * 6)],
}
ADDRESSES = {"loopback": lambda: "::1%lo", "link-local": link_local}


@pytest.mark.parametrize("kind", ADDRESSES)
@pytest.mark.parametrize("scheme", ["http", "http, tunnel", "socks5h"])
def test_ipv6_zone_of_a_proxy(start, kind, scheme):
    """It hears no zone, and neither does the upstream behind it."""
    address = ADDRESSES[kind]()
    server = server_at(address)
    server.agrees = AGREEMENTS[scheme]
    url = f"{scheme.split(',')[0]}://{in_url(address)}:{server.port}"
    tunnel = {"tunnel": True} if "tunnel" in scheme else {}
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
        "url": "http://upstream.invalid:81/RPC2", "proxy": {"url": url, **tunnel}}}})
    assert gateway.call("up", "m", []).result == "here"
    first, *lines = server.heads[0].split("\r\n")
    target = "http://upstream.invalid:81/RPC2" if scheme == "http" else "/RPC2"
    assert first == f"POST {target} HTTP/1.1" and "Host: upstream.invalid:81" in lines
    assert "%" not in server.heads[0]
    server.end()


@preloaded
@pytest.mark.parametrize("by_proxy", [False, True])
def test_ipv6_zone_from_the_resolver(start, names, by_proxy):
    """What a name stands for may need one, of an upstream and of a proxy."""
    address = link_local()
    server = server_at(address)
    names.point(address)
    there = f"http://moving.example:{server.port}"
    upstream = ({"url": "http://upstream.invalid:81/", "proxy": {"url": there}} if by_proxy else
                {"url": f"{there}/RPC2"})
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": upstream}},
                            environment=names.environment)
    assert gateway.call("up", "m", []).result == "here"
    host = "upstream.invalid:81" if by_proxy else f"moving.example:{server.port}"
    assert f"\r\nHost: {host}\r\n" in server.heads[0] + "\r\n"
    server.end()
