# SPDX-License-Identifier: Apache-2.0
"""Servers that profiles are for, each as Debian 12 has it, on loopback, with an account of the test.
`login` of an upstream with the profile is `credentials`."""

import os
import re
import shutil
import sqlite3
import subprocess
import xmlrpc.client
from pathlib import Path

import pytest

from .foreign import Nzbget, Rtorrent, RtorrentAtSocket
from .programs import Aria2, Supervisord, need
from .servers import Server
from .settings import DEADLINE

USER, PASSWORD = "admin", "s3cret-pw"
LOGIN = {"username": USER, "password": PASSWORD}


def need_folder(path: str) -> Path:
    """A folder of a package; without it the test is skipped."""
    if not Path(path).is_dir():
        pytest.skip(f"there is no {path}")
    return Path(path)


def quiet(*command, **options):
    """Runs what prepares a server."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Aria2Backend(Aria2):
    credentials = {"key": Aria2.SECRET}


class SupervisordBackend(Supervisord):
    credentials = {"username": Supervisord.USER, "password": Supervisord.PASSWORD}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/RPC2"


class RtorrentBackend(Rtorrent):
    credentials: dict = {}


class RtorrentAtSocketBackend(RtorrentAtSocket):
    credentials: dict = {}


class NzbgetBackend(Nzbget):
    credentials = {"username": Nzbget.USER, "password": Nzbget.PASSWORD}


class Kamailio(Server):
    """With the modules that Debian has in kamailio-xml-modules."""

    credentials: dict = {}

    def __init__(self, folder: Path):
        self._program = need("kamailio")
        found = list(Path("/usr/lib").glob("*/kamailio/modules/xmlrpc.so"))
        if not found:
            pytest.skip("kamailio-xml-modules is not installed")
        self._modules = found[0].parent
        super().__init__(folder, ["rpc"])
        self.url = f"http://127.0.0.1:{self.port}/RPC2"

    def make(self):
        config = self.folder / "kamailio.cfg"
        config.write_text(f"""#!KAMAILIO
debug = 0
log_stderror = yes
children = 1
tcp_children = 1
auto_aliases = no
listen = tcp:127.0.0.1:{self.port}
mpath = "{self._modules}"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "kex.so"
loadmodule "cfg_rpc.so"
loadmodule "htable.so"
loadmodule "xmlrpc.so"
modparam("htable", "htable", "table=>size=4;")
modparam("xmlrpc", "route", "RPC")
request_route {{ exit; }}
route[RPC] {{ dispatch_rpc(); exit; }}
""")
        return [self._program, "-f", str(config), "-DD", "-E", "-m", "16", "-M", "4",
                "-w", str(self.folder), "-Y", str(self.folder),
                "-P", str(self.folder / "kamailio.pid")]


class Atheme(Server):
    """Without an uplink, with the account that NickServ gives who asks."""

    credentials = LOGIN

    def __init__(self, folder: Path):
        self._program = need("atheme-services")
        super().__init__(folder, ["rpc"])
        self.url = f"http://127.0.0.1:{self.port}/xmlrpc"
        with xmlrpc.client.ServerProxy(self.url) as proxy:
            proxy.atheme.command(".", ".", "127.0.0.1", "NickServ", "REGISTER", USER, PASSWORD,
                                 "a@example.org")

    def make(self):
        modules = ("protocol/charybdis", "backend/opensex", "crypto/rawsha1", "nickserv/main",
                   "nickserv/register", "nickserv/info", "misc/httpd", "transport/xmlrpc")
        config = self.folder / "atheme.conf"
        config.write_text("".join(f'loadmodule "modules/{name}";\n' for name in modules) + f"""
serverinfo {{
    name = "services.test"; desc = "test"; numeric = "00A"; netname = "test"; recontime = 3600;
    adminname = "a"; adminemail = "a@example.org"; mta = "/bin/true"; auth = none;
    hidehostsuffix = "users"; maxlogins = 5; maxusers = 5; mdlimit = 30; emaillimit = 10;
    emailtime = 300; casemapping = rfc1459;
}};
uplink "irc.test" {{ host = "127.0.0.1"; port = 1; send_password = "x"; receive_password = "x"; }};
nickserv {{ nick = "NickServ"; user = "NickServ"; host = "services.test"; real = "x"; }};
httpd {{ host = "127.0.0.1"; www_root = "{self.folder}"; port = {self.port}; }};
xmlrpc {{ path = "/xmlrpc"; }};
""")
        return [self._program, "-n", "-c", str(config), "-D", str(self.folder),
                "-l", str(self.folder / "atheme.log"), "-p", str(self.folder / "atheme.pid")]


class Rosmaster(Server):
    credentials: dict = {}

    def __init__(self, folder: Path):
        self._program = need("rosmaster")
        super().__init__(folder, ["rpc"])
        self.url = f"http://127.0.0.1:{self.port}/"

    def make(self):
        # With a loopback address of its own it listens on no other.
        return ["/usr/bin/env", "ROS_IP=127.0.0.1", f"ROS_MASTER_URI=http://127.0.0.1:{self.port}/",
                f"ROS_LOG_DIR={self.folder}", f"HOME={self.folder}",
                self._program, "--core", "-p", str(self.port)]


class Ejabberd(Server):
    """In a node without a name, so that it needs no epmd. `joe` is no administrator."""

    credentials = LOGIN | {"database": "example.org"}

    def __init__(self, folder: Path):
        self._erl = need("erl")
        found = list(Path("/usr/lib").glob("*/ejabberd-*/ebin"))
        if not found:
            pytest.skip("ejabberd is not installed")
        self._libraries = found[0].parents[1]
        super().__init__(folder, ["rpc"])
        self.url = f"http://127.0.0.1:{self.port}/"
        with xmlrpc.client.ServerProxy(self.url) as proxy:
            for user in (USER, "joe"):
                proxy.register({"user": user, "host": "example.org", "password": PASSWORD})

    def make(self):
        config = self.folder / "ejabberd.yml"
        config.write_text(f"""
hosts: [example.org]
listen:
  - port: {self.port}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      "/": ejabberd_xmlrpc
acl:
  admin:
    user: "{USER}@example.org"
api_permissions:
  anybody:
    from: [ejabberd_xmlrpc]
    who: all
    what: register
  administrators:
    from: [ejabberd_xmlrpc]
    who:
      access:
        allow:
          acl: admin
    what: "*"
modules:
  mod_admin_extra: {{}}
""")
        shutil.rmtree(self.folder / "db", ignore_errors=True)
        return ["/usr/bin/env", f"HOME={self.folder}", f"ERL_LIBS={self._libraries}",
                f"EJABBERD_CONFIG_PATH={config}", f"EJABBERD_LOG_PATH={self.folder}/ejabberd.log",
                self._erl, "-noinput", "-mnesia", "dir", f'"{self.folder}/db"', "-s", "ejabberd"]


class Tryton(Server):
    """With a database that is made before it starts, which takes a while."""

    credentials = LOGIN

    def __init__(self, folder: Path):
        self._server, self._admin = need("trytond"), need("trytond-admin")
        self._database = folder / "test.sqlite"
        super().__init__(folder, ["rpc"])
        self.url = f"http://127.0.0.1:{self.port}/test/"

    def make(self):
        config = self.folder / "trytond.conf"
        config.write_text(f"[database]\nuri = sqlite://\npath = {self.folder}\n"
                          f"[web]\nlisten = 127.0.0.1:{self.port}\n")
        if not self._database.exists():
            self._database.touch()
            password = self.folder / "password"
            password.write_text(PASSWORD)
            quiet(self._admin, "-c", config, "-d", "test", "--all", "--email", "a@example.org",
                  env=os.environ | {"TRYTONPASSFILE": str(password)})
        return [self._server, "-c", str(config), "-d", "test"]

    def _sql(self, text: str) -> list:
        with sqlite3.connect(self._database, timeout=DEADLINE) as database:
            return database.execute(text).fetchall()

    def sessions(self) -> int:
        return self._sql("SELECT COUNT(*) FROM ir_session")[0][0]

    def end_sessions(self):
        self._sql("DELETE FROM ir_session")


class DokuWiki(Server):
    """Under PHP's own server. `joe` may not read the page `secret`, and `nobody` not call at all."""

    credentials = LOGIN

    def __init__(self, folder: Path):
        self._php = need("php")
        self._tree = need_folder("/usr/share/dokuwiki")
        super().__init__(folder, ["http"])
        self.url = f"http://127.0.0.1:{self.port}/lib/exe/xmlrpc.php"

    def make(self):
        config, data = self.folder / "conf", self.folder / "data"
        if not config.exists():
            self._write(config, data)
        prepend = self.folder / "prepend.php"
        prepend.write_text(f"<?php define('DOKU_CONF', '{config}/');\n")
        return [self._php, "-q", "-d", f"auto_prepend_file={prepend}", "-S",
                f"127.0.0.1:{self.port}", "-t", str(self._tree)]

    def _write(self, config: Path, data: Path):
        config.mkdir()
        own = re.compile(r"(local|acl\.auth|users\.auth)\.php")
        for file in Path("/etc/dokuwiki").iterdir():
            if not own.fullmatch(file.name) and file.is_file():
                shutil.copy(file, config)
        for name in ("attic", "cache", "index", "locks", "log", "media", "media_attic", "media_meta",
                     "meta", "pages", "tmp"):
            (data / name).mkdir(parents=True)
        (data / "pages/start.txt").write_text("hello")
        settings = {"title": "t", "useacl": 1, "superuser": "@admin", "remote": 1,
                    "remoteuser": f"{USER},joe", "savedir": str(data), "authtype": "authplain",
                    "updatecheck": 0}
        (config / "local.php").write_text("<?php\n" + "".join(
            f"$conf['{name}'] = {value!r};\n" for name, value in settings.items()))
        hashed = quiet(self._php, "-r", f"echo password_hash('{PASSWORD}', PASSWORD_BCRYPT);")
        (config / "users.auth.php").write_text("".join(
            f"{user}:{hashed}:{user}:{user}@example.org:{groups}\n" for user, groups in
            ((USER, "admin,user"), ("joe", "user"), ("nobody", "user"))))
        (config / "acl.auth.php").write_text("* @ALL 0\n* @user 8\nsecret @user 0\n")
