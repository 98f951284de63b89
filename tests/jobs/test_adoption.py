"""A worker that is killed, and the next one: nothing is lost, nothing runs twice."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from jobs.devices import cpu_slots
from jobs.endings import judge
from jobs.leases import claim, register_devices
from jobs.processes import MARK, identify
from jobs.queue import request_cancel, submit
from jobs.status import LOCK_HELD, SUPERSEDED
from jobs.watching import REBOOTED, VANISHED
from storage.database import Store
from storage.queries.jobs import events, get_job, metrics, workers
from storage.queries.queue import devices
from storage.tables import Worker
from tests.jobs.conftest import ended, now_of, wait_for, worker_thread
from tests.sqlite_alone import store_url  # noqa: F401  once, and not on every database


@contextmanager
def worker_process(store: Store):
    """A real worker process, killed with SIGKILL at the end of the block."""
    env = {**os.environ, "LAB_HOME": str(store.home.path), "LAB_MIN_FREE_MIB": "0"}
    process = subprocess.Popen([sys.executable, "-m", "jobs", "worker"], env=env, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_a_running_job_is_adopted_after_the_worker_is_killed(store: Store) -> None:
    job = submit(store, "echo", {"steps": 80, "pause_s": 0.05}).jobs[0]
    with worker_process(store):
        wait_for(lambda: now_of(store, job).progress_done > 3)
    before = now_of(store, job)
    if store.write_engine.dialect.name == "sqlite":
        with store.write() as session:
            assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    with worker_thread(store):
        row = ended(store, job)
    assert row.state == "succeeded" and row.pid == before.pid and row.attempt == 1
    with store.read() as session:
        steps = [step for step, _ in metrics(session, job.id, "loss")]
        assert any("taken over" in event.why for event in events(session, job.id))
    assert steps == list(range(80))  # no point lost, none twice


def test_a_job_that_ended_while_no_worker_lived_is_judged_by_its_folder(store: Store) -> None:
    job = submit(store, "echo", {"steps": 20, "pause_s": 0.05}).jobs[0]
    with worker_process(store):
        wait_for(lambda: now_of(store, job).state == "running")
    wait_for(lambda: (store.home.job(job.uid).result).exists())
    assert now_of(store, job).state == "running"
    with worker_thread(store):
        row = ended(store, job)
    assert row.state == "succeeded" and row.result["text"] == "hello"


def test_a_job_that_vanished_without_a_verdict_goes_back_to_the_line_and_its_leavings_are_swept(store: Store) -> None:
    job = submit(store, "deaf", {"seconds": 2}).jobs[0]
    with worker_process(store):
        wait_for(lambda: now_of(store, job).facts.get("ready"))
    children = json.loads((store.home.job(job.uid).artifacts / "pids.json").read_text())
    os.kill(now_of(store, job).pid, signal.SIGKILL)
    with worker_thread(store):
        wait_for(lambda: now_of(store, job).attempt == 2)
        assert not [pid for pid in children if identify(pid)]
        assert ended(store, job).state == "succeeded"
    with store.read() as session:
        assert [event.why for event in events(session, job.id) if event.state == "lost"] == [VANISHED]


def test_after_a_restart_of_the_machine_every_job_that_ran_goes_on(store: Store) -> None:
    job = submit(store, "climb", {"steps": 50, "pause_s": 0.05, "save_every": 5}).jobs[0]
    with worker_process(store):
        wait_for(lambda: now_of(store, job).progress_done > 10)
    os.kill(now_of(store, job).pid, signal.SIGKILL)
    with store.write() as session:  # what a restart leaves: the same pid may live, under another boot
        row = get_job(session, job.id)
        row.pid, row.boot_id = os.getpid(), "the boot before this one"
        session.add(row)
    with worker_thread(store):
        row = ended(store, job)
    assert row.state == "succeeded" and row.result["begun_at"] >= 10 and row.result["sum"] == sum(range(50))
    with store.read() as session:
        assert REBOOTED in [event.why for event in events(session, job.id)]


def test_another_worker_of_the_machine_takes_over_at_once_what_a_killed_one_left(store: Store) -> None:
    job = submit(store, "echo", {"steps": 60, "pause_s": 0.05}).jobs[0]
    with worker_process(store):
        wait_for(lambda: now_of(store, job).progress_done > 3)
        with worker_thread(store, label="second") as _:
            wait_for(lambda: len(_workers(store)) == 2)
            assert "/main:" in now_of(store, job).worker
            killed = time.monotonic()
            os.kill(next(row.pid for row in _workers(store) if "/main:" in row.name), signal.SIGKILL)
            wait_for(lambda: "/second:" in (now_of(store, job).worker or ""))
            assert time.monotonic() - killed < 5
            row = ended(store, job)
    assert row.state == "succeeded" and row.attempt == 1


def _workers(store: Store) -> list[Worker]:
    with store.read() as session:
        return workers(session)


def test_a_worker_that_died_between_claim_and_start_gives_the_job_back(store: Store) -> None:
    job = submit(store, "echo", {}).jobs[0]
    with store.write() as session:
        register_devices(session, socket.gethostname(), cpu_slots(1, 0))
        assert claim(session, "a worker that dies now", socket.gethostname()).id == job.id
    with worker_thread(store):
        row = ended(store, job)
    assert row.state == "succeeded" and row.attempt == 2  # a number is never given twice


def test_a_cancel_between_claim_and_start_holds_when_the_worker_dies_then(store: Store) -> None:
    job = submit(store, "echo", {}).jobs[0]
    with store.write() as session:
        register_devices(session, socket.gethostname(), cpu_slots(1, 0))
        assert claim(session, "a worker that dies now", socket.gethostname()).id == job.id
    request_cancel(store, job.id)
    with worker_thread(store):
        row = ended(store, job)
    assert (row.state, row.attempt) == ("cancelled", 1) and not store.home.job(job.uid).log.exists()


def test_a_process_of_an_earlier_attempt_that_nobody_noted_is_ended_before_the_next_one_starts(store: Store) -> None:
    job = submit(store, "echo", {}).jobs[0]
    folder = store.home.job(job.uid)
    folder.path.mkdir(parents=True)
    hold = "import fcntl, sys, time; file = open(sys.argv[1], 'w'); fcntl.flock(file, 2); print(); time.sleep(600)"
    stray = subprocess.Popen([sys.executable, "-c", hold, str(folder.lock)], stdout=subprocess.PIPE,
                             env={**os.environ, MARK: job.uid})
    stray.stdout.readline()
    with worker_thread(store):
        row = ended(store, job)
    assert (row.state, row.attempt) == ("succeeded", 1)
    assert stray.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize("code", [LOCK_HELD, SUPERSEDED])
def test_an_attempt_that_found_its_place_taken_is_lost_and_not_failed(code: int) -> None:
    assert judge({}, code, VANISHED).state == "lost"


def test_nothing_is_claimed_twice_by_many_claimers(store: Store) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for _ in range(40):
        submit(store, "echo", {})
    with store.write() as session:
        register_devices(session, "here", cpu_slots(100, 0))

    def claim_until_empty(name: str) -> list[int]:
        mine = []
        while True:
            with store.write() as session:
                job = claim(session, name, "here")
            if job is None:
                return mine
            mine.append(job.id)

    with ThreadPoolExecutor(4) as pool:
        claimed = [job_id for found in pool.map(claim_until_empty, "abcd") for job_id in found]
    assert sorted(claimed) == sorted(set(claimed)) and len(claimed) == 40
    with store.read() as session:
        holders = [device.job_id for device in devices(session) if device.job_id is not None]
    assert sorted(holders) == sorted(claimed)  # a device each, none twice
