# SPDX-License-Identifier: Apache-2.0
"""Prism before the gateway: with RPCGATE_LONG_TESTS=1, where npm can be reached. It holds each request
and answer against /openapi.json, and answers by itself where one is not as that says."""

import http.client
import json

import pytest

from rig import npm
from rig.described import described_settings
from rig.programs import PORT_TRIES, Program, Supervisord, free_port
from rig.settings import DEADLINE

PRISM = "@stoplight/prism-cli@5.16.0"
OURS, ITS = "urn:rpcgate:problem:", "https://stoplight.io/prism/errors#"


@pytest.fixture(scope="module")
def modules(folder):
    return npm.install(folder, PRISM)


class Proxy:
    def __init__(self, modules, folder, gateway):
        document = folder / "openapi.json"
        document.write_bytes(gateway.get("/openapi.json").body)
        for _ in range(PORT_TRIES):
            self.port = free_port()
            self.program = Program(
                ["node", str(modules / ".bin" / "prism"), "proxy", str(document), "--errors", "-p",
                 str(self.port), "http://{}:{}".format(*gateway.tcp)], "is listening", folder)
            if self.program.wait_ready():
                return
            self.program.stop()
        raise RuntimeError("".join(self.program.output))

    def ask(self, method: str, path: str, body=None, **headers):
        """Status and document."""
        status, document, _ = self.ask_all(method, path, body, **headers)
        return status, document

    def ask_all(self, method: str, path: str, body=None, **headers):
        """And the header lines."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        if body is not None:
            body, headers = json.dumps(body), {"Content-Type": "application/json", **headers}
        client.request(method, path, body, headers)
        answer = client.getresponse()
        text = answer.read()
        client.close()
        return answer.status, json.loads(text) if text else None, answer.headers

    def assert_true(self, status: int, *request, **headers):
        """The gateway's own answer came through. Returns it."""
        found, answer = self.ask(*request, **headers)
        assert found == status, (request, answer)
        assert found < 400 or answer["type"].startswith(OURS), (request, answer)
        return answer


@pytest.fixture
def proxy(modules, tmp_path):
    started = []

    def make(gateway):
        started.append(Proxy(modules, tmp_path, gateway))
        return started[-1]
    yield make
    for one in started:
        one.program.stop()


def test_routes(proxy, start):
    proxy = proxy(start.gateway(described_settings(start)))
    assert proxy.assert_true(200, "GET", "/partners/7") == {"result": "res.partner"}
    proxy.assert_true(200, "GET", "/partners/7?fields=a&fields=b")
    proxy.assert_true(201, "POST", "/partners", {"name": "A", "born": "2024-02-29T12:00:00Z"})
    all_but_number = {"name": "A", "kind": "company", "born": "2024-02-29T12:00:00Z",
                      "photo": "aGk=", "more": {"a": [1]}}
    proxy.assert_true(201, "POST", "/partners", all_but_number)
    proxy.assert_true(422, "POST", "/partners", {**all_but_number, "number": "5"})  # it has no i8
    gap = proxy.assert_true(400, "POST", "/partners", {"name": "A", "photo": "aGk="})
    assert gap["errors"][0]["name"] == "born"  # which the document cannot tell
    assert proxy.assert_true(204, "DELETE", "/partners/5") is None
    assert proxy.assert_true(200, "GET", "/bare?x=1.5&x=2") == [[1.5, 2.0]]
    assert proxy.assert_true(200, "POST", "/v1/up/calc.echo", []) == {"result": []}
    assert proxy.assert_true(404, "POST", "/v1/silent/none", [])["fault"]["code"] == -32601
    proxy.assert_true(401, "GET", "/partners/7", Authorization="Bearer no")


def test_answers_that_are_kept(proxy, start):
    """The document has the 304 and what asks for it."""
    proxy = proxy(start.gateway(described_settings(start)))
    status, answer, lines = proxy.ask_all("GET", "/bare?x=1.5")
    assert (status, answer) == (200, [[1.5]]) and lines["Cache-Control"] == "private, max-age=60"
    asked = {"If-None-Match": lines["ETag"]}
    assert proxy.assert_true(304, "GET", "/bare?x=1.5", **asked) is None
    assert proxy.assert_true(200, "GET", "/bare?x=2", **asked) == [[2.0]]


@pytest.mark.parametrize("request_", (
    ("GET", "/partners/x"), ("POST", "/partners", {"kind": "A"}),
    ("POST", "/partners", {"name": "A", "none": 1}), ("POST", "/partners", {"name": "A" * 81})),
    ids=lambda request: request[0] + str(len(request[-1])))
def test_what_it_refuses_itself(proxy, start, request_):
    """By the document alone; the gateway refuses the same."""
    gateway = start.gateway(described_settings(start))
    status, answer = proxy(gateway).ask(*request_)
    assert status in (400, 422) and answer["type"].startswith(ITS), answer
    method, path, *body = request_
    ours = gateway.get(path) if method == "GET" else gateway.post_json(path, *body)
    assert ours.status == 400 and ours.problem == "invalid-request"


def test_demo(proxy, start):
    proxy = proxy(start.gateway(None, arguments=("--demo", "--listen", "127.0.0.1:0")))
    for method, params, status in (
            ("demo.add", [20, 22], 200), ("demo.echo", [{"a": [1, 2.5, None]}], 200),
            ("demo.echo", [{"$dateTime": "2024-02-29T12:00:00"}], 200), ("demo.types", [], 200),
            ("demo.now", [], 200), ("demo.sleep", [0], 200),
            ("demo.fault", [7, "no"], 500), ("demo.fault", [-32602, "no"], 400),
            ("system.listMethods", [], 200), ("system.methodHelp", ["demo.add"], 200),
            ("system.methodSignature", ["demo.add"], 200),
            ("validator1.countTheEntities", ["<&>"], 200),
            ("validator1.simpleStructReturnTest", [5], 200)):
        proxy.assert_true(status, "POST", f"/v1/demo/{method}", params)


@pytest.fixture
def supervisord(modules, tmp_path):
    server = Supervisord(tmp_path)
    yield server
    server.stop()


def test_supervisord(proxy, supervisord, start):
    up = {"url": f"http://127.0.0.1:{supervisord.port}/RPC2", "auth": {
        "scheme": "basic", "username": Supervisord.USER, "password": Supervisord.PASSWORD}}
    proxy = proxy(start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": up}}))
    for method, params, status in (
            ("supervisor.getState", [], 200), ("supervisor.getAllProcessInfo", [], 200),
            ("supervisor.getAllConfigInfo", [], 200), ("supervisor.getPID", [], 200),
            ("supervisor.getProcessInfo", ["cat"], 200),
            ("supervisor.getProcessInfo", ["none"], 500),
            ("supervisor.readLog", [0, 10], 200), ("supervisor.getIdentification", [], 200),
            ("system.listMethods", [], 200),
            ("system.methodSignature", ["supervisor.getState"], 200)):
        proxy.assert_true(status, "POST", f"/v1/up/{method}", params)
