"""How a value moves along a line, each cell (say: one rater on one model) compared with itself only.

Least squares with a constant for every cell; the standard error is the sandwich over clusters with C − 1 degrees of
freedom.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import sqrt

import numpy as np
from scipy.special import stdtr, stdtrit

from lab.stats.ordinal import FEWEST_CLUSTERS, Coefficient


def slope_within(
    values: np.ndarray, places: np.ndarray, cells: Sequence[Hashable], clusters: Sequence[Hashable], level: float = 0.95
) -> Coefficient | None:
    """Change of `values` (n,) per unit of `places` (n,); `cells` and `clusters` name n of each. None with fewer than
    ten clusters, or where no cell has two different places."""
    cell, group = (np.unique(np.asarray(names), return_inverse=True)[1] for names in (cells, clusters))
    n_groups = int(group.max()) + 1 if len(group) else 0
    if n_groups < FEWEST_CLUSTERS:
        return None
    y, x = (_centred(np.asarray(numbers, dtype=float), cell) for numbers in (values, places))
    spread = float(x @ x)
    if spread < 1e-12:
        return None
    slope = float(x @ y) / spread
    sums = np.bincount(group, x * (y - slope * x))
    se = sqrt(n_groups / (n_groups - 1) * float(sums @ sums)) / spread
    half = float(stdtrit(n_groups - 1, (1 + level) / 2)) * se
    p_value = 2 * float(stdtr(n_groups - 1, -abs(slope) / se)) if se else 1.0
    return Coefficient(slope, slope - half, slope + half, se, p_value)


def _centred(numbers: np.ndarray, cell: np.ndarray) -> np.ndarray:
    return numbers - (np.bincount(cell, numbers) / np.bincount(cell))[cell]
