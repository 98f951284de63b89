"""Cohen's kappa for two judges whose classes have an order: a near miss counts less than a far one.

J. Cohen, Psychol. Bull. 70 (1968) 213-220. Quadratic weights: two classes apart is four times as bad as one apart.
"""

from __future__ import annotations

import numpy as np

from lab.stats.kappa import Kappa, cohen_kappa


def weighted_kappa(table: np.ndarray, quadratic: bool = True) -> Kappa:
    """`table[i, j]` counts (or weighs) the things that the first judge calls i and the second j, classes in order.

    `observed` and `expected` are the weighted agreement, 1 − mean squared distance over the largest possible.
    """
    if not quadratic:
        return cohen_kappa(table)
    table = np.asarray(table, dtype=float)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or (table < 0).any():
        raise ValueError(f"a square table of counts is needed, not shape {table.shape}")
    return weighted_kappas(table[None])[0]


def weighted_kappas(tables: np.ndarray) -> list[Kappa]:
    """The same with quadratic weights for many pairs of judges at once: (pairs, V, V)."""
    totals = tables.sum(axis=(1, 2))  # (pairs,)
    places = np.arange(tables.shape[1])
    distance = (places[:, None] - places[None, :]) ** 2 / max(1, (len(places) - 1) ** 2)
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)  # (pairs, V) each
    safe = np.where(totals > 0, totals, 1)
    observed = 1 - (tables * distance).sum(axis=(1, 2)) / safe
    expected = 1 - np.einsum("pi,ij,pj->p", rows, distance, columns, optimize=True) / safe**2
    return [_kappa(*map(float, figures)) for figures in zip(totals, observed, expected, strict=True)]


def _kappa(total: float, observed: float, expected: float) -> Kappa:
    if not total:
        return Kappa(None, 0, None, None, "nothing was judged by both")
    n = int(round(total))
    if expected >= 1 - 1e-12:
        return Kappa(None, n, observed, expected, "both call everything the same, so chance cannot be told apart")
    return Kappa((observed - expected) / (1 - expected), n, observed, expected)
