# SPDX-License-Identifier: Apache-2.0
"""What a daemon holds when nothing is left to do: no more than it did at its start."""

import asyncio
import os
import time

from rig.settings import SLOW

#: Until all that was under way has ended: calls, what callers left behind, idle connections. [s]
REST_TIME = 20 * SLOW

#: Descriptors that come with the first calls and reloads, for each worker and upstream: libcurl's,
#: and the loop's.
FEW = 3

#: What a worker keeps of limits.memory for the next calls: readers, writers of documents. [bytes]
KEPT = 128 * 1024

_ESTABLISHED = "01"
_CLOSE_WAIT = "08"


def _descriptors(pid: int) -> list[str]:
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            pass  # closed meanwhile
    return found


def _tcp_connections(pid: int) -> int:
    """Those that the process has open, which are no listeners."""
    sockets = {name[8:-1] for name in _descriptors(pid) if name.startswith("socket:[")}
    count = 0
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as lines:
            next(lines)
            for line in lines:
                fields = line.split()
                count += fields[3] in (_ESTABLISHED, _CLOSE_WAIT) and fields[9] in sockets
    return count


class Rest:
    """Of one daemon. `run` is the round."""

    def __init__(self, run):
        self._run = run
        self._descriptors = 0

    @property
    def _pid(self) -> int:
        return self._run.gateway.process.pid

    def begin(self):
        self._descriptors = len(_descriptors(self._pid))

    async def _metrics(self) -> dict[str, float]:
        """By name and labels."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._run.port, limit=1 << 24)
        try:
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                         + f"Authorization: Bearer {self._run.tokens[0]}\r\n\r\n".encode())
            text = (await asyncio.wait_for(reader.read(), self._run.patience)).decode()
        finally:
            writer.close()
        lines = text.partition("\r\n\r\n")[2].splitlines()
        metrics = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines
                   if line and not line.startswith("#")}
        # What this answer itself has taken: blocks, each twice as large as the one before.
        metrics["rpcgate_memory_bytes"] -= 2 * len(text)
        return metrics

    @staticmethod
    def _sum(metrics: dict[str, float], name: str) -> float:
        return sum(value for key, value in metrics.items()
                   if key == name or key.startswith(name + "{"))

    def _left(self, metrics: dict[str, float], servers: dict) -> dict[str, float]:
        """What is still there, and should not be: one connection is that of the question itself."""
        few = FEW * 4 * (len(self._run.names) + 2)
        left = {
            "callers' connections": self._sum(metrics, "rpcgate_connections") - 1,
            "calls": self._sum(metrics, "rpcgate_upstream_connections"),
            "memory": self._sum(metrics, "rpcgate_memory_bytes") - KEPT * self._run.workers,
            "TCP connections": _tcp_connections(self._pid) - 1,
            **{f"connections of {name}": server.open_connections for name, server in servers.items()},
            "descriptors": len(_descriptors(self._pid)) - self._descriptors - few,
        }
        return {name: value for name, value in left.items() if value > 0}

    async def judge(self, servers: dict):
        """Waits until nothing is left; if something stays, that is wrong."""
        end = time.monotonic() + REST_TIME
        left = {}
        while time.monotonic() < end:
            try:
                metrics = await self._metrics()
            except (OSError, ValueError, KeyError, StopIteration) as error:
                if self._run.gateway.process.poll() is not None:
                    return
                self._run.findings.add("rest", f"/metrics: {error!r}")
                return
            if not metrics:
                self._run.findings.add("rest", "/metrics is empty")
                return
            left = self._left(metrics, servers)
            if not left:
                return
            await asyncio.sleep(0.1)
        shown = {key: value for key, value in metrics.items() if value and key.startswith(
            ("rpcgate_connections", "rpcgate_upstream_connections", "rpcgate_memory"))}
        self._run.findings.add("rest", f"still there after {REST_TIME} s: {left}; {shown}")
