# SPDX-License-Identifier: Apache-2.0
"""A client of MCP, of the revision without sessions and of those before it."""

import base64
import itertools
import json

MODERN = "2026-07-28"
LEGACY = ("2025-11-25", "2025-06-18")
ERAS = (MODERN, *LEGACY)
KEY = "io.modelcontextprotocol/"

_ids = itertools.count(1)


def meta(version: str = MODERN) -> dict:
    return {KEY + "protocolVersion": version, KEY + "clientCapabilities": {},
            KEY + "clientInfo": {"name": "test", "version": "1"}}


class Mcp:
    """Talks to one server of a gateway; what is asked goes out as that revision has it."""

    def __init__(self, gateway, name: str = "ops", era: str = MODERN, token: str | None = None):
        self.gateway, self.path, self.era = gateway, f"/mcp/{name}", era
        self.own = {"Authorization": f"Bearer {token}"} if token else {}

    def headers(self, method: str, params: dict) -> dict:
        lines = {"Content-Type": "application/json", **self.own,
                 "Accept": "application/json, text/event-stream"}
        if self.era == MODERN:
            lines["Mcp-Method"] = method
            if method == "tools/call":
                name = params.get("name")
                plain = isinstance(name, str) and name.isascii() and name.isprintable()
                lines["Mcp-Name"] = name if plain else (
                    f"=?base64?{base64.b64encode(str(name).encode()).decode()}?=")
        if self.era == MODERN or method != "initialize":
            lines["MCP-Protocol-Version"] = self.era
        return lines

    def message(self, method: str, params: dict | None = None) -> dict:
        params = dict(params or {})
        if self.era == MODERN:
            params["_meta"] = meta()
        return {"jsonrpc": "2.0", "id": next(_ids), "method": method, "params": params}

    def post(self, message, headers: dict):
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        headers = {name: value for name, value in headers.items() if value is not None}
        return self.gateway.request("POST", self.path, body, headers)

    def ask(self, method: str, params: dict | None = None, **more):
        """The answer to a request, with these header lines besides."""
        message = self.message(method, params)
        answer = self.post(message, self.headers(method, params or {}) | more)
        if answer.header("Content-Type") == "application/json":
            assert answer.json["jsonrpc"] == "2.0" and answer.json["id"] == message["id"]
        return answer

    def result(self, method: str, params: dict | None = None, **more) -> dict:
        answer = self.ask(method, params, **more)
        assert answer.status == 200 and "result" in answer.json, answer.body[:2000]
        result = answer.json["result"]
        if self.era == MODERN:
            assert result["resultType"] == "complete"
            assert result["_meta"][KEY + "serverInfo"]["name"] == "rpcgate"
        else:
            assert not {"resultType", "_meta", "ttlMs", "cacheScope"} & set(result)
        return result

    def tools(self) -> dict[str, dict]:
        result = self.result("tools/list")
        if self.era == MODERN:
            assert result["ttlMs"] >= 0 and result["cacheScope"] == "private"
        names = [tool["name"] for tool in result["tools"]]
        assert len(set(names)) == len(names)
        return {tool["name"]: tool for tool in result["tools"]}

    def call(self, name: str, arguments: dict | None = None, **more) -> dict:
        """The result of a tool: a value, or what went wrong."""
        params = {"name": name} | ({} if arguments is None else {"arguments": arguments})
        result = self.result("tools/call", params, **more)
        assert [item["type"] for item in result["content"]] == ["text"]
        return result

    def value(self, name: str, arguments: dict | None = None, **more):
        result = self.call(name, arguments, **more)
        assert result["isError"] is False, result
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        assert list(result["structuredContent"]) == ["result"]
        return result["structuredContent"]["result"]

    def problem(self, name: str, arguments: dict | None = None, **more) -> dict:
        result = self.call(name, arguments, **more)
        assert result["isError"] is True, result
        problem = result["structuredContent"]
        text = result["content"][0]["text"]
        assert text == f"{problem['detail']} (executed: {problem['executed']})"
        return problem | {"name": problem["type"].rpartition(":")[2]}

    def error(self, method: str, params: dict | None = None, **more) -> tuple[int, int, dict]:
        """Status, code, and the error."""
        answer = self.ask(method, params, **more)
        assert "error" in answer.json, answer.body[:2000]
        return answer.status, answer.json["error"]["code"], answer.json["error"]
