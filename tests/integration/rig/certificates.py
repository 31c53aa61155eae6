# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made by the openssl program: CAs, servers, clients, good and bad."""

import base64
import hashlib
import subprocess
import time
from pathlib import Path

from .programs import need
from .settings import DEADLINE


def _openssl(*arguments: str, data: bytes | None = None) -> bytes:
    done = subprocess.run([need("openssl"), *arguments], input=data, capture_output=True,
                          timeout=DEADLINE, check=False)
    assert done.returncode == 0, (arguments, done.stderr.decode())
    return done.stdout


class Certificate:
    """A certificate and its key, as files."""

    def __init__(self, cert: Path, key: Path):
        self.cert, self.key = str(cert), str(key)

    @property
    def pin(self) -> str:
        """Its public key as `pinned_public_key` has it."""
        public = _openssl("x509", "-in", self.cert, "-noout", "-pubkey")
        der = _openssl("pkey", "-pubin", "-outform", "DER", data=public)
        return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()

    def encrypted_key(self, password: str) -> str:
        path = self.key + ".encrypted"
        _openssl("pkey", "-in", self.key, "-aes256", "-passout", f"pass:{password}", "-out", path)
        return path


class Authority:
    """A CA of its own."""

    def __init__(self, folder: Path, name: str):
        self._folder, self._name = folder, name
        self.cert = str(folder / f"{name}.pem")
        self._key = str(folder / f"{name}.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", "2", "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign",
                 "-keyout", self._key, "-out", self.cert)

    def issue(self, name: str, alternative: str = "DNS:localhost,IP:127.0.0.1",
              days: int = 2, purpose: str | None = None) -> Certificate:
        """A certificate for that subject; after 0 days it has expired. `purpose` is what it may be
        used for: "clientAuth", "serverAuth"."""
        cert, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        extensions = self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative}\n"
                              + (f"extendedKeyUsage={purpose}\n" if purpose else ""))
        request = _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                           "-nodes", "-subj", f"/CN={name}", "-keyout", str(key))
        _openssl("x509", "-req", "-CA", self.cert, "-CAkey", self._key, "-CAcreateserial",
                 "-days", str(days), "-extfile", str(extensions), "-out", str(cert), data=request)
        issued = time.time()
        while days == 0 and time.time() < int(issued) + 2:
            time.sleep(0.05)  # its last second is not over yet
        return Certificate(cert, key)

    def hashed_folder(self) -> str:
        """A folder with the CA's certificate, as `ca_path` wants it."""
        folder = self._folder / f"{self._name}.d"
        folder.mkdir()
        (folder / "ca.pem").write_bytes(Path(self.cert).read_bytes())
        _openssl("rehash", str(folder))
        return str(folder)
