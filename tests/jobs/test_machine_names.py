"""Jobs that a machine of another name has started. On PostgreSQL it is another machine; on SQLite, which serves one
machine, it is this one under its old name: a container that was made anew."""

from __future__ import annotations

import fcntl
from datetime import timedelta

import pytest

from jobs.devices import cpu_slots
from jobs.leases import claim, register_devices
from jobs.queue import request_cancel, submit
from jobs.watching import REBOOTED
from storage.database import Store
from storage.queries.jobs import events
from storage.queries.queue import devices
from storage.tables import Job, Worker, now
from tests.jobs.conftest import ended, now_of, worker_thread

ON_SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
ELSEWHERE = "elsewhere"


def _claimed_elsewhere(store: Store) -> Job:
    job = submit(store, "echo", {}).jobs[0]
    with store.write() as session:
        register_devices(session, ELSEWHERE, cpu_slots(1, 0))
        assert claim(session, f"{ELSEWHERE}/main:1:1", ELSEWHERE).id == job.id
    return job


def _assert_left_alone(store: Store, job: Job) -> None:
    """Looked at again and again, which a job of our own that ends meanwhile shows."""
    assert ended(store, submit(store, "echo", {"steps": 30, "pause_s": 0.1}).jobs[0]).state == "succeeded"
    row = now_of(store, job)
    assert (row.state, row.host, row.attempt) == ("starting", ELSEWHERE, 1)


@ON_POSTGRESQL
def test_the_jobs_of_another_machine_are_left_alone(store: Store) -> None:
    job = _claimed_elsewhere(store)
    with worker_thread(store):
        _assert_left_alone(store, job)


@ON_SQLITE
def test_the_jobs_of_this_machine_under_its_old_name_go_back_to_the_line(store: Store) -> None:
    job = _claimed_elsewhere(store)
    with worker_thread(store):
        row = ended(store, job)
    assert (row.state, row.attempt) == ("succeeded", 2)
    with store.read() as session:
        assert REBOOTED in [event.why for event in events(session, job.id)]


@ON_SQLITE
def test_a_cancelled_job_of_the_old_name_is_cancelled(store: Store) -> None:
    job = _claimed_elsewhere(store)
    request_cancel(store, job.id)
    with worker_thread(store):
        assert ended(store, job).state == "cancelled"
    assert now_of(store, job).attempt == 1


@ON_SQLITE
def test_a_job_of_the_old_name_is_left_alone_while_a_process_works_in_its_folder(store: Store) -> None:
    job = _claimed_elsewhere(store)
    folder = store.home.job(job.uid)
    folder.path.mkdir(parents=True)
    with worker_thread(store):
        with folder.lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _assert_left_alone(store, job)
        assert ended(store, job).state == "succeeded"


@ON_SQLITE
def test_a_job_of_another_name_is_left_alone_while_its_worker_gives_signs_of_life(store: Store) -> None:
    job = _claimed_elsewhere(store)
    with store.write() as session:
        session.add(Worker(name=f"{ELSEWHERE}/main:1:1", host=ELSEWHERE, pid=1, start_ticks=1, boot_id="there",
                           heartbeat_at=now()))
    with worker_thread(store):
        _assert_left_alone(store, job)


def test_devices_and_workers_of_an_old_name_go_when_a_worker_starts(store: Store) -> None:
    with store.write() as session:
        register_devices(session, "old-container", cpu_slots(2, 0))
        session.add(Worker(name="old-container/main:1:1", host="old-container", pid=1,
                           heartbeat_at=now() - timedelta(minutes=5)))
    with worker_thread(store):
        assert ended(store, submit(store, "echo", {}).jobs[0]).state == "succeeded"
    with store.read() as session:
        hosts = {device.host for device in devices(session)}
    assert ("old-container" in hosts) is (store.write_engine.dialect.name != "sqlite")
