# SPDX-License-Identifier: Apache-2.0
"""Servers and proxies that nobody here wrote: nginx, lighttpd, tinyproxy, microsocks, HAProxy. Each
stands before an upstream of the test, before gateways, or between."""

import socket
import subprocess
import time
from pathlib import Path

from .programs import PORT_TRIES, Program, free_port, need
from .settings import DEADLINE, TOP


def _connect(address: int | Path):
    if isinstance(address, int):
        return socket.create_connection(("127.0.0.1", address), DEADLINE)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(address))
    return connection


def _accepts(program: Program, address: int | Path) -> bool:
    """Waits until something listens on that port or socket; false: the program has ended before."""
    for _ in range(int(DEADLINE / 0.02)):
        try:
            _connect(address).close()
            return program.process.poll() is None
        except (ConnectionRefusedError, FileNotFoundError):
            pass
        try:
            program.process.wait(0.02)
            return False
        except subprocess.TimeoutExpired:
            pass
    raise AssertionError("nobody listens:\n" + "".join(program.output))


class Server:
    """A program that listens on free ports, and at these sockets. `make` writes its files and gives
    its command."""

    def __init__(self, folder: Path, ports: list[str], sockets: tuple[Path, ...] = ()):
        self.folder = folder
        for _ in range(PORT_TRIES):
            self.ports = {name: free_port() for name in ports}
            self.program = Program(self.make(), "\0", folder)
            if all(_accepts(self.program, at) for at in (*self.ports.values(), *sockets)):
                return
            self.program.stop()
        raise RuntimeError("it does not start:\n" + "".join(self.program.output))

    def make(self) -> list[str]:
        raise NotImplementedError

    @property
    def port(self) -> int:
        return next(iter(self.ports.values()))

    @property
    def output(self) -> str:
        return "".join(self.program.output)

    def stop(self):
        self.program.stop()


class Nginx(Server):
    """`servers` maps a name to the lines of its `server` block; each passes on to `backend`, and
    says in headers what it has seen of TLS."""

    def __init__(self, folder: Path, backend: str, servers: dict[str, str]):
        self._backend, self._servers = backend, servers
        super().__init__(folder, list(servers))

    def make(self) -> list[str]:
        blocks = "".join(f"""
    server {{
        listen 127.0.0.1:{self.ports[name]}{" ssl" if "ssl_certificate" in lines else ""};
        {lines}
        location / {{
            proxy_pass {self._backend};
            proxy_http_version 1.1;
            proxy_set_header X-Protocol $ssl_protocol;
            proxy_set_header X-Cipher $ssl_cipher;
            proxy_set_header X-Client $ssl_client_s_dn;
        }}
    }}""" for name, lines in self._servers.items())
        (self.folder / "nginx.conf").write_text(f"""
daemon off;
master_process off;
pid {self.folder}/nginx.pid;
error_log stderr notice;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {self.folder}/body;
    proxy_temp_path {self.folder}/proxy;
    fastcgi_temp_path {self.folder}/fastcgi;
    uwsgi_temp_path {self.folder}/uwsgi;
    scgi_temp_path {self.folder}/scgi;
    {blocks}
}}
""")
        return [need("nginx"), "-e", "stderr", "-c", str(self.folder / "nginx.conf")]


class Lighttpd(Server):
    """Digest (RFC 7616) before a backend on 127.0.0.1."""

    def __init__(self, folder: Path, backend_port: int, user: str, password: str):
        self._backend_port, self._user, self._password = backend_port, user, password
        super().__init__(folder, ["digest"])

    def make(self) -> list[str]:
        users = self.folder / "users"
        users.write_text(f"{self._user}:{self._password}\n")
        config = self.folder / "lighttpd.conf"
        config.write_text(f"""
server.modules = ( "mod_auth", "mod_authn_file", "mod_proxy" )
server.document-root = "{self.folder}"
server.bind = "127.0.0.1"
server.port = {self.port}
server.errorlog = "{self.folder}/lighttpd.log"
server.upload-dirs = ( "{self.folder}" )
auth.backend = "plain"
auth.backend.plain.userfile = "{users}"
auth.require = ( "/" => ( "method" => "digest", "realm" => "test", "require" => "valid-user" ) )
proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => {self._backend_port} ) ) )
""")
        return [need("lighttpd"), "-D", "-f", str(config)]


class Tinyproxy(Server):
    """An HTTP proxy, with a login where there is one."""

    def __init__(self, folder: Path, login: tuple[str, str] | None = None):
        self._login = login
        super().__init__(folder, ["proxy"])

    def make(self) -> list[str]:
        config = self.folder / "tinyproxy.conf"
        login = f"BasicAuth {self._login[0]} {self._login[1]}\n" if self._login else ""
        config.write_text(f"Port {self.port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\n"
                          f"LogLevel Connect\n{login}")
        return [need("tinyproxy"), "-d", "-c", str(config)]


class Microsocks(Server):
    """A SOCKS5 proxy, with a login where there is one."""

    def __init__(self, folder: Path, login: tuple[str, str] | None = None):
        self._login = login
        super().__init__(folder, ["proxy"])

    def make(self) -> list[str]:
        login = ["-u", self._login[0], "-P", self._login[1]] if self._login else []
        return [need("microsocks"), "-i", "127.0.0.1", "-p", str(self.port), *login]


class Haproxy(Server):
    """The configuration of the documentation, before gateways on 127.0.0.1: the two that it has, and
    those that are added as docs/scale.md says."""

    _EXAMPLE = TOP / "docs/haproxy.cfg"

    def __init__(self, folder: Path, gateways: dict[str, int]):
        self._gateways = gateways
        super().__init__(folder, ["callers"])

    def make(self) -> list[str]:
        text = self._EXAMPLE.read_text()
        changes = {"bind 127.0.0.1:8080": f"bind 127.0.0.1:{self.port}",
                   "\nglobal\n": f"\nglobal\n    stats socket {self._statistics}\n"}
        for example, port in (("one", 8081), ("two", 8082)):
            changes[f"server {example} 127.0.0.1:{port}"] = (
                f"server {example} 127.0.0.1:{self._gateways[example]}")
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        for name in sorted(set(self._gateways) - {"one", "two"}):
            text += f"    server {name} 127.0.0.1:{self._gateways[name]}\n"
        config = self.folder / "haproxy.cfg"
        config.write_text(text)
        return [need("haproxy"), "-db", "-f", str(config)]

    @property
    def _statistics(self) -> Path:
        return self.folder / "statistics"

    def _is_up(self, gateway: str) -> bool:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(DEADLINE)
            try:
                s.connect(str(self._statistics))
            except (FileNotFoundError, ConnectionRefusedError):
                return False  # HAProxy is still starting
            s.sendall(b"show stat\n")
            lines = s.makefile().read().splitlines()
        names = lines[0].removeprefix("# ").split(",")
        rows = (dict(zip(names, line.split(","))) for line in lines[1:] if line)
        return any(row["svname"] == gateway and row["status"] == "UP" for row in rows)

    def wait_state(self, gateway: str, up: bool):
        """Until its checks have found it so."""
        end = time.monotonic() + DEADLINE
        while self._is_up(gateway) != up:
            assert time.monotonic() < end, f"{gateway} does not get {'up' if up else 'down'}"
            time.sleep(0.05)
