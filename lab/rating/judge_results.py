"""An LLM judge beside the raters, never pooled with them: does it say what the people say, and does it say it twice?

The people's verdict on a unit is its mean preference, a tie counting half: above one half b, below a, else a tie. The
judge's is made the same way from both orders, so contradicting itself is a tie. A reply that cannot be read is counted
and is no verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

import numpy as np

from lab.rating.measures_correlation import Measure
from lab.rating.rows import RatingRow, between, main_rows
from lab.stats.bootstrap import Bootstrap, mean_interval
from lab.stats.clustered import question_means
from lab.stats.intervals import Interval, wilson
from lab.stats.kappa import cohen_kappa
from lab.stats.win_rate import WORTH

N_RESAMPLES = 2000
FEWEST_UNITS = 10  # below it kappa has no interval


@dataclass(frozen=True)
class Vote:
    """One reply of a judge about one unit; `a_first`: model a's text stood first. `verdict` None: not readable."""

    unit: str
    item_id: str
    model_a: str
    model_b: str
    judge: str
    a_first: bool
    verdict: str | None  # a | tie | b
    fluency_a: float | None = None
    fluency_b: float | None = None

    def turned(self) -> Vote:
        verdict = {"a": "b", "b": "a"}.get(self.verdict, self.verdict)
        return Vote(self.unit, self.item_id, self.model_b, self.model_a, self.judge, not self.a_first, verdict,
                    self.fluency_b, self.fluency_a)


@dataclass(frozen=True)
class JudgeAgreement:
    """One judge on one pair of models. `raw` and `kappa` are over the n units that people and judge have a verdict on;
    the rates (share of b) over the same units."""

    judge: str
    a: str
    b: str
    n_units: int
    n_votes: int
    n_unread: int
    raw: Interval | None
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None
    n_both_orders: int
    n_consistent: int  # of these: the same model, or a tie, both times
    consistency: Interval | None
    first_share: Interval | None  # of the votes that took a side: for the text that stood first
    judge_rate: Bootstrap | None
    human_rate: Bootstrap | None
    why: str = ""


def judge_agreement(rows: Sequence[RatingRow], votes: Sequence[Vote], models: Sequence[str] = (), seed: int = 0
                    ) -> tuple[JudgeAgreement, ...]:
    """Every judge on every pair of models it voted on; `models` gives the order of a pair (default: first seen)."""
    rows, found = main_rows(rows), []
    order = list(models) or list(dict.fromkeys(name for vote in votes for name in (vote.model_a, vote.model_b)))
    for judge in dict.fromkeys(vote.judge for vote in votes):
        for a, b in combinations(order, 2):
            own = [vote if vote.model_a == a else vote.turned() for vote in votes
                   if vote.judge == judge and {vote.model_a, vote.model_b} == {a, b}]
            if own:
                found.append(_beside(judge, (a, b), between(rows, a, b), own, seed))
    return tuple(found)


def judge_measures(votes: Iterable[Vote]) -> tuple[Measure, ...]:
    """A judge's mean score of each answer over both orders, as an automatic measure among the others."""
    values: dict[tuple[str, str, str], list[float]] = {}
    for vote in votes:
        for model, score in ((vote.model_a, vote.fluency_a), (vote.model_b, vote.fluency_b)):
            if score is not None:
                values.setdefault((vote.item_id, model, f"judge {vote.judge}"), []).append(float(score))
    return tuple(Measure(*key, fmean(found)) for key, found in values.items())


def verdicts(worths: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Unit → 0, ½ or 1 from (unit, worth) pairs: the side of one half on which their mean lies."""
    values: dict[str, list[float]] = {}
    for unit, worth in worths:
        values.setdefault(unit, []).append(worth)
    return {unit: float(np.sign(round(fmean(found) - 0.5, 9)) / 2 + 0.5) for unit, found in values.items()}


def _beside(judge: str, pair: tuple[str, str], rows: Sequence[RatingRow], votes: Sequence[Vote], seed: int
            ) -> JudgeAgreement:
    read = [vote for vote in votes if vote.verdict is not None]
    human = verdicts((row.unit, WORTH[row.preferred]) for row in rows if row.preference and row.model_b)
    machine = verdicts((vote.unit, WORTH[vote.verdict]) for vote in read)
    items = {vote.unit: vote.item_id for vote in read}
    units = sorted(human.keys() & machine.keys())
    table = np.zeros((3, 3))
    for unit in units:
        table[int(2 * human[unit]), int(2 * machine[unit])] += 1
    kappa = cohen_kappa(table)
    low, high = _kappa_interval(table, seed) if kappa.kappa is not None else (None, None)
    both = _both_orders(read)
    n_consistent = sum(first == second for first, second in both)
    sided = [vote for vote in read if vote.verdict != "tie"]
    n_first = sum((vote.verdict == "a") == vote.a_first for vote in sided)
    questions = [items[unit] for unit in units]
    return JudgeAgreement(
        judge, *pair, len(units), len(votes), len(votes) - len(read),
        wilson(int(np.trace(table)), len(units)) if units else None, kappa.kappa, low, high, len(both), n_consistent,
        wilson(n_consistent, len(both)) if both else None, wilson(n_first, len(sided)) if sided else None,
        _rate(machine, units, questions, seed), _rate(human, units, questions, seed), kappa.why,
    )


def _both_orders(read: Sequence[Vote]) -> list[tuple[str, str]]:
    """(verdict with a first, verdict with b first) of the units that were read in both orders, the last of each."""
    by_unit: dict[str, dict[bool, str]] = {}
    for vote in read:
        by_unit.setdefault(vote.unit, {})[vote.a_first] = vote.verdict
    return [(own[True], own[False]) for own in by_unit.values() if len(own) == 2]


def _rate(said: dict[str, float], units: Sequence[str], questions: Sequence[str], seed: int) -> Bootstrap | None:
    if not units:
        return None
    means, _ = question_means(np.array([said[unit] for unit in units]), questions)
    return mean_interval(means, seed=seed)


def _kappa_interval(table: np.ndarray, seed: int) -> tuple[float | None, float | None]:
    """Bootstrap over units, all draws at once: a drawn table is multinomial."""
    n = int(table.sum())
    if n < FEWEST_UNITS:
        return None, None
    drawn = np.random.default_rng(seed).multinomial(n, table.ravel() / n, size=N_RESAMPLES).reshape(-1, 3, 3) / n
    observed = np.trace(drawn, axis1=1, axis2=2)
    expected = (drawn.sum(axis=1) * drawn.sum(axis=2)).sum(axis=1)
    varied = expected < 1
    low, high = np.quantile((observed[varied] - expected[varied]) / (1 - expected[varied]), [0.025, 0.975])
    return float(low), float(high)
