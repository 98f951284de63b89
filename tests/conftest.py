"""Fixtures that any folder of tests may use: a throw-away PostgreSQL, and a store on either database."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Store, open_store
from tests.postgres import Postgres, Unavailable, make_server


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
        yield f"sqlite:///{tmp_path / 'home' / 'lab.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.migrated_database()
    yield url
    server.drop(url)


@pytest.fixture
def any_store(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A fresh store, named by the environment too, so that a command line started from the test opens the same."""
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LAB_DATABASE_URL", store_url)
    opened = open_store(store_url, tmp_path / "home")
    yield opened
    opened.close()
