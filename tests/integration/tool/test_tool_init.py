# SPDX-License-Identifier: Apache-2.0
"""`rpcgate init`: what it writes works, and what it cannot write leaves nothing."""

import re
import stat
import subprocess

import pytest

from rig.settings import DEADLINE, RPCGATED, TOP
from rig.tool import CONFIGURATION, OK, USAGE, tool

IO_ERROR = 74
URL = "http://127.0.0.1:1/RPC2"
PROFILES = sorted(path.stem for path in (TOP / "etc/profiles").glob("*.conf"))
#: The options that give credentials which are no secrets.
GIVEN = {"username": "--username", "database": "--database"}


@pytest.fixture
def init(tmp_path):
    """init(WORD...) in an empty folder."""
    def init(*words, data=b""):
        return tool("init", *words, data=data, folder=tmp_path)
    return init


def names(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def daemon_test(folder, name="rpcgate.conf") -> str:
    done = subprocess.run([str(RPCGATED), "--test", "--config", str(folder / name)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE,
                          check=False)
    return done.stdout


def test_it_says_what_it_wrote_and_what_comes_next(init, tmp_path):
    done = init("--url", URL)
    assert (done.status, done.err) == (OK, "")
    assert names(tmp_path) == {"rpcgate.conf", "app.token"}
    assert mode(tmp_path / "app.token") == 0o600
    assert daemon_test(tmp_path) == "ok\n"
    for line in ("wrote app.token", "    rpcgate check --config rpcgate.conf",
                 "    rpcgated --config rpcgate.conf",
                 "    rpcgate call --url http://127.0.0.1:8080 --token-file app.token \\"):
        assert line in done.out.splitlines()


def test_a_token_is_long_and_new(init, tmp_path):
    tokens = set()
    for caller in ("a", "b"):
        assert init("--url", URL, "--caller", caller, "-c", f"{caller}.conf").status == OK
        token = (tmp_path / f"{caller}.token").read_text()
        assert re.fullmatch(r"[A-Za-z0-9_-]{44}\n", token)
        assert token.strip() not in (tmp_path / f"{caller}.conf").read_text()
        tokens.add(token)
    assert len(tokens) == 2


@pytest.mark.parametrize("profile", PROFILES)
def test_profiles(init, tmp_path, profile):
    """Each is given what its example has, and nothing else."""
    text = (TOP / f"etc/profiles/{profile}.conf").read_text()
    example = re.search(r"^# .*credentials = \{(.*)$", text, re.M)
    wanted = re.findall(r"(\w+) = ", example[1]) if example else []
    words = [word for name in wanted if name in GIVEN for word in (GIVEN[name], "Some Body")]
    done = init("--profile", profile, "--url", URL, *words)
    assert (done.status, done.err) == (OK, ""), done.err
    assert daemon_test(tmp_path) == "ok\n"
    secrets = {f"{profile}.{name}" for name in wanted if name not in GIVEN}
    assert names(tmp_path) == {"rpcgate.conf", "app.token"} | secrets
    for name in secrets:
        assert mode(tmp_path / name) == 0o600 and (tmp_path / name).read_bytes() == b""
        assert f"goes into {name}" in done.out
    if words:
        missing = init("--profile", profile, "--url", URL, *words[2:], "-c", "other.conf")
        assert missing.status == USAGE and f"wants {words[0]}" in missing.err


def test_what_it_wrote_is_served(init, tmp_path, start):
    """The program with the token calls the server with its user and password."""
    seen = []

    async def behave(x):
        seen.append(x.header("authorization"))
        await x.answer(4)
    upstream = start.upstream(behave)
    socket = tmp_path / "s"
    done = init("--url", f"http://127.0.0.1:{upstream.port}/RPC2", "--listen", str(socket),
                "--name", "books", "--username", "us\"er\\${x}", "--password-file", "-",
                data=b"pass word\n")
    assert done.status == OK and mode(tmp_path / "books.password") == 0o600
    with subprocess.Popen([str(RPCGATED), "-c", str(tmp_path / "rpcgate.conf")],
                          stderr=subprocess.PIPE, text=True) as daemon:
        try:
            while "ready" not in daemon.stderr.readline():
                assert daemon.poll() is None
            url = f"http+unix://{str(socket).replace('/', '%2F')}"
            assert f"--url {url} " in done.out
            call = tool("call", "--url", url, "--token-file", str(tmp_path / "app.token"), "books",
                        "any.method")
            assert (call.status, call.out) == (OK, "4\n"), call.err
            assert tool("call", "--url", url, "books", "any.method").status != OK
        finally:
            daemon.terminate()
            daemon.communicate(timeout=DEADLINE)
    assert seen == ["Basic dXMiZXJcJHt4fTpwYXNzIHdvcmQ="]


@pytest.mark.parametrize("there", ["rpcgate.conf", "app.token", "server.password"])
def test_nothing_is_overwritten(init, tmp_path, there):
    (tmp_path / there).write_text("mine")
    done = init("--url", URL, "--username", "u")
    assert done.status == IO_ERROR and f"{there} is there already" in done.err and not done.out
    assert names(tmp_path) == {there} and (tmp_path / there).read_text() == "mine"


def test_a_link_is_not_followed(init, tmp_path):
    (tmp_path / "app.token").symlink_to(tmp_path / "elsewhere")
    assert init("--url", URL).status == IO_ERROR
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("words, why", [
    (("--listen", "0.0.0.0:8080"), "is not a loopback address"),
    (("--url", "gopher://x/"), "upstreams.server.url"),
    (("--cert-file", "none.pem", "--key-file", "none.key"), "none.pem"),
])
def test_what_is_wrong_is_said_and_nothing_is_left(init, tmp_path, words, why):
    done = init("--url", URL, *words)
    assert done.status == CONFIGURATION and re.search(r"^rpcgate\.conf:\d+: .*" + re.escape(why),
                                                      done.err, re.M), done.err
    assert done.err.endswith("nothing is written\n") and names(tmp_path) == set()


@pytest.mark.parametrize("words, why", [
    ((), "it wants --url"),
    (("--url", "http://u:p@h/"), "no user and password in --url"),
    (("--url", URL, "--profile", "odo"), 'did you mean "odoo"?'),
    (("--url", URL, "--name", "../x"), "--name and --caller begin with a letter"),
    (("--url", URL, "--caller", "a/b"), "--name and --caller begin with a letter"),
    (("--url", URL, "--listen", "8080"), "--listen takes ADDRESS:PORT"),
    (("--url", URL, "--listen", "127.0.0.1:65536"), "--listen takes ADDRESS:PORT"),
    (("--url", URL, "--cert-file", "x"), "want each other"),
    (("--url", URL, "--listen", "/s", "--cert-file", "x", "--key-file", "y"), "has no TLS"),
    (("--url", URL, "--database", "x"), "takes no --database"),
    (("--url", URL, "--password-file", "x"), "takes no --password-file without --username"),
    (("--url", URL, "--profile", "kamailio", "--username", "x"), "kamailio takes no --username"),
    (("--url", URL, "more"), "it takes options only"),
])
def test_words_that_make_no_sense(init, tmp_path, words, why):
    done = init(*words)
    assert done.status == USAGE and why in done.err and names(tmp_path) == set()


def test_a_password_that_is_there_stays_where_it_is(init, tmp_path):
    secret = tmp_path / "there.pw"
    secret.write_text("s3cret\n")
    (tmp_path / "etc").mkdir()
    done = init("--url", URL, "--username", "u", "--password-file", "there.pw", "-c",
                "etc/r.conf")
    assert done.status == OK and "s3cret" not in done.out
    assert names(tmp_path / "etc") == {"r.conf", "app.token"}
    assert f'"${{file:{secret}}}"' in (tmp_path / "etc/r.conf").read_text()
    assert daemon_test(tmp_path / "etc", "r.conf") == "ok\n"
    missing = init("--url", URL, "--username", "u", "--password-file", "none", "-c", "x.conf")
    assert missing.status == IO_ERROR and "cannot read none" in missing.err
    assert not (tmp_path / "x.conf").exists()


def test_for_the_service(init, tmp_path):
    done = init("--service", "--url", URL, "--username", "u")
    text = (tmp_path / "rpcgate.conf").read_text()
    assert (done.status, done.err) == (OK, "")
    for name in ("app.token", "server.password"):
        assert f'"${{credential:{name}}}"' in text
        assert f"    LoadCredential={name}:{tmp_path / name}\n" in done.out
    assert "systemctl restart rpcgate" in done.out


def test_addresses_of_ipv6(init, tmp_path):
    done = init("--url", URL, "--listen", "[::1]:8081")
    assert done.status == OK and "--url http://[::1]:8081 " in done.out
    assert 'address = "::1"; port = 8081;' in (tmp_path / "rpcgate.conf").read_text()
