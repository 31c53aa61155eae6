# SPDX-License-Identifier: Apache-2.0
"""A round: a daemon from its start to its end, with upstreams, callers and reloads."""

import asyncio
import random
import re
import signal
import time
from collections import Counter, deque
from pathlib import Path

import configs
import oracles
from authority import Certificates
from callers import Caller, Door
from collector import Collector
from journal import Findings, Journal, Totals
from judging import FaceOracle
from ledger import Ledger
from proxies import HttpProxy, SocksProxy
from rest import Rest
from rig.gateway import Gateway
from rig.pulse import Pulse
from rig.settings import SLOW
from scgi import ScgiUpstream
from sessions import Guarded
from upstreams import Refusing, Upstream
from watching import Guard

#: What must happen at all happens within this. [s]
PATIENCE = 15 * SLOW

#: /livez answers within this, whatever others do. [s]
LIVEZ_BOUND = 2 * SLOW

_PORT = re.compile(r"(https?)://127\.0\.0\.\d:(\d+)")


class Round:
    """`totals` are of the whole run. `only`: the callers that take part, of all of the round."""

    SECONDS = 5  # of traffic

    def __init__(
            self,
            seed: str,
            folder: Path,
            certificates: Certificates,
            journal: Journal,
            findings: Findings,
            totals: Totals,
            only: set[int] | None = None):
        self.seed, self._folder, self._certificates = seed, folder, certificates
        self.journal, self.findings, self.totals = journal, findings, totals
        self._only = only
        self._rng = random.Random(seed)
        self.ledger = Ledger(findings)
        self.oracle = FaceOracle(findings, self.ledger, self.careless)
        self.answers: Counter[int] = Counter()
        self.etags: deque[str] = deque(maxlen=20)  # that answers had
        self.is_over = self.is_ending = False
        self.acts = self.sent = 0
        self.doors: list[Door] = []
        self.names: list[str] = []
        self.tokens: list[str] = []
        self._unanswered: list[str] = []
        self._servers: dict = {}
        self._plan: configs.Plan | None = None
        self.gateway: Gateway | None = None
        self._pulse: Pulse | None = None
        self._is_json = self._ends_in_traffic = False
        self.port = 0
        self._is_lost = False  # it has ended by itself

    careless = False  # allocations fail
    environment: dict = {}

    @property
    def patience(self) -> float:
        return PATIENCE + configs.LONGEST_CALL * 4

    @property
    def routes(self) -> list:
        return self._plan.offered.routes

    @property
    def workers(self) -> int:
        return self._plan.workers

    @property
    def goes_on(self) -> bool:
        """Until callers have to leave."""
        return not self.is_over and self.gateway.process.poll() is None

    def unanswered(self, name: str, request):
        """A whole request on a new connection got nothing."""
        if not self.is_ending and not request.is_mutated:
            self._unanswered.append(f"the connection ended on {name} after {request.what}")

    # ---- The world -------------------------------------------------------------------------------

    async def _open_world(self):
        shared = (self.ledger, self.journal, self.seed)
        servers = {
            "main": Upstream(
                "main",
                *shared),
            "calm": Upstream(
                "calm",
                *shared,
                calm=True),
            "bare": Upstream(
                "bare",
                *shared,
                wraps=False),
            "unix": Upstream(
                "unix",
                *shared),
            "guarded": Guarded(
                "guarded",
                *shared)}
        servers["scgi"] = ScgiUpstream("scgi", *shared)
        if not self.careless:
            servers["locked"] = Upstream("locked", *shared, tls=self._certificates.of_servers())
            servers["refusing"] = Refusing("refusing", *shared)
        for name, server in servers.items():
            await server.start(str(self._folder / "upstream.sock") if name == "unix" else None)
        for name, kind in (("proxy", HttpProxy), ("socks", SocksProxy)):
            servers[name] = kind(name, self.journal, self.seed)
            await servers[name].start()
        servers["collector"] = Collector("collector", self.findings, self.journal, self.seed)
        await servers["collector"].start()
        self._servers = servers
        self._plan = configs.Plan(
            self._folder,
            self._rng,
            servers,
            self._certificates,
            self.careless)
        servers["guarded"].password = self._plan.secrets.of_session
        self.names = list(self._plan.names)
        self.tokens = self._plan.secrets.tokens

    async def _start(self):
        text = self._plan.good()
        (self._folder / "start.conf").write_text(text, encoding="utf-8")
        self._is_json = 'format = "json"' in text
        self.gateway = await asyncio.to_thread(Gateway, text, environment=self.environment)
        line = self.gateway.wait_line(lambda line: "ready" in line and _PORT.search(line))
        ports = dict(_PORT.findall(line))
        self.port = int(ports["http"])
        certificates = self._certificates
        self.doors = [
            Door(
                "tcp", port=self.port), Door(
                "unix", path=self._plan.unix), Door(
                "more", path=self._plan.more_unix, is_steady=False)]
        if "https" in ports:
            contexts = [certificates.of_caller(pair) for pair in (
                None, certificates.caller, certificates.stranger)]
            self.doors += [Door("tls",
                                host="127.0.0.2",
                                port=int(ports["https"]),
                                tls=tuple(contexts)),
                           Door("tls, without it",
                                host="127.0.0.2",
                                port=int(ports["https"]),
                                is_steady=False)]
        self.totals.counts["starts"] += 1

    # ---- Traffic ---------------------------------------------------------------------------------

    async def _traffic(self, seconds: float):
        """All callers for that long, with reloads meanwhile; afterwards the callers have left."""
        self.is_over = False
        count = self._rng.choice([8, 40, 100])
        callers = [Caller(self, place) for place in range(
            count) if self._only is None or place in self._only]
        tasks = [asyncio.create_task(caller.live()) for caller in callers]
        end = time.monotonic() + seconds
        try:
            while (left := end - time.monotonic()) > 0:
                await asyncio.sleep(min(left, self._rng.choice([0.05, 0.3, 1])))
                if self._rng.random() < 0.6 and self.gateway.process.poll() is None:
                    await self._reload()
                if self.gateway.process.poll() is not None:
                    break
            if self._ends_in_traffic and self.gateway.process.poll() is None:
                await self._end_in_traffic()
        finally:
            self.is_over = True
            await asyncio.wait(tasks, timeout=self.patience * 2)
            if any(not task.done() for task in tasks):
                self.findings.add("no answer", "callers are still there")
            for task in tasks:
                task.cancel()
            for done in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(done, Exception):
                    raise done

    async def _reload(self):
        is_good = self._rng.random() < 0.6
        text = self._plan.good() if is_good else self._plan.bad()
        self.journal.note("reload", "good" if is_good else "bad")
        self._is_json = False  # from one format to the other
        if self._rng.random() < 0.3:  # several at once
            for _ in range(3):
                self.gateway.signal(signal.SIGHUP)
        try:
            await asyncio.to_thread(self.gateway.reload, text)
        except (AssertionError, OSError) as error:
            if self.gateway.process.poll() is None:
                self.findings.add("reload", f"{error!r}")
            return
        self.totals.counts["good reloads" if is_good else "bad reloads"] += 1

    async def _end_in_traffic(self):
        """SIGTERM while calls run, perhaps twice."""
        self.is_ending = True
        twice = self._rng.random() < 0.4
        self.journal.note("end", "twice" if twice else "once")
        self._pulse.stop()
        self.gateway.signal(signal.SIGTERM)
        if twice:
            await asyncio.sleep(self._rng.choice([0, 0.05, 0.3]))
            self.gateway.signal(self._rng.choice([signal.SIGTERM, signal.SIGINT]))
            for code in (1, -signal.SIGTERM, -signal.SIGINT):
                self.gateway.may_end_with(code)
        self.totals.counts["ends in traffic"] += 1
        await self._await_end()

    async def _await_end(self):
        try:
            await asyncio.to_thread(self.gateway.assert_clean_end, PATIENCE)
        except AssertionError as error:
            self.findings.add("end", str(error))

    # ---- The whole -------------------------------------------------------------------------------

    async def run(self):
        self._ends_in_traffic = self._rng.random() < 0.4
        await self._open_world()
        guard = Guard(self)
        guard.start()
        try:
            await self._start()
            self._pulse = Pulse(self.port, 0.1, LIVEZ_BOUND)
            rest = Rest(self)
            rest.begin()
            await self._traffic(self.SECONDS)
            if self.gateway.process.poll() is None:
                await self._rest_and_end(rest)
            elif not self.is_ending:
                await self._ended_by_itself()
            if not self._is_lost:
                self._judge_service()
            self.ledger.close()
            oracles.judge_log(self.gateway.lines, self.findings, self._is_json, self.careless)
        finally:
            await self._close()
            guard.stop()

    async def _ended_by_itself(self):
        self._is_lost = True
        await self._await_end()
        self.findings.add("end", f"by itself, with {self.gateway.process.returncode}")

    def _judge_service(self):
        """Of a daemon that has lived until it was told to end."""
        for text in self._unanswered:
            self.findings.add("no answer", text)
        if self._pulse.wrong is not None:
            self.findings.add("/livez", self._pulse.wrong)

    async def _rest_and_end(self, rest: Rest):
        self._pulse.stop()
        await asyncio.to_thread(self.gateway.reload, self._plan.bare())
        await rest.judge(self._servers)
        self.is_ending = True
        self.gateway.signal(signal.SIGTERM)
        self.totals.counts["ends at rest"] += 1
        await self._await_end()

    async def _close(self):
        self.is_ending = True
        if self._pulse is not None:
            self._pulse.stop()
        if self.gateway is not None:
            if self.findings:
                self.keep_log()
            await asyncio.to_thread(self.gateway.close)
        for server in self._servers.values():
            await server.stop()
        self.totals.counts["requests"] += self.sent
        self.totals.counts["connections"] += self.acts
        self.totals.counts["upstream exchanges"] += self.ledger.exchanges
        self.totals.counts["spans"] += self._servers["collector"].spans
        if self._pulse is not None:
            self.totals.pulse(self._pulse.asked, self._pulse.longest)
        self.totals.answers.update(self.answers)
        self.totals.behaved.update(self.ledger.behaved)

    def keep_log(self):
        self.journal.path.with_suffix(".stderr").write_text(self.gateway.stderr, encoding="utf-8")
