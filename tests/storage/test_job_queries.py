"""What pages ask about jobs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lab.core.errors import LabError
from storage.database import Store
from storage.queries.jobs import counts_by_state, get_job, list_jobs, metrics, workers
from storage.tables import Job, Metric, Worker, now


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


def test_the_states_are_counted_zeros_included(store: Store, jobs: list[Job]) -> None:
    with store.read() as session:
        assert counts_by_state(session)["queued"] == 3 and counts_by_state(session)["failed"] == 0


def test_a_long_curve_is_thinned_with_its_ends_and_its_spikes_kept(store: Store, jobs: list[Job]) -> None:
    values = {n: float(n) for n in range(1203)} | {700: 9000.0, 701: None}
    with store.write() as session:
        session.add_all(Metric(job_id=1, step=n, name="loss", value=value) for n, value in values.items())
        session.add_all(Metric(job_id=2, step=n, name="loss", value=1.0) for n in range(50))
    with store.read() as session:
        points, short = metrics(session, 1, "loss", max_points=100), metrics(session, 2, "loss", max_points=100)
    assert 50 <= len(points) <= 104 and points[0] == (0, 0.0) and points[-1] == (1202, 1202.0)
    assert (700, 9000.0) in points and [step for step, _ in points] == sorted(step for step, _ in points)
    assert short == [(n, 1.0) for n in range(50)]


def test_a_worker_without_a_heartbeat_is_not_alive(store: Store) -> None:
    with store.write() as session:
        session.add(Worker(name="dead", host="h", pid=1, heartbeat_at=now() - timedelta(minutes=1)))
        session.add(Worker(name="live", host="h", pid=2))
    with store.read() as session:
        assert [worker.name for worker in workers(session)] == ["live"]
        assert len(workers(session, live_only=False)) == 2
