"""Differences of scores by hand, each rater against themselves; the ordinal model; the drift over a session."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import wilcoxon

from lab.rating.fluency import bars, fluency_difference, order_slope, score_model
from lab.rating.rows import Score, scores
from tests.rating.made_rows import alone, row
from tests.rating.simulated_raters import Panel, simulate

PAIR = ("base", "trace")


def test_a_question_is_the_mean_of_its_raters_and_weighs_the_same_as_any_other():
    rows = [row("q1", "R1", 3, 5), row("q1", "R2", 3, 4), row("q1", "R3", 2, 5), row("q2", "R1", 4, 3)]
    found = fluency_difference(scores(rows), *PAIR)
    assert found.difference.estimate == pytest.approx((2 + -1) / 2) and found.difference.n == 2
    assert (found.mean_a, found.mean_b) == pytest.approx(((8 / 3 + 4) / 2, (14 / 3 + 3) / 2))
    assert found.bars_b == {1: 0, 2: 0, 3: 1, 4: 1, 5: 2} and (found.n_unpaired, found.n_incomplete) == (0, 0)


def test_single_answers_are_paired_by_rater_and_stand_in_where_nobody_saw_both():
    rows = [
        alone("q1", "R1", "base", 2), alone("q1", "R1", "trace", 3), alone("q1", "R2", "trace", 5),  # R1 saw both
        alone("q2", "R1", "base", 2), alone("q2", "R2", "trace", 5),  # nobody did
        alone("q3", "R1", "base", 1),  # never scored for trace
    ]
    found = fluency_difference(scores(rows), *PAIR)
    assert found.difference.estimate == pytest.approx((1 + 3) / 2)
    assert (found.difference.n, found.n_unpaired, found.n_incomplete) == (2, 1, 1)
    assert bars(scores(rows), "trace") == {1: 0, 2: 0, 3: 1, 4: 0, 5: 2}


def test_wilcoxon_is_scipys_on_the_questions_that_moved():
    rng = np.random.default_rng(0)
    rows = [row(f"q{i}", "R1", int(rng.integers(1, 4)), int(rng.integers(2, 5))) for i in range(40)]
    moved = [r.fluency_b - r.fluency_a for r in rows if r.fluency_b != r.fluency_a]
    assert fluency_difference(scores(rows), *PAIR).wilcoxon_p == pytest.approx(wilcoxon(moved).pvalue)
    same = fluency_difference(scores([row(f"q{i}", "R1", 3, 3) for i in range(12)]), *PAIR)
    assert same.wilcoxon_p is None and same.p_value == 1 and same.p_exact


def test_scores_of_one_model_only_are_no_difference():
    assert fluency_difference(scores([alone("q1", "R1", "base", 2)]), *PAIR) is None
    assert fluency_difference([], *PAIR) is None


def test_a_rater_who_always_gives_the_highest_score_says_nothing_in_the_model_and_is_counted():
    given = scores(simulate(Panel(questions=60), 3))
    always = [Score(f"q{i:03}", "u", "R99", model, 5, i) for i in range(60) for model in PAIR]
    one, other = score_model(given, *PAIR), score_model([*given, *always], *PAIR)
    assert other.n_left_out == 120 and other.effect == one.effect and other.n == 360


def test_the_model_takes_the_raters_levels_out():
    given = scores(simulate(Panel(questions=200, rater_sd=0.0, prompt_sd=0.0), 1))
    lenient = [replace(s, value=min(5, s.value + 1)) if s.rater == "R00" else s for s in given]
    plain, shifted = score_model(given, *PAIR), score_model(lenient, *PAIR)
    assert shifted.effect.estimate == pytest.approx(plain.effect.estimate, abs=0.12)
    assert shifted.effect.low > 0 and shifted.order is not None and shifted.n_clusters == 200


def test_scores_that_sink_have_a_slope_below_zero():
    rng = np.random.default_rng(0)
    rows = [row(f"q{i}", f"R{r}", *(int(np.clip(round(4 - 0.02 * i + rng.normal(0, 0.5)), 1, 5)) for _ in "ab"),
                ordinal=i) for i in range(80) for r in range(2)]
    found = order_slope(scores(rows))
    assert found.slope.low < -2 < found.slope.high and found.slope.high < -1 and found.n == 320  # a point in 50 units
    assert score_model(scores(rows), *PAIR).order.high < 0


def test_where_there_is_no_slope_or_no_model_it_says_why():
    few = scores([row("q1", "R1", 3, 4)])
    assert "at least 10 questions" in order_slope(few).why and "at least 10 questions" in score_model(few, *PAIR).why
    level = scores([row(f"q{i}", "R1", 3, 3 + i % 2) for i in range(12)])
    assert "two different places" in order_slope(level).why
    assert "no score" in order_slope([]).why and "both models" in score_model([], *PAIR).why
