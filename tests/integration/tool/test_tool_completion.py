# SPDX-License-Identifier: Apache-2.0
"""Completion for bash, zsh and fish."""

import json
import os
import pty
import select
import shutil
import subprocess
from pathlib import Path

import pytest

from rig.codec import RPCGATE
from rig.gateway import program_environment
from rig.settings import DEADLINE, RPCGATED, TOP, configuration

COMPLETIONS = TOP / "completions"
#: Both, which are not in one folder where they are installed; before those of the system, as words of PATH.
PROGRAMS = [str(RPCGATE.parent), str(RPCGATED.parent)]

METHODS = ["system.listMethods", "demo.add", "demo.echo", "a:b.c", "a:b.d", "größer",
           "$(touch evil)", "two words", "`touch evil`", "q\"'q"]

COMMANDS = ["call", "upstreams", "methods", "describe", "ready", "profiles", "explain", "check",
            "openapi", "encode", "decode", "init"]

CONFIGURATION = configuration({
    "callers": [{"name": "a", "token": "${file:/nonexistent/token}", "allow": ["x1/*"]}],
    "upstreams": {name: {"url": "http://h"} for name in ("x1", "x2", "y")}})

#: Prints what would be offered, a line for each.
BASH = """
source "$1"
PATH=$2:$PATH
COMP_LINE=$3
COMP_POINT=${#COMP_LINE}
"_${COMP_LINE%% *}"
printf '%s\\n' "${COMPREPLY[@]}"
"""

#: zsh's own completion wants a terminal. Its echo of this is not yet the prompt.
ZSH = ("PATH={programs}:$PATH; fpath=({folder} $fpath); autoload -Uz compinit; compinit -D -u; "
       "unset zle_bracketed_paste; stty cols 200 rows 50; PROMPT='=''=> '\n")


@pytest.fixture(scope="module")
def url(start_shared):
    documents = {"/v1": {"upstreams": [{"name": "demo", "state": "up"},
                                       {"name": "deep", "state": "unknown"},
                                       {"name": "other", "state": "down"}]},
                 "/v1/demo": {"name": "demo", "methods": [{"name": name} for name in METHODS]},
                 "/v1/other": {"name": "other", "methods": None, "reason": "no"}}

    async def behave(x):
        path = x.request_line.split()[1]
        await x.respond(json.dumps(documents[path]).encode())
    return f"http://127.0.0.1:{start_shared.upstream(behave).port}"


@pytest.fixture
def complete(tmp_path):
    def complete(line: str) -> list[str]:
        done = subprocess.run(
            ["bash", "--norc", "--noprofile", "-c", BASH, "bash",
             str(COMPLETIONS / line.split()[0]), ":".join(PROGRAMS), line],
            capture_output=True, text=True, timeout=DEADLINE, check=True, cwd=tmp_path,
            env=program_environment({"LC_ALL": "C.UTF-8"}))
        assert not done.stderr, done.stderr
        assert not (tmp_path / "evil").exists(), "a name was executed"
        return sorted(done.stdout.splitlines()) if done.stdout != "\n" else []
    return complete


def test_commands(complete):
    commands = complete("rpcgate ")
    assert {*COMMANDS, "--help", "--version"} == set(commands)
    assert complete("rpcgate de") == ["decode", "describe"]
    assert complete("rpcgate xyz") == []


@pytest.mark.parametrize("command", COMMANDS)
def test_options(complete, command):
    """All that the help tells."""
    told = subprocess.run([str(RPCGATE), command, "--help"], capture_output=True, text=True,
                          check=True, timeout=DEADLINE).stdout
    options = {word.rstrip(",") for line in told.splitlines() if line.lstrip().startswith("-")
               for word in line.split()[:2] if word.startswith("-")}
    assert set(complete(f"rpcgate {command} -")) == options
    assert "--help" in options


def test_arguments_of_options(complete, tmp_path):
    assert complete("rpcgate call --types ") == ["plain", "tagged"]
    assert complete("rpcgate call --types=t") == ["tagged"]
    assert complete("rpcgate decode --integers s") == ["safe", "string"]
    assert complete("rpcgate encode --text ") == ["base64", "reject", "replace"]
    assert complete("rpcgate encode --dates ") == ["basic", "extended", "zulu"]
    assert complete("rpcgate call --timeout ") == []
    (tmp_path / "one file").touch()
    (tmp_path / "other").touch()
    assert complete("rpcgate call --token-file o") == ["one file", "other"]
    assert complete("rpcgate check -c ot") == ["other"]
    assert complete("rpcgate encode on") == ["one file"]
    assert complete("rpcgate init --cert-file ot") == ["other"]
    assert complete("rpcgate init --profile od") == complete("rpcgate init -p od") == ["odoo"]


def test_upstreams(complete, url):
    for command in ("call", "methods", "describe", "call -s --types tagged"):
        assert complete(f"rpcgate {command} --url {url} de") == ["deep", "demo"]
    assert complete(f"rpcgate call --url={url} ") == ["deep", "demo", "other"]
    assert complete(f"rpcgate call --url '{url}' o") == ["other"]
    assert complete("rpcgate call --url http://127.0.0.1:1 ") == []
    assert complete("rpcgate call --direct http://127.0.0.1:1 ") == []


def test_upstreams_of_a_file(complete, url, tmp_path):
    """No gateway is asked, nor a secret read."""
    (tmp_path / "r.conf").write_text(CONFIGURATION)
    for command in ("explain", "check"):
        assert complete(f"rpcgate {command} -c r.conf x") == ["x1", "x2"]
        assert complete(f"rpcgate {command} --config=r.conf ") == ["x1", "x2", "y"]
        assert complete(f"rpcgate {command} --config '{tmp_path}/r.conf' y") == ["y"]
        assert complete(f"rpcgate {command} -c none.conf ") == []
    assert complete("rpcgate openapi -c r.conf --upstream x") == ["x1", "x2"]
    assert complete("rpcgate openapi -c r.conf --upstream=y") == ["y"]
    assert complete("rpcgate openapi -c r.conf ") == []


#: rpcgate with another configuration that is read where none is named, which its help tells.
ELSEWHERE = """#!/bin/sh
"{program}" "$@" | sed 's|(/[^)]*/rpcgate.conf)|({file})|'
"""


@pytest.fixture
def elsewhere(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "rpcgate"
    script.write_text(ELSEWHERE.format(program=RPCGATE, file=tmp_path / "etc" / "usual.conf"))
    script.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_upstreams_of_the_usual_file(elsewhere, url, shell):
    """`check` and `explain` read it where none is named, so its names are theirs; the gateway is asked
    where there is none, and by the other commands."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")

    def complete(line):
        command = ["bash", "--norc", "--noprofile", "-c", BASH, "bash",
                   str(COMPLETIONS / "rpcgate"), str(elsewhere / "bin"), line]
        if shell == "fish":
            command = ["fish", "--no-config", "-c", f"source {COMPLETIONS}/rpcgate.fish; "
                       f"set -x PATH {elsewhere}/bin $PATH; complete -C $argv[1]", line]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DEADLINE, check=True, cwd=elsewhere,
            env=program_environment({"LC_ALL": "C.UTF-8", "RPCGATE_URL": url,
                                     "HOME": str(elsewhere)}))
        assert not done.stderr, done.stderr
        return sorted(row.split("\t")[0] for row in done.stdout.splitlines() if row)
    assert complete("rpcgate check de") == complete("rpcgate explain de") == ["deep", "demo"]
    (elsewhere / "etc" / "usual.conf").write_text(CONFIGURATION)
    assert complete("rpcgate check ") == complete("rpcgate explain ") == ["x1", "x2", "y"]
    assert complete("rpcgate call de") == ["deep", "demo"]


def test_rpcgated(complete, tmp_path):
    told = subprocess.run([str(RPCGATED), "--help"], capture_output=True, text=True, check=True,
                          timeout=DEADLINE).stdout
    options = {word.rstrip(",") for line in told.splitlines() if line.lstrip().startswith("-")
               for word in line.split()[:2] if word.startswith("-")}
    assert {"-c", "--config", "--show-config"} < options
    assert set(complete("rpcgated ")) == set(complete("rpcgated -t -")) == options
    assert complete("rpcgated --te") == ["--test"]
    (tmp_path / "r.conf").touch()
    for words in ("-c ", "--config r", "-t -c r.", "--config=r"):
        assert complete(f"rpcgated {words}") == ["r.conf"]
    assert complete("rpcgated --demo --listen ") == []


def test_methods(complete, url):
    for command in ("call", "methods", "describe"):
        assert complete(f"rpcgate {command} --url {url} demo demo.") == ["demo.add", "demo.echo"]
    assert complete(f"rpcgate call --url {url} demo gr") == ["größer"]
    assert complete(f"rpcgate call --url {url} demo demo.add ") == [], "a PARAM"
    assert complete(f"rpcgate call --url {url} demo demo.add -") == [], "a PARAM"
    assert complete(f"rpcgate call --url {url} other ") == []


def test_colons(complete, url):
    """bash replaces what stands behind the last one."""
    assert complete(f"rpcgate call --url {url} demo a:b") == ["b.c", "b.d"]


def test_names_are_quoted(complete, url):
    offered = complete(f"rpcgate call --url {url} demo ")
    assert len(offered) == len(METHODS)
    back = subprocess.run(["bash", "-c", "printf '%s\\n' " + " ".join(offered)], text=True,
                          capture_output=True, check=True, timeout=DEADLINE).stdout
    assert sorted(back.splitlines()) == sorted(METHODS)


class Terminal:
    """An interactive zsh."""

    def __init__(self, folder: Path):
        self._fd, theirs = pty.openpty()
        self._process = subprocess.Popen(
            ["zsh", "-f", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder,
            start_new_session=True,
            env=program_environment({"TERM": "dumb", "LC_ALL": "C.UTF-8"}))
        os.close(theirs)
        self._seen = ""

    def type(self, text: str):
        self._seen = ""
        os.write(self._fd, text.encode())

    def wait_for(self, *texts: str):
        while not all(text in self._seen for text in texts):
            assert select.select([self._fd], [], [], DEADLINE)[0], self._seen
            self._seen += os.read(self._fd, 65536).decode(errors="replace")

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._fd)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
@pytest.mark.parametrize("words, offered", [
    (" de", ["describe", "decode"]),
    (" call --", ["--types", "--token-file", "--direct"]),
    (" call --types ", ["plain", "tagged"]),
    (" call --url {url} de", ["demo", "deep"]),
    (" methods --url {url} demo ", [*METHODS[:4], r"\$\(touch\ evil\)"]),
    (" describe --url={url} demo a:b.", ["a:b.c", "a:b.d"]),
    (" check -c r.conf x", ["x1", "x2"]),
    (" explain --config=r.conf x", ["x1", "x2"]),
    (" openapi -c r.conf --upstream x", ["x1", "x2"]),
    ("d --", ["--config", "--show-config"]),
    ("d -c o", ["one.conf", "other.conf"])])
def test_zsh(tmp_path, url, words, offered):
    terminal = Terminal(tmp_path)
    (tmp_path / "r.conf").write_text(CONFIGURATION)
    for name in ("one.conf", "other.conf"):
        (tmp_path / name).touch()
    try:
        terminal.type(ZSH.format(programs=":".join(PROGRAMS), folder=COMPLETIONS))
        terminal.wait_for("==> ")
        terminal.type("rpcgate" + words.format(url=url) + "\t")
        terminal.wait_for(*offered)
    finally:
        terminal.close()
    assert not (tmp_path / "evil").exists(), "a name was executed"


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
def test_zsh_of_the_usual_file(elsewhere):
    terminal = Terminal(elsewhere)
    (elsewhere / "etc" / "usual.conf").write_text(CONFIGURATION)
    try:
        terminal.type(ZSH.format(programs=elsewhere / "bin", folder=COMPLETIONS))
        terminal.wait_for("==> ")
        terminal.type("rpcgate check x\t")
        terminal.wait_for("x1", "x2")
    finally:
        terminal.close()


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish here")
@pytest.mark.parametrize("line, offered", [
    ("rpcgate de", ["decode", "describe"]),
    ("rpcgate call --ty", ["--types"]),
    ("rpcgate call --types ", ["plain", "tagged"]),
    ("rpcgate call --url {url} de", ["deep", "demo"]),
    ("rpcgate describe --url={url} demo a:b.", ["a:b.c", "a:b.d"]),
    ("rpcgate call --url {url} demo '$(", ["$(touch evil)"]),
    ("rpcgate call --url {url} demo demo.add ", []),
    ("rpcgate call --direct {url} ", []),
    ("rpcgate check -c r.conf x", ["x1", "x2"]),
    ("rpcgate explain --config=r.conf ", ["x1", "x2", "y"]),
    ("rpcgate openapi -c r.conf --upstream x", ["x1", "x2"]),
    ("rpcgate encode r.", ["r.conf"]),
    ("rpcgated --sh", ["--show-config"]),
    ("rpcgated -t -c r", ["r.conf"])])
def test_fish(tmp_path, url, line, offered):
    (tmp_path / "r.conf").write_text(CONFIGURATION)
    script = (f"source {COMPLETIONS}/rpcgate.fish; source {COMPLETIONS}/rpcgated.fish; "
              f"set -x PATH {' '.join(PROGRAMS)} $PATH; complete -C $argv[1]")
    done = subprocess.run(["fish", "--no-config", "-c", script, line.format(url=url)],
                          capture_output=True, text=True, timeout=DEADLINE, check=True,
                          cwd=tmp_path, env=program_environment({"LC_ALL": "C.UTF-8",
                                                                 "HOME": str(tmp_path)}))
    assert not done.stderr, done.stderr
    assert sorted(row.split("\t")[0] for row in done.stdout.splitlines()) == offered
    assert not (tmp_path / "evil").exists(), "a name was executed"
