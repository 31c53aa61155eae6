# SPDX-License-Identifier: Apache-2.0
"""The access log: one line for each request, these keys, and nothing of what was said."""

import json
import re

import pytest

from rig.wire import request

KEYS = ("time level msg request_id trace_id caller upstream method status problem fault_code "
        "bytes_in bytes_out duration_ms upstream_ms queue_ms").split()


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
    """With stderr going to the journal each line begins with its priority."""
    for journal, pattern in ((False, r"\d{4}-"), (True, r"<[3-7]>")):
        gateway = start.simple(upstream, journal=journal)
        gateway.stop()
        assert gateway.lines and all(re.match(pattern, line) for line in gateway.lines)


@pytest.mark.parametrize("form, pattern", [
    ("text", r"<4>.* warn .*it may not call anything"),
    ("json", r'\{"time":.*"level":"warn","msg":".*it may not call anything'),
])
def test_warnings_of_the_configuration(start, upstream, form, pattern):
    """At start they are lines of the log, as after a reload."""
    idle = {"name": "idle", "token": "0123456789abcdef" * 2}
    gateway = start.simple(upstream, journal=True, log={"format": form}, callers=[idle])
    gateway.stop()
    assert re.match(pattern, gateway.lines[0])
