# SPDX-License-Identifier: Apache-2.0
"""Imitations of servers that want credentials within calls: simulate/simulate.py, whose `--help` has
the paths, and what /control can be told."""

import json
import sys
import urllib.request
from pathlib import Path

from .programs import Program
from .settings import DEADLINE, TOP

PROGRAM = TOP / "tests/integration/simulate/simulate.py"

USER, PASSWORD, SECRET = "admin", "s3cret-pw", "k3y-0123456789abcdef"


class Simulator:
    """All of them in one process. `control` is of the one by that name, `*` of all."""

    def __init__(self, folder: Path):
        # Its first line is its port.
        self._program = Program([sys.executable, str(PROGRAM)], "\n", folder)
        assert self._program.wait_ready(), "".join(self._program.output)
        self.port = int(self._program.output[0])

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def control(self, name: str, **settings):
        """Sets these; without any: what it has counted, and the log of what came in."""
        request = urllib.request.Request(self.url(f"/control/{name}"))
        if settings:
            request.data = json.dumps(settings).encode()
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return json.load(answer)

    def counts(self, name: str) -> dict:
        return self.control(name)["counts"]

    def stop(self):
        self._program.stop()
