"""Jobs from submit to row, with real processes."""

from __future__ import annotations

from jobs.queue import submit
from storage.database import Store
from storage.files import log_tail
from storage.queries.jobs import events, metrics
from tests.jobs.conftest import ended


def test_a_job_runs_in_its_own_process_and_leaves_metrics_facts_log_and_result(working: Store) -> None:
    job = ended(working, submit(working, "echo", {"text": "good day", "nan_at": 1}).jobs[0])
    assert (job.state, job.reason, job.exit_code) == ("succeeded", None, 0)
    assert job.result["text"] == "good day" and job.facts == {"said": "good day"}
    assert job.progress_done == job.progress_total == 3
    folder = working.home.job(job.uid)
    assert "it says: good day" in log_tail(folder.log)
    assert (folder.artifacts / "said.json").is_file()
    with working.read() as session:
        points = metrics(session, job.id, "loss")
        assert [event.state for event in events(session, job.id)][0::3] == ["queued", "succeeded"]
    assert [step for step, _ in points] == [0, 1, 2] and points[0][1] == 1 and points[1][1] != points[1][1]
