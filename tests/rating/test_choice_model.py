"""The preferences in one fit: against statsmodels, with a favour for a side, at equal lengths, and where it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.miscmodels.ordinal_model import OrderedModel

from lab.rating.choice_model import choice_model, length_controlled
from tests.rating.made_rows import row
from tests.rating.simulated_raters import Panel, simulate

ROWS = simulate(Panel(questions=150), 2)


def test_it_equals_the_ordered_model_of_statsmodels_and_its_position_is_that_of_the_thresholds():
    outcome = np.array([{"left": 0, "tie": 1, "right": 2}[r.preference] for r in ROWS])
    side = np.array([1.0 if r.a_left else -1.0 for r in ROWS])
    model = OrderedModel(outcome, side[:, None], distr="logit")
    theirs = model.fit(method="bfgs", gtol=1e-9, disp=0, cov_type="cluster",
                       cov_kwds={"groups": np.unique([r.item_id for r in ROWS], return_inverse=True)[1]})
    first, second = model.transform_threshold_params(theirs.params)[1:-1]
    ours = choice_model(ROWS)
    assert ours.method == "cumulative logit" and (ours.n, ours.n_clusters) == (450, 150)
    assert ours.effect.estimate == pytest.approx(theirs.params[0], abs=1e-5)
    assert ours.effect.se == pytest.approx(theirs.bse[0], rel=1e-3)
    assert ours.position.estimate == pytest.approx(-(first + second) / 2, abs=1e-5)
    assert ours.tie_width.estimate == pytest.approx(second - first, abs=1e-5)


def test_an_effect_above_0_is_for_b_and_a_position_above_0_is_for_the_right_side():
    found = choice_model(ROWS)
    assert found.effect.low > 0
    turned = choice_model([r.turned() for r in ROWS])
    assert turned.effect.estimate == pytest.approx(-found.effect.estimate)
    assert turned.position.estimate == pytest.approx(found.position.estimate)


def test_a_strong_favour_for_a_side_makes_no_effect_of_the_model():
    found = [choice_model(simulate(Panel(questions=50, effects=(0.0, 0.0), position=1.5), seed)) for seed in range(40)]
    assert all(one.position.low > 0.5 for one in found)
    scaled = [one.effect.estimate / one.effect.se for one in found]
    assert abs(np.mean(scaled)) < 3 / 40**0.5 and 0.7 < np.std(scaled) < 1.3


def test_without_ties_it_is_a_logit_and_both_bad_counts_as_a_tie():
    decided = [r for r in ROWS if r.preference != "tie"]
    found = choice_model(decided)
    assert found.method == "logit" and found.tie_width is None and found.position is not None
    bad = [replace(r, preference="both_bad") if r.preference == "tie" else r for r in ROWS]
    assert choice_model(bad) == choice_model(ROWS)


def test_at_equal_lengths_the_effect_of_length_is_gone():
    rng = np.random.default_rng(0)
    rows = []
    for i in range(300):  # b is preferred only because it is longer, and it mostly is
        a_left, words = bool(i % 2), (50, int(50 * np.exp(rng.normal(0.4, 0.4))))
        longer = (words[1] - words[0]) / sum(words)
        latent = 5 * longer * (1 if a_left else -1) + rng.logistic()
        rows.append(replace(row(f"q{i // 2}", f"R{i % 3}", a_left=a_left, words_a=words[0], words_b=words[1]),
                            preference="left" if latent < -0.4 else "right" if latent > 0.4 else "tie"))
    plain, controlled = choice_model(rows), length_controlled(rows)
    assert plain.effect.low > 0.5
    assert controlled.effect.low < 0 < controlled.effect.high and controlled.length.low > 0.3


def test_raters_who_only_chose_one_side_are_left_out_of_the_controlled_fit_and_counted():
    stuck = [replace(r, rater="R77", preference="left") for r in ROWS if r.rater == "R00"]
    found = length_controlled([*ROWS, *stuck])
    assert found.n_left_out == 150 and found.effect == length_controlled(ROWS).effect


@pytest.mark.parametrize("rows, says", [
    ([], "no preference"),
    ([row(f"q{i}", "R1", preferred="tie") for i in range(20)], "left or the right"),
    ([row(f"q{i}", "R1", preferred="b") for i in range(20)], "the left side"),
    ([row(f"q{i}", "R1", preferred="b", a_left=bool(i % 2)) for i in range(20)], "without exception"),
    ([row(f"q{i % 5}", "R1", preferred="ab"[i % 3 > 1], a_left=bool(i % 2)) for i in range(30)], "at least 10"),
])
def test_it_refuses_with_a_reason(rows, says):
    found = choice_model(rows)
    assert found.effect is None and found.method == "" and says in found.why and found.n == len(rows)


def test_lengths_that_cannot_be_told_from_the_model_are_refused():
    assert "same share" in length_controlled([replace(r, words_a=50, words_b=60) for r in ROWS]).why
    assert "not known" in length_controlled([replace(r, words_a=0, words_b=0) for r in ROWS]).why
    assert "no preference" in length_controlled([]).why
