"""LAB_DATABASE_URL: what it may say, and how it is shown. No function here lets a password out."""

from __future__ import annotations

from sqlalchemy import URL
from sqlalchemy.engine import make_url

from lab.core.errors import LabError
from storage import postgresql

FORMS = "Write sqlite:////folder/lab.db or postgresql+psycopg://user:password@host:5432/database"


def parse(url: str) -> URL:
    """The address, with its driver. LabError says what a right one looks like."""
    try:
        parsed = make_url(url)
    except Exception:  # many types; their own messages may quote a piece of the password
        raise LabError(f"LAB_DATABASE_URL cannot be opened: it is no database's address. {FORMS}; @ and % in a "
                       "password are written %40 and %25.", "data") from None
    backend = parsed.drivername.partition("+")[0]
    if backend in ("postgres", "postgresql"):
        return postgresql.with_driver(parsed)
    if backend != "sqlite":
        raise LabError(f"LAB_DATABASE_URL cannot be opened: the lab keeps its store in SQLite or PostgreSQL, not in "
                       f"{backend}. {FORMS}.", "data")
    return parsed


def shown(url: URL) -> str:
    """A store's address without its secrets: a password may also stand behind the question mark."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return URL.create("postgresql", url.username, None, url.host, url.port, url.database).render_as_string()
