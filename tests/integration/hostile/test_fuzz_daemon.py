# SPDX-License-Identifier: Apache-2.0
"""The fuzzer of the whole daemon: a minute of it where sanitizers look on, some seconds elsewhere, so
that it does not rot. The seed is always the same; by hand it is another each time (docs/hacking.md)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rig.settings import DEADLINE, RPCGATED, SANITIZED, TOP

PROGRAM = TOP / "tests/fuzz/daemon"
SEED = "1"
SECONDS = 60 if SANITIZED else 8

pytestmark = [pytest.mark.concurrency,
              pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")]


def fuzz(folder: Path, seconds: int, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--seed", SEED, "--seconds", str(seconds), "--journal",
         str(folder), *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=seconds + 10 * DEADLINE, check=False,
        env={**os.environ, "RPCGATED": str(RPCGATED)})
    print(done.stdout)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_nothing_that_strangers_send_does_harm(tmp_path):
    told = fuzz(tmp_path, SECONDS)
    assert "nothing found" in told
    assert "upstream exchanges" in told and "connections" in told


@pytest.mark.skipif(SANITIZED, reason="sanitizers have allocators of their own")
@pytest.mark.skipif(shutil.which("cc") is None, reason="cc is missing")
def test_nor_does_failing_memory(tmp_path):
    assert "allocations that failed" in fuzz(tmp_path, SECONDS, "--failing-memory")
