"""Units that a rater was given twice, the second time with the sides swapped: how constant a rater is, and whether it
was the side that was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.rating.rows import RatingRow
from lab.stats.intervals import wilson

CLOSE = 1  # without a preference "the same" means that no score moved by more than this


@dataclass(frozen=True)
class Repeats:
    """`n_same`: the same model preferred again (without a preference: every score within a point). Bounds are Wilson's.

    The test of position: of `n_both_decided` that took a side both times, sides swapped between them, `n_same_side`
    chose the same side, and so the other answer."""

    n: int
    n_same: int
    share: float | None
    low: float | None
    high: float | None
    n_both_decided: int
    n_same_side: int
    mean_score_gap: float | None  # absolute difference of the two scores of an answer


def repeats(rows: Sequence[RatingRow]) -> Repeats:
    """Each repeat against the same rater's first rating of the unit; a repeat without one counts nowhere."""
    first = {(row.rater, row.unit): row for row in rows if row.role == "main"}
    pairs = [(first[key], row) for row in rows if row.role == "repeat" and (key := (row.rater, row.unit)) in first]
    gaps = [gap for pair in pairs for gap in _gaps(*pair)]
    same = [verdict for pair in pairs if (verdict := _same(*pair)) is not None]
    decided = [(one, other) for one, other in pairs
               if {one.preferred, other.preferred} <= {"a", "b"} and one.a_left != other.a_left]
    interval = wilson(sum(same), len(same)) if same else None
    return Repeats(
        len(same), sum(same), interval.estimate if interval else None, interval.low if interval else None,
        interval.high if interval else None, len(decided),
        sum(one.preference == other.preference for one, other in decided),
        sum(gaps) / len(gaps) if gaps else None,
    )


def _same(one: RatingRow, other: RatingRow) -> bool | None:
    if one.preference and other.preference:
        return one.preferred == other.preferred
    gaps = _gaps(one, other)
    return max(gaps) <= CLOSE if gaps else None


def _gaps(one: RatingRow, other: RatingRow) -> list[int]:
    pairs = ((one.fluency_a, other.fluency_a), (one.fluency_b, other.fluency_b))
    return [abs(first - second) for first, second in pairs if first is not None and second is not None]
