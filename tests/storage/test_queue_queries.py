"""The line: order, estimates, what may start, the pause."""

from __future__ import annotations

from datetime import timedelta

from storage.database import Store
from storage.queries.queue import is_paused, line, mean_seconds, ready_jobs, set_paused
from storage.tables import Device, Job, JobDependency, now


def _add(store: Store, *jobs: Job) -> list[int]:
    with store.write() as session:
        session.add_all(jobs)
    return [job.id for job in jobs]


def _job(number: int, state: str = "queued", **columns: object) -> Job:
    return Job(**{"uid": f"uid-{number}", "kind": "sft", "name": f"job {number}", "state": state, "rank": number,
                  **columns})


def _lasted(number: int, seconds: float, kind: str = "sft") -> Job:
    start = now() - timedelta(hours=1)
    return _job(number, "succeeded", kind=kind, started_at=start, finished_at=start + timedelta(seconds=seconds))


def _slots(store: Store, n: int) -> None:
    with store.write() as session:
        session.add_all(Device(host="here", name=f"cpu:{i}", kind="cpu") for i in range(n))


def test_higher_priority_goes_first_then_the_lower_rank(store: Store) -> None:
    late, early, urgent = _add(store, _job(3), _job(2), _job(9, priority=1))
    with store.read() as session:
        assert [job.id for job in ready_jobs(session)] == [urgent, early, late]
        assert {job_id: place.number for job_id, place in line(session).items()} == {urgent: 1, early: 2, late: 3}


def test_a_job_is_ready_once_all_it_needs_has_succeeded(store: Store) -> None:
    done, failed, waits, ready = _add(store, _lasted(1, 5), _job(2, "failed"), _job(3), _job(4))
    with store.write() as session:
        session.add(JobDependency(job_id=waits, needs_id=done))
        session.add(JobDependency(job_id=waits, needs_id=failed))
        session.add(JobDependency(job_id=ready, needs_id=done))
    with store.read() as session:
        assert [job.id for job in ready_jobs(session)] == [ready]


def test_the_estimate_plays_the_line_through(store: Store) -> None:
    """Two slots; one job has 30 s left. Jobs take 60 s, a benchmark 10 s and needs the first of them."""
    _slots(store, 2)
    _add(store, _lasted(1, 60), _lasted(2, 10, kind="benchmark"))
    _add(store, _job(3, "running", eta_s=30.0, started_at=now()))
    first, bench, second, third = _add(store, _job(4), _job(5, kind="benchmark"), _job(6), _job(7))
    with store.write() as session:
        session.add(JobDependency(job_id=bench, needs_id=first))
    with store.read() as session:
        starts = {job_id: place.seconds for job_id, place in line(session).items()}
    assert starts == {first: 0, second: 30, bench: 60, third: 70}


def test_where_nothing_of_a_kind_has_run_yet_nothing_is_promised(store: Store) -> None:
    _slots(store, 1)
    first, second = _add(store, _job(1), _job(2))
    with store.read() as session:
        assert [line(session)[job_id].seconds for job_id in (first, second)] == [0, None]
        assert mean_seconds(session, "sft") is None


def test_without_a_device_nobody_knows_when_a_job_starts(store: Store) -> None:
    (job,) = _add(store, _job(1))
    with store.read() as session:
        assert line(session)[job].seconds is None


def test_the_two_lanes_have_lines_of_their_own(store: Store) -> None:
    work, chat = _add(store, _job(1), _job(2, kind="engine", lane="chat"))
    with store.read() as session:
        assert {job: place.number for job, place in line(session).items()} == {work: 1, chat: 1}


def test_a_pause_is_remembered(store: Store) -> None:
    with store.read() as session:
        assert not is_paused(session)
    for paused in (True, False, True):
        with store.write() as session:
            set_paused(session, paused)
        with store.read() as session:
            assert is_paused(session) is paused
