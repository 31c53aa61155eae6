# SPDX-License-Identifier: Apache-2.0
"""XML-RPC servers that nobody here wrote: Python's, supervisord, aria2c."""

import os
import shutil
import socket
import subprocess
import threading
import xmlrpc.client
from datetime import datetime
from pathlib import Path
from socketserver import ThreadingMixIn
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

import pytest

from .settings import DEADLINE

PORT_TRIES = 5


class _KeepAlive(SimpleXMLRPCRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one segment, or each call waits for a delayed ACK
    rpc_paths = ("/RPC2",)

    def log_message(self, *_):
        pass


class _Threaded(ThreadingMixIn, SimpleXMLRPCServer):
    daemon_threads = True


class PythonServer:
    """Python's own server, with methods that show what arrives and send every type."""

    #: What `types` sends.
    TYPES = {
        "boolean": True,
        "int": -7,
        "double": 20.0,
        "string": "R&D <größer>\n",
        "datetime": datetime(1998, 7, 17, 14, 8, 55),
        "base64": bytes(range(256)),
        "array": [1, [2.5, "x"], {}],
        "struct": {"a": 1, "b": [], "c": {"d": False}},
        "nil": None,
        "empty": "",
    }

    def __init__(self, multicall: bool = False):
        server = _Threaded(("127.0.0.1", 0), _KeepAlive, logRequests=False, allow_none=True,
                           use_builtin_types=True)
        server.register_introspection_functions()
        if multicall:
            server.register_multicall_functions()
        server.register_function(lambda *params: repr(params), "show")
        server.register_function(lambda: self.TYPES, "types")
        server.register_function(lambda value: value, "echo")
        server.register_function(lambda a, b: a + b, "add")
        server.register_function(self._fail, "fail")
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    @staticmethod
    def _fail(code, text):
        raise xmlrpc.client.Fault(code, text)

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(DEADLINE)


def free_port() -> int:
    """A port that was free a moment ago: who starts a program on it must be ready to try again."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Program:
    """A process that says on its output when it is ready."""

    def __init__(self, command: list[str], ready: str, folder: Path):
        self.output: list[str] = []
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=folder)
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._collect, args=(ready,), daemon=True)
        self._reader.start()

    def _collect(self, ready: str):
        for line in self.process.stdout:
            self.output.append(line)
            if ready in line:
                self.is_up = True
                self._ready.set()
        self._ready.set()

    is_up = False

    def wait_ready(self) -> bool:
        assert self._ready.wait(DEADLINE), "".join(self.output)
        return self.is_up

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(DEADLINE)
        self.process.stdout.close()


def need(name: str) -> str:
    """Where that program is; without it the test is skipped."""
    path = shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


class Supervisord:
    """supervisord with a program named `cat`, over TCP with Basic and over a unix socket."""

    USER, PASSWORD = "admin", "s3cret: pass"

    def __init__(self, folder: Path):
        program = need("supervisord")
        self.socket = str(folder / "supervisor.sock")
        for _ in range(PORT_TRIES):
            self.port = free_port()
            config = folder / "supervisord.conf"
            config.write_text(self._config(folder))
            self._program = Program([program, "-n", "-c", str(config)],
                                     "supervisord started with pid", folder)
            if self._program.wait_ready():
                return
            self._program.stop()
        raise RuntimeError("supervisord does not start:\n" + "".join(self._program.output))

    def _config(self, folder: Path) -> str:
        return f"""
[supervisord]
logfile = {folder}/supervisord.log
pidfile = {folder}/supervisord.pid
childlogdir = {folder}
user = {os.geteuid()}
[inet_http_server]
port = 127.0.0.1:{self.port}
username = {self.USER}
password = {self.PASSWORD}
[unix_http_server]
file = {self.socket}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:cat]
command = /bin/cat
autostart = false
startsecs = 0
stopwaitsecs = 5
"""

    def stop(self):
        self._program.stop()


class Aria2:
    """aria2c with RPC and a secret."""

    SECRET = "token-of-the-test"

    def __init__(self, folder: Path):
        program = need("aria2c")
        for _ in range(PORT_TRIES):
            self.port = free_port()
            self._program = Program(
                [program, "--no-conf", "--enable-rpc", f"--rpc-listen-port={self.port}",
                 f"--rpc-secret={self.SECRET}", "--disable-ipv6", f"--dir={folder}",
                 "--enable-dht=false", "--console-log-level=notice",
                 "--show-console-readout=false"],
                "listening on TCP port", folder)
            if self._program.wait_ready():
                return
            self._program.stop()
        raise RuntimeError("aria2c does not start:\n" + "".join(self._program.output))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/rpc"

    def stop(self):
        self._program.stop()
