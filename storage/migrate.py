"""Bring a store to the version of this program: back it up first, never destroy, refuse a newer one.

The web process and the workers may open the store at the same moment; a lock lets one migrate while the others wait. On
PostgreSQL the server makes its own backups (pg_dump), and a migration is one transaction there too.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from lab.core.errors import LabError
from storage import postgresql
from storage.address import shown
from storage.files import Home
from storage.sqlite import database_file

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine, home: Home, migrations: Path = MIGRATIONS) -> Path | None:
    """Run the pending migrations. Returns the backup that was made, if one was."""
    config = alembic_config(migrations)
    scripts = ScriptDirectory.from_config(config)
    with _one_at_a_time(engine):
        current, head = current_version(engine), scripts.get_current_head()
        if current == head:
            return None
        known = [script.revision for script in scripts.walk_revisions()]
        if current is not None and current not in known:
            raise LabError(f"the store at {shown(engine.url)} was made by a newer version of Trace Lab (store version "
                           f"{current}, program version {head}). Update the program, or set LAB_HOME or "
                           "LAB_DATABASE_URL to another store.", "data")
        backup = _back_up(engine, home, current)
        # pysqlite has no transactional DDL of its own, but our explicit BEGIN makes each migration all or nothing.
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return backup


def alembic_config(migrations: Path = MIGRATIONS) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def current_version(engine: Engine) -> str | None:
    """The migration a store is at; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _back_up(engine: Engine, home: Home, version: str | None) -> Path | None:
    """VACUUM INTO a new file: a whole, consistent copy, even while others read (SQLite only)."""
    if engine.dialect.name != "sqlite" or not inspect(engine).get_table_names():
        return None
    home.backups.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    backup = home.backups / f"lab-{version or 'unversioned'}-{stamp}.db"
    raw = engine.raw_connection()  # below SQLAlchemy: VACUUM runs in no transaction, and ours begins one by itself
    try:
        raw.execute("VACUUM INTO ?", (str(backup),))
    finally:
        raw.close()
    return backup


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[None]:
    if engine.dialect.name != "sqlite":
        with postgresql.one_migration_at_a_time(engine):
            yield
        return
    with database_file(engine.url).with_name("store.lock").open("w") as file:  # beside the database, which is on a disk
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
