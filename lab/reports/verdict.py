"""'Does the trace help?' in words: one honest sentence for each base, dataset and benchmark.

The sentence reads the paired interval, never the two levels. It names n, says when arms finished or parsed at
different rates (then part of a difference may be the budget's doing), and what this n could have shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from lab.reports.asked import asked, asked_order
from lab.reports.paired import Difference
from lab.reports.records import ModelRun
from lab.stats.bootstrap import mean_interval

RATE_GAP = 0.05  # truncated or unparsed rates further apart than this are mentioned
ALPHA = 0.05


@dataclass(frozen=True)
class Verdict:
    """One cell's answer. `outcome`: trace better, answer better, or within noise; figures are shares of 1."""

    base: str
    dataset: str
    benchmark: str
    outcome: str  # better | worse | noise
    difference: float
    low: float
    high: float
    n: int
    seeds: tuple[int | None, ...]
    sentence: str
    cautions: tuple[str, ...]
    firm: bool = True  # False when a difference does not survive correction for all the comparisons shown
    question: str = "trace − answer"  # or "stage − start": what the two are
    models: tuple[str, str] = ("", "")  # the first and the second
    asked: str = ""  # how both were asked beyond the usual: 'adapted: nearest'


def verdicts(differences: Sequence[Difference]) -> list[Verdict]:
    """One verdict for each base × dataset × benchmark (and method, and way of asking) that has a trace − answer pair,
    its seeds pooled; then one for each stage of a curriculum against the model it went on from."""
    asked = sorted((d for d in differences if d.question == "trace − answer"), key=_cell)
    found = [_verdict(list(group)) for _, group in groupby(asked, key=_cell)]
    return found + [_verdict([d]) for d in differences if d.question == "stage − start"]


def _cell(difference: Difference) -> tuple:
    first = difference.first
    how = asked(first.settings)
    return (difference.benchmark, first.base, first.dataset, first.method, first.n_stages, *asked_order(first.settings),
            *(str(how[name]) for name in sorted(how)))


def _verdict(group: list[Difference]) -> Verdict:
    first = group[0]
    difference, low, high = _pooled(group)
    outcome = "better" if low > 0 else "worse" if high < 0 else "noise"
    n = first.n if len(group) == 1 else len({s.item_id for d in group for s in d.first.samples})
    return Verdict(
        first.first.base, first.first.dataset, first.benchmark, outcome, difference, low, high, n,
        tuple(d.first.seed for d in group), _sentence(group, outcome, (difference, low, high), n), _cautions(group),
        firm=outcome == "noise" or _survives(group), question=first.question,
        models=(first.first.model, first.second.model), asked=first.first.asked_words,
    )


def _pooled(group: list[Difference]) -> tuple[float, float, float]:
    """One seed: its paired interval. Several: the mean over seeds of each question, interval over questions."""
    if len(group) == 1:
        return group[0].difference, group[0].low, group[0].high
    values, questions = [], []
    for difference in group:
        theirs = {sample.key: sample.correct for sample in difference.second.samples}
        for sample in difference.first.samples:
            if sample.key in theirs:
                values.append(float(sample.correct) - float(theirs[sample.key]))
                questions.append(sample.item_id)
    interval = mean_interval(np.array(values), clusters=np.array(questions))
    return float(interval.estimate), float(interval.low), float(interval.high)


def _sentence(group: list[Difference], outcome: str, figures: tuple[float, float, float], n: int) -> str:
    difference, low, high = figures
    size = f"{abs(difference) * 100:.1f} points"
    interval = f"95 % interval {signed(low)} to {signed(high)}"
    over = f"n = {n}" + (f", {len(group)} seeds" if len(group) > 1 else "")
    how = group[0].first.asked_words
    over += f"; both {how}" if how else ""
    ours, theirs, doing, other = _words(group[0])
    if outcome == "noise":
        text = f"Within noise: {ours} is {signed(difference)} points from {theirs} ({interval}; {over})"
        return text + f", which is no evidence of a difference.{_reach(group)}"
    direction = "better" if outcome == "better" else "worse"
    text = f"{doing} is {size} {direction} than {other} ({interval}; {over})."
    if not _survives(group):
        text += f" It does not survive correction for the comparisons shown here (Holm p = {p_text(group[0].p_holm)})."
    return text


def _words(difference: Difference) -> tuple[str, str, str, str]:
    """(the first, the second, and both again as the beginning and the end of a sentence)."""
    if difference.question == "stage − start":
        first, second = difference.first.model, difference.second.model
        return first, second, f"After {difference.first.method}, {first}", f"{second}, which it went on from"
    return "the trace arm", "the answer arm", "Training on the trace", "training on the answer alone"


def _survives(group: list[Difference]) -> bool:
    """Several seeds are judged by their pooled interval alone."""
    return len(group) > 1 or group[0].p_holm < ALPHA


def _reach(group: list[Difference]) -> str:
    """What this many questions could have shown."""
    detectable = [d.detectable for d in group if d.detectable]
    return f" This n can show {max(detectable) * 100:.1f} points or more (80 % power)." if detectable else ""


def _cautions(group: list[Difference]) -> tuple[str, ...]:
    """Reasons to doubt the figures, each a sentence."""
    found = []
    gaps = []
    for words, rate in (("cut at the token budget", truncated_rate), ("without a readable answer", unparsed_rate)):
        trace = float(np.mean([rate(d.first) for d in group]))
        answer = float(np.mean([rate(d.second) for d in group]))
        if abs(trace - answer) > RATE_GAP:
            ours, theirs, *_ = _words(group[0])
            gaps.append(f"{trace:.0%} of the answers of {ours} are {words} ({theirs}: {answer:.0%})")
    if gaps:
        found.append(f"{' and '.join(gaps)}: part of the difference may come from the budget or the format.")
    found += [f"{d.note[0].upper()}{d.note[1:]}." for d in group if d.note]
    if len(group) == 1:
        found.append("One training seed for each arm: this speaks of these two models, not of the method.")
    return tuple(found)


def truncated_rate(run: ModelRun) -> float:
    return sum(sample.truncated for sample in run.samples) / len(run.samples)


def unparsed_rate(run: ModelRun) -> float:
    return sum(not sample.parsed for sample in run.samples) / len(run.samples)


def signed(share: float) -> str:
    """0.042 → '+4.2' points, with a real minus sign."""
    points = round(share * 100, 1) + 0.0
    return f"+{points:.1f}" if points > 0 else f"−{-points:.1f}" if points < 0 else "0.0"


def p_text(p_value: float) -> str:
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"
