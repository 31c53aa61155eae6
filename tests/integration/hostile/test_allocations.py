# SPDX-License-Identifier: Apache-2.0
"""Allocations that fail, one after another, during one call of each kind: the answer is clear, or
the program ends and says why; never a wrong answer, a crash or a hang. All is well afterwards.

RPCGATE_LONG_TESTS=1 in the environment: each single allocation, also of calls with very many."""

import gzip
import http.client
import json
import mmap
import os
import shutil
import signal
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest

from rig.certificates import Authority
from rig.servers import Nginx
from rig.settings import DEADLINE, SANITIZED, TOP
from rig.upstream import http_response, response_document
from rig.wire import Answer

SOURCE = TOP / "tests/integration/preload/failing_alloc.c"
LONG = os.environ.get("RPCGATE_LONG_TESTS") == "1"
FEW = 100  # allocations of a call that all fail, one after another; of more only
SOME = 24  # so many do, spread over the call
OUT_OF_MEMORY = 71  # EX_OSERR
TEXT = "some text " * 30_000
NAMES = {f"name{number}": number for number in range(1100)}

pytestmark = [
    pytest.mark.skipif(SANITIZED, reason="sanitizers have allocators of their own"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="cc is missing"),
]


async def behave(x):
    """Echoes, also in system.multicall; `fault` is one; `packed` comes compressed."""
    if x.request_line.endswith("/packed HTTP/1.1"):
        packed = gzip.compress(response_document(TEXT))
        await x.send(http_response(packed, headers={"Content-Encoding": "gzip"}))
    elif x.request_line.endswith("/session HTTP/1.1"):
        await behave_in_session(x)
    elif x.method == "fault":
        await x.answer_fault(42, "as asked")
    elif x.method == "names":
        # With a comment, so that libxml2 reads it.
        await x.send(http_response(response_document(NAMES).replace(b"<params>", b"<!-- --><params>")))
    elif x.method == "system.multicall":
        await x.answer([[call["params"][0]] for call in x.params[0]])
    else:
        await x.answer(x.params[0])


KEYS: list[str] = []  # those that were used


async def behave_in_session(x):
    """Each key is good for one call, so that each call but the first finds its session expired."""
    if x.method == "login":
        await x.answer(f"key-{x.link.writer.get_extra_info('peername')[1]}-{len(KEYS):012d}")
    elif x.params[0] in KEYS:
        await x.answer_fault(-1, f"no session {x.params[0]}")
    else:
        KEYS.append(x.params[0])
        await x.answer(x.params[1])


@dataclass
class Kind:
    """One kind of call: what is sent, the answer to it, and whether what came instead is clear."""

    path: str
    body: Any
    answer: Any
    status: int = 200
    is_clear: Callable[[dict], bool] = lambda answer: False
    crashes: tuple = ()  # signals that libraries are known to end with
    first: int = 0  # so many at its beginning fail in any case

    def ask(self, gateway) -> Answer | None:
        """None: there is no answer."""
        try:
            return gateway.request("POST", self.path, json.dumps(self.body).encode(),
                                   {"Content-Type": "application/json"}, over="unix")
        except (http.client.HTTPException, ConnectionError):
            return None

    def is_good(self, answer: Answer) -> bool:
        if self.status != 200:
            return answer.status == self.status and answer.problem == self.answer
        return answer.status == 200 and answer.json == self.answer

    def assert_clear(self, answer: Answer):
        if answer.status == 200:
            assert self.is_good(answer) or self.is_clear(answer.json), answer.body[:1000]
        else:
            assert answer.problem and answer.json["status"] == answer.status


ITEMS = [{"method": "m", "params": [number]} for number in range(3)]
RESULTS = {"results": [{"result": number} for number in range(3)]}


def each_is_clear(answer: dict) -> bool:
    pairs = zip(answer["results"], RESULTS["results"], strict=True)
    return all(found == wanted or found["problem"]["status"] >= 400 for found, wanted in pairs)


KINDS = {
    "plain": Kind("/v1/up/m", [{"a": [1, 2.5, "x"]}], {"result": {"a": [1, 2.5, "x"]}}),
    "fault": Kind("/v1/up/fault", [1], "fault", 500),
    "batch": Kind("/v1/up", ITEMS, RESULTS, is_clear=each_is_clear),
    "multicall": Kind("/v1/together", ITEMS, RESULTS, is_clear=each_is_clear),
    "jsonrpc": Kind("/jsonrpc/up", {"jsonrpc": "2.0", "id": 7, "method": "m", "params": ["x"]},
                    {"jsonrpc": "2.0", "id": 7, "result": "x"},
                    is_clear=lambda answer: answer["id"] in (7, None) and "problem" in
                    answer["error"]["data"]["type"]),
    "session": Kind("/v1/session/m", ["x"], {"result": "x"}),
    "large": Kind("/v1/up/m", [TEXT], {"result": TEXT}),
    # More names than a parser is kept for: the next call has a new one made.
    "names": Kind("/v1/up/names", [1], {"result": NAMES}, first=80),
    "packed": Kind("/v1/packed/m", [TEXT], {"result": TEXT}),
    # Its handle holds certificates. libcurl 7.88 frees a TLS session twice that it has no memory to
    # keep: a few of some 4,000 allocations.
    "tls": Kind("/v1/tls/m", ["x"], {"result": "x"}, first=24,
                crashes=(-signal.SIGABRT, -signal.SIGSEGV)),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("preload") / "failing_alloc.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-fno-builtin", "-o", made, SOURCE],
                   check=True, timeout=DEADLINE)
    return made


@pytest.fixture(scope="module")
def upstreams(start_shared, tmp_path_factory):
    """The settings of all upstreams."""
    folder = tmp_path_factory.mktemp("tls")
    upstream = start_shared.upstream(behave)
    authority = Authority(folder, "ca")
    pair = authority.issue("server")
    tls = Nginx(folder, f"http://127.0.0.1:{upstream.port}", {"tls": (
        f"ssl_certificate {pair.cert}; ssl_certificate_key {pair.key}; keepalive_timeout 0;")})
    usual = {"url": upstream.url, "breaker": {"failures": 0}, "multicall": "never",
             "timeouts": {"total": "2s"}}
    yield {
        "up": usual,
        "together": usual | {"multicall": "always", "multicall_results": "wrapped"},
        "session": usual | {
            "url": upstream.url.replace("/RPC2", "/session"),
            "credentials": {"password": "s3cret-pw"}, "inject": [{"params": ["{session}"]}],
            "session": {"login": {"method": "login", "params": ["{password}"]}, "settle": "0s",
                        "retry": "100ms"},
            "faults": [{"code": -1, "text": "*session*", "session_expired": True}]},
        "packed": usual | {"url": upstream.url.replace("/RPC2", "/packed"),
                           "compression": {"request_over": "1K"}},
        "tls": usual | {"url": f"https://localhost:{tls.port}/RPC2",
                        "tls": {"ca_file": str(authority.cert)}},
    }
    tls.stop()


class Numbers:
    """Those of the preloaded library."""

    def __init__(self, path: Path):
        path.write_bytes(bytes(24))
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 24)

    @property
    def seen(self) -> int:
        return struct.unpack_from("l", self._map, 0)[0]

    @property
    def failed(self) -> int:
        return struct.unpack_from("l", self._map, 16)[0]

    def fail(self, left: int):
        struct.pack_into("l", self._map, 8, left)


class Trial:
    """Gateways whose allocations fail; there is a new one when one has ended."""

    def __init__(self, start, upstreams: dict, library: Path, folder: Path):
        self._start, self._upstreams = start, upstreams
        self.numbers = Numbers(folder / "numbers")
        self._environment = {"LD_PRELOAD": str(library), "FAILING_ALLOC": str(folder / "numbers"),
                             "FAILING_ALLOC_TRACE": "1"}
        self.gateway = None

    def prepare(self, kind: Kind):
        """All that only the first calls allocate is there afterwards."""
        if self.gateway is None:
            self.gateway = self._start.gateway(
                {"workers": 1, "anonymous": {"allow": ["*/*"]}, "upstreams": self._upstreams},
                environment=self._environment)
        for _ in range(2):
            answer = kind.ask(self.gateway)
            assert answer is not None and kind.is_good(answer), answer

    def count(self, kind: Kind) -> int:
        """Allocations of a call."""
        before = self.numbers.seen
        kind.ask(self.gateway)
        return self.numbers.seen - before

    def fail(self, kind: Kind, number: int):
        self.numbers.fail(number)
        answer = kind.ask(self.gateway)
        self.numbers.fail(0)
        if answer is not None:
            kind.assert_clear(answer)
        again = kind.ask(self.gateway)
        if again is not None:
            assert kind.is_good(again), (number, again)
            return
        code = self.gateway.wait()
        if code not in kind.crashes:
            assert code == OUT_OF_MEMORY, (number, self.gateway.stderr)
            assert "out of memory" in self.gateway.stderr
        self.gateway.may_end_with(code)
        self.gateway = None


@pytest.mark.parametrize("name", KINDS)
def test_failing_allocations(start, upstreams, library, tmp_path, name):
    kind = KINDS[name]
    trial = Trial(start, upstreams, library, tmp_path)
    trial.prepare(kind)
    count = trial.count(kind)
    assert count > 10
    step = 1 if LONG or count <= FEW else count // SOME
    for number in sorted({*range(1, kind.first + 1), *range(1, count + 1, step)}):
        trial.prepare(kind)
        trial.fail(kind, number)
    assert trial.numbers.failed >= min(count, SOME) // 2
