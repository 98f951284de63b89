"""A database that is used again holds nothing of the test before, and nobody from that test reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from lab.core.errors import LabError
from storage.database import Store, open_store
from storage.tables import Job, JobEvent
from tests.postgres import Postgres
from tests.postgres_reuse import WRITTEN_TO


@pytest.fixture
def used(postgres: Postgres, tmp_path: Path) -> Iterator[Store]:
    """A store whose database is the only spare one, once it is given back."""
    before, postgres.spare = postgres.spare, []
    opened = open_store(postgres.migrated_database(), tmp_path)
    yield opened
    opened.close()
    postgres.spare += before


def _add_rows(store: Store) -> None:
    with store.write() as session:
        session.add_all(Job(uid=f"u{number}", kind="echo", name="x", message="long " * 2000) for number in range(20))
        session.flush()
        session.add(JobEvent(job_id=session.exec(select(Job.id)).first(), state="queued"))


def test_what_is_lent_again_is_as_a_new_copy(used: Store, postgres: Postgres, tmp_path: Path) -> None:
    _add_rows(used)
    postgres.give_back(used.url)
    (name,) = postgres.spare
    with postgres.admin(name) as connection:
        assert connection.execute(WRITTEN_TO).fetchall() == []
    again = open_store(postgres.migrated_database(), tmp_path)
    _add_rows(again)
    with again.read() as session:
        assert session.execute(text("SELECT min(id), max(id) FROM job")).one() == (1, 20)
    again.close()
    postgres.give_back(again.url)


def test_who_outlives_a_test_finds_no_database(used: Store, postgres: Postgres) -> None:
    _add_rows(used)
    postgres.give_back(used.url)
    with pytest.raises(LabError):
        _add_rows(used)
    with pytest.raises(LabError, match="does not exist yet"):
        _add_rows(used)


@pytest.mark.parametrize("change", [
    "ALTER TABLE job ADD COLUMN more integer", "CREATE TABLE extra (id integer)", "CREATE INDEX extra ON job (name)",
    "DROP TABLE metric CASCADE", "UPDATE alembic_version SET version_num = '7777'",
])
def test_a_database_whose_tables_have_changed_is_dropped(used: Store, postgres: Postgres, change: str) -> None:
    with used.write_engine.begin() as connection:
        connection.execute(text(change))
    postgres.give_back(used.url)
    assert postgres.spare == []
