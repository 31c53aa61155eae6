# SPDX-License-Identifier: Apache-2.0
"""Upstreams of scgi:// and scgi+unix://. rTorrent, which speaks it, is in test_profile_programs.py,
too."""

import base64
import gzip
import os

import pytest

from rig import foreign
from rig.check import assert_problem
from rig.misbehave import sends
from rig.scgi import ScgiUpstream, cgi_response
from rig.settings import up_settings
from rig.tool import tool
from rig.upstream import Upstream, echo, fault_document, response_document

DOCUMENT = response_document("fine")
LENGTH = f"Content-Length: {len(DOCUMENT)}"
STATUS = "Status: 200 OK"


@pytest.fixture
def scgi(start):
    """A gateway before a server of SCGI that behaves so, with these settings of its upstream."""
    def make(behave=echo, unix=None, **settings):
        upstream = start.upstream(behave, make=ScgiUpstream, unix=unix)
        return start.gateway(up_settings(upstream, **settings)), upstream
    return make


@pytest.mark.parametrize("is_unix", (False, True), ids=("tcp", "unix"))
def test_what_goes_out(scgi, folder, is_unix):
    gateway, upstream = scgi(
        unix=str(folder / "s.sock") if is_unix else None,
        headers=["X-Tenant: blue", "x-tenant: green"],
        auth={"scheme": "basic", "username": "joe", "password": "secret-7"})
    for n in range(3):
        assert gateway.call("up", "m", [f"{n}", "\N{SNOWMAN}"]).result == f"{n}"
    x = upstream.exchanges[0]
    assert x.params == ("0", "\N{SNOWMAN}")
    host = "localhost" if is_unix else f"127.0.0.1:{upstream.port}"
    assert x.variables == {
        "CONTENT_LENGTH": str(len(x.body)), "SCGI": "1", "REQUEST_METHOD": "POST",
        "REQUEST_URI": "/RPC2", "SCRIPT_NAME": "", "PATH_INFO": "/RPC2", "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": host.split(":")[0],
        "SERVER_PORT": "80" if is_unix else str(upstream.port), "HTTP_HOST": host,
        "HTTP_AUTHORIZATION": "Basic am9lOnNlY3JldC03", "HTTP_ACCEPT": "*/*",
        "HTTP_USER_AGENT": x.variables["HTTP_USER_AGENT"],
        "HTTP_ACCEPT_ENCODING": "gzip, deflate", "HTTP_X_TENANT": "blue, green",
        "CONTENT_TYPE": "text/xml"}
    assert upstream.connections == 3, "one call each, as SCGI has it"


#: What an answer is, and what comes of it.
GOOD = {
    "usual": cgi_response(DOCUMENT),
    "no length": cgi_response(DOCUMENT, STATUS, "Content-Type: text/xml"),
    "no status": cgi_response(DOCUMENT, "Content-Type: text/xml"),
    "status last": cgi_response(DOCUMENT, LENGTH, STATUS),
    "only LF": cgi_response(DOCUMENT).replace(b"\r\n", b"\n"),
    "too much": cgi_response(DOCUMENT) + b"more",
    "gzip": cgi_response(gzip.compress(DOCUMENT), STATUS, "Content-Encoding: gzip"),
    "keep-alive": cgi_response(DOCUMENT, LENGTH, "Connection: keep-alive"),
}
BAD = {
    "status 404": (cgi_response(b"no", "Status: 404 Not Found"), "protocol-error", "no"),
    "nothing": (b"", "connection-lost", "unknown"),
    "no head": (DOCUMENT, "bad-response", "unknown"),
    "half a head": (b"Status: 200 OK\r\nContent-", "connection-lost", "unknown"),
    "half a body": (cgi_response(DOCUMENT)[:-40], "connection-lost", "unknown"),
    "HTTP": (b"HTTP/1.1 200 OK\r\n" + cgi_response(DOCUMENT, LENGTH), "bad-response", "unknown"),
    "chunks": (cgi_response(b"0\r\n\r\n", "Transfer-Encoding: chunked"), "bad-response",
               "unknown"),
    "two lengths": (cgi_response(DOCUMENT, LENGTH, LENGTH + "0"), "connection-lost", "unknown"),
    "interim": (cgi_response(DOCUMENT, "Status: 100 Continue"), "bad-response", "unknown"),
    "a line of a megabyte": (b"X: " + b"x" * 1_000_000, "bad-response", "unknown"),
}


@pytest.mark.parametrize("name", GOOD)
def test_is_read(scgi, name):
    gateway, upstream = scgi(sends(GOOD[name]))
    for n in range(3):
        assert gateway.call("up", "m", [f"{n}"]).result == "fine"
    assert set(upstream.executed.values()) == {1}


@pytest.mark.parametrize("name", BAD)
def test_is_refused(scgi, name):
    answer, problem, executed = BAD[name]
    gateway, _ = scgi(sends(answer))
    document = assert_problem(gateway.call("up", "m"), problem, 502, executed)
    if name == "HTTP":
        assert "http://" in document["detail"]


def test_cut_anywhere(scgi):
    """A length tells what is missing, and a document of which nothing is missing is whole."""
    answer = cgi_response(DOCUMENT)
    gateway, upstream = scgi()
    for end in range(len(answer)):
        upstream.behave = sends(answer[:end])
        got = gateway.call("up", "m", [f"cut {end}"])
        if got.status == 200:
            assert got.result == "fine" and answer[:end].rstrip().endswith(b"</methodResponse>")
        else:
            assert_problem(got, "connection-lost", 502, "unknown")
    assert set(upstream.executed.values()) == {1}


def test_fault(scgi):
    gateway, _ = scgi(sends(cgi_response(fault_document(7, "so it is"))))
    assert "so it is" in assert_problem(gateway.call("up", "m"), "fault", 500, "yes")["detail"]


def test_large_both_ways(scgi):
    gateway, _ = scgi()
    text = "x" * 3_000_000
    assert gateway.call("up", "m", [text]).result == text


def test_silence(scgi):
    async def stay(x):
        await x.gone()
    gateway, _ = scgi(stay, timeouts={"total": "300ms"})
    assert_problem(gateway.call("up", "m"), "timeout", 504, "unknown")


def test_nobody_listens(start):
    gone = Upstream()
    gone.stop()
    gateway = start.gateway({
        "anonymous": {"allow": ["*/*"]},
        "upstreams": {"up": {"url": f"scgi://127.0.0.1:{gone.port}"}}})
    assert_problem(gateway.call("up", "m"), "connect-failed", 502, "no")


def test_next_of_several(start):
    """One of HTTP and one of SCGI may be the same server's."""
    gone = Upstream()
    gone.stop()
    upstream = start.upstream(make=ScgiUpstream)
    gateway = start.gateway({
        "anonymous": {"allow": ["*/*"]},
        "upstreams": {"up": {"urls": [gone.url, upstream.url]}}})
    assert gateway.call("up", "m", ["a"]).result == "a"


def test_verbose_tells_it_as_http(scgi):
    gateway, _ = scgi(verbose=True, auth={"scheme": "basic", "username": "joe",
                                          "password": "secret-7"})
    gateway.call("up", "m", ["a"])
    gateway.wait_line("POST /RPC2 HTTP/1.1")
    gateway.wait_line("Status: 200 OK")
    assert "am9lOnNlY3JldC03" not in gateway.stderr


def test_check_and_direct(scgi, folder):
    gateway, upstream = scgi()
    config = folder / "scgi.conf"
    config.write_text(f'upstreams = {{ up = {{ url = "{upstream.url}"; }}; }};')
    checked = tool("check", "-c", str(config))
    assert upstream.url in checked.out and "the url is scgi" in checked.out, checked
    assert tool("call", "--direct", upstream.url, "m", '"a"').out == '"a"\n'
    wrong = tool("call", "--url", upstream.url, "up", "m")
    assert wrong.status == 64 and "a gateway speaks HTTP" in wrong.err
    explained = tool("explain", "-c", str(config), "up", "m")
    assert "as variables of SCGI" in explained.out


def torrent(number: int) -> bytes:
    name = f"torrent-{number:05}"
    info = f"d6:lengthi1e4:name{len(name)}:{name}12:piece lengthi16384e6:pieces20:" + "x" * 20 + "e"
    return f"d8:announce18:http://127.0.0.1:94:info{info}e".encode()


def test_many_torrents(start, folder):
    """RPCGATE_LONG_TESTS=1 in the environment: 10,000 of them, an answer of megabytes."""
    n = 10_000 if os.environ.get("RPCGATE_LONG_TESTS") == "1" else 200
    server = foreign.RtorrentAtSocket(folder)
    try:
        gateway = start.gateway(up_settings(server, profile="rtorrent", timeouts={"total": "2m"}))
        data = [base64.b64encode(torrent(at)).decode() for at in range(n)]
        for at in range(0, n, 200):
            done = gateway.batch("up", *(("load.raw", "", {"$base64": one})
                                         for one in data[at:at + 200]))
            assert all(one["result"] == 0 for one in done)
        fields = ("d.name=", "d.hash=", "d.size_bytes=", "d.message=", "d.creation_date=")
        listed = gateway.call("up", "d.multicall2", ["", "main", *fields])
        assert sorted(row[0] for row in listed.result) == [f"torrent-{at:05}" for at in range(n)]
        assert all(row[2] == 1 and len(row[1]) == 40 for row in listed.result)
    finally:
        server.stop()
