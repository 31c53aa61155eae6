# SPDX-License-Identifier: Apache-2.0
"""Answers that go out before the body was read, body limits, and large bodies both ways."""

import contextlib
import json

import pytest

from rig.check import assert_problem
from rig.upstream import echo, http_response, response_document
from rig.wire import request

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def gateway(start_shared, shared_upstream):
    """With a small limit for bodies."""
    return start_shared.simple(shared_upstream, limits={"body": "64K"},
                               anonymous={"allow": ["up/*"], "deny": ["up/secret"]})


@pytest.fixture(scope="module")
def roomy(start_shared, shared_upstream):
    """With the limits as they are by default."""
    return start_shared.simple(shared_upstream)


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


CHUNKED = {"Transfer-Encoding": "chunked", "Content-Type": "application/json"}

EARLY = {
    "too large": (413, "/v1/up/m", {"Content-Length": "70000"}),
    "wrong type": (415, "/v1/up/m", {"Content-Type": "text/plain"}),
    "denied": (403, "/v1/up/secret", {}),
    "unknown": (404, "/v1/none/m", {}),
    "wrong host": (421, "/v1/up/m", {"Host": "evil.example"}),
    "bad path": (400, "/v1/up/%ff", {}),
    "bad query": (400, "/v1/up/m?x=1", {}),
}


@pytest.mark.parametrize("status, path, headers", EARLY.values(),
                         ids=[name.replace(" ", "-") for name in EARLY])
@pytest.mark.parametrize("expect", ["100-continue", None])
def test_answer_before_the_body(gateway, upstream, status, path, headers, expect):
    """The final answer comes although the body never does, and without a `100 Continue`."""
    usual = {"Content-Length": "3", "Content-Type": "application/json", "Expect": expect}
    with gateway.connect() as caller:
        caller.send(request("POST", path, None, usual | headers))
        answer = caller.answer()
        assert answer.status == status and answer.interim == [], answer.body
        assert answer.closes
        caller.finish_sending()
        assert caller.ends()
    assert not upstream.exchanges


def test_wrong_method_with_a_body(gateway):
    with gateway.connect() as caller:
        caller.send(request("PUT", "/v1/up/m", None, {"Content-Length": "3"}))
        assert caller.answer().status == 405


def test_continue_for_a_good_request(gateway, upstream):
    with gateway.connect() as caller:
        caller.send(request("POST", "/v1/up/m", None, {
            "Content-Length": "3", "Content-Type": "application/json", "Expect": "100-continue"}))
        assert caller.head()[1] == 100
        caller.send(b"[1]")
        assert caller.answer().result == 1


def test_too_large_by_length_names_the_setting(gateway, upstream):
    answer = gateway.call("up", "m", b"[" + b" " * 66_000 + b"]")
    assert_problem(answer, "body-too-large", 413, "no", setting="limits.body")
    assert not upstream.exchanges


def test_exactly_the_limit_is_fine(gateway):
    assert gateway.call("up", "m", b"[1" + b" " * (65536 - 3) + b"]").result == 1
    assert gateway.call("up", "m", b"[1" + b" " * (65537 - 3) + b"]").status == 413


def test_the_body_is_thrown_away_then_the_connection_closed(gateway, upstream):
    """A caller that first sends everything still gets its answer, not a reset."""
    body = b"x" * (MEBIBYTE - 4096)
    with gateway.connect() as caller:
        caller.send(request("POST", "/v1/up/m", body))
        caller.send(request("POST", "/v1/up/m", b"[1]"))
        answer = caller.answer()
        assert_problem(answer, "body-too-large", 413, "no")
        assert answer.closes and caller.ends()
    assert not upstream.exchanges


def test_a_body_without_end_is_not_read_for_ever(gateway):
    """Beyond what is thrown away the connection ends, whatever the caller still sends."""
    with gateway.connect() as caller:
        caller.send(request("POST", "/v1/up/m", None, {"Content-Length": str(1 << 40)}))
        with pytest.raises(ConnectionError):
            for _ in range(256):
                caller.send(b"x" * MEBIBYTE)


def test_a_caller_that_never_sends_its_body_is_let_go(gateway):
    """After 2 s nothing is waited for any more."""
    with gateway.connect() as caller:
        caller.send(request("POST", "/v1/none/m", None, {"Content-Length": "10"}))
        assert caller.answer().status == 404
        assert caller.ends()


def test_chunked_body(gateway, upstream):
    with gateway.connect() as caller:
        for number in range(3):
            caller.send(request("POST", "/v1/up/m", None, CHUNKED)
                        + chunks(b"[", b'"%d' % number, b'"', b"]"))
            assert caller.answer().result == str(number)


def test_chunked_body_just_over_the_limit(gateway, upstream):
    """Its end is awaited, then 413."""
    with gateway.connect() as caller:
        caller.send(request("POST", "/v1/up/m", None, CHUNKED) + chunks(*[b" " * 8192] * 20))
        answer = caller.answer()
        assert_problem(answer, "body-too-large", 413, "no", setting="limits.body")
    assert not upstream.exchanges


def test_chunked_body_far_over_the_limit(gateway, upstream):
    """The connection is closed."""
    with gateway.connect() as caller:
        caller.send(request("POST", "/v1/up/m", None, CHUNKED))
        taken = 0
        with pytest.raises(ConnectionError):
            for _ in range(256):
                caller.send(b"100000\r\n" + b" " * MEBIBYTE + b"\r\n")
                taken += 1
    # Beyond the limit a mebibyte more; what is left are the buffers of the sockets.
    assert taken <= 16
    assert not upstream.exchanges


def test_empty_chunked_body(gateway, upstream):
    with gateway.connect() as caller:
        caller.send(request("POST", "/v1/up/m", None, CHUNKED) + chunks())
        assert caller.answer().result == ""
    assert upstream.exchanges[0].params == ()


def test_body_in_single_bytes(gateway, upstream):
    with gateway.connect() as caller:
        for byte in request("POST", "/v1/up/m", b'["slow"]'):
            caller.send(bytes([byte]))
        assert caller.answer().result == "slow"


def test_caller_that_leaves_in_the_middle_of_its_body(gateway, upstream):
    for leave in ("close", "reset"):
        caller = gateway.connect()
        caller.send(request("POST", "/v1/up/m", None, {"Content-Length": "100",
                                                       "Content-Type": "application/json"}) + b"[1")
        getattr(caller, leave)()
    assert gateway.call("up", "m", [1]).result == 1
    assert len(upstream.exchanges) == 1


RECORDS = [{"id": number, "name": f"item {number}", "price": number / 4, "tags": ["a", "<b>"]}
           for number in range(10_000)]


def test_large_both_ways(roomy, upstream):
    """10,000 structs there and back: 2.6 MB of XML."""
    answer = roomy.call("up", "m", [RECORDS])
    assert len(upstream.exchanges[0].body) > 2_600_000
    assert answer.result == RECORDS
    assert roomy.call("up", "m", [RECORDS], over="unix").result == RECORDS


def test_large_and_small_on_one_connection(roomy, upstream):
    text = "x" * 2_600_000
    with roomy.connect() as caller:
        for _ in range(2):
            assert caller.ask("POST", "/v1/up/m", json.dumps([text]).encode()).result == text
            assert caller.ask("POST", "/v1/up/m", b"[1]").result == 1


def test_large_chunked_request(roomy, upstream):
    text = "y" * 2_600_000
    body = json.dumps([text]).encode()
    with roomy.connect() as caller:
        caller.send(request("POST", "/v1/up/m", None, CHUNKED) + chunks(
            *(body[at:at + 65536] for at in range(0, len(body), 65536))))
        assert caller.answer().result == text


def test_large_answer_to_a_slow_reader(roomy, upstream):
    """A caller that takes its answer late, in small pieces, gets all of it."""
    text = "z" * 2_600_000
    with roomy.connect() as caller:
        caller.send(request("POST", "/v1/up/m", json.dumps([text]).encode()))
        upstream.wait_requests(1)
        assert roomy.call("up", "m", [1]).result == 1
        got, end = b"", b'"}'
        while not got.endswith(end):
            got += caller.socket.recv(4096)
        assert got.endswith(text.encode() + end)


def test_a_page_without_end_is_not_read_for_ever(roomy, upstream):
    """What is no XML-RPC is read a little further, so that the connection can be kept; not more."""
    sent = []

    async def behave(x):
        await x.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>")
        with contextlib.suppress(ConnectionError):
            while len(sent) < 64:
                await x.send(b"<p>x</p>" * (MEBIBYTE // 8))
                sent.append(1)
        x.close()
    upstream.behave = behave
    assert_problem(roomy.call("up", "m", [1]), "bad-response", 502, "unknown")
    upstream.behave = echo
    assert roomy.call("up", "m", [2]).result == 2
    assert len(sent) <= 16


def test_answer_without_length_is_read_to_its_end(roomy, upstream):
    async def behave(x):
        await x.send(http_response(response_document("w" * 2_600_000),
                                   headers={"Content-Length": None}))
        x.close()
    upstream.behave = behave
    assert roomy.call("up", "m", [1]).result == "w" * 2_600_000
