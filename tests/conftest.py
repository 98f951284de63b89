"""Fixtures that any folder of tests may use: a throw-away PostgreSQL, a store on either database, cheap hashes."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from storage import passwords
from storage.database import Store, open_store
from tests.postgres import Postgres, Unavailable, make_server
from tests.stores import put_store

# Before torch or numpy is loaded, and for the processes that tests start: threads of models this small mostly wait for
# each other, and two test processes on two cores wait twice.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server of this test process, or a skip that says what is missing."""
    try:
        server = make_server()
    except Unavailable as error:
        pytest.skip(str(error))
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh store, on either database: a test that uses it runs twice."""
    if request.param == "sqlite":
        put_store(tmp_path / "home")
        yield f"sqlite:///{tmp_path / 'home' / 'lab.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.migrated_database()
    yield url
    server.give_back(url)


@pytest.fixture
def any_store(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A fresh store, named by the environment too, so that a command line started from the test opens the same."""
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LAB_DATABASE_URL", store_url)
    opened = open_store(store_url, tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with little work, for tests of what happens around a hash. What one costs is tested without this."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    nobodys = quick.hash("nobody's password")
    monkeypatch.setattr(passwords, "_hasher", lambda: quick)
    monkeypatch.setattr(passwords, "_nobodys_hash", lambda: nobodys)
