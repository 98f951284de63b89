"""The few faults of a database that a person can mend, each as one sentence. Anything else is a bug and stays one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lab.core.errors import LabError, Reason

BUSY = "the store was busy for 10 seconds; try again."
FULL = "the store at {place} cannot be written: the disk is full. Nothing stored is lost; free some space and try " \
       "again."

SQLITE: tuple[tuple[tuple[str, ...], str, Reason], ...] = (  # words of the message → sentence
    (("disk is full", "disk I/O error", "No space left"), FULL, "disk"),
    (("readonly database", "unable to open database file"),
     "the store at {place} cannot be written to. Check its permissions, or set LAB_HOME to another folder.", "disk"),
    (("database is locked",), BUSY, "lost"),
    (("file is not a database", "malformed"),
     "the store at {place} is damaged ({text}). Copies are under {backups}.", "data"),
)

POSTGRESQL: dict[str, tuple[str, Reason]] = {  # SQLSTATE → sentence
    "55P03": (BUSY, "lost"),
    "53100": (FULL.replace("disk is full", "server's disk is full"), "disk"),
    "53300": ("the server of the store at {place} has no connection left. Raise its max_connections, or stop programs "
              "that use it.", "lost"),
    "22003": ("a number is too large for the store at {place} ({text}).", "spec"),
    "25006": ("the store at {place} cannot be written to: its server is read only (a standby?). Point LAB_DATABASE_URL "
              "at the primary server.", "data"),
    "25P03": ("a change to the store was given up because it stood still for a minute; try again.", "lost"),
    "42501": ("the store at {place} cannot be used by this user ({text}). Make the user the owner of the database: "
              "ALTER DATABASE … OWNER TO …", "data"),
}
LOST = "the store at {place} cannot be reached any more ({text}), and the last change may be lost. The lab goes on " \
       "by itself when the server is back."

CONNECTING: tuple[tuple[tuple[str, ...], str, Reason], ...] = (  # libpq gives no SQLSTATE here, only words
    (("password authentication failed", "no password supplied"),
     "the store at {place} does not accept the password. Check LAB_DATABASE_URL (@ and % in a password are written "
     "%40 and %25), PGPASSWORD or the file .pgpass.", "data"),
    (('database "',),
     "the store at {place} does not exist yet ({text}). Make it: createdb --encoding=UTF8 --template=template0 NAME",
     "data"),
    (("too many clients", "too many connections", "connection slots"), POSTGRESQL["53300"][0], "lost"),
    (("starting up", "shutting down", "not yet accepting"),
     "the server of the store at {place} is starting or stopping; try again in a moment.", "lost"),
    (("",), "the store at {place} cannot be reached ({text}). Start its server, or check LAB_DATABASE_URL.", "lost"),
)


@contextmanager
def plain_errors(place: str, backups: str) -> Iterator[None]:
    """`place` is what the store is called in a sentence: it must hold no password."""
    try:
        yield
    except PoolTimeout as error:
        raise LabError("the store was busy: every connection of this process was in use for 30 seconds; try again.",
                       "lost") from error
    except Exception as error:  # the driver's own types when it fails while connecting
        found = _sentence(error)
        if found is None:
            raise
        words, reason, text = found
        raise LabError(words.format(place=place, backups=backups, text=text), reason) from error


def _sentence(error: Exception) -> tuple[str, Reason, str] | None:
    """(sentence to fill in, reason, the database's own words), or None for what nobody can mend."""
    raw: Any = error.orig if isinstance(error, DBAPIError) else error
    text = str(raw).strip()
    if isinstance(raw, sqlite3.Error):
        return _by_words(SQLITE, text)
    if not type(raw).__module__.startswith("psycopg"):
        return None
    if raw.sqlstate in POSTGRESQL:
        return (*POSTGRESQL[raw.sqlstate], _first_line(text))
    if raw.sqlstate is None and type(raw).__name__ == "OperationalError" and _was_connecting(raw):
        return _by_words(CONNECTING, _first_line(text))
    if _is_lost(raw) or getattr(error, "connection_invalidated", False):
        return LOST, "lost", _first_line(text)
    return None


def _was_connecting(raw: Any) -> bool:
    """psycopg's words for what happens before there is a connection; afterwards it is a lost one."""
    return str(raw).startswith(("connection failed", "connection is bad", "failed to resolve", "connection timeout"))


def _is_lost(raw: Any) -> bool:
    return raw.sqlstate is None and type(raw).__name__ == "OperationalError" or \
        raw.sqlstate is not None and raw.sqlstate.startswith(("08", "57P"))


def _by_words(table: tuple[tuple[tuple[str, ...], str, Reason], ...], text: str) -> tuple[str, Reason, str] | None:
    for words, sentence, reason in table:
        if any(word in text for word in words):
            return sentence, reason, text
    return None


def _first_line(text: str) -> str:
    """The server's first line without libpq's preamble of addresses."""
    line = text.splitlines()[0] if text else "no reason given"
    return line.rpartition("FATAL:")[2].strip().rstrip(".")
