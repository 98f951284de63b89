"""The preview of a study: exact counts, an estimate that is said to be one, problems in words."""

from __future__ import annotations

import pytest

from lab.bases.cards import bases
from lab.core.spec import load_spec
from lab.studies.preview import CORE_PARAMETERS, CORE_SPEED, START_SECONDS, preview
from lab.studies.spec import StudySpec
from lab.training.counting import Counted


def study(**values) -> StudySpec:
    training = {"epochs": 2, "batch_size": 16, "micro_batch_size": 16, **values.pop("training", {})}
    return load_spec(StudySpec, {"name": "s", "bases": ["tiny"], "datasets": ["sums"], "training": training, **values})


def test_there_is_one_row_a_variant_with_its_counts(tiny):
    trace, answer = preview(study())
    assert (trace.variant, trace.target, answer.target) == ("tiny_sums_trace_s0", "trace", "answer")
    assert trace.n_rows == answer.n_rows == 96 and trace.n_steps == answer.n_steps == 12
    assert trace.n_tokens > answer.n_tokens > 0 and not trace.problem


def test_minutes_follow_from_tokens_and_the_speed_of_earlier_jobs(tiny):
    trace, answer = preview(study(), {("tiny", "trace"): 1000.0})
    assert trace.minutes == pytest.approx((START_SECONDS + 2 * trace.n_tokens / 1000) / 60)
    assert answer.minutes != pytest.approx((START_SECONDS + 2 * answer.n_tokens / 1000) / 60)


def test_before_any_job_ran_an_embedded_base_is_guessed_by_its_size(tiny):
    trace, _ = preview(study())
    speed = CORE_SPEED["trace"] * CORE_PARAMETERS / tiny.parameters
    assert trace.minutes == pytest.approx((START_SECONDS + 2 * trace.n_tokens / speed) / 60)


def test_nothing_is_guessed_of_a_base_whose_speed_hangs_on_a_gpu(tiny, monkeypatch):
    remote = tiny.model_copy(update={"name": "tiny", "path": None, "hub_id": "someone/large"})
    monkeypatch.setitem(bases(), "tiny", remote)
    monkeypatch.setattr("lab.studies.preview.count", lambda variant: Counted(96, 0, 5000))
    assert all(row.minutes is None and row.n_steps == 12 for row in preview(study()))


def test_a_variant_that_would_fail_keeps_its_row_and_says_why(tiny):
    rows = preview(study(datasets=["sums", "nothing"], training={"max_length": 16}))
    assert len(rows) == 4 and all(row.n_steps == 0 and row.minutes is None for row in rows)
    assert "fits max_length 16" in rows[0].problem and "'nothing' is empty" in rows[2].problem
