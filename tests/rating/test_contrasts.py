"""Pairs of models: the right rows for each, Holm over what is shown, criteria, identical answers, the two-way line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.rating.contrasts import contrasts, identical_as_ties
from lab.stats.multiple import holm
from tests.rating.made_rows import alone, row
from tests.rating.simulated_raters import Panel, simulate

THREE = Panel(models=("x", "y", "z"), effects=(0.0, 0.4, 0.8), questions=60)


def test_every_two_models_that_met_are_compared_the_earlier_one_as_a():
    found = contrasts(simulate(THREE, 0), THREE.models)
    assert [(one.a, one.b) for one in found] == [("x", "y"), ("x", "z"), ("y", "z")]
    assert all((one.n_items, one.n_ratings, one.n_raters) == (60, 180, 3) for one in found)
    turned = contrasts(simulate(THREE, 0), THREE.models[::-1])
    assert turned[1].win.rate.estimate == pytest.approx(1 - found[1].win.rate.estimate)
    assert turned[1].fluency.difference.estimate == pytest.approx(-found[1].fluency.difference.estimate)


def test_models_that_never_met_are_not_compared():
    rows = [one for one in simulate(THREE, 0) if {one.model_a, one.model_b} != {"y", "z"}]
    assert [(one.a, one.b) for one in contrasts(rows, THREE.models)] == [("x", "y"), ("x", "z")]
    assert contrasts([], ("x", "y")) == () and contrasts([alone("q1", "R1", "x", 3)], ("x", "y")) == ()


def test_several_pairs_of_models_are_corrected_together_and_one_is_not():
    found = contrasts(simulate(THREE, 0), THREE.models)
    assert [one.win_p_holm for one in found] == holm([one.win.p_value for one in found])
    assert [one.fluency_p_holm for one in found] == holm([one.fluency.p_value for one in found])
    (alone_,) = contrasts(simulate(Panel(questions=30), 0), ("base", "trace"))
    assert alone_.win_p_holm == alone_.win.p_value


def test_what_was_not_asked_is_none_or_says_why():
    (preference,) = contrasts([row(f"q{i}", "R1", preferred="ab"[i % 2]) for i in range(20)], ("base", "trace"))
    assert preference.fluency is None and preference.win is not None and preference.fluency_p_holm is None
    assert "no score" in preference.order.why and "both models" in preference.score_model.why
    single = [alone(f"q{i}", "R1", model, 3 + (i % 2)) for i in range(12) for model in ("base", "trace")]
    (fluency,) = contrasts(single, ("base", "trace"))
    assert fluency.win is None and "no preference" in fluency.choice.why and fluency.fluency.difference.n == 12


def test_criteria_are_paired_like_fluency_and_corrected_among_themselves():
    rows = [replace(one, criteria={"clarity": (3, 3), "harm": (2, 4) if one.a_left else (4, 2), "blank": (None, None)})
            for one in simulate(Panel(questions=12), 0)]
    (found,) = contrasts(rows, ("base", "trace"))
    clarity, harm = found.criteria
    assert (clarity.name, clarity.difference.estimate, clarity.p_holm) == ("clarity", 0, 1)
    assert (harm.difference.estimate, harm.mean_a, harm.mean_b) == (2, 2, 4)
    assert harm.p_value == pytest.approx(2 / 2**12) and harm.p_holm == pytest.approx(2 * harm.p_value)


def test_raters_are_drawn_too_only_where_there_are_ten():
    (few,) = contrasts(simulate(Panel(questions=20, raters=9), 0), ("base", "trace"))
    assert few.two_way.rate is None and "9 raters are too few" in few.two_way.why
    (many,) = contrasts(simulate(Panel(questions=20, raters=10), 0), ("base", "trace"))
    assert many.two_way.why == "" and many.two_way.rate.low < many.two_way.rate.estimate < many.two_way.rate.high
    assert many.two_way.difference.estimate == pytest.approx(many.fluency.difference.estimate)


def test_identical_answers_as_ties_pull_the_win_rate_to_one_half():
    rows = [row(f"q{i}", "R1", preferred="b") for i in range(10)]
    found = identical_as_ties(rows, "base", "trace", 10)
    assert found.estimate == 0.75 and found.n == 20 and found.low < 0.75 < found.high
    assert identical_as_ties([], "base", "trace", 5) is None
