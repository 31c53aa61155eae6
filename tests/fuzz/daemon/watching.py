# SPDX-License-Identifier: Apache-2.0
"""Threads beside a round, whose loop of callers and upstreams may be late: one asks /livez again and
again, one sees to it that this program itself stays small."""

import faulthandler
import os
import resource
import socket
import sys
import threading
import time

from rig.settings import SLOW

#: /livez answers within this, whatever others do. [s]
LIVEZ_BOUND = 2 * SLOW


class Pulse(threading.Thread):
    """Asks /livez."""

    def __init__(self, port: int):
        super().__init__(daemon=True)
        self._port = port
        self._end = threading.Event()
        self.asked, self.longest = 0, 0.0
        self.wrong: str | None = None

    def run(self):
        while not self._end.wait(0.1):
            begin = time.monotonic()
            try:
                answer = self._ask()
            except OSError as error:
                answer = repr(error).encode()
            taken = time.monotonic() - begin
            if self._end.is_set():
                return
            self.asked += 1
            self.longest = max(self.longest, taken)
            if not answer.startswith(b"HTTP/1.1 200"):
                self.wrong = f"after {taken:.1f} s: {answer[:200]!r}"
                return

    def _ask(self) -> bytes:
        with socket.create_connection(("127.0.0.1", self._port), LIVEZ_BOUND) as caller:
            caller.settimeout(LIVEZ_BOUND)
            caller.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return caller.recv(4096)

    def stop(self):
        self._end.set()
        if self.is_alive():
            self.join()


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
