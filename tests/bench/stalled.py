# SPDX-License-Identifier: Apache-2.0
"""What calls that wait for one upstream cost those of another: the small call is measured alone and
beside them, in pairs of runs, with one rpcgated that is not started anew in between."""

import contextlib
import socket
import struct
import time
from typing import Callable

from servers import CALL_JSON, Server

SETTINGS = """  stalled = {{
    url = "http://127.0.0.1:{port}";
    timeouts = {{ total = "1h"; }};
    pool = {{ max_queue = 100000; queue_timeout = "1h"; }};
  }};
"""
CALL = (b"POST /v1/stalled/bench.call HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (len(CALL_JSON), CALL_JSON))
REST_TIME = 0.7  # until new calls have reached their place, and ended ones have left it [s]


class StalledUpstream:
    """Connections to it are made, by the kernel; nobody ever reads what comes in."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(4096)

    @property
    def settings(self) -> str:
        return SETTINGS.format(port=self.socket.getsockname()[1])


@contextlib.contextmanager
def waiting_calls(server: Server, count: int):
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            caller = socket.create_connection(("127.0.0.1", server.port))
            stack.callback(caller.close)
            # Only a caller that resets its connection is gone for sure, and its call ends.
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            caller.sendall(CALL)
        time.sleep(REST_TIME)
        yield
    time.sleep(REST_TIME)


def measure_pairs(server: Server, count: int, rounds: int, measure: Callable) -> tuple[list, list]:
    """`measure` gives one run's numbers. Each second pair goes backwards."""
    alone, beside = [], []
    for number in range(rounds):
        if number % 2 == 0:
            alone.append(measure())
        with waiting_calls(server, count):
            beside.append(measure())
        if number % 2 == 1:
            alone.append(measure())
    return alone, beside
