"""The store: who may write, what a full disk or a damaged file says."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from lab.core.errors import LabError
from storage.database import Store, open_store
from storage.tables import Job, JobEvent


def _add(store: Store, uid: str = "a" * 12, **columns: object) -> Job:
    with store.write() as session:
        job = Job(uid=uid, kind="echo", name="x", **columns)
        session.add(job)
    return job


def test_the_store_is_wal_with_foreign_keys_and_rows_can_be_used_after_their_session(store: Store) -> None:
    with store.write() as session:
        modes = [session.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")]
    assert modes == ["wal", 1]
    job = _add(store)
    assert job.id == 1 and job.created_at.tzinfo is not None


def test_the_reading_engine_cannot_write(store: Store) -> None:
    with pytest.raises(LabError), store.read() as session:
        session.add(Job(uid="b" * 12, kind="echo", name="x"))
        session.commit()


def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as session:
        session.add(Job(uid="b" * 12, kind="echo", name="x"))
        session.flush()
        raise ZeroDivisionError
    with store.read() as session:
        assert session.exec(select(Job)).all() == []


def test_a_row_that_points_nowhere_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"), store.write() as session:
        session.add(JobEvent(job_id=99, state="queued"))


def test_a_writer_holds_the_lock_from_the_start_and_readers_do_not_wait(store: Store) -> None:
    order: list[str] = []

    def second() -> None:
        with store.write():
            order.append("second")

    with store.write() as session:
        session.add(Job(uid="c" * 12, kind="echo", name="x"))
        thread = threading.Thread(target=second)
        thread.start()
        with store.read() as reader:
            assert reader.exec(select(Job)).all() == []  # the committed past, at once
        time.sleep(0.2)
        order.append("first")
    thread.join(15)
    assert order == ["first", "second"]


def test_a_file_that_is_no_store_is_said_to_be_damaged(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "lab.db").write_text("this is no database" * 100)
    with pytest.raises(LabError, match="is damaged"):
        open_store(home=home)


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError, match="LAB_HOME .* cannot be made"):
        open_store(home=tmp_path / "file" / "home")


def test_a_url_nobody_can_open_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="LAB_DATABASE_URL cannot be opened"):
        open_store("nothing://x", tmp_path)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True)
    if mount.returncode:
        pytest.skip("this test mounts a tmpfs, and this user may not")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_one_sentence_and_what_was_stored_stays(tiny_disk: Path) -> None:
    store = open_store(home=tiny_disk / "home")
    _add(store)
    filler = tiny_disk / "filler"
    with pytest.raises(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"0" * 4096)
    with pytest.raises(LabError, match="the disk is full. Nothing stored is lost") as caught:
        for number in range(1000):
            _add(store, uid=f"u{number}", message="x" * 1000)
    assert caught.value.reason == "disk"
    filler.unlink()
    with store.write() as session:
        assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        assert session.get(Job, 1) is not None
    _add(store, uid="after")
    store.close()


def test_a_read_only_home_is_one_sentence(tiny_disk: Path) -> None:
    open_store(home=tiny_disk / "home").close()
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    with pytest.raises(LabError, match="cannot be written to"):
        open_store(home=tiny_disk / "home")
