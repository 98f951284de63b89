"""Two models of a round against each other: everything that is told of the pair. Model b minus model a throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean

import numpy as np

from lab.rating.choice_model import ChoiceModel, choice_model, length_controlled
from lab.rating.fluency import (
    FluencyDifference,
    Order,
    ScoreModel,
    fluency_difference,
    order_slope,
    score_model,
)
from lab.rating.rows import RatingRow, Score, between, scores
from lab.stats.bootstrap import Bootstrap, mean_interval
from lab.stats.clustered import question_means
from lab.stats.multiple import holm
from lab.stats.two_way import FEWEST_RATERS, two_way_interval
from lab.stats.win_rate import WORTH, WinRate, win_rate


@dataclass(frozen=True)
class TwoWay:
    """Sensitivity only: raters and questions both drawn, every rating weighing the same."""

    rate: Bootstrap | None
    difference: Bootstrap | None
    n_raters: int
    why: str = ""


@dataclass(frozen=True)
class CriterionDifference:
    """An extra scale, exploratory. `p_holm` is corrected over the criteria of this pair of models."""

    name: str
    difference: Bootstrap  # n is questions
    mean_a: float
    mean_b: float
    p_value: float
    p_holm: float
    n_unpaired: int
    n_incomplete: int


@dataclass(frozen=True)
class Contrast:
    """b against a. `*_p_holm`: corrected over the pairs of models of the round; with one pair the p value itself."""

    a: str
    b: str
    n_items: int
    n_ratings: int
    n_raters: int
    fluency: FluencyDifference | None  # None: fluency was not asked, or nobody scored both in any question
    fluency_p_holm: float | None
    win: WinRate | None  # None: no preference was asked
    win_p_holm: float | None
    choice: ChoiceModel
    length_controlled: ChoiceModel
    score_model: ScoreModel
    order: Order
    two_way: TwoWay
    criteria: tuple[CriterionDifference, ...]


def contrasts(rows: Sequence[RatingRow], models: Sequence[str], seed: int = 0) -> tuple[Contrast, ...]:
    """Every two models that have ratings to compare, the earlier one of `models` as a. `rows`: those to analyse."""
    found = []
    for a, b in combinations(models, 2):
        own = between(rows, a, b)
        if any(row.model_b for row in own) or {row.model_a for row in own} == {a, b}:
            found.append(contrast(own, a, b, seed))
    return _corrected(found)


def contrast(rows: Sequence[RatingRow], a: str, b: str, seed: int = 0) -> Contrast:
    """`rows` as `between(rows, a, b)` gives them."""
    asked = preferences(rows)
    given = scores(rows)
    return Contrast(
        a=a, b=b, n_items=len({row.item_id for row in rows}), n_ratings=len(rows),
        n_raters=len({row.rater for row in rows}),
        fluency=fluency_difference(given, a, b, seed), fluency_p_holm=None,
        win=win_rate([row.preferred for row in asked], [row.item_id for row in asked], seed) if asked else None,
        win_p_holm=None,
        choice=choice_model(asked), length_controlled=length_controlled(asked),
        score_model=score_model(given, a, b), order=order_slope(given),
        two_way=_two_way(asked, given, (a, b), seed), criteria=_criteria(rows, a, b, seed),
    )


def preferences(rows: Sequence[RatingRow]) -> list[RatingRow]:
    """The rows of two answers with a preference."""
    return [row for row in rows if row.model_b and row.preference]


def identical_as_ties(rows: Sequence[RatingRow], a: str, b: str, n_identical: int, seed: int = 0) -> Bootstrap | None:
    """The win rate of b if the questions with identical answers, which nobody was shown, count as ties: a sensitivity
    line. None without a preference."""
    asked = preferences(between(rows, a, b))
    if not asked:
        return None
    means, _ = question_means(np.array([WORTH[row.preferred] for row in asked]), [row.item_id for row in asked])
    return mean_interval(np.concatenate([means, np.full(n_identical, 0.5)]), seed=seed)


def _two_way(asked: Sequence[RatingRow], given: Sequence[Score], pair: tuple[str, str], seed: int) -> TwoWay:
    n_raters = len({row.rater for row in asked} | {score.rater for score in given})
    if n_raters < FEWEST_RATERS:
        why = f"{n_raters} raters are too few to stand for others (from {FEWEST_RATERS} on): these raters are meant"
        return TwoWay(None, None, n_raters, why)
    rate = two_way_interval(np.array([WORTH[row.preferred] for row in asked]), [row.item_id for row in asked],
                            [row.rater for row in asked], seed) if asked else None
    own = _own_differences(given, *pair)
    difference = two_way_interval(np.array([value for _, _, value in own]), [item for item, _, _ in own],
                                  [rater for _, rater, _ in own], seed) if own else None
    return TwoWay(rate, difference, n_raters)


def _own_differences(given: Sequence[Score], a: str, b: str) -> list[tuple[str, str, float]]:
    """(question, rater, b minus a) of every rater who scored both."""
    values: dict[tuple[str, str], dict[str, list[int]]] = {}
    for score in given:
        values.setdefault((score.item_id, score.rater), {}).setdefault(score.model, []).append(score.value)
    return [(item, rater, fmean(own[b]) - fmean(own[a])) for (item, rater), own in values.items()
            if a in own and b in own]


def _criteria(rows: Sequence[RatingRow], a: str, b: str, seed: int) -> tuple[CriterionDifference, ...]:
    found = []
    for name in dict.fromkeys(name for row in rows for name in row.criteria):
        line = fluency_difference(scores(rows, name), a, b, seed)
        if line is not None:
            found.append(CriterionDifference(name, line.difference, line.mean_a, line.mean_b, line.p_value, 1.0,
                                             line.n_unpaired, line.n_incomplete))
    corrected = holm([line.p_value for line in found])
    return tuple(replace(line, p_holm=p) for line, p in zip(found, corrected, strict=True))


def _corrected(found: Sequence[Contrast]) -> tuple[Contrast, ...]:
    fluent = iter(holm([one.fluency.p_value for one in found if one.fluency]))
    won = iter(holm([one.win.p_value for one in found if one.win]))
    return tuple(replace(one, fluency_p_holm=next(fluent) if one.fluency else None,
                         win_p_holm=next(won) if one.win else None) for one in found)
