"""Answers of a PPO run: sampled ones to learn from, greedy ones to held-out questions, and what both are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lab.data.targets import THINKING_STYLES
from lab.training._rollouts import Rollouts, Sampling, roll_out, texts, written_opening
from lab.training.rewards import Reward, reward
from lab.training.rl_questions import Question

if TYPE_CHECKING:
    from lab.training._ppo import Run

N_SAMPLES_SHOWN = 4


def answer(
    run: Run, asked: Sequence[Question], sampling: Sampling, seed: int
) -> tuple[Rollouts, list[Reward]]:
    """One completion of each question, and what it is worth."""
    style, tokenizer = run.begun.style, run.begun.tokenizer
    prompts = [question.prompt for question in asked]
    with run.policy.autocast():
        rollouts = roll_out(run.policy.model, prompts, sampling, seed)
    opening = written_opening(tokenizer, prompts[0], THINKING_STYLES[style].open)
    said = texts(rollouts, tokenizer, sampling.end_ids, opening)
    scheme = run.spec.scheme()
    rewards = [
        reward(text, question.example, style, ended, scheme)
        for text, question, ended in zip(said, asked, rollouts.ended, strict=True)
    ]
    if sampling.temperature == 0:  # a check on held-out questions
        _show(run, asked, said, rewards)
    return rollouts, rewards


def held_out_figures(run: Run) -> dict[str, float]:
    """Greedy answers to the questions that are never trained on; empty where none are held out."""
    if not run.questions.held_out:
        return {}
    rollouts, rewards = answer(run, run.questions.held_out, replace(run.sampling, temperature=0.0), 0)
    return {f"eval_{name}": value for name, value in reward_figures(rollouts, rewards).items()}


def reward_figures(rollouts: Rollouts, rewards: Sequence[Reward]) -> dict[str, float]:
    n = len(rewards)
    return {
        "reward": sum(each.value for each in rewards) / n,
        "accuracy": sum(each.correct for each in rewards) / n,
        "well_formed": sum(each.well_formed for each in rewards) / n,
        "mean_tokens": float(rollouts.mask.sum()) / n,
    }


def end_ids(tokenizer: Any, model: Any) -> frozenset[int]:
    """Ids that end an answer: the tokenizer's and those of the model's own generation settings."""
    given = model.generation_config.eos_token_id
    named = [tokenizer.eos_token_id, *(given if isinstance(given, list) else [given])]
    return frozenset(token for token in named if token is not None)


def _show(run: Run, asked: Sequence[Question], said: Sequence[str], rewards: Sequence[Reward]) -> None:
    rows = list(zip(asked, said, rewards, strict=True))[:N_SAMPLES_SHOWN]
    after = int(run.curve.points[-1]["step"]) + 1 if run.curve.points else 0
    run.curve.sample([
        {"step": after, "id": question.example.id, "text": text, "reward": each.value, "rule": each.rule}
        for question, text, each in rows
    ])
