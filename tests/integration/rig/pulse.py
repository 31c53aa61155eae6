# SPDX-License-Identifier: Apache-2.0
"""How long /livez takes at most while a test does something. Asked by a process of its own: in the
test's, callers and upstreams with large bodies keep other threads from running."""

import json
import subprocess
import sys
from contextlib import contextmanager

_PROGRAM = """
import json, select, socket, sys, time
port, every, bound = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
told = {"asked": 0, "longest": 0.0, "wrong": None}

def ask():
    with socket.create_connection(("127.0.0.1", port), bound) as caller:
        caller.settimeout(bound)
        caller.sendall(b"GET /livez HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
        return caller.recv(4096)

def has_ended(wait):
    return bool(select.select([0], [], [], wait)[0])

print("ready", flush=True)
while told["wrong"] is None and not has_ended(every):
    began = time.monotonic()
    try:
        answer = ask()
    except OSError as error:
        answer = repr(error).encode()
    taken = time.monotonic() - began
    if has_ended(0):
        break
    told["asked"] += 1
    told["longest"] = max(told["longest"], taken)
    if not answer.startswith(b"HTTP/1.1 200"):
        told["wrong"] = f"after {taken:.1f} s: {answer[:200]!r}"
print(json.dumps(told))
"""


class Pulse:
    """Asks again and again, on a new connection each time, until it is stopped or the answer is wrong
    or later than `bound`. `every`: the pause between two. [s]"""

    def __init__(self, port: int, every: float, bound: float):
        self.asked, self.longest = 0, 0.0
        self.wrong: str | None = None
        # pylint: disable-next=consider-using-with # it is stopped by stop()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(port), str(every), str(bound)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "ready\n"

    def stop(self):
        """Twice is fine."""
        if self._process is None:
            return
        text, _ = self._process.communicate()  # closes its standard input
        self._process = None
        told = json.loads(text)
        self.asked, self.longest, self.wrong = told["asked"], told["longest"], told["wrong"]


@contextmanager
def pulse(gateway):
    """Asks the gateway's /livez as long as it is open."""
    beats = Pulse(gateway.tcp[1], 0.002, 60)
    try:
        yield beats
    finally:
        beats.stop()
    assert beats.wrong is None, beats.wrong
