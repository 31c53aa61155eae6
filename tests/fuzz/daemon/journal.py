# SPDX-License-Identifier: Apache-2.0
"""What was done, line by line in a file, and what was found to be wrong."""

import time
from collections import Counter
from pathlib import Path


class Journal:
    """The file of one round; the next round begins anew."""

    def __init__(self, path: Path):
        self.path = path
        self._file = None
        self._begin = 0.0

    def begin(self, title: str):
        self.close()
        # pylint: disable-next=consider-using-with # it is open for a whole round
        self._file = open(self.path, "w", encoding="utf-8", errors="backslashreplace")
        self._begin = time.monotonic()
        self.note("round", title)

    def note(self, who: str, what: str):
        """Control characters are escaped, so that a line is one entry."""
        shown = what if what.isprintable() else repr(what)
        self._file.write(f"{time.monotonic() - self._begin:8.3f} {who:<12} {shown}\n")

    def close(self):
        if self._file is not None:
            self._file.close()
            self._file = None

    def flush(self):
        if self._file is not None:
            self._file.flush()


class Findings:
    """What is wrong, of the round that runs and of all; many of a kind count as one."""

    SHOWN = 5  # of each kind in a round
    LENGTH = 2000  # of each

    def __init__(self, journal: Journal):
        self._journal = journal
        self._kinds: Counter[str] = Counter()
        self.texts: list[str] = []

    def begin(self):
        self._kinds.clear()
        self.texts.clear()

    def add(self, kind: str, text: str):
        self._kinds[kind] += 1
        text = text[:self.LENGTH]
        self._journal.note("FOUND", f"{kind}: {text}")
        if self._kinds[kind] <= self.SHOWN:
            self.texts.append(f"{kind}: {text}")

    def __bool__(self):
        return bool(self.texts)


class Totals:
    """Of all rounds."""

    def __init__(self):
        self.counts: Counter[str] = Counter()
        self.answers: Counter[int] = Counter()
        self.behaved: Counter[str] = Counter()
        self._slowest = 0.0

    def pulse(self, asked: int, slowest: float):
        self.counts["/livez"] += asked
        self._slowest = max(self._slowest, slowest)

    def tell(self):
        for name, count in sorted(self.counts.items()):
            print(f"{name:<24} {count:>9,}")
        print(f"slowest /livez           {self._slowest * 1000:>9,.0f} ms")
        print(f"{len(self.behaved)} behaviours of upstreams, answers:",
              ", ".join(f"{count:,} of {status}" for status, count in sorted(self.answers.items())))
