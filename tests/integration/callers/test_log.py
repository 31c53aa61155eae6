# SPDX-License-Identifier: Apache-2.0
"""The access log: one line for each request, these keys, and nothing of what was said."""

import json
import re

import pytest

from rig.settings import up_settings
from rig.upstream import echo
from rig.wire import request

KEYS = ("time level msg request_id trace_id caller upstream method face status upstream_status "
        "cache problem reason fault_code bytes_in bytes_out duration_ms upstream_ms queue_ms path host origin "
        "not_logged").split()


@pytest.fixture(scope="module")
def gateway(start_shared, shared_upstream):
    return start_shared.simple(shared_upstream, log={"level": "debug", "format": "json"})


@pytest.fixture(scope="module")
def texts(start_shared, shared_upstream):
    return start_shared.simple(shared_upstream)


def test_line_of_a_call(gateway, upstream):
    answer = gateway.call("up", "some.method", ["param-nonce-1"], X_Request_Id="log-1")
    line = gateway.access_line("log-1")
    assert set(line) <= set(KEYS), set(line) - set(KEYS)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert line["level"] == "info"
    assert (line["upstream"], line["method"], line["status"]) == ("up", "some.method", 200)
    assert line["bytes_in"] == len(b'["param-nonce-1"]') and line["bytes_out"] == len(answer.body)
    assert line["duration_ms"] >= line["upstream_ms"] > 0 and line.get("queue_ms", 0) >= 0
    assert "problem" not in line and "fault_code" not in line


def test_line_of_a_fault(gateway, upstream):
    async def behave(x):
        await x.answer_fault(-42, "fault-nonce")
    upstream.behave = behave
    gateway.call("up", "m", ["param-nonce-2"], X_Request_Id="log-2")
    line = gateway.access_line("log-2")
    assert (line["status"], line["problem"], line["fault_code"]) == (500, "fault", -42)
    assert line["method"] == "m"


@pytest.mark.parametrize("number, status, problem, asked", [
    (1, 200, None, ("GET", "/livez")), (2, 404, "not-found", ("GET", "/x")),
    (3, 405, "method-not-allowed", ("PUT", "/livez")),
    (4, 421, "misdirected", ("GET", "/v1", None, {"Host": "evil.example"})),
    (5, 400, "invalid-json", ("POST", "/v1/up/m", b"[")),
    (6, 413, "body-too-large", ("POST", "/v1/up/m", None, {"Content-Length": "99999999"})),
    (7, 400, "invalid-request", ("GET", "/livez", None, {"Host": ["a", "b"]}))])
def test_line_of_everything_else(gateway, number, status, problem, asked):
    method, path, body, headers = (*asked, None, None)[:4]
    request_id = f"other-{number}"
    headers = {"X-Request-Id": request_id, **(headers or {})}
    answer = gateway.raw(request(method, path, body, headers))
    assert answer.status == status
    line = gateway.access_line(request_id)
    assert line["status"] == status and line.get("problem") == problem
    assert set(line) <= set(KEYS)


def test_one_line_for_each_request(gateway, upstream):
    with gateway.connect() as caller:
        for number in range(10):
            caller.send(request("POST", "/v1/up/m", b"[1]", {"X-Request-Id": f"each-{number}"}))
        for number in range(10):
            assert caller.answer().header("X-Request-Id") == f"each-{number}"
    for number in range(10):
        gateway.access_line(f"each-{number}")
    lines = [line for line in gateway.stderr.splitlines() if "each-" in line and "status" in line]
    assert len(lines) == 10


def test_every_line_is_json(gateway, upstream):
    gateway.call("up", 'odd"method\\ü', ["x"], X_Request_Id='odd"id\\')
    gateway.wait_line(lambda line: "odd" in line)
    for line in gateway.stderr.splitlines():
        assert {"time", "level", "msg"} <= set(json.loads(line)), line


def test_text_lines(texts, upstream):
    texts.call("up", "some.method", ["param-nonce-3"], X_Request_Id="text-1")
    line = texts.wait_line("text-1")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info \S", line)
    for pair in ("request_id=text-1", "upstream=up", "method=some.method", "status=200"):
        assert pair in line, line
    assert re.search(r"duration_ms=\d+\.\d+", line)


@pytest.mark.parametrize("method", ["a status=200 b", 'quo"te', "new\u2028line", "back\\slash"])
def test_no_input_forges_a_line(texts, upstream, method):
    """Spaces and quotes of a name are quoted; a name with blanks is no method at all."""
    texts.call("up", method, [1], X_Request_Id="forge" + str(len(method)))
    line = texts.wait_line("forge" + str(len(method)))
    assert len(re.findall(r" status=", re.sub(r'"(\\.|[^"\\])*"', "", line))) == 1, line


def test_nothing_that_was_said_is_logged(gateway, texts, upstream):
    async def behave(x):
        await x.answer("result-nonce")
    upstream.behave = behave
    for number, logger in enumerate((gateway, texts)):
        logger.call("up", "m", ["param-nonce-4"], X_Request_Id=f"last-{number}")
        logger.wait_line(f"last-{number}")
        for word in ("param-nonce", "result-nonce", "fault-nonce"):
            assert word not in logger.stderr


def test_access_log_can_be_off(start, upstream):
    gateway = start.simple(upstream, log={"access": False})
    gateway.call("up", "m", [1], X_Request_Id="silent-1")
    gateway.stop()
    assert "silent-1" not in gateway.stderr


def test_priorities_under_systemd(start, upstream):
    """With stderr going to the journal each line begins with its priority, and has no time of ours:
    the journal has it."""
    for journal, pattern in ((False, r"\d{4}-"), (True, r"<[3-7]>[a-z]+ ")):
        gateway = start.simple(upstream, journal=journal)
        gateway.stop()
        assert gateway.lines and all(re.match(pattern, line) for line in gateway.lines)


@pytest.mark.parametrize("form, pattern", [
    ("text", r"<4>warn .*it may not call anything"),
    ("json", r'\{"level":"warn","msg":".*it may not call anything'),
])
def test_warnings_of_the_configuration(start, upstream, form, pattern):
    """At start they are lines of the log, as after a reload."""
    idle = {"name": "idle", "token": "0123456789abcdef" * 2}
    gateway = start.simple(upstream, journal=True, log={"format": form}, callers=[idle])
    gateway.stop()
    assert re.match(pattern, gateway.lines[0])


def test_a_stream_that_is_not_the_journals(start, upstream):
    """JOURNAL_STREAM is inherited by what a service starts, whose stderr may lead elsewhere."""
    gateway = start.simple(upstream)
    other = start.gateway(up_settings(upstream), environment={"JOURNAL_STREAM": "1:1"})
    for one in (gateway, other):
        one.stop()
        assert one.lines and all(re.match(r"\d{4}-", line) for line in one.lines)


def test_the_line_says_why(start, upstream):
    """Problems of ours are warnings with the reason, without secrets, at most 200 bytes."""
    settings = up_settings(upstream, auth={"scheme": "bearer", "token": "t0ken-" + "x" * 40})
    settings["upstreams"]["gone"] = {"url": "http://127.0.0.1:9"}
    gateway = start.gateway(settings | {"log": {"format": "json"}, "cors_origins": ["https://a.b"]})

    async def behave(x):
        await x.respond(b"<html>", "503 Out t0ken-" + "x" * 40 + "y" * 200)

    upstream.behave = behave
    gateway.call("up", "m", [1], X_Request_Id="r-503")
    line = gateway.access_line("r-503")
    assert line["level"] == "warn" and line["status"] == 503 and line["upstream_status"] == 503
    assert line["problem"] == "protocol-error"
    assert line["reason"].startswith("The upstream up answered with HTTP status 503 Out ***y")
    assert len(line["reason"]) == 200 and "t0ken" not in gateway.stderr
    gateway.call("gone", "m", [1], X_Request_Id="r-gone")
    line = gateway.access_line("r-gone")
    assert (line["level"], line["problem"]) == ("warn", "connect-failed")
    assert "cannot be reached" in line["reason"] and "upstream_status" not in line
    gateway.jsonrpc("gone", {"jsonrpc": "2.0", "method": "m", "id": 1}, X_Request_Id="r-rpc")
    line = gateway.access_line("r-rpc")
    assert line["level"] == "warn" and "cannot be reached" in line["reason"]

    async def fault(x):
        await x.answer_fault(4, "fault-nonce")

    upstream.behave = fault
    gateway.call("up", "m", [1], X_Request_Id="r-fault")
    line = gateway.access_line("r-fault")
    assert (line["level"], line["upstream_status"]) == ("info", 200)
    assert "reason" not in line  # it is what the upstream said
    upstream.behave = echo
    gateway.call("up", "m", [1], X_Request_Id="r-good")
    line = gateway.access_line("r-good")
    assert line["level"] == "info" and "reason" not in line and line["upstream_status"] == 200


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("character", ["é", "€", "😀"])
def test_a_reason_is_cut_between_characters(start, before, character):
    async def behave(x):
        text = "." * before + character * 90
        await x.send(f"HTTP/1.1 500 {text}\r\nContent-Length: 0\r\n\r\n".encode())
    gateway = start.simple(start.upstream(behave), log={"format": "json"})
    detail = gateway.call("up", "m", X_Request_Id="cut").json["detail"]
    reason = gateway.access_line("cut")["reason"]
    size = len(character.encode())
    assert detail.startswith(reason) and reason.endswith(character)
    assert 200 - size < len(reason.encode()) <= 200


@pytest.mark.parametrize("multicall", ["always", "never"])
def test_the_line_of_a_batch_says_why(start, multicall):
    """How many of its calls brought no result, and of those that are our problems the first, one
    with 5xx before others; without secrets, for notifications, too."""
    token = "t0ken-" + "x" * 40

    async def behave(x):
        if x.method == "system.multicall":
            faults = {"faultCode": 4, "faultString": "no"}
            results = {"fault": faults, "odd": 7, "good": [1]}
            return await x.answer([results.get(call["methodName"], [["m"]])
                                   for call in x.params[0]])
        if x.method == "fault":
            return await x.answer_fault(4, "no")
        if x.method == "odd":
            return await x.respond(b"", f"500 {token}")
        await x.answer(1)
    upstream = start.upstream(behave)
    settings = up_settings(upstream, multicall=multicall, auth={"scheme": "bearer", "token": token})
    settings["anonymous"]["deny"] = ["*/denied"]
    gateway = start.gateway(settings | {"log": {"format": "json"}})

    def line_of(name, *methods):
        gateway.batch("up", *[(method,) for method in methods], X_Request_Id=name)
        return gateway.access_line(name)
    line = line_of("b-good", "good", "good")
    assert line["level"] == "info" and not {"failed", "problem", "reason"} & set(line), line
    line = line_of("b-fault", "good", "fault", "fault")
    assert (line["level"], line["calls"], line["failed"]) == ("info", 3, 2)
    assert not {"problem", "reason"} & set(line), line
    line = line_of("b-denied", "denied", "fault", "good")
    assert (line["level"], line["failed"]) == ("info", 2)
    assert not {"problem", "reason"} & set(line), line
    line = line_of("b-odd", "denied", "fault", "odd", "good", "odd")
    assert (line["level"], line["status"], line["failed"]) == ("warn", 200, 4)
    problem, reason = (("bad-response", "neither a value") if multicall == "always" else
                       ("protocol-error", "HTTP status 500"))
    assert line["problem"] == problem and reason in line["reason"]
    for name, calls in [("n-list", [{"jsonrpc": "2.0", "method": "odd"}] * 2),
                        ("n-one", {"jsonrpc": "2.0", "method": "odd"})]:
        assert gateway.jsonrpc("up", calls, X_Request_Id=name).status == 204
        line = gateway.access_line(name)
        assert line["level"] == "warn" and line["problem"] and line["reason"], line
    assert token not in gateway.stderr


def test_refusals_name_the_part(start, upstream):
    gateway = start.gateway(up_settings(upstream) | {"log": {"format": "json"}})
    cases = [("path", "/v1/nobody/m", {}, 404, "/v1/nobody/m"), ("path", "/v2", {}, 404, "/v2"),
             ("path", "/v1/up/%ff", {}, 400, "/v1/up/%ff"), ("path", "/v1/up", {}, None, None),
             ("host", "/v1", {"Host": "evil.example:1"}, 421, "evil.example:1"),
             ("origin", "/v1", {"Origin": "https://evil.example"}, 403, "https://evil.example"),
             ("path", "/" + "ä" * 300, {}, None, None)]
    for n, (key, path, headers, status, value) in enumerate(cases):
        lines = {"Host": "localhost", "X-Request-Id": f"part-{n}", **headers}
        head = "".join(f"{name}: {text}\r\n" for name, text in lines.items())
        gateway.raw(f"GET {path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode())
        if status is None:
            continue
        line = gateway.access_line(f"part-{n}")
        assert line["status"] == status and line[key] == value, line
        assert not {"path", "host", "origin"} - {key} & set(line)
        assert line["reason"]


def test_strangers_are_summed_up(start, upstream):
    """However often somebody without credentials comes, callers keep their lines."""
    token = "0123456789abcdef" * 2
    gateway = start.gateway({
        "upstreams": up_settings(upstream)["upstreams"], "log": {"format": "json"},
        "callers": [{"name": "known", "token": token, "allow": ["up/*"]}]})
    n = 1500
    with gateway.connect() as stranger:
        for i in range(n):
            path = ("/v1/up/m", "/livez", "/nothing")[i % 3]
            assert stranger.ask("GET", path).status in (401, 200)
    with gateway.connect() as caller:
        for i in range(300):
            assert caller.ask("GET", "/v1", headers={
                "Authorization": f"Bearer {token}", "X-Request-Id": f"known-{i}"}).status == 200
    gateway.access_line("known-299")
    gateway.wait_line("not_logged")
    gateway.stop()
    lines = [json.loads(line) for line in gateway.lines]
    known = [line for line in lines if line.get("caller") == "known"]
    strangers = [line for line in lines if "status" in line and "caller" not in line]
    assert len(known) == 300
    assert len(strangers) < n / 2
    assert len(strangers) + sum(line.get("not_logged", 0) for line in lines
                                if line["msg"] != "wrong credentials") == n
