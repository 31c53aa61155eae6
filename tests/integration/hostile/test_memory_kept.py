# SPDX-License-Identifier: Apache-2.0
"""Results of which some may be kept, of many calls at once: limits.memory and limits.cache bound them,
and each is given in the end."""

import asyncio

import pytest

from rig import crowd
from rig.process import holds
from rig.settings import SANITIZED, SLOW, up_settings
from rig.upstream import response_document

MEBIBYTE = 1024 * 1024
N_CALLS = 120
TEXT = "x" * 1_900_000
DOCUMENT = response_document(TEXT)

pytestmark = pytest.mark.concurrency


async def behave(x):
    await x.respond(DOCUMENT)


@pytest.mark.parametrize("kept", [None, {"ttl": "1h"}, {"ttl": "0s"}, {"ttl": "1h", "by_caller": True}],
                         ids=["without", "kept", "collapsed", "own"])
def test_many_large_results(start, kept):
    """Of 16 MiB, so that a few have room at once."""
    patient = f"{int(30 * SLOW)}s"
    more = {"cache": kept} if kept else {}
    gateway = start.gateway(up_settings(
        start.upstream(behave), methods=[{"match": "*", "safe": True}], limits={"response": "4M"},
        pool={"max_connections": 200, "queue_timeout": patient}, timeouts={"total": patient}, **more) | {
            "workers": 2, "limits": {"memory": "16M", "cache": "1M", "connections": 600}})
    before = holds(gateway.process.pid).memory

    async def go():
        callers = await crowd.gather_callers(gateway.tcp, N_CALLS)
        answers = await asyncio.gather(*(caller.call("up", "m", [i])
                                         for i, caller in enumerate(callers)))
        for caller in callers:
            caller.close()
        return answers
    assert [answer.status for answer in crowd.run(go())] == [200] * N_CALLS
    if not SANITIZED:  # they keep what was freed
        assert holds(gateway.process.pid).peak - before < 4 * 16 * MEBIBYTE


@pytest.mark.parametrize("kept", [{"ttl": "1h"}, {"ttl": "0s"}], ids=["kept", "collapsed"])
def test_no_room_for_what_was_made(start, kept):
    """A call whose result finds no room has run all the same, and its answer does not deny it."""
    upstream = start.upstream(behave)
    gateway = start.gateway(up_settings(
        upstream, methods=[{"match": "*", "safe": True}], cache=kept,
        pool={"max_connections": 200, "queue_timeout": "20ms"}) | {
            "workers": 2, "limits": {"memory": "8M", "cache": "64M"}})

    async def go():
        callers = await crowd.gather_callers(gateway.tcp, N_CALLS)
        return await asyncio.gather(*(caller.call("up", "m", [i]) for i, caller in enumerate(callers)))
    answers = crowd.run(go())
    ran = {exchange.params[0] for exchange in upstream.exchanges}
    failed = {i: answer.json for i, answer in enumerate(answers) if answer.status != 200}
    assert failed, "all had room"
    assert not [problem for n, problem in failed.items() if n in ran and problem["executed"] == "no"]
