"""Strengths of many models: against a plain fit, without a favour for a side, and refused where nothing links them."""

from __future__ import annotations

import numpy as np
import pytest
from evalica import Winner, bradley_terry
from scipy.special import expit

from lab.stats.bradley_terry import Verdict, rank_models

MODELS = ("x", "y", "z")


def verdicts(strengths, n=300, position=0.0, tie=0.0, seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for i in range(n):
        left, right = rng.choice(len(strengths), 2, replace=False)
        latent = strengths[right] - strengths[left] + position + rng.logistic()
        preference = "left" if latent < -tie else "right" if latent > tie else "tie"
        found.append(Verdict(MODELS[left], MODELS[right], preference, f"q{i // 2}"))
    return found


def test_without_ties_and_sides_it_is_bradley_and_terry_as_another_library_fits_it():
    given = verdicts((-0.5, 0.0, 0.5))
    both_ways = given + [Verdict(v.right, v.left, {"left": "right", "right": "left"}[v.preference], v.question)
                         for v in given]  # mirrored, so that no side can be favoured
    ours = rank_models(both_ways, MODELS)
    winners = [Winner.X if v.preference == "left" else Winner.Y for v in both_ways]
    theirs = bradley_terry([v.left for v in both_ways], [v.right for v in both_ways], winners, tolerance=1e-12)
    logs = np.log([theirs.scores[model] for model in MODELS])
    assert [one.strength.estimate for one in ours.strengths] == pytest.approx(list(logs - logs.mean()), abs=1e-4)
    assert ours.position.estimate == pytest.approx(0, abs=1e-9) and ours.tie_width is None


def test_strengths_sum_to_zero_and_do_not_hang_on_which_model_is_last():
    given = verdicts((-0.6, 0.1, 0.5), n=600, position=0.4, tie=0.3)
    one, other = rank_models(given, MODELS), rank_models(given, MODELS[::-1])
    assert sum(s.strength.estimate for s in one.strengths) == pytest.approx(0, abs=1e-12)
    for first, second in zip(one.strengths, other.strengths[::-1], strict=True):
        assert first.strength.estimate == pytest.approx(second.strength.estimate, abs=1e-8)
        assert first.strength.se == pytest.approx(second.strength.se, abs=1e-8)
        assert (first.first, first.last) == (second.first, second.last)
    assert one.position.low < 0.4 < one.position.high and one.tie_width.low < 0.6 < one.tie_width.high


def test_ranks_are_ranges_where_models_cannot_be_told_apart():
    ranks = {s.model: (s.first, s.last) for s in rank_models(verdicts((-1.0, 0.5, 0.5), n=600, tie=0.3),
                                                             MODELS).strengths}
    assert ranks == {"x": (3, 3), "y": (1, 2), "z": (1, 2)}


def test_models_that_no_chain_of_comparisons_joins_are_not_ranked():
    apart = [Verdict("x", "y", side, f"q{i}") for i in range(40) for side in ("left", "right")]
    found = rank_models(apart, MODELS)
    assert found.strengths == () and "joins z with x" in found.why and found.n == 80


def test_it_says_why_where_nothing_can_be_fitted():
    assert "no two models" in rank_models([], MODELS).why
    one_side = [Verdict("x", "y", "left", f"q{i}") for i in range(40)]
    assert "right side" in rank_models(one_side, ("x", "y")).why
    always = [Verdict(*(("x", "y", "right") if i % 2 else ("y", "x", "left")), f"q{i}") for i in range(40)]
    assert "without exception" in rank_models(always, ("x", "y")).why
    with pytest.raises(ValueError, match="not ranked"):
        rank_models([Verdict("x", "w", "left", "q")], MODELS)


def test_the_chance_of_a_choice_is_the_one_that_was_simulated():
    found = rank_models(verdicts((-0.5, 0.0, 0.5), n=2000, position=0.3, tie=0.4, seed=4), MODELS)
    x, _, z = (s.strength.estimate for s in found.strengths)
    right = expit(z - x + found.position.estimate - found.tie_width.estimate / 2)  # z on the right of x is preferred
    assert right == pytest.approx(expit(1.0 + 0.3 - 0.4), abs=0.05)
