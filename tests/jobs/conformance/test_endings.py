"""How jobs end, here and on Slurm: by their own verdict, or because somebody asked."""

from __future__ import annotations

import json

import pytest

from jobs.processes import identify, marked
from jobs.queue import request_cancel, retry
from storage.files import log_tail
from tests.jobs.conformance.places import Place
from tests.jobs.conftest import ended, now_of, wait_for


def test_a_job_succeeds_with_metrics_facts_log_and_result(place: Place) -> None:
    with place.working():
        job = ended(place.store, place.submit("echo", text="good day"))
    assert (job.state, job.reason, job.exit_code) == ("succeeded", None, 0)
    assert job.result["text"] == "good day" and job.facts == {"said": "good day"}
    assert job.progress_done == job.progress_total == 3 and job.device_seconds > 0
    assert "it says: good day" in log_tail(place.folder(job).log)
    assert (place.folder(job).artifacts / "said.json").is_file()
    assert place.states(job) == ["queued", "starting", "running", "succeeded"]
    assert place.steps(job, "loss") == [0, 1, 2] and place.nothing_left(job)


@pytest.mark.parametrize(("how", "reason", "words"), [("lab", "data", "row 7 of x.jsonl has no answer"),
                                                      ("bug", "bug", "ValueError: first line")])
def test_a_job_that_fails_keeps_its_reason_and_its_sentence(place: Place, how: str, reason: str, words: str) -> None:
    with place.working():
        job = ended(place.store, place.submit("fail", how=how))
    assert (job.state, job.reason, job.attempt) == ("failed", reason, 1) and words in job.message


def test_a_job_that_waits_is_cancelled_and_never_starts(place: Place) -> None:
    place.allow(at_once=1)
    first, second = place.submit("climb", steps=1000, pause_s=0.05), place.submit("climb")
    with place.working():
        place.runs(first)
        request_cancel(place.store, second.id)
        assert ended(place.store, second).state == "cancelled"
        request_cancel(place.store, first.id)
        assert ended(place.store, first).state == "cancelled"
    assert not place.folder(second).path.exists() and place.nothing_left(first)


def test_a_job_that_runs_saves_when_it_is_cancelled_and_a_retry_goes_on_from_there(place: Place) -> None:
    with place.working(grace_s=20):
        job = place.submit("climb", steps=40, pause_s=0.05)
        place.runs(job, further_than=10)
        request_cancel(place.store, job.id)
        row = ended(place.store, job)
        assert row.state == "cancelled" and "checkpoint of step" in row.message and place.nothing_left(job)
        retry(place.store, job.id)
        row = ended(place.store, job)
    assert (row.state, row.attempt, row.result["sum"]) == ("succeeded", 2, sum(range(40)))
    assert row.result["begun_at"] > 10 and place.begun(job) == [0, row.result["begun_at"]]
    assert place.steps(job, "height") == list(range(40))


def test_a_deaf_job_is_killed_when_its_grace_is_over_and_nothing_of_it_is_left(place: Place) -> None:
    with place.working(grace_s=0.5):
        job = place.submit("deaf")
        wait_for(lambda: now_of(place.store, job).facts.get("ready"))
        assert len(marked(job.uid)) >= 3
        children = json.loads((place.folder(job).artifacts / "pids.json").read_text())
        request_cancel(place.store, job.id)
        row = ended(place.store, job)
    assert (row.state, row.reason) == ("cancelled", "cancelled")
    assert place.nothing_left(job) and not [pid for pid in children if identify(pid)]
