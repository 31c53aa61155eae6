# SPDX-License-Identifier: Apache-2.0
"""A release: the same bytes each time, and a configuration of the one before goes on."""

import os
import re
import subprocess
import tarfile

import pytest

from rig.gateway import run_program
from rig.settings import DEADLINE, TOP
from rig.tool import CONFIGURATION, OK

#: What 0.1.0 knew, one of each kind.
BEFORE = """
workers = 2;
listen = (
  { unix = "@/rpcgate.sock"; mode = "0660"; },
  { address = "127.0.0.1"; port = 8080; serve = [ "api" ]; },
  { address = "127.0.0.1"; port = 9100; serve = [ "admin" ]; }
);
hosts = [ "gateway.internal" ];
cors_origins = [ "https://page.example" ];
callers = (
  { name = "billing"; token = "0123456789abcdef0123456789abcdef"; allow = [ "books/*" ];
    rate = 50; burst = 100; max_in_flight = 32; },
  { name = "bot"; tokens = [ "fedcba9876543210fedcba9876543210", "00112233445566778899aabbccddeeff" ];
    allow = ( { match = "books/get"; params = ( { at = 0; in = [ "read", "search" ]; } ); } );
    deny = [ "books/remove" ]; }
);
anonymous = { allow = [ "books/system.*" ]; };
limits = { body = "4M"; headers = "16K"; header_count = 64; depth = 128; connections = 4096;
           memory = "256M"; header_time = "10s"; body_time = "30s"; write_time = "30s"; idle = "60s";
           drain = "35s"; lame_duck = "1s"; };
log = { level = "info"; format = "text"; access = true; };
upstreams = {
  books = {
    urls = [ "https://a.example/RPC2", "https://b.example/RPC2" ];
    auth = { scheme = "basic"; username = "u"; password = "sixchars"; };
    headers = [ "X-Tenant: blue" ];
    cookies = true;
    tls = { verify_peer = true; min_version = "1.3"; };
    proxy = { url = "http://proxy.example:3128"; no_proxy = [ "intranet.example" ]; };
    encoding = "ISO-8859-1"; response_encoding = "UTF-8";
    extensions = [ "nil", "i8" ];
    types = "tagged"; integers = "safe"; timezone = "Europe/Berlin"; text = "replace";
    timeouts = { connect = "1s"; total = "20s"; idle = "10s"; };
    pool = { max_connections = 8; max_queue = 100; queue_timeout = "2s"; };
    limits = { response = "8M"; depth = 64; };
    compression = { accept = false; request_over = "64K"; };
    retry = { attempts = 3; backoff = "20ms"; };
    breaker = { failures = 3; open = "1s"; };
    required = true;
    fault_status = 502;
    faults = ( { code = 4; status = 404; type = "no-such-record"; retry_after = "5s"; },
               { from = -32099; to = -32000; status = 503; }, { text = "*locked*"; status = 409; } );
    methods = ( { match = "get*"; safe = true; timeout = "5s"; } );
    multicall = "never"; multicall_results = "auto"; multicall_max = 10;
    introspection = { ttl = "1m"; };
    verbose = false;
    user_agent = "books/1";
  };
};
"""

SHORT = 'anonymous = { allow = [ "*/*" ]; };\nupstreams = { x = { url = "%s"; %s }; };\n'


def check(folder, text: str):
    path = folder / "rpcgate.conf"
    path.write_text(text.replace("@", str(folder)) if "@/" in text else text)
    return run_program("--test", "--config", str(path))


def test_a_configuration_of_the_release_before_goes_on(tmp_path):
    done = check(tmp_path, BEFORE)
    assert (done.returncode, done.stdout, done.stderr) == (OK, "ok\n", "")


@pytest.mark.parametrize("text, status", [
    (SHORT % ("http://h/", 'user_agent = "a\\d";'), CONFIGURATION),
    (SHORT % ("http://u:a/b@h/", ""), CONFIGURATION),
    (SHORT % ("http://h/", 'headers = [ "X-A: {name}" ];'), OK),
    (SHORT % ("http://h/x?password=sixchars", ""), OK),
])
def test_what_the_notes_name_is_told(tmp_path, text, status):
    """An error, or a warning."""
    done = check(tmp_path, text)
    assert done.returncode == status
    assert re.search(r"rpcgate\.conf:2: ", done.stderr + done.stdout), done.stdout + done.stderr


def test_the_notes_are_for_this_version():
    version = re.search(r"AC_INIT\(\[rpcgate\], \[([^]]+)\]\)", (TOP / "configure.ac").read_text())[1]
    assert re.search(rf"^## From \S+ to {re.escape(version)}$",
                     (TOP / "docs/upgrading.md").read_text(), re.M)


def make_dist(folder, zone: str, umask: int):
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CFLAGS", "CPPFLAGS")}
    folder.mkdir()
    for command in ([TOP / "configure", "-q"], ["make", "-s", "dist"]):
        done = subprocess.run(command, cwd=folder, env=environment | {"TZ": zone}, umask=umask,
                              text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=10 * DEADLINE, check=False)
        assert done.returncode == 0, done.stdout
    (release,) = folder.glob("rpcgate-*.tar.xz")
    return release


@pytest.mark.skipif(not os.environ.get("RPCGATE_LONG_TESTS"),
                    reason="makes two releases; RPCGATE_LONG_TESTS=1 does")
@pytest.mark.skipif(not (TOP / "configure").exists(), reason="there is no configure")
def test_a_release_is_the_same_each_time(tmp_path):
    one = make_dist(tmp_path / "one", "UTC", 0o022)
    other = make_dist(tmp_path / "other", "Asia/Tokyo", 0o077)
    assert one.read_bytes() == other.read_bytes()
    with tarfile.open(one) as release:
        members = release.getmembers()
    names = [member.name for member in members if not member.isdir()]
    assert {(member.uid, member.gid, member.uname) for member in members} == {(0, 0, "")}
    assert len({member.mtime for member in members}) == 1
    assert {member.mode & 0o777 for member in members} == {0o644, 0o755}
    assert any(name.endswith("/packaging/debian/control") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.endswith((".o", ".log"))]
