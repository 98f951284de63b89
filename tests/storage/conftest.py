"""A store of its own for each test: `store` on SQLite and on PostgreSQL, `sqlite_store` for what only the file has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Store
from tests.stores import new_store


@pytest.fixture
def store(any_store: Store) -> Store:
    """The test runs twice, once on each database."""
    return any_store


@pytest.fixture
def sqlite_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """For pragmas, files, backups and disks."""
    monkeypatch.delenv("LAB_DATABASE_URL", raising=False)
    opened = new_store(tmp_path / "home")
    yield opened
    opened.close()
