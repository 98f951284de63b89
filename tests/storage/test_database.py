"""The store on both databases: who may write, what readers see, how values come back."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import func
from sqlmodel import col, select

from lab.core.errors import LabError
from storage import postgresql, sqlite
from storage.database import Store, open_store
from storage.tables import Job, JobEvent, Metric


def _add(store: Store, uid: str = "a" * 12, **columns: object) -> Job:
    with store.write() as session:
        job = Job(uid=uid, kind="echo", name="x", **columns)
        session.add(job)
    return job


def test_rows_can_be_used_after_their_session_and_their_times_are_utc(store: Store) -> None:
    job = _add(store)
    with store.read() as session:
        read = session.get_one(Job, job.id)
    assert read.id == 1 and read.created_at == job.created_at and read.created_at.isoformat().endswith("+00:00")


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
    with pytest.raises(Exception, match="(?i)foreign key"), store.write() as session:
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


def test_a_reader_sees_one_moment(store: Store) -> None:
    _add(store, "one")
    with store.read() as session:
        before = session.exec(select(func.count(col(Job.id)))).one()
        _add(store, "two")
        assert session.exec(select(func.count(col(Job.id)))).one() == before == 1
    with store.read() as session:
        assert session.exec(select(func.count(col(Job.id)))).one() == 2


def test_writers_in_many_threads_take_turns_so_that_nothing_read_is_out_of_date(store: Store) -> None:
    with store.write() as session:
        session.add(Job(uid="counter", kind="echo", name="x"))

    def add_one() -> None:
        for _ in range(10):
            with store.write() as session:
                job = session.exec(select(Job)).one()
                job.attempt += 1
                session.add(job)

    threads = [threading.Thread(target=add_one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as session:
        assert session.exec(select(Job.attempt)).one() == 60


def test_writers_in_several_processes_take_turns(store: Store) -> None:
    _add(store)
    code = (
        "from storage.database import open_store; from storage.tables import Job; store = open_store()\n"
        "for _ in range(20):\n"
        "    with store.write() as session:\n"
        "        job = session.get_one(Job, 1); job.attempt += 1; session.add(job)"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]  # the environment names the store
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    with store.read() as session:
        assert session.get_one(Job, 1).attempt == 60


def test_a_store_that_is_held_too_long_is_busy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT_MS", 200)
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 200)
    impatient = open_store(store.url, store.home.path)
    with store.write(), pytest.raises(LabError, match="the store was busy for 10 seconds; try again") as caught:
        with impatient.write():
            pytest.fail("two writers at once")
    assert caught.value.reason == "lost"
    impatient.close()


def test_numbers_that_are_not_finite_come_back_as_none(store: Store) -> None:
    """A loss that exploded must not keep a result out of the store."""
    job = _add(store, facts={"loss": math.nan, "all": [math.inf, 1.5, {"x": -math.inf}]})
    with store.write() as session:
        session.add(Metric(job_id=job.id, step=1, name="loss", value=math.nan))
    with store.read() as session:
        assert session.get_one(Job, job.id).facts == {"loss": None, "all": [None, 1.5, {"x": None}]}
        assert session.exec(select(Metric.value)).one() is None


def test_text_of_any_language_and_a_nul_character_can_be_stored(store: Store) -> None:
    words = "naïve 診断 🩺 <tag> 100% 'quoted' \\ back"
    job = _add(store, message=f"{words}\x00end", facts={"text": "a\x00b"})
    with store.read() as session:
        read = session.get_one(Job, job.id)
        found = session.exec(select(Job.id).where(col(Job.message).icontains("診断", autoescape=True))).all()
    assert read.message.replace("\u2400", "\x00") == f"{words}\x00end" and read.facts == {"text": "a\x00b"}
    assert found == [job.id]


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError, match="LAB_HOME .* cannot be made"):
        open_store(home=tmp_path / "file" / "home")


def test_a_database_of_another_kind_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="LAB_DATABASE_URL cannot be opened.*not in nothing. Write sqlite:////"):
        open_store("nothing://x", tmp_path)
