# SPDX-License-Identifier: Apache-2.0
"""A thread beside a round: it sees to it that this program itself stays small."""

import faulthandler
import os
import resource
import sys
import threading


class Guard(threading.Thread):
    """Ends this program before it takes all of the machine's memory, and tells what it was at.
    `run` is the round."""

    MOST = 3 << 30  # resident [bytes]

    def __init__(self, run):
        super().__init__(daemon=True)
        self._run = run
        self._end = threading.Event()

    def run(self):
        while not self._end.wait(0.2):
            with open("/proc/self/statm", encoding="ascii") as sizes:
                resident = int(sizes.read().split()[1]) * resource.getpagesize()
            if resident > self.MOST:
                self._give_up(resident)

    def _give_up(self, resident: int):
        gateway = self._run.gateway
        if gateway is not None:
            gateway.process.kill()
            print(f"{len(gateway.lines)} lines of log, the last ones:", *gateway.lines[-20:],
                  sep="\n  ")
        print(f"{self._run.seed}: this program itself has {resident:,} bytes", flush=True)
        faulthandler.dump_traceback(sys.stdout)
        self._run.journal.flush()
        os._exit(3)

    def stop(self):
        self._end.set()
        self.join()
