# SPDX-License-Identifier: Apache-2.0
"""Servers that end connections which they could keep, without saying so: the gateway learns for how
long they keep them, over all of its workers, and sends no call where it would meet the end."""

import json
import random
import re

import pytest

from rig.check import assert_problem
from rig.codec import RPCGATE
from rig.gateway import run_program
from rig.misbehave import sends
from rig.programs import need
from rig.servers import Haproxy, Nginx
from rig.settings import configuration
from rig.upstream import http_response, response_document

CALLS = 1000
#: Calls that may be lost before it is known.
FEW = 5


def ending(up_to: float):
    """Ends each connection by itself, so many seconds after its answer at most."""
    async def behave(x):
        await x.answer(x.params[0])
        await x.after(random.random() * up_to)
        x.close()
    return behave


def count_lost(gateway, upstream, calls: int = CALLS, name: str = "up") -> int:
    """One after another, each on a connection of its own, so that all workers have some."""
    lost = 0
    for number in range(calls):
        answer = gateway.call(name, "m", [f"{name} {number}"])
        if answer.status != 200:
            document = assert_problem(answer, "connection-lost", 502, "unknown")
            assert document["setting"] == "timeouts.idle"
            assert "timeouts.idle" in document["detail"]
            lost += 1
    executed = {nonce: n for nonce, n in upstream.executed.items() if str(nonce).startswith(name)}
    assert max(executed.values()) == 1 and calls - lost <= len(executed) <= calls
    return lost


@pytest.mark.parametrize("up_to", [0, 0.001, 0.005])
@pytest.mark.parametrize("workers", [1, 4])
def test_ends_soon_after_the_answer(start, up_to, workers):
    upstream = start.upstream(ending(up_to))
    gateway = start.simple(upstream, workers=workers)
    assert count_lost(gateway, upstream) <= FEW


def test_ends_with_a_reset(start):
    async def behave(x):
        await x.answer(x.params[0])
        await x.after(random.random() * 0.003)
        x.reset()
    upstream = start.upstream(behave)
    assert count_lost(start.simple(upstream, workers=2), upstream, 300) <= FEW


def test_ends_on_a_unix_socket(start, tmp_path):
    upstream = start.upstream(ending(0.003), unix=str(tmp_path / "up.sock"))
    assert count_lost(start.simple(upstream, workers=2), upstream, 300) <= FEW


def test_digest(start):
    """A nonce for each call. A request with credentials never meets an end."""
    told, used = [0], set()

    async def behave(x):
        nonce = re.search(r'nonce="(n\d+)"', x.header("Authorization") or "")
        if nonce and nonce[1] not in used:
            used.add(nonce[1])
            await x.answer("in")
        else:
            told[0] += 1
            await x.respond(b"no", "401 Unauthorized", {
                "WWW-Authenticate": f'Digest realm="r", nonce="n{told[0]}", qop="auth", stale=true'})
        await x.after(random.random() * 0.005)
        x.close()
    upstream = start.upstream(behave)
    gateway = start.simple(upstream, workers=2, upstreams={"up": {
        "url": upstream.url, "breaker": {"failures": 0},
        "auth": {"scheme": "digest", "username": "user", "password": "correct-horse"}}})
    lost = sum(gateway.call("up", "m").status != 200 for _ in range(300))
    assert lost <= FEW and len(used) >= 300 - lost


NAMES = ("nginx", "haproxy")


@pytest.fixture(params=NAMES)
def real_server(request, start, tmp_path):
    """A server that nobody here wrote, which ends idle connections after 3 ms."""
    async def behave(x):
        await x.answer(x.params[0])
    backend = start.upstream(behave)
    server = Nginx(tmp_path, f"http://127.0.0.1:{backend.port}", {
        "ends": "keepalive_timeout 3ms;"}) if request.param == "nginx" else Ending(
        tmp_path, backend.port)
    yield server, backend
    server.stop()


class Ending(Haproxy):
    """HAProxy before one backend."""

    def __init__(self, folder, backend_port: int):
        self._backend_port = backend_port
        super().__init__(folder, {})

    def make(self) -> list[str]:
        config = self.folder / "ends.cfg"
        config.write_text(f"""
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout http-keep-alive 3ms
listen ends
    bind 127.0.0.1:{self.port}
    server one 127.0.0.1:{self._backend_port}
""")
        return [need("haproxy"), "-db", "-f", str(config)]


def test_a_real_server(start, real_server):
    server, backend = real_server
    gateway = start.gateway({"workers": 2, "anonymous": {"allow": ["*/*"]}, "upstreams": {
        "up": {"url": f"http://127.0.0.1:{server.port}/RPC2", "breaker": {"failures": 0}}}})
    assert count_lost(gateway, backend) <= FEW


def test_is_learnt_for_all_workers(start):
    """What one has seen the others do not try: with 8 of them no more is lost."""
    upstream = start.upstream(ending(0.004))
    gateway = start.simple(upstream, workers=8)
    assert count_lost(gateway, upstream, 400) <= FEW
    for number in range(400):
        assert gateway.call("up", "m", [f"again {number}"]).status == 200


def test_is_kept_again(start):
    """Whoever ended all connections once, as in a restart, is used as before after a while: seen by
    the age of one that rests, also while calls come all the time."""
    upstream = start.upstream()
    gateway = start.simple(upstream, workers=1)
    assert gateway.call("up", "m", ["first"]).result == "first"
    upstream.close_idle()
    connections = upstream.connections

    def is_kept() -> bool:
        before = upstream.connections
        for number in range(5):
            assert gateway.call("up", "m", [number]).result == number
        return upstream.connections == before
    for _ in range(2000):
        if is_kept():
            break
    else:
        raise AssertionError("it is not used again")
    assert upstream.connections > connections


def test_who_keeps_them_is_used_as_before(start):
    upstream = start.upstream()
    gateway = start.simple(upstream, workers=1)
    for number in range(50):
        assert gateway.call("up", "m", [number]).result == number
    assert upstream.connections == 1


def test_lost_after_the_first_byte_is_no_end(start):
    """Who breaks off in its answer has had the request: other kept connections are as good as
    before, and no setting is named."""
    upstream = start.upstream()
    gateway = start.simple(upstream, workers=1)
    assert gateway.call("up", "m", [1]).result == 1
    upstream.behave = sends(http_response(response_document("x"))[:30])
    document = assert_problem(gateway.call("up", "m", [2]), "connection-lost", 502, "unknown")
    assert "setting" not in document

    async def answer(x):
        await x.answer(x.params[0])
    upstream.behave = answer
    assert gateway.call("up", "m", [3]).result == 3
    connections = upstream.connections
    assert gateway.call("up", "m", [4]).result == 4
    assert upstream.connections == connections


def test_check_names_the_setting(start, tmp_path):
    """The one call of a check has a connection of its own; what ends a kept one is told by the end
    of that."""
    async def behave(x):
        await x.answer(["a"])
        x.close()
    path = tmp_path / "rpcgate.conf"
    path.write_text(configuration({
        "listen": [{"address": "127.0.0.1", "port": 0}], "anonymous": {"allow": ["*/*"]},
        "upstreams": {"up": {"url": start.upstream(behave).url}}}))
    done = run_program("check", "-c", str(path), "--json", program=RPCGATE)
    step = json.loads(done.stdout)["upstreams"][0]["urls"][0]["steps"][-1]
    assert done.returncode == 0 and step["result"] == "ok"
    assert "timeouts.idle" in step["advice"]
