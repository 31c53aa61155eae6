# SPDX-License-Identifier: Apache-2.0
"""Batches for servers that nobody here wrote."""

import pytest

from rig.check import assert_failed
from rig.programs import PythonServer, Supervisord


@pytest.fixture(scope="module")
def real(start_shared, folder):
    """Python's server with system.multicall and without, supervisord, and the demo."""
    servers = [PythonServer(multicall=True), PythonServer(), Supervisord(folder)]
    wrapped, without, supervisord = servers
    yield start_shared.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "wrapped": {"url": wrapped.url, "extensions": ["nil"]},
        "without": {"url": without.url},
        "never": {"url": without.url, "multicall": "never"},
        "bare": {"url": f"http://127.0.0.1:{supervisord.port}", "auth": {
            "scheme": "basic", "username": supervisord.USER, "password": supervisord.PASSWORD}},
    }})
    for server in servers:
        server.stop()


@pytest.mark.parametrize("upstream", ["wrapped", "without", "never"])
def test_python(real, upstream):
    results = real.batch(upstream, ("add", 1, 2), ("echo", [1]), ("fail", 4, "four"), ("none",),
                         ("echo", {"a": []}), ("show", 1, "x"))
    assert results[:2] == [{"result": 3}, {"result": [1]}]
    assert_failed(results[2], "fault", 500, "yes", fault={"code": 4, "string": "four"})
    assert_failed(results[3], "fault", 500, "yes")
    assert results[4:] == [{"result": {"a": []}}, {"result": "(1, 'x')"}]


def test_supervisord(real):
    results = real.batch("bare", ("supervisor.getState",), ("supervisor.getAllProcessInfo",),
                         ("supervisor.getProcessInfo", "nobody"), ("none",),
                         ("system.listMethods",))
    assert results[0] == {"result": {"statename": "RUNNING", "statecode": 1}}
    processes = results[1]["result"]  # a list of one, as it is
    assert isinstance(processes, list) and [process["name"] for process in processes] == ["cat"]
    assert results[2]["problem"]["fault"]["code"] == 10
    assert results[3]["problem"]["fault"]["code"] == 1
    assert "supervisor.getState" in results[4]["result"]


def test_demo(start):
    gateway = start.gateway(None, arguments=("--demo", "--listen", "127.0.0.1:0"))
    results = gateway.batch("demo", ("demo.add", 1, 2), ("demo.echo", [None]),
                            ("demo.fault", 4, "x"), ("none",))
    assert results[:2] == [{"result": 3}, {"result": [None]}]
    assert_failed(results[2], "fault", 500, "yes", fault={"code": 4, "string": "x"})
    assert_failed(results[3], "fault", 404, "no")
