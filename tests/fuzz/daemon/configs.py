# SPDX-License-Identifier: Apache-2.0
"""Configurations, good and bad: the upstreams of a round in many settings, its callers and their
secrets, and listeners that come and go with reloads."""

import os
import random
from pathlib import Path

from authority import Certificates
from ledger import secret
from offered import Offered
from rig.settings import configuration
from sessions import EXPIRED, EXPIRED_TEXT
from upstreams import Upstream

#: How long a call may take at most in any of the configurations. [s]
LONGEST_CALL = 3


class Secrets:
    """Those of a round. The files are for `${file:…}`."""

    def __init__(self, folder: Path, rng: random.Random):
        self.tokens = [secret(rng) for _ in range(3)]
        self.passwords = [secret(rng) for _ in range(4)]
        self.key = secret(rng)
        self.of_session = secret(rng)
        self.file = folder / "tenant.secret"
        self.file.write_text(secret(rng) + "\n", encoding="ascii")


class Plan:
    """Makes the configurations of a round. `servers` are its upstreams and proxies by name."""

    def __init__(self,
                 folder: Path,
                 rng: random.Random,
                 servers: dict[str,
                               Upstream],
                 certificates: Certificates,
                 careful: bool = False):
        self._folder, self._rng = folder, rng
        self._servers, self._certificates = servers, certificates
        self._careful = careful  # without TLS
        self.secrets = Secrets(folder, rng)
        self.unix = str(folder / "api.sock")
        self.more_unix = str(folder / "more.sock")
        self.workers = rng.choice([1, 2, 2, 4])
        self.offered = Offered(rng)
        self.names = self._all_upstreams().keys()

    # ---- Listeners and callers -------------------------------------------------------------------

    def _listeners(self) -> list[dict]:
        listeners = [{"address": "127.0.0.1", "port": 0}, {"unix": self.unix, "mode": "0600"}]
        if not self._careful:
            ours = self._rng.choice(
                [self._certificates.listener, self._certificates.other_listener])
            listeners.append({"address": "127.0.0.2", "port": 0, "tls": {
                "cert_file": ours.cert, "key_file": ours.key,
                "client_ca_file": self._certificates.ca}})
        if self._rng.random() < 0.5:
            listeners.append({"unix": self.more_unix, "mode": "0600",
                              "serve": self._rng.choice([["api"], ["admin"], ["metrics"],
                                                         ["health", "api"]])})
        return listeners

    def _callers(self) -> list[dict]:
        callers = [
            {"name": "all", "token": self.secrets.tokens[0], "allow": ["*/*"]},
            {"name": "limited", "tokens": self.secrets.tokens[1:],
             "allow": ["*/b.*", "@r1*", {"match": "main/safe.*", "params": [
                {"at": 0, "in": ["qN*"]}]}],
                "deny": [{"match": "*/b.fault", "params": [{"at": 1, "in": ["x*"]}]}],
             "rate": self._rng.choice([20, 1000]), "burst": self._rng.choice([5, 1000]),
             "max_in_flight": self._rng.choice([2, 100])},
            {"name": "certified", "cert": "*CN=caller*", "allow": ["*/*"], "deny": ["*/safe.*"]},
        ]
        if self._rng.random() < 0.7:
            callers.append({"name": "peer", "user": str(os.getuid()), "allow": ["*/*"]})
        return callers

    def _limits(self) -> dict:
        choose = self._rng.choice
        return {"body": choose(["64K", "1M"]), "headers": choose(["4K", "16K"]),
                "header_count": choose([20, 64]),
                "depth": choose([20, 128]), "connections": choose([64, 64, 500]),
                "memory": choose(["8M", "8M", "64M"]), "cache": choose(["0", "100K", "2M", "32M"]),
                "batch": choose([3, 30, 10_000]), "fault_text": choose(["256", "64K"]),
                "header_time": "5s", "body_time": choose(["5s", "8s"]),
                "write_time": choose(["2s", "5s"]), "idle": "2s",
                "drain": choose(["500ms", "2s", "5s"]), "lame_duck": choose(["0s", "0s", "300ms"])}

    # ---- Upstreams -------------------------------------------------------------------------------

    def _usual(self) -> dict:
        choose = self._rng.choice
        usual = {
            "breaker": {"failures": choose([0, 0, 0, 5, 50]), "open": "300ms"},
            "timeouts": {"connect": "1s", "total": choose(["1s", f"{LONGEST_CALL}s"]),
                         "idle": choose(["0s", "500ms", "1s"]),
                         "max_age": choose(["1s", "2s", "10m"])},
            "pool": {"max_connections": choose([2, 16, 64]), "max_queue": choose([2, 100]),
                     "queue_timeout": "1s"},
            "methods": [{"match": "safe.*", "safe": True},
                        {"match": "*.later", "timeout": "500ms"},
                        {"match": "b.nothing", "empty": choose(["error", "null"])}],
            "dates": choose(["basic", "extended", "zulu"]),
            "limits": {"response": choose(["64K", "2M"]), "depth": choose([20, 128])},
            "retry": {"attempts": choose([1, 2, 4]), "backoff": choose(["0ms", "20ms"])},
            "introspection": {"ttl": choose(["0s", "100ms", "10m"])},
            "types": choose(["plain", "tagged"]), "integers": choose(["number", "safe", "string"]),
            "text": choose(["reject", "replace", "base64"]),
            "multicall": choose(["auto", "auto", "always", "never"]),
            "extensions": choose([["nil", "i8"],
                                  ["ex:nil", "i8", "biginteger", "bigdecimal", "nonfinite"]]),
            "transport": choose(["auto", "auto", "auto", "curl"]),
        }
        if self._rng.random() < 0.4:
            usual["cache"] = self.offered.cache()
        elif usual["multicall"] != "never" and self._rng.random() < 0.6:
            usual["join"] = {"max": choose([2, 50]), "wait": choose(["0s", "0s", "20ms"])}
        if self._rng.random() < 0.2:
            # Tools of MCP would be refused where their upstream has not that face.
            faces = self._rng.sample(["json", "jsonrpc", "xmlrpc"], self._rng.randint(0, 3))
            usual["faces"] = [*faces, "mcp"]
        return usual

    def _session(self, login: dict) -> dict:
        choose = self._rng.choice
        session = {"login": login, "settle": choose(["0s", "0s", "200ms", "30s"]),
                   "retry": choose(["100ms", "300ms"]), "parallel": choose([1, 1, 3]),
                   "serial": choose([False, False, True])}
        session["exclusive"] = session["parallel"] == 1 and choose([False, True])
        if self._rng.random() < 0.5:
            session["idle"], session["max_age"] = choose(["1s", "1m"]), choose(["1s", "1m"])
        if self._rng.random() < 0.7:
            session["logout"] = {"method": "auth.logout"}
        if self._rng.random() < 0.5:
            session["keepalive"] = {"method": "b.plain", "every": "1s"}
        return session

    def _guarded(self, address: str) -> dict[str, dict]:
        """One server, which takes the key in three ways."""
        credentials = {"username": "us%er", "password": self.secrets.of_session}
        params = ["{username}", "{password}"]
        rest = {"match": "system.*"} if self._rng.random() < 0.5 else {"match": "other.*"}
        common = {"url": address, "credentials": credentials, "verbose": self._rng.random() < 0.3,
                  "faults": [{"code": EXPIRED, "text": f"*{EXPIRED_TEXT}*",
                              "session_expired": True}]}
        kept = {"method": "auth.struct", "params": params, "keep": {"key": "/key"}}
        fields = {"user": "{username}", "password": "{password}"}
        ways = {"keyed": ({"params": ["{session}"]}, {"method": "auth.login", "params": params}),
                "kept": ({"headers": ["X-Session: {key}"]}, kept),
                "baked": ({"cookies": True}, {"path": "/login", "form": fields})}
        return {name: {**common, "inject": [rest, rule], "session": self._session(login)}
                for name, (rule, login) in ways.items()}

    def _all_upstreams(self) -> dict[str, dict]:
        at = {name: server.address for name, server in self._servers.items()}
        passwords = self.secrets.passwords
        choose = self._rng.choice
        headers = {"headers": [f"X-Api-Key: {self.secrets.key}",
                               f"X-Tenant: ${{file:{self.secrets.file}}}"]}
        with_login = at["main"].replace("http://", f"http://somebody:{passwords[0]}@")

        def login(scheme: str, number: int) -> dict:
            return {"auth": {"scheme": scheme, "username": "us%er", "password": passwords[number]}}

        def proxy(name: str, number: int, **more) -> dict:
            return {"proxy": {"url": at[name], "username": "p", "password": passwords[number],
                              **more}}

        upstreams = {
            "main": {"url": with_login, **headers},
            "calm": {"url": at["calm"], "limits": {"response": "4M"}},
            "bare": {"url": at["bare"], "multicall_results": choose(["auto", "bare"]),
                     "cookies": True, **login("basic", 1)},
            "unix": {"url": at["unix"], "auth": {"scheme": "bearer", "token": passwords[2]},
                     "verbose": True},
            "digest": {"url": at["main"], "cookies": True, **login("digest", 3)},
            "two": {"urls": ["http://127.0.0.1:1/RPC2", at["main"], at["bare"]], **headers},
            "odd": {"url": at["main"], "encoding": choose(["ISO-8859-1", "US-ASCII", "UTF-16LE"]),
                    "response_encoding": choose(["UTF-8", "ISO-8859-1"]), "verbose": True,
                    "compression": {"request_over": "1K"}, **headers},
            "proxied": {"url": with_login, **headers, **proxy(
                "proxy", 0, tunnel=self._rng.random() < 0.5,
                headers=[f"X-Proxy-Key: {self.secrets.key}"])},
            "socks": {"url": at["main"], **headers, **proxy("socks", 1)},
            "scgi": {"url": at["scgi"], "transport": "auto", **headers},
            **self._guarded(at["guarded"]),
        }
        if not self._careful:
            trusted = {"tls": {"ca_file": self._certificates.ca}}
            upstreams |= {
                "locked": {"url": at["locked"], **trusted, **headers},
                "loose": {"url": at["locked"], "cookies": True,
                          "tls": {"verify_peer": False, "verify_host": False}},
                "tunnel": {"url": at["locked"], **trusted, **proxy("proxy", 2)},
                "broken": {"url": at["refusing"], **trusted},
            }
        return upstreams

    def _traces(self) -> dict:
        choose = self._rng.choice
        return {"url": self._servers["collector"].address, "ratio": choose([0, 1, 1, 1]),
                "interval": choose(["100ms", "1s"]), "batch": choose([1, 20, 512]), "queue": "64K",
                "timeout": choose(["100ms", "1s"]), "retry": choose(["0s", "1s", "1m"]),
                "headers": [f"Authorization: Bearer {self.secrets.key}"]}

    # ---- Whole configurations --------------------------------------------------------------------

    def good(self) -> str:
        upstreams = {}
        for name, settings in self._all_upstreams().items():
            if name in ("main", "calm") or self._rng.random() < 0.9:
                usual = self._usual()
                upstreams[name] = usual | settings
        upstreams["calm"]["breaker"] = {"failures": 0}
        settings = {
            **self.offered.settings(upstreams),
            "workers": self.workers, "listen": self._listeners(), "callers": self._callers(),
            "hosts": self._rng.choice([[], ["gateway.example"]]),
            "cors_origins": ["https://app.example"],
            "limits": self._limits(), "upstreams": upstreams,
            "log": {"level": self._rng.choice(["info", "debug"]),
                    "format": self._rng.choice(["text", "json"]),
                    "access": self._rng.random() < 0.8},
        }
        if self._rng.random() < 0.3:
            settings["anonymous"] = {"allow": ["calm/*", "@*"]}
        if self._rng.random() < 0.6:
            settings["traces"] = self._traces()
        return configuration(settings)

    def bare(self) -> str:
        """Of one upstream that nobody calls: what belongs to the others goes."""
        return configuration({"workers": self.workers,
                              "listen": self._listeners()[:2],
                              "callers": self._callers(),
                              "upstreams": {"last": {"url": "http://127.0.0.1:1/"}}})

    def bad(self) -> str:
        """A file that must change nothing."""
        text = self.good()
        kind = self._rng.randrange(5)
        if kind == 0:
            return text[:self._rng.randrange(len(text) - 100)] + "{"
        if kind == 1:
            return text + "nonsense = 1;\n"
        if kind == 2:
            return text.replace("workers = ", "workers = -9", 1)
        if kind == 3:
            return text.replace(str(self.secrets.file), "/nowhere/at/all", 1) + "more = ${file:/x};"
        return text + '@include "/nowhere"\n' + "\0" * 3
