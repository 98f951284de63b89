"""A store on SQLite alone, for tests of processes: what differs between databases is tested in tests/storage and in the
tests of the line, the worker and a store that goes away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stores import put_store


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """In the place of tests/conftest.py's: a module that imports this has each of its tests once."""
    put_store(tmp_path / "home")
    return f"sqlite:///{tmp_path / 'home' / 'lab.db'}"
