# SPDX-License-Identifier: Apache-2.0
"""Pages of other origins: which may call, what their browsers ask before, and what they are told."""

import pytest

from rig import wire
from rig.check import assert_problem

APP, DEV = "https://app.example", "http://localhost:3000"
TOKEN = "token-of-the-page-" * 2

PREFLIGHT = {"Origin": APP, "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "authorization,content-type",
             "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream()


@pytest.fixture(scope="module")
def gateway(start_shared, upstream):
    return start_shared.gateway({
        "cors_origins": [APP, DEV], "limits": {"body": "64K"},
        "callers": [{"name": "page", "token": TOKEN, "allow": ["up/*"], "deny": ["*/no"]}],
        "upstreams": {"up": {"url": upstream.url}}})


def ask(gateway, method="POST", path="/v1/up/m", body=b"[1]", **headers):
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway.raw(wire.request(method, path, body, lines))


def call(gateway, **headers):
    return ask(gateway, Authorization=f"Bearer {TOKEN}", **headers)


def words(answer, name) -> set:
    return {word.strip().lower() for word in answer.header(name).split(",")}


@pytest.mark.parametrize("origin", [APP, DEV])
def test_preflights_are_answered_before_anybody_is_asked_for(gateway, origin):
    for path in ("/v1/up/m", "/v1/none/m", "/v1", "/nothing"):
        headers = PREFLIGHT | {"Origin": origin}
        answer = gateway.raw(wire.request("OPTIONS", path, None, headers))
        assert answer.status == 204 and answer.body == b""
        assert answer.header("Access-Control-Allow-Origin") == origin
        assert "origin" in words(answer, "Vary")
        assert {"get", "post"} <= words(answer, "Access-Control-Allow-Methods")
        assert {"authorization", "content-type"} <= words(answer, "Access-Control-Allow-Headers")
        assert 0 < int(answer.header("Access-Control-Max-Age")) <= 7200
        assert answer.header("Access-Control-Allow-Credentials") is None
        assert answer.header("Content-Type") is None
        assert answer.header("X-Request-Id")


def test_a_connection_goes_on_after_a_preflight(gateway):
    with gateway.connect() as page:
        for number in range(3):
            assert page.ask("OPTIONS", "/v1/up/m", None, PREFLIGHT).status == 204
            answer = page.ask("POST", "/v1/up/m", b"[%d]" % number,
                              {"Origin": APP, "Authorization": f"Bearer {TOKEN}"})
            assert answer.result == number


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "*"}, {"Origin": ""},
    {"Origin": APP + "/"}, {"Origin": APP + ":443"}, {"Origin": "http://app.example"},
    {"Origin": APP.upper()}, {"Origin": [APP, APP]}, {"Origin": [APP, "https://evil.example"]},
    {"Origin": f"{APP} https://evil.example"}])
def test_other_origins_get_nothing(gateway, headers):
    for answer in (gateway.raw(wire.request("OPTIONS", "/v1/up/m", None, PREFLIGHT | headers)),
                   call(gateway, **headers)):
        assert_problem(answer, "forbidden", 403, "no")
        assert not [name for name, _ in answer.headers
                    if name.lower().startswith("access-control-")]


def test_what_is_no_preflight(gateway):
    """Without its two headers, of our own origin, or of nobody."""
    port = gateway.tcp[1]
    for headers in ({}, {"Origin": APP}, {"Access-Control-Request-Method": "POST"},
                    {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}",
                     "Access-Control-Request-Method": "POST"}):
        answer = ask(gateway, "OPTIONS", body=None, **headers)
        assert_problem(answer, "unauthenticated", 401, "no")
        answer = ask(gateway, "OPTIONS", body=None, Authorization=f"Bearer {TOKEN}", **headers)
        assert_problem(answer, "method-not-allowed", 405, "no")
        assert answer.header("Access-Control-Allow-Methods") is None


def test_a_foreign_host_gets_no_preflight(gateway):
    answer = gateway.raw(wire.request("OPTIONS", "/v1/up/m", None,
                                      PREFLIGHT | {"Host": "evil.example"}))
    assert_problem(answer, "misdirected", 421, "no")


def test_the_answer_to_a_page_says_so(gateway, upstream):
    for site in ("cross-site", "same-site"):
        answer = call(gateway, Origin=APP, Sec_Fetch_Site=site)
        assert answer.result == 1
        assert answer.header("Access-Control-Allow-Origin") == APP
        assert "origin" in words(answer, "Vary")
        exposed = words(answer, "Access-Control-Expose-Headers")
        assert {"x-request-id", "retry-after", "x-rpcgate-repaired"} <= exposed
        assert answer.header("Access-Control-Allow-Methods") is None


def test_refusals_can_be_read_by_the_page(gateway):
    """Else its script would see nothing but a network error."""
    kinds = [(401, ask(gateway, Origin=APP)),
             (401, ask(gateway, Origin=APP, Authorization="Bearer wrong")),
             (400, ask(gateway, path="/v1/up/%ff", Origin=APP)),
             (404, ask(gateway, path="/v1/none/m", Origin=APP, Authorization=f"Bearer {TOKEN}")),
             (405, ask(gateway, "PUT", Origin=APP, Authorization=f"Bearer {TOKEN}")),
             (403, ask(gateway, path="/v1/up/no", Origin=APP, Authorization=f"Bearer {TOKEN}")),
             (413, ask(gateway, body=b"x" * 100_000, Origin=APP,
                       Authorization=f"Bearer {TOKEN}")),
             (415, ask(gateway, Origin=APP, Content_Type="text/plain",
                       Authorization=f"Bearer {TOKEN}")),
             (400, ask(gateway, body=b"[", Origin=APP, Authorization=f"Bearer {TOKEN}"))]
    for status, answer in kinds:
        assert answer.status == status, answer.body
        assert answer.header("Access-Control-Allow-Origin") == APP


def test_programs_are_not_bothered(gateway):
    answer = call(gateway)
    assert answer.result == 1
    assert answer.header("Access-Control-Allow-Origin") is None


def test_a_page_needs_a_token_like_everybody(gateway, upstream):
    upstream.exchanges.clear()
    answer = ask(gateway, Origin=APP, Sec_Fetch_Site="cross-site")
    assert_problem(answer, "unauthenticated", 401, "no")
    assert not upstream.exchanges


@pytest.mark.parametrize("headers", [
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "odd", "Origin": APP}])
def test_sec_fetch_site_alone(gateway, headers):
    assert_problem(call(gateway, **headers), "forbidden", 403, "no")


def test_without_cors_origins(start, upstream):
    gateway = start.simple(upstream)
    answer = gateway.raw(wire.request("OPTIONS", "/v1/up/m", None, PREFLIGHT))
    assert_problem(answer, "forbidden", 403, "no")
    assert_problem(ask(gateway, Origin=APP), "forbidden", 403, "no")
    assert ask(gateway).header("Vary") is None
