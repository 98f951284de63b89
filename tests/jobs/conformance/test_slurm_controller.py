"""The controller goes away and comes back, and answers get lost: no job changes its state for it, none runs twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobs.queue import request_cancel, submit
from storage.database import Store
from tests.jobs.conformance.places import Place
from tests.jobs.conftest import ended, now_of, wait_for
from tests.jobs.slurm.cluster import Cluster

LONG = {"steps": 5000, "pause_s": 0.05}


def test_while_the_controller_is_away_rows_stay_as_they_are_and_say_since_when(
    store: Store, own_cluster: Cluster
) -> None:
    slurm = Place(store, own_cluster)
    slurm.allow(at_once=2)
    first, second = slurm.submit("climb", **LONG), slurm.submit("climb", steps=40, pause_s=0.05)
    with slurm.working(grace_s=20):
        for job in (first, second):
            slurm.runs(job)
        third = slurm.submit("climb")
        own_cluster.stop("slurmctld")
        wait_for(lambda: now_of(store, first).cluster.get("unknown_since"))
        assert ended(store, second).state == "succeeded", "a verdict in the folder needs no controller"
        row = now_of(store, first)
        assert row.state == "running" and "Slurm does not answer" in row.cluster["text"]
        assert now_of(store, third).state == "queued" and Path(f"/proc/{slurm.pid(first)}").exists()
        request_cancel(store, first.id)
        own_cluster.start("slurmctld")
        own_cluster.wait_until_ready()
        assert ended(store, first).state == "cancelled"
        assert ended(store, third).state == "succeeded"
    assert "unknown_since" not in now_of(store, third).cluster
    assert [slurm.begun(job) for job in (first, second, third)] == [[0], [0], [0]], "each has started once"


def test_after_a_crash_of_the_controller_a_job_that_it_forgot_or_starts_again_is_done_once(
    store: Store, own_cluster: Cluster,
) -> None:
    """What Slurm's controller has not written down yet it takes for waiting: it then starts it a second time."""
    slurm = Place(store, own_cluster)
    slurm.allow()
    with slurm.working():
        job = slurm.submit("climb", steps=200, pause_s=0.05, save_every=20)
        slurm.runs(job, further_than=25)
        own_cluster.kill("slurmctld")
        own_cluster.start("slurmctld")
        own_cluster.wait_until_ready()
        row = ended(store, job)
    assert (row.state, row.result["sum"]) == ("succeeded", sum(range(200))), row.message
    assert slurm.steps(job, "height") == list(range(200)) and slurm.nothing_left(job)


def test_a_job_whose_submission_was_not_answered_is_found_and_runs_once(
    slurm: Place, tmp_path: Path,
) -> None:
    """Its login node hands the first batch file to Slurm, and loses the answer."""
    lost = tmp_path / "lost"
    ssh = tmp_path / "ssh"
    ssh.write_text(f"""#!/bin/sh
if [ ! -e {lost} ]; then
  case "$2" in sbatch*) sh -c "$2" >{lost}; echo 'connection closed by login1' >&2; exit 255;; esac
fi
exec sh -c "$2"
""")
    ssh.chmod(0o755)
    slurm.allow(ssh=f"{ssh} login1")
    with slurm.working():
        job = slurm.submit("climb", steps=20, pause_s=0.05)
        row = ended(slurm.store, job)
    assert (row.state, row.attempt, slurm.begun(job)) == ("succeeded", 1, [0])
    assert row.cluster["id"] == lost.read_text().strip(), "the job that was sent is the one that was found"
    assert slurm.cluster.run("squeue", "-h", "--states=all", "-o", "%k").count(row.cluster["tag"]) == 1


def test_a_worker_that_is_killed_between_submission_and_its_note_finds_the_job_again(slurm: Place) -> None:
    job = slurm.submit("climb", **LONG)
    with slurm.worker_process():
        number = slurm.runs(job).cluster["id"]
    with slurm.store.write() as session:  # as the row was before the number came
        row = session.get_one(type(job), job.id)
        row.cluster, row.state = {"profile": "test"}, "starting"
        session.add(row)
    with slurm.working(grace_s=20):
        wait_for(lambda: now_of(slurm.store, job).cluster.get("id"))
        assert slurm.runs(job).cluster["id"] == number and slurm.begun(job) == [0]
        request_cancel(slurm.store, job.id)
        ended(slurm.store, job)


def test_a_worker_that_is_killed_between_the_claim_and_the_submission_is_followed_by_one_that_sends_it(
    slurm: Place,
) -> None:
    job = slurm.submit("climb")
    with slurm.store.write() as session:  # claimed by a worker that is gone; nothing of it reached the folder
        row = session.get_one(type(job), job.id)
        row.state, row.attempt, row.worker, row.cluster = "starting", 1, "gone/main:1:1", {"profile": "test"}
        session.add(row)
    with slurm.working():
        row = ended(slurm.store, job)
    assert (row.state, row.attempt, slurm.begun(job)) == ("succeeded", 1, [0])


def test_a_worker_without_slurms_commands_leaves_the_jobs_to_others(
    slurm: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job, path = slurm.submit("climb"), os.environ["PATH"]
    here = slurm.store
    with monkeypatch.context() as bare:
        bare.setenv("PATH", str(tmp_path))
        with slurm.working():
            assert ended(here, submit(here, "echo", {}).jobs[0]).state == "succeeded"
            assert now_of(here, job).state == "queued"
    assert os.environ["PATH"] == path
    with slurm.working():
        assert ended(here, job).state == "succeeded"


def test_a_profile_that_is_gone_says_so_on_its_jobs_and_they_go_on_when_it_is_back(slurm: Place) -> None:
    job = slurm.submit("climb")
    path = slurm.store.home.path / "slurm" / "test.yaml"
    kept = path.read_text()
    path.unlink()
    with slurm.working():
        wait_for(lambda: "test" in now_of(slurm.store, job).cluster.get("text", ""))
        assert now_of(slurm.store, job).state == "queued"
        path.write_text(kept)
        assert ended(slurm.store, job).state == "succeeded"
