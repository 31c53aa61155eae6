# SPDX-License-Identifier: Apache-2.0
"""Proxies on the way to upstreams: tinyproxy (HTTP, CONNECT) and microsocks (SOCKS5)."""

import asyncio
import socket
import ssl
import tempfile
import threading
from pathlib import Path

import pytest

from rig.certificates import Authority
from rig.check import assert_problem
from rig.gateway import run_program
from rig.servers import Microsocks, Nginx, Tinyproxy
from rig.settings import DEADLINE, configuration

LOGIN = ("walter", "pass-of-the-proxy")
WRONG = "wrong-of-the-proxy"


@pytest.fixture(scope="module")
def shared_backend(start_shared):
    return start_shared.upstream()


@pytest.fixture
def backend(shared_backend):
    shared_backend.exchanges.clear()
    return shared_backend


@pytest.fixture(scope="module")
def authority(folder):
    return Authority(folder, "ca")


@pytest.fixture(scope="module")
def nginx(folder, shared_backend, authority):
    certificate = authority.issue("server")
    server = Nginx(folder, f"http://127.0.0.1:{shared_backend.port}", {
        "tls": f"ssl_certificate {certificate.cert}; ssl_certificate_key {certificate.key};"})
    yield server
    server.stop()


def proxies(kind):
    """A fixture: one without a login and one with."""
    @pytest.fixture(scope="module")
    def fixture():
        with tempfile.TemporaryDirectory(prefix="rpcgate-") as first, \
                tempfile.TemporaryDirectory(prefix="rpcgate-") as second:
            both = kind(Path(first)), kind(Path(second), LOGIN)
            yield both
            for server in both:
                server.stop()
    return fixture


tinyproxies = proxies(Tinyproxy)
microsocks = proxies(Microsocks)


@pytest.fixture
def gateway(start, backend, nginx, authority):
    """A gateway with that proxy before the upstreams `plain` and `tls`."""
    def make(url, environment=None, host="localhost", **proxy):
        proxy = {"url": url, **proxy}
        return start.gateway({"anonymous": {"allow": ["*/*"]}, "log": {"level": "debug"},
                              "upstreams": {
            # tinyproxy ends each connection after a response, without saying so before.
            "plain": {"url": backend.url, "proxy": proxy, "timeouts": {"idle": "0s"}},
            "tunnel": {"url": backend.url, "proxy": {**proxy, "tunnel": True}},
            "tls": {"url": f"https://{host}:{nginx.port}/RPC2", "proxy": proxy,
                    "tls": {"ca_file": authority.cert}}}}, environment=environment)
    return make


def assert_works(gateway, backend, upstreams=("plain", "tunnel", "tls")):
    for name in upstreams:
        assert gateway.call(name, "echo", [name]).result == name
        assert gateway.call(name, "echo", [name]).result == name
        assert backend.executed.pop(name) == 2
        seen = backend.exchanges[-1]
        assert seen.header("Proxy-Authorization") is None
        assert "Proxy" not in str(seen.headers) or name == "plain", seen.headers


def assert_no_secrets(gateway, *answers):
    for secret in (LOGIN[1], WRONG):
        assert secret not in gateway.stderr
        for answer in answers:
            assert secret.encode() not in answer.body


def test_http(gateway, backend, tinyproxies):
    server = tinyproxies[0]
    running = gateway(f"http://127.0.0.1:{server.port}")
    assert_works(running, backend)
    assert backend.exchanges[0].header("Via"), "it did not come through the proxy"


def test_http_with_a_login(gateway, backend, tinyproxies):
    server = tinyproxies[1]
    running = gateway(f"http://127.0.0.1:{server.port}", username=LOGIN[0], password=LOGIN[1])
    assert_works(running, backend)
    assert_no_secrets(running)


def test_http_with_a_login_in_the_url(gateway, backend, tinyproxies):
    server = tinyproxies[1]
    running = gateway(f"http://{LOGIN[0]}:{LOGIN[1]}@127.0.0.1:{server.port}")
    assert_works(running, backend)
    assert_no_secrets(running)


@pytest.mark.parametrize("login", [{}, {"username": LOGIN[0], "password": WRONG}])
@pytest.mark.parametrize("upstream", ["plain", "tunnel", "tls"])
def test_http_without_the_right_login(gateway, backend, tinyproxies, login, upstream):
    running = gateway(f"http://127.0.0.1:{tinyproxies[1].port}", **login)
    answer = running.call(upstream, "echo", ["x"])
    # tinyproxy says 401 for a login that is wrong, where others say 407.
    if answer.problem == "protocol-error":
        assert upstream == "plain" and answer.json["protocol"]["status"] == 401
    else:
        document = assert_problem(answer, "connect-failed", 502, "no")
        assert "40" in document["detail"], document
    assert answer.json["executed"] == "no"
    assert backend.exchanges == []
    assert_no_secrets(running, answer)


class TlsFront:
    """Takes TLS off connections and passes them on to a port."""

    def __init__(self, certificate, port: int):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.cert, certificate.key)
        self._behind = port
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context))
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    async def _serve(self, reader, writer):
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self._behind)
        await asyncio.gather(self._pass(reader, behind_writer), self._pass(behind_reader, writer))

    @staticmethod
    async def _pass(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    def stop(self):
        async def end():
            self._server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        asyncio.run_coroutine_threadsafe(end(), self._loop).result(DEADLINE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()


def test_https(start, backend, nginx, authority, tinyproxies):
    """The CA of `tls` is the proxy's, too; who it is and what it is told is checked."""
    front = TlsFront(authority.issue("front"), tinyproxies[1].port)
    try:
        proxy = {"url": f"https://localhost:{front.port}", "username": LOGIN[0],
                 "password": LOGIN[1]}
        ours = {"ca_file": authority.cert}
        https = f"https://localhost:{nginx.port}/RPC2"
        running = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
            "plain": {"url": backend.url, "proxy": proxy, "tls": ours},
            "tls": {"url": https, "proxy": proxy, "tls": ours},
            "foreign": {"url": backend.url, "proxy": proxy}}})
        assert running.call("plain", "echo", ["a"]).result == "a"
        assert running.call("tls", "echo", ["a"]).result == "a"
        assert_problem(running.call("foreign", "echo", ["b"]), "tls-failed", 502, "no")
        assert backend.executed["b"] == 0
    finally:
        front.stop()


def test_headers_for_the_proxy(start, backend, tinyproxies):
    """They do not go through a tunnel, and ours for the upstream are not told to the proxy."""
    running = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
        "url": backend.url, "headers": ["X-Upstream: yes"],
        "proxy": {"url": f"http://127.0.0.1:{tinyproxies[0].port}", "tunnel": True,
                  "headers": ["X-Proxy: yes"]}}}})
    assert running.call("up", "echo", ["a"]).result == "a"
    assert backend.exchanges[0].header("X-Upstream") == "yes"
    assert backend.exchanges[0].header("X-Proxy") is None


def test_proxy_refuses_the_way(start, tinyproxies):
    """Nobody listens where the proxy is to connect to."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        proxy = {"url": f"http://127.0.0.1:{tinyproxies[0].port}", "tunnel": True}
        running = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
            "url": f"http://127.0.0.1:{silent.getsockname()[1]}", "proxy": proxy}}})
        assert_problem(running.call("up", "echo", ["a"]), "connect-failed", 502, "no")


@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
def test_proxy_is_not_there(gateway, backend, scheme):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        running = gateway(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}")
        assert_problem(running.call("plain", "echo", ["a"]), "connect-failed", 502, "no")
        assert_problem(running.call("tls", "echo", ["a"]), "connect-failed", 502, "no")
    assert backend.exchanges == []


#: microsocks goes to a name's first address alone, which is ::1 where a system has both.
FIRST = socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)[0][4][0]
SOCKS_HOST = "localhost" if FIRST == "127.0.0.1" else "127.0.0.1"


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks(gateway, backend, microsocks, scheme):
    server = microsocks[0]
    running = gateway(f"{scheme}://127.0.0.1:{server.port}", host=SOCKS_HOST)
    assert_works(running, backend, ("plain", "tls"))


def test_socks_with_a_login(gateway, backend, microsocks):
    server = microsocks[1]
    running = gateway(f"socks5h://127.0.0.1:{server.port}", host=SOCKS_HOST, username=LOGIN[0],
                      password=LOGIN[1])
    assert_works(running, backend, ("plain", "tls"))
    assert_no_secrets(running)


@pytest.mark.parametrize("login", [{}, {"username": LOGIN[0], "password": WRONG}])
def test_socks_without_the_right_login(gateway, backend, microsocks, login):
    running = gateway(f"socks5://127.0.0.1:{microsocks[1].port}", **login)
    for name in ("plain", "tls"):
        answer = running.call(name, "echo", ["x"])
        assert_problem(answer, "connect-failed", 502, "no")
        assert_no_secrets(running, answer)
    assert backend.exchanges == []


def test_no_proxy(gateway, backend):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        running = gateway(f"http://127.0.0.1:{silent.getsockname()[1]}",
                          no_proxy=["intranet.example", "127.0.0.0/8", "localhost"])
        assert running.call("plain", "echo", ["a"]).result == "a"
        assert running.call("tls", "echo", ["a"]).result == "a"


def test_environment_is_not_read(start, backend, folder):
    (folder / ".netrc").write_text("machine 127.0.0.1 login me password of-netrc\n")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        running = start.gateway(
            {"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {"url": backend.url}}},
            environment={**{name: proxy for name in names}, "HOME": str(folder)})
        assert running.call("up", "echo", ["a"]).result == "a"
    assert backend.exchanges[0].header("Authorization") is None


@pytest.mark.parametrize("proxy, line", [
    ({"url": "http://127.0.0.1"}, "the proxy's URL needs a port"),
    ({"url": "ftp://127.0.0.1:1"}, "a proxy's URL must begin with"),
    ({"url": "http://127.0.0.1:1/path"}, "the proxy's URL has a path"),
    ({"username": "u"}, "proxy: `url` is missing"),
    ({"url": "http://u:p@127.0.0.1:1", "username": "v"}, "take them out of one"),
    ({"url": "http://127.0.0.1:1", "password": "abcdef"}, "`password` needs a `username`"),
    ({"url": "http://127.0.0.1:1", "headers": ["A: b\tc"]}, "control character"),
    ({"url": "http://127.0.0.1:1", "no_proxy": ["a,b"]}, "this is no host"),
])
def test_bad_settings(folder, proxy, line):
    path = folder / "bad.conf"
    path.write_text(configuration({"upstreams": {"up": {"url": "http://h", "proxy": proxy}}}))
    done = run_program("-t", "-c", str(path))
    assert done.returncode == 78
    assert line in done.stderr and done.stderr.startswith(f"{path}:"), done.stderr
    assert "http://u:p@" not in done.stderr
