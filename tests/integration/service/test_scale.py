# SPDX-License-Identifier: Apache-2.0
"""Three gateways behind HAProxy, as docs/scale.md has it: one is stopped, one restarted, and one reloaded
under load. No call fails, none runs twice, and the server never has more sessions than they may make."""

import itertools
import signal
import time

import pytest

from rig import crowd
from rig.load import Load
from rig.programs import free_port
from rig.servers import Haproxy
from rig.settings import DEADLINE, up_settings

pytestmark = pytest.mark.concurrency

CALLERS = 48
NAMES = ("one", "two", "three")
PARALLEL = 2  # sessions of each instance


class Server:
    """Knows who is logged in, and answers nobody else."""

    def __init__(self):
        self.numbers = itertools.count(1)
        self.sessions: set[str] = set()
        self.most = 0  # at once
        self.logins = 0
        self.ran: dict[str, int] = {}
        self.strangers = 0

    async def __call__(self, x):
        if x.method == "login":
            key = f"key-{next(self.numbers)}-0123456789abcdef"
            self.sessions.add(key)
            self.logins += 1
            self.most = max(self.most, len(self.sessions))
            return await x.answer(key)
        key, *params = x.params
        if key not in self.sessions:
            self.strangers += 1
            return await x.answer_fault(1, "who are you?")
        if x.method == "logout":
            self.sessions.discard(key)
            return await x.answer(True)
        self.ran[params[0]] = self.ran.get(params[0], 0) + 1
        await x.answer(*params)


@pytest.fixture
def three(start, tmp_path):
    """The server, the gateways by name, what starts one, and HAProxy before them."""
    server = Server()
    upstream = start.upstream(server)
    ports = {name: free_port() for name in NAMES}
    gateways = {}
    settings = up_settings(
        upstream, credentials={"password": "s3cret-pw"},
        session={"login": {"method": "login", "params": ["{password}"]},
                 "logout": {"method": "logout", "params": ["{session}"]}, "parallel": PARALLEL},
        inject=[{"params": ["{session}"]}])

    def settings_of(name: str, level: str = "info") -> dict:
        return settings | {"listen": [{"address": "127.0.0.1", "port": ports[name]}],
                           "limits": {"lame_duck": "3s", "drain": "10s"}, "log": {"level": level}}

    def run(name: str):
        gateways[name] = start.gateway(settings_of(name))

    for name in NAMES:
        run(name)
    proxy = Haproxy(tmp_path, ports)
    for name in NAMES:
        proxy.wait_state(name, up=True)
    yield server, gateways, run, settings_of, proxy
    proxy.stop()
    for gateway in gateways.values():
        gateway.signal(signal.SIGTERM)
    for gateway in gateways.values():
        gateway.assert_clean_end()


def test_one_stops_one_restarts_one_reloads(three):
    server, gateways, run, settings_of, proxy = three
    load = Load(("127.0.0.1", proxy.port), CALLERS)

    def go_on():
        """Until calls have gone through what is there now."""
        end, enough = time.monotonic() + DEADLINE, load.calls + 5 * CALLERS
        while load.calls < enough:
            assert time.monotonic() < end, "no call goes through"
            time.sleep(0.01)

    def end(name):
        gateways[name].signal(signal.SIGTERM)
        gateways[name].assert_clean_end()
        proxy.wait_state(name, up=False)

    def happen():
        go_on()
        end("one")
        del gateways["one"]
        go_on()
        end("two")
        run("two")
        proxy.wait_state("two", up=True)
        go_on()
        gateways["three"].reload(settings_of("three", "warning"))
        go_on()

    crowd.run(load.during(happen), 120)
    assert load.failed == [], load.failed[:3]
    assert len(server.ran) == load.calls and set(server.ran.values()) == {1}
    assert server.strangers == 0
    assert server.most <= PARALLEL * len(NAMES)
    # The restarted one has logged in anew; the reload has kept its sessions.
    assert len(NAMES) < server.logins <= PARALLEL * (len(NAMES) + 1)
    # The one that was stopped has logged out.
    assert 0 < len(server.sessions) <= PARALLEL * (len(NAMES) - 1)
