# SPDX-License-Identifier: Apache-2.0
"""The daemon that counts the work of each step (tests/steps/count.c), and what it tells."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .settings import RPCGATED, SANITIZED

PROGRAM = RPCGATED.parent / "tests" / "steps" / "rpcgated"
LIMIT = 10_000_000  # ns of a usual machine, about

MARKS = [
    pytest.mark.skipif(SANITIZED, reason="sanitizers have the blocks counted for themselves"),
    pytest.mark.skipif(not PROGRAM.exists(), reason="this compiler counts no blocks "
                       "(-fsanitize-coverage=trace-pc)"),
]


def environment(told: Path) -> dict:
    """It writes there the steps that are not short."""
    return {"RPCGATE_STEPS": str(told), "RPCGATE_STEPS_LEAST": "1000000"}


class Steps:
    """What the program tells of its steps."""

    def __init__(self, gateway, path: Path):
        self.gateway, self.path, self.at = gateway, path, 0

    def longest(self) -> tuple[int, str]:
        """Of those since it was asked before, and what that was."""
        for _ in range(2):  # two turns of the only worker: what the caller's end causes is over
            assert self.gateway.get("/livez").status == 200
        text = self.path.read_text() if self.path.exists() else ""
        lines, self.at = text[self.at:].splitlines(), len(text)
        steps = [(int(line.split()[0]), line) for line in lines]
        work, line = max(steps, default=(0, "none"))
        return work, self._told(line)

    @staticmethod
    def _told(line: str) -> str:
        if line == "none" or shutil.which("addr2line") is None:
            return line
        *words, place = line.split()
        done = subprocess.run(["addr2line", "-fie", PROGRAM, place], capture_output=True, text=True,
                              check=False)
        return " ".join([*words, *done.stdout.split("\n")[::2]])
