# SPDX-License-Identifier: Apache-2.0
"""`rpcgate check`: the steps to an upstream told apart, their reasons, and the exit codes."""

import base64
import json
import re
import socket
import ssl
import subprocess
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xmlrpc.server import SimpleXMLRPCServer

import pytest

from rig.codec import RPCGATE
from rig.gateway import run_program
from rig.settings import configuration
from rig.upstream import fault_document, response_document

STEPS = ["dns", "connect", "tls", "authentication", "system.listMethods"]
PASSWORD = "correct-horse-battery"
TOKEN = "s3cret-token-of-an-upstream-0123456789"


def run_tool(*arguments: str) -> subprocess.CompletedProcess:
    return run_program(*arguments, program=RPCGATE)


class Checker:
    """Writes a configuration and runs the command."""

    def __init__(self, folder):
        self.path = folder / "rpcgate.conf"

    def write(self, upstreams: dict | str):
        self.path.write_text(upstreams if isinstance(upstreams, str) else configuration(
            {"listen": [{"address": "127.0.0.1", "port": 0}], "anonymous": {"allow": ["*/*"]},
             "upstreams": upstreams}))

    def run(self, upstreams: dict | str, *arguments: str):
        self.write(upstreams)
        return run_tool("check", "-c", str(self.path), *arguments)

    def one(self, url: str, **settings) -> "Found":
        """Checks one URL, in both forms."""
        up = {"up": {"url": url} | settings}
        people, programs = self.run(up), self.run(up, "--json")
        assert people.returncode == programs.returncode in (0, 69)
        found = Found(programs.stdout, people.stdout)
        assert found.whole["ok"] == (people.returncode == 0)
        for done in (people, programs):
            assert not done.stderr, done.stderr
        return found


def timeless(text: str) -> str:
    """Without what differs between two runs, also where a day ends between them."""
    return re.sub(r"expires in \d+ days", "expires in N days",
                  re.sub(r"after \d+ m", "after N m", text))


class Found:
    def __init__(self, text: str, people: str):
        self.whole = json.loads(text)
        self.text, self.people = text, people
        self.url = self.whole["upstreams"][0]["urls"][0]
        self.steps = {step["step"]: step for step in self.url["steps"]}
        assert list(self.steps) == STEPS
        for step in self.steps.values():
            assert f"{step['step']:18}  {step['result']:7}" in people
            assert timeless(step["reason"]) in timeless(people)

    @property
    def results(self) -> str:
        """The first letter of each step's result."""
        return "".join(step["result"][0] for step in self.steps.values())

    def failure(self) -> dict:
        failed = [step for step in self.steps.values() if step["result"] == "failed"]
        assert len(failed) == 1, self.text
        assert failed[0]["advice"] and failed[0]["advice"] in self.people
        return failed[0]


@pytest.fixture
def check(tmp_path):
    return Checker(tmp_path)


@pytest.fixture
def refused_port():
    """A port that nobody listens on, and that nobody else gets."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


# ---- All well -------------------------------------------------------------------------------


def test_a_python_server(check):
    with SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as server:
        server.register_introspection_functions()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = check.one(f"http://127.0.0.1:{server.server_address[1]}/RPC2")
        server.shutdown()
    assert found.results == "ooso" + "o" and found.url["methods"] == 3
    assert found.steps["system.listMethods"]["reason"] == "3 methods"
    for name in ("dns", "connect", "system.listMethods"):
        assert found.steps[name]["duration_ms"] >= 0
    assert found.steps["tls"]["duration_ms"] is None


@pytest.mark.parametrize("methods, count", [
    ([], 0), (["a"], 1), (["a,b", 'q"],[', "c\\"], 3), (["[", "}"], 2), ([["a", "b"], {"x": 1}], 2),
    ({"a": 1, "b": 2}, None), (7, None), ("a,b", None)])
def test_methods_are_counted(check, start, methods, count):
    async def behave(x):
        await x.answer(methods)
    found = check.one(start.upstream(behave).url)
    assert found.whole["ok"] and found.url["methods"] == count


@pytest.mark.parametrize("code", [-32601, 1])
@pytest.mark.parametrize("status", ["200 OK", "500 Oh"])
def test_a_fault_is_an_answer(check, start, code, status):
    async def behave(x):
        await x.respond(fault_document(code, "no such method"), status)
    found = check.one(start.upstream(behave).url)
    reason = found.steps["system.listMethods"]["reason"]
    assert found.whole["ok"] and "has no introspection" in reason and f"fault {code}" in reason


def test_a_unix_socket(check, start, tmp_path):
    async def behave(x):
        await x.answer(["a"])
    path = str(tmp_path / "up.sock")
    upstream = start.upstream(behave, unix=path)
    found = check.one(upstream.url)
    assert found.results == "sosoo" and found.url["unix_socket"] == path
    assert found.steps["connect"]["reason"] == path


def test_each_is_called_once(check, start):
    async def behave(x):
        assert x.method == "system.listMethods" and x.params == ()
        await x.answer(["a"])
    upstream = start.upstream(behave)
    assert check.run({"up": {"url": upstream.url}}).returncode == 0
    assert len(upstream.exchanges) == 1


def test_all_urls_of_all_upstreams(check, start, refused_port):
    async def behave(x):
        await x.answer(["a"])
    good = start.upstream(behave).url
    bad = f"http://127.0.0.1:{refused_port}/RPC2"
    upstreams = {"first": {"urls": [good, bad]}, "second": {"url": good}}
    done = check.run(upstreams, "--json")
    whole = json.loads(done.stdout)
    assert done.returncode == 69 and not whole["ok"]
    assert [(up["name"], up["ok"], [(url["url"], url["ok"]) for url in up["urls"]])
            for up in whole["upstreams"]] == [
        ("first", False, [(good, True), (bad, False)]), ("second", True, [(good, True)])]
    done = check.run(upstreams, "second")
    assert done.returncode == 0 and "first" not in done.stdout
    done = check.run(upstreams)
    assert done.returncode == 69
    assert [line.split()[0] for line in done.stdout.splitlines()
            if line and line[0] != " "] == ["first", "first", "second"]


def test_more_than_are_made_at_once(check, start):
    async def behave(x):
        await x.answer(["a"])
    url = start.upstream(behave).url
    done = check.run({f"up{i}": {"url": url} for i in range(40)}, "--json")
    assert done.returncode == 0
    assert [up["name"] for up in json.loads(done.stdout)["upstreams"]] == [
        f"up{i}" for i in range(40)]


# ---- Failures -------------------------------------------------------------------------------


def test_nobody_listens(check, refused_port):
    found = check.one(f"http://127.0.0.1:{refused_port}/")
    assert found.results == "ofsss"
    assert "refused" in found.failure()["reason"] and "port" in found.failure()["advice"]


def test_no_socket(check, tmp_path):
    found = check.one("http+unix://" + str(tmp_path / "none").replace("/", "%2F"))
    assert found.results == "sfsss"
    assert "No such file" in found.failure()["reason"]


def test_unknown_name(check):
    found = check.one("https://no-such-host.invalid/RPC2")
    assert found.results == "fssss"
    assert "no-such-host.invalid" in found.failure()["reason"]


@pytest.mark.parametrize("status, configured, words", [
    ("401 Unauthorized", True, "the credentials are refused"),
    ("401 Unauthorized", False, "it wants credentials"),
    ("403 Forbidden", True, "forbidden")])
def test_refused_credentials(check, start, status, configured, words):
    async def behave(x):
        echo = x.header("Authorization") or ""
        await x.respond(echo.encode(), status, {
            "WWW-Authenticate": f'Basic realm="{PASSWORD} {echo}"'})
    auth = {"scheme": "basic", "username": "somebody", "password": PASSWORD}
    found = check.one(start.upstream(behave).url, **({"auth": auth} if configured else {}))
    assert found.results == "oosfs"
    assert words in found.failure()["reason"]
    if configured:
        for secret in (PASSWORD, base64.b64encode(f"somebody:{PASSWORD}".encode()).decode()):
            assert secret not in found.text and secret not in found.people
    if configured and status[:3] == "401":
        assert "***" in found.text


@pytest.mark.parametrize("name, body, status, words", [
    ("html", b"<!DOCTYPE html><html><body>Hello</body></html>", "200 OK", "no XML-RPC server"),
    ("empty", b"", "200 OK", "empty"),
    ("half", response_document(["a"])[:-20], "200 OK", "not usable XML-RPC"),
    ("json", b'{"result": 1}', "200 OK", "not usable XML-RPC"),
    ("call", b"<methodCall><methodName>a</methodName></methodCall>", "200 OK", "no response"),
    ("not found", b"<html>no</html>", "404 Not Found", "no XML-RPC server"),
    ("redirect", b"", "302 Found", "302"),
    ("broken", b"oops", "500 Broken", "500 Broken"),
    ("busy", b"", "503 Busy", "503"),
])
def test_no_xml_rpc(check, start, name, body, status, words):
    async def behave(x):
        await x.respond(body, status, {"Content-Type": "text/html" if b"<html" in body else None})
    found = check.one(start.upstream(behave).url)
    assert found.failure()["step"] == "system.listMethods"
    assert words in found.failure()["reason"]
    asked = found.steps["authentication"]["result"]
    assert asked == ("skipped" if status[0] in "35" else "ok")


def test_redirect(check, start):
    async def behave(x):
        await x.respond(b"", "301 Moved", {"Location": "https://u:word@new.example/xmlrpc.php"})
    reason = check.one(start.upstream(behave).url).failure()["reason"]
    assert "wants the request at https://***@new.example/xmlrpc.php" in reason, reason


def test_connection_ends(check, start):
    async def behave(x):
        x.close()
    found = check.one(start.upstream(behave).url)
    assert found.results == "oossf" and "ended before" in found.failure()["reason"]


def test_no_http(check, start):
    async def behave(x):
        await x.send(b"SSH-2.0-OpenSSH_9.2\r\n")
        x.close()
    found = check.one(start.upstream(behave).url)
    assert found.results == "oossf" and "http" in found.failure()["reason"].lower()


def test_no_answer_in_time(check, start):
    async def behave(x):
        await x.gone()
    found = check.one(start.upstream(behave).url, timeouts={"total": "200ms"})
    assert found.results == "oossf" and "in time" in found.failure()["reason"]
    assert found.failure()["duration_ms"] >= 100


def test_foreign_text_is_harmless(check, start):
    async def behave(x):
        text = "\x9b31m " + x.header("X-Api-Token") + " ünïcode"
        await x.respond(fault_document(7, text))
    found = check.one(start.upstream(behave).url, headers=[f"X-Api-Token: {TOKEN}"])
    reason = found.steps["system.listMethods"]["reason"]
    assert found.whole["ok"] and "***" in reason and "ünïcode" in reason
    assert TOKEN not in found.text and TOKEN not in found.people


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_refuses(check, start, scheme):
    async def behave(x):
        await x.respond(b"", "407 No", {"Proxy-Authenticate": 'Basic realm="p"'})
    found = check.one(f"{scheme}://nobody.invalid/RPC2", proxy={
        "url": start.upstream(behave).url.removesuffix("/RPC2"), "username": "somebody",
        "password": PASSWORD})
    assert found.results == "ofsss" and "407" in found.failure()["reason"]
    assert "`proxy`" in found.failure()["advice"] and PASSWORD not in found.text


def test_digest(check, start):
    async def behave(x):
        if x.header("Authorization") is None:
            await x.respond(b"", "401 No", {
                "WWW-Authenticate": 'Digest realm="r", nonce="abc", qop="auth"'})
        else:
            await x.answer(["a"])
    found = check.one(start.upstream(behave).url, auth={
        "scheme": "digest", "username": "somebody", "password": PASSWORD})
    assert found.results == "oosoo" and "digest" in found.steps["authentication"]["reason"]


# ---- TLS ------------------------------------------------------------------------------------


class Certificates:
    """A CA, and what it signs."""

    def __init__(self, folder):
        self.folder = folder
        self.ca, self.other = self._ca("ca"), self._ca("other")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def _ca(self, name: str) -> str:
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "300",
                      "-subj", f"/CN=Test {name}")
        return str(self.folder / f"{name}.pem")

    def server(self, name: str, names: str, expired: bool = False) -> str:
        """A certificate with its key in one file."""
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (self.folder / f"{name}.cnf").write_text(f"subjectAltName={names}\n")
        (self.folder / "index.txt").write_text("")
        (self.folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nrand_serial=yes\nnew_certs_dir=.\n"
            "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        dates = ["20200101000000Z", "20200201000000Z" if expired else "20990101000000Z"]
        self._openssl("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
                      "-in", f"{name}.csr", "-out", f"{name}.crt", "-notext", "-extfile",
                      f"{name}.cnf", "-startdate", dates[0], "-enddate", dates[1])
        whole = self.folder / f"{name}.all"
        whole.write_bytes(b"".join((self.folder / f"{name}.{kind}").read_bytes()
                                   for kind in ("crt", "key")))
        return str(whole)


    def signed(self, name: str, key: str, ca: str = "ca", extension: str = "") -> str:
        """A certificate for 127.0.0.1 with its key in one file, by `openssl x509`."""
        self._openssl("req", "-newkey", key, *(["-pkeyopt", "ec_paramgen_curve:P-256"]
                      if key == "ec" else []), "-nodes", "-keyout", f"{name}.key", "-out",
                      f"{name}.csr", "-subj", f"/CN={name}")
        (self.folder / f"{name}.cnf").write_text(extension or "subjectAltName=IP:127.0.0.1\n")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey",
                      f"{ca}.key", "-CAcreateserial", "-days", "300", "-extfile", f"{name}.cnf",
                      "-out", f"{name}.pem")
        whole = self.folder / f"{name}.all"
        whole.write_bytes(b"".join((self.folder / f"{name}.{kind}").read_bytes()
                                   for kind in ("pem", "key")))
        return str(whole)

    def through_intermediate(self) -> tuple[str, str]:
        """A server's certificate without the one that signed it, and that one."""
        self.signed("middle", "ec", extension="basicConstraints=critical,CA:TRUE\n")
        return self.signed("leaf", "ec", "middle"), str(self.folder / "middle.pem")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


class _Answering(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answered += 1
        body = response_document(["a", "b"])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class TlsServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, certificate: str, client_ca: str | None = None, level: int | None = None,
                 version: ssl.TLSVersion | None = None):
        super().__init__(("127.0.0.1", 0), _Answering)
        self.answered = 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if level is not None:
            context.set_ciphers(f"DEFAULT@SECLEVEL={level}")
        if version is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = version
        context.load_cert_chain(certificate)
        if client_ca is not None:
            # In TLS 1.3 the client is through before it is asked.
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        # The handshake is the connection's thread's: a client that leaves it must not end us.
        self.socket = context.wrap_socket(self.socket, server_side=True,
                                          do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    @property
    def port(self) -> int:
        return self.server_address[1]


def test_tls(check, certificates):
    with TlsServer(certificates.server("good", "DNS:localhost,IP:127.0.0.1")) as server:
        found = check.one(f"https://localhost:{server.port}", tls={"ca_file": certificates.ca})
    assert found.results == "ooooo" and found.url["methods"] == 2
    assert found.url["certificate"] == {
        "subject": "CN = good", "issuer": "CN = Test ca", "names": ["localhost", "127.0.0.1"],
        "begins": "2020-01-01T00:00:00Z", "expires": "2099-01-01T00:00:00Z"}
    assert "verified, expires in" in found.steps["tls"]["reason"]
    for word in ("DNS:localhost", "CN = Test ca", "2099-01-01T00:00:00Z"):
        assert word in found.people


@pytest.mark.parametrize("name, names, expired, ca, words, advice", [
    ("foreign", "IP:127.0.0.1", False, "other", "certificate", "tls.ca_file"),
    ("elsewhere", "DNS:elsewhere.example", False, "ca", "subject name", "names"),
    ("old", "IP:127.0.0.1", True, "ca", "expired", "Renew"),
])
def test_refused_certificates(check, certificates, name, names, expired, ca, words, advice):
    with TlsServer(certificates.server(name, names, expired)) as server:
        found = check.one(f"https://127.0.0.1:{server.port}",
                          tls={"ca_file": getattr(certificates, ca)},
                          auth={"scheme": "bearer", "token": TOKEN})
        assert server.answered == 0
    assert found.results == "oofss", found.text
    assert words in found.failure()["reason"] and advice in found.failure()["advice"]
    shown = found.url["certificate"]
    assert shown["subject"] == f"CN = {name}" and shown["issuer"] == "CN = Test ca"
    assert shown["expires"][:4] == ("2020" if expired else "2099")


# ---- Advice for what people met ---------------------------------------------------------------


def test_a_coding_that_is_not_known(check, start):
    async def behave(x):
        await x.respond(b"\x0b\x02\x80compressed", headers={"Content-Encoding": "br"})
    found = check.one(start.upstream(behave).url)
    assert "Content-Encoding" in found.failure()["reason"]
    assert "compression.accept" in found.failure()["advice"]


def test_a_coding_that_is_none(check, start):
    async def behave(x):
        await x.respond(response_document(["a"]), headers={"Content-Encoding": "UTF-8"})
    assert check.one(start.upstream(behave).url).whole["ok"]


def test_a_document_with_less_than_promised(check, start):
    async def behave(x):
        document = response_document(["a"])
        await x.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(document) + 9)
                     + document)
        x.close()
    assert check.one(start.upstream(behave).url).whole["ok"]


def test_a_weak_key(check, certificates):
    weak = certificates.signed("weak", "rsa:1024")
    with TlsServer(weak, level=0) as server:
        tls = {"ca_file": certificates.ca}
        found = check.one(f"https://127.0.0.1:{server.port}", tls=tls)
        assert "@SECLEVEL=0" in found.failure()["advice"]
        tls["ciphers"] = "DEFAULT@SECLEVEL=0"
        assert check.one(f"https://127.0.0.1:{server.port}", tls=tls).whole["ok"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_of_tls(check, certificates, version):
    name = {ssl.TLSVersion.TLSv1: "1.0", ssl.TLSVersion.TLSv1_1: "1.1"}[version]
    with TlsServer(certificates.server("old", "IP:127.0.0.1"), level=0, version=version) as server:
        url, tls = f"https://127.0.0.1:{server.port}", {"ca_file": certificates.ca}
        assert 'tls.min_version = "1.0"' in check.one(url, tls=tls).failure()["advice"]
        done = check.run({"up": {"url": url, "tls": tls | {"min_version": name}}}, "--json")
        assert done.returncode == 0, done.stdout
        assert "TLS 1.0 or 1.1, which are broken" in done.stderr
        if name == "1.0":
            done = check.run({"up": {"url": url, "tls": tls | {"min_version": "1.1"}}}, "--json")
            step = json.loads(done.stdout)["upstreams"][0]["urls"][0]["steps"][2]
            assert done.returncode == 69 and "no common version" in step["advice"]


def test_a_missing_intermediate(check, certificates):
    """The root is named, and has not signed what the server sends; naming what is missing helps."""
    whole, intermediate = certificates.through_intermediate()
    with TlsServer(whole) as server:
        url = f"https://127.0.0.1:{server.port}"
        advice = check.one(url, tls={"ca_file": certificates.ca}).failure()["advice"]
        assert "sends no intermediate" in advice and "tls.ca_file" in advice
        both = certificates.folder / "both.pem"
        both.write_text("".join(open(name).read() for name in (certificates.ca, intermediate)))
        assert check.one(url, tls={"ca_file": str(both)}).whole["ok"]


def test_a_proxy_forbids(check, start):
    async def behave(x):
        await x.respond(b"no", "403 Forbidden")
    proxy = {"url": start.upstream(behave).url.removesuffix("/RPC2")}
    found = check.one("http://nobody.invalid/RPC2", proxy=proxy)
    assert found.failure()["step"] == "authentication" and "proxy" in found.failure()["advice"]


@pytest.mark.parametrize("wants, words", [
    ('Digest realm="r", nonce="n", algorithm=SHA-512-256, qop="auth"', "MD5 and SHA-256"),
    ("Negotiate", "another scheme"), ('Basic realm="r"', '"basic"')])
def test_a_login_that_is_not_ours(check, start, wants, words):
    async def behave(x):
        await x.respond(b"", "401 No", {"WWW-Authenticate": wants})
    found = check.one(start.upstream(behave).url, auth={
        "scheme": "digest", "username": "somebody", "password": PASSWORD})
    assert words in found.failure()["advice"]


def test_unverified_is_told(check, certificates):
    with TlsServer(certificates.server("self", "DNS:elsewhere.example", expired=True)) as server:
        done = check.run({"up": {"url": f"https://127.0.0.1:{server.port}", "tls": {
            "verify_peer": False, "verify_host": False}}}, "--json")
    assert done.returncode == 0
    step = json.loads(done.stdout)["upstreams"][0]["urls"][0]["steps"][2]
    assert "not verified" in step["reason"] and "Renew" in step["advice"]


def test_a_certificate_of_ours_is_wanted(check, certificates):
    with TlsServer(certificates.server("wanting", "IP:127.0.0.1"), certificates.ca) as server:
        found = check.one(f"https://127.0.0.1:{server.port}", tls={"ca_file": certificates.ca})
        assert server.answered == 0
    assert found.results == "oofss" and "tls.cert_file" in found.failure()["advice"]


def test_no_tls_at_this_port(check, start):
    found = check.one(start.upstream().url.replace("http:", "https:"), timeouts={"connect": "1s"})
    assert found.results == "oofss"
    assert found.url["certificate"] is None


# ---- Usage ----------------------------------------------------------------------------------


def test_operand_before_options(check, start):
    async def behave(x):
        await x.answer(["a"])
    check.write({"up": {"url": start.upstream(behave).url}})
    assert run_tool("check", "up", "-c", str(check.path)).returncode == 0


@pytest.mark.parametrize("arguments", [["--nonsense"], ["-c"], ["one", "two"], ["nobody"]])
def test_wrong_usage(check, arguments):
    done = check.run({"up": {"url": "http://127.0.0.1:1"}}, *arguments)
    assert done.returncode == 64 and done.stderr and not done.stdout


def test_missing_file(tmp_path):
    path = str(tmp_path / "none.conf")
    done = run_tool("check", "-c", path)
    assert done.returncode == 66 and path in done.stderr and not done.stdout


def test_bad_configuration(check):
    done = check.run('upstreams = { up = {\n url = "ftp://x";\n nonsense = 1; }; };\n')
    assert done.returncode == 78 and not done.stdout
    assert f"{check.path}:2: " in done.stderr and f"{check.path}:3: " in done.stderr


def test_nothing_to_check(check):
    done = check.run({})
    assert done.returncode == 0 and not done.stdout and "no upstreams" in done.stderr


def test_help():
    done = run_tool("check", "--help")
    assert done.returncode == 0 and "--json" in done.stdout and "UPSTREAM" in done.stdout
