# SPDX-License-Identifier: Apache-2.0
"""The explorer in Chromium: with RPCGATE_LONG_TESTS=1, where chromium is and npm can be reached for
puppeteer-core and axe-core. RPCGATE_EXPLORER_SHOTS=FOLDER keeps pictures of what it looks at."""

import json
import os
import shutil
import subprocess
import xmlrpc.client

import pytest

from rig import npm
from rig.multicall import Multicall
from rig.settings import DEADLINE, SLOW, TOP, up_settings

TOKEN = "0123456789abcdef0123456789abcdef"

#: Pinned, and what fits the Node that Debian has.
TOOLS = ("puppeteer-core@24.9.0", "axe-core@4.11.0")

ODD = "odd<img/src=x/onerror=pwned()>"
TYPES = ["int", "i8", "double", "boolean", "string", "dateTime.iso8601", "base64", "struct"]
SIGNATURES = {
    "calc.add": [["int", "int", "int"]], "calc.echo": [["string", "string"]],
    "calc.fault": [["int"]], "calc.long": [["array"]], "calc.peek": [["int"]],
    "calc.many": [["int"], ["int", "string"], ["int", "int", "array"]],
    "calc.typed": [["array", *TYPES]], ODD: [["string"]]}
HELP = {"calc.add": "The sum of two integers.", "calc.typed": "Gives back what it gets.",
        ODD: "<script>window.pwned = 1</script><img src=x onerror=\"window.pwned = 1\">"}
ROUTES = (
    {"name": "sum", "get": "/sums/{a}", "call": "up/calc.add", "safe": True,
     "summary": "The sum of two", "params": (
         {"name": "a", "type": "int", "description": "The one."},
         {"name": "b", "type": "int", "default": 1, "min": 0, "description": "The other."})},
    {"name": "say", "post": "/words", "call": "up/calc.say", "params": (
        {"struct": ({"name": "word", "max_length": 80},
                    {"name": "count", "type": "int", "optional": True},
                    {"name": "colour", "enum": ["red", "blue"], "default": "red"})},)},
)


def fault():
    raise xmlrpc.client.Fault(7, '<img src=x onerror="window.pwned = 1">')


def functions():
    """With some hundred methods."""
    names = [*SIGNATURES, "calc.say", *(f"many.method{n:03}" for n in range(400))]
    return {
        "system.listMethods": lambda: names,
        "system.methodSignature": lambda name: SIGNATURES.get(name, "undef"),
        "system.methodHelp": lambda name: HELP.get(name, ""),
        "calc.add": lambda a, b: a + b, "calc.echo": lambda x: x, "calc.peek": lambda: 1,
        "calc.typed": lambda *params: list(params), "calc.say": lambda struct: struct,
        "calc.long": lambda: [{"number": n, "text": "x" * 20} for n in range(60_000)],
        "calc.fault": fault, ODD: lambda: "<b>bold</b>"}


class Exact(Multicall):
    """Integers of 64 bits are answered as they came."""
    async def __call__(self, x):
        if x.method == "calc.typed":
            body = x.body.decode()
            params = body[body.index("<params>"):].replace("<param>", "").replace("</param>", "")
            values = params[len("<params>"):params.index("</params>")]
            await x.answer_xml(f"<array><data>{values}</data></array>")
        else:
            await super().__call__(x)


@pytest.fixture(scope="module")
def modules(folder):
    """Where the tools are."""
    return npm.install(folder, *TOOLS, needs=("chromium",))


def copied(texts, tool, folder):
    """What each text does that the page gives to copy."""
    (folder / "token.txt").write_text(TOKEN)
    (folder / "copied.py").write_text(texts["Python"])
    (folder / "copied.mjs").write_text(texts["JavaScript"])
    environment = {**os.environ, "TOKEN": TOKEN, "no_proxy": "*",
                   "PATH": f"{os.path.dirname(tool)}:{os.environ['PATH']}"}
    for name, command in (("curl", texts["curl"]), ("Python", "/usr/bin/python3 copied.py"),
                          ("JavaScript", "node copied.mjs"),
                          ("rpcgate call", texts["rpcgate call"])):
        done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment, text=True,
                              capture_output=True, timeout=DEADLINE, check=False)
        yield name, done.stdout, done.stderr


def test_in_chromium(start, modules, tmp_path):
    async def silent(x):
        await x.answer_fault(-32601, "no such method")

    upstream = start.upstream(Exact(functions()))
    settings = up_settings(upstream, extensions=["i8"],
                           methods=({"match": "calc.peek", "safe": True},))
    del settings["anonymous"]
    caller = {"name": "all", "token": TOKEN, "allow": ["*/*"]}
    gateway = start.gateway({**settings, "routes": ROUTES, "callers": (caller,)})
    bare = start.gateway(up_settings(start.upstream(silent)))
    shots = os.environ.get("RPCGATE_EXPLORER_SHOTS", "")
    done = subprocess.run(
        ["node", str(TOP / "tests" / "integration" / "clients" / "explorer.mjs")],
        env={**os.environ, "MODULES": str(modules), "CHROMIUM": shutil.which("chromium"),
             "URL": "http://%s:%d/" % gateway.tcp, "BARE": "http://%s:%d/" % bare.tcp,
             "TOKEN": TOKEN, "SHOTS": shots, "SLOW": str(SLOW)},
        capture_output=True, text=True, timeout=30 * DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    said = "it's \"a\" $HOME \\ `x` é\n☃"
    tool = os.environ["RPCGATE"]
    for name, out, err in copied(json.loads(done.stdout.splitlines()[-1]), tool, tmp_path):
        if name == "Python":
            assert out == f"{ {'result': said} }\n", (name, out, err)
        elif name == "JavaScript":
            assert json.loads(out.removeprefix("200 ")) == {"result": said}, (name, out, err)
        else:
            found = json.loads(out) if out else None
            assert found in (said, {"result": said}), (name, out, err)
