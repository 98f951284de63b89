"""The places that every scenario runs in. A store of its own for each test, in SQLite: which database it is in is a
matter of the storage tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Store
from tests.jobs.conformance.places import Place
from tests.jobs.slurm.conftest import cluster, only_cluster, own_cluster
from tests.stores import new_store

__all__ = ["cluster", "only_cluster", "own_cluster"]  # fixtures that these tests use, too


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    home = tmp_path / "home"
    monkeypatch.setenv("LAB_EXTRA_TASKS", "tests.jobs.fake_tasks,tests.jobs.conformance.tasks")
    monkeypatch.setenv("LAB_HOME", str(home))
    monkeypatch.setenv("LAB_DATABASE_URL", f"sqlite:///{home / 'lab.db'}")
    monkeypatch.setenv("PGPASSWORD", "nobody's business on a node")
    opened = new_store(home)
    yield opened
    opened.close()


@pytest.fixture(params=["local", "slurm"])
def place(request: pytest.FixtureRequest, store: Store) -> Place:
    """A test that uses it runs twice: on this machine, and on Slurm where that can be started."""
    made = Place(store, request.getfixturevalue("cluster") if request.param == "slurm" else None)
    made.allow()
    return made


@pytest.fixture
def slurm(request: pytest.FixtureRequest, store: Store) -> Place:
    """Slurm alone."""
    made = Place(store, request.getfixturevalue("cluster"))
    made.allow()
    return made
