# SPDX-License-Identifier: Apache-2.0
"""What people paste into the configuration: users of a Windows domain, passwords in URLs."""

import re

import pytest

from rig.gateway import run_program
from rig.tool import CONFIGURATION, tool

ANYBODY = 'anonymous = { allow = [ "*/*" ]; };\n'


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "rpcgate.conf"
        path.write_text(ANYBODY + text)
        return str(path)
    return write


def users(*names: str) -> str:
    return "upstreams = {\n" + "".join(
        f'  u{n} = {{ url = "http://h/"; auth = {{ scheme = "basic"; username = "{name}"; '
        'password = "sixchars"; }; };\n' for n, name in enumerate(names)) + "};\n"


@pytest.mark.parametrize("name", ["CORP\\tom", "CORP\\nina", "CORP\\frank", "CORP\\rita",
                                  "CORP\\bob", "CORP\\anna", "CORP\\victor", "CORP\\Ute",
                                  "CORP\\x1fe"])
def test_a_backslash_that_is_none(write, name):
    """Whatever libconfig makes of it."""
    path = write(users(name))
    done = run_program("-t", "-c", path)
    assert done.returncode == CONFIGURATION
    assert re.fullmatch(r"\S+:3: .*a backslash itself is written `\\\\`\)?\n", done.stderr), done.stderr


def test_all_are_told_at_once(write):
    done = run_program("-t", "-c", write(users("CORP\\tom", "CORP\\xabel", "CORP\\bob")))
    assert done.returncode == CONFIGURATION
    assert [line.split(": ")[0].rsplit(":", 1)[1] for line in done.stderr.splitlines()] == [
        "4", "3", "5"]  # the warning first
    assert all("`\\\\`" in line for line in done.stderr.splitlines())


def test_as_it_is_meant(write):
    done = run_program("-t", "-c", write(users("CORP\\\\tom", "CORP\\\\xabel", "CORP\\\\bob")))
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


PASSWORDS = ["99?wd2scU", "99/wd2scU", "?wd2scU", "/wd2scU", "6789/x?wd2scU", "Tcs?wd2scU",
             "99@wd2scU/x", "99#wd2scU"]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("place", [
    'upstreams = {{ u = {{ url = "{}"; }}; }};', 'upstreams = {{ u = {{ urls = [ "{}" ]; }}; }};',
    'upstreams = {{ u = {{ url = "http://h/"; proxy = {{ url = "{}"; }}; }}; }};'])
def test_a_password_that_is_no_port(write, place, password):
    path = write(place.format(f"http://nzbget:{password}@127.0.0.1:6789/xmlrpc"))
    told = ""
    for done in (run_program("-t", "-c", path), run_program("--show-config", "-c", path),
                 run_program("-c", path)):
        assert done.returncode == CONFIGURATION
        assert "%23" in done.stderr if "#" in password else "%3F" in done.stderr
        told += done.stdout + done.stderr
    for words in (("check", "-c", path), ("explain", "-c", path, "u", "m")):
        done = tool(*words)
        assert done.status == CONFIGURATION
        told += done.out + done.err
    assert "wd2scU" not in told and "nzbget" not in told


def test_by_the_tool(write):
    url = "http://nzbget:99?wd2scU@127.0.0.1:6789/xmlrpc"
    for words in (("call", "--direct", url, "m"), ("upstreams", "--url", url)):
        done = tool(*words)
        assert done.status == 64 and done.err and "wd2scU" not in done.out + done.err


@pytest.mark.parametrize("url, warns", [
    ("http://127.0.0.1:6789/nzbget:wd2scU/xmlrpc", True), ("http://h/RPC2?token=wd2scU", True),
    ("http://h/RPC2", False), ("http://u:password@h/RPC2?db=x", False)])
def test_credentials_in_a_path(write, tmp_path, url, warns):
    done = run_program("-t", "-c", write(f'upstreams = {{ u = {{ url = "{url}"; }}; }};'))
    assert done.returncode == 0 and ("looks as if there" in done.stderr) == warns
    assert "wd2scU" not in done.stderr
    if warns:  # as the warning says it
        secret = tmp_path / "secret"
        secret.write_text("nzbget:wd2scU")
        path = write('upstreams = { u = { url = "http://h/${file:secret}/xmlrpc"; }; };')
        assert run_program("-t", "-c", path).stderr == ""
        assert "wd2scU" not in run_program("--show-config", "-c", path).stdout
