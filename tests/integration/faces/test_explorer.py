# SPDX-License-Identifier: Apache-2.0
"""GET / for browsers: how the explorer's page is served, and what it may not do. What it does,
test_explorer_browser.py looks at."""

import base64
import hashlib
import re

import pytest

from rig import wire
from rig.check import assert_problem
from rig.multicall import Multicall, methods
from rig.settings import TOP, up_settings

TOKEN = "0123456789abcdef0123456789abcdef"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
SOURCE = TOP / "src" / "front" / "explorer"
ROUTES = ({"name": "sum", "get": "/sums/{a}", "call": "up/add", "safe": True,
           "params": ({"name": "a", "type": "int"}, {"name": "b", "type": "int", "default": 1})},
          {"name": "say", "post": "/words", "call": "up/echo", "params": ({"name": "word"},)})


@pytest.fixture
def gateway(start):
    """Nobody without a token has anything."""
    settings = up_settings(start.upstream(Multicall(methods())))
    del settings["anonymous"]
    callers = ({"name": "all", "token": TOKEN, "allow": ["up/*"]},
               {"name": "one", "token": "x" * 32, "allow": ["@sum"]})
    return start.gateway({**settings, "routes": ROUTES, "callers": callers})


def page(gateway, **headers):
    return gateway.get("/", Accept=BROWSER, **headers)


def bearer(token=TOKEN):
    return {"Authorization": f"Bearer {token}"}


def test_the_page_and_its_headers(gateway):
    answer = page(gateway)
    assert answer.status == 200
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("Cache-Control") == "no-cache"
    assert answer.header("Vary") == "Accept"
    assert answer.header("Referrer-Policy") == "no-referrer"
    assert answer.header("X-Frame-Options") == "DENY"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("X-Request-Id")
    assert 0 < len(answer.body) <= 60_000


def test_the_policy_allows_this_page_and_nothing_else(gateway):
    answer = page(gateway)
    policy = dict(part.strip().split(" ", 1)
                  for part in answer.header("Content-Security-Policy").split(";"))
    for name in ("script", "style"):
        inside = re.findall(f"<{name}>(.*?)</{name}>".encode(), answer.body, re.DOTALL)
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0]).digest()).decode()
        assert policy.pop(f"{name}-src") == f"'sha256-{digest}'"
    assert policy.pop("connect-src") == "'self'" and policy.pop("img-src") == "data:"
    assert policy.pop("require-trusted-types-for") == "'script'"
    assert set(policy.values()) == {"'none'"}
    assert {"default-src", "base-uri", "form-action", "frame-ancestors"} <= set(policy)


def test_the_page_is_its_source(gateway):
    text = page(gateway).body.decode()
    for file in SOURCE.iterdir():
        if file.name != "page.html":
            assert file.read_text() in text, file


def test_the_source_names_no_other_host_and_makes_no_markup():
    """And has neither handlers nor styles in attributes, which the policy forbids."""
    for file in SOURCE.iterdir():
        text = file.read_text()
        hosts = re.findall(r"(?:https?:|wss?:|[\"'(=])//[^\s\"'`]+", text)
        assert all(host == "http://www.w3.org/2000/svg" for host in hosts), (file, hosts)
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                     "new Function", "localStorage", " style=", "@import", " url(", ":url("):
            assert word not in text, (file, word)
        assert not re.search(r"<[^>]*\son\w+=", text), file


def test_etag(gateway):
    first = page(gateway)
    etag = first.header("ETag")
    again = page(gateway, If_None_Match=f'"x", W/{etag}')
    assert again.status == 304 and again.body == b"" and again.header("ETag") == etag
    assert again.header("Vary") == "Accept" and not again.all("Content-Type")
    assert again.header("Content-Length") in (None, str(len(first.body)))
    assert page(gateway, If_None_Match='"x"').status == 200
    with gateway.connect() as caller:  # and the connection goes on behind it
        head = f"Host: localhost\r\nAccept: {BROWSER}\r\n"
        for _ in range(2):
            caller.send(f"GET / HTTP/1.1\r\n{head}If-None-Match: {etag}\r\n\r\n".encode())
            assert caller.answer().status == 304
        caller.send(f"GET / HTTP/1.1\r\n{head}\r\n".encode())
        assert caller.answer().body == first.body


def test_head(gateway):
    answer = gateway.request("HEAD", "/", headers={"Accept": BROWSER})
    assert answer.status == 200 and answer.body == b""
    assert answer.header("Content-Length") == str(len(page(gateway).body))


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html;q=0.5, */*"])
def test_all_others_get_json(gateway, accept):
    headers = {"Accept": accept} if accept else {}
    assert_problem(gateway.get("/", **headers), "unauthenticated", 401)
    answer = gateway.get("/", **headers, **bearer())
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Vary") == "Accept" and not answer.all("ETag")
    assert not answer.all("Content-Security-Policy")
    document = answer.json
    assert document["name"] == "rpcgate"
    for link in document["links"]:
        answer = gateway.get(link, **bearer())
        if answer.status != 200:  # calls are made there
            assert_problem(answer, "method-not-allowed", 405)
            assert answer.header("Allow") == "POST", link


def test_it_can_be_switched_off(start):
    settings = up_settings(start.upstream(Multicall(methods())))
    gateway = start.gateway({**settings, "explorer": False})
    answer = page(gateway)
    assert answer.status == 200 and answer.json["name"] == "rpcgate"
    gateway.reload({**settings, "explorer": True})
    assert page(gateway).header("Content-Type").startswith("text/html")


def test_who_gets_it(gateway):
    """Whoever opens it, also by a link on another site, but only under our own name; what it asks
    for then is for callers alone."""
    assert page(gateway, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200
    assert page(gateway, Authorization="Bearer wrong").status == 200
    assert_problem(page(gateway, Host="evil.example"), "misdirected", 421)
    assert_problem(gateway.get("/?x", Accept=BROWSER), "invalid-request", 400)
    for path in ("/v1", "/-/routes.json"):
        assert_problem(gateway.get(path, Accept=BROWSER), "unauthenticated", 401)
        assert_problem(gateway.get(path, **bearer(), Sec_Fetch_Site="cross-site"), "forbidden", 403)
    answer = gateway.raw(wire.request("POST", "/", headers={"Accept": BROWSER}))
    assert_problem(answer, "method-not-allowed", 405)


def test_only_where_the_api_is(start):
    listen = ({"address": "127.0.0.1", "port": 0, "serve": ["admin"]},)
    settings = up_settings(start.upstream(Multicall(methods())))
    gateway = start.gateway({**settings, "listen": listen})
    assert_problem(page(gateway), "not-found", 404)


def test_the_routes_alone(gateway):
    """Without asking the upstream, which counts for no rate."""
    document = gateway.get("/-/routes.json", **bearer()).json
    assert list(document["paths"]) == ["/sums/{a}", "/words"]
    assert document["paths"]["/sums/{a}"]["get"]["x-rpcgate"] == {"safe": True, "call": "up/add"}
    mine = gateway.get("/-/routes.json", **bearer("x" * 32)).json
    assert list(mine["paths"]) == ["/sums/{a}"]


def test_a_method_says_whether_it_is_safe(up):
    gateway, _ = up(Multicall(methods()), methods=({"match": "add", "safe": True},))
    assert gateway.get("/v1/up/add").json["safe"] is True
    assert gateway.get("/v1/up/echo").json["safe"] is False
