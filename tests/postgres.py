"""A real PostgreSQL server for tests, thrown away at their end. The fixtures that use it are in tests/conftest.py.

One server a test process. It is stopped when the session ends, and by the kernel when the test process is killed.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from storage.database import open_store
from tests.postgres_reuse import emptied, schema_of

if TYPE_CHECKING:
    import psycopg

USER, PASSWORD = "lab", "not-to-be-shown"
PREFIX = "lab-postgres-"
TEMPLATE = "migrated"  # a store of this version, which each test gets a copy of
PATIENCE_S = 60.0
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "16MB",
            "max_connections": "200", "listen_addresses": "127.0.0.1", "autovacuum": "off"}


class Unavailable(Exception):
    """Why no server can be had here."""


@dataclass
class Postgres:
    """A running server with user `lab` and its password."""

    binaries: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    n_databases: int = 0
    schema: str = ""  # of the template; "" before it is made
    spare: list[str] = field(default_factory=list)  # names of databases that hold an empty store

    def url(self, database: str, password: str = PASSWORD) -> str:
        return f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Return when it answers."""
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.folder / "data", "-p", str(self.port), "-k", self.folder,
                 *options], stdout=log, stderr=log, preexec_fn=_end_with(os.getpid()), **_as_server_user(),
            )
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log.txt').read_text()[-2000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        asked = [self.binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked).returncode == 0

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: open connections are cut, what was committed stays. SIGQUIT: at once."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE_S)
            self.process = None

    def admin(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the server's administrator, outside of any transaction."""
        import psycopg

        return psycopg.connect(host=str(self.folder), port=self.port, user=USER, dbname=database, autocommit=True)

    def sql(self, *statements: str) -> None:
        with self.admin() as connection:
            for statement in statements:
                connection.execute(statement)

    def new_database(self, template: str = "template0") -> str:
        """The URL of a fresh database: empty, or a copy of another one."""
        name = self._new_name()
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def migrated_database(self) -> str:
        """The URL of a database that holds an empty store of this version, and that nobody else knows."""
        if self.spare:
            return self.url(self.spare.pop())
        if not self.schema:
            self.sql(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
            open_store(self.url(TEMPLATE), self.folder / "home").close()
            with self.admin(TEMPLATE) as connection:
                self.schema = schema_of(connection)
        return self.new_database(TEMPLATE)

    def give_back(self, url: str) -> None:
        """Empty a migrated database for the next test, which takes a tenth of what a new one does.

        Its name changes first: a process that outlives its test finds no database. One whose tables are others now, or
        that somebody does not let go of, is dropped.
        """
        import psycopg

        old, name = url.rpartition("/")[2], self._new_name()
        try:
            self.sql(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{old}'",
                     f"ALTER DATABASE {old} RENAME TO {name}")
        except psycopg.errors.ObjectInUse:
            self.drop(url)
            return
        with self.admin(name) as connection:
            usable = emptied(connection, self.schema)
        if usable:
            self.spare.append(name)
        else:
            self.drop(self.url(name))

    def _new_name(self) -> str:
        self.n_databases += 1
        return f"test_{self.n_databases}"

    def drop(self, url: str) -> None:
        """Cuts the connections that are left."""
        self.sql(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


def binaries() -> Path:
    """The folder of the newest PostgreSQL of this machine; Unavailable says what to install."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    if found or on_path:
        return found[-1].parent if found else Path(on_path).parent
    raise Unavailable("there is no PostgreSQL server here; apt-get install postgresql")


def _server_user() -> str | None:
    """The server refuses to run as root; None: as whoever runs the tests."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Unavailable("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _as_server_user() -> dict[str, object]:
    user = _server_user()
    return {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _end_with(parent: int) -> Callable[[], None]:
    """In the server's process: end it at once when the test process dies, however that happens."""
    set_signal = ctypes.CDLL(None).prctl

    def prepare() -> None:
        set_signal(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG; Python has changed the user before this, which would reset it
        if os.getppid() != parent:
            os._exit(1)
    return prepare


def make_server() -> Postgres:
    """A server with nothing in it, not started."""
    place = binaries()
    remove_leavings()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    user = _server_user()
    if user is not None:
        shutil.chown(folder, user)
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)  # in a folder that only the server's user can enter
    # ICU's order of words, as on most people's servers: it differs from SQLite's order of bytes
    subprocess.run(
        [place / "initdb", "-D", folder / "data", "-U", USER, "--pwfile", secret, "--encoding", "UTF8", "--no-sync",
         "--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en-US", "--auth-local", "trust",
         "--auth-host", "scram-sha-256"],
        check=True, stdout=subprocess.DEVNULL, cwd=folder, **_as_server_user(),
    )
    return Postgres(place, folder, _free_port())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def remove_leavings() -> None:
    """Folders of test processes that were killed: their servers are dead, their files are not."""
    for old in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = old.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(old, ignore_errors=True)
