"""The win rate by hand: questions weigh the same, ties are half, and the interval draws questions."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from lab.stats.win_rate import win_rate


def test_each_question_weighs_the_same_however_many_rated_it():
    found = win_rate(["b", "b", "b", "tie", "a"], ["q1", "q1", "q1", "q2", "q2"])
    assert found.rate.estimate == pytest.approx((1 + 0.25) / 2)
    assert (found.n_a, found.n_tie, found.n_b, found.n_both_bad, found.n) == (1, 1, 3, 0, 5)
    assert (found.rate.n, found.rate.low, found.rate.high) == (2, 0.25, 1.0)  # the two questions' own means


def test_without_ties_only_verdicts_for_a_side_count():
    found = win_rate(["b", "a", "b", "tie", "both_bad"], list("uvwxy"))
    assert found.decided.estimate == pytest.approx(2 / 3) and found.decided.n == 3
    assert found.rate.estimate == pytest.approx(3 / 5) and found.n_both_bad == 1
    nobody = win_rate(["tie"] * 4, list("uvwx"))
    assert nobody.decided is None and "nobody" in nobody.why and nobody.p_value == 1


def test_one_verdict_a_question_is_the_sign_test():
    found = win_rate(["b"] * 15 + ["a"] * 5, range(20))
    assert found.p_value == pytest.approx(binomtest(15, 20).pvalue)


def test_a_verdict_of_another_kind_is_a_fault():
    for verdicts in ([], ["left"]):
        with pytest.raises(ValueError, match="verdicts should be"):
            win_rate(verdicts, ["q"] * len(verdicts))
