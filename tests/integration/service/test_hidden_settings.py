# SPDX-License-Identifier: Apache-2.0
"""What `${file:}` gave is a secret wherever settings are told: by --test and --show-config, in the log
and in metrics."""

import pytest

from rig.gateway import run_program
from rig.settings import configuration

HIDDEN = "zq7"


@pytest.fixture
def given(tmp_path):
    def make(text: str) -> str:
        (tmp_path / "given").write_text(text + "\n")
        return "${file:" + str(tmp_path / "given") + "}"
    return make


def run(tmp_path, settings: dict, *arguments):
    path = tmp_path / "rpcgate.conf"
    path.write_text(configuration(settings))
    return run_program("--config", str(path), *arguments)


@pytest.mark.parametrize("text", ["zq7", "zq7-some-longer-name"], ids=["short", "long"])
@pytest.mark.parametrize("settings", [
    lambda x: {"listen": ({"unix": "/run/zz", "group": x},)},
    lambda x: {"listen": ({"unix": f"/none/{x}/s"},)},
    lambda x: {"listen": ({"systemd": x},)},
    lambda x: {"callers": ({"name": "a", "user": x, "allow": ["*/*"]},)},
    lambda x: {"callers": ({"name": "a", "group": x, "allow": ["*/*"]},)},
    lambda x: {"callers": ({"name": x, "user": "0", "allow": ["*/*"]},
                           {"name": x, "user": "1", "allow": ["*/*"]})},
    lambda x: {"anonymous": {"allow": [f"{x}/*"]}},
    lambda x: {"upstreams": {"u": {"url": "https://localhost", "tls": {"ca_file": x}}}},
    lambda x: {"upstreams": {"u": {"url": "https://localhost", "tls": {"ca_path": f"/{x}"}}}},
    lambda x: {"upstreams": {"u": {"url": "https://localhost", "tls": {"cert_file": x}}}},
    lambda x: {"upstreams": {"u": {"url": f"http://localhost/{x}"}}},
    lambda x: {"limits": {"body": x}},
])
def test_by_the_daemon(tmp_path, given, settings, text):
    base = {"anonymous": {"allow": ["*/*"]}, "upstreams": {"u": {"url": "http://localhost"}}}
    for arguments in (("--test",), ("--show-config",), ()):
        if not arguments and "unix" not in str(settings(text)) and "systemd" not in str(
                settings(text)):
            continue  # it would start
        result = run(tmp_path, base | settings(given(text)), *arguments)
        told = result.stdout + result.stderr
        assert told and HIDDEN not in told, told


def test_a_short_secret_is_warned_of_once(tmp_path, given):
    settings = {"anonymous": {"allow": ["*/*"]}, "upstreams": {"u": {
        "url": "http://localhost", "credentials": {"password": given("zq7")},
        "inject": ({"params": ("{password}",)},)}}}
    result = run(tmp_path, settings, "--test")
    assert result.stderr.count("cannot be found in what servers send") == 1
    assert "u.credentials.password: a secret of fewer" in result.stderr


def test_in_the_log_and_metrics(start, tmp_path, given):
    """Also where it is an address, a path or a name that is told all the time."""
    socket = given(str(tmp_path / "zq7.sock"))
    name = tmp_path / "name"
    name.write_text("zq7-name")
    upstream = start.upstream()
    gateway = start.gateway({
        "listen": ({"address": "127.0.0.1", "port": 0}, {"unix": socket}),
        "log": {"format": "json"},
        "callers": ({"name": "${file:" + str(name) + "}", "token": "t" * 32, "allow": ["*/*"]},),
        "upstreams": {"up": {"url": upstream.url}}})
    answer = gateway.call("up", "m", [1], Authorization="Bearer " + "t" * 32)
    assert answer.status == 200
    assert gateway.access_line(answer.header("X-Request-Id"))["caller"] == "***"
    metrics = gateway.get("/metrics", Authorization="Bearer " + "t" * 32).body.decode()
    assert 'listener="unix:***' in metrics
    assert HIDDEN not in metrics + gateway.stderr
    assert any("unix:***" in line for line in gateway.lines)
