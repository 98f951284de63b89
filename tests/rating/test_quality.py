"""Signs of careless rating: each fires where it should and stays silent where it should not."""

from __future__ import annotations

import pytest

from lab.rating.quality import Verdict, flags, longest_run, side_bias


def verdicts(rater, preferences, scores=None, ms=9000) -> list[Verdict]:
    scores = scores or [(1 + i % 5, 1 + i % 3) for i in range(len(preferences))]
    return [Verdict(rater, a, b, p, ms) for (a, b), p in zip(scores, preferences, strict=True)]


def test_side_bias_is_the_exact_binomial_without_ties():
    bias = side_bias(verdicts("R1", ["left"] * 9 + ["right"] + ["tie"] * 5))
    assert (bias.n, bias.n_left, bias.share) == (10, 9, 0.9)
    assert bias.p_value == pytest.approx(2 * (10 + 1) / 2**10)  # P(X >= 9) both ways, by hand


def test_no_preference_at_all_has_no_share():
    assert side_bias(verdicts("R1", ["tie"] * 3)).share is None


@pytest.mark.parametrize("n_left, n_right, flagged", [(12, 0, True), (0, 12, True), (10, 0, False), (14, 6, False)])
def test_a_one_sided_rater_is_flagged_only_beyond_chance(n_left, n_right, flagged):
    signs = {flag.sign for flag in flags(verdicts("R1", ["left"] * n_left + ["right"] * n_right))}
    assert ("side" in signs) == flagged


def test_a_rater_faster_than_reading_is_flagged():
    slow, fast = verdicts("R1", ["left", "right"] * 3, ms=9000), verdicts("R2", ["left", "right"] * 3, ms=1500)
    assert [(flag.rater, flag.sign) for flag in flags(slow + fast)] == [("R2", "fast")]


def test_a_rater_far_faster_than_the_others_is_flagged():
    slow = [v for i in range(3) for v in verdicts(f"R{i}", ["left", "right"] * 2, ms=40_000)]
    quick = verdicts("R9", ["left", "right"] * 2, ms=8000)
    assert [(flag.rater, flag.sign) for flag in flags(slow + quick)] == [("R9", "fast")]


def test_no_time_measured_is_no_flag():
    assert flags(verdicts("R1", ["left", "right"], ms=None)) == []


def test_identical_verdicts_in_a_row_are_flagged_from_ten_on():
    assert longest_run(verdicts("R1", ["tie"] * 4, [(3, 3), (3, 3), (4, 3), (3, 3)])) == 2
    assert flags(verdicts("R1", ["tie"] * 9, [(3, 3)] * 9)) == []
    (flag,) = flags(verdicts("R1", ["tie"] * 10, [(3, 3)] * 10))
    assert flag.sign == "same" and "10 identical" in flag.text
