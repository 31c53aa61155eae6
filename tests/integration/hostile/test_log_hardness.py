# SPDX-License-Identifier: Apache-2.0
"""Logging never holds up a call, whatever stderr is; what is lost is counted; and no input, from a
caller or from an upstream, makes a line or a field of its own."""

import json
import os
import re
import signal
import time

import pytest

from rig.settings import DEADLINE, SLOW
from rig.upstream import http_response, response_document
from rig.wire import request

PIPE_AND_RING = (64 + 256) * 1024  # what Linux and the log's ring hold [bytes]


def with_stderr(target: str) -> tuple:
    """A launcher whose program has this in place of stderr, as a shell writes it."""
    return ("/bin/sh", "-c", f'exec "$0" "$@" 2>{target}')


def dropped(gateway) -> int:
    text = gateway.request("GET", "/metrics", over="unix").body.decode()
    return int(re.search(r"^rpcgate_log_dropped_total (\d+)$", text, re.M)[1])


def wait_dropped(gateway, least: int) -> int:
    end = time.monotonic() + DEADLINE
    while (number := dropped(gateway)) < least:
        assert time.monotonic() < end, number
        time.sleep(0.02)
    return number


def call(gateway, text: str):
    assert gateway.call("up", "m", [text], over="unix").result == text


@pytest.fixture(scope="module")
def upstream(start_shared):
    return start_shared.upstream()


@pytest.mark.parametrize("target, loses", [("&-", False), ("/dev/full", True)])
def test_nowhere_to_write(start, upstream, target, loses):
    """A closed stderr is replaced by /dev/null, so that no socket gets its number."""
    gateway = start.simple(upstream, launcher=with_stderr(target))
    for number in range(20):
        call(gateway, f"call {number}")
    if loses:
        wait_dropped(gateway, 20)
    else:
        assert dropped(gateway) == 0
        if os.geteuid() == 0:  # nobody else may look there
            assert os.readlink(f"/proc/{gateway.process.pid}/fd/2") == "/dev/null"


class Pipe:
    """A stderr that is read when the test wants it."""

    def __init__(self, folder):
        self.path = folder / "pipe"
        os.mkfifo(self.path)
        self.end = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.text = b""

    def read(self) -> bool:
        """What is there now. False: nobody writes any more."""
        try:
            while part := os.read(self.end, 1 << 16):
                self.text += part
        except BlockingIOError:
            return True
        return False

    def read_until(self, test):
        end = time.monotonic() + DEADLINE
        while not test(self.text):
            self.read()
            assert time.monotonic() < end, self.text[-2000:]
            time.sleep(0.01)

    def close(self):
        if self.end >= 0:
            os.close(self.end)
        self.end = -1


@pytest.fixture
def pipe(tmp_path):
    one = Pipe(tmp_path)
    yield one
    one.close()


def flood(gateway, name: str) -> int:
    """Fills a pipe that nobody reads, and more, with access lines: how many there are of them."""
    count = 2 * PIPE_AND_RING // 200
    longest = 0.0
    with gateway.connect("unix") as caller:
        for number in range(count):
            begin = time.monotonic()
            answer = caller.ask("GET", "/v1", None, {"X-Request-Id": f"{name}-{number:050}"})
            longest = max(longest, time.monotonic() - begin)
            assert answer.status == 200
    assert longest < 1.5 * SLOW, longest
    return count


def test_nobody_reads(start, upstream, pipe):
    """Calls go on; once somebody reads, each line is there or was counted, and it is told."""
    gateway = start.simple(upstream, launcher=with_stderr(pipe.path))
    count = flood(gateway, "flood")
    call(gateway, "while it is blocked")
    lost = wait_dropped(gateway, 1)
    pipe.read_until(lambda text: b"log lines were dropped" in text)
    call(gateway, "afterwards")
    gateway.request("GET", "/v1", None, {"X-Request-Id": "the-last"}, "unix")
    pipe.read_until(lambda text: b"request_id=the-last" in text)
    lines = pipe.text.decode().split("\n")
    assert all(re.match(r"\d{4}-\d\d-\d\dT", line) for line in lines if line), "a torn line"
    came = sum("request_id=flood-" in line for line in lines)
    told = sum(int(line.rpartition("=")[2]) for line in lines if "log lines were dropped" in line)
    assert came < count and told >= lost
    assert dropped(gateway) == told and count <= came + told <= count + 10


def test_nobody_reads_at_the_end(start, upstream, pipe):
    gateway = start.simple(upstream, launcher=with_stderr(pipe.path))
    flood(gateway, "flood")
    begin = time.monotonic()
    gateway.signal(signal.SIGTERM)
    gateway.assert_clean_end()
    assert time.monotonic() - begin < 3 * SLOW


def test_reader_has_left(start, upstream, pipe):
    """SIGPIPE ends nothing."""
    gateway = start.simple(upstream, launcher=with_stderr(pipe.path))
    call(gateway, "before")
    pipe.close()
    for number in range(20):
        call(gateway, f"after {number}")
    wait_dropped(gateway, 20)


def test_interrupted_system_calls(start, upstream):
    """A process that was stopped and goes on gets EINTR from epoll_wait(2) and its kind."""
    gateway = start.simple(upstream)
    with gateway.connect() as caller:
        for number in range(30):
            caller.send(request("POST", "/v1/up/m", b"[%d]" % number))
            gateway.signal(signal.SIGSTOP)
            gateway.signal(signal.SIGCONT)
            assert caller.answer().result == number


# What lines are made of.

_FIELD = re.compile(r' ([a-z_]+)=((?:[!#-<>-\[\]-~]+)|"(?:[ !#-\[\]-~]|\\["\\nrt]|\\x[0-9a-f]{2}'
                    r'|\\u[0-9a-f]{4,6}|[^\x00-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff])*")')
_LINE = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?:error|warn|info|debug) '
                   r'((?:[^"= ]+ ?)+?|"(?:[^"\\]|\\.)*")((?: [a-z_]+=(?:[^" ]+|"(?:[^"\\]|\\.)*"))*)')


def read_text(line: str) -> dict:
    """The fields of a text line, which is one from its first to its last byte."""
    whole = _LINE.fullmatch(line)
    assert whole, line
    fields, at = {}, 0
    while at < len(whole[2]):
        field = _FIELD.match(whole[2], at)
        assert field and field[1] not in fields, line
        fields[field[1]], at = field[2], field.end()
    return fields


def read_json(line: str) -> dict:
    def once(pairs):
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), line
        return dict(pairs)
    assert line.isascii() or not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", line), line
    return json.loads(line, object_pairs_hook=once, parse_constant=lambda word: 1 / 0)


READERS = {"text": read_text, "json": read_json}
FORGED = "2026-01-01T00:00:00.000Z info request request_id=forged status=200"
NASTY = ["\n" + FORGED + "\n", "\r" + FORGED, '" status=200 forged="', '","status":200,"forged":"',
         "a=b status=200", "\\n\\", "\x1b[2K\x1b[1G" + FORGED, "\u2028" + FORGED, "\u202e\ufeff",
         "\x85\x9b", "\x00" + FORGED, "\x7f\b\b\b", "x" * 70_000, "\ud7ff\ue000\U0010ffff", "%0a%0d",
         "<3>" + FORGED]


@pytest.fixture(scope="module", params=READERS)
def logger(request, start_shared, upstream):
    """A gateway that logs all there is, and the reader of its lines."""
    gateway = start_shared.gateway({
        "anonymous": {"allow": ["*/*"]},
        "log": {"level": "debug", "format": request.param},
        "upstreams": {"up": {"url": upstream.url, "verbose": True, "breaker": {"failures": 0}}}})
    return gateway, READERS[request.param]


def assert_all_lines(logger, until: str):
    """Every line that was written is one, and none claims what only a forged one would."""
    gateway, read = logger
    gateway.raw(request("GET", "/livez", None, {"X-Request-Id": until}))
    gateway.wait_line(until)
    for line in gateway.stderr.split("\n"):
        fields = read(line)
        assert "forged" not in fields and fields.get("request_id") != "forged", line


@pytest.mark.parametrize("number", range(len(NASTY)))
def test_callers_forge_nothing(logger, number):
    """In the method's name, the upstream's, a query, and headers, as far as they get."""
    gateway, _ = logger
    nasty = NASTY[number]
    encoded = "".join(f"%{byte:02X}" for byte in nasty[:300].encode("utf-8", "surrogatepass"))
    for path in (f"/v1/up/{encoded}", f"/v1/{encoded}/m", f"/v1/up/m?types={encoded}"):
        gateway.raw(request("POST", path, b"[1]"))
    for name in ("X-Request-Id", "Origin", "Host", "Authorization", "traceparent", "Content-Type",
                 "X-Rpcgate-Timeout"):
        value = nasty[:1000].encode("utf-8", "surrogatepass").decode("latin-1")
        with gateway.connect() as caller:
            caller.send(request("POST", "/v1/up/m", b"[1]", {name: value}))
            caller.finish_sending()
            caller.rest()
    assert_all_lines(logger, f"caller-{number}")


@pytest.mark.parametrize("number", range(len(NASTY)))
def test_upstreams_forge_nothing(logger, upstream, number):
    """In the status line, headers, a fault and bodies: `verbose` writes all of it."""
    gateway, _ = logger
    nasty = NASTY[number].encode("utf-8", "surrogatepass")
    answers = [http_response(nasty), http_response(response_document("x") + nasty),
               http_response(nasty, "500 " + nasty[:200].decode("latin-1")),
               http_response(b"<html>", "404 No", {"Server": nasty[:500].decode("latin-1")})]
    for answer in answers:
        async def behave(x, answer=answer):
            await x.send(answer)
            x.close()
        upstream.behave = behave
        gateway.raw(request("POST", "/v1/up/m", json.dumps([NASTY[number][:300]]).encode()))
    assert_all_lines(logger, f"upstream-{number}")
