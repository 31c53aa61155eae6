# SPDX-License-Identifier: Apache-2.0
"""The real rpcgated: started with a configuration, watched, called, stopped."""

import http.client
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from urllib.parse import quote

from .settings import DEADLINE, RPCGATED, configuration
from .wire import Answer, Connection

#: Words that only a sanitizer's report, an assertion or the C library's last words have.
_REPORTS = re.compile(
    r"ERROR: (Address|Leak|Thread|Memory)Sanitizer|WARNING: ThreadSanitizer|runtime error:"
    r"|Assertion .* failed|: fatal error|Fatal error in GNU libmicrohttpd"
)

#: Exit codes of sanitizers that are none of ours. What the environment says goes first.
_SUPPRESSIONS = Path(__file__).with_name("tsan.supp")
_SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": f"exitcode=98:halt_on_error=0:suppressions={_SUPPRESSIONS}",
}

NO_BODY = object()


class _UnixConnection(http.client.HTTPConnection):
    """http.client over a unix socket."""

    def __init__(self, path: str, timeout: float):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def program_environment(extra: dict | None = None) -> dict:
    """The environment for a program of ours."""
    return {**_SANITIZER_OPTIONS, **os.environ, **(extra or {})}


def assert_no_report(text: str):
    """Fails if a program's stderr has a sanitizer's report or an assertion."""
    found = _REPORTS.search(text)
    assert found is None, f"report on stderr:\n{text[max(0, found.start() - 200):][:8000]}"


class Gateway:
    """A running rpcgated. `settings` is a dict (see settings.configuration; `listen` is filled in
    where it is missing: TCP on a free port and a unix socket) or the text of a file.

    Ready means READY=1 on the notification socket; the TCP port comes from the ready line. With a
    `launcher`, which is a command that becomes the program, stderr may lead elsewhere: what there
    is of `lines` is then what it has left."""

    def __init__(self, settings: dict | str | None = None, *, arguments: tuple = (),
                 environment: dict | None = None, journal: bool = False, launcher: tuple = (),
                 program: Path = RPCGATED):
        self._folder = tempfile.TemporaryDirectory(prefix="rpcgate-")
        self.folder = Path(self._folder.name)
        self.unix = str(self.folder / "api.sock")
        self.port: int | None = None
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._good_codes = {0}
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._notify.bind(str(self.folder / "notify.sock"))
        command = [*launcher, str(program), *arguments]
        if settings is not None:
            command += ["-c", str(self._write(settings))]
        self._stderr, theirs = os.pipe()
        environment = {"NOTIFY_SOCKET": str(self.folder / "notify.sock"), **(environment or {})}
        if journal:  # systemd.exec(5): this is how a service knows where its stderr goes
            pipe = os.fstat(theirs)
            environment["JOURNAL_STREAM"] = f"{pipe.st_dev}:{pipe.st_ino}"
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs,
            env=program_environment(environment))
        os.close(theirs)
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()
        try:
            self._wait_ready()
        except BaseException:
            self.close()
            raise

    def _write(self, settings: dict | str) -> Path:
        if isinstance(settings, dict):
            listen = [{"address": "127.0.0.1", "port": 0}, {"unix": self.unix, "mode": "0600"}]
            settings = configuration({"listen": listen, **settings})
        path = self.folder / "rpcgate.conf"
        new = self.folder / "rpcgate.conf.new"
        new.write_text(settings)
        new.replace(path)  # it may be reading
        return path

    def notification(self, timeout: float = DEADLINE) -> dict[str, str]:
        """The next message to the service manager, as its assignments. None comes from a process that
        has ended."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._notify, selectors.EVENT_READ, "message")
            end = None
            if self.process.poll() is None:
                end = os.pidfd_open(self.process.pid)
                waiting.register(end, selectors.EVENT_READ, "end")
            try:
                told = [key.data for key, _ in waiting.select(timeout if end is not None else 0)]
            finally:
                if end is not None:
                    os.close(end)
        if "message" not in told:
            raise TimeoutError("the process has ended" if told or end is None else
                               f"no message after {timeout} s")
        lines = self._notify.recv(65536).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)

    def wait_notification(self, key: str) -> dict[str, str]:
        """The next message to the service manager that assigns to `key`."""
        while key not in (message := self.notification()):
            pass
        return message

    def reload(self, settings: dict | str | None = None) -> list[dict[str, str]]:
        """SIGHUP, with another configuration first if there is one; returns when the gateway says
        that it is ready again, with what it has said since."""
        if settings is not None:
            self._write(settings)
        self._notify.setblocking(False)
        try:
            while True:
                self._notify.recv(65536)
        except BlockingIOError:
            pass
        self.signal(signal.SIGHUP)
        messages = [self.wait_notification("RELOADING")]
        while "READY" not in messages[-1]:
            messages.append(self.notification())
        return messages

    def _collect(self):
        with open(self._stderr, encoding="utf-8", errors="replace", newline="\n") as stderr:
            for line in stderr:
                with self._changed:
                    self.lines.append(line.rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _wait_ready(self):
        with selectors.DefaultSelector() as waiting:
            end = os.pidfd_open(self.process.pid)
            try:
                waiting.register(self._notify, selectors.EVENT_READ)
                waiting.register(end, selectors.EVENT_READ)
                ready = False
                while not ready:
                    events = [key.fileobj for key, _ in waiting.select(DEADLINE)]
                    assert events, f"not ready after {DEADLINE} s:\n{self.stderr}"
                    if self._notify in events:
                        ready = b"READY=1" in self._notify.recv(65536).split(b"\n")
                    elif end in events:
                        self._reader.join(DEADLINE)
                        raise RuntimeError(
                            f"ended with {self.process.wait()} at start:\n{self.stderr}")
            finally:
                os.close(end)

    @property
    def stderr(self) -> str:
        with self._changed:
            return "\n".join(self.lines)

    def wait_line(self, test, timeout: float = DEADLINE) -> str:
        """The first line on stderr of which `test` (a function, or a text in it) is true."""
        matches = test if callable(test) else lambda line: test in line
        seen = 0
        with self._changed:
            while True:
                for line in self.lines[seen:]:
                    if matches(line):
                        return line
                seen = len(self.lines)
                if self._ended or not self._changed.wait(timeout):
                    raise AssertionError("no such line on stderr:\n" + "\n".join(self.lines))

    def access_line(self, request_id: str) -> dict:
        """The access line of a request, of a gateway with `log.format = "json"`."""
        return json.loads(self.wait_line(lambda line: f'"request_id":"{request_id}"' in
                                         line.replace('": "', '":"') and '"status"' in line))

    def _port(self, scheme: str) -> int:
        pattern = re.compile(scheme + r"://127\.0\.0\.1:(\d+)")
        line = self.wait_line(lambda line: "ready" in line and pattern.search(line))
        return int(pattern.search(line)[1])

    @property
    def tcp(self) -> tuple[str, int]:
        if self.port is None:
            self.port = self._port("http")
        return ("127.0.0.1", self.port)

    @property
    def tls(self) -> tuple[str, int]:
        """Where the first listener with TLS is."""
        return ("127.0.0.1", self._port("https"))

    def connect(self, over: str = "tcp") -> Connection:
        """A raw connection, over "tcp" or "unix"."""
        return Connection(self.tcp if over == "tcp" else self.unix)

    def raw(self, data: bytes, over: str = "tcp") -> Answer:
        """Sends bytes on a connection of their own and reads one answer."""
        with self.connect(over) as connection:
            connection.send(data)
            return connection.answer()

    def request(self, method: str, path: str, body: bytes | None = None,
                headers: dict | None = None, over: str = "tcp") -> Answer:
        """One request by Python's HTTP client, on a connection of its own."""
        if over == "unix":
            client = _UnixConnection(self.unix, DEADLINE)
        else:
            client = http.client.HTTPConnection(*self.tcp, timeout=DEADLINE)
        try:
            client.request(method, path, body, headers or {})
            response = client.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            client.close()

    def get(self, path: str, **headers) -> Answer:
        return self.request("GET", path, None, _names(headers))

    def metric(self, name: str) -> float:
        """The sum over the labels of one of the metrics."""
        lines = self.get("/metrics").body.decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines
                   if line.startswith((name + " ", name + "{")))

    def call(self, upstream: str, method: str, params=NO_BODY, *, query: str = "",
             over: str = "tcp", **headers) -> Answer:
        """POST /v1/{upstream}/{method}. `params` is any JSON value, or bytes as they are; header
        names are written with `_` for `-`."""
        path = f"/v1/{quote(upstream, safe='')}/{quote(method, safe='')}" + (query and "?" + query)
        body, sent = None, {}
        if params is not NO_BODY:
            body = params if isinstance(params, bytes) else json.dumps(params).encode()
            sent["Content-Type"] = "application/json"
        return self.request("POST", path, body, sent | _names(headers), over)

    def post_json(self, path: str, value, over: str = "tcp", **headers) -> Answer:
        """POST with any JSON value, or bytes as they are."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request("POST", path, body,
                            {"Content-Type": "application/json"} | _names(headers), over)

    def batch(self, upstream: str, *calls, query: str = "", **headers) -> list[dict]:
        """POST /v1/{upstream}; each call is (method, *params), or a JSON value as it is. Returns
        the results."""
        items = [{"method": call[0], "params": list(call[1:])} if isinstance(call, tuple) else call
                 for call in calls]
        answer = self.post_json(f"/v1/{upstream}" + (query and "?" + query), items, **headers)
        assert answer.status == 200, (answer.status, answer.body[:2000])
        assert list(answer.json) == ["results"]
        results = answer.json["results"]
        assert len(results) == len(items)
        for result in results:
            assert list(result) in (["result"], ["problem"]), result
        return results

    def jsonrpc(self, upstream: str, value, **headers) -> Answer:
        """POST /jsonrpc/{upstream}."""
        return self.post_json(f"/jsonrpc/{upstream}", value, **headers)

    def signal(self, number: int):
        self.process.send_signal(number)

    def wait(self, timeout: float = DEADLINE) -> int:
        """Waits for its end; the exit code."""
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        return code

    def assert_clean_end(self, timeout: float = DEADLINE):
        """It must end by itself with exit code 0 and without a report."""
        try:
            code = self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there after {timeout} s:\n{self.stderr[-8000:]}") from None
        assert_no_report(self.stderr)
        assert code in self._good_codes, f"exit code {code}:\n{self.stderr[-8000:]}"

    def may_end_with(self, code: int):
        """For tests that end it in another way than by one SIGTERM."""
        self._good_codes.add(code)

    def stop(self):
        """SIGTERM, and a clean end."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        self.assert_clean_end()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def close(self):
        """Frees what it holds; a process that is still there is killed."""
        self.kill()
        self._reader.join(DEADLINE)
        self._notify.close()
        self._folder.cleanup()


def _names(headers: dict) -> dict:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def run_program(*arguments: str, environment: dict | None = None,
                program=RPCGATED) -> subprocess.CompletedProcess:
    """Runs a program to its end and gives its exit code and texts."""
    done = subprocess.run([str(program), *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=DEADLINE,
                          env=program_environment(environment), check=False)
    assert_no_report(done.stderr)
    return done
