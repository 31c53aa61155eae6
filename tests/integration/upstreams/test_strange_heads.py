# SPDX-License-Identifier: Apache-2.0
"""Heads with lines that libcurl refuses and that have one meaning only. The first such answer of an
upstream may come before anyone can look at it (tests/unit/test_upstream_relay.c has it in time);
from the second one on none does. Over TLS: test_strange_over_tls.py."""

import pytest

from rig.check import assert_problem
from rig.misbehave import chunk, head, sends
from rig.upstream import fault_document, http_response, response_document

DOCUMENT = response_document("fine")
SIZE = f"Content-Length: {len(DOCUMENT)}"
BROKEN = "content-disposition attachment"
LEARNT = "upstream sends heads with lines that are none"

FINE = {
    "no colon": head(BROKEN, SIZE, body=DOCUMENT, end="keep"),
    "no colon, closed": head(BROKEN, body=DOCUMENT),
    "a quoted name over two lines": head('Content-Disposition: attachment; filename="a', 'b.xml"',
                                         SIZE, body=DOCUMENT, end="keep"),
    "blank length": head("Content-Length:", body=DOCUMENT),
    "blank length, kept open": head("Content-Length:", body=DOCUMENT, end="silence"),
    "blank length and chunks": head("Content-Length: ", "Transfer-Encoding: chunked",
                                    body=chunk(DOCUMENT) + b"0\r\n\r\n", end="keep"),
    "in 100": sends(f"HTTP/1.1 100 Continue\r\n{BROKEN}\r\n\r\n".encode() + http_response(DOCUMENT),
                    "keep"),
    "now and then": head(SIZE, body=DOCUMENT, end="keep"),
}

#: Two readers could take these for different things.
REFUSED = {
    "folded": (head(BROKEN, " more", SIZE, body=DOCUMENT), "bad-response"),
    "NUL": (head(BROKEN + "\0", SIZE, body=DOCUMENT), "bad-response"),
    "two status lines": (head("HTTP/1.1 200 OK", SIZE, body=DOCUMENT), "bad-response"),
    "blank length and another": (head("Content-Length:", SIZE, body=DOCUMENT), "connection-lost"),
    "two lengths": (head(BROKEN, SIZE, SIZE + "0", body=DOCUMENT), "connection-lost"),
}


def learn(gateway, upstream):
    upstream.behave = head(BROKEN, SIZE, body=DOCUMENT, end="keep")
    gateway.call("up", "m", ["first"])
    gateway.wait_line(LEARNT)


@pytest.mark.parametrize("name", FINE)
def test_is_read(start, name):
    upstream = start.upstream()
    gateway = start.simple(upstream, workers=2)
    learn(gateway, upstream)
    upstream.behave = FINE[name]
    for number in range(10):
        assert gateway.call("up", "m", [f"{number}"]).result == "fine"
    assert set(upstream.executed.values()) == {1}
    assert upstream.connections == 11, "such a connection was used again"
    assert gateway.stderr.count(LEARNT) == 1


def test_fault(start):
    upstream = start.upstream()
    gateway = start.simple(upstream)
    learn(gateway, upstream)
    upstream.behave = head(BROKEN, status="HTTP/1.1 500 Oops", body=fault_document(7, "so it is"))
    document = assert_problem(gateway.call("up", "m"), "fault", 500, "yes")
    assert "so it is" in str(document)


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(start, name):
    upstream = start.upstream()
    gateway = start.simple(upstream)
    learn(gateway, upstream)
    upstream.behave, problem = REFUSED[name]
    for _ in range(3):
        assert_problem(gateway.call("up", "m"), problem, 502, "unknown")


def test_unix_socket(start, folder):
    upstream = start.upstream(unix=str(folder / "strange.sock"))
    gateway = start.simple(upstream)
    learn(gateway, upstream)
    for number in range(10):
        assert gateway.call("up", "m", [f"{number}"]).result == "fine"
