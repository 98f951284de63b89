"""Probes: the questions that a model is asked after its training, and what is expected of the replies.

They are rows the run trained on: a healthy model has every reason to answer those well, so a fault is the model's and
not the question's. What it knows is for benchmarks to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.core.types import Example, Pair, StyleName, Target
from lab.data.short_answer import short_answer
from lab.data.targets import WITH_THINKING, target_text


@dataclass(frozen=True)
class Probe:
    """One question to a trained model, and what is expected of the reply."""

    example: Example
    taught: str | None = None  # the reply as it was taught; None: nobody wrote one (reinforcement learning)
    thinks: bool | None = None  # whether the reply should think; None: both are right


def chosen(rows: Sequence[Any], n: int, seed: int = 0) -> list[Any]:
    """`n` of the rows, each with an `id`: those whose id hashes lowest. Arms with the same rows are asked the same."""

    def place(row: Any) -> str:
        return hashlib.sha256(f"{seed}:{row.id}".encode()).hexdigest()

    return sorted(rows, key=place)[:n]


def taught_probes(
    examples: Sequence[Example], target: Target, style: StyleName, n: int, seed: int = 0
) -> list[Probe]:
    """Probes on rows that were taught under `target`. The examples are as `transforms.as_taught` left them."""
    thinks = target in WITH_THINKING
    return [Probe(row, target_text(row, target, style), thinks) for row in chosen(examples, n, seed)]


def pair_probes(pairs: Sequence[Pair], style: StyleName, n: int, seed: int = 0) -> list[Probe]:
    """Probes on preference pairs: the preferred reply is the one expected, with its thinking where it has some."""
    return [_pair_probe(pair, style) for pair in chosen(pairs, n, seed)]


def _pair_probe(pair: Pair, style: StyleName) -> Probe:
    example = Example(
        id=pair.id, question=pair.question, options=pair.options, trace=pair.chosen_trace, answer=pair.chosen,
        gold=short_answer(pair.chosen), verifier="choice" if pair.options else "exact", subject=pair.subject,
    )
    target: Target = "trace" if pair.chosen_trace else "answer"
    return Probe(example, target_text(example, target, style), bool(pair.chosen_trace))


def asked_probes(examples: Sequence[Example], thinks: bool | None, n: int, seed: int = 0) -> list[Probe]:
    """Probes without a taught reply. `thinks`: whether a reply should think."""
    return [Probe(row, None, thinks) for row in chosen(examples, n, seed)]
