# SPDX-License-Identifier: Apache-2.0
"""What a round's configurations offer besides upstreams: routes, and servers of MCP. They are the same
in all of its configurations but for those whose upstream is not there, so that callers know them."""

import random
from dataclasses import dataclass

from behaviours import BEHAVIOURS, GOOD

N_ROUTES = 24

#: Params beside the number, by where they go.
_IN_QUERY = [{"name": "x", "type": "int", "optional": True, "min": -5, "max": 10 ** 6},
             {"name": "x", "type": "string[]", "default": ("a", "b")},
             {"name": "x", "type": "double", "default": 5},
             {"name": "x", "type": "date", "optional": True},
             {"name": "x", "type": "base64", "optional": True},
             {"name": "x", "type": "boolean[]", "optional": True},
             {"name": "x", "enum": ("a", "b", "\u00fc<&>"), "optional": True}]
_IN_BODY = [{"name": "x", "type": "any", "optional": True}, {"name": "x", "type": "any[]", "default": (1,)},
            {"name": "x", "type": "i8[]", "optional": True}, *_IN_QUERY]

_VERBS = ["get", "get", "get", "post", "post", "put", "patch", "delete"]


@dataclass(frozen=True)
class Route:
    name: str
    verb: str
    upstream: str
    method: str
    is_safe: bool
    in_path: bool  # the number, else in the query or body
    kind: str  # the type of `x`
    settings: dict  # as the configuration has it

    @property
    def is_good(self) -> bool:
        return self.method.partition(".")[2] in GOOD

    @property
    def path(self) -> str:
        return self.settings[self.verb]

    @property
    def result(self) -> dict:
        return self.settings.get("result", {})


def _shaped(rng: random.Random, number: dict, more: dict) -> tuple:
    """Both params, in one of the forms that a call may have."""
    return rng.choice([
        (number, more),
        ({"list": (number,)}, "constant", {"list": ("y", more)}),
        ({"struct": (number, more, {"member": "k", "value": (1, 2)})}, {"json": '{"a":[null]}'}),
        ("<&>", {"struct": ({"member": "inner", "struct": (number,)}, more)}),
    ])


def _cache(rng: random.Random) -> dict:
    return {"ttl": rng.choice(["0s", "100ms", "1s", "1h"]),
            "stale_if_error": rng.choice(["0s", "0s", "1h"]),
            "by_caller": rng.random() < 0.3, "collapse": rng.random() < 0.7}


def _route(rng: random.Random, number: int) -> Route:
    verb = rng.choice(_VERBS)
    upstream = rng.choice(["main", "main", "calm", "keyed", "locked", "scgi", "two"])
    is_safe = verb == "get" or rng.random() < 0.3
    name = rng.choice(sorted(GOOD if rng.random() < 0.6 else BEHAVIOURS))
    method = ("safe." if is_safe else "b.") + name
    in_path = rng.random() < 0.5
    kinds = _IN_BODY if verb in ("post", "put", "patch") else _IN_QUERY
    more = rng.choice(kinds)
    path = f"/fz{number}" + ("/{n}" if in_path else "") + rng.choice(["", "/end", "/\u00fc"])
    settings = {"name": f"r{number}", verb: path, "call": f"{upstream}/{method}", "safe": is_safe,
                "params": _shaped(rng, {"name": "n", "max_length": 100}, more)}
    if rng.random() < 0.3:
        settings["result"] = rng.choice([{"wrap": False}, {"empty": 404}, {"wrap": False, "empty": 410},
                                         {"at": "/0/x"}, {"at": "", "wrap": True}])
    if verb != "get" and rng.random() < 0.3:
        settings["status"] = rng.choice([201, 202] if "result" in settings else [201, 202, 204])
    if is_safe and rng.random() < 0.5:
        settings["cache"] = _cache(rng)
    if rng.random() < 0.2:
        settings["timeout"] = "500ms"
    if rng.random() < 0.2:
        settings["types"] = rng.choice(["plain", "tagged"])
    return Route(f"r{number}", verb, upstream, method, is_safe, in_path, more.get("type", "string"),
                 settings)


class Offered:
    """Of one round."""

    def __init__(self, rng: random.Random):
        self._rng = rng
        self.routes = [_route(rng, number) for number in range(N_ROUTES)]

    def cache(self) -> dict:
        return _cache(self._rng)

    def settings(self, upstreams: dict) -> dict:
        """Of a configuration with these upstreams."""
        routes = [route.settings for route in self.routes if route.upstream in upstreams]
        written = {"match": "main/b.plain", "write": True}
        narrow = ["@r1*", written, "calm/safe.plain"]
        return {
            "routes": tuple(routes), "explorer": self._rng.random() < 0.8,
            "server_timing": self._rng.random() < 0.5,
            "mcp": ({"name": "ops", "max": 500, "max_result": self._rng.choice(["1K", "64K", "4M"]),
                     "tools": ({"match": "@*", "write": True}, "main/safe.*", "*/*", written)},
                    {"name": "few", "max": self._rng.choice([20, 40]),
                     "max_request": self._rng.choice(["1K", "128K"]), "tools": tuple(narrow)}),
        }
