# SPDX-License-Identifier: Apache-2.0
"""Servers that refuse a large request before they have read it, and close: what they have not read
makes that a reset, which must not hide the refusal."""

import pytest

from rig.check import assert_problem

#: More than all buffers on the way hold together.
LARGE = "x" * 3_000_000
TIMES = 20


async def refuse(x):
    """Nothing is read behind the head, so the request cannot come to its end."""
    x.link.writer.transport.pause_reading()
    await x.respond(b"large", "413 Too Large", {"Connection": "close"})
    x.close()


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared.simple(start_shared.upstream(peek=refuse), limits={"body": "8M"})


def test_each_one_is_told(gateway):
    for _ in range(TIMES):
        document = assert_problem(gateway.call("up", "m", [LARGE]), "protocol-error", 502, "no")
        assert document["protocol"]["status"] == 413, document
