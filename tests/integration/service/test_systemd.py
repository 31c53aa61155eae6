# SPDX-License-Identifier: Apache-2.0
"""The units, as systemd-analyze sees them, and what they say of the daemon's own times."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from rig.gateway import program_environment, run_program
from rig.settings import DEADLINE, RPCGATED, TOP, configuration

UNITS = TOP / "systemd"
MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000}

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None,
                                   reason="systemd-analyze is missing")


@pytest.fixture
def units(tmp_path) -> list[Path]:
    """The units as they would be installed: their program is there."""
    text = (UNITS / "rpcgate.service.in").read_text()
    service, socket = tmp_path / "rpcgate.service", tmp_path / "rpcgate.socket"
    service.write_text(text.replace("@sbindir@", str(RPCGATED.parent))
                       .replace("@sysconfdir@", "/etc"))
    socket.write_text((UNITS / "rpcgate.socket").read_text())
    assert not re.search(r"@\w+dir@", service.read_text())
    return [service, socket]


def analyze(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True,
                          timeout=DEADLINE, check=False)


@needs_systemd
def test_units_are_clean(units):
    done = analyze("verify", "--man=no", *units)
    ours = [line for line in done.stderr.splitlines() if "rpcgate" in line]
    assert done.returncode == 0 and not ours, done.stderr


@needs_systemd
def test_service_is_sandboxed(units):
    done = analyze("security", "--no-pager", "--offline=true", "--threshold=12", units[0])
    if "unrecognized option" in done.stderr or "Unknown command" in done.stderr:
        pytest.skip("this systemd-analyze cannot look at a file")
    assert done.returncode == 0, done.stdout + done.stderr


def test_wants_no_program_that_a_minimal_system_lacks():
    text = (UNITS / "rpcgate.service.in").read_text()
    programs = re.findall(r"^Exec\w+=(\S+)", text, re.M)
    assert set(programs) == {"@sbindir@/rpcgated", "/bin/sh"}, programs


def setting(name: str) -> str:
    found = re.findall(rf"^{name}=(.*)$", (UNITS / "rpcgate.service.in").read_text(), re.M)
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


def test_time_to_stop_fits_the_limits(tmp_path):
    """With the times that the daemon has unless they are set."""
    config = tmp_path / "rpcgate.conf"
    config.write_text(configuration({"upstreams": {"up": {"url": "http://127.0.0.1:9"}}}))
    shown = run_program("--show-config", "-c", str(config)).stdout
    needed = 0
    for name in ("drain", "lame_duck"):
        value = re.search(rf'\b{name} = "(\d+)(ms|s|m)"', shown)
        needed += int(value[1]) * MILLISECONDS[value[2]]
    assert needed + 5000 <= int(setting("TimeoutStopSec")) * 1000


def test_callers_at_the_socket_can_be_told_apart():
    """In a user namespace they could not."""
    text = (UNITS / "rpcgate.service.in").read_text()
    assert not re.search(r"^PrivateUsers=", text, re.M)


def test_socket_has_the_name_that_its_comment_configures():
    text = (UNITS / "rpcgate.socket").read_text()
    name = re.search(r"^FileDescriptorName=(\w+)$", text, re.M)[1]
    assert f'systemd = "{name}"' in text


@pytest.fixture
def open_folder():
    with tempfile.TemporaryDirectory(prefix="rpcgate-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be another user")
def test_the_check_at_reload_is_quiet(open_folder):
    """systemd shuts the service's credentials to it; what would be in the journal is no news."""
    command = re.search(r"^ExecReload=@sbindir@/rpcgated (.*)$",
                        (UNITS / "rpcgate.service.in").read_text(), re.M)[1].split()
    shut = open_folder / "shut"
    shut.mkdir(mode=0o700)
    path = open_folder / "rpcgate.conf"
    assert command[-1] == "@sysconfdir@/rpcgate/rpcgate.conf"

    def check(settings):
        path.write_text(configuration(settings))
        return subprocess.run([RPCGATED, *command[:-1], path], capture_output=True, text=True,
                              timeout=DEADLINE, check=False, user=65534, group=65534,
                              env={"CREDENTIALS_DIRECTORY": str(shut), **program_environment()})

    for folder in RPCGATED.parents:
        if folder.stat().st_mode & 1 == 0:
            pytest.skip(f"nobody else looks into {folder}")
    settings = {"callers": [{"name": "a", "token": "${credential:a}", "allow": ["a/*"]}],
                "upstreams": {"a": {"url": "https://localhost", "tls": {
                    "cert_file": "${credential_path:c}", "key_file": f"{shut}/k"}}}}
    done = check(settings)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = check(settings | {"limits": {"body": "4X"}})
    assert done.returncode == 78 and "body" in done.stderr


def test_the_unit_tries_for_ever():
    """Seconds lie between two starts, and no number of them ends it."""
    assert setting("StartLimitIntervalSec") == "0"
    assert setting("Restart") == "on-failure"
    assert 1 <= int(setting("RestartSec")) <= 10
    never = {int(status) for status in setting("RestartPreventExitStatus").split()}
    assert never == {os.EX_USAGE, os.EX_NOINPUT, os.EX_CONFIG}


def bytes_of(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([KMG]?)", text).groups()
    return int(number) << {"": 0, "K": 10, "M": 20, "G": 30}[unit]


def test_the_unit_bounds_memory_and_threads(tmp_path):
    """With room for what the daemon's own limits allow."""
    config = tmp_path / "rpcgate.conf"
    config.write_text(configuration({"upstreams": {"up": {"url": "http://127.0.0.1:9"}}}))
    shown = run_program("--show-config", "-c", str(config)).stdout
    memory = bytes_of(re.search(r'\bmemory = "(\w+)"', shown)[1])
    connections = int(re.search(r"\bconnections = (\d+)", shown)[1])
    assert 2 * memory + connections * 128 * 1024 <= bytes_of(setting("MemoryMax")) <= 2**32
    assert setting("MemorySwapMax") == "0"
    assert 64 * 16 < int(setting("TasksMax")) <= 16384


def test_an_address_that_is_not_there_yet(start):
    """It is listened on all the same, and said so: who is at 192.0.2.7 is nobody's business here."""
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "listen": [
        {"address": "127.0.0.1", "port": 0}, {"address": "192.0.2.7", "port": 0, "insecure": True}]})
    gateway.wait_line("no interface of this machine has the address of http://192.0.2.7:")


def test_a_port_that_another_program_has(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        config = tmp_path / "rpcgate.conf"
        config.write_text(configuration({
            "anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {"url": "http://127.0.0.1:9"}},
            "listen": [{"address": "127.0.0.1", "port": other.getsockname()[1]}]}))
        done = run_program("-c", str(config))
    assert done.returncode == os.EX_UNAVAILABLE
    assert "stop the program that listens there" in done.stderr
