"""A study that asks in several ways: one benchmark run for each model and mode, and faults that name their field."""

from __future__ import annotations

import pytest

from lab.benchmarks.specs import BenchmarkSpec
from lab.core.errors import SpecError
from lab.core.spec import load_spec
from lab.studies.plan import LONGEST_NAME, plan
from lab.studies.preview import preview
from lab.studies.spec import StudySpec

MODES = ("none", "nearest", "random", "context")
VALUES = {"name": "s", "bases": ("base-a", "base-b"), "datasets": ("medical",), "benchmarks": ("general", "medical"),
          "n_bank_questions": 0}


def runs(**values):
    return [job for job in plan(StudySpec(**VALUES | values)) if job.kind == "benchmark"]


def test_every_model_is_asked_once_in_each_way_on_each_benchmark():
    asked = runs(adapt=MODES, adapt_dataset="medical")
    assert len(asked) == 4 * len(runs()) == 4 * (2 + 4) * 2
    for model in {job.values["model"] for job in asked}:
        found = {(job.values["benchmark"], job.values.get("adapt", "none")) for job in asked
                 if job.values["model"] == model}
        assert found == {(benchmark, mode) for benchmark in ("general", "medical") for mode in MODES}


def test_a_plain_run_of_such_a_study_is_the_run_of_a_study_without_modes():
    plain = [job.values for job in runs(adapt=MODES, adapt_dataset="medical") if "adapt" not in job.values]
    assert plain == [job.values for job in runs()]


def test_every_run_is_a_valid_benchmark_whose_name_ends_with_its_mode():
    jobs = plan(StudySpec(**VALUES | {"adapt": ("none", "nearest"), "adapt_dataset": "medical"}))
    uids = {job.key: f"uid{index}" for index, job in enumerate(jobs)}
    asked = [job for job in jobs if job.kind == "benchmark"]
    assert asked
    for job in asked:
        spec = BenchmarkSpec.model_validate(job.with_uids(uids))
        assert job.name.endswith(", adapted: nearest") == (spec.adapt == "nearest")
        assert spec.adapt_dataset == ("medical" if spec.adapt == "nearest" else "")


def test_a_name_that_is_too_long_keeps_its_mode():
    names = [job.name for job in runs(bases=("b" * 100,), adapt=("nearest", "random"), adapt_dataset="medical")]
    assert all(len(name) <= LONGEST_NAME for name in names)
    assert {name.rpartition(", ")[2] for name in names} == {"adapted: nearest", "adapted: random"}


def study(**values):
    training = {"batch_size": 16, "micro_batch_size": 16}
    return load_spec(StudySpec, {"name": "s", "bases": ["tiny"], "datasets": ["sums"], "training": training, **values})


def test_the_preview_counts_variants_which_modes_do_not_multiply(tiny):
    assert len(preview(study(adapt=list(MODES), adapt_dataset="sums"))) == len(preview(study())) == 2


@pytest.mark.parametrize(("values", "field", "words"), [
    ({"adapt": ["none", "nearest"]}, "adapt_dataset", "is required to adapt"),
    ({"adapt": ["context"], "adapt_dataset": "sum"}, "adapt_dataset", "sums"),
    ({"adapt": ["nearest", "nearest"], "adapt_dataset": "sums"}, "adapt", "should not repeat"),
    ({"adapt": []}, "adapt", "at least 1"),
    ({"adapt": ["furthest"]}, "adapt.0", "nearest"),
])
def test_what_is_wrong_with_the_modes_is_told_with_its_field(tiny, values, field, words):
    with pytest.raises(SpecError) as caught:
        study(**values)
    assert field in {fault.field for fault in caught.value.faults} and words in str(caught.value)


def test_a_dataset_for_nothing_is_no_fault(tiny):
    assert study(adapt_dataset="anything").modes() == [{}]
