"""Simulated rounds with known ways: intervals hold what was put in, and tests find nothing where nothing is.

The whole of it, with 200 and 1000 simulations a line, is `tests/perf/rating_recovery.py`.
"""

from __future__ import annotations

from itertools import product

import pytest

from tests.rating.recovered import coverage, false_positives, ranking_coverage
from tests.rating.simulated_raters import Panel, simulate, true_win_rate

N = 60


def test_intervals_hold_what_was_put_in():
    panel = Panel(questions=60)
    truth = {"win rate": true_win_rate(panel), "effect": 0.6, "position": 0.25, "tie width": 1.0}
    for name, share in coverage(panel, truth, N).items():
        assert share >= 0.9, name  # 95 % of 60 is 57, with a standard deviation of 1.7


def test_strengths_of_three_models_hold_what_was_put_in():
    shares = ranking_coverage(Panel(models=("x", "y", "z"), effects=(-0.4, 0.1, 0.3), questions=40), N)
    assert min(shares.values()) >= 0.9


def test_without_a_difference_little_is_found_unless_every_rating_counts_as_its_own_question():
    panel = Panel(effects=(0.0, 0.0), questions=40, raters=6, prompt_sd=2.0, fluency_sd=0.4)
    found = false_positives(panel, N)
    for what, how in product(("win rate", "fluency"), ("prompt bootstrap", "sign flip")):
        assert found[f"{what}, {how}"] <= 0.12, (what, how)  # 5 % of 60 is 3, with a standard deviation of 1.7
    assert found["win rate, every rating on its own"] >= 0.15 and found["fluency, every rating on its own"] >= 0.2


def test_the_simulated_choices_have_the_win_rate_that_is_said():
    panel = Panel(questions=4000, prompt_sd=0.8)
    worth = {"a": 0.0, "tie": 0.5, "b": 1.0}
    rows = simulate(panel, 5)
    assert sum(worth[one.preferred] for one in rows) / len(rows) == pytest.approx(true_win_rate(panel), abs=0.015)
    assert {one.a_left for one in rows} == {True, False} and simulate(panel, 5) == rows
