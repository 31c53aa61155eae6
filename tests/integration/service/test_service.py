# SPDX-License-Identifier: Apache-2.0
"""What a service manager sees: notifications, the watchdog, sockets that it opens."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from rig import crowd
from rig.gateway import assert_no_report, run_program
from rig.process import cpu_seconds
from rig.programs import free_port
from rig.settings import DEADLINE, RPCGATED, SANITIZED, SLOW, configuration
from rig.wire import Connection, request

pytestmark = pytest.mark.concurrency

ANYBODY = {"workers": 2, "anonymous": {"allow": ["*/*"]}}

#: Becomes another program, with sockets at 3, 4, … as sd_listen_fds(3) tells.
HAND_OVER = """
import os, sys
names, fds, command = sys.argv[1], [int(fd) for fd in sys.argv[2].split(",") if fd], sys.argv[3:]
spare = [os.dup(fd) for fd in fds]
high = [os.dup2(fd, 100 + n) for n, fd in enumerate(spare)]
for n, fd in enumerate(high):
    os.dup2(fd, 3 + n)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=names)
os.closerange(3 + len(fds), 200)
os.execv(command[0], command)
"""


class Manager:
    """Starts rpcgated as a service manager does, with sockets that it has opened."""

    def __init__(self, folder):
        self._folder = folder
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(folder / "notify.sock"))
        self._notify.settimeout(DEADLINE)
        self.process = None

    def environment(self, **more):
        return {**os.environ, "NOTIFY_SOCKET": str(self._folder / "notify.sock"), **more}

    def write(self, settings: dict):
        (self._folder / "rpcgate.conf").write_text(configuration({**ANYBODY, **settings}))

    def start(self, settings: dict, sockets: list[tuple[str, socket.socket]] = (), **environment):
        self.write(settings)
        fds = [one.fileno() for _, one in sockets]
        command = [str(RPCGATED), "-c", str(self._folder / "rpcgate.conf")]
        self.process = subprocess.Popen(
            [sys.executable, "-c", HAND_OVER, ":".join(name for name, _ in sockets),
             ",".join(map(str, fds)), *command],
            stderr=subprocess.PIPE, text=True, pass_fds=fds, env=self.environment(**environment))
        self.wait("READY")
        return self

    def wait(self, key: str) -> dict[str, str]:
        while True:
            message = self.next()
            if key in message:
                return message

    def next(self) -> dict[str, str]:
        lines = self._notify.recv(65536).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)

    def reload(self, settings: dict):
        self.write(settings)
        self.process.send_signal(signal.SIGHUP)
        self.wait("RELOADING")
        self.wait("READY")

    def wait_line(self, text: str):
        """The next line on stderr with that text."""
        while text not in (line := self.process.stderr.readline().replace("\\", "")):
            assert line, f"no {text!r} on stderr"

    def end(self):
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read()
            assert process.wait(DEADLINE) == 0, rest
            assert_no_report(rest)
            process.stderr.close()

    def close(self):
        self.end()
        self._notify.close()


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path)
    try:
        yield manager
    finally:
        manager.close()


def listening(where) -> socket.socket:
    one = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
    one.bind(where)
    one.listen()
    return one


def status_at(where) -> int:
    with Connection(where) as caller:
        return caller.ask("GET", "/livez").status


def test_life(start):
    """READY, RELOADING with the time, STATUS, STOPPING."""
    gateway = start.gateway({**ANYBODY, "upstreams": {"up": {"url": start.upstream().url}}})
    before = time.monotonic_ns() // 1000
    reloading, *_, ready = gateway.reload()
    assert reloading["RELOADING"] == "1"
    assert before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    assert ready["READY"] == "1"
    gateway.signal(signal.SIGTERM)
    assert gateway.wait_notification("STOPPING")["STOPPING"] == "1"


def test_the_manager_waits_as_long_as_an_end_may_take(start):
    gateway = start.gateway({**ANYBODY, "limits": {"lame_duck": "20s", "drain": "40s"},
                             "upstreams": {"up": {"url": start.upstream().url}}})
    gateway.signal(signal.SIGTERM)
    stopping = gateway.wait_notification("STOPPING")
    assert 60_000_000 < int(stopping["EXTEND_TIMEOUT_USEC"]) <= 90_000_000
    gateway.signal(signal.SIGTERM)


def test_status(start):
    """Calls in flight and upstreams that are down."""
    upstream = start.upstream()
    gate = upstream.gate()

    async def behave(x):
        await gate.passed()
        await x.answer(1)
    upstream.behave = behave
    gateway = start.gateway({**ANYBODY, "upstreams": {
        "up": {"url": upstream.url},
        "down": {"url": f"http://127.0.0.1:{free_port()}", "breaker": {"failures": 1},
                 "retry": {"attempts": 1}}}})

    def wait_status(text):
        while text != (said := gateway.notification().get("STATUS")):
            print(said)
    wait_status("0 calls in flight")
    with gateway.connect() as caller:
        caller.send(request("POST", "/v1/up/m", b"[]"))
        upstream.wait_requests(1)
        assert gateway.call("down", "m").status == 502
        wait_status("1 call in flight; upstreams down: down")
        gate.open()
        assert caller.answer().result == 1
    wait_status("0 calls in flight; upstreams down: down")


def test_watchdog(manager):
    """It is fed while all is well, at least twice in the time that was set."""
    manager.start({"listen": [{"address": "127.0.0.1", "port": 0}]},
                  WATCHDOG_USEC=str(400_000 * SLOW))
    begin = time.monotonic()
    for _ in range(5):
        assert manager.wait("WATCHDOG")["WATCHDOG"] == "1"
    assert time.monotonic() - begin < 2.0 * SLOW


def test_nobody_watches_us(manager):
    manager.start({"listen": [{"address": "127.0.0.1", "port": 0}]},
                  WATCHDOG_USEC="1000", WATCHDOG_PID="1")
    manager.process.send_signal(signal.SIGTERM)
    while "STOPPING" not in (message := manager.next()):
        assert "WATCHDOG" not in message


def test_sockets_by_name(manager, tmp_path):
    """Several may have one name; each serves what its entry says, and stays when we end."""
    path, other = str(tmp_path / "a.sock"), str(tmp_path / "b.sock")
    tcp = listening(("127.0.0.1", 0))
    sockets = [("api", listening(path)), ("web", tcp), ("api", listening(other))]
    manager.start({"listen": [{"systemd": "api"}, {"systemd": "web", "serve": ["admin"]}]}, sockets)
    for where in (path, other, tcp.getsockname()):
        assert [status_at(where) for _ in range(20)] == [200] * 20
    with Connection(tcp.getsockname()) as caller:
        assert caller.ask("GET", "/v1").status == 404
    for name in (path, other):
        with Connection(name) as caller:
            assert caller.ask("GET", "/v1").status == 200
    manager.wait_line(f"unix:{path}")
    manager.end()
    assert os.path.exists(path) and os.path.exists(other)
    Connection(path).close()  # it still listens: the next start will answer
    for _, one in sockets:
        one.close()


def test_reload_with_given_sockets(manager, tmp_path):
    """They are kept for a reload that wants them again; one that is not wanted is told."""
    path = str(tmp_path / "a.sock")
    given = listening(path)
    local = {"address": "127.0.0.1", "port": 0}
    manager.start({"listen": [{"systemd": "api"}]}, [("api", given), ("more", given)])
    manager.wait_line('the socket "more" that was given to rpcgated is not used')
    with Connection(path) as kept:
        assert kept.ask("GET", "/livez").status == 200
        manager.reload({"listen": [{"systemd": "api"}, local]})
        assert not kept.ask("GET", "/livez").closes
        manager.reload({"listen": [local]})
        assert kept.ask("GET", "/livez").closes
    manager.reload({"listen": [{"systemd": "api"}]})
    assert status_at(path) == 200
    given.close()


def refused(settings, tmp_path, text):
    (tmp_path / "rpcgate.conf").write_text(configuration({**ANYBODY, **settings}))
    done = run_program("-c", str(tmp_path / "rpcgate.conf"))
    assert done.returncode == 69 and text in done.stderr.replace("\\", ""), done


def test_socket_that_was_not_given(tmp_path):
    refused({"listen": [{"systemd": "api"}]}, tmp_path, 'no socket named "api" was given')
    assert run_program("-t", "-c", str(tmp_path / "rpcgate.conf")).stdout == "ok\n"


def test_given_socket_that_does_not_listen(tmp_path):
    (tmp_path / "rpcgate.conf").write_text(
        configuration({**ANYBODY, "listen": [{"systemd": "api"}]}))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        done = subprocess.run(
            [sys.executable, "-c", HAND_OVER, "api", str(datagrams.fileno()), str(RPCGATED), "-c",
             str(tmp_path / "rpcgate.conf")], pass_fds=[datagrams.fileno()], capture_output=True,
            text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 69 and "ListenStream" in done.stderr


def test_given_socket_that_faces_the_network(tmp_path):
    (tmp_path / "rpcgate.conf").write_text(
        configuration({**ANYBODY, "listen": [{"systemd": "api"}]}))
    with listening(("0.0.0.0", 0)) as wide:
        done = subprocess.run(
            [sys.executable, "-c", HAND_OVER, "api", str(wide.fileno()), str(RPCGATED), "-c",
             str(tmp_path / "rpcgate.conf")], pass_fds=[wide.fileno()], capture_output=True,
            text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 69 and "loopback" in done.stderr


@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None,
                    reason="systemd-socket-activate is not installed")
def test_by_systemd_itself(tmp_path):
    """Started by the first connection, which is then answered."""
    path = str(tmp_path / "api.sock")
    (tmp_path / "rpcgate.conf").write_text(
        configuration({**ANYBODY, "listen": [{"systemd": "api"}]}))
    with subprocess.Popen(["systemd-socket-activate", "--listen", path, "--fdname", "api",
                           str(RPCGATED), "-c", str(tmp_path / "rpcgate.conf")],
                          stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stderr.readline()
            assert "Listening on" in line
            assert status_at(path) == 200
        finally:
            process.terminate()
            process.stderr.read()
    assert process.returncode == 0


@pytest.mark.parametrize("serve, paths", [
    (["api"], {"/": 200, "/v1": 200, "/livez": 404, "/readyz": 404, "/metrics": 404}),
    (["admin"], {"/": 404, "/v1": 404, "/livez": 200, "/readyz": 200, "/metrics": 200,
                 "/nothing": 404}),
    (["api", "admin"], {"/": 200, "/v1": 200, "/livez": 200, "/readyz": 200, "/metrics": 200})])
def test_serve(start, serve, paths):
    upstream = start.upstream()
    port = free_port()
    start.gateway({**ANYBODY, "upstreams": {"up": {"url": upstream.url}}, "listen": [
        {"address": "127.0.0.1", "port": port, "serve": serve}]})
    for path, status in paths.items():
        with Connection(("127.0.0.1", port)) as caller:
            assert caller.ask("GET", path).status == status, path
    with Connection(("127.0.0.1", port)) as caller:
        answer = caller.ask("POST", "/v1/up/m", b"[1]")
        assert answer.status == (200 if "api" in serve else 404)


def resident_bytes(gateway) -> int:
    with open(f"/proc/{gateway.process.pid}/statm", encoding="ascii") as numbers:
        return int(numbers.read().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.skipif(SANITIZED, reason="sanitizers keep what was freed")
def test_memory_goes_back_after_a_burst(start):
    """100 callers with bodies and replies of 1 MB; within 16 MiB of where it was. With nobody
    calling, nothing tells when the memory is given back: so it is looked at."""
    upstream = start.upstream()
    gateway = start.gateway({**ANYBODY, "upstreams": {
        "up": {"url": upstream.url, "pool": {"queue_timeout": "100s"}}}})
    params = [["x" * 500 for _ in range(2000)]]

    async def burst(callers):
        async def work(caller):
            for _ in range(2):
                assert (await caller.call("up", "m", params)).status == 200
            caller.close()
        await asyncio.gather(*map(work, await crowd.gather_callers(gateway.tcp, callers)))
    crowd.run(burst(4))
    before = resident_bytes(gateway)
    crowd.run(burst(100), timeout=120)
    end = time.monotonic() + DEADLINE
    while (now := resident_bytes(gateway)) > before + (16 << 20) and time.monotonic() < end:
        time.sleep(0.1)
    assert now <= before + (16 << 20), (before, now)


@pytest.mark.parametrize("how", [socket.SHUT_RDWR, socket.SHUT_RD])
@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_socket_that_others_end(manager, tmp_path, kind, how):
    """It is told once, turns nothing in vain, and neither a reload nor the end hangs."""
    where = ("127.0.0.1", 0) if kind == "tcp" else str(tmp_path / "ended.sock")
    ended, other = listening(where), listening(("127.0.0.1", 0))
    settings = {"listen": [{"systemd": "ended"}, {"systemd": "other"}]}
    manager.start(settings, [("ended", ended), ("other", other)])
    ended.shutdown(how)
    manager.wait_line("ended from outside")
    before = cpu_seconds(manager.process.pid)
    with socket.create_connection(other.getsockname(), timeout=1) as caller:
        with pytest.raises(TimeoutError):
            caller.recv(1)
    assert cpu_seconds(manager.process.pid) - before < 0.3 * SLOW
    assert status_at(other.getsockname()) == 200
    manager.reload({**settings, "limits": {"idle": "59s"}})
    process, manager.process = manager.process, None
    process.send_signal(signal.SIGTERM)
    rest = process.stderr.read()
    process.stderr.close()
    assert process.wait(DEADLINE) == 0
    assert "ended from outside" not in rest
    for one in (ended, other):
        one.close()
