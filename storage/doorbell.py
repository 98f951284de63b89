"""Whether a new job has come, asked so cheaply that a worker may ask twenty times a second.

Only SQLite has one: a question to a file of this machine takes microseconds. A worker on PostgreSQL looks at every
tick.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import Engine

from storage.sqlite import database_file


class Doorbell:
    """Rings once for every job that is newer than the newest it has seen."""

    def __init__(self, engine: Engine):
        self._connection: sqlite3.Connection | None = None
        self._newest = 0
        if engine.dialect.name == "sqlite":
            path = database_file(engine.url)
            self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, timeout=0)
            self.rang()

    def rang(self) -> bool:
        if self._connection is None:
            return False
        try:
            newest = self._connection.execute("SELECT max(id) FROM job").fetchone()[0] or 0
        except sqlite3.Error:  # busy, or gone with its folder: the next tick tells
            return False
        rings, self._newest = newest > self._newest, newest
        return rings

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
