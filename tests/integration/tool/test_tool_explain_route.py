# SPDX-License-Identifier: Apache-2.0
"""`rpcgate explain --route`: the XML that a route makes, and who may use it; the same as the gateway
does, without sending it."""

import re
import xmlrpc.client

import pytest

from rig.routes import GOLDEN, ROUTES, canonical
from rig.settings import up_settings
from rig.tool import DATA_ERROR, OK, REFUSED, USAGE, tool

TOKENS = {name: name[0] * 32 for name in ("shop", "raw", "narrow", "other")}
CALLERS = tuple({"name": name, "token": TOKENS[name], **rules} for name, rules in (
    ("shop", {"allow": ("@part*",)}), ("raw", {"allow": ("up/execute_kw",)}),
    ("narrow", {"allow": ("@partner",), "deny": ("up/execute_*",)}),
    ("other", {"allow": ("up/other",)})))
SECRET = "correct-horse-battery"


@pytest.fixture(scope="module")
def gateway(start_shared):
    async def behave(x):
        await x.answer("")
    upstream = start_shared.upstream(behave)
    upstream_settings = up_settings(upstream, extensions=["nil", "i8"])
    gateway = start_shared.gateway(upstream_settings | {"routes": ROUTES, "callers": CALLERS})
    gateway.upstream = upstream
    return gateway


def explain(gateway, *words: str, options=()):
    path = str(gateway.folder / "rpcgate.conf")
    return tool("explain", "-c", path, *options, "--route", *words)


def document(out: str) -> bytes:
    """The XML in the answer."""
    found = re.search(r"<\?xml.*</methodCall>", out, re.S)
    return found.group().encode()


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: "-".join(row[3]))
def test_the_document_is_what_python_writes(gateway, row):
    _, _, _, words, method, params = row
    before = len(gateway.upstream.exchanges)
    done = explain(gateway, *words)
    assert done.status == OK and not done.err
    expected = xmlrpc.client.dumps(params, method, allow_none=True)
    assert canonical(document(done.out)) == canonical(expected)
    assert len(gateway.upstream.exchanges) == before


def test_all_that_is_wrong_is_told(gateway):
    done = explain(gateway, "all", "a=1", "b=x", "mor=1", "q=y")
    assert done.status == DATA_ERROR and not done.out
    for part in ("`b` must be an integer of 64 bits, not \"x\"", "`q` must be a number",
                 "`mor` is not known here: did you mean `more`?"):
        assert part in done.err, done.err
    done = explain(gateway, "partner")
    assert done.status == DATA_ERROR and "`id` " in done.err


@pytest.mark.parametrize("words, part", [
    (("none",), 'no route "none"'), (("partner", "id"), "NAME=VALUE"), (("partner", "7"), "NAME="),
    (("partner", b"id=\xff"), "UTF-8"), ((), "")])
def test_words_that_are_wrong(gateway, words, part):
    done = explain(gateway, *words)
    assert done.status == USAGE and not done.out and part in done.err, done


@pytest.mark.parametrize("caller, rule", [
    ("shop", "allowed: callers[0].allow[0]"), ("raw", "allowed: callers[1].allow[0]"),
    ("narrow", "refused: callers[2].deny[0]"), ("other", "refused: ")])
def test_who_may(gateway, caller, rule):
    done = explain(gateway, "partner", "id=7", options=("--caller", caller))
    may = rule.startswith("allowed")
    assert done.status == (OK if may else REFUSED), done
    assert done.out.startswith(rule), done.out
    answer = gateway.get("/partners/7", Authorization=f"Bearer {TOKENS[caller]}")
    assert answer.status == (200 if may else 403 if caller == "narrow" else 404)
    assert not set(TOKENS.values()) & set(re.findall(r"\w{32}", done.out))


def test_secrets_are_not_opened(start, tmp_path):
    key = tmp_path / "key"
    key.write_text(SECRET)
    upstream = start.upstream()
    route = {"name": "hidden", "post": "/hidden", "call": "up/m",
             "params": (f"${{file:{key}}}", {"name": "text"})}
    gateway = start.gateway(up_settings(upstream) | {"routes": (route,)})
    key.unlink()
    done = explain(gateway, "hidden", "text=x")
    assert done.status == OK and SECRET not in done.out
    assert b"<string>***</string>" in document(done.out)
