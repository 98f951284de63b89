"""How small a difference a benchmark can show: E. Miller, "Adding error bars to evals" (arXiv 2411.00640), part 5."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

from lab.stats.intervals import normal_quantile


def detectable_difference(n: int, discordance: float, power: float = 0.8, level: float = 0.95) -> float:
    """Smallest true paired difference of two accuracies that n questions show with this power, in shares of 1.

    `discordance` is the share of questions on which the two models differ. The variance of one paired difference is at
    most the discordance; taking it as that errs on the side of a larger detectable difference.
    """
    if n < 1 or not 0 < discordance <= 1:
        raise ValueError(f"needs n >= 1 and a discordance above 0 and at most 1, not n={n}, discordance={discordance}")
    return (normal_quantile(level) + NormalDist().inv_cdf(power)) * sqrt(discordance / n)
