# SPDX-License-Identifier: Apache-2.0
"""What a process holds, as /proc tells."""

import os
import time
from dataclasses import dataclass

import pytest

from .settings import DEADLINE


@dataclass
class Holds:
    descriptors: int
    threads: int
    memory: int  # resident [bytes]
    peak: int  # the most that ever was resident [bytes]


def descriptors(pid: int) -> int:
    """The programs are not dumpable, so that only root looks into their /proc/PID/fd; since Linux 6.2
    its size tells everybody how many there are."""
    folder = f"/proc/{pid}/fd"
    try:
        return len(os.listdir(folder))
    except PermissionError:
        n = os.stat(folder).st_size
        if n == 0:
            pytest.skip("only root may look into /proc/PID/fd here")
        return n


def holds(pid: int) -> Holds:
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        lines = dict(line.rstrip("\n").split(":", 1) for line in status)
    size = {name: int(lines[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM")}
    return Holds(descriptors(pid), int(lines["Threads"]), size["VmRSS"], size["VmHWM"])


def cpu_seconds(pid: int) -> float:
    """What it has used so far, all its threads together."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def wait_until(pid: int, test, timeout: float = DEADLINE) -> Holds:
    """Waits until `test` is true of what it holds. /proc tells of no change, so it is asked again
    and again."""
    end = time.monotonic() + timeout
    while not test(now := holds(pid)):
        assert time.monotonic() < end, now
        time.sleep(0.02)
    return now
