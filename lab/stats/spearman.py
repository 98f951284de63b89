"""Spearman's rank correlation with a bootstrap over clusters: answers to one question are drawn together.

C. Spearman, Am. J. Psychol. 15 (1904) 72-101; ties share their mean rank. Each draw ranks anew: a drawn answer counts
as often as it was drawn, which is done with weights, all draws at once.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from lab.stats.bootstrap import times_drawn

FEWEST_CLUSTERS = 10


@dataclass(frozen=True)
class Correlation:
    """rho is None when it is undefined; the bounds also with fewer than ten clusters; `why` says why."""

    rho: float | None
    low: float | None
    high: float | None
    n: int
    n_clusters: int
    why: str = ""


def spearman(x: np.ndarray, y: np.ndarray, clusters: Sequence[Hashable], seed: int = 0, n_resamples: int = 1000
             ) -> Correlation:
    """Rank correlation of `x` and `y`, (n,) each, with the name of each value's cluster."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    index = np.unique(np.asarray(clusters), return_inverse=True)[1] if len(x) else np.zeros(0, dtype=int)
    if not len(x) == len(y) == len(index) or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("as many finite values on both sides and as many names of clusters are needed")
    n, n_clusters = len(x), int(index.max()) + 1 if len(x) else 0
    if n < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(None, None, None, n, n_clusters, "fewer than three answers" if n < 3 else "nothing varies")
    rho = float(_weighted(x, y, np.ones((1, n)))[0])
    if n_clusters < FEWEST_CLUSTERS:
        why = f"only {n_clusters} questions: too few for an interval"
        return Correlation(rho, None, None, n, n_clusters, why)
    draws = _weighted(x, y, times_drawn(n_clusters, n_resamples, seed).astype(float)[:, index])
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return Correlation(rho, float(low), float(high), n, n_clusters)


def _weighted(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B,) correlations of the ranks under weights (B, n); nan where a draw leaves nothing to vary."""
    first, second = _ranks(x, weights), _ranks(y, weights)
    total = weights.sum(axis=1, keepdims=True)
    first = first - (weights * first).sum(axis=1, keepdims=True) / total
    second = second - (weights * second).sum(axis=1, keepdims=True) / total
    spread = np.sqrt((weights * first**2).sum(axis=1) * (weights * second**2).sum(axis=1))
    return np.divide((weights * first * second).sum(axis=1), spread, out=np.full(len(weights), np.nan),
                     where=spread > 1e-9)


def _ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B, n) mean ranks where value i stands there weights[b, i] times."""
    kinds, place = np.unique(values, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(kinds)))
    sums = np.add.reduceat(weights[:, order], starts, axis=1)  # (B, kinds)
    return (np.cumsum(sums, axis=1) - sums / 2)[:, place]
