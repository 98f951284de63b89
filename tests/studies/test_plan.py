"""A study becomes jobs: which, in which order, and how they name each other."""

from __future__ import annotations

import pytest

from lab.benchmarks.specs import AnswersSpec, BenchmarkSpec
from lab.studies.plan import PlannedJob, plan
from lab.studies.spec import StudySpec
from lab.training.specs import SftSpec

GRID = StudySpec(
    name="grid",
    bases=("base-a", "base-b"),
    datasets=("medical", "folder/own.jsonl"),
    targets=("trace", "answer"),
    seeds=(0, 1),
    benchmarks=("general", "medical"),
    n_bank_questions=5,
    max_new_tokens=90,
    max_questions=40,
)
SPECS = {"sft": SftSpec, "benchmark": BenchmarkSpec, "answers": AnswersSpec}


def of_kind(jobs: list[PlannedJob], kind: str) -> list[PlannedJob]:
    return [job for job in jobs if job.kind == kind]


def test_a_study_has_one_training_job_a_variant_and_one_benchmark_job_a_model_and_benchmark():
    jobs = plan(GRID)
    assert len(of_kind(jobs, "sft")) == 2 * 2 * 2 * 2 == len(GRID.variants())
    assert len(of_kind(jobs, "benchmark")) == (16 + 2) * 2
    assert len(of_kind(jobs, "answers")) == 2 * 2 * 2
    assert len({job.key for job in jobs}) == len(jobs)


def test_no_job_comes_before_a_job_it_needs():
    seen: set[str] = set()
    for job in plan(GRID):
        assert set(job.needs) <= seen, job
        seen.add(job.key)


def test_bases_come_first_and_a_variant_is_benchmarked_right_after_its_training():
    jobs = plan(GRID)
    assert [job.values.get("model") for job in jobs[:2]] == ["base-a", "base-a"]
    first = jobs.index(of_kind(jobs, "sft")[0])
    arm = ["sft", "benchmark", "benchmark"]
    assert [job.kind for job in jobs[first : first + 7]] == [*arm, *arm, "answers"]


def test_every_planned_job_is_a_valid_spec_once_its_keys_are_uids():
    jobs = plan(GRID)
    uids = {job.key: f"uid{index:03}" for index, job in enumerate(jobs)}
    for job in jobs:
        values = job.with_uids(uids)
        SPECS[job.kind].model_validate(values)
        referred = [values["model"]] if job.kind == "benchmark" else values.get("models", [])
        assert {ref.removeprefix("job:") for ref in referred if ref.startswith("job:")} == {uids[k] for k in job.needs}


def test_a_reference_to_an_unknown_key_is_an_error():
    benchmark = next(job for job in plan(GRID) if job.needs)
    with pytest.raises(KeyError):
        benchmark.with_uids({})


def test_an_answer_bank_joins_the_arms_of_one_pair_and_asks_the_datasets_own_benchmark():
    jobs = plan(GRID)
    names = {job.key: job.values for job in of_kind(jobs, "sft")}
    for bank in of_kind(jobs, "answers"):
        arms = [names[key] for key in bank.needs]
        assert [arm["target"] for arm in arms] == ["trace", "answer"]
        assert len({(arm["base"], arm["dataset"], arm["seed"]) for arm in arms}) == 1
        assert bank.values["benchmark"] == ("medical" if arms[0]["dataset"] == "medical" else "general")
        assert (bank.values["n_questions"], bank.values["max_new_tokens"]) == (5, 90)


@pytest.mark.parametrize("change", [{"n_bank_questions": 0}, {"targets": ("trace",)}, {"benchmarks": ()}])
def test_without_questions_a_pair_or_a_benchmark_there_is_no_answer_bank(change):
    assert not of_kind(plan(GRID.model_copy(update=change)), "answers")


def test_arms_of_a_pair_differ_in_nothing_but_the_target():
    jobs = plan(GRID)
    names = {job.key: job.values for job in of_kind(jobs, "sft")}
    for bank in of_kind(jobs, "answers"):
        first, second = (names[key] for key in bank.needs)
        assert {name for name in first if first[name] != second[name]} == {"target"}


def test_the_same_study_gives_the_same_plan():
    assert plan(GRID) == plan(GRID)
