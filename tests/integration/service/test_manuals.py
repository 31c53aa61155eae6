# SPDX-License-Identifier: Apache-2.0
"""The manuals as this build installs them."""

import re
import shutil
import subprocess

import pytest

from rig.gateway import run_program
from rig.settings import DEADLINE, RPCGATED

MANUALS = ["rpcgate.1", "rpcgate.conf.5", "rpcgated.8"]


@pytest.fixture(params=MANUALS)
def manual(request):
    path = RPCGATED.parent / "man" / request.param
    if not path.exists():
        pytest.skip("the manuals are not beside the program: it is an installed one")
    return path


def configured() -> str:
    """The file that the program reads unless it is told another."""
    return re.search(r"instead of (\S+/rpcgate/rpcgate\.conf)", run_program("--help").stdout)[1]


def test_they_tell_the_folder_of_this_build(manual):
    text = manual.read_text()
    assert configured() in text
    folder = configured().removesuffix("rpcgate.conf")
    others = set(re.findall(r"(?<![\w/])/(?:usr/(?:local/)?)?etc/rpcgate/", text)) - {folder}
    assert not others


def test_sections(manual):
    sections = re.findall(r'^\.SH "?([^"\n]+)"?$', manual.read_text(), re.M)
    assert {"NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "FILES", "EXAMPLES",
            "SEE ALSO"} <= set(sections)
    assert len(sections) == len(set(sections))


@pytest.mark.parametrize("command", [["mandoc", "-Tlint", "-Wwarning"], ["man", "--warnings", "-l"]],
                         ids=["mandoc", "man"])
def test_programs_for_manuals_find_nothing(manual, command):
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} here")
    done = subprocess.run([*command, manual], capture_output=True, text=True, timeout=DEADLINE,
                          check=False, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
                                            "MANPAGER": "cat"})
    if command[0] == "man" and "minimized" in done.stdout:
        pytest.skip("this man shows no page")
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert command[0] == "man" or not done.stdout, done.stdout


def test_all_that_the_daemon_reads_is_told():
    text = (RPCGATED.parent / "man" / "rpcgated.8")
    if not text.exists():
        pytest.skip("the manuals are not beside the program: it is an installed one")
    for variable in ("CREDENTIALS_DIRECTORY", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET",
                     "WATCHDOG_USEC", "JOURNAL_STREAM"):
        assert variable in text.read_text()
