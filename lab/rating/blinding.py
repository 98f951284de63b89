"""Blind units from the frozen answers of a bank, and what would give the models away.

A question is left out for two models when either answer cannot fairly be rated; the reasons are counted per question
and per model, because how often an arm fails to finish is a result of its own. The scans only warn: whether to open
the round is the researcher's decision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from lab.rating.blindness import MINIMUM_PAIRS, Risk, blindness_risk
from lab.rating.design import RoundSpec
from lab.rating.leaks import scan

REASONS = ("missing", "unclosed thinking", "truncated", "empty", "identical")


@dataclass(frozen=True)
class BankAnswer:
    """One frozen answer as one face shows it."""

    id: int
    item_id: str
    model: str  # the face
    arm: str
    base: str
    question: str
    shown_text: str
    think_state: str
    finish_reason: str


@dataclass(frozen=True)
class Blind:
    """A unit to be: one or two answers to a question, in the order of the round's models; one has no `b`."""

    a: BankAnswer
    b: BankAnswer | None = None

    @property
    def item_id(self) -> str:
        return self.a.item_id


@dataclass(frozen=True)
class Material:
    """What a round would be made of."""

    units: tuple[Blind, ...]
    spare: tuple[BankAnswer, ...]  # finished answers to questions that are left out: golds are made from them first
    excluded: dict[str, int]  # reason → questions left out, per two models; each counts once, under its first reason
    by_model: dict[str, dict[str, int]]  # face → reason → answers that cannot be rated
    warnings: tuple[str, ...]
    risks: dict[str, Risk] = field(default_factory=dict)  # 'a / b' → how well style alone tells them apart

    @property
    def n_excluded(self) -> int:
        return sum(self.excluded.values())

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(unit.item_id for unit in self.units))


def fault(answer: BankAnswer) -> str | None:
    """Why this answer cannot be rated, or None. An answer that was cut is often empty, too: the cause comes first."""
    if answer.think_state.startswith("unclosed"):
        return "unclosed thinking"
    if answer.finish_reason not in ("eos", "stop", "forced"):
        return "truncated"
    return None if answer.shown_text.strip() else "empty"


def build_units(answers: Iterable[BankAnswer], design: RoundSpec) -> Material:
    """Match the answers of the design's faces by question, in the order in which the questions first appear."""
    by_item: dict[str, dict[str, BankAnswer]] = {}
    for answer in answers:
        if answer.model in design.models:
            by_item.setdefault(answer.item_id, {})[answer.model] = answer
    units: list[Blind] = []
    excluded: Counter[str] = Counter()
    by_model: dict[str, Counter[str]] = {face: Counter() for face in design.models}
    for sides in by_item.values():
        for face in design.models:
            if face in sides and (reason := fault(sides[face])):
                by_model[face][reason] += 1
        made, reasons = _singles(sides, design) if design.task == "fluency" else _pairs(sides, design)
        units += made
        excluded.update(reasons)
    used = {unit.item_id for unit in units}
    spare = [a for item, sides in by_item.items() if item not in used for a in sides.values() if not fault(a)]
    warnings, risks = _unblinding(by_item, units, design)
    return Material(tuple(units), tuple(spare), _ordered(excluded),
                    {face: _ordered(counts) for face, counts in by_model.items()}, warnings, risks)


def compared(design: RoundSpec) -> list[tuple[str, str]]:
    """Every two faces that are set against each other."""
    if design.pairing == "first":
        return [(design.models[0], other) for other in design.models[1:]]
    return list(combinations(design.models, 2))


def _pairs(sides: dict[str, BankAnswer], design: RoundSpec) -> tuple[list[Blind], list[str]]:
    made, reasons = [], []
    for first, second in compared(design):
        reason = _pair_fault(sides.get(first), sides.get(second))
        if reason:
            reasons.append(reason)
        else:
            made.append(Blind(sides[first], sides[second]))
    return made, reasons


def _singles(sides: dict[str, BankAnswer], design: RoundSpec) -> tuple[list[Blind], list[str]]:
    """One answer at a time; a question stays only when every face answered it: they are compared on the same."""
    found = [sides.get(face) for face in design.models]
    faults = {"missing" if answer is None else fault(answer) for answer in found} - {None}
    if faults:
        return [], [next(reason for reason in REASONS if reason in faults)]
    return [Blind(answer) for answer in found if answer], []


def _pair_fault(a: BankAnswer | None, b: BankAnswer | None) -> str | None:
    if a is None or b is None:
        return "missing"
    faults = {fault(a), fault(b)}
    for reason in REASONS:
        if reason in faults:
            return reason
    same = " ".join(a.shown_text.split()) == " ".join(b.shown_text.split())
    return "identical" if same else None


def _unblinding(
    by_item: dict[str, dict[str, BankAnswer]], units: Sequence[Blind], design: RoundSpec
) -> tuple[tuple[str, ...], dict[str, Risk]]:
    """Warnings, and the risk that style alone tells two models apart."""
    warnings: list[str] = []
    risks: dict[str, Risk] = {}
    used = {unit.item_id for unit in units}
    for first, second in compared(design):
        both = [(sides[first], sides[second]) for item, sides in by_item.items()
                if item in used and first in sides and second in sides
                and not _pair_fault(sides[first], sides[second])]
        texts = [[pair[side].shown_text for pair in both] for side in (0, 1)]
        names = {first, second} | {answer.base for pair in both for answer in pair}
        warnings += scan(texts[0], texts[1], (first, second), names)
        if len(both) >= MINIMUM_PAIRS:
            risk = risks[f"{first} / {second}"] = blindness_risk(texts[0], texts[1], seed=design.seed)
            if risk.warns:
                warnings.append(f"Style alone (length, lines, lists…) tells {first} from {second} in {risk.auc:.0%} of "
                                "cases: raters may learn to tell them apart.")
    return tuple(dict.fromkeys(warnings)), risks


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return {reason: counts[reason] for reason in REASONS if counts[reason]}
