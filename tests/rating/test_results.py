"""The figures of a round, against values worked out by hand, and the bootstrap against what it should cover."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from lab.rating.results import RatingRow, results, score_matrix


def row(item, rater, a, b, preferred, a_left=True) -> RatingRow:
    left, right = (a, b) if a_left else (b, a)
    side = {"tie": "tie", "a": "left" if a_left else "right", "b": "right" if a_left else "left"}[preferred]
    return RatingRow(item, rater, a_left, left, right, side)


ROWS = [
    row("q1", "R1", 3, 5, "b"), row("q1", "R2", 3, 4, "b", a_left=False),
    row("q2", "R1", 4, 4, "tie"), row("q2", "R2", 5, 4, "a", a_left=False),
]


def test_sides_are_turned_back_into_models():
    assert [(r.fluency_a, r.fluency_b) for r in ROWS] == [(3, 5), (3, 4), (4, 4), (5, 4)]
    assert [r.preferred for r in ROWS] == ["b", "b", "tie", "a"]
    assert [r.preference for r in ROWS] == ["right", "left", "tie", "right"]


def test_means_difference_and_preference_by_hand():
    found = results(ROWS)
    assert (found.n_items, found.n_ratings, found.n_raters) == (2, 4, 2)
    assert found.fluency_a.estimate == 15 / 4 and found.fluency_b.estimate == 17 / 4
    assert found.difference.estimate == pytest.approx(0.5)
    assert found.preference_b.estimate == (1 + 1 + 0.5 + 0) / 4
    assert found.preferences == {"a": 1, "tie": 1, "b": 2}
    assert found.scores_b == {1: 0, 2: 0, 3: 0, 4: 3, 5: 1}
    assert (found.position.n, found.position.n_left) == (3, 1)


def test_the_interval_draws_questions_not_ratings():
    found = results(ROWS)
    assert found.difference.n == 4 and found.difference.n_clusters == 2
    assert (found.difference.low, found.difference.high) == (-0.5, 1.5)  # the two questions' own means


def test_agreement_counts_each_answer_as_a_unit():
    matrix = score_matrix(ROWS)
    assert matrix.tolist() == [[3, 5, 4, 4], [3, 4, 5, 4]]
    found = results(ROWS).agreement
    # By hand: values 3, 4, 5 with totals 2, 4, 2; two disagreements (5, 4) and (4, 5), at ordinal distance 3 each.
    observed = 4 * 9 / 8
    expected = 2 * (2 * 4 * 9 + 2 * 2 * 36 + 4 * 2 * 9) / (8 * 7)
    assert found.n_units == 4 and found.alpha == pytest.approx(1 - observed / expected)


def test_agreement_of_a_single_rater_is_not_a_number_but_a_reason():
    found = results([r for r in ROWS if r.rater == "R1"]).agreement
    assert found.alpha is None and found.why


def test_a_round_without_ratings_has_counts_and_no_interval():
    found = results([])
    assert found.n_ratings == 0 and found.difference is None and found.agreement.alpha is None and found.flags == ()


def test_the_same_seed_gives_the_same_interval():
    assert results(ROWS, seed=3) == results(ROWS, seed=3)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    covered, rng = 0, np.random.default_rng(1)
    for trial in range(40):
        rows = []
        for item in range(25):
            effect = rng.normal(0.4, 0.6)  # prompts differ in how much the second model helps
            for rater in range(3):
                b = int(np.clip(round(3 + effect + rng.normal(0, 0.7)), 1, 5))
                rows.append(row(f"q{item}", f"R{rater}", 3, b, "b" if b > 3 else "a" if b < 3 else "tie"))
        found = results(rows, seed=trial).difference
        covered += found.low <= 0.4 <= found.high
    assert 34 <= covered <= 40  # 95 % of 40 is 38, with a standard deviation of 1.4


def test_results_can_be_written_as_json():
    text = json.dumps(results(ROWS).as_dict())
    assert math.isclose(json.loads(text)["difference"]["estimate"], 0.5)
