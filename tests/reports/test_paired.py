"""Paired differences against numbers worked by hand."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from lab.reports.paired import compare, compare_all, holm, pairs, why_not_comparable
from tests.reports.made_runs import SETTINGS, made_run


def test_a_difference_is_first_minus_second_on_the_same_questions():
    trace, answer = made_run("trace", "1111111100"), made_run("answer", "1110000010")
    found = compare(trace, answer)
    assert (found.n, found.first_only, found.second_only) == (10, 5, 1)
    assert found.difference == pytest.approx(0.4)  # 8/10 − 4/10
    assert found.low < 0.4 < found.high
    assert found.discordance == pytest.approx(0.6)


def test_swapping_the_two_models_changes_only_the_sign():
    trace, answer = made_run("trace", "1111111100"), made_run("answer", "1110000010")
    there, back = compare(trace, answer), compare(answer, trace)
    assert back.difference == pytest.approx(-there.difference)
    assert (back.low, back.high) == (pytest.approx(-there.high), pytest.approx(-there.low))
    assert (back.first_only, back.second_only) == (there.second_only, there.first_only)


def test_mcnemar_is_the_exact_binomial_test_of_the_discordant_pairs():
    found = compare(made_run("trace", "1111111100"), made_run("answer", "1110000010"))
    assert found.p_value == pytest.approx(binomtest(1, 6, 0.5).pvalue)  # 2 · (1 + 6) / 64 = 0.21875
    assert found.p_value == pytest.approx(0.21875)


def test_only_questions_that_both_answered_count():
    trace, answer = made_run("trace", "1111"), made_run("answer", "01")
    assert compare(trace, answer).n == 2
    assert compare(trace, answer).difference == pytest.approx(0.5)


def test_an_interval_that_holds_zero_is_within_noise():
    assert compare(made_run("trace", "10" * 20), made_run("answer", "01" * 20)).within_noise
    assert not compare(made_run("trace", "1" * 40), made_run("answer", "0" * 30 + "1" * 10)).within_noise


def test_each_comparison_says_what_its_n_could_have_shown():
    trace, answer = made_run("trace", "1" * 50 + "0" * 450), made_run("answer", "0" * 500)
    assert compare(trace, answer).detectable == pytest.approx(0.0396, abs=1e-4)  # 2.8016 · √(0.1 / 500)
    assert compare(answer, answer).detectable is None


def test_holm_agrees_with_statsmodels_and_with_paper():
    given = [0.01, 0.04, 0.03, 0.005]
    assert holm(given) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(given) == pytest.approx(list(multipletests(given, method="holm")[1]))
    assert holm([]) == []


def test_pairs_are_trace_against_answer_of_a_cell_and_each_arm_against_its_base():
    runs = [
        made_run("base", "10"), made_run("trace", "10"), made_run("answer", "10"),
        made_run("trace", "10", seed=1, model="trace-1"), made_run("base", "10", base="demo-qwen", model="qwen"),
    ]
    found = [(question, first.model, second.model) for question, first, second in pairs(runs)]
    assert found == [
        ("trace − answer", "trace", "answer"), ("arm − base", "answer", "base"), ("arm − base", "trace", "base"),
        ("arm − base", "trace-1", "base"),
    ]


@pytest.mark.parametrize(("change", "word"), [
    ({"benchmark": "general"}, "benchmarks"),
    ({"benchmark_version": "2"}, "versions"),
    ({"settings": SETTINGS | {"max_new_tokens": 64}}, "max_new_tokens"),
    ({"settings": SETTINGS | {"temperature": 0.7}}, "temperature"),
    ({"samples": made_run("answer", "000111").samples[3:]}, "no question"),
])
def test_runs_that_do_not_match_are_refused_with_the_reason(change, word):
    assert why_not_comparable(made_run("trace", "101"), made_run("answer", "101")) == ""
    assert word in why_not_comparable(made_run("trace", "101"), made_run("answer", "101", **change))


def test_a_refused_pair_is_named_and_not_computed():
    runs = [made_run("trace", "101"), made_run("answer", "101", settings=SETTINGS | {"max_new_tokens": 64})]
    differences, refused = compare_all(runs)
    assert differences == []
    assert (refused[0].first, refused[0].second) == ("trace", "answer")
    assert refused[0].why == "different max_new_tokens: 128 and 64"
