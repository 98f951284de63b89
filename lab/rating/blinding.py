"""Blind pairs from the frozen answers of two models, and a scan for what would give the models away.

A pair is left out when either answer cannot fairly be rated; the reasons are counted per pair and per model, because
how often an arm fails to finish is a result of its own. The leak scan only warns: whether to open the round is the
researcher's decision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.rating.leaks import scan

REASONS = ("missing", "unclosed thinking", "truncated", "empty", "identical")


@dataclass(frozen=True)
class BankAnswer:
    """One frozen answer, as far as pairing needs it."""

    id: int
    item_id: str
    model: str
    arm: str
    base: str
    shown_text: str
    think_state: str
    finish_reason: str


@dataclass(frozen=True)
class Pair:
    """Two answers to one question; `a` and `b` are answer ids in the order of the round's models."""

    item_id: str
    a: int
    b: int


@dataclass(frozen=True)
class Pairing:
    """What a round would be made of."""

    pairs: tuple[Pair, ...]
    excluded: dict[str, int]  # reason → pairs left out; a pair counts once, under its first reason
    by_model: dict[str, dict[str, int]]  # model → reason → answers that cannot be rated
    warnings: tuple[str, ...]

    @property
    def n_excluded(self) -> int:
        return sum(self.excluded.values())


def fault(answer: BankAnswer) -> str | None:
    """Why this answer cannot be rated, or None. An answer that was cut is often empty, too: the cause comes first."""
    if answer.think_state.startswith("unclosed"):
        return "unclosed thinking"
    if answer.finish_reason not in ("eos", "stop", "forced"):
        return "truncated"
    return None if answer.shown_text.strip() else "empty"


def build_pairs(answers: Iterable[BankAnswer], model_a: str, model_b: str) -> Pairing:
    """Pair the answers of two models by question, in the order in which the questions first appear."""
    if model_a == model_b:
        raise ValueError("a round compares two different models")
    by_item: dict[str, dict[str, BankAnswer]] = {}
    for answer in answers:
        if answer.model in (model_a, model_b):
            by_item.setdefault(answer.item_id, {})[answer.model] = answer
    pairs: list[Pair] = []
    excluded: Counter[str] = Counter()
    by_model = {model_a: Counter(), model_b: Counter()}
    shown: list[BankAnswer] = []
    for item_id, sides in by_item.items():
        for answer in sides.values():
            if reason := fault(answer):
                by_model[answer.model][reason] += 1
        reason = _pair_fault(sides.get(model_a), sides.get(model_b))
        if reason:
            excluded[reason] += 1
            continue
        pairs.append(Pair(item_id, sides[model_a].id, sides[model_b].id))
        shown += [sides[model_a], sides[model_b]]
    return Pairing(tuple(pairs), _ordered(excluded), {m: _ordered(c) for m, c in by_model.items()},
                   leak_warnings(shown, model_a, model_b))


def leak_warnings(shown: Sequence[BankAnswer], model_a: str, model_b: str) -> tuple[str, ...]:
    """What in the texts that raters would see gives a model away."""
    texts = {m: [answer.shown_text for answer in shown if answer.model == m] for m in (model_a, model_b)}
    names = {model_a, model_b} | {answer.base for answer in shown}
    return scan(texts[model_a], texts[model_b], (model_a, model_b), names)


def _pair_fault(a: BankAnswer | None, b: BankAnswer | None) -> str | None:
    if a is None or b is None:
        return "missing"
    faults = {fault(a), fault(b)}
    for reason in REASONS:
        if reason in faults:
            return reason
    same = " ".join(a.shown_text.split()) == " ".join(b.shown_text.split())
    return "identical" if same else None


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return {reason: counts[reason] for reason in REASONS if counts[reason]}
