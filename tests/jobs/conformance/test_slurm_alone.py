"""What only a cluster does to a job: preempt it, put it back, end it, refuse it; and what reaches its nodes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.jobs.conformance.places import Place
from tests.jobs.conftest import ended, now_of, wait_for

LONG = {"steps": 60, "pause_s": 0.1}
URGENT = ("sbatch", "-p", "urgent", "--exclusive", "-N2", "-o", "/dev/null", "--wrap", "sleep 1")
PUT_BACK = ["queued", "starting", "running", "lost", "starting", "running", "succeeded"]


def test_an_urgent_job_of_others_takes_its_place_and_it_goes_on_under_its_number(slurm: Place) -> None:
    with slurm.working():
        job = slurm.submit("climb", **LONG)
        number = slurm.runs(job, further_than=5).cluster["id"]
        slurm.cluster.run(*URGENT)
        wait_for(lambda: now_of(slurm.store, job).state == "starting")
        waiting, since = now_of(slurm.store, job), time.monotonic()
        assert waiting.cluster["state"] == "PENDING" and waiting.started_at is None and waiting.device_seconds > 0
        slurm.runs(job)
        print(f"running again {time.monotonic() - since:.1f} s after it was put back")
        row = ended(slurm.store, job)
    assert (row.state, row.attempt, row.cluster["id"]) == ("succeeded", 1, number)
    assert row.result["sum"] == sum(range(60)) and row.result["begun_at"] > 5
    assert slurm.begun(job) == [0, row.result["begun_at"]] and slurm.steps(job, "height") == list(range(60))
    assert slurm.states(job) == PUT_BACK


def test_where_slurm_may_not_put_it_back_the_lab_submits_it_anew(slurm: Place) -> None:
    slurm.allow(self_requeue=False)
    with slurm.working():
        job = slurm.submit("climb", **LONG)
        number = slurm.runs(job, further_than=5).cluster["id"]
        slurm.cluster.run(*URGENT)
        row = ended(slurm.store, job)
    assert (row.state, row.attempt) == ("succeeded", 2) and row.cluster["id"] != number
    assert row.result["sum"] == sum(range(60)) and row.result["begun_at"] > 5
    assert slurm.steps(job, "height") == list(range(60))


def test_an_administrators_requeue_is_a_pause(slurm: Place) -> None:
    with slurm.working():
        job = slurm.submit("climb", save_every=5, **LONG)
        number = slurm.runs(job, further_than=12).cluster["id"]
        slurm.cluster.run("scontrol", "requeue", number)
        row = ended(slurm.store, job)
    assert (row.state, row.attempt, row.result["sum"]) == ("succeeded", 1, sum(range(60)))
    assert row.result["begun_at"] >= 10 and slurm.states(job) == PUT_BACK
    assert slurm.steps(job, "height") == list(range(60))


def test_what_somebody_cancels_in_slurm_is_cancelled_says_so_and_keeps_its_checkpoint(slurm: Place) -> None:
    with slurm.working():
        job = slurm.submit("climb", **LONG)
        slurm.cluster.run("scancel", slurm.runs(job, further_than=5).cluster["id"])
        row = ended(slurm.store, job)
    assert (row.state, row.reason) == ("cancelled", "cancelled")
    assert "Cancelled in Slurm, not from the lab." in row.message and "checkpoint of step" in row.message
    assert slurm.nothing_left(job)


def test_what_slurm_refuses_has_failed_with_slurms_own_words(slurm: Place) -> None:
    slurm.allow(partition="nowhere")
    with slurm.working():
        row = ended(slurm.store, slurm.submit("climb"))
    assert (row.state, row.reason) == ("failed", "cluster") and "nvalid partition" in row.message


def test_a_python_that_the_nodes_do_not_have_is_named(slurm: Place) -> None:
    slurm.allow(python="/nowhere/bin/python")
    with slurm.working():
        job = slurm.submit("climb")
        row = ended(slurm.store, job)
    assert (row.state, row.reason, row.attempt) == ("failed", "cluster", 1) and "python" in row.message
    (output,) = slurm.folder(job).path.glob("slurm-*.txt")
    assert str(output) in row.message and "/nowhere/bin/python" in slurm.folder(job).log.read_text()


def test_neither_the_stores_address_nor_a_password_reaches_a_node(
    slurm: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_DATABASE_URL", "postgresql+psycopg://lab:hidden-word@db/lab")
    monkeypatch.setenv("PGPASSWORD", "hidden-word")
    with slurm.working():
        job = slurm.submit("climb", **LONG)
        slurm.runs(job)
        environment = Path(f"/proc/{slurm.pid(job)}/environ").read_text()
        slurm.cluster.run("scancel", now_of(slurm.store, job).cluster["id"])
        ended(slurm.store, job)
    assert f"LAB_JOB_UID={job.uid}\0" in environment and "hidden-word" not in environment
    files = [path for path in slurm.store.home.path.rglob("*") if path.is_file() and ".db" not in path.name]
    assert len(files) > 5 and not any("hidden-word" in path.read_text() for path in files)


def test_jobs_that_are_ready_together_are_sent_as_one_array_and_at_most_so_many(slurm: Place) -> None:
    slurm.allow(at_once=3)
    jobs = [slurm.submit("climb") for _ in range(5)]
    with slurm.working():
        rows = [ended(slurm.store, job) for job in jobs]
    assert [row.state for row in rows] == ["succeeded"] * 5
    numbers = [row.cluster["id"] for row in rows]
    assert [number.partition("_")[2] for number in numbers[:3]] == ["0", "1", "2"]
    assert len({number.partition("_")[0] for number in numbers[:3]}) == 1
    listed = [json.loads(path.read_text()) for path in slurm.store.home.path.glob("slurm/batches/*/jobs.json")]
    assert sorted(uid for one in listed for uid, _ in one["jobs"]) == sorted(job.uid for job in jobs)
