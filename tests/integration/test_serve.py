# SPDX-License-Identifier: Apache-2.0
"""`listen.serve`: what a listener serves; all else is not there."""

import tempfile

import pytest

from rig.check import assert_problem

TOKEN = "token-of-a-known-caller-" * 2
ADMIN, API = ["/livez", "/readyz", "/metrics"], ["/v1", "/"]


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream()


@pytest.fixture(scope="module", params=["anonymous", "callers"])
def gateway(request, start_shared, upstream):
    """The API over the unix socket, the rest over TCP."""
    who = ({"anonymous": {"allow": ["*/*"]}} if request.param == "anonymous" else
           {"callers": [{"name": "known", "token": TOKEN, "allow": ["*/*"]}]})

    with tempfile.TemporaryDirectory(prefix="rpcgate-") as folder:
        gateway = start_shared.gateway(who | {
            "listen": [{"address": "127.0.0.1", "port": 0, "serve": ["admin"]},
                       {"unix": f"{folder}/api.sock", "mode": "0600", "serve": ["api"]}],
            "upstreams": {"up": {"url": upstream.url}}})
        gateway.unix = f"{folder}/api.sock"
        gateway.who = {} if request.param == "anonymous" else {"Authorization": f"Bearer {TOKEN}"}
        yield gateway


def test_each_serves_its_own(gateway):
    for path in ADMIN:
        assert gateway.request("GET", path, None, gateway.who).status == 200
    for path in API:
        assert gateway.request("GET", path, None, gateway.who, over="unix").status == 200
    assert gateway.call("up", "m", [1], over="unix", **gateway.who).result == 1


def test_all_else_is_not_there(gateway, upstream):
    upstream.exchanges.clear()
    for path, over in (*((path, "unix") for path in ADMIN), *((path, "tcp") for path in API)):
        for method in ("GET", "POST", "PUT"):
            answer = gateway.request(method, path, None, gateway.who, over=over)
            assert_problem(answer, "not-found", 404, "no")
    assert_problem(gateway.call("up", "m", [1], **gateway.who), "not-found", 404, "no")
    assert not upstream.exchanges


def test_nobody_learns_what_is_not_there(gateway):
    for path in ("/livez", "/metrics", "/nothing"):
        answer = gateway.request("GET", path, over="unix")
        assert answer.status == (401 if gateway.who else 404)
