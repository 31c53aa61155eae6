# SPDX-License-Identifier: Apache-2.0
"""Rounds in which allocations fail, one now and then: the daemon may end and say that it has no
memory, but not crash, hang, lie, or do a call twice."""

import asyncio
import mmap
import random
import signal
import struct
import subprocess
from pathlib import Path

from rounds import Round

_SOURCE = Path(__file__).resolve().parents[2] / "integration" / "preload" / "failing_alloc.c"

OUT_OF_MEMORY = 71  # EX_OSERR

#: libconfig looks at no allocation; libcurl 7.88 divides by the size of a table that is not there.
LIBRARIES = {"libconfig.so": (-signal.SIGSEGV,), "libcurl.so": (-signal.SIGFPE,)}


class MemoryRound(Round):
    """Without TLS: libcurl 7.88 crashes by itself where OpenSSL finds no memory."""

    careless = True

    def __init__(self, *arguments):
        super().__init__(*arguments)
        library = self._folder / "failing_alloc.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-fno-builtin", "-o",
                       str(library), str(_SOURCE)], check=True, timeout=60)
        numbers = self._folder / "numbers"
        numbers.write_bytes(bytes(24))
        with open(numbers, "r+b") as file:
            self._numbers = mmap.mmap(file.fileno(), 24)
        # What was freed has other bytes then, so that using it shows.
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAILING_ALLOC": str(numbers),
            "FAILING_ALLOC_TRACE": "1",
            "MALLOC_PERTURB_": "165"}

    def _fail(self, left: int):
        struct.pack_into("l", self._numbers, 8, left)

    async def _fail_now_and_then(self):
        rng = random.Random(f"{self.seed}/memory")
        await asyncio.sleep(rng.choice([0, 0.5, 2]))
        while not self.is_over and not self.is_ending:
            self._fail(rng.choice([1, 10, 100, 1000, 5000]))
            await asyncio.sleep(0.1)
        self._fail(0)

    async def _traffic(self, seconds: float):
        failing = asyncio.create_task(self._fail_now_and_then())
        try:
            await super()._traffic(seconds)
        finally:
            self._fail(0)
            failing.cancel()
            self.totals.counts["allocations that failed"] += self._n_failed

    @property
    def _n_failed(self) -> int:
        return struct.unpack_from("l", self._numbers, 16)[0]

    def _judge_service(self):
        """Where there is no memory for an answer, the connection is closed."""
        if len(self._unanswered) <= self._n_failed:
            self._unanswered.clear()
        super()._judge_service()

    @property
    def _crashed_in_library(self) -> bool:
        """In one that is known to."""
        place = self.gateway.stderr.partition("crashed:\n")[2].split("\n")[:6]
        code = self.gateway.process.poll()
        return any(name in line and code in codes for line in place
                   for name, codes in LIBRARIES.items())

    async def _await_end(self):
        self.gateway.may_end_with(OUT_OF_MEMORY)
        try:
            code = await asyncio.to_thread(self.gateway.wait)
            if code < 0 and self._crashed_in_library:
                self.gateway.may_end_with(code)
                self.totals.counts["crashes of libraries"] += 1
        except subprocess.TimeoutExpired:
            pass  # told by whom it is asked next
        await super()._await_end()

    async def _ended_by_itself(self):
        """As it must where there is no way out, with a word and a code of its own."""
        await self._await_end()
        self._is_lost = True
        if "out of memory" not in self.gateway.stderr and not self._crashed_in_library:
            self.findings.add("end", f"by itself, with {self.gateway.process.returncode}: no word")
        self.totals.counts["ends without memory"] += 1
