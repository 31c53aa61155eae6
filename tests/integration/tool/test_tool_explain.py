# SPDX-License-Identifier: Apache-2.0
"""`rpcgate explain`: what a call would send, and why, without sending it or opening a secret."""

import gzip
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.settings import configuration
from rig.tool import CONFIGURATION, DATA_ERROR, NO_INPUT, OK, USAGE, address, tool
from rig.upstream import response_document

PASSWORD = "correct-horse-battery"
SECRET = re.compile("|".join((PASSWORD, "Y29ycmVjdC", "bTpjb3JyZ", "OmNvcnJlY3")))


@dataclass
class Explained:
    """The parts of the answer."""

    line: str
    headers: list[tuple[str, str]]
    document: bytes
    settings: str

    @classmethod
    def of(cls, out: str) -> "Explained":
        _, request, rest = out.split("\n\n", 2)
        line, *headers = request.split("\n")
        document, settings = rest.split("\n\n# The settings", 1)
        return cls(line, [tuple(header.split(": ", 1)) for header in headers],
                   document.encode(errors="surrogateescape"), "# The settings" + settings)


@pytest.fixture
def write(tmp_path):
    def write(upstreams: dict) -> str:
        path = tmp_path / "rpcgate.conf"
        path.write_text(configuration({"anonymous": {"allow": ["*/*"]}, "upstreams": upstreams}))
        return str(path)
    return write


def explain(path: str, *words: str) -> Explained:
    done = tool("explain", "-c", path, *words)
    assert done.status == OK and not done.err, done
    assert not SECRET.search(done.out), done.out
    return Explained.of(done.out)


def hidden(name: str, value: str) -> str:
    """The value of a header as it may be shown."""
    if name.lower() not in ("authorization", "proxy-authorization", "x-api-key"):
        return value
    return f"{value.split()[0]} ***" if " " in value else "***"


async def ones(x):
    await x.respond(response_document(1))


LOGIN = {"username": "m", "password": PASSWORD}

SETTINGS = {
    "plain": {},
    "basic": {"auth": {"scheme": "basic", **LOGIN}},
    "bearer": {"auth": {"scheme": "bearer", "token": PASSWORD}},
    "headers": {"headers": ["X-Tenant: blue", f"X-Api-Key: {PASSWORD}", "Accept: text/xml",
                            "User-Agent: mine"]},
    "agent": {"user_agent": "billing/1", "compression": {"accept": False}},
    "gzip": {"compression": {"request_over": "64"}},
    "encoding": {"encoding": "ISO-8859-1"},
    "cookies": {"cookies": True},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_it_is_what_is_sent(start, write, name):
    upstream = start.upstream(ones)
    up = {"url": upstream.url, **SETTINGS[name]}
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": up}})
    params = ('"größer"', "[1,2.5,true]")
    told = explain(write({"up": up}), "up", "some.method", *params)
    assert not upstream.connections
    assert tool("call", "--url", address(gateway), "up", "some.method", *params).status == OK
    [x] = upstream.exchanges
    assert told.line == x.request_line
    assert told.headers == [(k, hidden(k, v)) for k, v in x.headers]
    assert told.document == (gzip.decompress(x.body) if name == "gzip" else x.body)


def test_digest(start, write):
    """The request that counts, which comes behind the one for a nonce."""
    async def behave(x):
        if x.header("Authorization") is None:
            await x.respond(b"", "401 Who", {"WWW-Authenticate": 'Digest realm="r", nonce="n"'})
        else:
            await x.answer(1)
    upstream = start.upstream(behave)
    up = {"url": upstream.url, "auth": {"scheme": "digest", **LOGIN}}
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": up}})
    told = explain(write({"up": up}), "up", "m")
    assert tool("call", "--url", address(gateway), "up", "m").status == OK
    x = upstream.exchanges[-1]
    assert told.line == x.request_line
    assert told.headers == [(k, hidden(k, v)) for k, v in x.headers]
    assert ("Authorization", "Digest ***") in told.headers


def test_proxy(start, write):
    proxy = start.upstream(ones)
    up = {"url": "http://no-such.invalid:81/x", "auth": {"scheme": "basic", **LOGIN},
          "proxy": {"url": f"http://127.0.0.1:{proxy.port}", "headers": ["X-P: 1"], **LOGIN}}
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": up}})
    told = explain(write({"up": up}), "up", "m")
    assert not proxy.connections
    assert tool("call", "--url", address(gateway), "up", "m").status == OK
    [x] = proxy.exchanges
    assert told.line == x.request_line == "POST http://no-such.invalid:81/x HTTP/1.1"
    assert told.headers == [(k, hidden(k, v)) for k, v in x.headers]
    # In a tunnel it is the server's own request.
    up["proxy"] |= {"url": "socks5h://127.0.0.1:1"}
    assert explain(write({"up": up}), "up", "m").line == "POST /x HTTP/1.1"
    up["proxy"] |= {"url": "https://no-such-proxy.invalid:1"}
    assert explain(write({"up": up}), "up", "m").line.startswith("POST http://no-such.invalid:81/x ")
    up["proxy"] |= {"no_proxy": ["invalid"]}
    assert explain(write({"up": up}), "up", "m").line == "POST /x HTTP/1.1"


@pytest.mark.parametrize("url, host", [
    ("https://no-such.invalid/a/../b?c=d", "no-such.invalid"),
    ("https://no-such.invalid:443/a/../b?c=d", "no-such.invalid"),
    ("https://no-such.invalid:8443/a/../b?c=d", "no-such.invalid:8443"),
    ("http://no-such.invalid:80/a/../b?c=d", "no-such.invalid"),
    ("https://[2001:db8::1]/a/../b?c=d", "[2001:db8::1]"),
    ("http+unix://%2Fno%2Fsuch.sock/a/../b?c=d", "localhost")])
def test_urls(write, url, host):
    told = explain(write({"up": {"url": url}}), "up", "m")
    assert told.line == "POST /a/../b?c=d HTTP/1.1" and ("Host", host) in told.headers


def test_secrets_are_not_opened(write, tmp_path):
    """These files are not there."""
    none = str(tmp_path / "none")
    path = write({"up": {
        "url": f"https://m:${{file:{none}}}@no-such.invalid/x",
        "headers": [f"X-Y: a ${{credential:y}} ${{file:{none}}} b", "X-Z: ${env:RIG_Z:-open}"],
        "tls": {"ca_file": none, "cert_file": none, "key_file": none,
                "key_password": "${credential:k}"}},
        "token": {"url": "http://h.invalid", "auth": {"scheme": "bearer", "token": f"${{file:{none}}}"}},
        "url": {"url": f"${{file:{none}}}"}})
    told = explain(path, "up", "m")
    assert ("X-Y", "a *** *** b") in told.headers and ("X-Z", "open") in told.headers
    assert ("Authorization", "Basic ***") in told.headers
    assert 'key_password = "***"' in told.settings and "https://***:***@no-such.invalid" in told.settings
    assert ("Authorization", "Bearer ***") in explain(path, "token", "m").headers
    done = tool("explain", "-c", path, "url", "m")
    assert done.status == OK and "not known without the secret" in done.out
    assert "<methodName>m</methodName>" in done.out


def test_files_are_not_waited_for(write, tmp_path):
    """A pipe would hold up whoever opened it."""
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    path = write({"up": {"url": "http://h.invalid", "auth": {
        "scheme": "basic", "username": "u", "password": f"${{file:{pipe}}}"}}})
    assert ("Authorization", "Basic ***") in explain(path, "up", "m").headers


def test_settings_and_origins(write):
    path = write({"up": {"url": "http://h.invalid", "extensions": ["nil"], "methods": [
        {"match": "reports.*", "safe": True, "timeout": "5m"}, {"match": "*", "timeout": "1s"}]}})
    told = explain(path, "up", "reports.all", "null")
    assert re.search(r'extensions = \[ "nil" \]; +// .*rpcgate\.conf:\d+\n', told.settings)
    assert re.search(r'encoding = "UTF-8"; +// default\n', told.settings)
    entry = told.settings.split("# The entry of `methods`")[1]
    assert re.search(r'match = "reports\.\*"; +// .*rpcgate\.conf:\d+\n', entry)
    assert re.search(r'timeout = "5m"; +// .*rpcgate\.conf:\d+\n', entry)
    assert "300000 ms (methods.timeout)" in entry and "it is safe" in entry
    entry = explain(path, "up", "x").settings.split("# The entry of `methods`")[1]
    assert 'match = "*"' in entry and "1000 ms" in entry and "not known to be safe" in entry
    plain = explain(write({"up": {"url": "http://h.invalid"}}), "up", "system.listMethods")
    assert "There is none" in plain.settings and "30000 ms (timeouts.total)" in plain.settings
    assert "it is safe" in plain.settings


def test_join(write):
    settings = {"url": "http://h.invalid", "methods": [{"match": "get.*", "safe": True}]}
    path = write({"up": settings | {"join": {"max": 20}}, "alone": settings})
    assert "one system.multicall" in explain(path, "up", "get.x").settings
    assert "up to 20 of them (join.max)" in explain(path, "up", "get.x").settings
    assert "It goes out by itself" in explain(path, "up", "set.x").settings
    assert "system.multicall" not in explain(path, "alone", "get.x").settings


def test_params(write):
    path = write({"up": {"url": "http://h.invalid"}})
    assert b"<int>-5</int>" in explain(path, "up", "m", "-5").document
    assert b"<string>-5</string>" in explain(path, "-s", "up", "m", "-5").document
    done = tool("explain", "-c", path, "up", "m", "-", data=json.dumps(["x", 1]).encode())
    assert "<string>x</string>" in done.out and "<int>1</int>" in done.out
    large = "9" * 300_000
    done = tool("explain", "-c", path, "up", "m", "-", data=f'["{large}"]'.encode())
    assert done.status == OK and large in done.out


def test_failures(write, tmp_path):
    path = write({"up": {"url": "http://h.invalid"}})
    done = tool("explain", "-c", path, "up", "m", "[1,null]")
    assert done.status == DATA_ERROR and "nil" in done.err and "/0/1" in done.err and not done.out
    assert tool("explain", "-c", path, "up", "m", "{").status == DATA_ERROR
    assert tool("explain", "-c", path, "none", "m").status == USAGE
    assert tool("explain", "-c", path, "up").status == USAGE
    done = tool("explain", "-c", str(tmp_path / "none"), "up", "m")
    assert done.status == NO_INPUT and "none" in done.err
    bad = Path(tmp_path / "bad.conf")
    bad.write_text("workers = \"x\";\nnonsense = 1;\n")
    done = tool("explain", "-c", str(bad), "up", "m")
    assert done.status == CONFIGURATION and "bad.conf:1:" in done.err and "bad.conf:2:" in done.err


INJECT = [
    {"match": "auth.*"},
    {"match": "odoo.*", "at": 1, "params": ("{password}", 7), "in": 0, "member": {"key": "{password}"},
     "headers": ["X-Key: {password}"], "path": "/object"},
    {"match": "other.*", "path": "/{password}"},
]


def test_what_inject_adds(write):
    path = write({"up": {"url": "http://127.0.0.1:9/RPC2", "inject": INJECT,
                         "credentials": {"username": "api", "password": PASSWORD}}})
    got = explain(path, "up", "odoo.read", '{"a": 1}', "2")
    assert got.line == "POST /RPC2/object HTTP/1.1" and ("X-Key", "***") in got.headers
    hidden_value = b"<value>***</value>"
    assert got.document.count(hidden_value) == 3
    assert b"<member><name>key</name>" + hidden_value + b"</member><member><name>a" in got.document
    assert (b"</struct></value></param>" + (b"<param>" + hidden_value + b"</param>") * 2
            + b"<param><value><int>2</int>") in got.document
    out = tool("explain", "-c", path, "up", "odoo.read", "{}").out
    assert re.search(r"# The entry of `inject` of .*rpcgate.conf, line [0-9]+, adds params, members, "
                     r"header lines, a part of the path; each value shows as \*{3}\.\n", out)
    assert "adds nothing.\n" in tool("explain", "-c", path, "up", "auth.a").out
    assert explain(path, "up", "other.a").line == "POST /RPC2/*** HTTP/1.1"
    assert "`inject`" not in tool("explain", "-c", path, "up", "else").out.split("\n\n")[0]
    refused = tool("explain", "-c", path, "up", "odoo.read", '{"key": 1}')
    assert refused.status != OK and "/0/key" in refused.err


def test_what_a_profile_adds(write):
    path = write({"up": {"url": "http://127.0.0.1:9/", "profile": "opennebula",
                         "credentials": {"username": "api", "password": PASSWORD}}})
    out = tool("explain", "-c", path, "up", "one.vm.info", "7").out
    assert "# The entry of `inject` of the profile opennebula adds params; each" in out
