# SPDX-License-Identifier: Apache-2.0
"""The files of a listener's `tls` are checked when the configuration is read."""

import os
import tempfile
from pathlib import Path

import pytest

from rig.certificates import Authority
from rig.gateway import run_program
from rig.settings import configuration

CALLERS = [{"name": "a", "token": "0123456789abcdef0123456789abcdef", "allow": ["*/*"]}]


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(prefix="rpcgate-") as name:
        path = Path(name)
        authority = Authority(path, "ours")
        server = authority.issue("server")
        server.encrypted_key("hunter2hunter2")
        authority.issue("other")
        (path / "both.pem").write_text(Path(server.key).read_text()
                                       + Path(server.cert).read_text())
        (path / "nonsense.pem").write_text("-----BEGIN CERTIFICATE-----\nTk9ORQ==\n"
                                           "-----END CERTIFICATE-----\n")
        (path / "nonsense.key").write_text("-----BEGIN PRIVATE KEY-----\nTk9ORQ==\n"
                                           "-----END PRIVATE KEY-----\n")
        yield path


def check(folder, tls):
    path = folder / f"listen-{os.getpid()}.conf"
    path.write_text(configuration({
        "listen": [{"address": "0.0.0.0", "port": 0, "tls": tls}], "callers": CALLERS,
        "upstreams": {"up": {"url": "http://h"}}}))
    done = run_program("-t", "-c", str(path))
    return done.returncode, done.stderr.replace(f"{path}:", "", 1)


@pytest.mark.parametrize("tls", [
    {"cert_file": "server.pem", "key_file": "server.key"},
    {"cert_file": "both.pem"},
    {"cert_file": "server.pem", "key_file": "both.pem"},
    {"cert_file": "both.pem", "client_ca_file": "ours.pem", "min_version": "1.3"},
])
def test_good_files(folder, tls):
    assert check(folder, tls) == (0, "")


@pytest.mark.parametrize("tls, line", [
    ({}, "listen[0].tls: `cert_file` is missing"),
    ({"key_file": "server.key"}, "listen[0].tls: `cert_file` is missing"),
    ({"cert_file": "none.pem"}, "listen[0].tls.cert_file: `none.pem` cannot be opened: No such"),
    ({"cert_file": "server.pem"}, "`server.pem` has no private key (PEM) in it, and `key_file`"),
    ({"cert_file": "server.key"}, "listen[0].tls.cert_file: `server.key` has no certificate"),
    ({"cert_file": "server.pem", "key_file": "other.key"},
     "listen[0].tls.key_file: `other.key` has a key that is not the certificate's"),
    ({"cert_file": "server.pem", "key_file": "server.key.encrypted"},
     "listen[0].tls.key_file: `server.key.encrypted` has an encrypted key"),
    ({"cert_file": "server.pem", "key_file": "nonsense.key"},
     "listen[0].tls.key_file: `nonsense.key` cannot be used: "),
    ({"cert_file": "nonsense.pem", "key_file": "server.key"}, "cannot be used: "),
    ({"cert_file": "both.pem", "client_ca_file": "server.key"},
     "listen[0].tls.client_ca_file: `server.key` has no certificate"),
    ({"cert_file": "both.pem", "client_ca_file": "nonsense.pem"},
     "listen[0].tls.client_ca_file: `nonsense.pem` cannot be used: "),
    ({"cert_file": "both.pem", "min_version": "1.1"},
     'listen[0].tls.min_version: "1.1" is none of the words'),
])
def test_bad_files(folder, tls, line):
    status, text = check(folder, tls)
    assert status == 78
    assert line in text
    assert text.count("\n") == 1, text
