"""How many questions and raters a round needs: what it can find with so much power, before anybody rates.

The ratings of one question hang together with correlation rho, so k raters on N questions are worth
N·k / (1 + (k − 1)·rho) independent ratings. More questions beat more raters a question. The standard error of a win
rate is taken at one half without ties, where it is largest. The normal quantiles are taken to two decimals, as the
usual tables have them: 1.96 + 0.84 = 2.80 for 80 % power at the 5 % level.
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist

from lab.stats.intervals import normal_quantile


def detectable_win_rate(
    prompts: int, raters: int = 3, rho: float = 0.3, power: float = 0.8, level: float = 0.95
) -> float:
    """Smallest difference of a win rate from one half that is found, in shares of 1. Faults are a ValueError."""
    return _reach(power, level) * _error(prompts, 0.5, raters, rho)


def prompts_for_win_rate(
    difference: float, raters: int = 3, rho: float = 0.3, power: float = 0.8, level: float = 0.95
) -> int:
    """Questions needed to find a win rate that is so far from one half; `difference` in shares of 1, up to 0.5."""
    if not 0 < difference <= 0.5:
        raise ValueError(f"the difference from one half should be above 0 and at most 0.5, not {difference}")
    return _prompts(detectable_win_rate(1, raters, rho, power, level), difference)


def detectable_fluency(prompts: int, sd: float, raters: int = 3, rho: float = 0.3, power: float = 0.8) -> float:
    """Smallest mean difference of two models that is found at the 5 % level, in points of the scale. `sd` is the
    standard deviation of one rater's difference on one question (about 1 on the five-point scale)."""
    return _reach(power) * _error(prompts, sd, raters, rho)


def prompts_for_fluency(difference: float, sd: float, raters: int = 3, rho: float = 0.3, power: float = 0.8) -> int:
    """Questions needed to find a mean difference of so many points."""
    if difference <= 0:
        raise ValueError(f"the difference should be above 0, not {difference}")
    return _prompts(detectable_fluency(1, sd, raters, rho, power), difference)


def _reach(power: float, level: float = 0.95) -> float:
    """How many standard errors a difference must measure to be found."""
    if not (0.5 <= power < 1 and 0 < level < 1):
        raise ValueError(f"power should be from 0.5 to below 1 and the level between 0 and 1, not {power} and {level}")
    return round(normal_quantile(level), 2) + round(NormalDist().inv_cdf(power), 2)


def _error(prompts: int, sd: float, raters: int, rho: float) -> float:
    """Standard error of a mean over questions of means over raters."""
    if prompts < 1 or raters < 1 or not 0 <= rho <= 1 or sd <= 0:
        raise ValueError("needs at least one question and one rater, rho between 0 and 1 and an sd above 0, not "
                         f"{prompts}, {raters}, {rho} and {sd}")
    return sd * sqrt((1 + (raters - 1) * rho) / (prompts * raters))


def _prompts(of_one: float, difference: float) -> int:
    return ceil((of_one / difference) ** 2 - 1e-9)
