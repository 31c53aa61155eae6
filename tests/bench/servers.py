# SPDX-License-Identifier: Apache-2.0
"""The servers of the benchmark: the upstream, nginx as a proxy, rpcgated and its peers; each pinned
to its cores, started in a folder of its own, and read out by /proc."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
START_TIME = 15   # longest time that a server may take to be ready, or to end [s]
SETTLE_TIME = 60  # longest time that it may take for what is left of a run [s]
IDLE = 0.002      # who uses less of 50 ms is done with it [s]


def structs(count: int) -> list[dict]:
    return [{"id": number, "name": f"record {number}", "price": number / 8}
            for number in range(count)]


#: The answers: one int; 2.7 KB; 2.6 MB.
ANSWERS = {
    "small": xmlrpc.client.dumps((42,), methodresponse=True).encode(),
    "medium": xmlrpc.client.dumps((structs(10),), methodresponse=True).encode(),
    "large": xmlrpc.client.dumps((structs(10_000),), methodresponse=True).encode(),
}
ANSWERS["bigreq"] = ANSWERS["small"]

#: The params: one int, or what is 232 KB of JSON and 1.1 MB of XML.
PARAMS = {name: [1] for name in ANSWERS} | {
    "bigreq": [[{"id": number, "name": f"record {number}", "on": number % 2 == 0}
                for number in range(5000)]]}

#: The call, as a caller of nginx and as a caller of rpcgate sends it.
CALLS_XML = {name: xmlrpc.client.dumps(tuple(params), "bench.call").encode()
             for name, params in PARAMS.items()}
CALLS_JSON = {name: json.dumps(params, separators=(",", ":")).encode()
              for name, params in PARAMS.items()}
CALL_JSON = CALLS_JSON["small"]


@dataclass(frozen=True)
class Cores:
    """Which cores do what. The server that is measured has its cores to itself; the upstream and
    the load share the rest where there are fewer than four."""

    target: tuple[int, ...]
    upstream: tuple[int, ...]
    load: tuple[int, ...]

    @classmethod
    def of_machine(cls, for_target: int) -> "Cores":
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) == 1:
            return cls(tuple(cores), tuple(cores), tuple(cores))
        for_target = min(for_target, len(cores) - 1)
        rest = tuple(cores[for_target:])
        if len(rest) < 3:
            return cls(tuple(cores[:for_target]), rest, rest)
        return cls(tuple(cores[:for_target]), rest[:1], rest[1:])


def pinned(cores: tuple[int, ...], command: list[str]) -> list[str]:
    return ["taskset", "-c", ",".join(map(str, cores)), *command]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process and its children."""

    def __init__(self, name: str, port: int, process: subprocess.Popen):
        self.name, self.port, self.process = name, port, process

    def url(self, answer: str) -> str:
        return f"http://127.0.0.1:{self.port}/{answer}"

    content_type, calls = "text/xml", CALLS_XML

    def _pids(self) -> list[int]:
        pids = [self.process.pid]
        for pid in pids:
            with contextlib.suppress(OSError):
                pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return pids

    def cpu_seconds(self) -> float:
        """What all its threads have used since the start, in the kernel and out of it."""
        return sum(int(path.read_text().split()[0]) for pid in self._pids()
                   for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9

    def forget_peak(self):
        for pid in self._pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak_bytes(self) -> int:
        """Most resident memory since forget_peak()."""
        total = 0
        for pid in self._pids():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    total += int(line.split()[1]) * 1024
        return total

    def settle(self):
        """Waits until it has nothing to do any more: calls whose callers have left may go on."""
        end = time.monotonic() + SETTLE_TIME
        before = -1.0
        while (now := self.cpu_seconds()) - before > IDLE and time.monotonic() < end:
            before = now
            time.sleep(0.05)

    def end_last_child(self):
        """That of a program which runs another one."""
        os.kill(self._pids()[-1], signal.SIGTERM)
        self.process.wait(START_TIME)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(START_TIME)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


_NGINX = """
daemon off;
worker_processes {workers};
worker_rlimit_nofile {files};
pid nginx.pid;
error_log stderr notice;
{user}
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    default_type text/xml;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    {http}
}}
"""

_TLS_UPSTREAM = """
    server {{
        listen 127.0.0.1:{port} ssl backlog=4096 reuseport;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.3;
        location = /small {{ return 200 '{small}'; }}
    }}
"""

_PROXY = """
    upstream bench {{
        server 127.0.0.1:{upstream};
        keepalive 2048;
        keepalive_requests 1000000000;
        keepalive_timeout 1h;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096 reuseport;
        client_max_body_size 16m;
        client_body_buffer_size 2m;
        location / {{
            proxy_pass {scheme}://bench;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_max_temp_file_size 0;
            proxy_ssl_protocols TLSv1.3;
        }}
    }}
"""


def _start_nginx(folder: Path, cores: tuple[int, ...], http: str) -> subprocess.Popen:
    folder.mkdir()
    files = 16384
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(
        workers=len(cores), files=files, connections=files // 2, http=http,
        user="user root;" if os.geteuid() == 0 else ""))
    process = subprocess.Popen(
        pinned(cores, ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(config)]),
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin"})
    said = []
    for line in process.stderr:  # it listens before its workers start
        said.append(line)
        if "start worker process " in line:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return process
    raise RuntimeError("nginx does not start:\n" + "".join(said))


class Upstream(Server):
    """It tells how many answers it has given."""

    def n_answered(self) -> int | None:
        with urllib.request.urlopen(self.url("stats"), timeout=30) as response:
            return int(response.read())


class TlsUpstream(Server):
    def __init__(self, port: int, process: subprocess.Popen, certificate: Path):
        super().__init__("upstream", port, process)
        self.certificate = certificate

    def url(self, answer: str) -> str:
        return f"https://localhost:{self.port}/{answer}"

    def n_answered(self) -> int | None:
        return None


def build_upstream(folder: Path) -> Path:
    program = folder / "bench-upstream"
    subprocess.run([os.environ.get("CC", "cc").split()[-1], "-O2", "-D_GNU_SOURCE", "-o", str(program),
                    str(HERE / "upstream.c")], check=True)
    return program


def _first_line(name: str, command: list[str], **options) -> tuple[subprocess.Popen, int]:
    """Starts what tells its port on its first line."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                               **options)
    line = process.stdout.readline()
    if not line.strip().isdigit():
        raise RuntimeError(f"{name} does not start")
    return process, int(line)


def start_upstream(folder: Path, cores: tuple[int, ...], delay_ms: int = 0) -> Upstream:
    """Answers from memory: what is in the folder, by the names of the files."""
    folder.mkdir()
    for name, answer in ANSWERS.items():
        (folder / name).write_bytes(answer)
    program = build_upstream(folder)
    return Upstream("upstream", *reversed(_first_line("the upstream", pinned(
        cores, [str(program), str(folder), str(delay_ms)]))))


def start_tls_upstream(folder: Path, cores: tuple[int, ...]) -> TlsUpstream:
    folder.mkdir()
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
                   check=True, capture_output=True)
    port = free_port()
    http = _TLS_UPSTREAM.format(port=port, certificate=certificate, key=key,
                                small=ANSWERS["small"].decode().replace("'", '"').replace("\n", ""))
    return TlsUpstream(port, _start_nginx(folder / "nginx", cores, http), certificate)


def start_nginx(folder: Path, cores: tuple[int, ...], upstream: Server) -> Server:
    port = free_port()
    http = _PROXY.format(port=port, upstream=upstream.port, scheme=upstream.url("").split(":")[0])
    return Server("nginx", port, _start_nginx(folder, cores, http))


class Rpcgate(Server):
    content_type, calls = "application/json", CALLS_JSON

    def url(self, answer: str) -> str:
        return f"http://127.0.0.1:{self.port}/v1/{answer}/bench.call"


def peers() -> list[str]:
    """Other ways to have such a gateway, which this machine can run."""
    return [name for name in ("go", "node") if shutil.which(name) is not None]


def build_peer(name: str, folder: Path) -> list[str]:
    """What starts it."""
    if name == "node":
        return ["node", str(HERE / "peers" / "translator.mjs")]
    program = folder / "translator"
    subprocess.run(["go", "build", "-o", str(program), str(HERE / "peers" / "translator.go")],
                   check=True, capture_output=True)
    return [str(program)]


def start_peer(name: str, command: list[str], cores: tuple[int, ...], upstream: Server) -> Rpcgate:
    return Rpcgate(name, *reversed(_first_line(name, pinned(
        cores, [*command, upstream.url("").rstrip("/")]),
        env=os.environ | {"GOMAXPROCS": str(len(cores))})))


_RPCGATE = """
workers = {workers};
listen = ( {{ address = "127.0.0.1"; port = {port}; }} );
anonymous = {{ allow = [ "*/*" ]; }};
limits = {{ memory = "8G"; drain = "1s"; }};
log = {{ access = {access}; }};
upstreams = {{
{upstreams}}};
"""


def start_rpcgate(program: Path, folder: Path, cores: tuple[int, ...], upstream: Server,
                  access_log: bool = False, more: str = "", settings: str = "",
                  top: str = "") -> Server:
    """Its log, where there is one, goes to /dev/null. `more`: settings of further upstreams;
    `settings`: further ones of each; `top`: those beside `upstreams`."""
    folder.mkdir()
    port = free_port()
    if isinstance(upstream, TlsUpstream):
        settings += f'tls = {{ ca_file = "{upstream.certificate}"; }};'
    lines = "".join(f'  {name} = {{ url = "{upstream.url(name)}"; timeouts = {{ total = "10m"; }}; '
                    f"{settings} }};\n" for name in ANSWERS)
    config = folder / "rpcgate.conf"
    config.write_text(_RPCGATE.format(workers=len(cores), port=port, upstreams=lines + more,
                                      access="true" if access_log else "false") + top)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(str(folder / "notify"))
        ready.settimeout(START_TIME)
        process = subprocess.Popen(
            pinned(cores, [str(program), "-c", str(config)]), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"NOTIFY_SOCKET": str(folder / "notify")})
        try:
            while b"READY=1" not in ready.recv(65536):
                pass
        except TimeoutError:
            process.kill()
            raise RuntimeError(f"{program} does not get ready; try it with -c {config}") from None
    return Rpcgate("rpcgate + log" if access_log else "rpcgate", port, process)
