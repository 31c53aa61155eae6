# SPDX-License-Identifier: Apache-2.0
"""Routes of all kinds, and what becomes of requests by them."""

import xml.etree.ElementTree as ET
import xmlrpc.client
from datetime import datetime


class I8:
    """An integer that goes out as i8, which `dumps` does not know."""

    def __init__(self, value: int):
        self.value = value

    def encode(self, out):
        out.write(f"<value><i8>{self.value}</i8></value>")


xmlrpc.client.WRAPPERS += (I8,)


def name(name: str, **more) -> dict:
    return {"name": name, **more}


PARTNER = {
    "name": "partner", "get": "/partners/{id}", "call": "up/execute_kw", "safe": True,
    "params": ("res.partner", "read", {"list": (name("id", type="int", min=1),)},
               {"struct": (name("fields", type="string[]", default=["name", "email"]),)})}
START = {"name": "start", "post": "/programs/{name}/start", "call": "up/supervisor.startProcess",
         "params": (name("name"), name("wait", type="boolean", optional=True))}
CREATE = {
    "name": "create", "put": "/partners", "call": "up/execute_kw", "params": (
        "res.partner", "create", {"list": ({"struct": (
            name("name", max_length=80),
            name("kind", member="company_type", enum=["person", "company"], default="person"),
            name("born", type="date", optional=True),
            name("photo", type="base64", optional=True),
            name("rate", type="double", optional=True),
            {"member": "active", "value": True},
            {"member": "lang", "json": "\"en_US\""},
            {"member": "tags", "list": ((6, 0), name("tags", type="int[]", default=())) })},)})}
ALL = {"name": "all", "patch": "/all/{a}/{b}", "call": "up/all", "params": (
    name("b", type="i8"), name("a"), {"json": "null"}, name("more", type="any", default=()),
    {"list": ()}, {"struct": ()}, name("q", in_="query", type="double[]", optional=True))}
DROP = {"name": "drop", "delete": "/partners/{id}", "call": "up/unlink", "status": 204,
        "params": (name("id", type="int"), name("force", type="boolean", default=False))}

#: request, body, the words of `rpcgate explain --route`, the method and params that arrive.
GOLDEN = [
    ("GET", "/partners/7", None,
     ("partner", "id=7"), "execute_kw",
     ("res.partner", "read", [7], {"fields": ["name", "email"]})),
    ("GET", "/partners/7?fields=a%20b&fields=%C3%A9", None,
     ("partner", "id=7", "fields=a b", "fields=é"), "execute_kw",
     ("res.partner", "read", [7], {"fields": ["a b", "é"]})),
    ("POST", "/programs/a%2Fb%20%3Cc%3E/start", {},
     ("start", "name=a/b <c>"), "supervisor.startProcess", ("a/b <c>",)),
    ("POST", "/programs/cat/start", {"wait": False},
     ("start", "name=cat", "wait=false"), "supervisor.startProcess", ("cat", False)),
    ("POST", "/programs/cat/start", None,
     ("start", "name=cat"), "supervisor.startProcess", ("cat",)),
    ("PUT", "/partners", {"name": "A & \"B\""},
     ("create", "name=A & \"B\""), "execute_kw",
     ("res.partner", "create", [{"name": "A & \"B\"", "company_type": "person", "active": True,
                                 "lang": "en_US", "tags": [[6, 0], []]}])),
    ("PUT", "/partners", {"photo": "aGk=", "name": "", "born": "2024-02-29T12:00:00", "rate": 5,
                          "kind": "company", "tags": [1, -2]},
     ("create", "photo=aGk=", "name=", "born=2024-02-29T12:00:00", "rate=5", "kind=company",
      "tags=[1, -2]"), "execute_kw",
     ("res.partner", "create", [{"name": "", "company_type": "company",
                                 "born": datetime(2024, 2, 29, 12), "photo": b"hi", "rate": 5.0,
                                 "active": True, "lang": "en_US", "tags": [[6, 0], [1, -2]]}])),
    ("PATCH", "/all/7/12345678901", {"more": {"a": [None, {"$i8": "5"}, 1.5]}},
     ("all", "a=7", "b=12345678901", 'more={"a": [null, {"$i8": "5"}, 1.5]}'), "all",
     (I8(12345678901), "7", None, {"a": [None, I8(5), 1.5]}, [], {})),
    ("PATCH", "/all/x/-1?q=1e2&q=-0.5", {},
     ("all", "a=x", "b=-1", "q=1e2", "q=-0.5"), "all",
     (I8(-1), "x", None, [], [], {}, [100.0, -0.5])),
    ("DELETE", "/partners/8", None,
     ("drop", "id=8"), "unlink", (8, False)),
    ("DELETE", "/partners/8?force=true", None,
     ("drop", "id=8", "force=true"), "unlink", (8, True)),
]


def route(settings: dict) -> dict:
    """As the configuration has it: `in` is a word of Python."""
    def rename(value):
        if isinstance(value, dict):
            return {key.rstrip("_"): rename(item) for key, item in value.items()}
        return tuple(map(rename, value)) if isinstance(value, tuple) else value
    return rename(settings)


ROUTES = tuple(route(r) for r in (PARTNER, START, CREATE, ALL, DROP))


def canonical(document: bytes | str) -> str:
    return ET.canonicalize(document, strip_text=True)
