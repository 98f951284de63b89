"""What a reading means for an attempt: which losses count, and what the row says of the cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.clusters.attempt import OnCluster, outcome_of, shown
from jobs.slurm.states import Reading
from lab.core.context import write_json
from storage.files import JobFolder

INTERRUPTED = {"phase": "interrupted", "attempt": 1, "exit_code": 75, "message": "It was told to end.",
               "reason": "lost", "pid": 7, "start_ticks": 1, "boot_id": "b"}


@pytest.fixture
def item(tmp_path: Path) -> OnCluster:
    folder = JobFolder(tmp_path / "job")
    folder.prepare()
    return OnCluster(1, "a", folder, attempt=1, worker="w", devices=1, name="job")


@pytest.mark.parametrize(("state", "counts"), [("PREEMPTED", False), ("FAILED", True), ("TIMEOUT", True)])
def test_a_preemption_may_go_on_for_ever_and_a_time_limit_without_progress_may_not(
    item: OnCluster, state: str, counts: bool,
) -> None:
    write_json(item.folder.status, INTERRUPTED)
    outcome = outcome_of(item, Reading("ended", how="verdict", state=state))
    assert (outcome.state, outcome.counts) == ("lost", counts)


def test_the_verdict_of_another_attempt_is_none(item: OnCluster) -> None:
    write_json(item.folder.status, {**INTERRUPTED, "attempt": 0, "phase": "running"})
    assert (item.phase, item.beat, item.process) == (None, None, "")


def test_while_slurm_does_not_answer_what_was_known_stays_with_since_when(item: OnCluster) -> None:
    known = shown({"id": "7"}, item, Reading("running", node="n1", state="RUNNING"))
    assert (known["state"], known["node"], known["id"]) == ("RUNNING", "n1", "7")
    away = shown(known, item, Reading("unknown", "Slurm does not answer: x"))
    assert away["state"] == "RUNNING" and away["unknown_since"] and away["text"] == "Slurm does not answer: x"
    later = shown(away, item, Reading("unknown", "Slurm does not answer: y"))
    assert later["unknown_since"] == away["unknown_since"]
    assert "unknown_since" not in shown(later, item, Reading("running", state="RUNNING"))
