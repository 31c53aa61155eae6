# SPDX-License-Identifier: Apache-2.0
"""Callers that are known by the process at the other end of a unix socket: its user, its group, and
its supplementary groups. Other users than our own are for root alone to be."""

import os
import subprocess
import sys

import pytest

from rig.check import assert_problem
from rig.settings import DEADLINE

#: Numbers that are nobody's here.
OPS, CLERK, STRANGER = 64100, 64101, 64102
OPS_GROUP, STAFF, OTHERS = 64200, 64201, 64202
TOKEN = "token-that-goes-first-" * 2

#: A caller in a process of its own: prints the status of the answer.
CALLER = """
import socket, sys
path, target, *lines = sys.argv[1:]
s = socket.socket(socket.AF_UNIX)
s.settimeout(60)
s.connect(path)
s.sendall("\\r\\n".join([f"POST {target} HTTP/1.1", "Host: x", *lines, "", ""]).encode())
print(s.recv(100).split()[1].decode())
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream()


def start_gateway(start, upstream, **more):
    """Who connects may be anybody: it is the gateway that looks who they are."""
    callers = [
        {"name": "ops", "user": str(OPS), "allow": ["*/*"], "deny": ["*/by-staff"]},
        {"name": "staff", "group": str(STAFF), "allow": ["*/by-staff"]},
        {"name": "me", "user": str(os.geteuid()), "allow": ["*/mine"]},
        {"name": "token", "token": TOKEN, "allow": ["*/by-token"]}]
    gateway = start.gateway({"callers": callers, "log": {"format": "json"},
                             "upstreams": {"up": {"url": upstream.url}}} | more)
    gateway.folder.chmod(0o711)
    os.chmod(gateway.unix, 0o666)
    return gateway


@pytest.fixture(scope="module")
def gateway(start_shared, upstream):
    return start_gateway(start_shared, upstream)


@pytest.fixture(scope="module")
def open_gateway(start_shared, upstream):
    return start_gateway(start_shared, upstream, anonymous={"allow": ["*/open"]})


def call_as(gateway, method, user, group, groups=(), *lines) -> int:
    """The status of a call by a process of that user and those groups."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CALLER, gateway.unix, f"/v1/up/{method}", *lines],
        user=user, group=group, extra_groups=groups, capture_output=True, text=True,
        timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_ones_own_user(gateway):
    answer = gateway.call("up", "mine", over="unix")
    assert answer.status == 200
    assert gateway.access_line(answer.header("X-Request-Id"))["caller"] == "me"
    assert_problem(gateway.call("up", "open", over="unix"), "forbidden", 403, "no")
    # The same user over TCP is nobody.
    assert_problem(gateway.call("up", "mine"), "unauthenticated", 401, "no")


def test_a_token_goes_first(gateway, open_gateway):
    for g in (gateway, open_gateway):
        who = {"Authorization": f"Bearer {TOKEN}"}
        assert g.call("up", "by-token", over="unix", **who).status == 200
        assert g.call("up", "mine", over="unix", **who).status == 403
        for value in ("Bearer " + "x" * 40, "Basic YTpi", ""):
            assert_problem(g.call("up", "mine", over="unix", Authorization=value),
                           "unauthenticated", 401, "no")


@needs_root
@pytest.mark.parametrize("user, group, groups, method, status", [
    (OPS, OPS_GROUP, [], "x", 200),
    (OPS, STAFF, [STAFF], "x", 200),
    (OPS, STAFF, [STAFF], "by-staff", 403),  # the first that fits counts
    (CLERK, STAFF, [], "by-staff", 200),
    (CLERK, OTHERS, [STAFF], "by-staff", 200),
    (CLERK, OTHERS, [OTHERS, 1, STAFF, 2], "by-staff", 200),
    (CLERK, OTHERS, [STAFF, *range(65000, 65100)], "by-staff", 200),
    (CLERK, OTHERS, [*range(65000, 65100), STAFF], "by-staff", 200),
    (CLERK, STAFF, [], "x", 403),
    (STRANGER, OTHERS, [], "by-staff", 401),
    (STRANGER, OTHERS, [*range(65000, 65100)], "by-staff", 401),
    (STRANGER, OPS, [OPS], "x", 401),  # a group's number is no user's
    (STAFF, OTHERS, [], "by-staff", 401),
])
def test_users_and_groups(gateway, user, group, groups, method, status):
    assert call_as(gateway, method, user, group, groups) == status


@needs_root
def test_strangers_are_anonymous(gateway, open_gateway):
    assert call_as(open_gateway, "open", STRANGER, OTHERS) == 200
    assert call_as(open_gateway, "x", STRANGER, OTHERS) == 403
    assert call_as(open_gateway, "x", OPS, OPS_GROUP) == 200
    assert call_as(gateway, "open", STRANGER, OTHERS) == 401
    header = f"Authorization: Bearer {TOKEN}"
    assert call_as(gateway, "by-token", STRANGER, OTHERS, [], header) == 200
    assert call_as(gateway, "x", OPS, OPS_GROUP, [], header) == 403


@needs_root
def test_strangers_are_told_who_they_are(gateway):
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CALLER.replace("s.recv(100).split()[1].decode()",
                                                          "s.recv(9999).decode()"),
         gateway.unix, "/v1/up/x"], user=STRANGER, group=OTHERS, extra_groups=[],
        capture_output=True, text=True, timeout=DEADLINE, check=True)
    assert f"({STRANGER})" in done.stdout and "unauthenticated" in done.stdout
