# SPDX-License-Identifier: Apache-2.0
"""Whether the units of systemd are installed, and whether somebody is told when they are not."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rig.settings import DEADLINE, TOP

CONFIGURE = TOP / "configure"
UNITS = ["rpcgate.service", "rpcgate.socket"]
NO_SYSTEMD = ["ac_cv_path_SYSTEMCTL=no"]

pytestmark = pytest.mark.skipif(not CONFIGURE.exists() or shutil.which("make") is None,
                                reason="there is no configure, or no make")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A pkg-config as on a machine where it does not know systemd, and what configure found."""
    folder = tmp_path_factory.mktemp("machine")
    wrapper = folder / "pkg-config"
    wrapper.write_text('#!/bin/sh\ncase " $* " in *" systemd "*) exit 1 ;; esac\n'
                       'exec pkg-config "$@"\n')
    wrapper.chmod(0o755)
    return folder


@pytest.fixture
def install(machine, tmp_path):
    """install(OPTION...): what configure and `make install` wrote, and the root that they filled."""
    def run(command, folder):
        environment = dict(os.environ, PKG_CONFIG=str(machine / "pkg-config"))
        for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "systemdsystemunitdir", "sysusersdir"):
            environment.pop(name, None)
        done = subprocess.run(list(map(str, command)), cwd=folder, env=environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=6 * DEADLINE, check=False)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def install(*options):
        folder, root = tmp_path / "build", tmp_path / "root"
        folder.mkdir()
        # Those of the programs' files that are no programs need no compiler.
        told = run([CONFIGURE, "-q", "--disable-dependency-tracking",
                    f"--cache-file={machine / 'cache'}", *options], folder)
        put = run(["make", "systemd/rpcgate.service"], folder)
        put += run(["make", f"DESTDIR={root}", "install-data"], folder)
        return told, put, root

    # Of what was found, the compiler is what takes time; the rest differs from test to test.
    yield install
    cache = machine / "cache"
    if cache.exists():
        lines = cache.read_text().splitlines(keepends=True)
        cache.write_text("".join(line for line in lines
                                 if not re.search("systemctl|systemd|sysusers", line, re.I)))


def installed(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*")
                  if path.name in UNITS or "sysusers.d/" in str(path))


def test_without_its_package_for_pkg_config(install, tmp_path):
    """As on Debian 13: systemd is there, and pkg-config knows it by a package of its own only."""
    told, put, root = install("--prefix=/usr", f"ac_cv_path_SYSTEMCTL={tmp_path}/systemctl")
    folder = next(path for path in ("usr/lib/systemd/system", "lib/systemd/system")
                  if Path("/", path).is_dir() or path.startswith("lib"))
    assert installed(root) == sorted([f"{folder}/{name}" for name in UNITS]
                                     + ["usr/lib/sysusers.d/rpcgate.conf"])
    assert "systemd" not in told and "no units" not in put


def test_below_usr_local(install, tmp_path):
    told, put, root = install(f"ac_cv_path_SYSTEMCTL={tmp_path}/systemctl")
    assert installed(root) == sorted([f"usr/local/lib/systemd/system/{name}" for name in UNITS]
                                     + ["usr/local/lib/sysusers.d/rpcgate.conf"])
    assert "systemd" not in told and "no units" not in put


def test_where_systemd_does_not_look(install, tmp_path):
    told, _, root = install("--prefix=/opt/gate", f"ac_cv_path_SYSTEMCTL={tmp_path}/systemctl")
    assert "opt/gate/lib/systemd/system/rpcgate.service" in installed(root)
    assert "systemd does not look into /opt/gate/lib/systemd/system" in told


@pytest.mark.parametrize("prefix", ["/usr", "/usr/local", "/opt/gate"])
def test_without_systemd_it_is_said(install, prefix):
    told, put, root = install(f"--prefix={prefix}", *NO_SYSTEMD)
    assert installed(root) == []
    assert "make install will install no units of systemd" in told
    assert "--with-systemd=yes" in told
    assert "no units of systemd were installed: no systemd is here" in put


def test_units_that_were_asked_for(install):
    told, put, root = install("--prefix=/usr", "--with-systemd=yes", *NO_SYSTEMD)
    assert [Path(path).name for path in installed(root)
            if "sysusers" not in path] == UNITS
    assert "systemd" not in told and "no units" not in put


def test_units_that_nobody_wants(install, tmp_path):
    told, put, root = install("--with-systemd=no", f"ac_cv_path_SYSTEMCTL={tmp_path}/systemctl")
    assert installed(root) == [] and "systemd" not in told
    assert "no units of systemd were installed: by --with-systemd=no" in put


def test_folders_that_were_given(install, tmp_path):
    _, _, root = install("--prefix=/opt/gate", "systemdsystemunitdir=/etc/systemd/system",
                         "sysusersdir=/etc/sysusers.d", "--with-systemd=yes")
    assert installed(root) == ["etc/systemd/system/rpcgate.service",
                               "etc/systemd/system/rpcgate.socket",
                               "etc/sysusers.d/rpcgate.conf"]
