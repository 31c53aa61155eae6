#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the codec against Python's xmlrpc.client + json, and against a bare libxml2 push parse.

All work on the same documents on one core, in turn, in rounds (each second one backwards). Printed
are the medians of the rounds, in MB/s of XML; only the ratios mean something on another machine.
Needs tests/bench/bench_codec, which `make bench` builds."""

import argparse
import base64
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
METHOD = "bench.call"
BATCH_TIME = 0.002  # between two looks at the clock [s]


# What is translated.

def _structs(count: int) -> list[dict]:
    return [{"id": number, "name": f"record {number}", "price": number / 8}
            for number in range(count)]


def _text(rng: random.Random) -> str:
    """1 MB of prose, with markup, quotes, line ends and letters beyond ASCII here and there."""
    words = ("the gateway writes each value exactly as it came and refuses all else because a "
             "caller must be able to rely on it without looking").split()
    words += ["naïve", "Zürich", "\"quoted\"", "R&D"]
    weights = [8] * (len(words) - 4) + [1] * 4
    lines = (" ".join(rng.choices(words, weights, k=70)) + ".\n" for _ in range(2400))
    return "".join(lines)


def _documents() -> dict[str, tuple[str, object]]:
    """Name: what it is, and the value. Always the same ones."""
    rng = random.Random(4242)
    return {
        "small": ("one int", 42),
        "medium": ("10 structs of 3 members", _structs(10)),
        "large": ("10,000 structs of 3 members", _structs(10_000)),
        "text": ("one string of prose", _text(rng)),
        "base64": ("1 MB of bytes", rng.randbytes(1_000_000)),
        "ints": ("array of 30,000 ints",
                 [rng.randrange(-10**digits, 10**digits) for digits in rng.choices(range(1, 10), k=30_000)]),
        "doubles": ("array of 30,000 doubles such as 12.375",
                    [rng.randrange(1, 100_000) / 8 for _ in range(30_000)]),
        "doubles17": ("array of 30,000 doubles of 16 or 17 digits",
                      [rng.uniform(-1000, 1000) for _ in range(30_000)]),
    }


def _plain(value) -> str:
    """What json cannot write: bytes."""
    return base64.b64encode(value).decode()


def _python_decode(xml: bytes) -> str:
    params, _ = xmlrpc.client.loads(xml, use_builtin_types=True)
    return json.dumps(params, default=_plain)


def _python_encode(text: bytes) -> str:
    params = json.loads(text)
    if isinstance(params[0], dict):
        params = [base64.b64decode(params[0]["$base64"])]
    return xmlrpc.client.dumps(tuple(params), METHOD)


# Who translates it.

@dataclass
class Runner:
    """`run` works for about so many CPU seconds; returns how often it did, and how long."""

    name: str
    run: Callable[[float], tuple[int, float]]


def _python_runner(name: str, work: Callable[[bytes], str], document: bytes) -> Runner:
    def run(seconds: float) -> tuple[int, float]:
        count, batch, start = 0, 1, time.process_time()
        now = start
        while now - start < seconds:
            before = now
            for _ in range(batch):
                work(document)
            count += batch
            now = time.process_time()
            if now - before < BATCH_TIME:
                batch *= 2
        return count, now - start
    return Runner(name, run)


class Program:
    """bench_codec at work on one file."""

    def __init__(self, program: Path, variant: str, document: Path):
        self.out = document.with_suffix(f".{variant}")
        self.process = subprocess.Popen([program, variant, document, self.out], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.runner = Runner(variant, self._run)

    def _run(self, seconds: float) -> tuple[int, float]:
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        count, _, took = self.process.stdout.readline().partition(" ")
        if not took:
            raise RuntimeError(f"bench_codec {self.runner.name} failed")
        return int(count), float(took)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@dataclass
class Row:
    """Seconds for one document, by variant."""

    name: str
    what: str
    xml_read: int     # [bytes]
    xml_written: int  # [bytes]
    seconds: dict[str, float]

    def rate(self, variant: str) -> float:
        """MB/s of XML."""
        size = self.xml_written if "encode" in variant else self.xml_read
        return size / self.seconds[variant] / 1e6


def _check(name: str, decoded: bytes, encoded: bytes, value):
    """What is measured must be right first."""
    wanted = _plain(value) if isinstance(value, bytes) else value
    if json.loads(decoded) != [wanted]:
        raise RuntimeError(f"{name}: decoded to {decoded[:200]!r}")
    params, method = xmlrpc.client.loads(encoded, use_builtin_types=True)
    if params != (value,) or method != METHOD:
        raise RuntimeError(f"{name}: encoded to {encoded[:200]!r}")


def measure(options: argparse.Namespace, folder: Path, name: str, what: str, value) -> Row:
    xml = xmlrpc.client.dumps((value,), methodresponse=True).encode()
    as_json = {"$base64": _plain(value)} if isinstance(value, bytes) else value
    text = json.dumps([as_json], ensure_ascii=False).encode()
    (folder / "document.xml").write_bytes(xml)
    (folder / "document.json").write_bytes(text)
    with ExitStack() as stack:
        programs = {}
        for variant, file in (("parse", "document.xml"), ("decode", "document.xml"),
                              ("encode", "document.json")):
            programs[variant] = Program(options.program, variant, folder / file)
            stack.callback(programs[variant].close)
            programs[variant].runner.run(0.01)
        decoded, encoded = (programs[v].out.read_bytes() for v in ("decode", "encode"))
        _check(name, decoded, encoded, value)
        runners = [program.runner for program in programs.values()]
        runners += [_python_runner("python decode", _python_decode, xml),
                    _python_runner("python encode", _python_encode, text)]
        seconds: dict[str, list[float]] = {runner.name: [] for runner in runners}
        for number in range(options.rounds):
            for runner in runners if number % 2 == 0 else runners[::-1]:
                say(f"{name}, round {number + 1}, {runner.name} …")
                count, took = runner.run(options.seconds)
                seconds[runner.name].append(took / count)
    medians = {variant: statistics.median(values) for variant, values in seconds.items()}
    return Row(name, what, len(xml), len(encoded), medians)


# Tables.

def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _size(size: int) -> str:
    for unit, factor in (("MB", 1e6), ("KB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


def table_of_decode(rows: list[Row]) -> list[str]:
    lines = ["| decode | XML | bare parse MB/s | rpcgate MB/s | Python MB/s "
             "| rpcgate's time to the bare parse's | rpcgate's speed to Python's |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for row in rows:
        rates = " | ".join(_number(row.rate(v)) for v in ("parse", "decode", "python decode"))
        lines.append(f"| {row.name}: {row.what} | {_size(row.xml_read)} | {rates} "
                     f"| {row.seconds['decode'] / row.seconds['parse']:.2f} "
                     f"| {row.seconds['python decode'] / row.seconds['decode']:.0f} |")
    return lines


def table_of_encode(rows: list[Row]) -> list[str]:
    lines = ["| encode | XML | rpcgate MB/s | Python MB/s | rpcgate's speed to Python's |",
             "| --- | ---: | ---: | ---: | ---: |"]
    for row in rows:
        rates = " | ".join(_number(row.rate(v)) for v in ("encode", "python encode"))
        lines.append(f"| {row.name} | {_size(row.xml_written)} | {rates} "
                     f"| {row.seconds['python encode'] / row.seconds['encode']:.0f} |")
    return lines


def table_of_goals(rows: list[Row]) -> list[str]:
    lines = ["| goal | worst | of | |", "| --- | ---: | --- | --- |"]
    def add(text: str, measured: dict[str, float], limit: float, at_least: bool):
        name = (min if at_least else max)(measured, key=measured.__getitem__)
        worst = measured[name]
        reached = worst >= limit if at_least else worst <= limit
        lines.append(f"| {text} | {_number(worst)} | {name} "
                     f"| {'reached' if reached else 'not reached'} |")
    add("decode: at most 1.25 times the time of the bare parse",
        {row.name: row.seconds["decode"] / row.seconds["parse"] for row in rows}, 1.25, False)
    add("decode: at least 20 times as fast as Python",
        {row.name: row.seconds["python decode"] / row.seconds["decode"] for row in rows}, 20, True)
    add("encode: at least 200 MB/s of XML", {row.name: row.rate("encode") for row in rows}, 200,
        True)
    return lines


def describe_machine(options: argparse.Namespace) -> str:
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return (f"{model}, one core, Linux {platform.release()}, Python {platform.python_version()}. "
            f"{options.rounds} rounds of {options.seconds:g} s of CPU time.")


def say(text: str):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def parse_options(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--only", choices=names, action="append",
                        help="only this document; may be given again")
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a run (0.3)")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is run (7)")
    parser.add_argument("--core", type=int, help="which core to run on (the last)")
    parser.add_argument("--program", type=Path, help="bench_codec (../../build/tests/bench/…)",
                        default=os.environ.get("BENCH_CODEC", HERE.parents[1] / "build" / "tests" /
                                               "bench" / "bench_codec"))
    parser.add_argument("--output", type=Path, help="write the tables to this file, too")
    options = parser.parse_args()
    if not options.program.exists():
        parser.error(f"{options.program} is missing: run make tests/bench/bench_codec")
    return options


def main() -> int:
    documents = _documents()
    options = parse_options(list(documents))
    core = max(os.sched_getaffinity(0)) if options.core is None else options.core
    os.sched_setaffinity(0, [core])
    rows = []
    with tempfile.TemporaryDirectory(prefix="rpcgate-bench-") as folder:
        for name in options.only or documents:
            rows.append(measure(options, Path(folder), name, *documents[name]))
    say("")
    text = "\n".join([describe_machine(options), "", *table_of_decode(rows), "",
                      *table_of_encode(rows), "", *table_of_goals(rows), ""])
    print(text)
    if options.output:
        options.output.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
