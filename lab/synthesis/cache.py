"""The cache of replies: what this lab has paid for once, it has. One SQLite file, for all jobs of a LAB_HOME.

A reply is committed before anything is done with it, so that a process may be killed at any time. The write-ahead log
without a sync per commit survives that; a power cut may lose the last replies, never the file. Failures are not kept.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lab.core.errors import LabError
from lab.core.settings import Settings
from lab.synthesis.machine import Ask, Reply

OURS = 0x4C414252  # SQLite's application_id of this file: 'LABR'
VERSION = 1
BUSY_S = 60.0  # how long a write waits for those of other jobs
TABLES = ("""CREATE TABLE IF NOT EXISTS replies (
    key BLOB PRIMARY KEY,         -- sha256 of the request
    reply TEXT NOT NULL,          -- Reply as JSON
    model TEXT NOT NULL,          -- who answered, for whoever looks into the file
    job TEXT NOT NULL,            -- who paid
    role TEXT NOT NULL,           -- the model's part in that job
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    told INTEGER NOT NULL,        -- 0: the tokens are an estimate
    at REAL NOT NULL              -- seconds since 1970
)""", "CREATE INDEX IF NOT EXISTS replies_job ON replies (job)")
PAID = "SELECT role, count(*), sum(1 - told), sum(prompt_tokens), sum(completion_tokens) FROM replies WHERE job = ?"


@dataclass(frozen=True)
class Kept:
    """A reply as the cache has it."""

    key: bytes
    reply: Reply
    model: str
    job: str
    role: str
    told: bool = True


def cache_path() -> Path:
    """Where the lab of this environment keeps its replies."""
    return Settings.from_env().home / "cache" / "replies.sqlite"


def request_key(who: str, ask: Ask, salt: str = "") -> bytes:
    """sha256 over everything that decides a reply. `who`: identity of the model; the role and the template do not."""
    parts = [who, ask.messages, ask.max_new_tokens, ask.temperature, ask.top_p, ask.seed, salt]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).digest()


class Paid(NamedTuple):
    """Replies of one role that a job has paid for."""

    n_requests: int
    n_without_usage: int
    n_prompt_tokens: int
    n_completion_tokens: int


class ReplyCache:
    """One process' hold of the file. LabError for a file that is none of ours; it is left as it is."""

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._plain_errors():
            self._store = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            try:
                self._open()
            except BaseException:
                self._store.close()
                raise

    def get(self, key: bytes) -> Reply | None:
        with self._plain_errors():
            row = self._store.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
            return Reply.model_validate_json(row[0]) if row else None

    def put(self, replies: Sequence[Kept]) -> None:
        """All of them, or none. One that is there already stays: two jobs may have paid for the same."""
        if not replies:
            return
        now = time.time()
        rows = [(one.key, one.reply.model_dump_json(), one.model, one.job, one.role, one.reply.n_prompt_tokens,
                 one.reply.n_completion_tokens, one.told, now) for one in replies]
        with self._plain_errors(), self._writing():
            self._store.executemany("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def paid(self, job: str) -> dict[str, Paid]:
        """What one job has paid for, by role: also what it had no time to note before it was killed."""
        with self._plain_errors():
            rows = self._store.execute(f"{PAID} GROUP BY role", (job,)).fetchall()
        return {row[0]: Paid(*row[1:]) for row in rows}

    def __len__(self) -> int:
        with self._plain_errors():
            return self._store.execute("SELECT count(*) FROM replies").fetchone()[0]

    def close(self) -> None:
        self._store.close()

    def _open(self) -> None:
        if not self._pragma("schema_version") and not self._pragma("application_id"):
            self._create()
        found = self._pragma("application_id"), self._pragma("user_version")
        if found[0] != OURS:
            raise LabError(f"{self.path} is no cache of replies but another database: move it away, and the lab makes "
                           "its own there")
        if found[1] != VERSION:
            raise LabError(f"{self.path} is a cache of replies of another version of the lab ({found[1]}; this one "
                           f"reads {VERSION}): move it away, or use the lab that wrote it")
        self._store.execute("PRAGMA synchronous = NORMAL")

    def _create(self) -> None:
        """Several jobs may come here at once; switching to the log does not wait for others by itself."""
        _patiently(lambda: self._store.execute("PRAGMA journal_mode = WAL"))
        with self._writing():
            for table in TABLES:
                self._store.execute(table)
            self._store.execute(f"PRAGMA application_id = {OURS}")
            self._store.execute(f"PRAGMA user_version = {VERSION}")

    def _pragma(self, name: str) -> int:
        return self._store.execute(f"PRAGMA {name}").fetchone()[0]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._store.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._store.execute("COMMIT")
        except BaseException:
            if self._store.in_transaction:
                self._store.execute("ROLLBACK")
            raise

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise LabError(f"the disk is full: {self.path} takes no further reply. Free some space, then resume: "
                               "what is kept is not asked again.", "disk") from None
            raise LabError(f"the cache of replies {self.path} cannot be used ({error}): is its folder on a disk of "
                           "this machine, and may the lab write there?", "disk") from None
        except (sqlite3.DatabaseError, ValueError) as error:
            raise LabError(f"the cache of replies {self.path} is broken, or no such file ({error}): move it away, and "
                           "the lab begins a new one") from None


def _patiently(call: Callable[[], Any]) -> None:
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            with closing(call()):
                return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)
