"""Jobs from submit to row, with real processes."""

from __future__ import annotations

import json
import math
import os
import signal
import time

import psutil
import pytest

from jobs.queue import Wish, request_cancel, retry, submit
from lab.core.errors import LabError
from storage.database import Store
from storage.files import Home, log_tail
from storage.queries.jobs import events, metrics, workers
from tests.jobs.conftest import ended, now_of, wait_for, worker_thread
from tests.sqlite_alone import store_url  # noqa: F401  once, and not on every database


def test_a_job_runs_in_its_own_process_and_leaves_metrics_facts_log_and_result(working: Store) -> None:
    job = ended(working, submit(working, "echo", {"text": "good day", "nan_at": 1}).jobs[0])
    assert (job.state, job.reason, job.exit_code) == ("succeeded", None, 0)
    assert job.result["text"] == "good day" and job.facts == {"said": "good day"}
    assert job.progress_done == job.progress_total == 3
    assert job.provenance["packages"]["torch"] and job.provenance["machine"]["cores"] >= 1
    folder = working.home.job(job.uid)
    assert "it says: good day" in log_tail(folder.log)
    assert (folder.artifacts / "said.json").is_file()
    with working.read() as session:
        points = metrics(session, job.id, "loss")
        states = [event.state for event in events(session, job.id)]
    assert states == ["queued", "starting", "running", "succeeded"]
    assert [step for step, _ in points] == [0, 1, 2]
    assert points[0][1] == 1 and math.isnan(points[1][1])


def test_metrics_and_progress_arrive_while_the_job_runs(working: Store) -> None:
    job = submit(working, "echo", {"steps": 200, "pause_s": 0.05}).jobs[0]
    wait_for(lambda: now_of(working, job).progress_done > 10)
    row = now_of(working, job)
    assert row.state == "running" and row.eta_s > 1
    request_cancel(working, job.id)
    assert ended(working, job).state == "cancelled"


@pytest.mark.parametrize(
    ("how", "reason", "words"),
    [
        ("lab", "data", "row 7 of x.jsonl has no answer"),
        ("bug", "bug", "ValueError: first line"),
        ("memory", "memory", "Out of memory"),
        ("disk", "disk", "The disk is full"),
        ("exit", "bug", "code 5"),
    ],
)
def test_a_failed_job_keeps_its_reason_and_a_sentence(working: Store, how: str, reason: str, words: str) -> None:
    job = ended(working, submit(working, "fail", {"how": how}).jobs[0])
    assert (job.state, job.reason) == ("failed", reason)
    assert words in job.message and "\n" not in job.message
    if how == "bug":
        assert "Traceback" in log_tail(working.home.job(job.uid).log)


def test_cancel_ends_the_whole_process_tree_even_the_deaf_and_those_that_left_the_session(working: Store) -> None:
    job = submit(working, "deaf", {}).jobs[0]
    wait_for(lambda: now_of(working, job).facts.get("ready"))
    children = json.loads((working.home.job(job.uid).artifacts / "pids.json").read_text())
    runner = now_of(working, job).pid
    request_cancel(working, job.id)
    row = ended(working, job)
    assert (row.state, row.reason) == ("cancelled", "cancelled")
    assert not [pid for pid in [runner, *children] if psutil.pid_exists(pid) and not _zombie(pid)]


def _zombie(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_stop_that_the_lab_did_not_ask_for_sends_the_job_back_to_the_line(working: Store) -> None:
    job = submit(working, "echo", {"steps": 100, "pause_s": 0.05}).jobs[0]
    wait_for(lambda: now_of(working, job).progress_done > 2)
    os.kill(now_of(working, job).pid, signal.SIGTERM)
    row = ended(working, job)
    assert (row.state, row.attempt) == ("succeeded", 2)
    with working.read() as session:
        told = [(event.state, event.why) for event in events(session, job.id)]
        steps = [step for step, _ in metrics(session, job.id, "loss")]
    assert [state for state, _ in told] == ["queued", "starting", "running", "lost", "queued", "starting", "running",
                                            "succeeded"]
    assert "told to end (SIGTERM)" in told[3][1] and steps == list(range(100))


def test_a_job_that_is_killed_again_and_again_fails_and_says_how_often(working: Store) -> None:
    row = ended(working, submit(working, "fail", {"how": "kill"}).jobs[0])
    assert (row.state, row.reason, row.attempt) == ("failed", "killed", 3)
    assert "lost 3 times" in row.message


def test_a_job_that_resumes_goes_on_from_its_last_whole_checkpoint(working: Store) -> None:
    job = submit(working, "climb", {"steps": 60, "pause_s": 0.05, "save_every": 10}).jobs[0]
    for attempt in (1, 2):
        wait_for(lambda n=attempt: now_of(working, job).attempt == n and _step(working, job) > 15 * n)
        os.kill(now_of(working, job).pid, signal.SIGKILL)
    row = ended(working, job)
    assert row.state == "succeeded" and row.attempt == 3
    assert row.result["begun_at"] >= 30 and row.result["sum"] == sum(range(60))
    # the result is stored, so nothing is left to resume
    wait_for(lambda: not working.home.job(job.uid).checkpoints.folder.exists())
    with working.read() as session:
        assert [step for step, _ in metrics(session, job.id, "height")] == list(range(60))


def _step(store: Store, job: object) -> float:
    return now_of(store, job).progress_done


def test_a_cancelled_job_keeps_its_checkpoint_and_a_retry_goes_on_or_starts_over(working: Store) -> None:
    job = submit(working, "climb", {"steps": 40, "pause_s": 0.05}).jobs[0]
    begun = []
    for from_start in (False, True, None):
        wait_for(lambda: now_of(working, job).state == "running" and _step(working, job) > 3)
        if from_start is not None:
            request_cancel(working, job.id)
            row = ended(working, job)
            assert row.state == "cancelled" and "checkpoint of step" in row.message
            retry(working, job.id, from_start=from_start)
            wait_for(lambda n=row.attempt: now_of(working, job).attempt > n and now_of(working, job).state == "running")
            wait_for(lambda: (working.home.job(job.uid).artifacts / "begun.json").exists())
            begun.append(json.loads((working.home.job(job.uid).artifacts / "begun.json").read_text())["begun_at"])
    assert begun[0] > 3 and begun[1] == 0
    assert ended(working, job).result["sum"] == sum(range(40))


def test_a_second_attempt_keeps_the_log_and_starts_its_curve_anew(working: Store) -> None:
    job = submit(working, "echo", {"steps": 200, "pause_s": 0.05}).jobs[0]
    wait_for(lambda: now_of(working, job).progress_done > 5)
    request_cancel(working, job.id)
    ended(working, job)
    retry(working, job.id)
    wait_for(lambda: now_of(working, job).attempt == 2 and now_of(working, job).progress_done > 2)
    request_cancel(working, job.id)
    row = ended(working, job)
    assert log_tail(working.home.job(row.uid).log).count("it says: hello") == 2
    with working.read() as session:
        steps = [step for step, _ in metrics(session, job.id, "loss")]
    assert steps == list(range(len(steps)))


def test_a_job_whose_needed_job_failed_is_cancelled_with_its_name(store: Store, monkeypatch) -> None:
    monkeypatch.setattr("jobs.references.TRAINING_KINDS", ("fail",))
    first = submit(store, "fail", {}).jobs[0]
    second = submit(store, "uses", {"model": f"job:{first.uid}"}).jobs[0]
    with worker_thread(store):
        row = ended(store, second)
    assert (row.state, row.reason) == ("cancelled", "dependency")
    assert f"job {first.id}" in row.message and "failed" in row.message


def test_higher_priority_starts_first_then_the_older_job(store: Store) -> None:
    low, high, high_too = (submit(store, "echo", {}, Wish(priority=p)).jobs[0] for p in (0, 5, 5))
    with worker_thread(store):
        rows = [ended(store, job) for job in (low, high, high_too)]
    assert sorted(rows, key=lambda row: row.started_at) == [rows[1], rows[2], rows[0]]
    assert rows[1].finished_at <= rows[2].started_at  # one slot: one after the other


def test_a_service_runs_beside_the_queue_and_cores_are_shared_among_slots(store: Store, monkeypatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("jobs.starting.cores", lambda: 8)
    service, job = submit(store, "service", {}).jobs[0], submit(store, "echo", {}).jobs[0]
    with worker_thread(store, slots=2):
        assert ended(store, job).result["threads"] == "4"
        wait_for(lambda: now_of(store, service).state == "running")
        request_cancel(store, service.id)
        assert ended(store, service).state == "cancelled"


def test_an_idle_service_gives_way_to_one_that_waits_and_a_busy_one_does_not(store: Store) -> None:
    busy, idle = submit(store, "service", {"idle": False}).jobs[0], submit(store, "service", {}).jobs[0]
    with worker_thread(store, chat_slots=2):
        wait_for(lambda: now_of(store, busy).facts and now_of(store, idle).facts)
        third = submit(store, "service", {"idle": False}).jobs[0]
        assert ended(store, idle).result == {"ended": "gave way"}
        wait_for(lambda: now_of(store, third).state == "running")
        assert now_of(store, busy).state == "running" and now_of(store, busy).pid
        for job in (busy, third):
            request_cancel(store, job.id)
            assert ended(store, job).state == "cancelled"


def test_a_second_worker_is_refused_with_a_sentence(working: Store) -> None:
    from jobs.worker import run_worker
    from jobs.worker_state import WorkerOptions

    wait_for(lambda: _serving(working))
    with pytest.raises(LabError, match="a worker called 'main' already serves"):
        run_worker(working, WorkerOptions(gpus=False))


def _serving(store: Store) -> bool:
    with store.read() as session:
        return bool(workers(session))


def test_a_job_does_not_start_on_a_nearly_full_disk_and_a_retry_runs_it(store: Store, monkeypatch) -> None:
    job = submit(store, "echo", {}).jobs[0]
    monkeypatch.setattr(Home, "free_mib", lambda _: 5)
    with worker_thread(store, min_free_mib=200):
        row = ended(store, job)
    assert (row.state, row.reason) == ("failed", "disk")
    assert "only 5 MiB are free" in row.message and row.pid is None


def test_a_result_that_cannot_be_stored_fails_the_job_and_keeps_its_files(working: Store, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("accuracy")

    monkeypatch.setitem(__import__("jobs.results").results.HANDLERS, "echo", broken)
    row = ended(working, submit(working, "echo", {}).jobs[0])
    assert (row.state, row.reason) == ("failed", "bug") and "could not be stored" in row.message
    assert working.home.job(row.uid).result.is_file()


def test_a_store_that_cannot_be_written_for_a_while_loses_nothing(working: Store, monkeypatch) -> None:
    from jobs import watching

    job, calls, real = submit(working, "echo", {}).jobs[0], [], watching._store_end

    def full_at_first(*arguments: object) -> None:
        calls.append(time.monotonic())
        if len(calls) < 3:
            raise LabError("the disk is full", "disk")
        real(*arguments)

    monkeypatch.setattr(watching, "_store_end", full_at_first)
    assert ended(working, job).state == "succeeded" and len(calls) == 3
