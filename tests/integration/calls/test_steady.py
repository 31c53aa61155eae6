# SPDX-License-Identifier: Apache-2.0
"""What a call asks of the kernel once a gateway is warm, by strace(1): to wait, to read and to write.
Memory is kept for the next call, and neither random bytes nor files are needed for one."""

import asyncio
import collections
import re
import shutil
import signal
import subprocess
from contextlib import contextmanager

import pytest

from rig import crowd
from rig.settings import DEADLINE, SANITIZED, up_settings

#: What waits for, reads and writes what is there; and what wakes the log's writer.
A_CALLS_OWN = {"epoll_wait", "epoll_pwait", "epoll_ctl", "recvfrom", "sendto", "recvmsg", "sendmsg",
               "read", "write", "writev", "futex"}
#: What no call may need, and nothing else has a reason for meanwhile.
NEVER = {"getrandom", "mmap", "munmap", "mremap", "access", "faccessat2"}
#: All else is of what happens now and then, such as counting descriptors, or one more connection where more
#: calls than before have met: of so many calls, one.
SELDOM = 5

WARM, CALLS = 10, 1500
NAMES = [f"name{n}" for n in range(20)]  # so many that duplicates are found by a keyed hash
CALL_LINE = re.compile(r"^\d+ +(\w+)\(")


def _can_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-f", "-qq", "true"], capture_output=True, timeout=DEADLINE,
                          check=False)
    return done.returncode == 0


pytestmark = [
    pytest.mark.skipif(not _can_trace(), reason="strace is missing, or may not trace"),
    pytest.mark.skipif(SANITIZED, reason="a sanitizer asks for memory of its own"),
]


@contextmanager
def traced(gateway):
    """Gives a counter, which has the system calls by their names when it is over."""
    trace, counted = gateway.folder / "trace", collections.Counter()
    tracer = subprocess.Popen(["strace", "-f", "-o", str(trace), "-p", str(gateway.process.pid)],
                              stderr=subprocess.PIPE, text=True)
    try:
        first = tracer.stderr.readline()
        assert "attached" in first, first
        yield counted
        tracer.send_signal(signal.SIGINT)
        tracer.wait(DEADLINE)
    finally:
        tracer.kill()  # the gateway could not end while somebody holds it
        tracer.communicate()
    found = map(CALL_LINE.match, trace.read_text().splitlines())
    counted.update(line[1] for line in found if line)


async def ask_all(callers: list[crowd.Caller], rounds: int):
    """All at once, and again when all are answered."""
    for number in range(rounds):
        params = [dict.fromkeys(NAMES, number)]
        answers = await asyncio.gather(*(one.call("up", "m", params) for one in callers))
        assert all(answer.status == 200 and answer.result == params[0] for answer in answers)


@pytest.mark.parametrize("n_callers", [1, 64, 250])
def test_a_warm_call_only_waits_reads_and_writes(start, n_callers):
    upstream = start.upstream()
    settings = up_settings(upstream, transport="auto", pool={"max_connections": n_callers})
    gateway = start.gateway({"workers": 1} | settings)

    async def play():
        callers = await crowd.gather_callers(gateway.tcp, n_callers)
        await ask_all(callers, WARM)
        with traced(gateway) as counted:
            await ask_all(callers, CALLS // n_callers)
        for one in callers:
            one.close()
        return counted

    counted = crowd.run(play())
    assert counted["sendmsg"] >= CALLS, counted  # it was looked at
    assert not NEVER & set(counted), counted
    others = sum(n for name, n in counted.items() if name not in A_CALLS_OWN)
    assert others * SELDOM <= CALLS, counted
