"""What only a server can do: refuse a user, be away, come back, fill its disk. Each fault is one plain sentence."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from lab.core.errors import LabError
from storage import postgresql
from storage.database import Store, open_store
from storage.queries.studies import get_variant
from storage.tables import Job
from tests.postgres import PASSWORD, Postgres


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def pg_store(postgres: Postgres, home: Path) -> Iterator[Store]:
    url = postgres.migrated_database()
    opened = open_store(url, home)
    yield opened
    opened.close()
    postgres.give_back(url)


def _add(store: Store, uid: str, message: str = "") -> None:
    with store.write() as session:
        session.add(Job(uid=uid, kind="echo", name="x", message=message))


def _refusal(url: str, home: Path) -> str:
    """The sentence; the whole chain of errors behind it is searched for the password."""
    with pytest.raises(LabError) as caught:
        open_store(url, home)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def test_a_wrong_password_a_missing_database_and_a_missing_server_are_told_apart(
    postgres: Postgres, home: Path
) -> None:
    place = f"the store at postgresql://lab@127.0.0.1:{postgres.port}"
    wrong = _refusal(postgres.url("postgres", password="wrong"), home)
    assert wrong.startswith(f"{place}/postgres does not accept the password") and "wrong@" not in wrong
    missing = _refusal(postgres.url("nowhere"), home)
    assert missing.startswith(f"{place}/nowhere does not exist yet") and "createdb" in missing
    away = _refusal(postgres.url("lab").replace(str(postgres.port), "1"), home)
    assert "cannot be reached" in away and "Connection refused" in away
    unknown = _refusal(postgres.url("lab").replace("127.0.0.1", "no-such-host.invalid"), home)
    assert "cannot be reached" in unknown and "resolve" in unknown


def test_a_store_never_shows_its_password(pg_store: Store) -> None:
    assert PASSWORD in pg_store.url and PASSWORD not in f"{pg_store!r} {pg_store.place}"


def test_a_database_in_another_encoding_is_refused(postgres: Postgres, home: Path) -> None:
    postgres.sql("CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'")
    assert "stores text as SQL_ASCII" in _refusal(postgres.url("ascii"), home)


def test_a_user_who_may_make_no_tables_is_told_so(postgres: Postgres, home: Path) -> None:
    url = postgres.new_database()
    postgres.sql("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    refused = _refusal(url.replace(f"lab:{PASSWORD}", "guest:guest"), home)
    assert "cannot be used by this user (permission denied for schema public" in refused


def test_a_server_that_is_full_or_read_only_is_one_sentence(pg_store: Store) -> None:
    with pytest.raises(LabError, match="the server's disk is full. Nothing stored is lost") as caught:
        with pg_store.write() as session:
            session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'No space left' USING ERRCODE = '53100'; END $$"))
    assert caught.value.reason == "disk"
    with pytest.raises(LabError, match="its server is read only"), pg_store.write() as session:
        session.execute(text("SET TRANSACTION READ ONLY"))
        session.add(Job(uid="x", kind="echo", name="x"))


def test_a_connection_that_is_cut_in_mid_write_is_one_sentence_and_the_next_write_works(pg_store: Store) -> None:
    with pytest.raises(LabError, match="cannot be reached any more .*may be lost") as caught:
        with pg_store.write() as session:
            session.add(Job(uid="lost", kind="echo", name="x"))
            session.flush()
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert caught.value.reason == "lost"
    _add(pg_store, "kept")
    with pg_store.read() as session:
        assert session.exec(select(Job.uid)).all() == ["kept"]


def test_a_server_that_is_restarted_under_an_open_store_is_found_again(
    postgres: Postgres, pg_store: Store
) -> None:
    _add(pg_store, "before")
    postgres.stop()
    try:
        with pytest.raises(LabError, match="cannot be reached"):
            _add(pg_store, "while away")
    finally:
        postgres.start()
    _add(pg_store, "after")
    with pg_store.read() as session:
        assert session.exec(select(Job.uid).order_by(Job.id)).all() == ["before", "after"]


def test_a_writer_that_stands_still_gives_the_lock_back(
    pg_store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine may be dead: nobody may wait for it for hours."""
    monkeypatch.setattr(postgresql, "IDLE_IN_WRITE_MS", 300)
    stopped = open_store(pg_store.url, home)
    with pytest.raises(LabError, match="given up because it stood still|cannot be reached any more"):
        with stopped.write() as session:
            _add(pg_store, "other")  # waits until the server ends the session above
            session.add(Job(uid="late", kind="echo", name="x"))
            session.flush()
    with pg_store.read() as session:
        assert session.exec(select(Job.uid)).all() == ["other"]
    stopped.close()


def test_a_database_at_its_limit_of_connections_is_one_sentence(postgres: Postgres, home: Path) -> None:
    url = postgres.new_database()
    postgres.sql("CREATE ROLE limited LOGIN PASSWORD 'limited' CONNECTION LIMIT 0")
    assert "has no connection left" in _refusal(url.replace(f"lab:{PASSWORD}", "limited:limited"), home)


def test_a_number_that_no_key_can_have_is_one_sentence(pg_store: Store) -> None:
    """As from an address that somebody typed."""
    with pytest.raises(LabError, match="a number is too large for the store .*out of range") as caught:
        with pg_store.read() as session:
            session.get(Job, 10**12)
    assert caught.value.reason == "spec"
    with pg_store.read() as session, pytest.raises(LabError, match="there is no variant '1000000000000'"):
        get_variant(session, 10**12)
