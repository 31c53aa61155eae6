# SPDX-License-Identifier: Apache-2.0
"""The tool, run to its end: with pipes, as in a script, or on a terminal."""

import os
import pty
import subprocess
from dataclasses import dataclass
from urllib.parse import quote

from .codec import RPCGATE
from .gateway import Gateway, assert_no_report, program_environment
from .settings import DEADLINE

#: Exit statuses: sysexits.h, and that of a fault.
OK, FAULT, USAGE, DATA_ERROR, NO_INPUT = 0, 1, 64, 65, 66
UNAVAILABLE, TRY_AGAIN, REFUSED, CONFIGURATION = 69, 75, 77, 78


@dataclass
class Done:
    """How a run ended."""

    status: int
    out: str  # bytes that are not UTF-8 are kept as surrogates
    err: str


def tool(*words: str | bytes, data: bytes = b"", environment: dict | None = None,
         folder=None) -> Done:
    """Runs it with pipes."""
    done = subprocess.run([str(RPCGATE), *words], input=data, capture_output=True,
                          timeout=DEADLINE, env=program_environment(environment), check=False,
                          cwd=folder)
    err = done.stderr.decode()
    assert_no_report(err)
    return Done(done.returncode, done.stdout.decode(errors="surrogateescape"), err)


def tool_on_terminal(*words: str) -> Done:
    """Runs it with a terminal as its standard output."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([str(RPCGATE), *words], stdin=subprocess.DEVNULL, stdout=theirs,
                          stderr=subprocess.PIPE, env=program_environment()) as process:
        os.close(theirs)
        out = b""
        try:
            while piece := os.read(ours, 65536):
                out += piece
        except OSError:  # so a terminal ends whose other side is closed
            pass
        err = process.communicate(timeout=DEADLINE)[1].decode()
    os.close(ours)
    assert_no_report(err)
    return Done(process.returncode, out.decode().replace("\r\n", "\n"), err)


def address(gateway: Gateway, over: str = "unix") -> str:
    """The gateway as --url wants it."""
    if over == "unix":
        return f"http+unix://{quote(gateway.unix, safe='')}"
    return "http://{}:{}".format(*gateway.tcp)
