"""A worker that is killed, and the next one: nothing is lost, nothing runs twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

from sqlalchemy import text

from jobs.leases import claim
from jobs.queue import submit
from storage.database import Store
from storage.queries.jobs import events, metrics
from tests.jobs.conftest import ended, now_of, wait_for, worker_thread


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


def test_a_job_that_vanished_without_a_verdict_is_lost_with_a_sentence(store: Store) -> None:
    job = submit(store, "deaf", {}).jobs[0]
    with worker_process(store):
        wait_for(lambda: now_of(store, job).facts.get("ready"))
    os.kill(now_of(store, job).pid, signal.SIGKILL)
    with worker_thread(store):
        row = ended(store, job)
    assert (row.state, row.reason) == ("failed", "lost") and "Retry" in row.message


def test_a_worker_that_died_between_claim_and_start_gives_the_job_back(store: Store) -> None:
    job = submit(store, "echo", {}).jobs[0]
    with store.write() as session:
        assert claim(session, "a worker that dies now", 1).id == job.id
    with worker_thread(store):
        row = ended(store, job)
    assert row.state == "succeeded" and row.attempt == 1


def test_nothing_is_claimed_twice_by_many_claimers(store: Store) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for _ in range(40):
        submit(store, "echo", {})

    def claim_until_empty(name: str) -> list[int]:
        mine = []
        while True:
            with store.write() as session:
                job = claim(session, name, 100)
            if job is None:
                return mine
            mine.append(job.id)

    with ThreadPoolExecutor(4) as pool:
        claimed = [job_id for found in pool.map(claim_until_empty, "abcd") for job_id in found]
    assert sorted(claimed) == sorted(set(claimed)) and len(claimed) == 40
