# SPDX-License-Identifier: Apache-2.0
"""A server that wants a session, whose key comes as the first param, in a header line or as a
cookie. Sessions end, by time or by chance, with an answer that says so; logins are refused, late,
lost, or answered with what is no key. Now and then it lies: it runs a call and then says that the
session has expired."""

import asyncio
import random
import xmlrpc.client

import documents
from behaviours import GOOD
from exchange import Exchange, response
from ledger import numbers_in, secret
from upstreams import Upstream

EXPIRED = -1077
#: What a rule of the configuration recognises; what else is told in it is a secret.
EXPIRED_TEXT = "no session"


class Guarded(Upstream):
    """`password` is the one that it lets in."""

    def __init__(self, name, ledger, journal, seed: str):
        super().__init__(name, ledger, journal, seed)
        self.password = ""
        self._keys: dict[str, float] = {}  # until when they are good, by the loop's time
        self._keys_rng = random.Random(f"{seed}/{name}/keys")

    def _choose(self, x: Exchange) -> str:
        x.told = self._credentials(x)
        if x.method == "auth.logout":
            return "plain"
        if x.target.endswith("/login") or x.method.startswith("auth."):
            return "login"
        if not x.body:
            return super()._choose(x)
        if x.method == "system.multicall":
            x.expired_item = self._expired_item
        elif not self._is_good(x.told):
            return "expired"
        name = super()._choose(x)
        return "lie" if name in GOOD and self._rng.random() < 0.03 else name

    async def _behave(self, x: Exchange, name: str) -> bool:
        if name == "login":
            return await self._log_in(x)
        if name in ("expired", "lie"):
            self.ledger.expired(x.numbers)
            await x.send(response(documents.fault(EXPIRED, f"{EXPIRED_TEXT} {x.told}")))
            return True
        return await super()._behave(x, name)

    # ---- Sessions --------------------------------------------------------------------------------

    @staticmethod
    def _credentials(x: Exchange) -> str:
        """What came as a key."""
        cookie = x.headers.get("cookie", "").partition("sid=")[2].partition(";")[0]
        key = x.headers.get("x-session", "") or cookie
        if key or not x.body:
            return key
        try:
            first = xmlrpc.client.loads(x.body)[0][:1]
        except Exception:  # a param of another form is none of the gateway's
            return ""
        return first[0] if first and isinstance(first[0], str) else ""

    def _is_good(self, key: str) -> bool:
        if self._rng.random() < 0.02:
            self._keys.pop(key, None)
        return self._keys.get(key, 0) > asyncio.get_running_loop().time()

    def _expired_item(self, call: dict, x: Exchange):
        params = call["params"]
        first = params[0] if params and isinstance(params[0], str) else ""
        key = x.headers.get("x-session", "") or x.told or first
        if self._is_good(key):
            return None
        self.ledger.expired(numbers_in(repr(params)))
        return {"faultCode": EXPIRED, "faultString": f"{EXPIRED_TEXT} {key}"}

    def _new_key(self) -> str:
        key = secret(self._keys_rng)
        lifetime = self._keys_rng.choice([0.1, 1, 60])
        self._keys[key] = asyncio.get_running_loop().time() + lifetime
        return key

    # ---- Logins ----------------------------------------------------------------------------------

    async def _log_in(self, x: Exchange) -> bool:
        kind = self._rng.choice(["good"] * 12 + ["late"] * 3 + [
            "fault", "status", "busy", "ends", "lost", "page", "hangs", "odd", "long", "again"])
        self._journal.note(self.name, f"login {kind}")
        told = x.body.decode("latin-1")
        if self.password not in told:
            kind = "fault"
        if kind == "lost":
            self._new_key()
        if kind in ("ends", "lost"):
            return False
        if kind == "hangs":
            await x.gone()
            return False
        if kind == "late":
            await x.pause(self._rng.choice([0.05, 0.3, 1.5]))
        await x.send(self._answer(x, kind, told))
        return True

    def _answer(self, x: Exchange, kind: str, told: str) -> bytes:
        if kind == "fault":
            return response(documents.fault(5, f"who is {told[:500]} {self.password}?"))
        if kind == "status":
            return response(b"no " + self.password.encode(), "401 No", "WWW-Authenticate: x")
        if kind == "busy":
            return response(b"", "429 Slow", "Retry-After: 1")
        if kind == "page":
            return response(b"<html>" + self.password.encode(), "500 Oops")
        if kind == "odd":
            odd = self._rng.choice(["", "a\nb", ["x"], {"key": ["x"]}, 5, False])
            return response(documents.response(odd), "200 OK", "Set-Cookie: sid=")
        if kind == "long":
            return response(documents.response("y" * 200_000), "200 OK",
                            "Set-Cookie: sid=" + "y" * 9000)
        key = self._new_key()
        value = {"key": key, "n": 1} if x.method == "auth.struct" else key
        return response(documents.response(value), "200 OK", f"Set-Cookie: sid={key}; Path=/")
