# SPDX-License-Identifier: Apache-2.0
"""SIGTERM and SIGINT: running calls are drained, nothing aborts, the exit code is 0."""

import asyncio
import signal

import pytest

from rig import crowd
from rig.check import assert_problem
from rig.wire import request

pytestmark = pytest.mark.concurrency


class Held:
    """An upstream that holds every call of `held` until its gate is opened."""

    def __init__(self, start):
        self.upstream = start.upstream(self._behave)
        self.gate = self.upstream.gate()

    async def _behave(self, x):
        if x.method == "held":
            await self.gate.passed()
        await x.answer(x.params[0] if x.params else None)


def gateway_of(start, held: Held, names=("up",), **settings):
    upstreams = {name: {"url": held.upstream.url} for name in names}
    return start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": upstreams, **settings})


def wait_draining(caller):
    """Returns when the gateway drains, as a kept connection shows it: first the status changes,
    then, when listeners close, the connection is to be closed."""
    while True:
        answer = caller.ask("GET", "/readyz")
        assert answer.json["status"] == ("ready" if answer.status == 200 else "draining")
        if answer.closes:
            assert answer.status == 503
            return


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_gateway_ends_at_once(start, number):
    held = Held(start)
    gateway = gateway_of(start, held)
    with gateway.connect() as idle, gateway.connect("unix"):
        assert idle.ask("GET", "/livez").status == 200
        gateway.signal(number)
        gateway.assert_clean_end()
        assert idle.ends()


def test_two_hundred_running_calls_are_answered(start):
    """SIGTERM while 200 calls run: 200 answers, then exit 0."""
    held = Held(start)
    names = ["a", "b", "c", "d"]
    gateway = gateway_of(start, held, names, workers=4)

    async def main():
        everyone = await crowd.gather_callers(gateway.tcp, 200)
        calls = [asyncio.create_task(caller.call(names[n % 4], "held", [f"n{n}"]))
                 for n, caller in enumerate(everyone)]
        await asyncio.to_thread(held.upstream.wait_requests, 200)
        probe = await crowd.Caller.connect(gateway.tcp)
        gateway.signal(signal.SIGTERM)
        while not (await probe.ask("GET", "/readyz")).closes:
            pass
        held.gate.open()
        answers = await asyncio.gather(*calls)
        assert [answer.result for answer in answers] == [f"n{n}" for n in range(200)]
    crowd.run(main())
    gateway.assert_clean_end()
    assert set(held.upstream.executed.values()) == {1}


def test_draining_as_callers_see_it(start):
    """/readyz is 503 at once, nobody new gets in, kept connections are served and closed. With one
    worker only: each sees the signal in its own time."""
    held = Held(start)
    gateway = gateway_of(start, held, workers=1)
    with gateway.connect() as running, gateway.connect() as probe, gateway.connect() as kept:
        for caller in (probe, kept):
            assert caller.ask("GET", "/livez").status == 200
        running.send(request("POST", "/v1/up/held", b'["h"]'))
        held.upstream.wait_requests(1)
        gateway.signal(signal.SIGTERM)
        wait_draining(probe)
        assert probe.ends()
        with pytest.raises(ConnectionError):
            gateway.connect()
        with pytest.raises(OSError):
            gateway.connect("unix")
        last = kept.ask("POST", "/v1/up/m", b'["k"]')
        assert last.result == "k" and last.closes and kept.ends()
        held.gate.open()
        answer = running.answer()
        assert answer.result == "h" and answer.closes and running.ends()
        gateway.assert_clean_end()


def test_lame_duck(start):
    """For that time new connections are still accepted, and told not to stay."""
    held = Held(start)
    gateway = gateway_of(start, held, limits={"lame_duck": "1s"})
    with gateway.connect() as probe:
        assert probe.ask("GET", "/readyz").status == 200
        gateway.signal(signal.SIGTERM)
        while probe.ask("GET", "/readyz").status == 200:
            pass
    answer = gateway.call("up", "m", ["late"])
    assert answer.result == "late"
    gateway.assert_clean_end()


def test_what_does_not_end_is_cut_off(start):
    """After limits.drain the rest gets `draining`, and the exit code is still 0."""
    held = Held(start)
    gateway = gateway_of(start, held, limits={"drain": "300ms"}, workers=2)
    callers = [gateway.connect() for _ in range(20)]
    for caller in callers:
        caller.send(request("POST", "/v1/up/held", b'["h"]'))
    held.upstream.wait_requests(20)
    gateway.signal(signal.SIGTERM)
    for caller in callers:
        assert_problem(caller.answer(), "draining", 503, "unknown", upstream="up", method="held")
        assert caller.ends()
        caller.close()
    gateway.assert_clean_end()


def test_a_reply_on_its_way_arrives(start):
    """Though limits.drain is over while the caller still reads it."""
    held = Held(start)
    gateway = gateway_of(start, held, limits={"drain": "0s"}, workers=1)
    text = b"z" * 4_000_000
    with gateway.connect() as caller:
        caller.send(request("POST", "/v1/up/m", b'["' + text + b'"]'))
        got = caller.socket.recv(1000)
        gateway.signal(signal.SIGTERM)
        gateway.wait_line("stopping")
        while more := caller.socket.recv(1 << 20):
            got += more
    assert got.endswith(text + b'"}')
    gateway.assert_clean_end()


def test_no_drain_at_all(start):
    held = Held(start)
    gateway = gateway_of(start, held, limits={"drain": "0s"})
    with gateway.connect() as caller:
        caller.send(request("POST", "/v1/up/held", b'["h"]'))
        held.upstream.wait_requests(1)
        gateway.signal(signal.SIGTERM)
        assert_problem(caller.answer(), "draining", 503, "unknown")
        gateway.assert_clean_end()


def test_callers_that_are_gone_keep_nothing_up(start):
    """Suspended connections whose callers left do not hold the end up, nor abort it."""
    held = Held(start)
    gateway = gateway_of(start, held, limits={"drain": "300ms"})
    for number, leave in enumerate(("close", "reset") * 4, 1):
        caller = gateway.connect()
        caller.send(request("POST", "/v1/up/held", b'["h"]'))
        held.upstream.wait_requests(number)
        getattr(caller, leave)()
    gateway.signal(signal.SIGTERM)
    gateway.assert_clean_end()


def test_half_sent_requests_keep_nothing_up_for_ever(start):
    """Heads and bodies that never come to an end are cut off with the drain."""
    held = Held(start)
    gateway = gateway_of(start, held, limits={"drain": "500ms"})
    whole = request("POST", "/v1/up/m", b'["h"]')
    callers = [gateway.connect() for _ in range(4)]
    for caller, size in zip(callers, (1, 30, len(whole) - 5, len(whole) - 1)):
        caller.send(whole[:size])
    assert gateway.get("/livez").status == 200
    gateway.signal(signal.SIGTERM)
    gateway.assert_clean_end()
    for caller in callers:
        caller.rest()
        caller.close()
    assert not held.upstream.exchanges


def test_second_signal_ends_at_once(start):
    held = Held(start)
    gateway = gateway_of(start, held)
    with gateway.connect() as caller, gateway.connect() as probe:
        assert probe.ask("GET", "/readyz").status == 200
        caller.send(request("POST", "/v1/up/held", b'["h"]'))
        held.upstream.wait_requests(1)
        gateway.signal(signal.SIGTERM)
        wait_draining(probe)
        gateway.signal(signal.SIGTERM)
        code = gateway.wait()
    assert code in (0, 1, -signal.SIGTERM), gateway.stderr
    gateway.may_end_with(code)


def test_signal_while_connections_come(start):
    """Connections that come at the very moment are answered, told, refused or closed; there is
    never a crash."""
    held = Held(start)
    gateway = gateway_of(start, held, workers=4)

    async def main():
        answered = 0

        async def work():
            nonlocal answered
            while True:
                try:
                    caller = await crowd.Caller.connect(gateway.tcp)
                    answer = await caller.call("up", "m", ["x"])
                except (OSError, asyncio.IncompleteReadError):
                    return
                if answer.status != 200:
                    assert_problem(answer, "draining", 503)
                caller.close()
                answered += 1
                if answered == 100:
                    gateway.signal(signal.SIGTERM)
        await asyncio.gather(*(work() for _ in range(16)))
        assert answered >= 100
    crowd.run(main())
    gateway.assert_clean_end()


def test_sockets_path_is_removed(start):
    held = Held(start)
    gateway = gateway_of(start, held)
    path = gateway.folder / "api.sock"
    assert path.is_socket() and path.stat().st_mode & 0o777 == 0o600
    gateway.stop()
    assert not path.exists()
