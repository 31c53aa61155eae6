# SPDX-License-Identifier: Apache-2.0
"""Certificates for listeners, callers and upstreams, good and bad, made once by openssl; and the
contexts of Python's TLS with them."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Pair:
    cert: str
    key: str


def _openssl(*arguments: str):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


def _new_key(subject: str) -> list[str]:
    return [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        f"/CN={subject}"]


class Authority:
    """A CA in a folder."""

    def __init__(self, folder: Path, name: str):
        self._folder = folder
        self.cert, self._key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
        _openssl(
            "req",
            "-x509",
            *_new_key(name),
            "-days",
            "2",
            "-keyout",
            self._key,
            "-out",
            self.cert,
            "-addext",
            "keyUsage=critical,keyCertSign")

    def issue(
            self,
            name: str,
            alternative: str = "DNS:localhost,IP:127.0.0.1",
            days: int = 2) -> Pair:
        cert, key, request, more = (str(self._folder /
                                        f"{name}.{end}") for end in ("pem", "key", "csr", "ext"))
        Path(more).write_text(f"subjectAltName={alternative}\n", encoding="ascii")
        _openssl("req", "-new", *_new_key(name), "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self._key,
                 "-CAcreateserial", "-days", str(days), "-extfile", more, "-out", cert)
        return Pair(cert, key)


class Certificates:
    """All that a run needs."""

    def __init__(self, folder: Path):
        ours, foreign = Authority(folder, "ours"), Authority(folder, "foreign")
        self.ca = ours.cert
        self.listener = ours.issue("listener")
        self.other_listener = ours.issue("other-listener")
        self.caller, self.stranger = ours.issue("caller"), foreign.issue("stranger")
        #: The first is good; connections get one of the others now and then.
        self._servers = [
            ours.issue("server"),
            ours.issue("server-anew"),
            ours.issue(
                "elsewhere",
                "DNS:elsewhere"),
            ours.issue(
                "expired",
                days=0),
            foreign.issue("unknown")]

    def of_servers(self) -> list[ssl.SSLContext]:
        contexts = []
        for pair in self._servers:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair.cert, pair.key)
            contexts.append(context)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        old.load_cert_chain(self._servers[0].cert, self._servers[0].key)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        return [*contexts, old]

    def of_caller(self, pair: Pair | None) -> ssl.SSLContext:
        """What a caller trusts is not the matter here."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if pair is not None:
            context.load_cert_chain(pair.cert, pair.key)
        return context
