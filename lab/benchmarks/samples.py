"""Samples: one question of one run with everything that was generated for it, and the figures over all of them.

What cannot be scored is wrong, and counted apart: a truncated answer (it hit the budget, whatever it says until there)
and an unparsed one (it ended by itself, and no answer can be read in it). No row is both, none is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lab.core.types import Example, Generation, Plain, Score
from lab.data.chat import question_text
from lab.stats.intervals import wilson
from lab.verify.verifier import verify


class Sample(Plain):
    """A row of samples.jsonl; the columns of the store's samples."""

    item_id: str
    epoch: int = 0
    subject: str
    question: str
    gold: str
    raw_text: str
    think_text: str
    final_text: str
    think_state: str
    finish_reason: str
    n_prompt_tokens: int
    n_think_tokens: int
    n_answer_tokens: int
    parsed: str | None
    rule: str
    correct: bool
    seconds: float
    n_waits: int = 0
    adaptation: dict[str, Any] | None = None  # of an adapted question: which examples, how near, losses, proof

    @property
    def truncated(self) -> bool:
        return self.finish_reason == "length"

    @property
    def unparsed(self) -> bool:
        return self.parsed is None and not self.truncated


def score(generation: Generation, example: Example) -> Score:
    """The verifier's verdict on a finished answer; a truncated one is wrong unread."""
    if generation.finish_reason == "length":
        return Score(correct=False, parsed=None, rule="truncated")
    if generation.think_state.startswith("unclosed"):
        return Score(correct=False, parsed=None, rule="unclosed thinking")
    return verify(generation.final_text, example)


def sample(generation: Generation, example: Example) -> Sample:
    return Sample(
        item_id=example.id,
        subject=example.subject,
        question=question_text(example),
        gold=example.gold,
        **generation.model_dump(exclude={"adaptation"}),
        adaptation=short_adaptation(generation.adaptation),
        **score(generation, example).model_dump(),
    )


def short_adaptation(report: dict[str, Any] | None) -> dict[str, Any] | None:
    """A report (`lab.engine.adapt.AdaptationReport`) with its examples' ids in the place of their texts: those are in
    the dataset."""
    if report is None:
        return None
    kept = ("id", "dataset", "similarity")
    neighbours = [{name: one[name] for name in kept} for one in report["neighbours"]]
    return {**report, "neighbours": neighbours}


def figures(samples: Sequence[Sample]) -> dict[str, Any]:
    """n, accuracy with Wilson's 95 % interval, what could not be scored, and the mean length of what was generated."""
    n_correct = sum(one.correct for one in samples)
    interval = wilson(n_correct, len(samples))
    return {
        "n": len(samples),
        "n_correct": n_correct,
        "accuracy": interval.estimate,
        "ci_low": interval.low,
        "ci_high": interval.high,
        "n_unparsed": sum(one.unparsed for one in samples),
        "n_truncated": sum(one.truncated for one in samples),
        "mean_tokens": sum(one.n_think_tokens + one.n_answer_tokens for one in samples) / len(samples),
    }
