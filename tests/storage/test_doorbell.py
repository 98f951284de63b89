"""The doorbell rings once for each new job, and never on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from storage.database import Store
from storage.doorbell import Doorbell
from storage.tables import Job
from tests.stores import new_store


def _add(store: Store, uid: str) -> None:
    with store.write() as session:
        session.add(Job(uid=uid, kind="echo", name="x"))


def test_it_rings_once_for_every_new_job(store: Store) -> None:
    _add(store, "a")
    bell, rings = Doorbell(store.write_engine), store.write_engine.dialect.name == "sqlite"
    assert not bell.rang()  # what was there before is not new
    for uid in ("b", "c"):
        _add(store, uid)
        assert bell.rang() is rings
        assert not bell.rang()
    bell.close()


def test_a_store_that_is_gone_rings_no_bell(tmp_path: Path) -> None:
    store = new_store(tmp_path / "home")
    bell = Doorbell(store.write_engine)
    store.close()
    (tmp_path / "home" / "lab.db").write_bytes(b"")
    assert not bell.rang()
