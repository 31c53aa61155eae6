# SPDX-License-Identifier: Apache-2.0
"""A server that speaks SCGI: it misbehaves as the others do, in the form of CGI."""

import re

from exchange import Exchange
from upstreams import Upstream

_STATUS_LINE = re.compile(rb"\AHTTP/1\.1 ([^\r\n]*)")

LONGEST_HEAD = 1 << 20


class ScgiExchange(Exchange):
    def __init__(self, server, reader, writer, variables: bytes, rng):
        words = variables.decode("latin-1").split("\0")
        self.variables = dict(zip(words[:-1:2], words[1::2]))
        lines = [f"{self.variables['REQUEST_METHOD']} {self.variables['REQUEST_URI']} HTTP/1.1"]
        lines += [f"{name.removeprefix('HTTP_').replace('_', '-')}: {value}"
                  for name, value in self.variables.items()
                  if name.startswith("HTTP_") or name == "CONTENT_LENGTH"]
        super().__init__(server, reader, writer, "\r\n".join(lines).encode("latin-1"), rng)

    def on_the_wire(self, data: bytes) -> bytes:
        """CGI has a header line for the status, and some programs send a status line all the same."""
        if self.rng.random() < 0.05:
            return data
        return _STATUS_LINE.sub(rb"Status: \1", data, count=1)


class ScgiUpstream(Upstream):
    async def start(self, path: str | None = None):
        await super().start(path)
        self.address = self.address.replace("http", "scgi", 1)

    async def _read_head(self, reader, writer):
        size = int((await reader.readuntil(b":"))[:-1])
        if size > LONGEST_HEAD:
            self.ledger.findings.add("SCGI", f"a head of {size} bytes")
        x = ScgiExchange(self, reader, writer, await reader.readexactly(size), self._rng)
        if await reader.readexactly(1) != b"," or x.variables.get("SCGI") != "1":
            self.ledger.findings.add("SCGI", f"a head that is none: {x.variables!r:.500}")
        return x

    async def _one(self, reader, writer) -> bool:
        """One request has each connection."""
        await super()._one(reader, writer)
        return False
