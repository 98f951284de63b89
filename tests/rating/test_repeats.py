"""Repeats: the same model again, or the same side again, or scores within a point."""

from __future__ import annotations

import pytest

from lab.rating.repeats import repeats
from lab.stats.intervals import wilson
from tests.rating.made_rows import alone, row


def again(item, preferred, a_left=False, a=3, b=4):
    return row(item, "R1", a, b, preferred, role="repeat", a_left=a_left)


def test_the_same_model_is_the_same_and_the_same_side_is_counted_apart():
    first = [row(f"q{i}", "R1", 3, 4, "b") for i in range(4)]
    found = repeats([*first, again("q0", "b"), again("q1", "a"), again("q2", "tie"), again("q3", "b", a=1, b=5)])
    assert (found.n, found.n_same, found.share) == (4, 2, 0.5)
    assert (found.low, found.high) == (wilson(2, 4).low, wilson(2, 4).high)
    assert (found.n_both_decided, found.n_same_side) == (3, 1)  # q1: the right side both times, so the other answer
    assert found.mean_score_gap == pytest.approx((0 + 0 + 0 + 0 + 0 + 0 + 2 + 1) / 8)


def test_a_repeat_whose_sides_were_not_swapped_tests_no_position():
    found = repeats([row("q1", "R1", preferred="b"), again("q1", "b", a_left=True)])
    assert (found.n, found.n_same, found.n_both_decided) == (1, 1, 0)


def test_without_a_preference_scores_within_a_point_are_the_same():
    rows = [alone("q1", "R1", "base", 3), alone("q1", "R1", "base", 4, role="repeat"),
            alone("q2", "R1", "base", 3), alone("q2", "R1", "base", 5, role="repeat")]
    found = repeats(rows)
    assert (found.n, found.n_same, found.mean_score_gap) == (2, 1, 1.5)


def test_a_repeat_without_a_first_rating_by_the_same_rater_counts_nowhere():
    found = repeats([row("q1", "R2", preferred="b"), again("q1", "b")])
    assert found.n == 0 and found.share is None and found.low is None and found.mean_score_gap is None
