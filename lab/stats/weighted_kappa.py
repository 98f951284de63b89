"""Cohen's kappa for two judges whose classes have an order: a near miss counts less than a far one.

J. Cohen, Psychol. Bull. 70 (1968) 213-220. Quadratic weights: two classes apart is four times as bad as one apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lab.stats.kappa import Kappa, cohen_kappa


def table_of(first: Sequence[float], second: Sequence[float], values: Sequence[float]) -> np.ndarray:
    """(V, V) counts of the first judge's value against the second's; both (n,), all of them among `values`."""
    places = {value: i for i, value in enumerate(values)}
    table = np.zeros((len(values), len(values)))
    for one, other in zip(first, second, strict=True):
        table[places[one], places[other]] += 1
    return table


def weighted_kappa(table: np.ndarray, quadratic: bool = True) -> Kappa:
    """`table[i, j]` counts (or weighs) the things that the first judge calls i and the second j, classes in order.

    `observed` and `expected` are the weighted agreement, 1 − mean squared distance over the largest possible.
    """
    if not quadratic:
        return cohen_kappa(table)
    table = np.asarray(table, dtype=float)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or (table < 0).any():
        raise ValueError(f"a square table of counts is needed, not shape {table.shape}")
    total = float(table.sum())
    if not total:
        return Kappa(None, 0, None, None, "nothing was judged by both")
    places = np.arange(len(table))
    distance = (places[:, None] - places[None, :]) ** 2 / max(1, (len(table) - 1) ** 2)
    observed = 1 - float((table * distance).sum()) / total
    expected = 1 - float((np.outer(table.sum(axis=1), table.sum(axis=0)) * distance).sum()) / total**2
    n = int(round(total))
    if expected >= 1 - 1e-12:
        return Kappa(None, n, observed, expected, "both call everything the same, so chance cannot be told apart")
    return Kappa((observed - expected) / (1 - expected), n, observed, expected)
