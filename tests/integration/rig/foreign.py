# SPDX-License-Identifier: Apache-2.0
"""Servers that nobody here wrote, each as its own documentation shows it, with the method
`demo.add(int, int)` where methods can be added."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from .programs import need
from .servers import Server


def _need_in(program: str, *check: str) -> str:
    """That program, if it ends well with these arguments: does it have the library?"""
    path = need(program)
    done = subprocess.run([path, *check], stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"{program} lacks a library: {done.stderr.decode()[:200]}")
    return path


class _Script(Server):
    """A server in a scripting language."""

    path = "/RPC2"
    NAME: str
    TEXT: str

    def __init__(self, folder: Path):
        self._command = self.command()
        super().__init__(folder, ["rpc"])

    def make(self) -> list[str]:
        script = self.folder / self.NAME
        script.write_text(self.TEXT)
        return [*self._command, str(script), str(self.port)]

    def command(self) -> list[str]:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"


class Python(_Script):
    """CPython's own."""

    NAME = "simple.py"
    TEXT = '''
import sys
from xmlrpc.server import SimpleXMLRPCServer

def add(a, b):
    """Adds two numbers."""
    return a + b

server = SimpleXMLRPCServer(("127.0.0.1", int(sys.argv[1])), logRequests=False)
server.register_introspection_functions()
server.register_multicall_functions()
server.register_function(add, "demo.add")
server.serve_forever()
'''

    def command(self):
        return [sys.executable]

    def version(self) -> str:
        return ".".join(str(n) for n in sys.version_info[:2])


class Twisted(_Script):
    NAME = "twisted-server.py"
    TEXT = '''
import sys
from twisted.internet import reactor
from twisted.web import server, xmlrpc

class Methods(xmlrpc.XMLRPC):
    def xmlrpc_add(self, a, b):
        """Adds two numbers."""
        return a + b
    xmlrpc_add.signature = [["int", "int", "int"]]

top, demo = xmlrpc.XMLRPC(), Methods()
top.putSubHandler("demo", demo)
xmlrpc.addIntrospection(top)
reactor.listenTCP(int(sys.argv[1]), server.Site(top), interface="127.0.0.1")
reactor.run()
'''

    def command(self):
        return [_need_in("/usr/bin/python3", "-c", "import twisted.web.xmlrpc")]


class Perl(_Script):
    """RPC::XML::Server."""

    NAME = "server.pl"
    TEXT = r'''
use RPC::XML::Server;
my $server = RPC::XML::Server->new(host => '127.0.0.1', port => $ARGV[0],
                                   timeout => 1); # of a kept connection, which nobody else gets past
die $server unless ref $server;
$server->add_method({ name => 'demo.add', signature => ['int int int'], help => 'Adds two numbers.',
                      code => sub { shift; return $_[0] + $_[1] } });
$server->server_loop;
'''

    def command(self):
        return [_need_in("perl", "-MRPC::XML::Server", "-e", "1")]


class Ruby(_Script):
    NAME = "server.rb"
    TEXT = '''
require "xmlrpc/server"
server = XMLRPC::Server.new(ARGV[0].to_i, "127.0.0.1", 40, $stderr, false)
server.add_introspection
server.add_multicall
server.add_handler("demo.add", [%w(int int int)], "Adds two numbers.") { |a, b| a + b }
server.serve
'''

    def command(self):
        return [_need_in("ruby", "-e", 'require "webrick"; require "xmlrpc/server"')]


class Php(_Script):
    """The extension xmlrpc (xmlrpc-epi)."""

    NAME = "server.php"
    TEXT = '''<?php
function add($method, $params) { return $params[0] + $params[1]; }
$server = xmlrpc_server_create();
xmlrpc_server_register_method($server, "demo.add", "add");
xmlrpc_server_register_introspection_callback($server, "describe");
function describe($data) {
    return '<?xml version="1.0"?><introspection version="1.0"><methodList>'
        . '<methodDescription name="demo.add"><purpose>Adds two numbers.</purpose><signatures>'
        . '<signature><params><value type="int"/><value type="int"/></params><returns>'
        . '<value type="int"/></returns></signature></signatures></methodDescription>'
        . '</methodList></introspection>';
}
header("Content-Type: text/xml");
echo xmlrpc_server_call_method($server, file_get_contents("php://input"), null);
'''

    def command(self):
        return [_need_in("php", "-r", "exit(extension_loaded('xmlrpc') ? 0 : 1);")]

    def make(self):
        script = self.folder / self.NAME
        script.write_text(self.TEXT)
        return [*self._command, "-d", "error_reporting=0", "-S", f"127.0.0.1:{self.port}", str(script)]


class XmlrpcC(_Script):
    """The C library xmlrpc-c with its own HTTP server, Abyss."""

    NAME = "abyss.c"
    TEXT = r'''
#include <stdio.h>
#include <stdlib.h>
#include <xmlrpc-c/base.h>
#include <xmlrpc-c/server.h>
#include <xmlrpc-c/server_abyss.h>

static xmlrpc_value *add(xmlrpc_env *env, xmlrpc_value *params, void *info, void *call)
{
    xmlrpc_int32 a, b;
    (void)info;
    (void)call;
    xmlrpc_decompose_value(env, params, "(ii)", &a, &b);
    return env->fault_occurred ? NULL : xmlrpc_build_value(env, "i", a + b);
}

int main(int argc, char **argv)
{
    struct xmlrpc_method_info3 method = { .methodName = "demo.add", .methodFunction = add,
                                          .signatureString = "i:ii", .help = "Adds two numbers." };
    xmlrpc_server_abyss_parms parms = { .config_file_name = NULL };
    xmlrpc_env env;
    xmlrpc_env_init(&env);
    parms.registryP = xmlrpc_registry_new(&env);
    xmlrpc_registry_add_method3(&env, parms.registryP, &method);
    parms.port_number = (unsigned short)atoi(argv[argc - 1]);
    parms.log_file_name = NULL;
    xmlrpc_server_abyss(&env, &parms, XMLRPC_APSIZE(log_file_name));
    fprintf(stderr, "%s\n", env.fault_string != NULL ? env.fault_string : "");
    return 1;
}
'''

    def command(self):
        return [need("cc"), need("xmlrpc-c-config")]

    def make(self):
        source, program = self.folder / self.NAME, self.folder / "abyss"
        compiler, config = self._command
        if not program.exists():
            source.write_text(self.TEXT)
            flags = subprocess.check_output([config, "abyss-server", "--cflags", "--libs"], text=True)
            subprocess.run([compiler, "-o", str(program), str(source), *flags.split()], check=True,
                           env=os.environ | {"LC_ALL": "C"})
        return [str(program), str(self.port)]


class _Rtorrent(Server):
    """rTorrent, which speaks SCGI."""

    def __init__(self, folder: Path, *where):
        self._rtorrent = need("rtorrent")
        super().__init__(folder, *where)

    def listens(self) -> str:
        return f"network.scgi.open_port = 127.0.0.1:{self.port}"

    def make(self):
        (self.folder / "session").mkdir(exist_ok=True)
        rc = self.folder / "rtorrent.rc"
        rc.write_text(f"""
system.daemon.set = true
session.path.set = {self.folder}/session
directory.default.set = {self.folder}
network.port_open.set = no
dht.mode.set = disable
trackers.use_udp.set = no
{self.listens()}
""")
        return [self._rtorrent, "-n", "-o", f"import={rc}"]


class RtorrentAtSocket(_Rtorrent):
    def __init__(self, folder: Path):
        self._socket = folder / "rtorrent.sock"
        super().__init__(folder, [], (self._socket,))
        self.url = f"scgi+unix://{quote(str(self._socket), safe='')}"

    def listens(self):
        return f"network.scgi.open_local = {self._socket}"


class Rtorrent(_Rtorrent):
    """nginx passes HTTP on to it."""

    def __init__(self, folder: Path):
        nginx = need("nginx")
        super().__init__(folder, ["scgi"])
        self._front = _ScgiFront(folder, nginx, self.port)
        self.url = f"http://127.0.0.1:{self._front.port}/RPC2"

    def stop(self):
        self._front.stop()
        super().stop()


class _ScgiFront(Server):
    def __init__(self, folder: Path, nginx: str, backend: int):
        self._nginx, self._backend = nginx, backend
        super().__init__(folder, ["http"])

    def make(self):
        config = self.folder / "scgi.conf"
        config.write_text(f"""
daemon off;
pid {self.folder}/scgi.pid;
error_log stderr error;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {self.folder}/b;
    proxy_temp_path {self.folder}/p;
    fastcgi_temp_path {self.folder}/f;
    uwsgi_temp_path {self.folder}/u;
    scgi_temp_path {self.folder}/s;
    server {{
        listen 127.0.0.1:{self.port};
        location /RPC2 {{ include /etc/nginx/scgi_params; scgi_pass 127.0.0.1:{self._backend}; }}
    }}
}}
""")
        return [self._nginx, "-c", str(config), "-p", str(self.folder)]


class Nzbget(Server):
    USER, PASSWORD = "nzbget", "tegbzn6789"

    def __init__(self, folder: Path):
        self._program = need("nzbget")
        super().__init__(folder, ["rpc"])
        self.url = f"http://127.0.0.1:{self.port}/xmlrpc"

    def make(self):
        options = {"MainDir": self.folder / "nzbget", "ControlIP": "127.0.0.1",
                   "ControlPort": self.port, "ControlUsername": self.USER,
                   "ControlPassword": self.PASSWORD, "WebDir": "", "ConfigTemplate": "",
                   "WriteLog": "none", "OutputMode": "log"}
        return [self._program, "-s", "-n",
                *(part for item in options.items() for part in ("-o", "=".join(map(str, item))))]
