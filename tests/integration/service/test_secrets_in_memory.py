# SPDX-License-Identifier: Apache-2.0
"""Where secrets lie in the daemon's memory, as /proc tells: in none that is dumped, and no longer
than the configuration that they belong to."""

import errno
import os
import re
import subprocess
import time

import pytest

from rig.codec import RPCGATE
from rig.settings import DEADLINE, RPCGATED
from rig.upstream import echo

FIRST, SECOND = "first-password-0123", "second-password-0123"
REGION_MAX = 1 << 20  # a sanitizer has large ones of its own


def settings(upstream, password: str) -> dict:
    auth = {"scheme": "basic", "username": "u", "password": "${file:" + password + "}"}
    return {"anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {"url": upstream.url,
                                                                 "auth": auth}}}


def undumped(pid: int) -> bytes:
    """What stands in the memory that is left out of dumps."""
    with open(f"/proc/{pid}/smaps", encoding="ascii", errors="replace") as smaps:
        found = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw(?:.*\n)+?VmFlags:(.*)$", smaps.read(), re.M)
    regions = [(int(start, 16), int(end, 16)) for start, end, flags in found
               if "dd" in flags.split()]
    text = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end in regions:
            if end - start <= REGION_MAX:
                memory.seek(start)
                try:
                    text += memory.read(end - start)
                except OSError as error:  # it is gone since the list was read
                    if error.errno != errno.EIO:
                        raise
    return text


def test_secrets_go_with_their_configuration(start, tmp_path):
    """With the first one, too, which the daemon began with."""
    for name in (FIRST, SECOND):
        (tmp_path / name).write_text(name)
    upstream = start.upstream()
    upstream.behave = echo
    gateway = start.gateway(settings(upstream, str(tmp_path / FIRST)))
    try:
        text = undumped(gateway.process.pid)
    except PermissionError:
        pytest.skip("this system does not let a process look into its children")
    assert FIRST.encode() in text
    gateway.reload(settings(upstream, str(tmp_path / SECOND)))
    end = time.monotonic() + DEADLINE
    while FIRST.encode() in (text := undumped(gateway.process.pid)):
        assert time.monotonic() < end, "the first password is still there"
    assert SECOND.encode() in text


def core_limit(pid: int) -> list[str]:
    with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
        line = next(line for line in limits if line.startswith("Max core file size"))
    return line.split()[4:6]


def test_there_are_no_core_files(start):
    assert core_limit(start.gateway({}).process.pid) == ["0", "0"]


@pytest.mark.parametrize("command, ready", [
    ([RPCGATED, "--demo", "--listen", "127.0.0.1:0"], " ready "),
    ([RPCGATE, "decode"], None),
], ids=["daemon", "tool"])
def test_there_are_no_core_dumps_through_a_pipe(command, ready):
    """Where core_pattern is a pipe RLIMIT_CORE does not count. /proc/PID/fd belongs to root where its
    process is not dumpable (proc(5)), whoever runs it; so it is run by another user than root."""
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_undumpable(process, ready)
        finally:
            process.stdin.close()
            process.kill()


def wait_undumpable(process, ready: str | None):
    """The tool waits for its input, and tells of no moment; the daemon says when it is ready."""
    while ready is not None and ready not in (line := process.stderr.readline()):
        assert line, "it has ended"
    end = time.monotonic() + DEADLINE
    while (os.stat(f"/proc/{process.pid}/fd").st_uid != 0 or "rpcgate" not in name_of(process.pid)
           or core_limit(process.pid) != ["0", "0"]):
        assert time.monotonic() < end and process.poll() is None


def name_of(pid: int) -> str:
    with open(f"/proc/{pid}/comm", encoding="ascii") as name:
        return name.read()
