# SPDX-License-Identifier: Apache-2.0
"""Requests as clients that nobody here wrote send them. Those that are not installed are skipped."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rig.settings import DEADLINE, TOP
from rig.wire import parse_head

CLIENTS = TOP / "tests/integration/clients"


@pytest.fixture(scope="module")
def gateway(start_shared, shared_upstream):
    return start_shared.simple(shared_upstream)


@pytest.fixture(scope="module")
def base(gateway):
    return f"http://127.0.0.1:{gateway.tcp[1]}"


def program(name: str, *also: str) -> str:
    for each in (name, *also):
        if shutil.which(each) is None:
            pytest.skip(f"{each} is not installed")
    return shutil.which(name)


def curl(*arguments, data: bytes = b"") -> tuple[int, bytes]:
    """Status and body of what curl is answered, whatever ~/.curlrc and the environment say."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.lower().endswith("_proxy")}
    done = subprocess.run([program("curl"), "-q", "-sS", "-i", *arguments], input=data,
                          capture_output=True, timeout=DEADLINE, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    rest, status = done.stdout, 100
    while status < 200:
        head, _, rest = rest.partition(b"\r\n\r\n")
        status = parse_head(head + b"\r\n\r\n")[1]
    return status, rest


ONE, NONE = (200, b'{"result": 1}'), (200, b'{"result": ""}')


def test_curl_takes_the_gateway_for_a_proxy(base):
    call = ("--json", "[1]")
    assert curl("-x", base, *call, f"{base}/v1/up/m") == ONE
    assert curl("-x", base, *call, "http://localhost/v1/up/m") == ONE
    assert curl("-x", base, "-0", *call, "http://localhost/v1/up/m") == ONE
    assert curl("-x", base, *call, "http://evil.example/v1/up/m")[0] == 421
    assert curl("-x", base, "http://localhost")[0] == 200
    assert curl("--request-target", f"{base}/v1/up/m", *call, base) == ONE


def test_curl_uploads(base):
    json = ("-H", "Content-Type: application/json")
    post = ("-T", "-", "-X", "POST", f"{base}/v1/up/m")
    assert curl(*post) == NONE
    assert curl(*post, "-H", "Expect: 100-continue") == NONE
    assert curl(*post, *json, data=b"[1]") == ONE
    assert curl(*post, *json, data=b"\xef\xbb\xbf[1]") == ONE
    assert curl(*post, data=b"[1]")[0] == 415
    assert curl(*post, data=b"[" + b" " * 2_000_000 + b"1]")[0] == 415
    assert curl("-T", "-", f"{base}/v1/up/m")[0] == 405, "PUT"


def test_curl_posts(base):
    call = f"{base}/v1/up/m"
    assert curl("-d", "", call) == NONE
    assert curl("-X", "POST", call) == NONE
    assert curl("-d", "[1]", "-H", "Content-Type: application/json; charset=utf8", call) == ONE
    assert curl("--json", "[1]", "-H", "Expect;", call) == ONE
    assert curl("--json", "[1]", "-0", call) == ONE
    assert curl("--json", "[1]", f"{call}?") == ONE
    assert curl("-X", "OPTIONS", "--request-target", "*", base) == (204, b"")
    assert curl("--json", "[1]", "-H", "Host: localhost.:80", call) == ONE


def test_curl_over_a_unix_socket(gateway):
    over = ("--unix-socket", gateway.unix, "--json", "[1]")
    for host in ("localhost", "whatever.example", "rpcgate"):
        assert curl(*over, f"http://{host}/v1/up/m") == ONE
    assert curl(*over, "-H", f"Host: {gateway.unix}", "http://x/v1/up/m") == ONE


@pytest.mark.parametrize("command, file, also", [
    (["node"], "forms.mjs", []), (["go", "run"], "forms.go", []),
    (["java", "-Xshare:auto"], "Forms.java", ["javac"]), (["php", "-n"], "forms.php", [])],
    ids=["node", "go", "java", "php"])
def test_programs(base, folder, command, file, also):
    name, *options = command
    environment = {"GOFLAGS": "", "GO111MODULE": "off", "GOTOOLCHAIN": "local", **os.environ}
    environment.setdefault("GOCACHE", str(Path.home() / ".cache/go-build"))
    done = subprocess.run([program(name, *also), *options, str(CLIENTS / file), base],
                          capture_output=True, text=True, timeout=6 * DEADLINE, check=False,
                          cwd=folder, env=environment)
    if name == "node" and "fetch is not defined" in done.stderr:
        pytest.skip("this node has no fetch")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all is well\n")
