"""The check on held-out questions of a run that TRL drives: greedy answers every so many steps, scored as in training.

Its figures have PPO's names, so curves of the three methods lie over each other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from transformers import TrainerCallback

from lab.core.context import Context
from lab.data.targets import THINKING_STYLES
from lab.training._checkpointing import wait_for_all
from lab.training._ppo_answers import end_ids, reward_figures
from lab.training._ppo_curve import SAMPLES
from lab.training._rollouts import Sampling, roll_out, texts, written_opening
from lab.training._start import Begun
from lab.training.grpo_specs import GroupSettings
from lab.training.ranks import is_first
from lab.training.rewards import Reward, reward
from lab.training.rl_questions import Question

AT_ONCE = 256  # questions answered in one batch: rows that are generated hold keys and values alone
N_SHOWN = 4


class Line(Protocol):
    """Where figures go: a curve."""

    context: Context

    def add(self, step: int, values: dict[str, float]) -> None: ...


class HeldOut(TrainerCallback):
    """Asks at the start, every `eval_every_steps` steps, and at the end. A few answers are kept to look at: a reward
    that rises for a wrong reason is seen there first. Consumes no random numbers. (`saves.Keeps`)"""

    def __init__(self, spec: GroupSettings, begun: Begun, questions: Sequence[Question], curve: Line):
        self.spec, self.begun, self.questions, self.curve = spec, begun, questions, curve
        self.samples: list[dict[str, Any]] = []

    def state(self) -> dict[str, Any]:
        return {"samples": self.samples}

    def restore(self, state: dict[str, Any]) -> None:
        self.samples = state["samples"]

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        self._write()
        if state.global_step == 0:
            self.check(model, 0)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        every = self.spec.eval_every_steps * self.spec.passes
        if state.global_step >= state.max_steps or (every and state.global_step % every == 0):
            self.check(model, state.global_step)

    def check(self, model: Any, step: int) -> None:
        """Ask, score, report. The first process alone does it, the others wait."""
        if self.questions and is_first():
            figures, rewards, said = held_out_figures(model, self.spec, self.begun, self.questions)
            self.curve.add(step, figures)
            self.samples += [
                {"step": step, "id": question.example.id, "text": text, "reward": each.value, "rule": each.rule}
                for question, text, each in list(zip(self.questions, said, rewards, strict=True))[:N_SHOWN]
            ]
            self._write()
        wait_for_all()

    def _write(self) -> None:
        if is_first():
            rows = (json.dumps(row, ensure_ascii=False) + "\n" for row in self.samples)
            (self.curve.context.folder / SAMPLES).write_text("".join(rows), encoding="utf-8")


def held_out_figures(
    model: Any, spec: GroupSettings, begun: Begun, questions: Sequence[Question]
) -> tuple[dict[str, float], list[Reward], list[str]]:
    """Greedy answers: their figures, named as PPO names them, their rewards, and what they say."""
    tokenizer, ends = begun.tokenizer, end_ids(begun.tokenizer, model)
    prompts = [question.prompt for question in questions]
    sampling = Sampling(spec.max_new_tokens, 0.0, ends, tokenizer.pad_token_id or 0, AT_ONCE)
    was_training = model.training
    model.eval()
    try:
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=model.device.type == "cuda"):
            rollouts = roll_out(model, prompts, sampling, seed=0)
    finally:
        model.train(was_training)
    opening = written_opening(tokenizer, prompts[0], THINKING_STYLES[begun.style].open)
    said = texts(rollouts, tokenizer, ends, opening)
    scheme = spec.scheme()
    rewards = [
        reward(text, question.example, begun.style, ended, scheme)
        for text, question, ended in zip(said, questions, rollouts.ended, strict=True)
    ]
    figures = {f"eval_{name}": value for name, value in reward_figures(rollouts, rewards).items()}
    return figures, rewards, said
