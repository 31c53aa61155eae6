# SPDX-License-Identifier: Apache-2.0
"""An upstream that echoes all it got, wherever it can: our secrets are in no problem and no log.
And faults that rules turn into other statuses and types."""

import base64
import json
import time
from urllib.parse import quote

import pytest

from rig.settings import DEADLINE

PASSWORD = "pa&ss/w<o>rd%7"
TOKEN_HEADER = "s3cret-api-key-value"
COOKIE = "session=0123456789abcdef"

SECRETS = [PASSWORD, TOKEN_HEADER, COOKIE]


def forms(secret: str) -> list[str]:
    plain = secret.encode()
    return [secret, base64.b64encode(plain).decode().rstrip("="), quote(secret, safe=""),
            json.dumps(secret)[1:-1]]


@pytest.fixture
def echoing(start):
    """Says in each way what it was told in the head; how depends on the method."""
    async def behave(x):
        head = x.head.decode("latin-1")
        flat = " ".join(head.split())
        twice = f"{flat} and {quote(PASSWORD, safe='')} and user:{PASSWORD} {TOKEN_HEADER} {COOKIE}"
        match x.method:
            case "fault":
                await x.answer_fault(1, "x" * 280 + twice)
            case "status":
                await x.respond(twice.encode(), "500 " + flat[:200], {"Server": TOKEN_HEADER})
            case "cut":
                await x.respond(b"", "500 " + "x" * 240 + TOKEN_HEADER,
                                {"Content-Type": "text/html; x=" + "y" * 235 + TOKEN_HEADER})
            case "long":
                await x.respond(b"y" * 500 + twice.encode(), "502 Bad")
            case "html":
                await x.respond(f"<html>{twice}</html>".encode())
            case "element":
                await x.respond(b"<" + TOKEN_HEADER.encode() + b"/>")
            case "result":
                await x.answer(twice)
    return start.upstream(behave)


@pytest.fixture
def gateway(start, echoing):
    return start.gateway({"anonymous": {"allow": ["*/*"]}, "log": {"level": "debug"}, "upstreams": {
        "up": {"url": echoing.url, "auth": {"scheme": "basic", "username": "user",
                                            "password": PASSWORD},
               "headers": [f"X-Api-Key: {TOKEN_HEADER}", f"Cookie: {COOKIE}"]}}})


@pytest.mark.parametrize("method", ["fault", "status", "cut", "long", "html", "element"])
def test_no_secret_comes_back(gateway, method):
    answer = gateway.call("up", method)
    assert answer.status >= 400
    text = answer.body.decode() + str(answer.headers)
    for secret in SECRETS + [f"user:{PASSWORD}"]:
        for form in forms(secret):
            assert form not in text, text
            assert form not in gateway.stderr
    assert TOKEN_HEADER[:6] not in text
    if method in ("fault", "status", "cut"):
        assert "***" in text


def test_no_secret_in_what_is_told_of_urls(start, echoing, tmp_path):
    """Some servers want credentials in the path."""
    (tmp_path / "path").write_text("user:of-the-path")
    path = "/${file:" + str(tmp_path / "path") + "}/xmlrpc"
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "up": {"urls": ["http://127.0.0.1:1" + path, echoing.url + path], "verbose": True}}})
    answer = gateway.call("up", "long")
    assert answer.json["protocol"]["url"].endswith("/***/xmlrpc")
    assert "/***/xmlrpc" in gateway.wait_line("cannot be connected to")
    metrics = gateway.get("/metrics").body.decode()
    assert 'url="http://127.0.0.1:1/***/xmlrpc"} 0' in metrics
    assert "of-the-path" not in answer.body.decode() + metrics + gateway.stderr


def test_results_are_never_altered(gateway):
    result = gateway.call("up", "result").result
    assert PASSWORD in result and TOKEN_HEADER in result and "Authorization: Basic" in result


FAULT_RULES = [
    {"code": 70, "status": 404, "type": "no-such-record"},
    {"code": "Client*", "status": 422, "type": "https://example.com/problems/client"},
    {"from": 100, "to": 199, "text": "*busy*", "status": 503, "retry_after": "30s"},
    {"http": 500, "status": 502},
]

RULED = {
    "code": (70, "x", "200 OK", 404, "urn:rpcgate:problem:no-such-record", None),
    "text code": ("Client.X", "x", "200 OK", 422, "https://example.com/problems/client", None),
    "range": (150, "too busy", "200 OK", 503, "urn:rpcgate:problem:fault", "30"),
    "http": (5, "x", "500 Oops", 502, "urn:rpcgate:problem:fault", None),
    "default": (5, "x", "200 OK", 418, "urn:rpcgate:problem:fault", None),
    "convention": (-32601, "x", "200 OK", 404, "urn:rpcgate:problem:fault", None),
}


@pytest.mark.parametrize("code, text, http, status, kind, retry_after", RULED.values(), ids=RULED)
def test_fault_rules(start, code, text, http, status, kind, retry_after):
    value = f"<int>{code}</int>" if isinstance(code, int) else f"<string>{code}</string>"

    async def behave(x):
        await x.respond((
            "<methodResponse><fault><value><struct><member><name>faultCode</name><value>" + value +
            "</value></member><member><name>faultString</name><value>" + text +
            "</value></member></struct></value></fault></methodResponse>").encode(), http)
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {
        "url": start.upstream(behave).url, "fault_status": 418, "faults": FAULT_RULES}}})
    answer = gateway.call("up", "m")
    assert answer.status == status
    document = answer.json
    assert document["type"] == kind
    assert document["fault"]["string"] == text
    assert answer.header("Retry-After") == retry_after


def test_verbose(start, echoing):
    """Both documents and heads are in the log, at most 64 KiB of each, without a secret."""
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "up": {"url": echoing.url, "verbose": True,
               "auth": {"scheme": "basic", "username": "user", "password": PASSWORD},
               "headers": [f"X-Api-Key: {TOKEN_HEADER}", f"Cookie: {COOKIE}"]}}})
    answer = gateway.call("up", "result", ["é" * 100_000])
    assert answer.status == 200
    gateway.wait_line(" info request request_id=")
    lines = [line for line in gateway.lines if " verbose " in line]
    text = "\n".join(lines)
    for part in ("request head", "request", "response head", "response"):
        assert f'part="{part}"' in text or f"part={part} " in text
    assert "X-Api-Key: ***" in text and "<methodName>result</methodName>" in text
    assert 'cut="at 64 KiB"' in text
    for secret in SECRETS + [f"user:{PASSWORD}"]:
        for form in forms(secret):
            assert form not in text


def long_faults(start, text, **limits):
    """An upstream that answers each call with that fault, and each of a round trip, too."""
    async def behave(x):
        if x.method == "system.multicall":
            fault = {"faultCode": 7, "faultString": text}
            calls = x.params[0]
            methods = [call["methodName"] for call in calls]
            return await x.answer([[["m"]] if method == "system.listMethods" else fault
                                   for method in methods])
        await x.answer_fault(7, text)
    upstream = start.upstream(behave)
    return start.gateway({"anonymous": {"allow": ["*/*"]}, "limits": limits, "upstreams": {
        "up": {"url": upstream.url, "headers": [f"X-Api-Key: {TOKEN_HEADER}"]}}})


def shown_faults(gateway):
    """As a single call, in a batch, and in JSON-RPC shows them."""
    call = {"jsonrpc": "2.0", "method": "m", "id": 1}
    answers = gateway.batch("up", ("m",), ("m",))
    documents = [gateway.call("up", "m", []).json, *[one["problem"] for one in answers],
                 gateway.jsonrpc("up", call).json["error"]["data"],
                 gateway.jsonrpc("up", [call, call]).json[1]["error"]["data"]]
    assert all(document["type"] == "urn:rpcgate:problem:fault" for document in documents)
    return [document["fault"] for document in documents]


@pytest.mark.parametrize("text, shown", [
    ("x" * 65_536, 65_536), ("x" * 65_537, 65_536), ("x" * 3_000_000, 65_536),
    ("\n\"" * 200_000, 65_536), ("é" * 65_536, 32_768), ("x" + "é" * 65_536, 32_768),
    ("😀" * 20_000, 16_384), ("xy" + "😀" * 20_000, 16_385)],
    ids=["whole", "one more", "long", "escapes", "two bytes", "torn", "four bytes", "torn four"])
def test_a_long_fault_is_cut_at_a_character(start, text, shown):
    gateway = long_faults(start, text)
    for fault in shown_faults(gateway):
        assert fault["string"] == text[:shown]
        assert fault.get("truncated") is (True if len(text) > shown else None)
    error = gateway.jsonrpc("up", {"jsonrpc": "2.0", "method": "m", "id": 1}).json["error"]
    assert error["message"] == text[:shown]
    end = time.monotonic() + DEADLINE
    while gateway.metric("rpcgate_memory_bytes") > 100_000:  # a reply goes when it is sent
        assert time.monotonic() < end


@pytest.mark.parametrize("within", range(1, len(TOKEN_HEADER), 5))
def test_a_cut_fault_ends_with_no_part_of_a_secret(start, within):
    text = "x" * (1000 - within) + TOKEN_HEADER + "y" * 1000
    for fault in shown_faults(long_faults(start, text, fault_text="1000")):
        assert fault["string"] == "x" * (1000 - within) + "***" and fault["truncated"] is True


def test_long_faults_while_memory_is_full(start):
    """Each is shown, if only its beginning."""
    gateway = long_faults(start, "x" * 60_000, memory="8M")
    results = gateway.batch("up", *[("m",)] * 100)
    assert all(len(one["problem"]["fault"]["string"]) == 60_000 for one in results)
