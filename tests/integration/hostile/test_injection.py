# SPDX-License-Identifier: Apache-2.0
"""Every system call that can fail does fail, by strace(1): the answer is clear or the connection is
closed, or the program ends at its start and says why. Afterwards all is well again.

RPCGATE_LONG_TESTS=1 in the environment: at the start each single call, not each eighth."""

import errno
import http.client
import os
import select
import shutil
import signal
import subprocess
from contextlib import contextmanager

import pytest

from rig.process import cpu_seconds
from rig.settings import DEADLINE, SLOW
from rig.upstream import echo

LARGE = "x" * 1_000_000
LONG = os.environ.get("RPCGATE_LONG_TESTS") == "1"

#: Errors of each system call, as its manual page lists them.
ERRORS = {
    "accept4": "EMFILE ENFILE ECONNABORTED EINTR ENOMEM ENOBUFS EAGAIN EPROTO EPERM",
    "socket": "EMFILE ENFILE ENOBUFS EACCES",
    "connect": "ENETUNREACH ECONNREFUSED ETIMEDOUT EADDRNOTAVAIL ENOMEM EINTR EAGAIN EPERM",
    "sendto": "EINTR EAGAIN ENOBUFS ENOMEM EPIPE ECONNRESET",
    "sendmsg": "EINTR EAGAIN ENOBUFS ENOMEM EPIPE ECONNRESET",
    "recvfrom": "EINTR EAGAIN ENOMEM ECONNRESET ETIMEDOUT",
    "openat": "EMFILE ENFILE ENOMEM EACCES EINTR",
    "read": "EINTR EIO EAGAIN",
    "write": "EINTR EAGAIN ENOSPC EIO EPIPE",
    "epoll_wait": "EINTR",
}

#: Which of a thread's calls fail: each second one. Two loops wait in turn, so that it would always
#: be the same of them, without end: there each third one.
TIMES = {"epoll_wait": "1+3"}

#: At the start: how often each is called until then, about.
AT_START = {"openat": 90, "read": 80, "socket": 8, "bind": 3, "listen": 3,
            "epoll_create1": 6, "epoll_ctl": 6, "eventfd2": 6, "clone3": 4, "fcntl": 12,
            "getrandom": 3, "signalfd4": 2, "mlock": 3}


def _can_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-f", "-qq", "-e", "inject=chdir:error=EPERM", "true"],
                          capture_output=True, timeout=DEADLINE, check=False)
    return done.returncode == 0


pytestmark = pytest.mark.skipif(not _can_trace(), reason="strace is missing, or may not trace")


async def behave(x):
    if x.method == "fault":
        await x.answer_fault(42, "as asked")
    else:
        await echo(x)


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream(behave)


def injection(name: str, error: str, when: str) -> list[str]:
    return ["-f", "-e", f"trace={name}", "-e", f"inject={name}:error={error}:when={when}"]


def start_gateway(start, upstream, launcher: tuple = ()):
    # LeakSanitizer cannot look at a process that is traced already.
    environment = {"ASAN_OPTIONS": f"exitcode=99:detect_leaks={0 if launcher else 1}"}
    return start.gateway({
        "workers": 1, "anonymous": {"allow": ["*/*"]},
        "limits": {"header_time": "2s", "body_time": "2s", "write_time": "2s", "drain": "1s"},
        "upstreams": {"up": {"url": upstream.url, "timeouts": {"total": "2s", "connect": "1s"},
                             "breaker": {"failures": 0}}},
    }, launcher=launcher, environment=environment)


@contextmanager
def failing(gateway, name: str, error: str, when: str | None = None):
    """While it lasts, calls of a running gateway fail."""
    trace = gateway.folder / "trace"
    when = when or TIMES.get(name, "1+2")
    command = ["strace", *injection(name, error, when), "-o", str(trace),
               "-p", str(gateway.process.pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        first = tracer.stderr.readline()
        assert "attached" in first, first
        yield
        tracer.send_signal(signal.SIGINT)
        tracer.wait(DEADLINE)
    finally:
        tracer.kill()  # the gateway could not end while somebody holds it
        tracer.communicate()
    assert "(INJECTED)" in trace.read_text(), f"no call of {name} was made to fail"


def assert_clear(answer, status: int, test):
    """What it should be, or a problem."""
    if answer.status == status and status == 200:
        assert test(answer), answer.body[:500]
    else:
        assert answer.problem and answer.json["status"] == answer.status, answer


#: One of each kind: path, body, status, what else must be true of the answer.
KINDS = [
    ("/livez", None, 200, lambda answer: answer.json == {"status": "ok"}),
    ("/metrics", None, 200, lambda answer: b"rpcgate_build_info" in answer.body),
    ("/v1/up/m", b'["small"]', 200, lambda answer: answer.result == "small"),
    ("/v1/up/fault", b"[]", 500, None),
    ("/v1/up/m", b'["%s"]' % LARGE.encode(), 200, lambda answer: answer.result == LARGE),
]


def ask(gateway, path: str, body: bytes | None):
    """None: the connection was closed instead."""
    headers = {"Content-Type": "application/json"} if body else {}
    try:
        return gateway.request("POST" if body else "GET", path, body, headers, over="unix")
    except (http.client.HTTPException, ConnectionError):
        return None


def ask_all(gateway, *, all_is_well: bool):
    for path, body, status, test in KINDS:
        answer = ask(gateway, path, body)
        assert gateway.process.poll() is None, gateway.stderr
        if all_is_well:
            assert answer is not None and answer.status == status, (path, answer)
        if answer is not None:
            assert_clear(answer, status, test)


CASES = [(name, error) for name, errors in ERRORS.items() for error in errors.split()]


@pytest.mark.parametrize("name, error", CASES)
def test_running(start, upstream, name, error):
    """New connections to the upstream, which it closes, and kept ones."""
    gateway = start_gateway(start, upstream)
    ask_all(gateway, all_is_well=True)
    upstream.close_idle()
    with failing(gateway, name, error):
        ask_all(gateway, all_is_well=False)
        ask_all(gateway, all_is_well=False)
    ask_all(gateway, all_is_well=True)


@pytest.mark.parametrize("error", ["EBADF", "ENOTSOCK", "EINVAL"])
@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_a_listener_that_is_no_socket_any_more(start, upstream, over, error):
    """It rests for good and is told once, whoever knocks; the other one, a reload and the end are as
    ever."""
    gateway = start_gateway(start, upstream)
    other = "unix" if over == "tcp" else "tcp"
    assert gateway.request("GET", "/livez", over=other).status == 200
    with failing(gateway, "accept4", error, "1"), gateway.connect(over):
        line = gateway.wait_line("ended from outside")
    reason = "shut down" if error == "EINVAL" else os.strerror(getattr(errno, error))
    assert f'reason="{reason}"' in line, line
    before = cpu_seconds(gateway.process.pid)
    with gateway.connect(over) as caller:
        caller.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            caller.ask("GET", "/livez")
    assert cpu_seconds(gateway.process.pid) - before < 0.3 * SLOW
    assert gateway.request("GET", "/livez", over=other).status == 200
    gateway.reload()
    assert gateway.request("GET", "/livez", over=other).status == 200
    gateway.stop()
    assert gateway.stderr.count("ended from outside") == 1


def let_go(process):
    """Ends its tracer: what was not called so often yet does not fail later, either."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        tracer = next(int(line.split()[1]) for line in status if line.startswith("TracerPid:"))
    end = os.pidfd_open(tracer)
    try:
        os.kill(tracer, signal.SIGTERM)
        assert select.select([end], [], [], DEADLINE)[0], "strace does not end"
    finally:
        os.close(end)


def start_cases():
    for name, count in AT_START.items():
        step = 1 if LONG or count < 20 else 8
        yield from ((name, number) for number in range(1, count + 1, step))


@pytest.mark.parametrize("name, number", start_cases())
def test_start(start, upstream, name, number):
    """One call fails: it starts all the same, or ends with one of its own exit codes, or with that
    of the dynamic linker, and with a reason. With strace as a grandchild, the process that is
    waited for is the gateway."""
    errors = {"clone3": "EAGAIN", "bind": "EADDRINUSE", "read": "EIO"}
    launcher = ("strace", "-D", "-I", "2", "-qq", "-o", "/dev/null",
                *injection(name, errors.get(name, "EMFILE"), str(number)))
    try:
        gateway = start_gateway(start, upstream, launcher)
    except RuntimeError as failure:
        first, _, stderr = str(failure).partition("\n")
        code = int(first.removeprefix("ended with ").partition(" ")[0])
        assert 64 <= code <= 78 or code == 127, failure
        assert stderr.strip(), failure
        return
    ask_all(gateway, all_is_well=False)
    let_go(gateway.process)
    ask_all(gateway, all_is_well=True)
