"""Whole PPO runs on the tiny base: stopped and gone on, reported, left behind, and ended early."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from lab.bases.cards import bases
from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError
from lab.core.task import Task
from lab.core.types import ModelSource
from lab.training import _ppo
from lab.training._inputs import weights_sha256
from lab.training.ppo import TASK
from lab.training.rl_specs import PpoSpec
from tests.training.attempts import attempt
from tests.training.ppo_runs import adapter_folder, ready, spec, start, weights

__all__ = ["adapter_folder", "start"]
SAME = ("n_tokens_seen", "n_steps", "n_rows", "reward_first", "reward_last", "kl_last", "kl_most", "inputs", "weights",
        "eval_accuracy_before", "eval_accuracy_after", "n_trainable")


def test_the_task_names_its_spec_and_function():
    assert isinstance(TASK, Task) and (TASK.kind, TASK.spec) == ("ppo", PpoSpec)
    assert TASK.load() is _ppo.train_ppo and TASK.resumes


@pytest.mark.parametrize("values", [{"method": "full"}, {"start": "variant:taught"}], ids=["full", "adapter"])
def test_a_run_that_was_stopped_twice_is_the_run_that_was_not(tiny, tmp_path, start, values):
    settings = spec(**values)
    whole = attempt(tmp_path / "whole")
    whole.models = start
    expected = _ppo.train_ppo(settings, whole)
    first = attempt(tmp_path / "cut", n_steps=2)
    first.models = start
    with pytest.raises(Stopped, match="stopped after step 2 of 5; checkpoint-2 is whole"):
        _ppo.train_ppo(settings, first)
    second = attempt(tmp_path / "cut", first, n_steps=1)
    second.models = start
    with pytest.raises(Stopped, match="after step 3"):
        _ppo.train_ppo(settings, second)
    third = attempt(tmp_path / "cut", second)
    third.models = start
    result = _ppo.train_ppo(settings, third)
    assert weights_sha256(third.folder) == weights_sha256(whole.folder) != weights_sha256_of(start, values)
    assert {name: result[name] for name in SAME} == {name: expected[name] for name in SAME}
    assert _without_clock(third) == _without_clock(whole)
    lines = (third.folder / "samples.jsonl").read_text()
    assert lines == (whole.folder / "samples.jsonl").read_text() and lines.count("\n") == 4 * 4


def weights_sha256_of(start: dict[str, ModelSource], values: dict) -> str:
    folder = start["variant:taught"].folder if "start" in values else bases()["tiny"].location()
    return weights_sha256(Path(folder))


def _without_clock(context: MemoryContext) -> list:
    return [(step, {name: value for name, value in values.items() if name != "tokens_per_s"})
            for step, values in context.metrics]


def test_a_run_reports_every_step_and_leaves_a_variant(tiny, tmp_path):
    context = MemoryContext(tmp_path)
    result = _ppo.train_ppo(spec(health_probes=2), context)
    assert [step for step, _ in context.metrics] == [0, 1, 2, 3, 4, 5]
    assert {"eval_accuracy", "eval_reward"} <= set(context.metrics[0][1])
    for step, values in context.metrics[1:]:
        assert {"reward", "accuracy", "well_formed", "kl", "kl_k3", "entropy", "clip_fraction", "value_loss",
                "policy_loss", "mean_tokens", "tokens_per_s", "learning_rate"} <= set(values)
        assert ("eval_accuracy" in values) is (step in (2, 4, 5))
    assert context.metrics[1][1]["kl"] == 0 and context.metrics[3][1]["kl_k3"] > 0
    assert context.progress_calls[-1][:2] == (5, 5)
    assert (tmp_path / "adapter_config.json").is_file() and (tmp_path / "contract.json").is_file()
    assert json.loads((tmp_path / "spec.json").read_text())["dataset"] == "sums"
    assert result["final_loss"] is None and result["n_steps"] == 5 and result["n_episodes"] == 40
    assert result["weights"] == "adapter" and result["thinking_style"] == "tags" and result["health"]["n"] == 2
    assert result["n_rows"] + result["n_held_out"] + result["n_dropped"] == 96
    assert not any("reference" in file.name for file in tmp_path.iterdir())


def test_a_base_that_says_nothing_worth_a_reward_is_left_as_it_is_by_no_reward(tiny, tmp_path):
    """All completions malformed and none preferred: advantages are 0, so nothing moves but by the KL, which is 0."""
    run = ready(spec(missing_eos_penalty=0.0), MemoryContext(tmp_path))
    before = weights(run)
    figures = _ppo.one_step(run, 1)
    assert figures["reward"] == 0 and figures["policy_loss"] == 0 and figures["grad_norm"] == 0
    assert all(torch.equal(before[name], value) for name, value in weights(run).items())


def test_a_policy_that_runs_away_ends_the_run_and_says_what_to_change(tiny, tmp_path):
    with pytest.raises(LabError, match="nats a completion away .* Lower learning_rate .* kl_coefficient") as caught:
        _ppo.train_ppo(spec(learning_rate=0.3, max_kl=0.5, ppo_epochs=4), MemoryContext(tmp_path))
    assert caught.value.reason == "spec"
