# SPDX-License-Identifier: Apache-2.0
"""`traces`: spans of calls, sent to a collector by OTLP."""

import json
import re
import time

import pytest

jsonschema = pytest.importorskip("jsonschema")

from rig.certificates import Authority  # noqa: E402
from rig.gateway import run_program  # noqa: E402
from rig.otlp import SCHEMA, Collector, attributes  # noqa: E402
from rig.programs import free_port  # noqa: E402
from rig.settings import DEADLINE, up_settings  # noqa: E402

TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACE = f"00-{TRACE_ID}-{PARENT_ID}-01"
UNSAMPLED = f"00-{TRACE_ID}-{PARENT_ID}-00"
SENT = 'rpcgate_trace_spans_total{result="sent"}'
DROPPED = 'rpcgate_trace_spans_total{result="dropped"}'
FAILURES = 'rpcgate_trace_exports_total{result="failure"}'
JSON = {"Content-Type": "application/json"}
SECRET = "very-secret-value"


def numbers(gateway) -> dict[str, float]:
    lines = gateway.get("/metrics").body.decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines
            if line.startswith("rpcgate_trace_")}


def numbers_once(gateway, key: str, value: float) -> dict[str, float]:
    """The collector has its spans a moment before we know that."""
    end = time.monotonic() + DEADLINE
    while (found := numbers(gateway))[key] != value and time.monotonic() < end:
        pass
    assert found[key] == value, found
    return found


async def behave(x):
    if x.method == "fault":
        await x.answer_fault(42, f"{SECRET} is wrong")
    elif x.method == "system.multicall":
        await x.answer([[call["params"][0]] if call["params"] else ["m"] for call in x.params[0]])
    elif x.method == "reset":
        x.reset()
    else:
        await x.answer(x.params[0] if x.params else None)


@pytest.fixture
def collector():
    with_end = Collector()
    yield with_end
    with_end.close()


def traces(collector, **more) -> dict:
    return {"traces": {"url": collector.url, "interval": "100ms"} | more}


@pytest.fixture
def traced(start, collector):
    """A gateway that sends to the collector, and its upstream."""
    def make(upstream=None, **more):
        upstream_ = start.upstream(behave)
        settings = up_settings(upstream_, **(upstream or {})) | traces(collector, **more)
        return start.gateway(settings | {"log": {"format": "json"}}), upstream_
    return make


def test_a_call_is_a_span(traced, collector):
    gateway, upstream = traced()
    before = time.time_ns()
    answer = gateway.call("up", "one.two", [SECRET], traceparent=TRACE, tracestate="a=1")
    after = time.time_ns()
    span, = collector.wait_spans(1)
    assert span["name"] == "one.two" and span["kind"] == 3
    assert span["traceId"] == TRACE_ID and span["parentSpanId"] == PARENT_ID
    assert "status" not in span and span["flags"] & 0xff == 1 and span["flags"] & 0x300 == 0x300
    begin, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    assert before - 10**6 <= begin <= end <= after + 10**6
    found = attributes(span)
    assert found.pop("rpcgate.queue.duration", 0) >= 0
    assert found == {
        "rpc.system.name": "xmlrpc", "rpc.method": "one.two", "server.address": "127.0.0.1",
        "server.port": upstream.port, "rpcgate.upstream": "up",
        "rpcgate.request_id": answer.header("X-Request-Id"), "http.response.status_code": 200}
    x, = upstream.exchanges
    assert x.header("traceparent") == f"00-{TRACE_ID}-{span['spanId']}-01"
    assert x.header("tracestate") == "a=1"
    resource = collector.requests[0]["resourceSpans"][0]
    assert attributes(resource["resource"])["service.name"] == "rpcgate"
    assert resource["scopeSpans"][0]["scope"]["name"] == "rpcgate"
    assert SECRET not in json.dumps(collector.requests)
    numbers_once(gateway, SENT, 1)


def test_what_fails(traced, collector):
    gateway, _ = traced({"retry": {"attempts": 2, "backoff": "1ms"},
                         "methods": [{"match": "reset", "safe": True}]})
    assert gateway.call("up", "fault", [SECRET]).status == 500
    assert gateway.call("up", "reset", []).status == 502
    fault, lost = sorted(collector.wait_spans(2), key=lambda span: span["name"])
    assert fault["status"] == {"code": 2} and lost["status"] == {"code": 2}
    assert attributes(fault)["error.type"] == "42"
    assert attributes(fault)["rpc.response.status_code"] == "42"
    found = attributes(lost)
    assert found["error.type"] == "connection-lost"
    assert found["rpcgate.executed"] == "unknown" and found["http.request.resend_count"] == 1
    assert SECRET not in json.dumps(collector.requests)


def test_a_socket_has_no_port(start, collector, folder):
    upstream = start.upstream(behave, unix=str(folder / "up.sock"))
    gateway = start.gateway(up_settings(upstream) | traces(collector))
    assert gateway.call("up", "m", [1]).status == 200
    found = attributes(collector.wait_spans(1)[0])
    assert found["server.address"] == str(folder / "up.sock") and "server.port" not in found


# Which calls.

def test_the_caller_decides(traced, collector):
    gateway, upstream = traced(ratio=0)
    assert gateway.call("up", "m", [1], traceparent=UNSAMPLED).status == 200
    assert gateway.call("up", "m", [2], traceparent=TRACE).status == 200
    span, = collector.wait_spans(1)
    first, second = upstream.exchanges
    assert first.header("traceparent") == UNSAMPLED
    assert second.header("traceparent").split("-")[2] == span["spanId"]


def test_without_a_trace_the_ratio_decides(traced, collector):
    """Who is not sampled is told so, and has a trace id in the log, too."""
    gateway, upstream = traced(ratio="${env:RATIO:-0.5}")  # no dict has a number with a point
    answers = [gateway.call("up", "m", [1]) for _ in range(200)]
    parents = [x.header("traceparent") for x in upstream.exchanges]
    sampled = {parent.split("-")[1] for parent in parents if parent.endswith("-01")}
    assert len(set(parents)) == 200 and 50 <= len(sampled) <= 150
    spans = collector.wait_spans(len(sampled))
    assert {span["traceId"] for span in spans} == sampled
    assert not any("parentSpanId" in span for span in spans)
    # As others decide it by the same ratio: the lowest 56 bits.
    assert all((int(parent.split("-")[1][-14:], 16) < 1 << 55) == parent.endswith("-01")
               for parent in parents)
    line = gateway.access_line(answers[0].header("X-Request-Id"))
    assert line["trace_id"] == parents[0].split("-")[1]


def test_a_request_is_one_trace(traced, collector):
    """Each call of a batch is a span, and so is a MultiCall."""
    gateway, upstream = traced({"multicall": "never"})
    two = [{"method": "m", "params": [1]}, {"method": "n", "params": [2]}]
    assert gateway.post_json("/v1/up", two).status == 200
    spans = collector.wait_spans(2)
    assert {span["name"] for span in spans} == {"m", "n"}
    assert len({span["traceId"] for span in spans}) == 1 == len({span["spanId"] for span in spans}) - 1
    assert {x.header("traceparent").split("-")[2] for x in upstream.exchanges} == {
        span["spanId"] for span in spans}


def test_a_multicall_is_one_span(traced, collector):
    gateway, _ = traced({"multicall": "always", "multicall_results": "wrapped"})
    two = [{"method": "m", "params": [1]}, {"method": "n", "params": [2]}]
    assert gateway.post_json("/v1/up", two).json == {"results": [{"result": 1}, {"result": 2}]}
    span, = collector.wait_spans(1)
    assert span["name"] == "system.multicall"


def test_every_face(traced, collector):
    gateway, _ = traced()
    call = {"jsonrpc": "2.0", "id": 1, "method": "a", "params": [1]}
    assert gateway.jsonrpc("up", call).json["result"] == 1
    document = b"<methodCall><methodName>b</methodName></methodCall>"
    assert gateway.request("POST", "/xmlrpc/up", document,
                           headers={"Content-Type": "text/xml"}).status == 200
    assert gateway.get("/v1/up").status in (200, 502)  # a question of ours is none
    assert {span["name"] for span in collector.wait_spans(2)} == {"a", "b"}


def test_logins_are_in_the_call_that_waits(start, collector):
    async def session(x):
        await x.answer("s-1" if x.method == "login" else x.params)
    upstream = start.upstream(session)
    settings = up_settings(
        upstream, credentials={"username": "u", "password": SECRET},
        inject=[{"match": "*", "at": 0, "params": ["{session}"]}],
        session={"login": {"method": "login", "params": ["{username}", "{password}"]}})
    gateway = start.gateway(settings | traces(collector))
    assert gateway.call("up", "m", [1]).status == 200
    span, = collector.wait_spans(1)
    assert span["name"] == "m"
    login = next(x for x in upstream.exchanges if x.method == "login")
    assert login.header("traceparent") is None
    assert SECRET not in json.dumps(collector.requests)


def test_off_is_off(start):
    upstream = start.upstream(behave)
    gateway = start.simple(upstream)
    assert gateway.call("up", "m", [1]).status == 200
    assert upstream.exchanges[0].header("traceparent") is None
    assert numbers(gateway)[SENT] == 0


# The collector.

def test_headers_and_batches(traced, collector):
    gateway, _ = traced(headers=[f"Authorization: Bearer {SECRET}"], batch=2, interval="1m",
                        service="gate of billing")
    for _ in range(4):
        assert gateway.call("up", "m", [1]).status == 200
    collector.wait_spans(4)
    assert [len(one["resourceSpans"][0]["scopeSpans"][0]["spans"])
            for one in collector.requests] == [2, 2]
    assert {headers["Authorization"] for headers in collector.headers} == {f"Bearer {SECRET}"}
    assert attributes(collector.requests[0]["resourceSpans"][0]["resource"])[
        "service.name"] == "gate of billing"


def test_over_tls(start, folder):
    authority = Authority(folder, "ca")
    client = authority.issue("client")
    collector = Collector(authority.issue("localhost"), client_ca=authority.cert)
    try:
        tls = {"ca_file": authority.cert, "cert_file": client.cert, "key_file": client.key}
        gateway = start.gateway(up_settings(start.upstream(behave)) | traces(collector, tls=tls))
        assert gateway.call("up", "m", [1]).status == 200
        collector.wait_spans(1)
        # A certificate of nobody we know.
        gateway.reload(up_settings(start.upstream(behave)) | traces(collector, retry="0s"))
        assert gateway.call("up", "m", [1]).status == 200
        numbers_once(gateway, DROPPED, 1)
        gateway.wait_line("the collector does not take spans")
    finally:
        collector.close()


def test_a_dead_collector_that_comes(start):
    port = free_port()
    gateway = start.gateway(up_settings(start.upstream(behave)) | {
        "traces": {"url": f"http://127.0.0.1:{port}/v1/traces", "interval": "100ms"}})
    assert gateway.call("up", "m", [1]).status == 200
    gateway.wait_line("the collector does not take spans")
    collector = Collector(port=port)
    try:
        collector.wait_spans(1)
        gateway.wait_line("the collector takes spans again")
        assert numbers(gateway)[FAILURES] >= 1
    finally:
        collector.close()


def test_a_busy_collector_is_asked_again(traced, collector):
    collector.answers = [(503, {"Retry-After": "1"}, b""), (429, {}, b"")]
    gateway, _ = traced()
    begin = time.monotonic()
    assert gateway.call("up", "m", [1]).status == 200
    collector.wait_spans(1)
    assert collector.times == 3 and time.monotonic() - begin > 1.5
    found = numbers_once(gateway, SENT, 1)
    assert found[FAILURES] == 2 and found[DROPPED] == 0


@pytest.mark.parametrize("status", [400, 301, 500])
def test_what_is_refused_is_dropped(traced, collector, status):
    collector.answers = [(status, {"Location": collector.url}, b"no")]
    gateway, _ = traced()
    assert gateway.call("up", "m", [1]).status == 200
    numbers_once(gateway, DROPPED, 1)
    assert gateway.call("up", "m", [1]).status == 200
    collector.wait_spans(1)
    assert collector.times == 2


def test_spans_that_the_collector_rejects(traced, collector):
    collector.answers = [(200, {"Content-Type": "application/json"},
                          b'{"partialSuccess": {"rejectedSpans": "1", "errorMessage": "no"}}')]
    gateway, _ = traced(batch=3, interval="1m")
    for _ in range(3):
        assert gateway.call("up", "m", [1]).status == 200
    found = numbers_once(gateway, DROPPED, 1)
    assert found[SENT] == 2


def test_a_slow_collector_holds_up_nobody(traced, collector):
    """What finds no room is dropped and counted; memory has its bound."""
    gateway, _ = traced(queue="64K", batch=10)
    collector.open.clear()
    assert gateway.call("up", "m", [1]).status == 200
    collector.wait_requests(1)
    calls = 200
    with gateway.connect() as caller:
        for _ in range(calls):
            assert caller.ask("POST", "/v1/up/m", b"[1]", JSON).status == 200
    dropped = numbers(gateway)[DROPPED]
    assert 50 <= dropped < calls  # a span is some 700 bytes
    collector.open.set()
    spans = collector.wait_spans(calls + 1 - int(dropped))
    assert len(json.dumps(spans)) < 2 * 65536
    assert gateway.call("up", "m", [1]).status == 200
    collector.wait_spans(len(spans) + 1)


# Reload and end.

def test_reload_goes_to_another(traced, collector):
    gateway, upstream = traced()
    other = Collector()
    try:
        assert gateway.call("up", "m", [1]).status == 200
        collector.wait_spans(1)
        gateway.reload(up_settings(upstream) | traces(other, ratio=0))
        assert gateway.call("up", "m", [1]).status == 200
        assert gateway.call("up", "m", [1], traceparent=TRACE).status == 200
        other.wait_spans(1)
        assert len(collector.spans) == 1
        gateway.reload(up_settings(upstream))
        assert gateway.call("up", "m", [1], traceparent=TRACE).status == 200
        assert upstream.exchanges[-1].header("traceparent") == TRACE
    finally:
        other.close()


def test_reload_is_the_way_out_of_a_dead_collector(start, collector):
    """Spans that wait go where they should now."""
    upstream = start.upstream(behave)
    dead = {"traces": {"url": f"http://127.0.0.1:{free_port()}/v1/traces", "interval": "100ms"}}
    gateway = start.gateway(up_settings(upstream) | dead)
    assert gateway.call("up", "m", [1]).status == 200
    gateway.wait_line("the collector does not take spans")
    gateway.reload(up_settings(upstream) | traces(collector))
    collector.wait_spans(1)


def test_traces_begin_with_a_reload(start, collector):
    upstream = start.upstream(behave)
    gateway = start.simple(upstream)
    gateway.reload(up_settings(upstream) | traces(collector))
    assert gateway.call("up", "m", [1]).status == 200
    collector.wait_spans(1)


def test_the_end_sends_what_is_left(traced, collector):
    gateway, _ = traced(interval="1m")
    for _ in range(3):
        assert gateway.call("up", "m", [1]).status == 200
    gateway.stop()
    collector.wait_spans(3)


def test_the_end_waits_for_no_collector(traced, collector):
    gateway, _ = traced(interval="1m")
    collector.open.clear()
    assert gateway.call("up", "m", [1]).status == 200
    begin = time.monotonic()
    gateway.stop()
    assert time.monotonic() - begin < DEADLINE / 2


# The file.

@pytest.mark.parametrize("group, message", [
    ("ratio = 0.5;", "traces: `url` is missing"),
    ('url = "http://127.0.0.1:4318";', "traces.url: write the path, too"),
    ('url = "scgi://127.0.0.1:4318/v1/traces";', "traces.url: the URL must begin with"),
    ('url = "nonsense";', "traces.url: "),
    ('url = "http://h/v1/traces"; ratio = 1.5;', "traces.ratio: write a part of all requests"),
    ('url = "http://h/v1/traces"; ratio = -0.1;', "traces.ratio: write a part of all requests"),
    ('url = "http://h/v1/traces"; queue = "1K";', "traces.queue"),
    ('url = "http://h/v1/traces"; tls = { key_file = "/k"; };', "`key_file` needs a `cert_file`"),
    ('url = "http://h/v1/traces"; tls = { ca_file = "/nowhere"; };', "traces.tls.ca_file"),
])
def test_what_is_wrong_in_the_file(folder, group, message):
    path = folder / "wrong.conf"
    path.write_text(f"traces = {{ {group} }};\nanonymous = {{ allow = [ \"*/*\" ]; }};\n"
                    'upstreams = { up = { url = "http://127.0.0.1:1/"; }; };\n')
    done = run_program("-t", "-c", str(path))
    assert done.returncode == 78
    assert re.search(re.escape(message), done.stderr), done.stderr


def test_secrets_of_it_are_not_shown(folder):
    path = folder / "secret.conf"
    path.write_text(f'traces = {{ url = "http://u:{SECRET}@h/v1/traces";\n'
                    f'headers = [ "X-Api-Key: {SECRET}" ]; }};\n'
                    'anonymous = { allow = [ "*/*" ]; };\n'
                    'upstreams = { up = { url = "http://127.0.0.1:1/"; }; };\n')
    done = run_program("--show-config", "-c", str(path))
    assert done.returncode == 0, done.stderr
    assert "traces" in done.stdout and SECRET not in done.stdout + done.stderr


def test_the_schema_refuses():
    """What the collector would not notice proves nothing."""
    good = {"traceId": TRACE_ID, "spanId": PARENT_ID, "name": "m", "kind": 3,
            "startTimeUnixNano": "1796055324656020000", "endTimeUnixNano": "1796055324656020000",
            "attributes": [{"key": "a", "value": {"intValue": "1"}}]}

    def valid(**change) -> bool:
        document = {"resourceSpans": [{"scopeSpans": [{"spans": [good | change]}]}]}
        return jsonschema.Draft7Validator(SCHEMA).is_valid(document)
    assert valid()
    for change in ({"traceId": TRACE_ID.upper()}, {"spanId": "0" * 16}, {"kind": "CLIENT"},
                   {"startTimeUnixNano": 1796055324656020000}, {"name": ""}, {"new": 1},
                   {"attributes": [{"key": "a", "value": {"intValue": 1}}]},
                   {"attributes": [{"key": "a", "value": {"stringValue": "x", "intValue": "1"}}]}):
        assert not valid(**change), change
