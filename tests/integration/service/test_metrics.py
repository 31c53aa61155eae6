# SPDX-License-Identifier: Apache-2.0
"""GET /v1 and GET /metrics: what the gateway says of itself and its upstreams."""

import json
import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig.check import assert_problem
from rig.programs import free_port
from rig.settings import DEADLINE
from rig.upstream import echo


def numbers(gateway) -> dict[str, float]:
    answer = gateway.get("/metrics")
    assert answer.status == 200
    assert answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.body.decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in lines if not line.startswith("#")}


def numbers_once(gateway, key: str, value: float) -> dict[str, float]:
    """A request is counted when it has ended, which its caller may see a moment earlier."""
    end = time.monotonic() + DEADLINE
    while (found := numbers(gateway)).get(key) != value and time.monotonic() < end:
        pass
    assert found.get(key) == value, found
    return found


@pytest.fixture
def gateway(start):
    return start.gateway({
        "workers": 2, "anonymous": {"allow": ["up/*", "down/*"], "deny": ["up/secret"]},
        "upstreams": {"up": {"url": start.upstream().url},
                      "down": {"url": f"http://127.0.0.1:{free_port()}",
                               "breaker": {"failures": 2}, "retry": {"attempts": 1}},
                      "hidden": {"url": "http://127.0.0.1:1"}}})


def test_upstreams_and_their_state(gateway):
    def states():
        answer = gateway.get("/v1")
        assert answer.status == 200
        return {one["name"]: one["state"] for one in answer.json["upstreams"]}
    assert states() == {"up": "unknown", "down": "unknown"}
    assert gateway.call("up", "m", [1]).status == 200
    assert_problem(gateway.call("down", "m"), "connect-failed", 502, "no")
    assert states() == {"up": "up", "down": "down"}
    assert gateway.request("POST", "/v1").status == 405


def test_numbers(gateway):
    for _ in range(3):
        assert gateway.call("up", "one.two", [1]).status == 200
    assert gateway.call("up", "secret").status == 403
    assert gateway.get("/nothing").status == 404
    for _ in range(2):
        assert_problem(gateway.call("down", "m"), "connect-failed", 502)
    assert_problem(gateway.call("down", "m"), "circuit-open", 503)
    requests = "rpcgate_requests_total"
    numbers_once(gateway, f'{requests}{{upstream="up",method="one.two",outcome="ok"}}', 3)
    numbers_once(gateway, f'{requests}{{upstream="up",method="other",outcome="forbidden"}}', 1)
    numbers_once(gateway, f'{requests}{{upstream="",method="",outcome="not-found"}}', 1)
    n = numbers_once(gateway, f'{requests}{{upstream="down",method="other",outcome="circuit-open"}}', 1)
    assert n[f'{requests}{{upstream="up",method="other",outcome="forbidden"}}'] == 1
    assert n[f'{requests}{{upstream="",method="",outcome="not-found"}}'] == 1
    # Only what has succeeded is a label.
    assert n[f'{requests}{{upstream="down",method="other",outcome="connect-failed"}}'] == 2
    assert n[f'{requests}{{upstream="down",method="other",outcome="circuit-open"}}'] == 1
    assert n['rpcgate_request_duration_seconds_count{upstream="up"}'] == 4
    assert n['rpcgate_request_duration_seconds_bucket{upstream="up",le="+Inf"}'] == 4
    assert n['rpcgate_upstream_duration_seconds_count{upstream="up"}'] == 3
    assert n['rpcgate_breaker_state{upstream="down",state="open"}'] == 1
    assert n['rpcgate_breaker_state{upstream="up",state="closed"}'] == 1
    assert n['rpcgate_upstream_up{upstream="up"}'] == 1
    assert n['rpcgate_upstream_up{upstream="down"}'] == 0
    assert n['rpcgate_upstream_connections{upstream="up",state="active"}'] == 0
    assert sum(v for k, v in n.items() if k.startswith("rpcgate_connections{")) >= 1
    assert n["process_open_fds"] > 5 and n["process_resident_memory_bytes"] > 1e6
    assert n["process_start_time_seconds"] > 1.7e9


def test_what_calls_do(start):
    """In the metrics, and with ages in the log for SIGUSR1."""
    upstream = start.upstream()
    gate = upstream.gate()

    async def behave(exchange):
        await gate.passed()
        await echo(exchange)
    upstream.behave = behave
    gateway = start.gateway({
        "workers": 2, "log": {"format": "json"}, "anonymous": {"allow": ["up/*"]},
        "upstreams": {"up": {"url": upstream.url, "pool": {"max_connections": 1}}}})
    with ThreadPoolExecutor(3) as callers:
        calls = [callers.submit(gateway.call, "up", "m", [i]) for i in range(3)]
        upstream.wait_requests(1)
        n = numbers_once(gateway, 'rpcgate_calls{state="queued"}', 2)
        assert n['rpcgate_calls{state="calling"}'] == 1
        assert n['rpcgate_calls{state="translating"}'] == 0
        gateway.signal(signal.SIGUSR1)
        lines = {state: json.loads(gateway.wait_line(f'"state":"{state}"'))
                 for state in ("translating", "queued", "calling", "backoff")}
        assert {state: line["n"] for state, line in lines.items()} == {
            "translating": 0, "queued": 2, "calling": 1, "backoff": 0}
        # Which of them came first is not known: there are two workers.
        assert lines["calling"]["oldest_ms"] >= 0 and lines["queued"]["oldest_ms"] >= 0
        assert "oldest_ms" not in lines["backoff"]
        gate.open()
        assert all(call.result().status == 200 for call in calls)
    n = numbers_once(gateway, 'rpcgate_calls{state="calling"}', 0)
    assert n['rpcgate_calls{state="queued"}'] == 0


def test_names_of_methods_are_bounded(gateway):
    for i in range(210):
        assert gateway.call("up", f"method.{i}", [1]).status == 200
    numbers_once(gateway, 'rpcgate_request_duration_seconds_count{upstream="up"}', 210)
    labels = {re.search('method="([^"]*)"', key)[1] for key in numbers(gateway)
              if key.startswith('rpcgate_requests_total{upstream="up"')}
    assert len(labels) == 201 and "other" in labels


def test_labels_are_escaped(gateway):
    assert gateway.request("POST", '/v1/up/a%22b%5Cc', b"[1]",
                           {"Content-Type": "application/json"}).status == 200
    numbers_once(gateway, 'rpcgate_requests_total{upstream="up",method="a\\"b\\\\c",outcome="ok"}', 1)


def test_somebody_must_ask(start):
    gateway = start.gateway({"upstreams": {}})
    for path in ("/metrics", "/v1"):
        assert_problem(gateway.get(path), "unauthenticated", 401, "no")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool: Debian's "
                    "prometheus has it, which is too large for bootstrap")
def test_promtool_finds_nothing(gateway):
    gateway.call("up", "m", [1])
    checked = subprocess.run(["promtool", "check", "metrics"], capture_output=True,
                             input=gateway.get("/metrics").body, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
