"""Scores of two models: their difference by question, the ordinal model of the scores, and whether they drift.

Each question gives one difference: the mean over the raters who scored both answers, each compared with themselves.
Where nobody scored both, the difference of the two means stands in and is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from lab.rating.choice_model import rater_columns
from lab.rating.rows import Score
from lab.stats.bootstrap import Bootstrap, mean_interval
from lab.stats.ordinal import FEWEST_CLUSTERS, Coefficient, Refusal, fit_ordinal
from lab.stats.sign_flip import sign_flip
from lab.stats.slope import slope_within

PER = 100  # order effects are told per so many units


@dataclass(frozen=True)
class FluencyDifference:
    """Points of the scale, b minus a. `bars_a` and `bars_b` count every score given, also unpaired ones."""

    difference: Bootstrap  # n is questions
    mean_a: float
    mean_b: float
    p_value: float  # sign flip over questions
    p_exact: bool
    wilcoxon_p: float | None  # None: every question's difference is 0
    n_unpaired: int  # questions of which no rater scored both answers
    n_incomplete: int  # questions left out: only one of the two was ever scored
    bars_a: dict[int, int]
    bars_b: dict[int, int]


@dataclass(frozen=True)
class ScoreModel:
    """Cumulative logit of the scores on model, rater and order. `effect`: log odds that b scores higher than a."""

    effect: Coefficient | None
    order: Coefficient | None  # log odds per hundred units; None where the order never changes
    n: int  # scores
    n_clusters: int
    n_left_out: int = 0  # scores of raters who always gave the lowest or always the highest: they tell no difference
    why: str = ""


@dataclass(frozen=True)
class Order:
    """Points of the scale per hundred units, each rater on each model compared with themselves."""

    slope: Coefficient | None
    n: int
    n_clusters: int
    why: str = ""


def fluency_difference(given: Sequence[Score], a: str, b: str, seed: int = 0) -> FluencyDifference | None:
    """None where no question has scores of both models."""
    pairs, n_unpaired, n_incomplete = _by_question(given, a, b)
    if not pairs:
        return None
    means = np.array(pairs)  # (questions, 2)
    differences = means[:, 1] - means[:, 0]
    test = sign_flip(differences, seed=seed)
    return FluencyDifference(
        mean_interval(differences, seed=seed), float(means[:, 0].mean()), float(means[:, 1].mean()), test.p_value,
        test.exact, _wilcoxon(differences), n_unpaired, n_incomplete, bars(given, a), bars(given, b),
    )


def score_model(given: Sequence[Score], a: str, b: str) -> ScoreModel:
    """score ~ model + rater + order / 100, clustered by question."""
    given = [score for score in given if score.model in (a, b)]
    kept = _without_extreme(given)
    n_items, left_out = len({score.item_id for score in kept}), len(given) - len(kept)
    if len({score.model for score in kept}) < 2:
        return ScoreModel(None, None, len(kept), n_items, left_out, "there are no scores of both models")
    columns = {"effect": np.array([float(score.model == b) for score in kept])}
    order = np.array([score.ordinal for score in kept], dtype=float) / PER
    if np.ptp(order) > 0:
        columns["order"] = order
    columns |= rater_columns([score.rater for score in kept])
    fit = fit_ordinal(np.array([score.value for score in kept]), columns, [score.item_id for score in kept])
    if isinstance(fit, Refusal):
        return ScoreModel(None, None, fit.n, fit.n_clusters, left_out, fit.why)
    drift = fit.coefficient("order") if "order" in columns else None
    return ScoreModel(fit.coefficient("effect"), drift, fit.n, fit.n_clusters, left_out)


def order_slope(given: Sequence[Score]) -> Order:
    """Whether scores rise or fall the longer a rater rates."""
    items = [score.item_id for score in given]
    n, n_items = len(given), len(set(items))
    if not given:
        return Order(None, 0, 0, "no score was given")
    places = np.array([score.ordinal for score in given], dtype=float) / PER
    slope = slope_within(np.array([score.value for score in given]), places,
                         [f"{score.rater}\0{score.model}" for score in given], items)
    if slope is None:
        why = f"needs at least {FEWEST_CLUSTERS} questions, and there are {n_items}" if n_items < FEWEST_CLUSTERS else (
            "no rater scored a model at two different places of the order")
        return Order(None, n, n_items, why)
    return Order(slope, n, n_items)


def bars(given: Iterable[Score], model: str) -> dict[int, int]:
    """How often each of 1 to 5 was given to a model."""
    counts = Counter(score.value for score in given if score.model == model)
    return {value: counts[value] for value in range(1, 6)}


def question_scores(given: Iterable[Score], model: str) -> dict[str, float]:
    """A model's mean score in each question."""
    values: dict[str, list[int]] = {}
    for score in given:
        if score.model == model:
            values.setdefault(score.item_id, []).append(score.value)
    return {item: fmean(found) for item, found in values.items()}


def _by_question(given: Sequence[Score], a: str, b: str) -> tuple[list[tuple[float, float]], int, int]:
    """([(mean of a, mean of b) of each question], questions without a rater of both, questions of one model only)."""
    values: dict[str, tuple[dict[str, list[int]], dict[str, list[int]]]] = {}
    for score in given:
        if score.model in (a, b):
            own = values.setdefault(score.item_id, ({}, {}))[score.model == b]
            own.setdefault(score.rater, []).append(score.value)
    pairs, n_unpaired, n_incomplete = [], 0, 0
    for of_a, of_b in values.values():
        both = of_a.keys() & of_b.keys()
        if not (of_a and of_b):
            n_incomplete += 1
            continue
        n_unpaired += not both
        pairs.append(tuple(fmean(fmean(own[rater]) for rater in sorted(both or own))
                           for own in (of_a, of_b)))
    return pairs, n_unpaired, n_incomplete


def _without_extreme(given: Sequence[Score]) -> list[Score]:
    values: dict[str, set[int]] = {}
    for score in given:
        values.setdefault(score.rater, set()).add(score.value)
    ends = {min(score.value for score in given), max(score.value for score in given)} if given else set()
    return [score for score in given if len(values[score.rater]) > 1 or not values[score.rater] & ends]


def _wilcoxon(differences: np.ndarray) -> float | None:
    from scipy.stats import wilcoxon

    moved = np.round(differences, 10)
    return float(wilcoxon(moved[moved != 0]).pvalue) if (moved != 0).any() else None
