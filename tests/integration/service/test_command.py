# SPDX-License-Identifier: Apache-2.0
"""The command line of rpcgated: -t, --show-config, -V, -h, and what goes wrong at start."""

import os
import re
import socket
import ssl
from pathlib import Path

import pytest

from rig.certificates import Authority
from rig.gateway import Gateway, run_program
from rig.settings import configuration
from rig.wire import Connection

GOOD = {
    "listen": [{"address": "127.0.0.1", "port": 0}],
    "anonymous": {"allow": ["demo/*"]},
    "limits": {"drain": "7s", "body": "2M"},
    "upstreams": {"demo": {"url": "http://who:hush-hush@127.0.0.1:1", "headers": [
        "X-Tenant: blue", "X-Api-Key: very-secret-key"]}},
}


@pytest.fixture
def write(tmp_path):
    def write(text: str | dict, name: str = "rpcgate.conf") -> str:
        path = tmp_path / name
        path.write_text(configuration(text) if isinstance(text, dict) else text)
        return str(path)
    return write


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version(option):
    done = run_program(option)
    assert done.returncode == 0 and not done.stderr
    assert re.match(r"rpcgated? \d+\.\d+", done.stdout)


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(option):
    done = run_program(option)
    assert done.returncode == 0 and not done.stderr
    for name in ("-c", "--config", "-t", "--test", "--show-config", "--demo", "-V", "-h"):
        assert name in done.stdout, name


@pytest.mark.parametrize("arguments", [
    ["--nonsense"], ["-c"], ["-t", "stray"], ["-x"], ["--demo", "-t"], ["-t", "--show-config"],
    ["--demo", "-c", "/dev/null"], ["--listen", "127.0.0.1:0"], ["--demo", "--listen", "8080"]])
def test_wrong_usage(arguments):
    done = run_program(*arguments)
    assert done.returncode == 64 and done.stderr and not done.stdout


@pytest.mark.parametrize("arguments", [[], ["-t"], ["--show-config"]])
def test_missing_file(tmp_path, arguments):
    path = str(tmp_path / "none.conf")
    done = run_program(*arguments, "-c", path)
    assert done.returncode == 66 and path in done.stderr and not done.stdout


@pytest.mark.parametrize("option", ["-t", "--test"])
def test_good_file(write, option):
    done = run_program(option, "-c", write(GOOD))
    assert done.returncode == 0 and done.stdout == "ok\n", done


BAD = """\
workers = "many";
limts = { };
anonymous = { allow = [ "demo" ]; };
limits = {
  body = "4X";
  drain = 35;
  connections = 5000000000;
};
log = { level = "loud"; };
upstreams = {
  demo = { url = "ftp://x/"; timeout = "1s"; };
  other = { url = "http://127.0.0.1:1"; headers = [ "X-A: a\\r\\nX-B: b" ]; };
  third = { };
};
"""


@pytest.mark.parametrize("arguments", [["-t"], []])
def test_all_errors_together(write, arguments):
    path = write(BAD)
    done = run_program(*arguments, "-c", path)
    assert done.returncode == 78 and not done.stdout.strip().endswith("ok")
    lines = [line for line in (done.stdout + done.stderr).splitlines() if path in line]
    numbers = [int(re.search(re.escape(path) + r":(\d+): \S", line)[1]) for line in lines]
    assert set(numbers) >= {1, 2, 3, 5, 6, 7, 9, 11, 12, 13}, "\n".join(lines)
    assert numbers == sorted(numbers)
    said = {number: " ".join(line for line, n in zip(lines, numbers) if n == number)
            for number in numbers}
    assert "limits" in said[2], "the nearest known name"
    assert "timeouts" in said[11] and "url" in said[11]
    assert "url" in said[13]
    if arguments == ["-t"]:
        assert all(re.match(re.escape(path) + r":\d+: ", line) for line in lines)


def test_syntax_error(write):
    path = write("workers = 1;\nlimits = {\n  body = ;\n};\n")
    done = run_program("-t", "-c", path)
    assert done.returncode == 78 and f"{path}:3: " in done.stdout + done.stderr


def test_errors_in_an_included_file(write):
    write("limits = {\n bod = \"1M\";\n};\n", "more.conf")
    path = write("workers = 1;\n@include \"more.conf\"\nworkrs = 1;\n")
    done = run_program("-t", "-c", path)
    told = done.stdout + done.stderr
    assert done.returncode == 78 and "more.conf:2: " in told and f"{path}:3: " in told


def test_show_config(write):
    done = run_program("--show-config", "-c", write(GOOD))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    for pattern in (r"drain = \"7s\".*rpcgate\.conf:", r"body = \"2M\".*rpcgate\.conf:",
                    r"idle = \"60s\".*default", r"url = "):
        assert any(re.search(pattern, line) for line in lines), (pattern, done.stdout)
    assert "hush-hush" not in done.stdout and "very-secret-key" not in done.stdout
    assert "blue" in done.stdout


def test_secrets_from_elsewhere(write, tmp_path):
    """${file:}, ${env:} and ${credential:} are resolved, and told where they cannot be."""
    (tmp_path / "pw").write_text("from-a-file\n")
    (tmp_path / "cred").write_text("from-systemd")
    auth = {"scheme": "basic", "username": "${env:RIG_USER:-nobody}"}
    text = {"upstreams": {
        "a": {"url": "http://127.0.0.1:1", "auth": auth | {"password": f"${{file:{tmp_path}/pw}}"}},
        "b": {"url": "http://127.0.0.1:1", "auth": auth | {"password": "${credential:cred}"}}}}
    there = {"CREDENTIALS_DIRECTORY": str(tmp_path), "RIG_USER": "somebody"}
    done = run_program("--show-config", "-c", write(text), environment=there)
    assert done.returncode == 0 and "somebody" in done.stdout
    assert "from-a-file" not in done.stdout and "from-systemd" not in done.stdout
    missing = {"upstreams": {"a": {"url": "${env:RIG_NOT_SET}"},
                             "b": {"url": "${file:/nonexistent/x}"}}}
    done = run_program("-t", "-c", write(missing))
    told = done.stdout + done.stderr
    assert done.returncode == 78 and "RIG_NOT_SET" in told and "/nonexistent/x" in told


def test_credentials_without_a_folder(write):
    """-t may run where systemd gives none: then they are warned of. A start needs them."""
    upstream = {"url": "http://127.0.0.1:1", "headers": ["X-Api-Key: ${credential:key}"]}
    path = write({"upstreams": {"a": upstream}})
    done = run_program("-t", "-c", path)
    assert done.returncode == 0 and done.stdout.endswith("ok\n")
    assert "credential" in done.stderr + done.stdout
    assert run_program("-c", path).returncode == 78


def test_shows_without_secrets(write, tmp_path):
    """What is shown has none in it, so that whoever may read the file may have it shown."""
    none = "${file:/nonexistent/secret}"
    text = {"listen": [{"address": "127.0.0.1", "port": 8443, "tls": {
                "cert_file": "/nonexistent/cert.pem", "key_file": "${credential_path:server.key}"}}],
            "callers": [{"name": "a", "token": "${credential:a}", "allow": ["a/*"]},
                        {"name": "b", "tokens": [none, none], "allow": ["a/*"]}],
            "upstreams": {"a": {
                "url": "https://127.0.0.1:1", "headers": [f"X-Api-Key: {none}", f"X-Y: 1 {none}"],
                "auth": {"scheme": "basic", "username": "u", "password": none},
                "tls": {"ca_file": "${credential_path:ca.pem}", "cert_file": "/nonexistent/c",
                        "key_file": "/nonexistent/k", "key_password": "${credential:k}"}}}}
    done = run_program("--show-config", "-c", write(text))
    assert (done.returncode, done.stderr) == (0, "")
    for line in ('token = "***";', 'tokens = [ "***", "***" ];', 'password = "***";',
                 '"X-Api-Key: ***"', '"X-Y: 1 ***"', 'key_file = "${credential_path:server.key}";',
                 'ca_file = "${credential_path:ca.pem}";', 'cert_file = "/nonexistent/cert.pem";'):
        assert line in done.stdout, (line, done.stdout)
    there = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    done = run_program("--show-config", "-c", write(text), environment=there)
    assert f'key_file = "{tmp_path}/server.key";' in done.stdout
    assert run_program("-c", write(text)).returncode == 78, "a start needs them"
    wrong = run_program("--show-config", "-c", write(text | {"limts": {}}))
    assert wrong.returncode == 78 and "limts" in wrong.stderr


def test_two_that_are_not_known_yet(write):
    """They may turn out to differ."""
    none = "${file:/nonexistent/x}"
    text = {"listen": [{"unix": none}, {"unix": none}, {"systemd": none}, {"systemd": none}],
            "callers": [{"name": none, "user": "root", "allow": ["a/*"]},
                        {"name": none, "user": "0", "allow": ["a/*"]}],
            "upstreams": {"a": {"url": "http://127.0.0.1:1"}}}
    done = run_program("--show-config", "-c", write(text))
    assert done.returncode == 0, done.stderr


def test_paths_of_credentials(write, tmp_path, start):
    """Key files are named by them, inside the service and, without a look at them, outside."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    server = Authority(folder, "ours").issue("server")
    key = Path(server.key).rename(folder / "key.pem")
    settings = {"listen": [{"address": "127.0.0.1", "port": 0, "tls": {
        "cert_file": server.cert, "key_file": "${credential_path:key.pem}"}}],
        "callers": [{"name": "a", "token": "t" * 40, "allow": ["up/*"]}],
        "upstreams": {"up": {"url": start.upstream().url}}}
    path = write(settings)
    there = {"CREDENTIALS_DIRECTORY": str(folder)}
    done = run_program("-t", "-c", path, environment=there)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
    done = run_program("-t", "-c", path)
    assert (done.returncode, done.stdout) == (0, "ok\n")
    assert "`${credential_path:key.pem}` is not checked" in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    done = run_program("-c", path)
    assert done.returncode == 78 and "${credential_path:key.pem}" in done.stderr
    gateway = start.gateway(settings, environment=there)
    tls = ssl.create_default_context(cafile=str(folder / "ours.pem"))
    with Connection(gateway.tls, tls=tls) as caller:
        assert caller.ask("GET", "/livez").status == 200
    key.unlink()
    done = run_program("-t", "-c", path, environment=there)
    assert done.returncode == 78 and f"`{key}`" in done.stderr


def test_quiet_tests(write, tmp_path):
    """For a check before each reload: what is right says nothing."""
    upstream = {"url": "http://127.0.0.1:1", "headers": ["X-Api-Key: ${credential:key}"]}
    path = write({"upstreams": {"a": upstream}})
    for option in ("-q", "--quiet"):
        done = run_program("-t", option, "-c", path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = run_program("-qt", "-c", write({"upstreams": {"a": upstream}, "workers": "x"}))
    assert done.returncode == 78 and not done.stdout and "workers" in done.stderr
    for arguments in (["-q"], ["-q", "--show-config"], ["-q", "--demo"]):
        assert run_program(*arguments).returncode == 64


def test_port_that_is_taken(write):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_program("-c", write(GOOD | {"listen": [{"address": "127.0.0.1", "port": port}]}))
    assert done.returncode not in (0, 66, 78) and done.returncode > 0
    assert str(port) in done.stderr


def test_open_address_needs_more(write):
    """Beyond loopback: TLS and callers, or `insecure = true`."""
    done = run_program("-t", "-c", write(GOOD | {"listen": [{"address": "0.0.0.0", "port": 0}]}))
    assert done.returncode == 78 and "insecure" in done.stdout + done.stderr
    listen = {"address": "0.0.0.0", "port": 0, "insecure": True}
    assert run_program("-t", "-c", write(GOOD | {"listen": [listen]})).returncode == 0


def test_stale_unix_socket_is_replaced_and_a_live_one_refused(start, write):
    gateway = start.gateway({})
    path = gateway.unix
    done = run_program("-c", write({"listen": [{"unix": path}]}))
    assert done.returncode not in (0, 78) and path in done.stderr
    assert gateway.request("GET", "/livez", over="unix").status == 200, "the live one goes on"
    gateway.kill()
    gateway.may_end_with(gateway.process.returncode)
    assert os.path.exists(path), "killed: it is stale now"
    second = start.gateway({"listen": [{"unix": path}]})
    second.unix = path
    assert second.request("GET", "/livez", over="unix").status == 200


def test_ready_is_told_with_every_listener(start):
    gateway = start.gateway({})
    assert gateway.tcp[1] > 0
    gateway.wait_line(gateway.unix)


def test_not_ready_where_the_file_is_bad(write):
    with pytest.raises(RuntimeError, match="ended with 78"):
        Gateway("workers = \"x\";\n")
