# SPDX-License-Identifier: Apache-2.0
"""The servers of the benchmark: the upstream, nginx as a proxy, and rpcgated; each pinned to its
cores, started in a folder of its own, and read out by /proc."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path

START_TIME = 15   # longest time that a server may take to be ready, or to end [s]
SETTLE_TIME = 60  # longest time that it may take for what is left of a run [s]
_TICK = os.sysconf("SC_CLK_TCK")


def structs(count: int) -> list[dict]:
    return [{"id": number, "name": f"record {number}", "price": number / 8}
            for number in range(count)]


#: The answers: one int; 2.7 KB; 2.6 MB.
ANSWERS = {
    "small": xmlrpc.client.dumps((42,), methodresponse=True).encode(),
    "medium": xmlrpc.client.dumps((structs(10),), methodresponse=True).encode(),
    "large": xmlrpc.client.dumps((structs(10_000),), methodresponse=True).encode(),
}

#: The call, as a caller of nginx and as a caller of rpcgate sends it.
CALL_XML = xmlrpc.client.dumps((1,), "bench.call").encode()
CALL_JSON = b"[1]"


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

    body, content_type = CALL_XML, "text/xml"

    def _pids(self) -> list[int]:
        pids = [self.process.pid]
        for pid in pids:
            with contextlib.suppress(OSError):
                pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return pids

    def cpu_seconds(self) -> float:
        """What all its threads have used since the start, in the kernel and out of it."""
        ticks = 0
        for pid in self._pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / _TICK

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
        while (now := self.cpu_seconds()) != before and time.monotonic() < end:
            before = now
            time.sleep(0.2)

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

_UPSTREAM = """
    open_file_cache max=10;
    server {{
        listen 127.0.0.1:{port} backlog=4096 reuseport;
        root {root};
        location = /small {{ return 200 '{small}'; }}
        location = /medium {{ return 200 '{medium}'; }}
        # A file answers GET only; the error page of a POST is that GET.
        error_page 405 =200 $uri;
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
        location / {{
            proxy_pass http://bench;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_max_temp_file_size 0;
        }}
    }}
"""


def _start_nginx(folder: Path, cores: tuple[int, ...], http: str) -> subprocess.Popen:
    folder.mkdir()
    files = 8192
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


def start_upstream(folder: Path, cores: tuple[int, ...]) -> Server:
    """Static answers: small ones from the configuration, the large one from a file."""
    port = free_port()
    texts = {name: ANSWERS[name].decode().replace("\n", "") for name in ("small", "medium")}
    http = _UPSTREAM.format(port=port, root=folder, **{
        name: text.replace("'", '"') for name, text in texts.items()})
    process = _start_nginx(folder, cores, http)
    (folder / "large").write_bytes(ANSWERS["large"])
    return Server("upstream", port, process)


def start_nginx(folder: Path, cores: tuple[int, ...], upstream: Server) -> Server:
    port = free_port()
    http = _PROXY.format(port=port, upstream=upstream.port)
    return Server("nginx", port, _start_nginx(folder, cores, http))


class Rpcgate(Server):
    body, content_type = CALL_JSON, "application/json"

    def url(self, answer: str) -> str:
        return f"http://127.0.0.1:{self.port}/v1/{answer}/bench.call"


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
