"""Signs of careless rating: each fires where it should and stays silent where it should not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import binomtest

from lab.rating.quality import gold_right, longest_run, round_quality, side_bias
from tests.rating.made_rows import alone, row
from tests.rating.simulated_raters import Panel, simulate

GOLD = {"role": "gold", "model_a": "", "model_b": ""}


def chosen(rater, sides, ms=9000, scores=None):
    scores = scores or [(1 + i % 5, 1 + i % 3) for i in range(len(sides))]
    return [replace(row(f"q{i}", rater, a, b, ordinal=i, visible_ms=ms), preference=side)
            for i, (side, (a, b)) in enumerate(zip(sides, scores, strict=True))]


def signs(rows, rater="R1"):
    return next(one.flags for one in round_quality(rows).raters if one.rater == rater)


def golds(rater, n_right, n):
    return [row(f"g{i}", rater, preferred="a" if i < n_right else "b", expected={"preference": "a"}, **GOLD)
            for i in range(n)]


def test_a_gold_is_right_when_everything_that_was_asked_is():
    expected = {"preference": "a", "fluency_a": 5, "fluency_b": 1}
    assert gold_right(row("g", "R", 4, 2, "a", expected=expected, **GOLD)) is True
    assert gold_right(row("g", "R", 4, 2, "b", expected=expected, **GOLD)) is False
    assert gold_right(row("g", "R", 3, 2, "a", expected=expected, **GOLD)) is False  # two points off
    assert gold_right(row("g", "R", 4, 2, "a", a_left=False, expected=expected, **GOLD)) is True
    assert gold_right(alone("g", "R", "", 5, role="gold", expected={"fluency_a": 4})) is True
    assert gold_right(row("g", "R", expected=expected, **GOLD)) is None  # nothing of it was asked
    assert gold_right(row("q", "R", 4, 2, "a")) is None


@pytest.mark.parametrize("n_right, n, flagged", [(5, 8, True), (6, 8, False), (0, 7, False)])
def test_golds_flag_below_seventy_percent_from_eight_on(n_right, n, flagged):
    found = round_quality(golds("R1", n_right, n))
    assert (found.flagged == ("R1",)) == flagged
    assert found.raters[0].gold_share == n_right / n and found.gold_share == n_right / n and found.n_gold == n


def test_side_bias_is_the_exact_binomial_without_ties():
    bias = side_bias(chosen("R1", ["left"] * 9 + ["right"] + ["tie"] * 5))
    assert (bias.n, bias.n_left, bias.share) == (10, 9, 0.9)
    assert bias.p_value == pytest.approx(binomtest(9, 10).pvalue)
    assert side_bias(chosen("R1", ["tie", "both_bad"])).share is None


@pytest.mark.parametrize("left, right, flagged", [(20, 0, True), (0, 20, True), (19, 0, False), (16, 4, False),
                                                  (17, 3, False), (27, 5, True)])
def test_a_one_sided_rater_is_flagged_only_beyond_chance_and_from_twenty_on(left, right, flagged):
    assert ("side" in signs(chosen("R1", ["left"] * left + ["right"] * right))) == flagged


def test_a_rater_faster_than_reading_or_far_faster_than_the_others_is_flagged():
    slow, fast = chosen("R1", ["left", "right"] * 3), chosen("R2", ["left", "right"] * 3, ms=1500)
    assert round_quality(slow + fast).flagged == ("R2",)
    others = [one for i in range(3) for one in chosen(f"R{i}", ["left", "right"] * 3, ms=40_000)]
    found = round_quality(others + chosen("R9", ["left", "right"] * 3, ms=8000))
    assert [(flag.rater, flag.sign) for flag in found.flags] == [("R9", "fast")]
    assert "8.0 s" in found.flags[0].text and "40.0 s" in found.flags[0].text and found.seconds == 40


def test_no_time_measured_or_too_few_units_are_no_flag():
    assert signs(chosen("R1", ["left", "right"] * 3, ms=None)) == ()
    assert signs(chosen("R1", ["left", "right"] * 2, ms=900)) == ()


def test_more_than_fifteen_identical_ratings_in_a_row_are_flagged_in_the_order_they_were_given():
    same = chosen("R1", ["tie"] * 16, scores=[(3, 3)] * 16)
    assert signs(same) == ("same",) and signs(same[1:]) == ()
    broken = [replace(one, fluency_left=4) if one.ordinal == 8 else one for one in same]
    assert longest_run(broken[::-1]) == 8


def test_a_rater_who_says_something_else_the_second_time_is_flagged_from_five_repeats_on():
    first = chosen("R1", ["left", "right"] * 5)
    again = [replace(one, role="repeat", a_left=False) for one in first]  # the same sides, so the other model
    assert signs(first + again[:5]) == ("repeats",) and signs(first + again[:4]) == ()
    constant = [replace(one, role="repeat", a_left=False, preference={"left": "right", "right": "left"}[one.preference],
                        fluency_left=one.fluency_right, fluency_right=one.fluency_left) for one in first]
    found = round_quality(first + constant)
    assert found.flagged == () and found.repeats.share == 1


def test_a_rater_who_rates_at_random_among_others_who_agree_is_alone():
    rows = [row(f"q{i}", rater, 1 + i % 5, 1 + (i // 5) % 5, ordinal=i) for i in range(25) for rater in ("R1", "R2")]
    rows += [row(f"q{i}", "R3", 5 - i % 5, 5 - (i // 5) % 5, ordinal=i) for i in range(25)]
    found = round_quality(rows)
    assert [(flag.rater, flag.sign) for flag in found.flags] == [("R3", "alone")]
    one = found.raters[2]
    assert one.with_others < 0 and one.n_with_others == 50 and "alpha of the others: 1.00" in found.flags[0].text


def test_where_nobody_agrees_nobody_is_alone():
    rows = [row(f"q{i}", f"R{r}", 1 + (i * (r + 2)) % 5, 3, ordinal=i) for i in range(40) for r in range(3)]
    assert "alone" not in {flag.sign for flag in round_quality(rows).flags}


def test_honest_simulated_raters_are_hardly_ever_flagged():
    panels = [simulate(Panel(questions=60, raters=6, position=0.0), seed) for seed in range(8)]
    assert sum(len(round_quality(rows).flagged) for rows in panels) <= 1  # of 48


def test_a_trial_rater_is_no_rater():
    rows = simulate(Panel(questions=60, raters=6, position=0.0), 4)
    found = round_quality([*rows, *(replace(one, rater="T", kind="trial") for one in rows if one.rater == "R00")])
    assert [one.rater for one in found.raters] == [f"R{i:02}" for i in range(6)]
    assert all(one.n == 60 and one.n_with_others == 120 for one in found.raters)
    assert round_quality([]).raters == () and round_quality([]).gold_share is None
