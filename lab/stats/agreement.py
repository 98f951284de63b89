"""Krippendorff's alpha: agreement of any number of raters, corrected for chance, with holes allowed.

K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), sections A to D, by coincidence matrix. The
interval is a percentile bootstrap over units, all ratings of a drawn unit kept together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lab.stats.bootstrap import times_drawn

Level = Literal["nominal", "ordinal", "interval"]
FEWEST_UNITS = 5  # below it a bootstrap over units says nothing


@dataclass(frozen=True)
class Agreement:
    """Alpha is 1 for perfect agreement and 0 for chance; None when it is undefined, and `why` says why."""

    alpha: float | None
    n_units: int  # units that at least two raters rated
    n_ratings: int  # ratings of those units
    level: Level
    why: str = ""


@dataclass(frozen=True)
class AlphaInterval:
    """Alpha with its interval; `low` and `high` are None where alpha is, and with fewer than five units."""

    alpha: float | None
    low: float | None
    high: float | None
    n_units: int
    n_ratings: int
    level: Level
    why: str = ""


@dataclass(frozen=True)
class _Units:
    """What each unit brings to the coincidence matrix."""

    values: np.ndarray  # (V,)
    coincidences: np.ndarray  # (units, V, V)
    n_ratings: np.ndarray  # (units,)


def krippendorff_alpha(matrix: np.ndarray, level: Level = "ordinal") -> Agreement:
    """`matrix` is raters × units, nan where a rater did not rate."""
    if level not in ("nominal", "ordinal", "interval"):
        raise ValueError(f"level should be nominal, ordinal or interval, not {level!r}")
    units = _units(matrix)
    n_units, n_ratings = len(units.n_ratings), int(units.n_ratings.sum())
    if not n_units:
        return Agreement(None, 0, 0, level, "no unit was rated by two raters")
    if len(units.values) == 1:
        return Agreement(None, n_units, n_ratings, level, "every rating is the same, so chance cannot be told apart")
    alpha = _alphas(units.coincidences.sum(axis=0)[None], np.array([n_ratings]), units.values, level)
    return Agreement(float(alpha[0]), n_units, n_ratings, level)


def alpha_interval(matrix: np.ndarray, level: Level = "ordinal", seed: int = 0, n_resamples: int = 1000
                   ) -> AlphaInterval:
    """Alpha and its 95 % interval. A draw in which every rating is the same has no alpha and is left out."""
    found = krippendorff_alpha(matrix, level)
    if found.alpha is None or found.n_units < FEWEST_UNITS:
        why = found.why or f"only {found.n_units} units were rated by two raters: too few for an interval"
        return AlphaInterval(found.alpha, None, None, found.n_units, found.n_ratings, level, why)
    units = _units(matrix)
    drawn = times_drawn(found.n_units, n_resamples, seed).astype(float)  # (resamples, units)
    n_values = len(units.values)
    coincidences = (drawn @ units.coincidences.reshape(found.n_units, -1)).reshape(-1, n_values, n_values)
    alphas = _alphas(coincidences, drawn @ units.n_ratings, units.values, level)
    low, high = np.nanquantile(alphas, [0.025, 0.975])
    return AlphaInterval(found.alpha, float(low), float(high), found.n_units, found.n_ratings, level)


def _units(matrix: np.ndarray) -> _Units:
    matrix = np.asarray(matrix, dtype=float)  # (raters, units)
    if matrix.ndim != 2:
        raise ValueError(f"a matrix of raters × units is needed, not shape {matrix.shape}")
    matrix = matrix[:, (~np.isnan(matrix)).sum(axis=0) >= 2]  # a unit with one rating pairs with nothing
    rated = ~np.isnan(matrix)
    values = np.unique(matrix[rated])  # (V,)
    counts = (matrix[:, :, None] == values).sum(axis=0).astype(float)  # (units, V) ratings of each value
    sizes = rated.sum(axis=0)  # (units,)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(values))
    return _Units(values, pairs / np.maximum(1, sizes - 1)[:, None, None], sizes)


def _alphas(coincidences: np.ndarray, n_ratings: np.ndarray, values: np.ndarray, level: Level) -> np.ndarray:
    """(B,) alphas of B coincidence matrices (B, V, V) of so many ratings (B,); nan where nothing varies."""
    totals = coincidences.sum(axis=2)  # (B, V)
    distances = _distances(values, totals, level)  # (B, V, V)
    observed = (coincidences * distances).sum(axis=(1, 2)) / n_ratings
    expected = (totals[:, :, None] * totals[:, None, :] * distances).sum(axis=(1, 2)) / (n_ratings * (n_ratings - 1))
    return 1 - np.divide(observed, expected, out=np.full(len(totals), np.nan), where=expected > 0)


def _distances(values: np.ndarray, totals: np.ndarray, level: Level) -> np.ndarray:
    """(B or 1, V, V) squared difference of every two values; ordinal counts the ratings that lie between them."""
    if level == "nominal":
        return 1.0 - np.eye(len(values))[None]
    middle = values[None] if level == "interval" else np.cumsum(totals, axis=1) - totals / 2  # rank of each middle
    return (middle[:, :, None] - middle[:, None, :]) ** 2
