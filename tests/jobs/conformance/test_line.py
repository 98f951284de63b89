"""The line, here and on Slurm: needs, order, pause, and several jobs at once."""

from __future__ import annotations

import pytest

from jobs.line import move, pause
from jobs.queue import request_cancel
from storage.tables import JobDependency
from tests.jobs.conformance.places import Place
from tests.jobs.conftest import ended, now_of, wait_for


def test_a_job_starts_only_when_what_it_needs_has_succeeded(place: Place) -> None:
    first, second = place.submit("climb", steps=20, pause_s=0.05), place.submit("climb")
    with place.store.write() as session:
        session.add(JobDependency(job_id=second.id, needs_id=first.id))
    with place.working():
        rows = [ended(place.store, job) for job in (second, first)]
    assert [row.state for row in rows] == ["succeeded"] * 2 and rows[1].finished_at <= rows[0].started_at


def test_a_job_whose_needed_job_failed_never_starts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.references.TRAINING_KINDS", ("climb", "fail"))
    bad = place.submit("fail")
    hopeless = place.submit("uses", model=f"job:{bad.uid}")
    with place.working():
        row = ended(place.store, hopeless)
        assert (row.state, row.reason) == ("cancelled", "dependency") and f"job {bad.id}" in row.message
    assert not place.folder(hopeless).path.exists()


def test_higher_priority_starts_first_then_who_was_moved_then_the_older(place: Place) -> None:
    place.allow(at_once=1)
    old, moved, urgent = place.submit("climb"), place.submit("climb"), place.submit("climb", priority=5)
    move(place.store, moved.id, "up")
    with place.working():
        rows = [ended(place.store, job) for job in (urgent, moved, old)]
    assert sorted(rows, key=lambda row: row.started_at) == rows
    assert rows[0].finished_at <= rows[1].started_at and rows[1].finished_at <= rows[2].started_at


def test_a_paused_queue_starts_nothing_and_what_runs_goes_on(place: Place) -> None:
    first = place.submit("climb", steps=25, pause_s=0.1)
    with place.working():
        place.runs(first)
        pause(place.store, True)
        second = place.submit("climb")
        assert ended(place.store, first).state == "succeeded"
        assert now_of(place.store, second).state == "queued"
        pause(place.store, False)
        assert ended(place.store, second).state == "succeeded"


def test_several_jobs_run_side_by_side_and_one_that_fails_or_is_cancelled_takes_no_other_along(place: Place) -> None:
    place.allow(at_once=4)
    long = [place.submit("climb", steps=40, pause_s=0.1) for _ in range(2)]
    doomed, bad = place.submit("climb", steps=1000, pause_s=0.1), place.submit("fail")
    with place.working(grace_s=20):
        wait_for(lambda: all(now_of(place.store, job).state == "running" for job in (*long, doomed)))
        request_cancel(place.store, doomed.id)
        assert [ended(place.store, job).state for job in (doomed, bad)] == ["cancelled", "failed"]
        rows = [ended(place.store, job) for job in long]
    assert [(row.state, row.attempt, row.result["sum"]) for row in rows] == [("succeeded", 1, sum(range(40)))] * 2
    numbers = {row.cluster.get("id", "").partition("_")[0] for row in rows}
    assert len(numbers) == 1, "on Slurm they are one array"
