# SPDX-License-Identifier: Apache-2.0
"""WordPress as Debian has it, with a database server of its own. `joe` may only read."""

from pathlib import Path

from .backends import LOGIN, PASSWORD, USER, need_folder, quiet
from .programs import Program, need
from .servers import Server


class _MariaDb:
    """On a unix socket alone. Its superuser has no password."""

    def __init__(self, folder: Path):
        program, tool = need("mariadbd"), need("mariadb")
        data = folder / "db"
        self.socket = folder / "db.sock"
        # --no-defaults comes first, or the machine's own settings count.
        quiet(need("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--skip-test-db",
              "--auth-root-authentication-method=normal", "--user=root")
        self._program = Program(
            [program, "--no-defaults", f"--datadir={data}", f"--socket={self.socket}",
             "--skip-networking", "--user=root", "--innodb-flush-log-at-trx-commit=0"],
            "ready for connections", folder)
        assert self._program.wait_ready(), "".join(self._program.output)
        quiet(tool, "--no-defaults", "-S", self.socket, "-u", "root", "-e",
              "CREATE DATABASE wordpress")

    def stop(self):
        self._program.stop()


class WordPress(Server):
    """Under PHP's own server, in a folder of links to the package's files but the settings."""

    credentials = LOGIN

    def __init__(self, folder: Path):
        self._php = need("php")
        self._tree = need_folder("/usr/share/wordpress")
        self._database = _MariaDb(folder)
        try:
            super().__init__(folder, ["http"])
        except BaseException:
            self._database.stop()
            raise
        self.url = f"http://127.0.0.1:{self.port}/xmlrpc.php"

    def stop(self):
        super().stop()
        self._database.stop()

    def make(self):
        site = self.folder / "site"
        if not site.exists():
            site.mkdir()
            for file in self._tree.iterdir():
                if file.name != "wp-config.php":
                    (site / file.name).symlink_to(file)
        (site / "wp-config.php").write_text(f"""<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{self._database.socket}');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
define('WP_SITEURL', 'http://127.0.0.1:{self.port}');
define('WP_HOME', WP_SITEURL);
define('DISABLE_WP_CRON', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
$table_prefix = 'wp_';
require_once ABSPATH . 'wp-settings.php';
""")
        # The links would lead WordPress to the package's own settings.
        prepend = self.folder / "prepend.php"
        prepend.write_text(f"<?php define('ABSPATH', '{site}/');\n")
        command = [self._php, "-q", "-d", f"auto_prepend_file={prepend}"]
        installation = self.folder / "install.php"
        installation.write_text(f"""<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1:{self.port}';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REQUEST_URI'] = $_SERVER['PHP_SELF'] = '/';
function wp_mail() {{ return true; }}
require ABSPATH . 'wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
if (!is_blog_installed()) {{
    wp_install('Test', '{USER}', 'a@example.org', false, '', '{PASSWORD}');
    wp_insert_user(['user_login' => 'joe', 'user_pass' => '{PASSWORD}', 'role' => 'subscriber']);
}}
""")
        quiet(*command, installation)
        return [*command, "-S", f"127.0.0.1:{self.port}", "-t", str(site)]
