# SPDX-License-Identifier: Apache-2.0
"""Profiles, as the programs show and use them."""

import json
import re

import pytest

from rig.check import assert_problem
from rig.gateway import run_program
from rig.settings import TOP, up_settings
from rig.simulator import PASSWORD, SECRET, USER, Simulator
from rig.tool import OK, USAGE, tool
from rig.upstream import fault_document, response_document

NAMES = sorted(path.stem for path in (TOP / "etc/profiles").glob("*.conf"))

CREDENTIALS = (f'username = "{USER}"; password = "{PASSWORD}"; key = "{SECRET}"; '
               'database = "prod";')


@pytest.fixture(scope="module")
def simulator(folder):
    simulator = Simulator(folder)
    yield simulator
    simulator.stop()


def upstream(profile: str, url: str) -> str:
    return (f'anonymous = {{ allow = [ "*/*" ]; }};\nupstreams = {{ up = {{ profile = "{profile}"; '
            f'url = "{url}"; credentials = {{ {CREDENTIALS} }}; }}; }};\n')


def test_the_list():
    done = tool("profiles")
    assert done.status == OK
    assert [line.split()[0] for line in done.out.splitlines()] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_printed_and_pasted(name, tmp_path):
    """The file itself, and good in the place of the built-in one."""
    done = tool("profiles", name)
    assert (done.status, done.out) == (OK, (TOP / f"etc/profiles/{name}.conf").read_text())
    path = tmp_path / "rpcgate.conf"
    path.write_text(f"profiles = {{\n{done.out}}};\n" + upstream(name, "http://h/"))
    shown = run_program("-t", "-c", str(path))
    assert (shown.returncode, shown.stdout) == (0, "ok\n"), shown.stderr


def test_unknown():
    done = tool("profiles", "odo")
    assert done.status == USAGE
    assert 'did you mean "odoo"?' in done.err


def test_the_simulator_counts(simulator):
    simulator.control("supervisor", reset=True)
    assert simulator.counts("supervisor")["calls"] == 0


def test_the_readme(start, simulator, folder):
    """Its first configuration and call, against an imitation of an Odoo, have the answer that
    stands there."""
    text = (TOP / "README.md").read_text()
    settings = re.search(r"```conf\n(.*?)```", text, re.DOTALL).group(1)
    call = re.search(r"\$ curl --json '(.*?)'[ \\\n]+http://127\.0\.0\.1:8080(\S+)\n(.*?)\n```", text,
                     re.DOTALL)
    key = folder / "odoo.key"
    key.write_text(PASSWORD + "\n")
    for old, new in [("8080", "0"), ("http://127.0.0.1:8069", simulator.url("")),
                     ("file:odoo.key", f"file:{key}")]:
        assert old in settings
        settings = settings.replace(old, new)
    gateway = start.gateway(settings)
    answer = gateway.request("POST", call[2], call[1].encode(),
                             {"Content-Type": "application/json"})
    assert answer.body.decode().strip() == call[3]
    assert PASSWORD in text


def test_the_table_of_credentials(start, simulator):
    """Its rows are calls that imitations answer so."""
    text = (TOP / "docs/credentials.md").read_text()
    rows = re.findall(r"^\| `(\w+)`.* \| `(.+?)` \| `([\w.]+)` \| `(.+?)` \| `(.+?)` \|$", text, re.M)
    assert [row[0] for row in rows] == ["odoo", "koji", "xapi", "wordpress"]
    for name, path, method, params, result in rows:
        simulator.control(name, reset=True)
        server = simulator.url(("/wordpress" if name == "wordpress" else "") + path)
        gateway = start.gateway(upstream(name, server) + 'listen = ( { address = "127.0.0.1"; port = 0; } );\n')
        assert gateway.call("up", method, params.encode()).result == json.loads(result), name


def test_basic(start, simulator):
    """`auth` of a profile, with the upstream's credentials."""
    simulator.control("supervisor", reset=True)
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
        "profile": "supervisor", "url": simulator.url("/supervisor/RPC2"),
        "credentials": {"username": USER, "password": PASSWORD}}}})
    answer = gateway.call("up", "supervisor.getState")
    assert answer.status == 200, answer.body
    assert answer.json["result"]["statename"] == "RUNNING"
    assert_problem(gateway.call("up", "supervisor.startProcess", ["x"]), "fault", 409)
    assert simulator.counts("supervisor")["refused"] == 0


@pytest.mark.parametrize("name,path,method,params,status,fault", [
    ("freeswitch", "/freeswitch/RPC2", "freeswitch.api", ["nosuch", ""], 500,
     {"code": 0, "string": "-ERR nosuch Command not found!\n"}),
    ("opennebula", "/RPC2", "one.vm.info", [7], 404,
     {"code": 1024, "string": "[one.vm.info] Error getting virtual machine [7]."}),
    ("loopia", "/RPCSERV", "rg.fail", ["BAD_INDATA", ""], 400,
     {"code": 0, "code_text": "BAD_INDATA", "string": "BAD_INDATA"}),
])
def test_failures_as_results(start, simulator, name, path, method, params, status, fault):
    simulator.control(name, reset=True)
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
        "profile": name, "url": simulator.url(path), "credentials": {
            "username": USER, "password": PASSWORD}}}})
    assert_problem(gateway.call("up", method, params), "fault", status, "yes", fault=fault)


def test_pypi(start, simulator):
    """How long to wait is in the fault's text."""
    simulator.control("pypi", reset=True, rate=1, rate_seconds=3600)
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
        "profile": "pypi", "url": simulator.url("/pypi")}}})
    assert gateway.call("up", "rg.echo", [1]).result == [1]
    answer = gateway.call("up", "rg.echo", [1])
    assert_problem(answer, "fault", 503)
    assert 3000 < int(answer.header("Retry-After")) <= 3600
    assert simulator.counts("pypi")["calls"] == 1


def test_homematic(start):
    """An imitation by the vendor's description of the interface: no users, faults of its own, and
    documents in ISO-8859-1."""
    values = {"LEVEL": 0.5, "NAME": "Küche"}

    async def behave(x):
        address, key = x.params
        code, text = ((-2, "Unknown instance") if address != "OEQ0123456:1" else
                      (-5, f"Unknown Parameter value for value key: {key}"))
        document = (fault_document(code, text) if code == -2 or key not in values else
                    response_document(values[key]))
        declared = b"<?xml version='1.0' encoding='iso-8859-1'?>"
        body = document.replace(b"<?xml version='1.0'?>", declared).decode().encode("latin-1")
        assert body.startswith(declared) and x.header("Authorization") is None
        await x.respond(body)

    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(upstream, profile="homematic"))
    for key, value in values.items():
        assert gateway.call("up", "getValue", ["OEQ0123456:1", key]).result == value
    assert_problem(gateway.call("up", "getValue", ["OEQ0123456:1", "NONE"]), "fault", 400, "yes")
    assert_problem(gateway.call("up", "getValue", ["OEQ0000000:1", "LEVEL"]), "fault", 404, "yes")


#: Profiles whose credentials go into each call as they are: path, and the call that is let in.
CONSTANT = [
    ("aria2", "/rpc", "rg.echo", [1, "a"], [1, "a"]),
    ("bugzilla", "/xmlrpc.cgi", "rg.echo", [{"a": 1}], {"a": 1}),
    ("dokuwiki", "/lib/exe/xmlrpc.php", "rg.echo", [1, "a"], [1, "a"]),
    ("opennebula", "/RPC2", "one.rg.echo", [1, "a"], [1, "a"]),
    ("ros", "/ros", "rg.echo", [1, "a"], [1, "a"]),
    ("testlink", "/testlink/lib/api/xmlrpc/v1/xmlrpc.php", "rg.echo", [{"a": 1}], {"a": 1}),
    ("wordpress", "/wordpress/xmlrpc.php", "rg.echo", [1, "a"], [1, "a"]),
]


@pytest.mark.parametrize("name,path,method,params,result", CONSTANT)
def test_let_in(start, simulator, name, path, method, params, result):
    simulator.control(name.split("-")[0], reset=True)
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
        "profile": name, "url": simulator.url(path), "credentials": {
            "username": USER, "password": PASSWORD, "key": SECRET}}}})
    answer = gateway.call("up", method, params)
    assert (answer.status, answer.json.get("result")) == (200, result), answer.body
    assert simulator.counts(name)["refused"] == 0


#: Those and the ones with HTTP's own credentials: a call that wants them.
REFUSED = [row[:4] for row in CONSTANT if row[0] not in ("ros", "testlink")] + [
    ("freeswitch", "/freeswitch/RPC2", "freeswitch.api", ["status", ""]),
    ("loopia", "/RPCSERV", "rg.echo", [1, "a"]),
    ("loopia", "/RPCSERV", "getDomains", []),
    ("softlayer", "/xmlrpc/v3.1/", "rg.echo", [1, "a"]),
    ("supervisor", "/supervisor/RPC2", "supervisor.getState", []),
    ("testlink", "/testlink/lib/api/xmlrpc/v1/xmlrpc.php", "tl.checkDevKey", [{}]),
]


@pytest.mark.parametrize("name,path,method,params", REFUSED,
                         ids=[f"{row[0]}-{row[2]}" for row in REFUSED])
def test_refused(start, simulator, name, path, method, params):
    """Whose credentials are wrong is told: not the caller's."""
    simulator.control(name, reset=True)
    wrong = "wr0ng-pw-fedcba98"
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "up": {"profile": name, "url": simulator.url(path), "credentials": {
            "username": USER, "password": wrong, "key": wrong}},
        "good": {"profile": name, "url": simulator.url(path), "credentials": {
            "username": USER, "password": PASSWORD, "key": SECRET}}}})
    assert gateway.call("good", method, params).status == 200
    assert simulator.counts(name)["calls"] == 1
    answer = gateway.call("up", method, params)
    problem = assert_problem(answer, "credentials-refused", 502, "no")
    assert problem["title"] == "The upstream refused our credentials"
    assert " reason=" in gateway.wait_line("problem=credentials-refused")
    assert wrong not in answer.body.decode() + gateway.stderr
    assert simulator.counts(name)["calls"] == 1
