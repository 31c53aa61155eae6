# SPDX-License-Identifier: Apache-2.0
"""How long /livez takes at most while a test does something. Asked by a process of its own: in the
test's, callers and upstreams with large bodies keep other threads from running."""

import subprocess
import sys
from contextlib import contextmanager

_PROGRAM = """
import http.client, os, select, sys, time
there = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
longest = 0.0
print("ready", flush=True)
while not select.select([0], [], [], 0)[0]:
    began = time.monotonic()
    there.request("GET", "/livez")
    answer = there.getresponse()
    answer.read()
    assert answer.status == 200, answer.status
    longest = max(longest, time.monotonic() - began)
print(longest)
"""


class Pulse:
    longest = None  # [s], once it has ended


@contextmanager
def pulse(gateway):
    """Asks the gateway's /livez again and again as long as it is open."""
    beats = Pulse()
    with subprocess.Popen([sys.executable, "-c", _PROGRAM, str(gateway.tcp[1])],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        try:
            yield beats
        finally:
            longest, _ = process.communicate()  # closes its standard input
        assert process.returncode == 0
    beats.longest = float(longest)
