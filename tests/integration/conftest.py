# SPDX-License-Identifier: Apache-2.0
"""Fixtures: gateways and upstreams that end with the test, or with the module."""

import os
import resource
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
for module in ("check", "wire", "gateway", "upstream", "recorded"):
    pytest.register_assert_rewrite(f"rig.{module}")

from rig.gateway import Gateway  # noqa: E402
from rig.settings import RPCGATED, up_settings  # noqa: E402
from rig.upstream import Upstream, echo  # noqa: E402


def pytest_sessionstart():
    if not os.access(RPCGATED, os.X_OK):
        pytest.exit(f"no program at {RPCGATED}: build it, or set RPCGATED", returncode=4)
    stop_ignoring_signals()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def stop_ignoring_signals():
    """nohup and `&` of a script tell what they start to ignore these, and all programs that a test
    starts would, too. What has a handler here begins there as it is by default."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


#: Those that take longest, longest first: were one of them begun last, one process would run it while
#: the others have nothing left to do.
LONGEST = ("test_steps", "test_install", "test_injection", "test_memory_shares", "test_servers",
           "test_failing_calls", "test_fuzz_daemon", "test_packages", "test_hostile", "test_service",
           "test_attacks_floods", "test_tls_callers", "test_breaker", "test_upstream_tls",
           "test_profile_programs", "test_check_command", "test_codec_hostile", "test_haproxy", "test_failures",
           "test_tool_completion", "test_kept_ends", "test_scale")


def pytest_collection_modifyitems(items):
    place = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))


def pytest_report_header():
    return f"rpcgated: {RPCGATED}"


class Starter:
    """Starts gateways and upstreams; ends them, gateways first, each with a clean end."""

    def __init__(self):
        self._upstreams = ExitStack()
        self._gateways: list[Gateway] = []

    def upstream(self, behave=echo, make=Upstream, **options) -> Upstream:
        return self._upstreams.enter_context(make(behave, **options))

    def gateway(self, settings: dict | str | None = None, **options) -> Gateway:
        gateway = Gateway(settings, **options)
        self._gateways.append(gateway)
        return gateway

    def simple(self, upstream: Upstream, journal: bool = False, launcher: tuple = (),
               **settings) -> Gateway:
        """A gateway where everybody may call `up`, which is that upstream. No failure keeps further
        calls from it."""
        return self.gateway(up_settings(upstream) | settings, journal=journal, launcher=launcher)

    def end(self):
        try:
            failures = []
            for gateway in self._gateways:
                try:
                    gateway.stop()
                except AssertionError as failure:
                    failures.append(failure)
                finally:
                    gateway.close()
        finally:
            self._upstreams.close()
        if failures:
            raise failures[0]


@pytest.fixture
def start():
    """Starts gateways and upstreams for one test."""
    starter = Starter()
    yield starter
    starter.end()


@pytest.fixture(scope="module")
def start_shared():
    """Starts gateways and upstreams for all tests of a module."""
    starter = Starter()
    yield starter
    starter.end()


@pytest.fixture(scope="module")
def folder():
    """For the files of a module's tests."""
    with tempfile.TemporaryDirectory(prefix="rpcgate-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def shared_upstream(start_shared):
    """One upstream for all tests of a module, for gateways that they share."""
    return start_shared.upstream()


@pytest.fixture
def upstream(shared_upstream):
    """The same, as if it were new."""
    shared_upstream.behave = echo
    shared_upstream.exchanges.clear()
    shared_upstream.executed.clear()
    return shared_upstream


@pytest.fixture
def up(start):
    """A gateway before an upstream that behaves so, with these settings of it and of the top."""
    def make(behave, top=None, **more):
        upstream = start.upstream(behave)
        gateway = start.gateway(up_settings(upstream, **more) | (top or {}))
        return gateway, upstream
    return make
