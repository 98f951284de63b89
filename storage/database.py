"""The store: one SQLite file by default, any SQLAlchemy URL otherwise.

Two engines share it. The reading one opens plain transactions and cannot write; the writing one takes SQLite's write
lock at BEGIN IMMEDIATE, because read-then-write in a deferred transaction claims jobs twice. Keep write transactions
short and without I/O.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from lab.core.errors import LabError
from lab.core.settings import Settings
from storage.files import Home
from storage.migrate import upgrade

BUSY_TIMEOUT_MS = 10_000


@dataclass(frozen=True)
class Store:
    """An open store. `with store.read() as session:` for pages, `with store.write() as session:` for changes."""

    url: str
    home: Home
    read_engine: Engine
    write_engine: Engine

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the store and changes nothing."""
        with _plain_errors(self), Session(self.read_engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction, with the write lock from its start: committed at the end, rolled back when it raises."""
        with _plain_errors(self), Session(self.write_engine, expire_on_commit=False) as session:
            session.connection()  # BEGIN IMMEDIATE now: what is read inside is still true when it is written
            yield session
            session.commit()

    def close(self) -> None:
        self.read_engine.dispose()
        self.write_engine.dispose()


def open_store(url: str | None = None, home: Path | str | None = None) -> Store:
    """Open (and, when it is new or old, migrate) the store that the arguments or the environment name."""
    settings = Settings.from_env()
    if home is None:
        place = Home(settings.home)
    else:
        place = Home(Path(home).expanduser().absolute())
    if url is None:
        url = settings.database_url if home is None else f"sqlite:///{place.path / 'lab.db'}"
    place.create()
    read_engine, write_engine = _engine(url, writes=False), _engine(url, writes=True)
    store = Store(url, place, read_engine, write_engine)
    with _plain_errors(store):
        upgrade(write_engine, place)
    return store


def _engine(url: str, writes: bool) -> Engine:
    try:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        if sqlite and parsed.database:
            os.makedirs(os.path.dirname(os.path.abspath(parsed.database)), exist_ok=True)
        engine = create_engine(parsed, pool_size=20, max_overflow=20, pool_pre_ping=not sqlite)
    except Exception as error:  # a bad URL or a driver that is not installed: many types, one sentence
        raise LabError(f"LAB_DATABASE_URL cannot be opened: {error}", "data") from None
    if sqlite:
        _configure_sqlite(engine, writes)
    return engine


def _configure_sqlite(engine: Engine, writes: bool) -> None:
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


@contextmanager
def _plain_errors(store: Store) -> Iterator[None]:
    """The few faults of a database that a person can mend, as sentences; anything else stays what it is."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:  # the driver's own when it fails while connecting
        text = str(getattr(error, "orig", error))
        if "disk is full" in text or "disk I/O error" in text or "No space left" in text:
            raise LabError(f"the store at {store.home} cannot be written: the disk is full. Nothing stored is lost; "
                           "free some space and try again.", "disk") from error
        if "readonly database" in text or "unable to open database file" in text:
            raise LabError(f"the store at {store.home} cannot be written to. Check its permissions, or set LAB_HOME to "
                           "another folder.", "disk") from error
        if "database is locked" in text:
            raise LabError("the store was busy for 10 seconds; try again.", "lost") from error
        if "file is not a database" in text or "malformed" in text:
            raise LabError(f"the store at {store.home} is damaged ({text}). Copies are under {store.home.backups}.",
                           "data") from error
        raise
