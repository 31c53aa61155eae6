# SPDX-License-Identifier: Apache-2.0
"""Documents that other implementations wrote: recorded in tests/golden/foreign, and made anew
where the implementation is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rig.codec import base64_line, parse_json, run_lines
from rig.settings import DEADLINE, TOP

FOREIGN = TOP / "tests/golden/foreign"

#: How each is made: the program, its words before the folder, and a test of being installed.
PROGRAMS = {
    "php": ("php", "make.php", ["-r", "exit(function_exists('xmlrpc_encode_request') ? 0 : 1);"]),
    "perl-rpc-xml": ("perl", "make.pl", ["-MRPC::XML", "-e1"]),
    "perl-frontier": ("perl", "make.pl", ["-MFrontier::RPC2", "-e1"]),
    "perl-xmlrpc-lite": ("perl", "make.pl", ["-MXMLRPC::Lite", "-e1"]),
    "ruby": ("ruby", "make.rb", ["-rxmlrpc/create", "-e1"]),
    "node": ("node", "make.js", ["-e", "require('xmlrpc/lib/serializer')"]),
}

NAMES = sorted(folder.name for folder in FOREIGN.iterdir() if folder.is_dir())


def check(name: str, documents: Path):
    """All documents that the folder must have, in both forms."""
    expected = parse_json((FOREIGN / name / "expected.json").read_text("utf-8"))
    made = {path.stem for path in documents.glob("*.xml")}
    assert made == {document for document, _ in expected}
    lines = [base64_line((documents / f"{document}.xml").read_bytes()) for document, _ in expected]
    for types in ("plain", "tagged"):
        answers = run_lines("decode", lines, f"--types {types}")
        for (document, forms), answer in zip(expected, answers, strict=True):
            assert answer == forms.get(types, forms.get("plain")), f"{name}/{document}.xml, {types}"


@pytest.mark.parametrize("name", NAMES)
def test_recorded(name):
    """What was written once."""
    check(name, FOREIGN / name)


def _quiet(words: list[str]) -> bool:
    done = subprocess.run(words, capture_output=True, timeout=DEADLINE, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_made_anew(name, tmp_path):
    """What is written now: another version may do otherwise."""
    program, script, probe = PROGRAMS[name]
    if shutil.which(program) is None or not _quiet([program, *probe]):
        pytest.skip(f"{name} is not installed")
    subprocess.run([program, FOREIGN / name / script, tmp_path], check=True, timeout=DEADLINE,
                   env={**os.environ, "LC_ALL": "C"})
    check(name, tmp_path)


def test_xmlrpc_c_made_anew(tmp_path):
    """A program in C, to be compiled."""
    cc, source = os.environ.get("CC", "cc"), FOREIGN / "xmlrpc-c" / "make.c"
    build = [*cc.split(), str(source), "-o", str(tmp_path / "make"), "-lxmlrpc", "-lxmlrpc_util"]
    if shutil.which(build[0]) is None or not _quiet(build):
        pytest.skip("xmlrpc-c is not installed")
    documents = tmp_path / "documents"
    documents.mkdir()
    subprocess.run([tmp_path / "make", documents], check=True, timeout=DEADLINE)
    check("xmlrpc-c", documents)
