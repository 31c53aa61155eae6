# SPDX-License-Identifier: Apache-2.0
"""Tools of npm, for tests that run with RPCGATE_LONG_TESTS=1 where npm can be reached."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def install(folder: Path, *packages: str, needs: tuple[str, ...] = ()) -> Path:
    """Where these are then, each `name@version`; `needs` are programs besides. Without them the test
    is skipped."""
    if os.environ.get("RPCGATE_LONG_TESTS") != "1":
        pytest.skip("RPCGATE_LONG_TESTS=1 is not set")
    for program in ("npm", "node", *needs):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing")
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
                           *packages], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"npm cannot install them: {done.stderr[-300:]}")
    return folder / "node_modules"
