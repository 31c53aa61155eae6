# SPDX-License-Identifier: Apache-2.0
"""What was measured, as tables for docs/performance.md."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

SLOW_S = 0.05  # how long the slow upstream takes for an answer


@dataclass
class Measured:
    """One run, or the medians of several."""

    rate: float    # calls a second
    cpu: float     # seconds for 10,000 calls
    p50: float     # [ms]
    p99: float     # [ms]
    peak: float    # [MiB]
    errors: float

    @classmethod
    def median(cls, runs: list["Measured"]) -> "Measured":
        return cls(*(statistics.median(values)
                     for values in zip(*(vars(run).values() for run in runs))))


def ratio_of_runs(measured: list[Measured], to: list[Measured], value: str) -> float:
    """The median of the rounds' ratios: how fast the machine is changes from one to the next."""
    return statistics.median(getattr(m, value) / max(getattr(t, value), 1e-9)
                             for m, t in zip(measured, to))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def of_numbers(rows: tuple, done: dict) -> list[str]:
    lines = ["| row | connections | server | calls/s | CPU s for 10,000 calls | p50 ms | p99 ms "
             "| peak MiB | errors |",
             "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for row in rows:
        for name, runs in done.get(row.name, {}).items():
            m = Measured.median(runs)
            values = " | ".join(map(_number, (m.rate, m.cpu, m.p50, m.p99, m.peak)))
            connections = name.partition(", ")[2] or row.connections
            lines.append(f"| {row.name} | {connections} | {name.partition(', ')[0]} | {values} "
                         f"| {sum(run.errors for run in runs):.0f} |")
    return lines


def of_ratios(rows: tuple, done: dict) -> list[str]:
    lines = ["| to nginx | row | calls/s | CPU | CPU, lowest to highest round | p50 | p99 | peak |",
             "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for row in rows:
        servers = done.get(row.name, {})
        for name, runs in servers.items():
            to = "nginx https" if name.endswith(" https") else "nginx"
            if name == to or "," in name:
                continue
            nginx = servers[to]
            rate, cpu, p50, p99, peak = (f"{ratio_of_runs(runs, nginx, key):.2f}"
                                         for key in ("rate", "cpu", "p50", "p99", "peak"))
            rounds = sorted(m.cpu / t.cpu for m, t in zip(runs, nginx))
            lines.append(f"| {name} | {row.name} | {rate} | {cpu} | {rounds[0]:.2f} to {rounds[-1]:.2f} "
                         f"| {p50} | {p99} | {peak} |")
    return lines


def _goals(done: dict) -> Iterator[tuple[str, float | None, float, bool]]:
    """What is asked of rpcgate: text, measured, the bound, and whether that is the least."""
    def ratio(row, value, of="rpcgate", to="nginx"):
        return row in done and ratio_of_runs(done[row][of], done[row][to], value)
    for row, most in (("small", 1.3), ("medium", 1.4), ("large", 2.0), ("bigreq", 2.0)):
        yield f"CPU of a call, {row}, 64 connections, to nginx", ratio(row, "cpu"), most, False
    yield ("peak memory, large, 64 connections [MiB]",
           "large" in done and max(m.peak for m in done["large"]["rpcgate"]), 60, False)
    yield ("CPU of a call, small, 1000 connections to 64",
           ratio("thousand", "cpu", to="rpcgate, 64"), 1.3, False)
    yield ("CPU of a call, small, https upstream, to nginx with https",
           ratio("https", "cpu", "rpcgate https", "nginx https"), 1.4, False)
    yield ("CPU of a call, small, https upstream, to http's and the encryption (nginx's difference)",
           "https" in done and _to_encryption(done["https"]), 1.3, False)
    yield "p50, small, one call after another, to nginx", ratio("one", "p50"), 1.2, False
    yield "500 connections, upstream of 50 ms: calls/s to nginx", ratio("wait500", "rate"), 0.95, True
    yield "2,000 connections, upstream of 50 ms: calls/s to nginx", ratio("wait2000", "rate"), 0.7, True


def _to_encryption(servers: dict) -> float:
    names = ("rpcgate https", "rpcgate", "nginx https", "nginx")
    return statistics.median(
        tls.cpu / (plain.cpu + max(their_tls.cpu - their_plain.cpu, 0))
        for tls, plain, their_tls, their_plain in zip(*(servers[name] for name in names)))


def of_goals(done: dict) -> list[str]:
    lines = ["| goal | measured | | bound | |", "| --- | ---: | --- | ---: | --- |"]
    for text, measured, bound, is_least in _goals(done):
        if measured:
            reached = measured >= bound if is_least else measured <= bound
            lines.append(f"| {text} | {measured:.2f} | {'at least' if is_least else 'at most'} "
                         f"| {bound} | {'reached' if reached else '**not reached**'} |")
    for row, connections in (("wait500", 500), ("wait2000", 2000)):
        shares = [f"{name} {Measured.median(runs).rate / (connections / SLOW_S):.2f}"
                  for name, runs in done.get(row, {}).items()]
        if shares:
            lines.append(f"| share of the ideal rate, {connections:,} connections to 50 ms "
                         f"| {', '.join(shares)} | | | |")
    return lines


def of_stalled(count: int, connections: int, alone: list[Measured],
               beside: list[Measured]) -> list[str]:
    lines = [f"| small, {connections} connections | calls/s | CPU s for 10,000 calls | p50 ms "
             "| p99 ms | errors |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, runs in (("alone", alone), (f"beside {count:,} waiting calls", beside)):
        m = Measured.median(runs)
        values = " | ".join(map(_number, (m.rate, m.cpu, m.p50, m.p99)))
        lines.append(f"| {name} | {values} | {sum(run.errors for run in runs):.0f} |")
    ratios = " | ".join(f"{ratio_of_runs(beside, alone, value):.2f}"
                        for value in ("rate", "cpu", "p50", "p99"))
    return lines + [f"| median of the pairs' ratios | {ratios} | |"]
