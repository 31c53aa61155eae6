# SPDX-License-Identifier: Apache-2.0
"""A configuration that has all that a description can tell of, and its upstreams."""

from .multicall import Multicall
from .settings import up_settings

TOKEN = "0123456789abcdef0123456789abcdef"

ROUTES = (
    {"name": "partner", "get": "/partners/{id}", "call": "up/calc.echo", "safe": True,
     "summary": "One partner", "tags": ["partners"],
     "params": ("res.partner",
                {"list": ({"name": "id", "type": "int", "min": 1, "description": "Its number.",
                           "example": 7},)},
                {"struct": ({"name": "fields", "type": "string[]", "default": ["name"]},)}),
     "result": {"at": "/0", "empty": 404}},
    {"name": "create", "post": "/partners", "call": "up/calc.echo", "status": 201,
     "tags": ["partners"], "params": (
         {"name": "name", "max_length": 80},
         {"name": "kind", "enum": ["person", "company"], "default": "person"},
         {"name": "born", "type": "date", "optional": True},
         {"name": "photo", "type": "base64", "optional": True},
         {"name": "more", "type": "any", "optional": True},
         {"name": "number", "type": "i8", "optional": True})},
    {"name": "drop", "delete": "/partners/{id}", "call": "up/calc.echo", "status": 204,
     "params": ({"name": "id", "type": "int"},)},
    {"name": "bare", "get": "/bare", "call": "up/calc.echo", "safe": True,
     "params": ({"name": "x", "type": "double[]", "default": ()},), "result": {"wrap": False},
     "cache": {"ttl": "60s"}},
)

SIGNATURES = {
    "calc.add": [["int", "int", "int"]],
    "calc.echo": [["array"], ["array", "string", "dateTime.iso8601", "base64", "undef"]],
    "calc.now": [["dateTime.iso8601"]],
}
HELP = {"calc.add": "Adds <b>two</b>. ```x``` <script>alert(1)</script>", "calc.now": "é\n& more"}


def upstream_functions():
    names = ["calc.add", "calc.echo", "calc.now", "odd/näme", "no name"]
    return {
        "system.listMethods": lambda: names,
        "system.methodSignature": lambda name: SIGNATURES.get(name, "undef"),
        "system.methodHelp": lambda name: HELP.get(name, ""),
        "calc.echo": lambda *params: list(params)}


async def silent(x):
    await x.answer_fault(-32601, "no such method")


def described_settings(start, token: str = TOKEN) -> dict:
    """`token`: as the file has it, of the caller "bot"."""
    upstream = start.upstream(Multicall(upstream_functions()))
    settings = up_settings(upstream)
    settings["upstreams"]["silent"] = {"url": start.upstream(silent).url}
    callers = ({"name": "bot", "token": token, "allow": ["@partner", "up/calc.add"]},
               {"name": "reader", "token": "r" * 32, "allow": ["@partner"]},
               {"name": "none", "token": "x" * 32, "allow": ["other/*"]})
    return {**settings, "routes": ROUTES, "callers": callers}
