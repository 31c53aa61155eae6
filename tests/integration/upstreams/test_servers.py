# SPDX-License-Identifier: Apache-2.0
"""What real servers have and lack of introspection and multicall, and what becomes of it. The table
in docs/servers.md is compared with what is found; with RPCGATE_UPDATE_DOCS=1 (and without -n) it is
written."""

import json
import os
import re
import tempfile
import xmlrpc.client
from pathlib import Path

import pytest

from rig import foreign
from rig.check import assert_problem
from rig.programs import Aria2, Supervisord
from rig.settings import TOP

DOCUMENT = TOP / "docs/servers.md"
ADD = ("demo.add", [1, 2])
UNKNOWN = "no.such.method"


def _with_login(url: str, user: str, password: str) -> str:
    return url.replace("//", f"//{user}:{password}@")


class _Supervisord(Supervisord):
    PASSWORD = "s3cret-pass"

    @property
    def url(self):
        return _with_login(f"http://127.0.0.1:{self.port}/RPC2", self.USER, self.PASSWORD)


class _Nzbget(foreign.Nzbget):
    def __init__(self, folder: Path):
        super().__init__(folder)
        self.url = _with_login(self.url, self.USER, self.PASSWORD)


#: Name in the table, how to start it, and a call that it answers.
SERVERS = [
    ("supervisord", _Supervisord, ("supervisor.getAPIVersion", [])),
    ("aria2", Aria2, ("aria2.getGlobalOption", [f"token:{Aria2.SECRET}"])),
    ("rTorrent behind nginx (`scgi_pass`)", foreign.Rtorrent, ("system.client_version", [])),
    ("nzbget", _Nzbget, ("version", [])),
    ("xmlrpc-c (Abyss)", foreign.XmlrpcC, ADD),
    ("Python `xmlrpc.server`", foreign.Python, ADD),
    ("Twisted", foreign.Twisted, ADD),
    ("Perl `RPC::XML::Server`", foreign.Perl, ADD),
    ("Ruby `xmlrpc/server`", foreign.Ruby, ADD),
    ("PHP `xmlrpc` (xmlrpc-epi)", foreign.Php, ADD),
]


#: What docs/servers.md advises.
SETTINGS = {
    "Perl `RPC::XML::Server`": {"pool": {"max_connections": 1}},
}


@pytest.fixture(scope="module")
def server(request):
    _, make, _ = request.param
    with tempfile.TemporaryDirectory(prefix="rpcgate-") as folder:
        started = make(Path(folder))
        yield started, request.param
        started.stop()


each_server = pytest.mark.parametrize("server", SERVERS, indirect=True, ids=lambda s: re.sub(
    r"\W+", "-", s[0]).strip("-"))


class Direct:
    """What the server itself answers."""

    def __init__(self, url: str):
        self._url = url

    def ask(self, method: str, *params):
        """Over a connection of its own: some servers serve one at a time."""
        with xmlrpc.client.ServerProxy(self._url, allow_none=True) as proxy:
            try:
                return getattr(proxy, method)(*params)
            except xmlrpc.client.Fault as fault:
                return fault


def _lack(answer) -> str | None:
    return f"no: fault {answer.faultCode}" if isinstance(answer, xmlrpc.client.Fault) else None


def _shape(answer) -> str:
    if (lack := _lack(answer)) is not None:
        return lack
    first = answer[0]
    return "wrapped" if isinstance(first, list) and len(first) == 1 else "bare"


def _fault_shape(answer) -> str:
    if isinstance(answer, xmlrpc.client.Fault):
        return ""
    if not isinstance(answer, list):
        return "none: the whole answer is no XML-RPC"
    fault = answer[1]
    return "a struct" if isinstance(fault, dict) else "a struct in an array"


def _signatures(answer) -> str:
    if (lack := _lack(answer)) is not None:
        return lack
    if not isinstance(answer, list):
        return f"no: `{answer!r}`".replace("'", '"')
    return "yes" if all(isinstance(one, list) for one in answer) else "one, not in a list"


def _row(name: str, direct: Direct, call) -> str:
    method, params = call
    good = {"methodName": method, "params": params}
    bad = {"methodName": UNKNOWN, "params": []}
    cells = [name,
             _lack(direct.ask("system.listMethods")) or "yes",
             _signatures(direct.ask("system.methodSignature", method)),
             _lack(direct.ask("system.methodHelp", method)) or "yes",
             _shape(direct.ask("system.multicall", [good, good])),
             _fault_shape(direct.ask("system.multicall", [good, bad])),
             f"fault {direct.ask(UNKNOWN).faultCode}"]
    return "| " + " | ".join(cells) + " |"


@each_server
def test_the_table_is_true(server):
    started, (name, _, call) = server
    row = _row(name, Direct(started.url), call)
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| {name} |")]
    if os.environ.get("RPCGATE_UPDATE_DOCS") == "1":
        text = DOCUMENT.read_text()
        DOCUMENT.write_text(text.replace(rows[0], row) if rows else text + row + "\n")
    else:
        assert rows == [row]


@each_server
def test_what_it_has(start, server):
    """Introspection says what the server says."""
    started, (_, _, (method, _)) = server
    direct = Direct(started.url)
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]},
                             "upstreams": {"up": {"url": started.url}}})
    listed, told = direct.ask("system.listMethods"), gateway.get("/v1/up").json
    if isinstance(listed, xmlrpc.client.Fault):
        assert told["methods"] is None and str(listed.faultCode) in told["reason"]
    else:
        names = [name for name in listed if name != "system.multicall"]
        assert told == {"name": "up", "methods": [{"name": name} for name in names]}
        assert_problem(gateway.get(f"/v1/up/{UNKNOWN}"), "not-found", 404)
    signatures = direct.ask("system.methodSignature", method)
    help = direct.ask("system.methodHelp", method)
    if not isinstance(signatures, list):
        signatures = None
    elif signatures and isinstance(signatures[0], str):
        signatures = [signatures]
    assert gateway.get(f"/v1/up/{method}").json == {
        "method": method, "signatures": signatures,
        "help": "" if isinstance(help, xmlrpc.client.Fault) else help, "safe": False}


@each_server
@pytest.mark.parametrize("use", ["auto", "never"])
def test_batches(start, server, use):
    """Each result in its place, whatever the server makes of system.multicall."""
    started, (name, _, (method, params)) = server
    direct = Direct(started.url)
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
        "url": started.url, "multicall": use, **SETTINGS.get(name, {})}}})

    def batch(*methods):
        calls = [{"method": m, "params": params if m == method else []} for m in methods]
        answer = gateway.request("POST", "/v1/up", json.dumps(calls).encode(),
                                 {"Content-Type": "application/json"})
        return answer.json["results"]
    wanted = {"result": direct.ask(method, *params)}
    assert batch(method, method, method) == [wanted] * 3
    first, second, third = batch(method, UNKNOWN, method)
    if "Perl" in name and use == "auto":  # not one of the results can be read
        assert {item["problem"]["type"].rsplit(":", 1)[1] for item in (first, second, third)} == {
            "bad-response"}
    else:
        assert first == third == wanted
        assert second["problem"]["fault"]["code"] == direct.ask(UNKNOWN).faultCode
