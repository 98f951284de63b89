"""A job's arm is that of what it trains; methods without a target of their own go on in the colour of their start."""

from __future__ import annotations

import pytest

from jobs.queue import submit
from storage.queries.arms import job_arms
from storage.queries.studies import study_jobs

CURRICULUM = {
    "name": "Chain", "base": "demo-llama", "benchmarks": ["demo-medical"],
    "defaults": {"dataset": "demo-medical", "lora_r": 8, "n_episodes": 96},
    "stages": [
        {"name": "direct", "settings": {"target": "answer"}},
        {"name": "rewarded", "kind": "ppo"},
        {"name": "preferred", "kind": "dpo", "settings": {"pairs": "demo-pairs"}},
        {"name": "alone", "kind": "grpo", "start": "base"},
    ],
}


@pytest.mark.parametrize("kind", ["ppo", "dpo", "grpo"])
def test_rewards_and_preferences_keep_the_arm_of_what_they_began_from(any_store, kind):
    study = submit(any_store, "curriculum", CURRICULUM).study
    with any_store.read() as session:
        jobs = study_jobs(session, study.id)
        arms = job_arms(session, jobs)
    trained = next(job for job in jobs if job.kind == kind)
    benchmark = next(job for job in jobs if job.spec.get("model") == f"job:{trained.uid}")
    assert arms[benchmark.id] == ("trace" if kind == "grpo" else "answer")
    assert kind == "grpo" or arms[trained.id] == "answer"


def test_the_base_of_a_curriculum_is_its_own_arm(any_store):
    study = submit(any_store, "curriculum", CURRICULUM).study
    with any_store.read() as session:
        jobs = study_jobs(session, study.id)
        assert job_arms(session, jobs)[jobs[0].id] == "base" and jobs[0].spec["model"] == "demo-llama"
