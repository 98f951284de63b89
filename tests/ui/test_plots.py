"""Plots: axes, marks, curves."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.ui.arms import ARMS
from lab.ui.components.axis import nice_axis
from lab.ui.components.curve import MOST_POINTS, Series, curve_plot, figure, thin
from lab.ui.components.interval_plot import Mark, interval_plot

finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(finite, finite)
def test_an_axis_holds_its_range_with_few_round_ticks(one, other):
    low, high = sorted((one, other))
    axis = nice_axis(low, high)
    slack = 1e-6 * max(1, abs(low), abs(high))
    assert axis.low <= low + slack and axis.high >= high - slack
    assert 2 <= len(axis.ticks) <= 9


def test_an_axis_from_0_to_100_is_marked_in_twenties():
    assert nice_axis(0, 100).ticks == (0, 20, 40, 60, 80, 100)
    assert nice_axis(0, 100).place(25) == 25


def test_every_arm_has_its_own_shape_and_its_colour_class():
    made = interval_plot([Mark(arm, 1, 2, 3, arm) for arm in ARMS], "%", "t")
    assert made.count("<circle") == 1 and len(set(re.findall("<polygon points=\"([^\"]+)", made))) == len(ARMS) - 1
    assert all(f"arm-{arm}" in made for arm in ARMS)


def test_differences_carry_their_sign_and_a_line_at_zero():
    made = interval_plot([Mark("trace − answer", -2, 3, 8)], "points", "t", signed=True)
    assert "+3.0 points" in made and "−2.0 to +8.0" in made and 'class="zero"' in made


def test_a_plot_of_nothing_is_nothing():
    assert interval_plot([], "%", "t") == "" and curve_plot([Series("a", [(0, 1.0)])], "y") == ""


def test_a_label_in_a_plot_is_escaped():
    assert "<script" not in interval_plot([Mark("<script>", 1, 2, 3, note="<script>")], "%", "<script>")


def test_a_value_that_is_no_number_is_a_gap_in_the_curve():
    points = [(0, 1.0), (1, 2.0), (2, math.nan), (3, 1.0), (4, 1.5)]
    assert curve_plot([Series("loss", points)], "Loss").count("<polyline") == 2


def test_thinning_keeps_every_spike():
    points = [(step, 0.0) for step in range(10_000)]
    points[4321] = (4321, 99.0)
    kept = thin(points)
    assert len(kept) <= MOST_POINTS and (4321, 99.0) in kept and kept == sorted(kept)


@pytest.mark.parametrize(("value", "text"), [(0.5764, "0.576"), (4123.0, "4\u202f123"), (0.0, "0"), (2e-5, "2.00e-05")])
def test_figures_are_short(value, text):
    assert figure(value) == text


def test_several_curves_are_labelled_where_they_end():
    made = curve_plot([Series("a<b", [(0, 1.0), (1, 2.0)]), Series("c", [(0, 1.0), (1, 2.01)])], "y")
    assert "a&lt;b" in made and ">c " in made
