"""Bootstrap that draws raters and questions: what another panel on other questions might have said.

A. B. Owen, Ann. Appl. Stat. 1 (2007) 386-411 (the product-weight bootstrap): a rating weighs how often its rater was
drawn times how often its question was. With few raters drawing them tells next to nothing and gives intervals that are
too narrow or absurd, so it is refused; the raters are then taken as they are.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from lab.stats.bootstrap import Bootstrap, times_drawn

FEWEST_RATERS = 10


def two_way_interval(
    values: np.ndarray, questions: Sequence[Hashable], raters: Sequence[Hashable], seed: int = 0,
    n_resamples: int = 4000,
) -> Bootstrap | None:
    """Mean of `values` (n,), every rating weighing the same; None with fewer than ten raters. `n_clusters` counts
    questions."""
    values = np.asarray(values, dtype=float)
    if not len(values) or not np.isfinite(values).all():
        raise ValueError("a bootstrap needs at least one value, and only finite ones")
    rows, row = np.unique(np.asarray(raters), return_inverse=True)
    columns, column = np.unique(np.asarray(questions), return_inverse=True)
    if len(rows) < FEWEST_RATERS:
        return None
    sums, counts = np.zeros((2, len(rows), len(columns)))
    np.add.at(sums, (row, column), values)
    np.add.at(counts, (row, column), 1)
    by_rater = times_drawn(len(rows), n_resamples, seed).astype(float)  # (resamples, raters)
    by_question = times_drawn(len(columns), n_resamples, seed + 1).astype(float)
    weight = ((by_rater @ counts) * by_question).sum(axis=1)
    means = ((by_rater @ sums) * by_question).sum(axis=1)[weight > 0] / weight[weight > 0]
    low, high = np.quantile(means, [0.025, 0.975])
    return Bootstrap(float(values.mean()), float(low), float(high), len(values), len(columns))
