"""Arm against arm on the same questions: which pairs a study offers, whether they may be compared, and the figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lab.reports.asked import PLAIN_ADAPTATION, PLAIN_BUDGET, asked, asked_order
from lab.reports.records import MATCHED_SETTINGS, ModelRun
from lab.stats.paired import paired_difference
from lab.stats.power import detectable_difference

Question = Literal["trace − answer", "trace − other", "stage − start", "arm − base", "adapted − as it is", "two models"]
ARM_ORDER = ("base", "answer", "trace", "steps", "gold", "shuffled", "wrong")


@dataclass(frozen=True)
class Difference:
    """`first` minus `second` in accuracy, on the questions both answered. Shares of 1, not points."""

    question: Question
    first: ModelRun
    second: ModelRun
    n: int
    difference: float
    low: float
    high: float
    first_only: int  # b: questions only `first` got right
    second_only: int  # c: questions only `second` got right
    p_value: float  # exact McNemar
    p_holm: float  # corrected over every comparison of the report
    detectable: float | None  # smallest true difference this n shows with 80 % power; None when they never differ
    note: str = ""  # why the interval should be read with care

    @property
    def within_noise(self) -> bool:
        return self.low <= 0 <= self.high

    @property
    def benchmark(self) -> str:
        return self.first.benchmark

    @property
    def discordance(self) -> float:
        return (self.first_only + self.second_only) / self.n


@dataclass(frozen=True)
class Refused:
    """A pair that is not compared, and why: shown, never dropped in silence."""

    first: str
    second: str
    benchmark: str
    why: str


def why_not_comparable(first: ModelRun, second: ModelRun) -> str:
    """Empty when a difference of the two means something; else the reason in one clause."""
    if first.benchmark != second.benchmark:
        return f"different benchmarks: {first.benchmark} and {second.benchmark}"
    if first.benchmark_version != second.benchmark_version:
        return f"different versions of the benchmark: {first.benchmark_version} and {second.benchmark_version}"
    for name in MATCHED_SETTINGS:
        mine, theirs = first.settings.get(name), second.settings.get(name)
        if mine != theirs:
            return f"different {name}: {mine} and {theirs}"
    if why := _asked_differently(first, second):
        return why
    if not {s.key for s in first.samples} & {s.key for s in second.samples}:
        return "no question in common"
    return ""


def _asked_differently(first: ModelRun, second: ModelRun) -> str:
    """One model may differ from itself in how it was adapted, and in nothing else; two models in neither."""
    ours, theirs = asked(first.settings), asked(second.settings)
    names = PLAIN_BUDGET if first.model == second.model else (*PLAIN_BUDGET, *PLAIN_ADAPTATION)
    for name in names:
        if ours[name] != theirs[name]:
            return f"different {name}: {ours[name]} and {theirs[name]}"
    return ""


def compare(first: ModelRun, second: ModelRun, question: Question = "two models") -> Difference:
    """The paired difference over the questions that both runs answered."""
    theirs = {sample.key: sample.correct for sample in second.samples}
    common = [(sample.correct, theirs[sample.key]) for sample in first.samples if sample.key in theirs]
    table = np.array(common, dtype=int)  # (questions, 2)
    paired = paired_difference(table[:, 0], table[:, 1])
    detectable = detectable_difference(paired.n, paired.discordance) if paired.discordance else None
    return Difference(
        question, first, second, paired.n, paired.difference, paired.low, paired.high, paired.a_only, paired.b_only,
        paired.p_value, paired.p_value, detectable, paired.note,
    )


def pairs(runs: Sequence[ModelRun]) -> list[tuple[Question, ModelRun, ModelRun]]:
    """The pairs a study is about, in this order: trace − answer inside a cell, trace − each other arm or control, each
    stage − the one it went on from, each arm − its own base, each model adapted − the same as it is. All but the last
    are pairs of runs asked alike."""
    ordered = sorted(runs, key=run_order)
    found = [(question, first, second) for first in ordered for second in ordered
             if first.benchmark == second.benchmark and (question := _question(first, second))]
    order: tuple[Question, ...] = (
        "trace − answer", "trace − other", "stage − start", "arm − base", "adapted − as it is"
    )
    return sorted(found, key=lambda pair: order.index(pair[0]))


def _question(first: ModelRun, second: ModelRun) -> Question | None:
    """What the difference of two runs would answer; None for pairs that nobody asked about."""
    if first.model == second.model:
        plain = asked(second.settings)
        is_pair = plain["adapt"] == "none" and asked(first.settings)["adapt"] != "none" and not _asked_differently(
            first, second)
        return "adapted − as it is" if is_pair else None
    if not first.asked_as(second):
        return None  # a model adapted beside another that is not: two differences at once
    if first.arm == "base" or first.base != second.base:
        return None
    if second.arm == "base":
        return "arm − base"
    if first.start and first.start == second.model:
        return "stage − start"
    if first.arm == "trace" and first.cell == second.cell and second.arm != "trace":
        return "trace − answer" if second.arm == "answer" else "trace − other"
    return None


def compare_all(runs: Sequence[ModelRun]) -> tuple[list[Difference], list[Refused]]:
    """Every pair of `pairs`, with p values corrected over all of them."""
    differences, refused = [], []
    for question, first, second in pairs(runs):
        why = why_not_comparable(first, second)
        if why:
            refused.append(Refused(first.title, second.title, first.benchmark, why))
        else:
            differences.append(compare(first, second, question))
    corrected = holm([difference.p_value for difference in differences])
    return [replace(d, p_holm=p) for d, p in zip(differences, corrected, strict=True)], refused


def holm(p_values: Iterable[float]) -> list[float]:
    """Holm (1979) step-down correction, in the given order: p(i) times the hypotheses left, monotone, at most 1."""
    given = list(p_values)
    corrected, largest = [0.0] * len(given), 0.0
    for rank, index in enumerate(sorted(range(len(given)), key=given.__getitem__)):
        largest = max(largest, min(1.0, given[index] * (len(given) - rank)))
        corrected[index] = largest
    return corrected


def run_order(run: ModelRun) -> tuple:
    """Benchmark, base, stage, dataset and seed, with the base's own run first and arms in their fixed order; of one
    model the run as it is first."""
    arm = ARM_ORDER.index(run.arm) if run.arm in ARM_ORDER else len(ARM_ORDER)
    seed = -1 if run.seed is None else run.seed
    return (run.benchmark, run.base, run.n_stages, run.dataset, seed, arm, run.model, *asked_order(run.settings))
