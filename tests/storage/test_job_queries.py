"""What pages ask about jobs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lab.core.errors import LabError
from storage.database import Store
from storage.queries.jobs import counts_by_state, get_job, last_change, list_jobs, metrics, queue_position, workers
from storage.tables import Job, JobEvent, Metric, Worker, now


@pytest.fixture
def jobs(store: Store) -> list[Job]:
    rows = [
        Job(uid=f"uid-{n}", kind="sft" if n % 2 else "echo", name=f"100% job_{n}", priority=int(n == 4),
            state="succeeded" if n < 2 else "queued")
        for n in range(5)
    ]
    with store.write() as session:
        session.add_all(rows)
    return rows


def test_a_page_of_jobs_is_newest_first_with_the_total(store: Store, jobs: list[Job]) -> None:
    with store.read() as session:
        rows, total = list_jobs(session, offset=1, limit=2)
        assert ([row.uid for row in rows], total) == (["uid-3", "uid-2"], 5)
        assert [row.uid for row in list_jobs(session, sort="name", limit=1)[0]] == ["uid-0"]
        assert list_jobs(session, states=["queued"], kinds=["sft"])[1] == 1


def test_the_search_takes_signs_literally(store: Store, jobs: list[Job]) -> None:
    with store.read() as session:
        assert [list_jobs(session, search=text)[1] for text in ("JOB_3", "%", "_", "b%b", "uid-4", "' OR 1")] == [
            1, 5, 5, 0, 1, 0,
        ]


def test_an_unknown_column_or_job_is_one_sentence(store: Store, jobs: list[Job]) -> None:
    with store.read() as session:
        with pytest.raises(LabError, match="cannot be sorted by 'nme'"):
            list_jobs(session, sort="nme")
        for unknown in (99, "no", "9" * 30, "²"):
            with pytest.raises(LabError, match="there is no job"):
                get_job(session, unknown)
        assert get_job(session, "uid-3").id == get_job(session, 4).id


def test_the_place_in_the_queue_follows_priority_then_age(store: Store, jobs: list[Job]) -> None:
    with store.read() as session:
        assert [queue_position(session, job) for job in jobs] == [None, None, 2, 3, 1]
        assert counts_by_state(session)["queued"] == 3 and counts_by_state(session)["failed"] == 0


def test_a_long_curve_is_thinned_with_both_ends_kept(store: Store, jobs: list[Job]) -> None:
    with store.write() as session:
        session.add_all(Metric(job_id=1, step=n, name="loss", value=float(n)) for n in range(1203))
    with store.read() as session:
        points = metrics(session, 1, "loss", max_points=100)
    assert len(points) == 100 and points[0] == (0, 0.0) and points[-1] == (1202, 1202.0)


def test_the_revision_token_changes_with_what_a_page_shows(store: Store, jobs: list[Job]) -> None:
    tokens = set()

    def look() -> None:
        with store.read() as session:
            tokens.add(last_change(session))

    look()
    look()
    assert len(tokens) == 1
    for change in ({"progress_done": 2.0}, {"desired": "cancel"}):
        with store.write() as session:
            job = session.get_one(Job, 3)
            job.sqlmodel_update(change)
            session.add(job)
        look()
    with store.write() as session:
        session.add(JobEvent(job_id=3, state="running"))
    look()
    assert len(tokens) == 4


def test_a_worker_without_a_heartbeat_is_not_alive(store: Store) -> None:
    with store.write() as session:
        session.add(Worker(name="dead", host="h", pid=1, heartbeat_at=now() - timedelta(minutes=1)))
        session.add(Worker(name="live", host="h", pid=2))
    with store.read() as session:
        assert [worker.name for worker in workers(session)] == ["live"]
        assert len(workers(session, live_only=False)) == 2
