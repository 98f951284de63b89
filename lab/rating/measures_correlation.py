"""Do automatic measures of a text go along with what people said of it? Rank correlation over answers.

An answer's human score is the mean of its fluency scores. Over all models the difference between the models is part of
the correlation; within one model it is not, so both are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from lab.rating.rows import RatingRow, main_rows, scores
from lab.stats.spearman import spearman


@dataclass(frozen=True)
class Measure:
    """One automatic figure of one answer."""

    item_id: str
    model: str
    name: str
    value: float


@dataclass(frozen=True)
class MeasureCorrelation:
    """Spearman's rho over n answers, with a bootstrap over questions; `model` is "" for all models together."""

    name: str
    model: str
    rho: float | None
    low: float | None
    high: float | None
    n: int
    n_clusters: int
    why: str = ""


def correlations(
    rows: Sequence[RatingRow], measures: Iterable[Measure], models: Sequence[str], seed: int = 0
) -> tuple[MeasureCorrelation, ...]:
    """One line a measure over all models, then one for each model; an answer without both figures is in none."""
    human = human_scores(rows)
    named: dict[str, dict[tuple[str, str], float]] = {}
    for measure in measures:
        if np.isfinite(measure.value):
            named.setdefault(measure.name, {})[(measure.item_id, measure.model)] = measure.value
    found = []
    for name, values in named.items():
        for model in ("", *models):
            keys = sorted(key for key in values.keys() & human.keys() if model in ("", key[1]))
            line = spearman(np.array([values[key] for key in keys]), np.array([human[key] for key in keys]),
                            [item for item, _ in keys], seed)
            found.append(MeasureCorrelation(name, model, line.rho, line.low, line.high, line.n, line.n_clusters,
                                            line.why))
    return tuple(found)


def human_scores(rows: Iterable[RatingRow]) -> dict[tuple[str, str], float]:
    """(question, model) → mean fluency over the main ratings."""
    values: dict[tuple[str, str], list[int]] = {}
    for score in scores(main_rows(rows)):
        values.setdefault((score.item_id, score.model), []).append(score.value)
    return {key: fmean(found) for key, found in values.items()}
