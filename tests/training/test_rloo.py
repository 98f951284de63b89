"""RLOO on the tiny base: what makes it another method than GRPO; all else is one code, tested in test_grpo.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from lab.core.context import MemoryContext, Stopped
from lab.core.spec import load_spec
from lab.data.dataset import datasets
from lab.training import _grpo
from lab.training._inputs import weights_sha256
from lab.training._start import begin
from lab.training.grpo_specs import RlooSpec
from lab.training.rewards import Reward
from lab.training.rl_questions import build_questions, of_step
from lab.training.rloo import TASK
from tests.training.attempts import attempt

QUICK = {
    "base": "tiny", "dataset": "sums", "batch_size": 8, "micro_batch_size": 8, "n_episodes": 32, "max_rows": 20,
    "samples_per_prompt": 4, "learning_rate": 2e-3, "lora_r": 8, "lora_alpha": 16, "max_new_tokens": 12,
    "max_prompt_tokens": 64, "eval_every_steps": 2, "health_probes": 0, "start": "variant:start",
}


def spec(**values) -> RlooSpec:
    return load_spec(RlooSpec, {**QUICK, **values})


@pytest.fixture(autouse=True)
def easy_reward(monkeypatch):
    """One that a random model earns, too: the share of different signs in its text."""

    def share(text, *_) -> Reward:
        return Reward(len(set(text)) / max(1, len(text)), False, True, "easy")

    monkeypatch.setattr(_grpo, "reward", share)


def context(folder: Path, **values) -> MemoryContext:
    folder.mkdir(parents=True, exist_ok=True)
    return MemoryContext(folder, **values)


def test_the_task_names_its_spec_and_function():
    assert (TASK.kind, TASK.spec) == ("rloo", RlooSpec) and TASK.load() is _grpo.train_rloo


def test_an_advantage_is_the_reward_less_the_kl_less_what_the_others_had(tiny, tmp_path, taught):
    """A_i = r_i - mean of the others' r (Ahmadian et al. 2024, equation 7), where r has the KL taken off."""
    chosen = spec(kl_coefficient=0.5, n_episodes=16)
    begun = begin(chosen, context(tmp_path, models={"variant:start": taught("lora")}))
    questions = build_questions(chosen, datasets()["sums"].load(), begun.tokenizer)
    trainer = _grpo.rloo_trainer(chosen, begun, questions, 8, tmp_path / "checkpoints")
    with torch.no_grad():
        for name, p in trainer.model.named_parameters():
            if "lora_B.default" in name:  # away from the start, so that there is a KL
                p.add_(0.02 * torch.randn(p.shape, generator=torch.Generator().manual_seed(1)))
    trainer.model.train()
    rewards = []
    score = trainer._calculate_rewards
    trainer._calculate_rewards = lambda *given: (rewards.append(score(*given)), rewards[-1])[1]
    asked = of_step(questions.trained, chosen, 1)
    places = {question.example.id: place for place, question in enumerate(questions.trained)}
    table = _grpo.schedule(chosen, questions.trained)
    batch = [table[i // 4] for i in range(8)]
    assert [row["place"] for row in batch] == [places[question.example.id] for question in asked]
    found = trainer._generate_and_score_completions(batch)

    ids = torch.cat([found["prompt_ids"], found["completion_ids"]], 1)
    mask = torch.cat([found["prompt_mask"], found["completion_mask"]], 1)

    def logp() -> torch.Tensor:
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        with torch.no_grad():
            each = trainer.model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False)
        each = each.logits[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None]).squeeze(-1)
        return (each[:, -found["completion_ids"].shape[1] :] * found["completion_mask"]).sum(1)

    policy = logp()
    trainer.model.set_adapter("ref")
    reference = logp()
    r = rewards[0][:, 0] - 0.5 * (policy - reference)
    expected = [float(r[i] - (r[i // 4 * 4 : i // 4 * 4 + 4].sum() - r[i]) / 3) for i in range(8)]
    assert found["advantages"].tolist() == pytest.approx(expected, abs=2e-4)
    assert float((policy - reference).abs().max()) > 0.01


def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(tiny, tmp_path, taught):
    models = {"variant:start": taught("lora")}
    whole = attempt(tmp_path / "whole")
    whole.models = models
    expected = TASK.load()(spec(passes=2), whole)
    first = attempt(tmp_path / "cut", n_steps=2)  # asked between steps alone, not between the two passes of one
    first.models = models
    with pytest.raises(Stopped, match="after step 4 of 8"):
        TASK.load()(spec(passes=2), first)
    second = attempt(tmp_path / "cut", first)
    second.models = models
    result = TASK.load()(spec(passes=2), second)
    assert weights_sha256(second.folder) == weights_sha256(whole.folder)
    assert result["reward_last"] == pytest.approx(expected["reward_last"], rel=1e-6)
    assert result["n_tokens_seen"] == expected["n_tokens_seen"]


def test_the_curve_has_the_names_of_ppo_and_begins_at_a_kl_of_0(tiny, tmp_path, taught):
    about = context(tmp_path / "run", models={"variant:start": taught("lora")})
    result = TASK.load()(spec(), about)
    points = [values for _, values in about.metrics if "reward" in values]
    assert points[0]["kl"] == 0.0 and len(points) == result["n_steps"] == 4
    curve = {"reward", "accuracy", "well_formed", "kl", "mean_tokens", "clip_fraction", "policy_loss", "learning_rate"}
    assert all(curve <= set(values) for values in points)
    assert result["final_loss"] is None and result["n_held_out"] == 2
    json.dumps(result)
    assert not (about.folder / "ref").exists()
