"""Migrations: they make exactly the tables, run once, keep the rows, and leave a backup."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlmodel import SQLModel

import storage.tables  # noqa: F401  registers the tables
from lab.core.errors import LabError
from storage.database import Store, open_store
from storage.migrate import MIGRATIONS, current_version, upgrade
from storage.tables import Job

NEXT = '''
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    op.add_column("job", sa.Column("note", sa.String(), nullable=False, server_default="none"))
    {more}
'''


def _with_next(tmp_path: Path, head: str, more: str = "pass") -> Path:
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    (folder / "versions" / "9999_next.py").write_text(NEXT.format(head=head, more=more))
    return folder


def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    with store.write_engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_opening_again_changes_nothing_and_makes_no_backup(store: Store) -> None:
    open_store(home=store.home.path).close()
    assert not store.home.backups.exists()


def test_an_older_store_is_backed_up_then_upgraded_and_keeps_its_rows(store: Store, tmp_path: Path) -> None:
    with store.write() as session:
        session.add(Job(uid="a" * 12, kind="echo", name="kept"))
    head = current_version(store.write_engine)
    migrations = _with_next(tmp_path, head)
    backup = upgrade(store.write_engine, store.home, migrations)
    for path, columns in ((backup, 0), (store.home.path / "lab.db", 1)):
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT name FROM job").fetchall() == [("kept",)]
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            found = connection.execute("SELECT count(*) FROM pragma_table_info('job') WHERE name = 'note'").fetchone()
            assert found == (columns,)
    assert current_version(store.write_engine) == "9999"
    assert upgrade(store.write_engine, store.home, migrations) is None


def test_a_migration_that_fails_half_way_leaves_the_store_as_it_was(store: Store, tmp_path: Path) -> None:
    head = current_version(store.write_engine)
    with pytest.raises(ZeroDivisionError):
        upgrade(store.write_engine, store.home, _with_next(tmp_path, head, "1 / 0"))
    assert current_version(store.write_engine) == head
    open_store(home=store.home.path).close()


def test_a_store_from_a_newer_version_is_refused_and_left_alone(store: Store) -> None:
    with sqlite3.connect(store.home.path / "lab.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '7777'")
    with pytest.raises(LabError, match="newer version of Trace Lab .*7777.*Update the program"):
        open_store(home=store.home.path)
    assert not store.home.backups.exists()


def test_many_processes_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    code = f"from storage.database import open_store; open_store(home={str(tmp_path / 'home')!r}); print('opened')"
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=60)[0].strip() for process in processes] == ["opened"] * 3
