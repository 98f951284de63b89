"""A curriculum becomes one job a stage, each begun where it says; all its faults are told at once."""

from __future__ import annotations

import pytest

from lab.core.errors import SpecError
from lab.core.spec import load_spec
from lab.studies.curriculum import CurriculumSpec
from lab.studies.plan import plan


def stages(*more) -> dict:
    return {
        "name": "Three stages", "base": "demo-llama", "seed": 5, "benchmarks": ["demo-medical"],
        "defaults": {"lora_r": 8, "epochs": 1, "target": "trace"},
        "stages": [
            {"name": "general", "settings": {"dataset": "demo-general"}},
            {"name": "medical", "settings": {"dataset": "demo-medical", "learning_rate": 1e-4}},
            *more,
        ],
    }


def refused(values: dict) -> str:
    with pytest.raises(SpecError) as caught:
        load_spec(CurriculumSpec, values)
    return str(caught.value)


def test_each_stage_is_a_job_that_begins_from_the_one_before_and_is_benchmarked():
    jobs = plan(load_spec(CurriculumSpec, stages()))
    assert [(job.key, job.needs) for job in jobs] == [
        ("benchmark-1", ()), ("sft-1", ()), ("benchmark-2", ("sft-1",)), ("sft-2", ("sft-1",)),
        ("benchmark-3", ("sft-2",)),
    ]
    base, first, second = jobs[0].values, jobs[1].values, jobs[3].values
    assert base["model"] == "demo-llama" and first["start"] == "" and second["start"] == "job:sft-1"
    assert first["lora_r"] == second["lora_r"] == 8 and second["learning_rate"] == 1e-4
    assert first["seed"] == second["seed"] == 5
    assert jobs[3].name == second["name"] == "three-stages_medical_s5"
    uids = {job.key: f"uid-{job.key}" for job in jobs}
    assert jobs[3].with_uids(uids)["start"] == "job:uid-sft-1"


def test_a_stage_may_branch_from_an_earlier_one_or_from_the_base():
    branch = {"name": "other", "start": "general", "settings": {"dataset": "demo-combined"}}
    anew = {"name": "alone", "start": "base", "settings": {"dataset": "demo-medical"}, "benchmark": False}
    jobs = plan(load_spec(CurriculumSpec, stages(branch, anew)))
    trained = {job.name: job for job in jobs if job.kind == "sft"}
    assert trained["three-stages_other_s5"].values["start"] == "job:sft-1"
    assert trained["three-stages_other_s5"].needs == ("sft-1",)
    assert trained["three-stages_alone_s5"].values["start"] == ""
    assert sum(job.kind == "benchmark" for job in jobs) == 4  # the base and three of four stages


def test_a_curriculum_may_begin_from_a_variant():
    jobs = plan(load_spec(CurriculumSpec, stages() | {"start": "variant:mine"}))
    assert jobs[0].values["model"] == "variant:mine" and jobs[1].values["start"] == "variant:mine"


def test_all_faults_are_told_together_with_their_stage():
    values = stages({"name": "third", "start": "fourth", "settings": {}},
                    {"name": "last", "kind": "sftt", "settings": {}})
    values["stages"][1]["settings"] |= {"epohcs": 2, "lora_dropout": 3}
    values["defaults"]["warmup"] = 0.1
    told = refused(values)
    assert "stages.1.settings.epohcs: no such field. Did you mean 'epochs'?" in told
    assert "stages.1.settings.lora_dropout: " in told
    assert "stages.2.start: unknown earlier stage 'fourth'" in told
    assert "stages.3.kind: unknown kind of training 'sftt'. Did you mean 'sft'?" in told
    assert "defaults.warmup" in told


def test_a_stage_does_not_say_what_the_curriculum_fills_in():
    told = refused(stages({"name": "third", "settings": {"base": "demo-qwen2", "dataset": "demo-medical"}}))
    assert "stages.2.settings.base: is filled in by the curriculum" in told


def test_two_stages_of_one_name_are_refused():
    assert "stage names should differ" in refused(stages({"name": "general", "settings": {"dataset": "demo-general"}}))
