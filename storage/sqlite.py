"""The store in one SQLite file: safe settings for each connection, and where such a file may not lie."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy import URL, Engine, event

from lab.core.errors import LabError
from storage.mounts import network_filesystem

BUSY_TIMEOUT_MS = 10_000
POOL = {"pool_size": 20, "max_overflow": 20}


def database_file(url: URL) -> Path:
    """The file a URL names. LabError for a database in memory: the page and the worker are processes of their own."""
    name = (url.database or "").removeprefix("file:").partition("?")[0]
    if name in ("", ":memory:"):
        raise LabError("LAB_DATABASE_URL names no file, and processes cannot share a database in memory. Write "
                       "sqlite:////folder/lab.db (four slashes: an absolute path).", "data")
    return Path(name).absolute()


def prepare(file: Path, mounts: str | None = None) -> None:
    """Make the folder of the file. LabError where SQLite would lose data. `mounts`: see storage.mounts."""
    kind = network_filesystem(file, mounts)
    if kind:
        raise LabError(
            f"the store {file} lies on a network file system ({kind}), where SQLite loses data. Keep the file on a "
            "disk of the machine that runs the page and the worker "
            "(LAB_DATABASE_URL=sqlite:////var/lib/trace-lab/lab.db; LAB_HOME may stay where it is), or use PostgreSQL "
            "(LAB_DATABASE_URL=postgresql+psycopg://user@host/database).", "data")
    os.makedirs(file.parent, exist_ok=True)


def configure(engine: Engine, writes: bool) -> None:
    """Settings of each connection; a writing one takes the write lock when its transaction begins."""
    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN is switched off; ours is below
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        if writes:
            connection.execute("PRAGMA journal_mode=WAL")
        else:
            connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: object) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")  # type: ignore[attr-defined]
