"""Signs that a rater's verdicts may not be verdicts. They are shown, never used to drop a rating: results are told with
and without flagged raters, side by side.

Thresholds are fixed here, before any rating is seen: a filter chosen afterwards would be a choice of results. Nothing
here tells a model, so it may be shown while a round is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median

import numpy as np

from lab.rating.consistency import Marks, choice_marks, matrix, score_marks, with_others
from lab.rating.repeats import Repeats, repeats
from lab.rating.rows import RatingRow
from lab.stats.agreement import krippendorff_alpha
from lab.stats.kappa import Kappa
from lab.stats.paired import mcnemar_exact

GOLD_SHARE, FEWEST_GOLDS = 0.7, 8  # right in less than 70 % after at least eight golds
FAST_SECONDS, FAST_SHARE, FEWEST_TIMES = 3.0, 0.25, 5  # median under 3 s, or under a quarter of the round's
SIDE_SHARE, SIDE_P, FEWEST_SIDES = 0.8, 0.001, 20  # one side in more than 80 % of 20 or more, and not by chance
SAME_RUN = 15  # more identical ratings in a row than this
REPEAT_SHARE, FEWEST_REPEATS = 0.6, 5  # said the same again in less than 60 % of at least five
OTHERS_ALPHA, FEWEST_COMMON = 0.2, 20  # kappa with the others of 0 or less, while they agree among themselves
CLOSE_SCORE = 1  # a gold's score is right within one point


@dataclass(frozen=True)
class SideBias:
    """How often the left answer was preferred, ties aside: exact binomial test. None without a preference."""

    n: int
    n_left: int
    share: float | None
    p_value: float | None


@dataclass(frozen=True)
class Flag:
    """One sign, with the figures behind it, as the end of a sentence that begins with the rater."""

    rater: str
    sign: str  # gold | fast | side | same | repeats | alone
    text: str


@dataclass(frozen=True)
class RaterQuality:
    """One rater. `n` counts main ratings, surplus ones included: how somebody rates does not hang on the quota."""

    rater: str
    kind: str
    n: int
    n_gold: int
    gold_right: int
    gold_share: float | None
    seconds: float | None  # median visible time of a main unit
    position: SideBias
    longest_run: int
    repeats: Repeats
    with_others: float | None  # leave-one-out: kappa against everybody else; of scores, or of choices
    n_with_others: int
    flags: tuple[str, ...]


@dataclass(frozen=True)
class QualityResults:
    """All raters in the order of their codes, all signs, and the same figures over everybody."""

    raters: tuple[RaterQuality, ...]
    flags: tuple[Flag, ...]
    flagged: tuple[str, ...]
    position: SideBias
    repeats: Repeats
    seconds: float | None
    n_gold: int
    gold_share: float | None


def round_quality(rows: Sequence[RatingRow]) -> QualityResults:
    """Of all rows of a round; trial raters are no raters."""
    rows = [row for row in rows if row.kind != "trial"]
    main = [row for row in rows if row.role == "main"]
    usual, marks, by_score = median_seconds(main), score_marks(main), True
    if not marks:
        marks, by_score = choice_marks(main), False
    kappas = with_others(marks, quadratic=by_score)
    found = [_rater(own, kappas.get(rater, (None, 0))) for rater, own in sorted(_by_rater(rows).items())]
    flags = [flag for one in found for flag in _flags(one, usual, marks, by_score)]
    signs = {one.rater: tuple(flag.sign for flag in flags if flag.rater == one.rater) for one in found}
    golds = [right for row in rows if (right := gold_right(row)) is not None]
    return QualityResults(
        tuple(replace(one, flags=signs[one.rater]) for one in found), tuple(flags),
        tuple(one.rater for one in found if signs[one.rater]), side_bias(main), repeats(rows), usual, len(golds),
        sum(golds) / len(golds) if golds else None,
    )


def gold_right(row: RatingRow) -> bool | None:
    """Whether a gold unit was answered as expected in all that was asked; None for what is no gold."""
    if row.role != "gold" or not row.expected:
        return None
    asked = []
    if row.expected.get("preference") is not None and row.preference:
        asked.append(row.preferred == row.expected["preference"])
    for name, given in (("fluency_a", row.fluency_a), ("fluency_b", row.fluency_b)):
        if row.expected.get(name) is not None and given is not None:
            asked.append(abs(given - int(str(row.expected[name]))) <= CLOSE_SCORE)
    return all(asked) if asked else None


def side_bias(rows: Sequence[RatingRow]) -> SideBias:
    """Exact two-sided binomial test of left against right."""
    sides = [row.preference for row in rows if row.preference in ("left", "right")]
    left = sides.count("left")
    if not sides:
        return SideBias(0, 0, None, None)
    return SideBias(len(sides), left, left / len(sides), mcnemar_exact(left, len(sides) - left))


def median_seconds(rows: Sequence[RatingRow]) -> float | None:
    """Median time that a unit was on a visible tab; None when no browser reported one."""
    times = [row.visible_ms / 1000 for row in rows if row.visible_ms is not None]
    return median(times) if times else None


def longest_run(rows: Sequence[RatingRow]) -> int:
    """Most identical ratings in a row, by side, in the order in which they were given."""
    keys = ((row.fluency_left, row.fluency_right, row.preference) for row in sorted(rows, key=lambda row: row.ordinal))
    return max((sum(1 for _ in group) for _, group in groupby(keys)), default=0)


def _by_rater(rows: Sequence[RatingRow]) -> dict[str, list[RatingRow]]:
    found: dict[str, list[RatingRow]] = {}
    for row in rows:
        found.setdefault(row.rater, []).append(row)
    return found


def _rater(own: Sequence[RatingRow], others: tuple[Kappa | None, int]) -> RaterQuality:
    main = [row for row in own if row.role == "main"]
    golds = [right for row in own if (right := gold_right(row)) is not None]
    kappa, n_units = others
    return RaterQuality(
        own[0].rater, own[0].kind, len(main), len(golds), sum(golds), sum(golds) / len(golds) if golds else None,
        median_seconds(main), side_bias(main), longest_run(own), repeats(own), kappa.kappa if kappa else None,
        n_units, (),
    )


def _flags(one: RaterQuality, usual: float | None, marks: Marks, by_score: bool) -> list[Flag]:
    found = {}
    if one.n_gold >= FEWEST_GOLDS and one.gold_share < GOLD_SHARE:
        found["gold"] = f"answered {one.gold_right} of {one.n_gold} control units as expected"
    timed, side = one.seconds is not None and one.n >= FEWEST_TIMES, one.position
    if timed and (one.seconds < FAST_SECONDS or one.seconds < FAST_SHARE * usual):
        found["fast"] = f"took {one.seconds:.1f} s for a unit (median; all raters: {usual:.1f} s)"
    if side.n >= FEWEST_SIDES and max(side.share, 1 - side.share) > SIDE_SHARE and side.p_value < SIDE_P:
        name, count = ("left", side.n_left) if side.share > 0.5 else ("right", side.n - side.n_left)
        found["side"] = f"chose the {name} side in {count} of {side.n} preferences"
    if one.longest_run > SAME_RUN:
        found["same"] = f"gave {one.longest_run} identical ratings in a row"
    if one.repeats.n >= FEWEST_REPEATS and one.repeats.share < REPEAT_SHARE:
        found["repeats"] = f"said the same again in {one.repeats.n_same} of {one.repeats.n} repeated units"
    if one.n_with_others >= FEWEST_COMMON and one.with_others is not None and one.with_others <= 0:
        rest = _alpha_without(marks, one.rater, by_score)
        if rest is not None and rest >= OTHERS_ALPHA:
            found["alone"] = (f"agrees with the others no better than chance (kappa {one.with_others:.2f} on "
                              f"{one.n_with_others} units; alpha of the others: {rest:.2f})")
    return [Flag(one.rater, sign, text) for sign, text in found.items()]


def _alpha_without(marks: Mapping[tuple[str, str], float], rater: str, by_score: bool) -> float | None:
    rest = {key: value for key, value in marks.items() if key[0] != rater}
    table = matrix(rest) if rest else np.zeros((0, 0))
    return krippendorff_alpha(table, "ordinal" if by_score else "nominal").alpha
