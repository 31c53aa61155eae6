# SPDX-License-Identifier: Apache-2.0
"""What a process holds, as /proc tells."""

import os
import time
from dataclasses import dataclass

from .settings import DEADLINE


@dataclass
class Holds:
    descriptors: int
    threads: int
    memory: int  # resident [bytes]
    peak: int  # the most that ever was resident [bytes]


def holds(pid: int) -> Holds:
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        lines = dict(line.rstrip("\n").split(":", 1) for line in status)
    size = {name: int(lines[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM")}
    return Holds(len(os.listdir(f"/proc/{pid}/fd")), int(lines["Threads"]), size["VmRSS"],
                 size["VmHWM"])


def wait_until(pid: int, test, timeout: float = DEADLINE) -> Holds:
    """Waits until `test` is true of what it holds. /proc tells of no change, so it is asked again
    and again."""
    end = time.monotonic() + timeout
    while not test(now := holds(pid)):
        assert time.monotonic() < end, now
        time.sleep(0.02)
    return now
