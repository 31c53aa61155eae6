# SPDX-License-Identifier: Apache-2.0
"""`listen.serve`: what a listener serves; all else is not there. Health is for everybody."""

import subprocess
import tempfile

import pytest

from rig.check import assert_problem
from rig.settings import DEADLINE, RPCGATED, configuration
from rig.wire import request

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


@pytest.fixture(scope="module", params=["health", "metrics"])
def part(request, start_shared, upstream, folder):
    """A half of `admin` over TCP, the API over the unix socket."""
    unix = f"{folder}/{request.param}.sock"
    gateway = start_shared.gateway({
        "callers": [{"name": "known", "token": TOKEN, "allow": ["*/*"]}],
        "listen": [{"address": "127.0.0.1", "port": 0, "serve": [request.param]},
                   {"unix": unix, "mode": "0600", "serve": ["api"]}],
        "upstreams": {"up": {"url": upstream.url}}})
    gateway.unix, gateway.part = unix, request.param
    return gateway


def test_half_of_admin(part):
    mine = {"health": ["/livez", "/readyz"], "metrics": ["/metrics"]}[part.part]
    who = {"Authorization": f"Bearer {TOKEN}"}
    for path in mine:
        assert part.request("GET", path, None, who).status == 200
    for path in set(ADMIN + API) - set(mine):
        assert_problem(part.request("GET", path, None, who), "not-found", 404, "no")
    assert_problem(part.call("up", "m", [1], **who), "not-found", 404, "no")
    if part.part == "metrics":
        assert_problem(part.get("/metrics"), "unauthenticated", 401, "no")


def test_no_token_is_judged_where_health_alone_is_served(part):
    """It may be open to a network: whoever is there must not be able to guess there."""
    for path in ("/metrics", "/v1", "/nothing", "/v1/up/m"):
        for token in (TOKEN, TOKEN[::-1], ""):
            who = {"Authorization": f"Bearer {token}"} if token else {}
            status = part.request("GET", path, None, who).status
            wanted = 404 if part.part == "health" or token == TOKEN else 401
            assert status == (200 if (part.part, path, token) == ("metrics", "/metrics", TOKEN)
                              else wanted), (path, token)


@pytest.mark.parametrize("host", ["10.1.2.3:8080", "pod-7.cluster.example", "", "[2001:db8::1]"])
def test_health_asks_for_no_host_of_ours(part, start_shared, upstream, host):
    if part.part == "metrics":
        part = start_shared.simple(upstream)
    for path in ("/livez", "/readyz", "/livez?"):
        assert part.raw(request("GET", path, None, {"Host": host})).status == 200
    assert part.raw(request("GET", f"http://evil.example{path}", None, {"Host": host})).status == 200
    # All else does, and an odd head stays one.
    for path in ("/metrics", "/", "/livez/", "/livezz"):
        assert part.raw(request("GET", path, None, {"Host": host})).status == 421
    for lines in ([host, host], None, "a b"):
        assert part.raw(request("GET", "/livez", None, {"Host": lines})).status == 400
    assert part.raw(request("GET", "/livez", None, {"Origin": "http://a.example"})).status == 403
    assert part.raw(request("POST", "/livez", None, {"Host": host})).status == 405


def test_hosts_count_where_health_is_not_served(gateway):
    """There it is a path like any other, which is not there."""
    answer = gateway.raw(request("GET", "/livez", None, {"Host": "evil.example"}))
    assert answer.status == 200, "over TCP health is served"
    answer = gateway.raw(request("GET", "/v1", None, {"Host": "evil.example"}))
    assert_problem(answer, "misdirected", 421, "no")


def check(folder, serve, address="0.0.0.0", **more):
    """What `--test` says of a listener beyond loopback that serves that."""
    path = folder / "open.conf"
    listen = {"address": address, "port": 8080, "serve": serve, **more}
    path.write_text(configuration({
        "listen": [listen], "callers": [{"name": "known", "token": TOKEN, "allow": ["up/*"]}],
        "upstreams": {"up": {"url": "http://127.0.0.1:1/"}}}))
    return subprocess.run([RPCGATED, "-t", "-c", path], capture_output=True, text=True,
                          timeout=DEADLINE, check=False)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
def test_health_alone_may_stand_anywhere(folder, address):
    done = check(folder, ["health"], address)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


@pytest.mark.parametrize("serve", [
    ["admin"], ["metrics"], ["health", "metrics"], ["health", "api"], ["health", "admin"], ["api"]])
def test_all_else_needs_more(folder, serve):
    done = check(folder, serve)
    assert done.returncode == 78 and "is not a loopback address" in done.stderr
    assert check(folder, serve, insecure=True).returncode == 0


def test_an_open_listener_of_health(start, upstream):
    gateway = start.gateway({
        "listen": [{"address": "0.0.0.0", "port": 0, "serve": ["health"]}],
        "anonymous": {"allow": ["*/*"]}, "upstreams": {"up": {"url": upstream.url}}})
    port = int(gateway.wait_line("http://0.0.0.0:").partition("0.0.0.0:")[2].split()[0].strip('",'))
    gateway.port = port
    assert gateway.get("/readyz", Host="gw.example").status == 200
    assert gateway.call("up", "m", [1]).status == 404
