# SPDX-License-Identifier: Apache-2.0
"""Assertions that many tests share."""

import time

from .settings import DEADLINE
from .wire import Answer


def assert_problem(answer: Answer, name: str, status: int, executed: str | None = None,
                   **members) -> dict:
    """A complete problem document (RFC 9457) of that name, with these members. Returns it."""
    assert answer.status == status, (answer.status, answer.body[:2000])
    assert answer.problem == name
    document = answer.json
    assert document["status"] == status
    assert document["title"] and document["detail"], document
    assert document["request_id"] == answer.header("X-Request-Id")
    if executed is not None:
        assert document["executed"] == executed, document
    for key, value in members.items():
        assert document.get(key) == value, (key, document)
    return document


def assert_html(answer: Answer):
    """What libmicrohttpd refuses by itself: in HTML, without a name for its type."""
    assert answer.status == 400, (answer.status, answer.body[:2000])
    assert answer.body.startswith(b"<html>"), answer.body[:2000]
    assert not answer.all("X-Request-Id") and not answer.all("Content-Type"), answer.headers


def assert_failed(result: dict, name: str, status: int, executed: str | None = None,
                  **members) -> dict:
    """One result of a batch is a problem of that name, with these members. Returns it."""
    assert list(result) == ["problem"], result
    problem = result["problem"]
    assert problem["type"] == f"urn:rpcgate:problem:{name}", problem
    assert problem["status"] == status, problem
    assert problem["title"] and problem["detail"] and problem["request_id"], problem
    if executed is not None:
        assert problem["executed"] == executed, problem
    for key, value in members.items():
        assert problem.get(key) == value, (key, problem)
    return problem


def eventually(function, wanted):
    """Asks again until the answer is that, or one for which `wanted` is true."""
    is_it = wanted if callable(wanted) else lambda found: found == wanted
    end = time.monotonic() + DEADLINE
    while not is_it(found := function()):
        assert time.monotonic() < end, found
    return found
