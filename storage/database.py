"""The store: one SQLite file by default, a PostgreSQL database where several machines share it.

Two engines share it. The reading one cannot write; the writing one takes the store's write lock when its transaction
begins, because read-then-write without it claims jobs twice: BEGIN IMMEDIATE on SQLite, an advisory lock on PostgreSQL.
So what is read in a write session is still true when it is written. Keep write sessions short and without I/O.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any

from sqlalchemy import URL, Engine, create_engine
from sqlmodel import Session

from lab.core.errors import LabError
from lab.core.settings import Settings
from storage import postgresql, sqlite
from storage.address import parse, shown
from storage.faults import plain_errors
from storage.files import Home
from storage.migrate import upgrade


@dataclass(frozen=True)
class Store:
    """An open store. `with store.read() as session:` for pages, `with store.write() as session:` for changes."""

    url: str = field(repr=False)  # may hold a password
    home: Home
    read_engine: Engine
    write_engine: Engine
    turn: AbstractContextManager[Any] = field(default_factory=RLock, repr=False, compare=False)
    # threads of one process wait for each other here: SQLite makes them poll, and the unlucky ones wait too long

    @property
    def place(self) -> str:
        """What the store is called on a page or in a message: the file, or user, host and database."""
        return shown(self.write_engine.url)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the store and changes nothing."""
        with self._plain_errors(), Session(self.read_engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction, with the write lock from its start: committed at the end, rolled back when it raises."""
        with self.turn, self._plain_errors(), Session(self.write_engine, expire_on_commit=False) as session:
            session.connection()  # begins, and takes the lock, now
            yield session
            session.commit()

    def close(self) -> None:
        self.read_engine.dispose()
        self.write_engine.dispose()

    def _plain_errors(self) -> AbstractContextManager[None]:
        return plain_errors(self.place, str(self.home.backups))


def open_store(url: str | None = None, home: Path | str | None = None) -> Store:
    """Open (and, when it is new or old, migrate) the store that the arguments or the environment name."""
    settings = Settings.from_env()
    if home is None:
        place = Home(settings.home)
    else:
        place = Home(Path(home).expanduser().absolute())
    if url is None:
        url = settings.database_url if home is None else f"sqlite:///{place.path / 'lab.db'}"
    parsed = parse(url)
    place.create()
    store = Store(url, place, _engine(parsed, writes=False), _engine(parsed, writes=True))
    with store._plain_errors():
        upgrade(store.write_engine, place)
    return store


def _engine(url: URL, writes: bool) -> Engine:
    try:
        if url.get_backend_name() == "sqlite":
            sqlite.prepare(sqlite.database_file(url))
            engine = create_engine(url, json_serializer=json_text, **sqlite.POOL)
            sqlite.configure(engine, writes)
        else:
            args = postgresql.connect_args(url)
            engine = create_engine(url, json_serializer=json_text, connect_args=args, **postgresql.POOL)
            postgresql.configure(engine, writes)
    except LabError:
        raise
    except Exception as error:  # a folder that cannot be made, a driver that is not installed: one sentence
        raise LabError(f"LAB_DATABASE_URL cannot be opened: {error}", "data") from None
    return engine


def json_text(value: Any) -> str:
    """A JSON column's text. A number that is not finite becomes null: PostgreSQL takes no NaN in JSON."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
