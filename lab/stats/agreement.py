"""Krippendorff's alpha: agreement of any number of raters, corrected for chance, with holes allowed.

K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), sections A to D, by coincidence matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Level = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True)
class Agreement:
    """Alpha is 1 for perfect agreement and 0 for chance; None when it is undefined, and `why` says why."""

    alpha: float | None
    n_units: int  # units that at least two raters rated
    n_ratings: int  # ratings of those units
    level: Level
    why: str = ""


def krippendorff_alpha(matrix: np.ndarray, level: Level = "ordinal") -> Agreement:
    """`matrix` is raters × units, nan where a rater did not rate."""
    matrix = np.asarray(matrix, dtype=float)  # (raters, units)
    if matrix.ndim != 2:
        raise ValueError(f"a matrix of raters × units is needed, not shape {matrix.shape}")
    matrix = matrix[:, (~np.isnan(matrix)).sum(axis=0) >= 2]  # a unit with one rating pairs with nothing
    rated = ~np.isnan(matrix)
    n_units, n_ratings = matrix.shape[1], int(rated.sum())
    if not n_units:
        return Agreement(None, 0, 0, level, "no unit was rated by two raters")
    values = np.unique(matrix[rated])  # (V,)
    if len(values) == 1:
        return Agreement(None, n_units, n_ratings, level, "every rating is the same, so chance cannot be told apart")
    counts = np.stack([(matrix == value).sum(axis=0) for value in values])  # (V, units) ratings of each value
    weights = 1 / (rated.sum(axis=0) - 1)  # (units,)
    coincidences = (counts * weights) @ counts.T - np.diag((counts * weights).sum(axis=1))  # (V, V)
    totals = coincidences.sum(axis=1)  # (V,)
    distances = _distances(values, totals, level)  # (V, V)
    observed = (coincidences * distances).sum() / n_ratings
    expected = (np.outer(totals, totals) * distances).sum() / (n_ratings * (n_ratings - 1))
    return Agreement(float(1 - observed / expected), n_units, n_ratings, level)


def _distances(values: np.ndarray, totals: np.ndarray, level: Level) -> np.ndarray:
    """Squared difference of every two values; ordinal distance counts the ratings that lie between them."""
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "interval":
        return (values[:, None] - values[None, :]) ** 2
    if level != "ordinal":
        raise ValueError(f"level should be nominal, ordinal or interval, not {level!r}")
    middle = np.cumsum(totals) - totals / 2  # rank of each value's middle
    return (middle[:, None] - middle[None, :]) ** 2
