"""What is killed, here and on Slurm: jobs go on from their last whole checkpoint, and none runs twice."""

from __future__ import annotations

from tests.jobs.conformance.places import Place
from tests.jobs.conftest import ended, now_of, wait_for

LONG = {"steps": 60, "pause_s": 0.05, "save_every": 10}


def test_a_job_whose_process_is_killed_goes_on_from_its_last_whole_checkpoint(place: Place) -> None:
    with place.working():
        job = place.submit("climb", **LONG)
        place.runs(job, further_than=25)
        place.kill(job)
        row = ended(place.store, job)
    assert (row.state, row.attempt, row.result["sum"]) == ("succeeded", 2, sum(range(60)))
    assert row.result["begun_at"] >= 20 and place.begun(job) == [0, row.result["begun_at"]]
    assert place.steps(job, "height") == list(range(60)), "no metric is lost, and none is there twice"
    states = place.states(job)
    assert states == ["queued", "starting", "running", "lost", "queued", "starting", "running", "succeeded"]


def test_when_the_worker_is_killed_another_one_takes_over_and_the_job_runs_once(place: Place) -> None:
    job = place.submit("climb", **LONG)
    with place.worker_process():
        place.runs(job, further_than=5)
    pid = place.pid(job)
    with place.working():
        row = ended(place.store, job)
    assert (row.state, row.attempt, place.begun(job)) == ("succeeded", 1, [0]) and place.pid(job) == pid
    assert any("taken over" in why for _, why in place.told(job))
    assert place.steps(job, "height") == list(range(60))


def test_a_job_that_ends_while_no_worker_lives_is_judged_by_its_folder(place: Place) -> None:
    job = place.submit("climb", steps=20, pause_s=0.05)
    with place.worker_process():
        place.runs(job)
    wait_for(lambda: place.folder(job).result.exists())
    assert now_of(place.store, job).state == "running"
    with place.working():
        row = ended(place.store, job)
    assert (row.state, row.attempt, row.result["sum"]) == ("succeeded", 1, sum(range(20)))
    assert place.begun(job) == [0]
