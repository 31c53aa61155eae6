# SPDX-License-Identifier: Apache-2.0
"""Requests to the other faces: routes, XML-RPC, MCP, and what describes them."""

import base64
import xmlrpc.client
from urllib.parse import quote

import documents
from asking import Asker, Item, Request
from behaviours import GOOD
from documents import mutated
from ledger import answer_to
from offered import Route

_MODERN = "2026-07-28"
_KEY = "io.modelcontextprotocol/"

#: Values of `x` in a query, some of the type that it has there, and some of none.
_WORDS = ["1", "-5", "1.5e3", "true", "a", "2024-02-29T12:00:00", "YWI=", "", "%00", "%ff", "%C3%BC",
          "+", "%2B", "1&x=2", "9" * 400, "x" * 5000, "%zz", "%e2%82"]


class FaceAsker(Asker):
    """Knows the round's routes, and the ETags that answers had."""

    def __init__(self, run, who: str, rng):
        super().__init__(who, rng, run.ledger, run.names, run.tokens)
        self._routes, self._etags = run.routes, run.etags
        self._by_basic = False

    def _login(self, token: str) -> str:
        if not self._by_basic:
            return super()._login(token)
        name = self._rng.choice(["all", "limited"])
        return "Basic " + base64.b64encode(f"{name}:{token}".encode()).decode()

    # ---- Routes ----------------------------------------------------------------------------------

    def route(self) -> Request:
        route = self._rng.choice(self._routes)
        number = self._number(route.method)
        path, body = self._filled(route, number)
        more = []
        if self._etags and self._rng.random() < 0.3:
            more.append(("If-None-Match", self._rng.choice([*self._etags, "*", "W/x", '"', ","])))
        verb = "HEAD" if route.verb == "get" and self._rng.random() < 0.1 else route.verb.upper()
        data = self._compose(verb, path, body, more)
        is_plain = route.is_good and "at" not in route.result
        return Request(data, "head" if verb == "HEAD" else "route", f"{verb} {path:.80} {number}",
                       [Item(number)], answer_to(number) if is_plain else None,
                       status=route.settings.get("status", 200),
                       is_wrapped=route.result.get("wrap", True))

    def _filled(self, route: Route, number: str) -> tuple[str, bytes | None]:
        """The path with its query, and the body."""
        rng = self._rng
        shown = number if rng.random() < 0.9 else "".join(f"%{ord(c):02x}" for c in number)
        path = quote(route.path, safe="/{}").replace("{n}", shown)
        members = {} if route.in_path else {"n": number}
        has_body = route.verb in ("post", "put", "patch")
        if has_body:
            if rng.random() < 0.3:
                members["x"] = rng.choice([self._more() or [1], ["1", 2], *self._more()])
            if rng.random() < 0.05:
                members[rng.choice(["N", "", "x\0", "types"])] = 1
            body = self._json(rng.choice([members] * 20 + [[], "x", [members]]))
            return path + self._query(), body
        words = [f"{name}={shown}" for name in members]
        if rng.random() < 0.4:
            words.append(f"x={rng.choice(_WORDS)}")
        if rng.random() < 0.08:
            words.append(rng.choice(["types=tagged", "integers=safe", "integers=x", "y=1", "n=2", "=",
                                     "&&", "n", "N=" + "n" * 3000, "x=1&" * 500]))
        rng.shuffle(words)
        return path + ("?" + "&".join(words) if words else ""), None

    # ---- XML-RPC ---------------------------------------------------------------------------------

    def _compose_xml(self, upstream: str, document: bytes) -> bytes:
        self._content = self._rng.choice(["text/xml"] * 8 + [
            "application/xml", "text/xml; charset=utf-8", "text/xml; charset=ISO-8859-1"])
        self._by_basic = self._rng.random() < 0.4
        try:
            return self._compose("POST", f"/xmlrpc/{upstream}", document)
        finally:
            self._content, self._by_basic = "application/json", False

    def _values(self) -> list:
        """Params behind the number."""
        choose = self._rng.choice
        if self._rng.random() < 0.6:
            return []
        return [choose([None, True, 1.5, -0.0, 2 ** 31 - 1, "x", "gr\u00fc\u00dfe \U0001f600", "<&>]]>",
                        "a" * 5000, "b" * choose([60_000, 900_000]), {}, [], {"a": {"b": [1, {"c": None}]}},
                        xmlrpc.client.Binary(b"ab" * 300), xmlrpc.client.DateTime("20240229T12:00:00"),
                        {f"k{n}": n for n in range(300)}, [[[[[[1]]]]]], float("nan")])]

    def xmlrpc(self) -> Request:
        upstream, method = self._rng.choice(self._names), self._method()
        number = self._number(method)
        document = xmlrpc.client.dumps((number, *self._values()), method, allow_none=True)
        exact = answer_to(number) if method.partition(".")[2] in GOOD else None
        return Request(self._compose_xml(upstream, document.encode()), "xmlrpc",
                       f"xmlrpc {upstream}/{method} {number}", [Item(number)], exact)

    def xmlrpc_batch(self) -> Request:
        upstream = self._rng.choice(self._names)
        items, calls = [], []
        for _ in range(self._rng.choice([0, 1, 2, 8, 40])):
            method = self._method()
            item = Item(self._number(method))
            items.append(item)
            params = [item.number, *self._values()[:1]]
            good = {"methodName": method, "params": params}
            calls.append(self._rng.choice([good] * 20 + [
                {"methodName": method, "params": item.number}, {"params": params}, item.number, params,
                {"methodName": "system.multicall", "params": [[good]]}, {"methodName": 5, "params": params},
                {**good, "x": [1]}]))
        document = xmlrpc.client.dumps((calls,), "system.multicall", allow_none=True)
        return Request(self._compose_xml(upstream, document.encode()), "xmlrpc",
                       f"xmlrpc {upstream} {len(items)} calls from "
                       f"{items[0].number if items else '-'}", items, is_single=False)

    def xmlrpc_odd(self) -> Request:
        """Documents that are hostile, or no calls, or ask for the gateway's own methods."""
        rng = self._rng
        number = self._ledger.new(self._who, True)
        name = rng.choice(["system.listMethods", "system.methodHelp", "system.methodSignature",
                           "system.getCapabilities", "system.multicall", "", "b\u00fc", "m" * 300])
        params = rng.choice([(), ("b.plain",), (number,), ([number],), (1, 2), ([[]],)])
        if rng.random() < 0.4:
            document = xmlrpc.client.dumps(params, name, allow_none=True).encode()
        else:
            document = documents.hostile(rng).replace(b"methodResponse", b"methodCall").replace(
                b"<params>", f"<methodName>b.plain</methodName><params><param><value>{number}</value>"
                             "</param>".encode(), 1)
        if rng.random() < 0.3:
            document = mutated(document, rng)
        return Request(self._compose_xml(rng.choice(self._names), document), "odd", f"xmlrpc odd {number}",
                       [Item(number)], is_mutated=True)

    # ---- MCP -------------------------------------------------------------------------------------

    def _tool(self) -> tuple[dict, str]:
        """Params of tools/call, and the number in them."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.5:
            route = rng.choice(self._routes)
            number = self._number(route.method)
            arguments = {"n": number}
            if rng.random() < 0.3:
                arguments["x"] = rng.choice([1, "a", ["a"], True, *self._more()])
            return {"name": route.name, "arguments": arguments}, number
        method = self._method()
        number = self._number(method)
        if kind < 0.9:
            name = rng.choice(["main", "calm", "bare", "keyed"]) + "__" + method.replace(".", "_")
            return {"name": name, "arguments": {"params": [number, *self._more()]}}, number
        name = rng.choice(["", "nothing", 5, "main__b_plain", "x" * 60])
        return {"name": name, "arguments": rng.choice([
            {"params": number}, {"a1": number}, [], {}, None, {"a1": 1, "params": [number]}])}, number

    def _mcp_params(self, method: str) -> tuple[dict, str]:
        if method == "tools/call":
            return self._tool()
        number = self._ledger.new(self._who)
        if method == "initialize":
            version = self._rng.choice(["2025-06-18", "2025-11-25", "2024-11-05", "1", 5])
            return {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "x"}}, number
        return self._rng.choice([{}, {}, {"cursor": "x"}, {"x": number}]), number

    def _mcp_lines(self, method: str, params: dict, is_modern: bool) -> list[tuple[str, str]]:
        """Header lines, which now and then differ from the body."""
        rng = self._rng
        lines = [("Accept", "application/json, text/event-stream")]
        if is_modern:
            lines.append(("Mcp-Method", method if rng.random() < 0.95 else "ping"))
            if isinstance(params.get("name"), str):
                lines.append(("Mcp-Name", params["name"] if rng.random() < 0.95 else "=?base64?!?="))
        if is_modern or method != "initialize":
            lines.append(("MCP-Protocol-Version", rng.choice(
                [_MODERN if is_modern else "2025-11-25"] * 20 + ["2025-06-18", "1999-01-01", ""])))
        return lines

    def mcp(self) -> Request:
        rng = self._rng
        method = rng.choice(["tools/call"] * 8 + ["tools/list"] * 2 + [
            "initialize", "server/discover", "ping", "notifications/initialized", "notifications/x",
            "resources/list", "", "tools/call/x"])
        params, number = self._mcp_params(method)
        is_modern = rng.random() < 0.6
        lines = self._mcp_lines(method, params, is_modern)
        if is_modern:
            params["_meta"] = {_KEY + "protocolVersion": _MODERN, _KEY + "clientCapabilities": {},
                               _KEY + "clientInfo": {"name": "x", "version": "1"}}
        message = {"jsonrpc": "2.0", "id": rng.choice([1, "a", -1]), "method": method, "params": params}
        self._spoil(message)
        body = self._json([message] if rng.random() < 0.03 else message)
        path = "/mcp/" + rng.choice(["ops"] * 6 + ["few"] * 3 + ["none"])
        return Request(self._compose("POST", path, body, lines), "mcp",
                       f"mcp {path} {method} {params.get('name')} {number}",
                       [Item(number if number.encode() in body else "none", message.get("id"))])

    def _spoil(self, message: dict):
        """Now and then it is no request any more."""
        kind = self._rng.randrange(60)
        if kind == 0:
            del message["id"]
        elif kind == 1:
            message["jsonrpc"] = "1.0"
        elif kind == 2:
            message["params"] = []
        elif kind == 3:
            message["method"] = 5
        elif kind == 4:
            message["id"] = self._rng.choice([None, [1], 1.5, "i" * 5000])
        elif kind == 5:
            message["params"]["_meta"] = self._rng.choice([5, {}, {_KEY + "protocolVersion": "x"}])

    # ---- Descriptions ----------------------------------------------------------------------------

    def described(self) -> Request:
        rng = self._rng
        path = rng.choice(["/openapi.json", "/-/routes.json", "/", "/openapi/none.json", "/-/x",
                           "/openapi/" + rng.choice(self._names) + ".json", "/mcp/ops",
                           "/xmlrpc/main"])
        method = "HEAD" if rng.random() < 0.15 else "GET"
        more = []
        if path == "/" and rng.random() < 0.6:
            more = [("Accept", "text/html,*/*;q=0.8")]
        if self._etags and rng.random() < 0.3:
            more.append(("If-None-Match", rng.choice(self._etags)))
        return Request(self._compose(method, path, None, more), method.lower(), f"{method} {path}")

    def any(self) -> Request:
        rng = self._rng
        if rng.random() < 0.55:
            return super().any()
        makers = {self.route: 6, self.xmlrpc: 5, self.xmlrpc_batch: 2, self.xmlrpc_odd: 2, self.mcp: 5,
                  self.described: 1}
        return rng.choices(list(makers), list(makers.values()))[0]()
