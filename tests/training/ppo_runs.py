"""PPO runs on the tiny base, ready for their first step.

A random base does not think, so its rewards are told apart by `missing_eos_penalty`: some completions end by chance.
"""

from __future__ import annotations

import pytest
import torch

from lab.core.context import MemoryContext
from lab.core.spec import load_spec
from lab.core.types import ModelSource
from lab.data.dataset import datasets
from lab.training import _ppo
from lab.training._ppo_answers import answer
from lab.training._ppo_update import Scored, Targets, score, targets
from lab.training._rollouts import Rollouts
from lab.training._start import begin
from lab.training._trl import train_sft
from lab.training.rl_questions import build_questions, of_step
from lab.training.rl_specs import PpoSpec
from lab.training.specs import SftSpec

RUN = {
    "base": "tiny", "dataset": "sums", "batch_size": 8, "micro_batch_size": 4, "n_episodes": 40, "n_minibatches": 2,
    "ppo_epochs": 2, "max_new_tokens": 16, "learning_rate": 5e-3, "lora_r": 4, "lora_alpha": 8,
    "missing_eos_penalty": 1.0, "n_eval_prompts": 4, "eval_every_steps": 2, "health_probes": 0, "checkpoint_every_s": 0,
    "temperature": 1.5,
}


def spec(**values) -> PpoSpec:
    return load_spec(PpoSpec, {**RUN, **values})


@pytest.fixture(scope="session")
def adapter_folder(tmp_path_factory):
    """Filled by the first test that starts from an adapter."""
    return tmp_path_factory.mktemp("adapter-start")


@pytest.fixture
def start(tiny, adapter_folder) -> dict[str, ModelSource]:
    """'variant:taught', an adapter that a few steps of fine-tuning have made."""
    if not (adapter_folder / "adapter_config.json").exists():
        train_sft(load_spec(SftSpec, {
            "base": "tiny", "dataset": "sums", "target": "trace", "max_steps": 4, "learning_rate": 2e-2,
            "batch_size": 16, "micro_batch_size": 16, "lora_r": 4, "lora_alpha": 8, "health_probes": 0,
        }), MemoryContext(adapter_folder))
    source = ModelSource(ref="variant:taught", label="taught", base="tiny", folder=str(adapter_folder), kind="adapter")
    return {source.ref: source}


def ready(settings: PpoSpec, context: MemoryContext, micro: int | None = None) -> _ppo.Run:
    """A run before its first step."""
    begun = begin(settings, context)
    questions = build_questions(settings, datasets()[settings.dataset].load(), begun.tokenizer)
    return _ppo.prepare(settings, context, begun, questions, micro or settings.micro_batch_size)


def sampled(run: _ppo.Run, step: int = 1) -> tuple[Rollouts, Scored]:
    rollouts, _ = answer(run, of_step(run.questions.trained, run.spec, step), run.sampling, seed=step)
    return rollouts, score(run.policy, rollouts, run.updates.micro)


def weights(run: _ppo.Run) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in run.policy.model.named_parameters()}


def lesson(run: _ppo.Run, step: int = 1) -> tuple[Rollouts, Targets]:
    """Completions and targets that tell half of the rows to come and half to go."""
    rollouts, scored = sampled(run, step)
    return rollouts, targets(scored, [1.0, 0.0] * (len(rollouts) // 2), rollouts, run.spec)
