# SPDX-License-Identifier: Apache-2.0
"""Requests of callers: calls, batches, JSON-RPC, look-ups and what nobody should send. Each knows
what its answer has to look like."""

import json
import random
from dataclasses import dataclass, field

from behaviours import BEHAVIOURS, GOOD
from documents import mutated
from ledger import Ledger, answer_to


@dataclass
class Item:
    """One call of a request: its number, and the id that its answer must have (JSON-RPC)."""

    number: str
    id: object = None
    is_notification: bool = False


@dataclass
class Request:
    data: bytes
    kind: str  # call, batch, jsonrpc, get, head, odd; of faces.py route, xmlrpc, mcp
    what: str  # for the journal
    items: list[Item] = field(default_factory=list)
    result: str | None = None  # of a call: what a result must be
    is_single: bool = True  # of JSON-RPC and XML-RPC: no batch
    status: int = 200  # of a route: that of a result
    is_wrapped: bool = True  # of a route: as {"result": …}
    path: str = ""  # where an answer of the same path may have an ETag
    is_mutated: bool = False
    waits: bool = False  # the body comes when 100 has

    @property
    def numbers(self) -> set[str]:
        return {item.number for item in self.items}


class Asker:
    """Makes the requests of one caller. `names` are the upstreams."""

    def __init__(
            self,
            who: str,
            rng: random.Random,
            ledger: Ledger,
            names: list[str],
            tokens: list[str]):
        self._who, self._rng, self._ledger = who, rng, ledger
        self._names, self._tokens = names, tokens
        self.loose = False  # its numbers may come twice
        self._content = "application/json"

    # ---- Pieces ----------------------------------------------------------------------------------

    def _token(self) -> str | None:
        if self.loose:
            # Mutation would put a good one elsewhere.
            return "x" * 40 if self._rng.random() < 0.2 else None
        kind = self._rng.random()
        if kind < 0.8:
            return self._tokens[0]
        return self._tokens[self._rng.randrange(1, 3)] if kind < 0.9 else None

    def _lines(self) -> list[tuple[str, str]]:
        lines = [("Host", self._rng.choice(["localhost", "127.0.0.1", "LOCALHOST.",
                                            "localhost:80"]))]
        token = self._token()
        if token is not None:
            lines.append(("Authorization", self._login(token)))
        for chance, name, values in [
                (0.1, "X-Rpcgate-Timeout", ["1ms", "50ms", "400ms", "2s"]),
                (0.1, "X-Request-Id", ["r-1", "x" * 64]),
                (0.05, "traceparent", ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                       "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
                                       "ff-0", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"]),
                (0.03, "Connection", ["close", "keep-alive"]),
                (0.05, "Cache-Control", ["no-cache", "no-store", "max-age=0, no-cache", "x=\"", ","]),
                (0.03, "tracestate", ["a=b", "x" * 600]),
                (0.02, "Accept", ["text/html", "*/*"]),
                (0.02, "Origin", ["https://app.example", "http://localhost"])]:
            if self._rng.random() < chance:
                lines.append((name, self._rng.choice(values)))
        return lines

    def _login(self, token: str) -> str:
        return f"Bearer {token}"

    def _compose(self, method: str, path: str, body: bytes | None, more: list[tuple[str, str]] = (),
                 version: str = "HTTP/1.1") -> bytes:
        lines = self._lines()
        if body is not None:
            lines.append(("Content-Type", self._content))
            if self._rng.random() < 0.2:
                lines.append(("Transfer-Encoding", "chunked"))
                body = self._chunks(body)
            else:
                lines.append(("Content-Length", str(len(body))))
        lines += more
        self._rng.shuffle(lines)
        text = f"{method} {path} {version}\r\n" + \
            "".join(f"{name}: {value}\r\n" for name, value in lines)
        return text.encode("latin-1", "replace") + b"\r\n" + (body or b"")

    def _chunks(self, body: bytes) -> bytes:
        data, at = b"", 0
        while at < len(body):
            size = self._rng.choice([1, 5, 100, 5000, 100_000])
            piece = body[at:at + size]
            data += b"%x\r\n%s\r\n" % (len(piece), piece)
            at += size
        return data + b"0\r\n\r\n"

    def _method(self) -> str:
        kind = self._rng.random()
        if kind < 0.4:
            return "b." + self._rng.choice(sorted(GOOD))
        if kind < 0.65:
            return "safe." + self._rng.choice(sorted(GOOD if kind < 0.57 else BEHAVIOURS))
        return "b." + self._rng.choice(sorted(BEHAVIOURS))

    def _number(self, method: str) -> str:
        """Calls of safe methods have, now and then, one that others have as well."""
        is_safe = method.startswith("safe.")
        if is_safe and self._rng.random() < 0.5:
            return self._rng.choice(self._ledger.shared)
        return self._ledger.new(self._who, self.loose or is_safe)

    def _more(self) -> list:
        """Params behind the number."""
        choose = self._rng.choice
        if self._rng.random() < 0.6:
            return []
        return [choose([
            None, True, 1.5, -0.0, 1e308, 2 ** 31, 2 ** 63 - 1, 2 ** 80, "x",
            "gr\u00fc\u00dfe \U0001f600", "<&>]]>", "\0", "\x01",
            "\ufffe", "a" * 5000, "b" * choose([60_000, 900_000]), {}, [],
            {"a": {"b": [1, {"c": None}]}}, {"$base64": "YQ=="},
            {"$base64": "="}, {"$dateTime": "2024-02-29T12:00:00"}, {"$dateTime": 1e18},
            {"$i8": "9007199254740993"},
            {"$double": "NaN"}, {"$struct": {"$x": 1}}, {"$unknown": 1}, {"": ""}, [[[[[[1]]]]]],
            {"$bigdecimal": "1" * 300},
            {f"k{n}": n for n in range(300)}])]

    @staticmethod
    def _json(value) -> bytes:
        return json.dumps(value).encode()

    def _query(self) -> str:
        return self._rng.choice(["?types=tagged", "?types=plain&integers=safe"]
                                ) if self._rng.random() < 0.1 else ""

    # ---- Whole requests --------------------------------------------------------------------------

    def call(self) -> Request:
        upstream, method = self._rng.choice(self._names), self._method()
        number = self._number(method)
        data = self._compose(
            "POST", f"/v1/{upstream}/{method}{self._query()}", self._json([number, *self._more()]))
        exact = answer_to(number) if method.partition(".")[2] in GOOD else None
        return Request(data, "call", f"{upstream}/{method} {number}", [Item(number)], exact)

    def _item(self, method: str, number: str):
        if self._rng.random() < 0.9:
            return {"method": method, "params": [number, *self._more()[:1]]}
        return self._rng.choice([{"method": "system.multicall", "params": [[number]]},
                                 {"params": [number]}, {"method": 1, "x": number}, number,
                                 [number], {"method": "", "params": number}])

    def batch(self) -> Request:
        upstream = self._rng.choice(self._names)
        items, calls = [], []
        for _ in range(self._rng.choice([0, 1, 2, 3, 8, 40])):
            method = self._method()
            number = self._number(method)
            items.append(Item(number))
            calls.append(self._item(method, number))
        data = self._compose("POST", f"/v1/{upstream}{self._query()}", self._json(calls))
        return Request(
            data,
            "batch",
            f"{upstream} {len(items)} calls from {items[0].number if items else '-'}",
            items)

    def jsonrpc(self) -> Request:
        upstream = self._rng.choice(self._names)
        items, calls = [], []
        for place in range(self._rng.choice([1, 1, 1, 2, 5, 30])):
            method = self._method()
            item = Item(self._number(method), self._rng.choice(
                [f"i{place}", place, 10_000 + place]))
            call = {
                "jsonrpc": "2.0",
                "method": method,
                "params": [
                    item.number,
                    *self._more()],
                "id": item.id}
            if self._rng.random() < 0.15:
                del call["id"]
                item.is_notification = True
            items.append(item)
            calls.append(call)
        is_single = len(calls) == 1 and self._rng.random() < 0.8
        data = self._compose(
            "POST",
            f"/jsonrpc/{upstream}",
            self._json(
                calls[0] if is_single else calls))
        what = (f"jsonrpc {upstream} {len(items)} from {items[0].number} "
                + ("single" if is_single else "batch"))
        return Request(data, "jsonrpc", what, items, is_single=is_single)

    def look(self) -> Request:
        upstream = self._rng.choice([*self._names, "nobody"])
        path = self._rng.choice(["/v1",
                                 f"/v1/{upstream}",
                                 f"/v1/{upstream}",
                                 f"/v1/{upstream}/b.plain",
                                 f"/v1/{upstream}/b.%C3%BC",
                                 f"/v1/{upstream}/{self._method()}",
                                 "/livez",
                                 "/readyz",
                                 "/metrics",
                                 "/",
                                 "/v2",
                                 f"/v1/{upstream}/",
                                 "/jsonrpc/main",
                                 "/v1//x",
                                 "/v1/main/%00",
                                 "/v1/main/%2F%2f",
                                 "/%ff"])
        method = "HEAD" if self._rng.random() < 0.15 else "GET"
        return Request(self._compose(method, path, None), method.lower(), f"{method} {path}")

    def odd(self) -> Request:
        """Whole, but with something that is refused, or nearly."""
        rng = self._rng
        number = self._ledger.new(self._who)
        body = self._json([number])
        path, more, method, version = "/v1/main/b.plain", [], "POST", "HTTP/1.1"
        kind = rng.randrange(10)
        if kind == 0:
            more = [rng.choice([("Host", "evil.example"), ("Origin", "http://evil.example"),
                                ("Sec-Fetch-Site", "cross-site"),
                                ("X-Rpcgate-Timeout", "soon"), ("X-Request-Id", "\x7f" * 3),
                                ("Content-Encoding", "gzip"),
                                ("Authorization", "Bearer " + "w" * 40), ("Content-Length", "5"),
                                ("Transfer-Encoding", "gzip"),
                                ("Content-Type", "text/plain"), ("Cookie", "c" * 3000),
                                ("X Bad", "x"), ("Upgrade", "h2c")])]
        elif kind == 1:
            method = rng.choice(["PUT", "DELETE", "OPTIONS", "PATCH",
                                "TRACE", "CONNECT", "get", "X" * 3000])
        elif kind == 2:
            path = rng.choice(["/v1/nobody/x",
                               "/v1/main/system.multicall",
                               "/v1/main/" + "m" * 300,
                               "/v1/main/b.plain?x=y",
                               "/v1/main/b%zz",
                               "/" + "p" * 20_000,
                               "*",
                               "http://localhost/v1/main/b.plain",
                               "//v1/main/x",
                               "/v1/main/..%2f..",
                               "/v1/ma%69n/b.plain",
                               "/v1/main/\xfc"])
        elif kind == 3:
            body = rng.choice([b"",
                               b"[",
                               b"{\"a\":1,\"a\":2}",
                               b"[1e999]",
                               b"\xff\xfe[\0]\0",
                               b"[" * 200 + b"]" * 200,
                               b"nul",
                               b"[1,]",
                               b"\"\\ud800\"",
                               b"[01]",
                               b" " * 60_000 + b"1",
                               b"[\"" + b"\\u0041" * 9000 + b"\"]",
                               b"[{}]" * 2,
                               b"\0"])
            path = rng.choice([path, "/v1/main", "/jsonrpc/main"])
        elif kind == 4:
            body = b"[\"" + b"y" * rng.choice([65_600, 1_100_000, 3_000_000]) + b"\"]"
        elif kind == 5:
            more = [(f"X-H{n}", "v" * rng.choice([1, 200]))
                    for n in range(rng.choice([15, 30, 70, 400]))]
        elif kind == 6:
            version = rng.choice(["HTTP/1.0", "HTTP/1.0", "HTTP/0.9",
                                 "HTTP/2.0", "HTTP/1.2", "HTTX/1.1", ""])
        elif kind == 7:
            path, body = "/v1/main", b"[" + \
                b",".join([b"1"] * rng.choice([10, 3000, 30_000])) + b"]"
        elif kind == 8:
            path, body = "/jsonrpc/main", b"[" + \
                b",".join([b"{}"] * rng.choice([10, 3000, 20_000])) + b"]"
        else:
            data = self._compose("POST", path, body, [("Expect", "100-continue")])
            return Request(data, "odd", f"expects 100 {number}", [Item(number)], waits=True)
        data = self._compose(method, path, body, more, version)
        return Request(
            data, "odd", f"odd {kind} {method[:10]} {path[:40]} {number}", [
                Item(number)])

    def any(self) -> Request:
        makers = [self.call] * 14 + [self.batch] * 4 + \
            [self.jsonrpc] * 4 + [self.look] * 4 + [self.odd] * 3
        return self._rng.choice(makers)()

    def mutated(self) -> Request:
        self.loose = True
        request = self.any()
        self.loose = False
        request.data = mutated(request.data, self._rng, 6)
        request.is_mutated = True
        request.what = f"mutated {request.what}"
        return request
