# SPDX-License-Identifier: Apache-2.0
"""Two gateways behind HAProxy, as docs/haproxy.cfg has it: each is restarted under load, and no call
fails, none runs twice."""

import asyncio
import signal

import pytest

from rig import crowd
from rig.programs import free_port
from rig.servers import Haproxy

pytestmark = pytest.mark.concurrency

CALLERS = 64


@pytest.fixture
def pair(start, tmp_path):
    """The upstream, the gateways by name, and HAProxy before them."""
    upstream = start.upstream()
    ports = {"one": free_port(), "two": free_port()}

    gateways = {}

    def run(name: str):
        gateways[name] = start.simple(
            upstream, listen=[{"address": "127.0.0.1", "port": ports[name]}],
            limits={"lame_duck": "3s", "drain": "10s"})

    for name in ports:
        run(name)
    proxy = Haproxy(tmp_path, ports)
    for name in ports:
        proxy.wait_state(name, up=True)
    yield upstream, gateways, run, proxy
    proxy.stop()
    for gateway in gateways.values():
        gateway.signal(signal.SIGTERM)
    for gateway in gateways.values():
        gateway.assert_clean_end()


class Load:
    """Callers on kept connections who call without end until they are told to stop."""

    def __init__(self, address):
        self.address = address
        self.calls = 0
        self.failed: list = []
        self._over = False

    async def _call(self, caller: crowd.Caller, name: str):
        number = 0
        while not self._over:
            nonce = f"{name}-{number}"
            answer = await caller.call("up", "m", [nonce])
            if answer.status != 200 or answer.result != nonce:
                self.failed.append((nonce, answer))
            number += 1
            self.calls += 1

    async def during(self, work):
        """Runs `work`, in a thread, under the load."""
        callers = await crowd.gather_callers(self.address, CALLERS)
        tasks = [asyncio.create_task(self._call(caller, str(number)))
                 for number, caller in enumerate(callers)]
        try:
            await asyncio.to_thread(work)
        finally:
            self._over = True
        await asyncio.gather(*tasks)
        for caller in callers:
            caller.close()


def test_restarts_under_load(pair):
    upstream, gateways, run, proxy = pair
    load = Load(("127.0.0.1", proxy.port))

    def restart_each():
        for name in list(gateways):
            gateways[name].signal(signal.SIGTERM)
            gateways[name].assert_clean_end()
            proxy.wait_state(name, up=False)
            run(name)
            proxy.wait_state(name, up=True)

    crowd.run(load.during(restart_each), 120)
    assert load.failed == [], load.failed[:3]
    assert load.calls > CALLERS
    assert len(upstream.executed) == load.calls
    assert set(upstream.executed.values()) == {1}
