# SPDX-License-Identifier: Apache-2.0
"""Two gateways behind HAProxy, as docs/haproxy.cfg has it: each is restarted under load, and no call
fails, none runs twice."""

import signal

import pytest

from rig import crowd
from rig.load import Load
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


def test_restarts_under_load(pair):
    upstream, gateways, run, proxy = pair
    load = Load(("127.0.0.1", proxy.port), CALLERS)

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
