"""Signs that a rater's verdicts may not be verdicts. They are shown, never used to drop a rating.

Thresholds are fixed here, before any rating is seen: a filter chosen afterwards would be a choice of results.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from scipy.stats import binomtest

SIDE_SHARE, SIDE_P = 0.8, 0.001  # one side in more than 80 % of the non-ties, and not by chance
FAST_SECONDS, FAST_SHARE = 3.0, 0.25  # median time on a pair: under 3 s, or under a quarter of the round's
SAME_RUN = 10  # identical verdicts (both scores and the preference) in a row


@dataclass(frozen=True)
class Verdict:
    """One rating as the rater gave it, by side, in the order in which it was given."""

    rater: str
    fluency_left: int
    fluency_right: int
    preference: str
    visible_ms: int | None = None


@dataclass(frozen=True)
class SideBias:
    """How often the left answer was preferred, ties aside. `share` is None without a preference."""

    n: int
    n_left: int
    share: float | None
    p_value: float | None


@dataclass(frozen=True)
class Flag:
    """One sign, with the figures behind it, as a sentence."""

    rater: str
    sign: str  # side | fast | same
    text: str


def side_bias(verdicts: Iterable[Verdict]) -> SideBias:
    """Exact two-sided binomial test of left against right."""
    sides = [v.preference for v in verdicts if v.preference != "tie"]
    left = sides.count("left")
    if not sides:
        return SideBias(0, 0, None, None)
    return SideBias(len(sides), left, left / len(sides), float(binomtest(left, len(sides), 0.5).pvalue))


def flags(verdicts: Sequence[Verdict]) -> list[Flag]:
    """All signs of all raters, rater by rater."""
    by_rater: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_rater.setdefault(verdict.rater, []).append(verdict)
    usual = median_seconds(verdicts)
    return [flag for rater, own in by_rater.items() for flag in _rater_flags(rater, own, usual)]


def median_seconds(verdicts: Iterable[Verdict]) -> float | None:
    """Median time that a pair was on a visible tab; None when no browser reported one."""
    times = [v.visible_ms / 1000 for v in verdicts if v.visible_ms is not None]
    return median(times) if times else None


def longest_run(verdicts: Iterable[Verdict]) -> int:
    """Most identical verdicts in a row."""
    keys = ((v.fluency_left, v.fluency_right, v.preference) for v in verdicts)
    return max((sum(1 for _ in group) for _, group in groupby(keys)), default=0)


def _rater_flags(rater: str, own: Sequence[Verdict], usual: float | None) -> list[Flag]:
    found = []
    bias = side_bias(own)
    if bias.share is not None and max(bias.share, 1 - bias.share) > SIDE_SHARE and bias.p_value < SIDE_P:
        side = "left" if bias.share > 0.5 else "right"
        count = max(bias.n_left, bias.n - bias.n_left)
        found.append(Flag(rater, "side", f"chose the {side} side in {count} of {bias.n} preferences"))
    seconds = median_seconds(own)
    if seconds is not None and (seconds < FAST_SECONDS or (usual and seconds < FAST_SHARE * usual)):
        found.append(Flag(rater, "fast", f"took {seconds:.1f} s for a pair (median; all raters: {usual:.1f} s)"))
    run = longest_run(own)
    if run >= SAME_RUN:
        found.append(Flag(rater, "same", f"gave {run} identical verdicts in a row"))
    return found
