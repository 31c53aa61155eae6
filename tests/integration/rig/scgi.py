# SPDX-License-Identifier: Apache-2.0
"""The scriptable upstream of rig.upstream, which speaks SCGI: a netstring of variables and the
document come, an answer of CGI goes, and the connection ends."""

from urllib.parse import quote

from .upstream import Exchange, Upstream, response_document


def cgi_response(body: bytes, *lines: str) -> bytes:
    """With these lines in place of a usual head."""
    lines = lines or ("Status: 200 OK", "Content-Type: text/xml", f"Content-Length: {len(body)}")
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


class ScgiExchange(Exchange):
    def __init__(self, link, variables: bytes):
        self.link, self.number, self.head, self.body = link, 1, variables, b""
        words = variables.decode("latin-1").split("\0")
        assert words[-1] == "" and len(words) % 2 == 1, variables
        self.pairs = list(zip(words[:-1:2], words[1::2]))
        self.variables = dict(self.pairs)
        assert len(self.variables) == len(self.pairs), "a variable stands there twice"

    async def answer(self, *values):
        await self.send(cgi_response(response_document(*values)))


class ScgiUpstream(Upstream):
    @property
    def url(self) -> str:
        if self._unix:
            return f"scgi+unix://{quote(self._unix, safe='')}"
        return f"scgi://127.0.0.1:{self.port}"

    async def _one(self, link, number: int) -> bool:
        size = await link.reader.readuntil(b":")
        x = ScgiExchange(link, await link.reader.readexactly(int(size[:-1])))
        assert await link.reader.readexactly(1) == b","
        assert x.pairs[0][0] == "CONTENT_LENGTH" and x.variables["SCGI"] == "1"
        link.busy = True
        x.body = await link.reader.readexactly(int(x.variables["CONTENT_LENGTH"]))
        self._note(x)
        await self.behave(x)
        return False
