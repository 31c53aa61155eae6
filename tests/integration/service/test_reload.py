# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: the configuration is read again, all or nothing, and no call is lost."""

import asyncio
import base64
import os
import resource
import signal
import socket
import ssl
import stat
import time

import pytest

from rig import crowd
from rig.certificates import Authority
from rig.check import assert_problem
from rig.process import descriptors
from rig.programs import free_port
from rig.settings import SLOW
from rig.wire import Connection, request

pytestmark = pytest.mark.concurrency

ANYBODY = {"anonymous": {"allow": ["*/*"]}}


def settings(gateway=None, **more) -> dict:
    """What the tests change from; of a running gateway with the listeners that it has."""
    usual = {"workers": 2, **ANYBODY}
    if gateway is not None:
        usual["listen"] = listeners(gateway)
    return usual | more


def listeners(gateway, *more: dict) -> list[dict]:
    return [{"address": "127.0.0.1", "port": 0}, {"unix": gateway.unix, "mode": "0600"}, *more]


def up(upstream, **more) -> dict:
    return {"up": {"url": upstream.url, **more}}


def numbers(gateway) -> dict[str, float]:
    lines = gateway.get("/metrics").body.decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in lines if not line.startswith("#")}


def test_fifty_reloads_a_second(start):
    """For 10 s under load: no call fails, and the unchanged upstream keeps its connections. The
    other upstream changes with each reload."""
    steady, changing = start.upstream(), start.upstream()
    callers, seconds = 16, 10 / SLOW

    def variant(number: int) -> dict:
        return settings(upstreams={
            "up": {"url": steady.url},
            "other": {"url": changing.url, "timeouts": {"total": f"{20000 + number}ms"}}})
    gateway = start.gateway(variant(0))

    async def call(caller, number):
        turns = 0
        while time.monotonic() < end:
            name = "other" if number % 4 == 3 else "up"
            nonce = f"{number} {turns}"
            answer = await caller.call(name, "m", [nonce])
            assert answer.result == nonce
            assert not answer.closes
            turns += 1
        caller.close()
        return turns

    async def reload():
        number = 0
        while (now := time.monotonic()) < end:
            number += 1
            gateway._write(variant(number))
            gateway.signal(signal.SIGHUP)
            await asyncio.sleep(begin + number / 50 - now)  # the rate is what is tested
        return number

    async def main():
        everyone = await crowd.gather_callers(gateway.tcp, callers)
        return await asyncio.gather(reload(), *(call(c, n) for n, c in enumerate(everyone)))
    begin = time.monotonic()
    end = begin + seconds
    reloads, *turns = crowd.run(main())
    assert reloads >= 25 * seconds / SLOW and min(turns) > 0
    assert steady.connections <= callers
    assert set(steady.executed.values()) == {1} and set(changing.executed.values()) == {1}
    gateway.reload()
    found = numbers(gateway)
    assert found['rpcgate_reloads_total{result="failure"}'] == 0
    assert found['rpcgate_reloads_total{result="success"}'] > 10 * seconds / SLOW
    count = sum(value for name, value in found.items()
                if name.startswith("rpcgate_requests_total{") and 'outcome="ok"' in name)
    assert count == sum(turns), "the numbers live on"


def test_connection_of_an_unchanged_upstream_is_kept(start):
    upstream = start.upstream()
    gateway = start.gateway(settings(workers=1, upstreams=up(upstream)))
    assert gateway.call("up", "m", ["a"]).result == "a"
    gateway.reload()
    gateway.reload(settings(workers=1, upstreams=up(upstream) | {"new": {"url": upstream.url}}))
    assert gateway.call("up", "m", ["b"]).result == "b"
    assert upstream.connections == 1
    assert gateway.call("new", "m", ["c"]).result == "c"
    assert upstream.connections == 2


def test_changed_upstream_and_running_call(start):
    """A running call ends on what it began with; new ones use the new settings at once; the old
    connections are closed then."""
    old, new = start.upstream(), start.upstream()
    gate = old.gate()

    async def behave(x):
        await gate.passed()
        await x.answer("old")
    old.behave = behave
    gateway = start.gateway(settings(upstreams=up(old)))
    with gateway.connect() as running, gateway.connect() as kept:
        assert kept.ask("GET", "/livez").status == 200
        running.send(request("POST", "/v1/up/m", b"[]"))
        old.wait_requests(1)
        gateway.reload(settings(upstreams=up(new)))
        answer = kept.ask("POST", "/v1/up/m", b'["new"]')
        assert answer.result == "new" and not answer.closes
        gate.open()
        assert running.answer().result == "old"
        old.wait_for(lambda upstream: upstream.open_connections == 0)
        assert running.ask("POST", "/v1/up/m", b'["then"]').result == "then"


def test_secret_in_a_file_changes(start):
    """The configuration's own text is the same; what it names is not."""
    upstream = start.upstream()
    gateway = start.gateway({"workers": 1})
    secret = gateway.folder / "password"

    def sent() -> str:
        assert gateway.call("up", "m", [1]).result == 1
        scheme, text = upstream.exchanges[-1].header("Authorization").split()
        assert scheme == "Basic"
        return base64.b64decode(text).decode()
    secret.write_text("first-password\n")
    gateway.reload(settings(workers=1, upstreams=up(upstream, auth={
        "scheme": "basic", "username": "u", "password": "${file:%s}" % secret})))
    assert sent() == "u:first-password"
    secret.write_text("second-password\n")
    gateway.reload()
    assert sent() == "u:second-password"
    assert upstream.connections == 2
    gateway.reload()
    assert sent() == "u:second-password"
    assert upstream.connections == 2, "nothing had changed"


def test_removed_upstream(start):
    upstream = start.upstream()
    gateway = start.gateway(settings(upstreams=up(upstream) | {"gone": {"url": upstream.url}}))
    assert gateway.call("gone", "m", [1]).status == 200
    gateway.reload(settings(upstreams=up(upstream)))
    assert_problem(gateway.call("gone", "m", [1]), "not-found", 404, "no")
    assert not any('upstream="gone"' in name for name in numbers(gateway))
    assert [one["name"] for one in gateway.get("/v1").json["upstreams"]] == ["up"]


@pytest.mark.parametrize("text", ["upstreams = {", "nonsense = 1;\nworkers = -1;\n",
                                  'upstreams = { x = { url = "ftp://x"; }; };\nhosts = 3;\n'])
def test_bad_file(start, text):
    """Nothing changes, each error is logged with its line, and the metrics tell."""
    upstream = start.upstream()
    good = settings(upstreams=up(upstream))
    gateway = start.gateway(good)
    path = str(gateway.folder / "rpcgate.conf")
    messages = gateway.reload(text)
    assert "RELOADING" in messages[0] and messages[-1]["READY"] == "1"
    for number, line in enumerate(text.splitlines(), 1):
        if line and "{" not in line or "ftp" in line:
            gateway.wait_line(f"{path}:{number}: ")
    gateway.wait_line("not reloaded")
    assert gateway.call("up", "m", [1]).result == 1
    found = numbers(gateway)
    assert found['rpcgate_reloads_total{result="failure"}'] == 1
    assert found["rpcgate_config_last_reload_successful"] == 0
    gateway.reload(good)
    found = numbers(gateway)
    assert found['rpcgate_reloads_total{result="success"}'] == 1
    assert found["rpcgate_config_last_reload_successful"] == 1


def test_file_that_is_gone(start):
    gateway = start.gateway(settings(upstreams=up(start.upstream())))
    (gateway.folder / "rpcgate.conf").unlink()
    gateway.reload()
    gateway.wait_line("not reloaded")
    assert gateway.call("up", "m", [1]).result == 1


def test_access_and_limits_change(start):
    gateway = start.gateway(settings(upstreams=up(start.upstream())))
    with gateway.connect() as kept:
        assert kept.ask("POST", "/v1/up/m", b"[1]").status == 200
        gateway.reload({"workers": 2, "upstreams": up(start.upstream()),
                        "anonymous": {"allow": ["*/*"], "deny": ["up/m"]}})
        assert_problem(kept.ask("POST", "/v1/up/m", b"[1]"), "forbidden", 403)
    with gateway.connect() as kept:
        assert kept.ask("GET", "/v1").status == 200
        gateway.reload(settings(upstreams=up(start.upstream()), limits={"body": "1K"}))
        assert_problem(kept.ask("POST", "/v1/up/m", b'["%s"]' % (b"x" * 2000)), "body-too-large",
                       413, setting="limits.body")


def test_callers_change(start):
    token, other = "a" * 40, "b" * 40
    upstream = start.upstream()

    def with_token(text):
        return {"upstreams": up(upstream),
                "callers": [{"name": "bot", "token": text, "allow": ["up/*"]}]}

    def status(text):
        return gateway.call("up", "m", [1], Authorization=f"Bearer {text}").status
    gateway = start.gateway(with_token(token))
    assert (status(token), status(other)) == (200, 401)
    gateway.reload(with_token(other))
    assert (status(token), status(other)) == (401, 200)


def test_log_changes(start):
    gateway = start.gateway(settings(upstreams=up(start.upstream())))
    gateway.reload(settings(upstreams=up(start.upstream()), log={"format": "json"}))
    request_id = gateway.call("up", "m", [1]).header("X-Request-Id")
    assert gateway.access_line(request_id)["status"] == 200


def test_new_and_removed_listener(start):
    """A new one serves at once; of a removed one the kept connections are served and closed."""
    upstream = start.upstream()
    gateway = start.gateway(settings(upstreams=up(upstream)))
    path, port = str(gateway.folder / "more.sock"), free_port()
    more = [{"unix": path, "mode": "0600"}, {"address": "127.0.0.1", "port": port}]
    gateway.reload(settings(listen=listeners(gateway, *more), upstreams=up(upstream)))
    with Connection(path) as kept, Connection(("127.0.0.1", port)) as tcp, \
            gateway.connect() as stays:
        for caller in (kept, tcp, stays):
            answer = caller.ask("POST", "/v1/up/m", b'["x"]')
            assert answer.result == "x" and not answer.closes
        gateway.reload(settings(listen=listeners(gateway), upstreams=up(upstream)))
        assert not os.path.exists(path)
        with pytest.raises(ConnectionRefusedError):
            Connection(("127.0.0.1", port))
        for caller in (kept, tcp):
            answer = caller.ask("POST", "/v1/up/m", b'["last"]')
            assert answer.result == "last" and answer.closes and caller.ends()
        answer = stays.ask("POST", "/v1/up/m", b'["on"]')
        assert answer.result == "on" and not answer.closes
    assert not any("more.sock" in name for name in numbers(gateway))


def test_listener_comes_back(start):
    """Away and back in two reloads that follow at once, and again."""
    upstream = start.upstream()
    gateway = start.gateway(settings(upstreams=up(upstream)))
    path = str(gateway.folder / "more.sock")
    with_it = settings(listen=listeners(gateway, {"unix": path}), upstreams=up(upstream))
    without = settings(listen=listeners(gateway), upstreams=up(upstream))
    for _ in range(20):
        gateway._write(without)
        gateway.signal(signal.SIGHUP)
        gateway.wait_notification("RELOADING")
        gateway.reload(with_it)
        with Connection(path) as caller:
            assert caller.ask("GET", "/livez").status == 200


def test_listener_that_cannot_be_opened(start):
    """It makes the whole reload fail; what was opened before it is closed again."""
    upstream = start.upstream()
    gateway = start.gateway(settings(upstreams=up(upstream)))
    path = gateway.folder / "more.sock"
    gateway.reload(settings(listen=listeners(gateway, {"unix": str(path)},
                                             {"address": "127.0.0.1", "port": upstream.port}),
                            upstreams={}))
    gateway.wait_line(f"cannot listen on 127.0.0.1 port {upstream.port}")
    gateway.wait_line("not reloaded")
    assert not path.exists()
    assert gateway.call("up", "m", [1]).result == 1


@pytest.mark.parametrize("end", ["later", "at once"])
def test_no_descriptors(start, end):
    """What a worker cannot open it tries again; a listener that is not served does not hold up the
    end."""
    upstream = start.upstream()
    gateway = start.gateway(settings(workers=4, upstreams=up(upstream)))
    path, pid = str(gateway.folder / "more.sock"), gateway.process.pid
    gateway._write(settings(workers=4, listen=listeners(gateway, {"unix": path}),
                            upstreams=up(upstream)))
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    few = descriptors(pid) + 2
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, hard))
    gateway.signal(signal.SIGHUP)
    gateway.wait_line("tried again")
    if end == "later":
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        gateway.wait_line("configuration reloaded")
        for _ in range(16):
            with Connection(path) as caller:
                assert caller.ask("GET", "/livez").status == 200
    gateway.stop()
    assert not os.path.exists(path)


def test_another_address_of_the_same_port(start):
    upstream, port = start.upstream(), free_port()

    def at(address):
        return settings(listen=[{"address": address, "port": port, "insecure": True}],
                        upstreams=up(upstream))
    gateway = start.gateway(at("127.0.0.1"))
    for address in ("0.0.0.0", "127.0.0.1"):
        gateway.reload(at(address))
        with Connection(("127.0.0.1", port)) as caller:
            assert caller.ask("POST", "/v1/up/m", b"[1]").result == 1
    gateway.wait_line("configuration reloaded")


def test_mode_of_the_unix_socket(start):
    """The socket itself stays: whoever is connected does not notice."""
    upstream = start.upstream()

    def with_mode(mode):
        return settings(listen=[{"address": "127.0.0.1", "port": 0},
                                {"unix": path, "mode": mode}], upstreams=up(upstream))
    path = "/nowhere"
    gateway = start.gateway(settings(upstreams=up(upstream)))
    path = gateway.unix
    before = os.stat(path)
    gateway.reload(with_mode("0620"))
    after = os.stat(path)
    assert stat.S_IMODE(after.st_mode) == 0o620 and after.st_ino == before.st_ino
    gateway.reload(with_mode("0640") | {"listen": [{"address": "127.0.0.1", "port": 0}, {
        "unix": path, "mode": "0666", "group": "no-such-group"}]})
    gateway.wait_line("no-such-group")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o620


def test_server_limits_change(start):
    """A listener's server is made anew on the same socket: nobody is refused, and who is connected
    is told to come again."""
    upstream = start.upstream()
    gateway = start.gateway(settings(upstreams=up(upstream)))
    with gateway.connect() as kept:
        assert kept.ask("GET", "/livez").status == 200
        gateway.reload(settings(upstreams=up(upstream), limits={"headers": "2K"}))
        assert kept.ask("POST", "/v1/up/m", b'["k"]').closes and kept.ends()
    big = request("GET", "/livez", headers={"X-Big": "x" * 4000})
    assert_problem(gateway.raw(big), "invalid-request", 400, setting="limits.headers")
    gateway.reload(settings(upstreams=up(upstream), limits={"header_count": 400}))
    assert gateway.raw(big).status == 200
    many = {f"X-Number-{number}": "x" * 20 for number in range(390)}
    assert gateway.raw(request("GET", "/livez", headers=many)).status == 200


def test_tls_files_change(start, tmp_path):
    """A new certificate is used for the next connection."""
    first = Authority(tmp_path, "first").issue("one")
    second = Authority(tmp_path, "second").issue("two")
    upstream, port = start.upstream(), free_port()

    def with_files(pair):
        return settings(listen=[{"address": "127.0.0.1", "port": port,
                                 "tls": {"cert_file": pair.cert, "key_file": pair.key}}],
                        upstreams=up(upstream))

    def presented():
        return ssl.get_server_certificate(("127.0.0.1", port)).strip()
    gateway = start.gateway(with_files(first))
    assert presented() == open(first.cert).read().strip()
    gateway.reload(with_files(second))
    assert presented() == open(second.cert).read().strip()
    with open(second.cert, "w") as cert, open(second.key, "w") as key:  # certbot's way
        cert.write(open(first.cert).read())
        key.write(open(first.key).read())
    gateway.reload()
    assert presented() == open(first.cert).read().strip()


def test_tls_comes_and_goes(start, tmp_path):
    """On the same port; kept connections are served to their end as they began."""
    pair = Authority(tmp_path, "ca").issue("server")
    upstream, port = start.upstream(), free_port()
    plain = {"address": "127.0.0.1", "port": port}
    tls = {**plain, "tls": {"cert_file": pair.cert, "key_file": pair.key}}
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))

    def at(entry):
        return settings(listen=[entry], upstreams=up(upstream))
    gateway = start.gateway(at(plain))
    with Connection(("127.0.0.1", port)) as kept:
        assert kept.ask("GET", "/livez").status == 200
        gateway.reload(at(tls))
        for _ in range(8):
            with socket.create_connection(("127.0.0.1", port)) as caller:
                with context.wrap_socket(caller, server_hostname="localhost") as caller:
                    caller.sendall(request("GET", "/livez"))
                    assert caller.recv(100).startswith(b"HTTP/1.1 200 ")
        assert kept.ask("POST", "/v1/up/m", b'["k"]').result == "k"
    gateway.reload(at(plain))
    for _ in range(8):
        with Connection(("127.0.0.1", port)) as caller:
            assert caller.ask("GET", "/livez").status == 200


def test_workers_need_a_restart(start):
    upstream = start.upstream()
    gateway = start.gateway(settings(workers=2, upstreams=up(upstream)))
    gateway.reload(settings(workers=3, upstreams=up(upstream)))
    assert "restart" in gateway.wait_line("workers = 3")
    assert gateway.call("up", "m", [1]).result == 1


def test_required_upstreams_follow(start):
    """/readyz depends on those that are required now."""
    down = {"url": f"http://127.0.0.1:{free_port()}", "required": True}
    upstream = start.upstream()
    gateway = start.gateway(settings(upstreams=up(upstream)))
    assert gateway.get("/readyz").status == 200
    gateway.reload(settings(upstreams=up(upstream) | {"down": down}))
    end = time.monotonic() + 20 * SLOW
    while gateway.get("/readyz").status == 200 and time.monotonic() < end:
        pass
    assert gateway.get("/readyz").json == {"status": "upstream-down"}
    gateway.reload(settings(upstreams=up(upstream)))
    assert gateway.get("/readyz").status == 200


def test_reload_while_stopping(start):
    upstream = start.upstream()
    gate = upstream.gate()

    async def behave(x):
        await gate.passed()
        await x.answer("done")
    upstream.behave = behave
    gateway = start.gateway(settings(upstreams=up(upstream)))
    with gateway.connect() as caller:
        caller.send(request("POST", "/v1/up/m", b"[]"))
        upstream.wait_requests(1)
        gateway.signal(signal.SIGTERM)
        gateway.wait_line("stopping")
        gateway.signal(signal.SIGHUP)
        gateway.wait_line("SIGHUP while stopping")
        gate.open()
        assert caller.answer().result == "done"
    gateway.assert_clean_end()


def test_reload_just_before_the_end(start):
    """Generations that no worker has taken yet are no leak."""
    upstream = start.upstream()
    for _ in range(5):
        gateway = start.gateway(settings(workers=4, upstreams=up(upstream)))
        gateway.signal(signal.SIGHUP)
        gateway.signal(signal.SIGTERM)
        gateway.assert_clean_end()


def test_health_is_told_when_memory_is_used_up(start):
    """More is in use than the new limits.memory: replies that nobody reads."""
    async def long_answer(x):
        await x.answer("long " * 1_200_000)
    upstream = start.upstream(long_answer)
    gateway = start.gateway(settings(upstreams=up(upstream)))
    with gateway.connect("unix") as one, gateway.connect("unix") as two:
        for caller in (one, two):
            caller.send(request("POST", "/v1/up/m", b"[]"))
        while gateway.metric("rpcgate_memory_bytes") < 12_000_000:  # both are whole
            pass
        gateway.reload(settings(gateway, upstreams=up(upstream), limits={"memory": "8M"}))
        assert gateway.get("/livez").json == {"status": "ok"}
        assert gateway.get("/readyz").json == {"status": "ready"}
        # What there is in all, or what strangers may have of it: which is hit first is a matter of time.
        told = gateway.get("/metrics")
        assert told.problem in ("overloaded", "response-too-large") and told.status in (502, 503)
        for caller in (one, two):
            assert len(caller.answer().result) == 6_000_000
