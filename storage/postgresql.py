"""The store on a PostgreSQL server: safe settings for each connection, and the lock that makes writers take turns.

psycopg is imported when a connection is made, so that a lab on SQLite never loads it.
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Engine, event

from lab.core.errors import LabError

WRITE_LOCK, MIGRATION_LOCK = 0x7ACE_1AB0, 0x7ACE_1AB1  # any two numbers: advisory locks are a database's own
LOCK_TIMEOUT_MS = 10_000
MIGRATION_TIMEOUT_MS = 600_000
IDLE_IN_WRITE_MS = 60_000
POOL = {"pool_size": 5, "max_overflow": 10, "pool_pre_ping": True}  # a server's 100 connections serve many processes
NUL, NUL_SIGN = "\x00", "\u2400"
DRIVERS = ("postgres", "postgresql", "postgresql+psycopg")


def with_driver(url: URL) -> URL:
    """The URL with psycopg named. LabError for another driver, or when a password was not percent-encoded."""
    if url.drivername not in DRIVERS:
        raise LabError(f"LAB_DATABASE_URL asks for the driver {url.drivername.partition('+')[2]}; the lab has psycopg. "
                       "Write postgresql+psycopg://user@host/database.", "data")
    if "@" in (url.host or ""):  # part of a password: it must not be shown as a host
        raise LabError("LAB_DATABASE_URL has more than one @. Write an @ in the password as %40.", "data")
    return url.set(drivername="postgresql+psycopg")


def connect_args(url: URL) -> dict[str, Any]:
    """What libpq is told, unless the URL says otherwise: a dead peer is noticed within half a minute."""
    given = {
        "connect_timeout": 10, "client_encoding": "utf8", "keepalives_idle": 10, "keepalives_interval": 5,
        "keepalives_count": 3, "tcp_user_timeout": 30_000,
        "application_name": f"trace-lab {os.getpid()} on {socket.gethostname()}"[:63],
    }
    return {name: value for name, value in given.items() if name not in url.query}


def configure(engine: Engine, writes: bool) -> None:
    """Settings of each connection; a writing one waits for its turn when its transaction begins.

    Readers see one moment (REPEATABLE READ) and cannot write. Writers read what is committed when each statement
    starts: with one writer at a time that is the newest state, while the snapshot of a REPEATABLE READ transaction
    would be older than the lock that it waited for.
    """
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        _require_utf8(connection)
        _adapt(connection)
        connection.autocommit = True
        # A session that stops in mid-write, its machine dead or its process stopped, gives the lock back.
        connection.execute(
            f"SET TIME ZONE 'UTC'; SET lock_timeout = {LOCK_TIMEOUT_MS}; "
            f"SET idle_in_transaction_session_timeout = {IDLE_IN_WRITE_MS if writes else 0}"
        )
        connection.autocommit = False
        _set_transactions(connection, writes)

    if writes:
        @event.listens_for(engine, "begin")
        def _begin(connection: Any) -> None:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")


def _set_transactions(connection: Any, writes: bool) -> None:
    from psycopg import IsolationLevel

    connection.read_only = not writes
    connection.isolation_level = IsolationLevel.READ_COMMITTED if writes else IsolationLevel.REPEATABLE_READ


def _require_utf8(connection: Any) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise LabError(f"the database {connection.info.dbname} stores text as {encoding}, which cannot hold every "
                       "language. Make it again with: createdb --encoding=UTF8 --template=template0 NAME", "data")


def _adapt(connection: Any) -> None:
    """What SQLite takes and this server does not is stored the same way on both, or as near as can be.

    A NaN becomes NULL (SQLite does that by itself). A NUL character, which a half-trained model may well write, cannot
    be stored in text at all here: the sign for it, U+2400, takes its place.
    """
    from psycopg.types.numeric import FloatDumper
    from psycopg.types.string import StrDumperUnknown

    class Text(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace(NUL, NUL_SIGN) if NUL in obj else obj)

    class Number(FloatDumper):
        def dump(self, obj: float) -> Any:
            return None if math.isnan(obj) else super().dump(obj)

    connection.adapters.register_dumper(str, Text)
    connection.adapters.register_dumper(float, Number)


@contextmanager
def one_migration_at_a_time(engine: Engine) -> Iterator[None]:
    """Held while the version is looked at and changed. A file lock would not do: each machine may have its own."""
    connection = engine.raw_connection()  # below SQLAlchemy: this transaction must not take the write lock
    try:
        connection.cursor().execute(
            f"SET LOCAL lock_timeout = {MIGRATION_TIMEOUT_MS}; SET LOCAL idle_in_transaction_session_timeout = 0; "
            f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"
        )
        yield
    finally:
        connection.close()  # rolled back: the lock is free again
