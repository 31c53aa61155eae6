# SPDX-License-Identifier: Apache-2.0
"""Where secrets lie in the daemon's memory, as /proc tells: in none that is dumped, and no longer
than the configuration that they belong to."""

import errno
import re
import time

import pytest

from rig.settings import DEADLINE
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


def test_there_are_no_core_dumps(start):
    gateway = start.gateway({})
    with open(f"/proc/{gateway.process.pid}/limits", encoding="ascii") as limits:
        line = next(line for line in limits if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["0", "0"]
