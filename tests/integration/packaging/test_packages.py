# SPDX-License-Identifier: Apache-2.0
"""The files that packages are made by: what they repeat of the project is as the project has it."""

import email.utils
import os
import re
import shutil
import subprocess

import pytest

from rig.settings import DEADLINE, TOP

PACKAGING = TOP / "packaging"
DEBIAN = PACKAGING / "debian"
SPEC = PACKAGING / "rpm/rpcgate.spec"
ALPINE = PACKAGING / "alpine"
CONFIGURE_AC = (TOP / "configure.ac").read_text()

#: The libraries by their names in pkg-config, and as Debian and Alpine call their headers.
LIBRARIES = {
    "cmocka": ("libcmocka-dev", "cmocka-dev"),
    "gnutls": ("libgnutls28-dev", "gnutls-dev"),
    "libcjson": ("libcjson-dev", "cjson-dev"),
    "libconfig": ("libconfig-dev", "libconfig-dev"),
    "libcurl": ("libcurl4-openssl-dev", "curl-dev"),
    "libmicrohttpd": ("libmicrohttpd-dev", "libmicrohttpd-dev"),
    "libxml-2.0": ("libxml2-dev", "libxml2-dev"),
    "zlib": ("zlib1g-dev", "zlib-dev"),
}


def run(*command, **options) -> subprocess.CompletedProcess:
    return subprocess.run(list(map(str, command)), text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=options.pop("timeout", DEADLINE), **options)


def version() -> str:
    return re.search(r"AC_INIT\(\[rpcgate\], \[([^]]+)\]\)", CONFIGURE_AC)[1]


def wanted() -> dict[str, str]:
    """But llhttp, which one unit test uses where it is."""
    found = re.findall(r"^PKG_CHECK_MODULES\(\[\w+\], \[(\S+) >= ([^]]+)\]", CONFIGURE_AC, re.M)
    return {name: least for name, least in found if name != "libllhttp"}


@pytest.mark.parametrize("path, pattern", [
    (DEBIAN / "changelog", r"\Arpcgate \(([^-]+)-"),
    (SPEC, r"^Version: +(\S+)"),
    (SPEC, r"^\* .* - ([^-]+)-\d+$"),
    (ALPINE / "APKBUILD", r"^pkgver=(\S+)"),
    (TOP / "NEWS.md", r"^## (\d+\.\d+\.\d+)"),
    (PACKAGING / "kubernetes/deployment.yaml", r"^ +image: rpcgate:(\S+)"),
    (PACKAGING / "kubernetes/sidecar.yaml", r"^ +image: rpcgate:(\S+)"),
])
def test_the_version_is_that_of_the_project(path, pattern):
    assert re.search(pattern, path.read_text(), re.M)[1] == version()


def test_the_packages_are_of_one_day():
    entry = re.search(r"^ -- .*>  (.*)$", (DEBIAN / "changelog").read_text(), re.M)[1]
    day = email.utils.parsedate_to_datetime(entry)
    assert entry.startswith(day.strftime("%a, %d %b %Y"))
    assert re.search(r"^\* (\w+ \w+ \d+ \d+)", SPEC.read_text(), re.M)[1] == day.strftime(
        "%a %b %d %Y")


def test_what_a_packager_fills_in_is_listed():
    listed = (PACKAGING / "README.md").read_text().split("## What a packager fills in")[1]
    places = [path for path in PACKAGING.rglob("*") if path.is_file() and path.suffix != ".md"
              and "rpcgate.invalid" in path.read_text()]
    assert len(places) >= 4
    for path in places:
        assert f"| `{path.relative_to(PACKAGING)}` |" in listed, path


def test_they_are_built_with_what_configure_wants():
    assert set(wanted()) == set(LIBRARIES)
    control, spec = (DEBIAN / "control").read_text(), SPEC.read_text()
    alpine = (ALPINE / "APKBUILD").read_text().split()
    for library, least in wanted().items():
        debian, alpine_name = LIBRARIES[library]
        assert re.search(rf"\b{debian} \(>= (1:)?{re.escape(least)}\)", control), debian
        assert f"BuildRequires:  pkgconfig({library}) >= {least}\n" in spec
        assert alpine_name in " ".join(alpine).replace('"', " ").replace("=", " ").split()


def bootstrap_packages(names) -> set[str]:
    rows = re.search(r"^package_table\(\)\n.*?END'\n(.*?)^END$", (TOP / "bootstrap").read_text(),
                     re.M | re.S)[1]
    table = {row.split()[0]: row.split()[1].split(",") for row in rows.splitlines()}
    return {package for name in names for package in table[name]}


def test_the_integration_tests_get_what_bootstrap_installs():
    """All that tests fail without, and of what they are skipped without as much as all releases have."""
    cases = re.search(r"^    test\)\n(.*?);;", (TOP / "bootstrap").read_text(), re.M | re.S)[1]
    # The programs are built already.
    wanted = set(re.findall(r"^ +want (\S+)", cases, re.M)) - {"cmocka"}
    wished = set(re.findall(r"^ +wish (\S+)", cases, re.M))
    control = (DEBIAN / "tests/control").read_text().split("Tests: integration")[1]
    depends = set(re.split(r"[,\s]+", re.search(r"Depends: @,(.*?)^Restrictions", control,
                                                re.M | re.S)[1].strip()))
    # Some tests build programs of their own.
    own = {"gcc", "libc6-dev", "make"}
    assert bootstrap_packages(wanted) | own <= depends
    assert depends <= bootstrap_packages(wanted | wished) | own


@pytest.mark.skipif(shutil.which("rpmspec") is None, reason="there is no rpmspec")
def test_rpm_reads_the_spec(tmp_path):
    done = run("rpmspec", "-P", SPEC, "--define", f"_topdir {tmp_path}")
    assert done.returncode == 0 and "error" not in done.stdout, done.stdout


@pytest.mark.skipif(shutil.which("rpmlint") is None, reason="there is no rpmlint")
def test_rpmlint_finds_nothing():
    done = run("rpmlint", "-c", PACKAGING / "rpm/rpmlint.toml", SPEC)
    assert done.returncode == 0 and " 0 errors, 0 warnings" in done.stdout, done.stdout


def test_the_spec_names_what_is_installed():
    files = SPEC.read_text().split("%files")[1]
    shells = {"_": "zsh/site-functions", "h": "fish/vendor_completions.d"}
    for path in (TOP / "completions").iterdir():
        folder = shells.get(path.name[0] if path.name[0] == "_" else path.name[-1],
                            "bash-completion/completions")
        assert f"%{{_datadir}}/{folder}/{path.name}\n" in files
    for page in (TOP / "docs/man").iterdir():
        assert f"%{{_mandir}}/man{page.suffix[1:]}/{page.name}*\n" in files


@pytest.mark.parametrize("name", ["APKBUILD", "rpcgate.initd", "rpcgate.pre-install"])
def test_a_shell_reads_the_files_of_alpine(name):
    done = run("sh", "-n", ALPINE / name)
    assert (done.returncode, done.stdout) == (0, "")


def test_openrc_waits_as_long_as_the_unit():
    unit = (TOP / "systemd/rpcgate.service.in").read_text()
    assert (re.search(r"^TimeoutStopSec=(\d+)$", unit, re.M)[1]
            == re.search(r'^retry="SIGTERM/(\d+)/', (ALPINE / "rpcgate.initd").read_text(), re.M)[1])


@pytest.mark.skipif(not (TOP / "configure").exists(), reason="there is no configure")
@pytest.mark.parametrize("flags, added", [
    ({}, "-D_FORTIFY_SOURCE=2"),
    ({"CPPFLAGS": "-D_FORTIFY_SOURCE=3"}, ""),
])
def test_a_packagers_level_of_fortification_stands(tmp_path, flags, added):
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("CFLAGS", "CPPFLAGS", "CC")}
    done = run(TOP / "configure", "-q", "--disable-dependency-tracking", "CC=gcc -U_FORTIFY_SOURCE",
               *(f"{name}={value}" for name, value in flags.items()),
               cwd=tmp_path, env=environment, timeout=3 * DEADLINE)
    assert done.returncode == 0, done.stdout
    makefile = (tmp_path / "Makefile").read_text()
    assert re.search(r"^HARDEN_CPPFLAGS = ?(.*)$", makefile, re.M)[1].strip() == added


@pytest.mark.skipif(not os.environ.get("RPCGATE_LONG_TESTS"),
                    reason="builds a package; RPCGATE_LONG_TESTS=1 does")
@pytest.mark.skipif(any(shutil.which(name) is None for name in ("dh", "lintian", "git")),
                    reason="there is no debhelper, lintian or git")
def test_the_debian_package_is_built_and_lintian_finds_nothing(tmp_path):
    source = tmp_path / "source"
    assert run("git", "clone", "-q", "--no-hardlinks", TOP, source).returncode == 0
    done = run(source / "bootstrap", "package", timeout=30 * 60)
    assert done.returncode == 0, done.stdout
    assert "lintian reads the package" in done.stdout
    assert len(list((source / "build/package").glob("rpcgate_*.deb"))) == 1
