#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fuzzes the whole daemon ($RPCGATED, else build/rpcgated): round after round it is started, called
well and badly, before upstreams that misbehave, reloaded, and ended. Prints its seed and what was
counted; a round with a finding is told with the command that repeats it, and ends the run."""

import argparse
import asyncio
import logging
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration"))
from authority import Certificates  # noqa: E402
from behaviours import BEHAVIOURS  # noqa: E402
from journal import Findings, Journal, Totals  # noqa: E402
from memory import MemoryRound  # noqa: E402
from rig.settings import RPCGATED  # noqa: E402
from rounds import Round  # noqa: E402


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/fuzz/daemon", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeats what that seed does (a new one)")
    parser.add_argument("--seconds", type=float, default=60, help="how long (60)")
    parser.add_argument("--round", type=int, help="only this round of the seed, again and again")
    parser.add_argument("--callers", help="only these callers of it, such as 3,7")
    parser.add_argument("--failing-memory", action="store_true",
                        help="allocations fail; for a build without sanitizers")
    parser.add_argument(
        "--keep-going",
        action="store_true",
        help="does not end with the first finding")
    parser.add_argument("--journal", type=Path, default=Path("fuzz-daemon"),
                        help="folder for the journals of rounds with a finding (fuzz-daemon)")
    parser.add_argument("--without", default="", help="behaviours of upstreams to leave out, such "
                        "as folded,bomb: those that are known to be fatal")
    chosen = parser.parse_args()
    for name in filter(None, chosen.without.split(",")):
        del BEHAVIOURS[name]
    return chosen


class Run:
    def __init__(self, chosen: argparse.Namespace):
        self._options = chosen
        self.seed = chosen.seed
        if self.seed is None:
            self.seed = random.SystemRandom().randrange(10 ** 9)
        self.totals = Totals()
        self.failed = 0

    def rounds(self, folder: Path):
        certificates = Certificates(folder)
        end = time.monotonic() + self._options.seconds
        number = self._options.round or 0
        while time.monotonic() < end:
            self._round(number, folder, certificates)
            if self.failed and not self._options.keep_going:
                return
            number += self._options.round is None

    def _round(self, number: int, folder: Path, certificates: Certificates):
        journal = Journal(folder / f"round{number}.journal")
        findings = Findings(journal)
        journal.begin(f"seed {self.seed}, round {number}, {RPCGATED}")
        only = self._options.callers
        with tempfile.TemporaryDirectory(prefix="rpcgate-") as place:
            kind = MemoryRound if self._options.failing_memory else Round
            one = kind(f"{self.seed}/{number}", Path(place), certificates, journal, findings,
                       self.totals, {int(caller) for caller in only.split(",")} if only else None)
            try:
                asyncio.run(one.run())
            except (RuntimeError, AssertionError) as error:  # it did not start, or not become ready
                findings.add("broken", f"{error!r:.3000}")
        self.totals.counts["rounds"] += 1
        journal.close()
        if findings:
            self._tell(number, journal, findings)
        for file in folder.glob(f"round{number}.*"):
            file.unlink()

    def _tell(self, number: int, journal: Journal, findings: Findings):
        self.failed += 1
        kept = self._options.journal
        kept.mkdir(parents=True, exist_ok=True)
        for file in journal.path.parent.glob(f"{journal.path.stem}.*"):
            (kept / f"seed{self.seed}-{file.name}").write_bytes(file.read_bytes())
        more = " --failing-memory" if self._options.failing_memory else ""
        if self._options.without:
            more += f" --without {self._options.without}"
        print(
            f"round {number}:",
            *findings.texts,
            f"replay: RPCGATED={RPCGATED} tests/fuzz/daemon/__main__.py "
            f"--seed {self.seed} --round {number}{more}",
            f"journal: {kept}/seed{self.seed}-{journal.path.name}",
            sep="\n  ",
            flush=True)

    def tell(self):
        self.totals.tell()
        print(f"{self.failed} rounds with findings" if self.failed else "nothing found")


def main() -> int:
    # connections that are lost are the rule here
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    run = Run(options())
    print(f"{RPCGATED}\nseed {run.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="rpcgate-fuzz-") as folder:
        run.rounds(Path(folder))
    run.tell()
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
