"""Two models on the same questions: the paired difference of their accuracies.

The interval is that of Bonett & Price, Br. J. Math. Stat. Psychol. 65 (2012) 479-488: the paired interval after one
question is added to each side of the disagreement. With hundreds of questions it is the textbook interval; with few it
keeps its coverage, and it does not shrink to a point when the models never disagree. The p value is McNemar's exact
one: under no difference each disagreement is the toss of a coin.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import bdtr

from lab.stats.intervals import normal_quantile

FEW = 10  # disagreements below which the interval leans on its correction


@dataclass(frozen=True)
class Paired:
    """`a` minus `b` on n common questions, in shares of 1."""

    n: int
    difference: float
    low: float
    high: float
    a_only: int  # questions only a got right
    b_only: int  # questions only b got right
    p_value: float  # exact McNemar, two-sided
    se: float  # plain standard error of the mean of a - b
    level: float = 0.95

    @property
    def discordance(self) -> float:
        """Share of the questions on which the two differ."""
        return (self.a_only + self.b_only) / self.n

    @property
    def note(self) -> str:
        """Empty, or why the interval should be read with care."""
        few = self.a_only + self.b_only
        return f"only {few} of {self.n} questions differ: trust the exact p value first" if few < FEW else ""


def paired_difference(a: np.ndarray, b: np.ndarray, level: float = 0.95) -> Paired:
    """Mean of a minus mean of b, where a[i] and b[i] are 0 or 1 for the same question i."""
    a, b = np.asarray(a), np.asarray(b)  # (n,) each
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise ValueError(f"two vectors of the same questions are needed, not shapes {a.shape} and {b.shape}")
    if not (np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all()):
        raise ValueError("answers are 0 or 1; an unscored answer must be left out of both vectors")
    n, differences = len(a), a.astype(float) - b.astype(float)
    a_only, b_only = int((differences > 0).sum()), int((differences < 0).sum())
    low, high = _bonett_price(a_only, b_only, n, level)
    se = float(differences.std(ddof=1)) / sqrt(n) if n > 1 else float("nan")
    return Paired(n, (a_only - b_only) / n, low, high, a_only, b_only, mcnemar_exact(a_only, b_only), se, level)


def _bonett_price(a_only: int, b_only: int, n: int, level: float) -> tuple[float, float]:
    first, second = (a_only + 1) / (n + 2), (b_only + 1) / (n + 2)
    centre = first - second
    half = normal_quantile(level) * sqrt((first + second - centre**2) / (n + 2))
    return max(-1.0, centre - half), min(1.0, centre + half)


def mcnemar_exact(a_only: int, b_only: int) -> float:
    """Two-sided exact p value from the two counts of disagreement; 1 when there is none."""
    total = a_only + b_only
    return min(1.0, 2 * float(bdtr(min(a_only, b_only), total, 0.5))) if total else 1.0
