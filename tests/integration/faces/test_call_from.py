# SPDX-License-Identifier: Apache-2.0
"""The programs of docs/call-from.md run as they stand there, but for the gateway's addresses. Those
whose language is not installed are skipped."""

import os
import re
import subprocess

import pytest

from rig.programs import need
from rig.settings import DEADLINE, TOP

TOKEN = "0123456789abcdef0123456789abcdef"
PAGE = (TOP / "docs/call-from.md").read_text("utf-8")

#: By the language of the block: its file, what runs it, and what must be there.
RUNNERS = {
    "sh": ("call.sh", ["bash"], ["bash", "curl", "jq"]),
    "python": ("call.py", ["/usr/bin/python3"], ["/usr/bin/python3"]),
    "js": ("call.js", ["node"], ["node"]),
    "go": ("call.go", ["go", "run"], ["go"]),
    "php": ("call.php", ["php"], ["php"]),
    "ruby": ("call.rb", ["ruby"], ["ruby"]),
    "java": ("Call.java", ["java"], ["java", "javac"]),
}


@pytest.fixture(scope="module")
def gateway(start_shared, shared_upstream):
    async def behave(x):
        if x.method == "demo.add":
            await x.answer(x.params[0] + x.params[1])
        elif x.method == "demo.fault":
            await x.answer_fault(*x.params)
        else:
            await x.answer_xml("<i8>9007199254740993</i8>")
    shared_upstream.behave = behave
    return start_shared.gateway({
        "callers": [{"name": "shop", "token": TOKEN, "allow": ["demo/*"]},
                    {"name": "user", "user": str(os.getuid()), "allow": ["demo/*"]}],
        "upstreams": {"demo": {"url": shared_upstream.url, "extensions": ["i8"]}}})


def programs() -> dict[str, str]:
    return dict(re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.S | re.M))


def test_each_has_a_runner():
    assert set(programs()) == set(RUNNERS)


@pytest.mark.parametrize("language", RUNNERS)
def test_program(gateway, tmp_path, language):
    name, command, needed = RUNNERS[language]
    for program in needed:
        need(program)
    text = programs()[language]
    text = text.replace("/run/rpcgate/rpcgate.sock", str(gateway.unix))
    text = text.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{gateway.tcp[1]}")
    (tmp_path / name).write_text(text, "utf-8")
    done = subprocess.run([*command, str(tmp_path / name)], capture_output=True, text=True,
                          timeout=6 * DEADLINE, check=False, cwd=tmp_path,
                          env={**os.environ, "RPCGATE_TOKEN": TOKEN})
    if language == "php" and "undefined function curl_init" in done.stdout + done.stderr:
        pytest.skip("PHP has no curl")
    first, second = done.stdout.splitlines()
    told = done.stderr
    if language == "java":
        assert (first, second) == ('{"result": 42}', '{"result": 9007199254740993}')
        assert '"executed":"yes"' in told.replace(" ", "") and "it is broken" in told
    else:
        assert (first, second) == ("42", "9007199254740993")
        assert "it is broken" in told and "(executed: yes)" in told, told


def test_shell_over_tcp(gateway, tmp_path):
    """As the sentence behind the program has it."""
    for program in RUNNERS["sh"][2]:
        need(program)
    text = programs()["sh"]
    instead = '-H "Authorization: Bearer $RPCGATE_TOKEN"'
    assert f"Over TCP it is `{instead} http://127.0.0.1:8080/v1/…`" in PAGE
    for old, new in (("--unix-socket /run/rpcgate/rpcgate.sock", instead),
                     ("http://localhost/v1/", f"http://127.0.0.1:{gateway.tcp[1]}/v1/")):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "call.sh").write_text(text, "utf-8")

    def run(token: str):
        return subprocess.run(["bash", str(tmp_path / "call.sh")], capture_output=True, text=True,
                              timeout=6 * DEADLINE, check=False, cwd=tmp_path,
                              env={**os.environ, "RPCGATE_TOKEN": token})

    done = run(TOKEN)
    assert done.stdout.splitlines() == ["42", "9007199254740993"], done.stderr
    assert "it is broken" in done.stderr and "(executed: yes)" in done.stderr
    assert run("x" * 32).stdout == ""
