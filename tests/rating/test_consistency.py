"""Agreement is of models, not of sides; kappas need common units; every figure against a count by hand."""

from __future__ import annotations

import pytest
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa

from lab.rating.consistency import (
    agreement,
    choice_marks,
    matrix,
    pair_kappas,
    raw_agreement,
    score_marks,
    unit_counts,
    with_others,
)
from lab.stats.agreement import krippendorff_alpha
from tests.rating.made_rows import alone, row
from tests.rating.simulated_raters import Panel, simulate
from tests.stats.tables import table_of

ROWS = [
    row("q1", "R1", 3, 5, "b"), row("q1", "R2", 3, 4, "b", a_left=False),
    row("q2", "R1", 4, 4, "tie"), row("q2", "R2", 5, 4, "a", a_left=False),
]


def test_agreement_counts_each_answer_as_a_unit():
    assert matrix(score_marks(ROWS)).tolist() == [[3, 5, 4, 4], [3, 4, 5, 4]]
    found = agreement(ROWS).scores
    # By hand: values 3, 4, 5 with totals 2, 4, 2; two disagreements (5, 4) and (4, 5), at ordinal distance 3 each.
    observed, expected = 4 * 9 / 8, 2 * (2 * 4 * 9 + 2 * 2 * 36 + 4 * 2 * 9) / (8 * 7)
    assert found.n_units == 4 and found.alpha == pytest.approx(1 - observed / expected) and found.low is None


def test_raters_who_saw_a_pair_mirrored_agree_when_they_prefer_the_same_model():
    same_model = [row(f"q{i}", rater, preferred="ab"[i % 2], a_left=a_left)
                  for i in range(6) for rater, a_left in (("R1", True), ("R2", False))]
    assert agreement(same_model).choices.alpha == pytest.approx(1)
    same_side = [row(f"q{i}", rater, preferred="ab"[(i + turn) % 2], a_left=not turn)
                 for i in range(6) for rater, turn in (("R1", 0), ("R2", 1))]
    assert {one.preference for one in same_side if one.item_id == "q0"} == {"left"}
    assert agreement(same_side).choices.alpha < 0 and agreement(same_side).raw_choices.share == 0


def test_preferences_of_many_models_are_compared_by_name():
    rows = [row("q1", "R1", preferred="a", model_a="x", model_b="y"),
            row("q1", "R2", preferred="b", model_a="y", model_b="x"),
            row("q2", "R1", preferred="both_bad"), row("q2", "R2", preferred="tie")]
    marks = choice_marks(rows)
    assert marks["R1", "u-q1"] == marks["R2", "u-q1"] and marks["R1", "u-q2"] != marks["R2", "u-q2"]


def test_raw_agreement_counts_pairs_of_ratings():
    marks = {("R1", "u"): 1.0, ("R2", "u"): 1.0, ("R3", "u"): 2.0, ("R1", "v"): 4.0}
    found = raw_agreement(marks)
    assert (found.share, found.n_pairs, found.n_units) == (1 / 3, 3, 1)
    assert raw_agreement({("R1", "u"): 1.0}) is None and raw_agreement({}) is None


def test_kappas_of_two_raters_are_quadratic_and_need_twenty_common_units():
    rows = simulate(Panel(questions=30, raters=2), 0)
    (found,) = agreement(rows).kappas_scores
    left, right = ([score for r in rows if r.rater == rater for score in (r.fluency_a, r.fluency_b)]
                   for rater in ("R00", "R01"))
    theirs = cohens_kappa(table_of(left, right, (1, 2, 3, 4, 5)), weights=[[(i - j) ** 2 for j in range(5)]
                                                                         for i in range(5)])
    assert (found.first, found.second, found.n) == ("R00", "R01", 60) and found.kappa == pytest.approx(theirs.kappa)
    assert pair_kappas({(rater, f"u{i}"): 1.0 + i % 3 for rater in "ab" for i in range(19)}, (1, 2, 3)) == ((), 1)
    assert pair_kappas({("a", "u"): 1.0, ("b", "v"): 1.0}, (1, 2)) == ((), 0)
    (constant,), _ = pair_kappas({(rater, f"u{i}"): 1.0 for rater in "ab" for i in range(20)}, (1, 2))
    assert constant.kappa is None and "the same" in constant.why


def test_fleiss_is_given_only_where_every_unit_has_the_same_number_of_raters():
    rows = simulate(Panel(questions=40), 0)
    found = agreement(rows)
    assert found.fleiss_scores.kappa == pytest.approx(fleiss_kappa(unit_counts(score_marks(rows))))
    assert found.fleiss_choices.n_raters == 3
    assert agreement(rows[1:]).fleiss_choices.kappa is None and "2 to 3" in agreement(rows[1:]).fleiss_choices.why


def test_single_answers_agree_as_units_of_their_own_and_what_was_not_asked_is_none():
    rows = [alone(f"q{i}", rater, "base", 1 + i % 5) for i in range(6) for rater in ("R1", "R2")]
    found = agreement(rows)
    assert found.scores.alpha == pytest.approx(1) and found.choices is None and found.fleiss_choices is None
    assert agreement([]).scores is None and agreement([]).raw_scores is None


def test_a_rater_against_the_others_is_kappa_over_every_shared_unit():
    marks = {("R1", f"u{i}"): float(i % 3) for i in range(30)} | {("R2", f"u{i}"): float(i % 3) for i in range(30)}
    marks |= {("R3", f"u{i}"): float((i + 1) % 3) for i in range(20)}
    kappa, n = with_others(marks, quadratic=False)["R3"]
    assert n == 20 and kappa.kappa < 0
    two = {key: value for key, value in marks.items() if key[0] != "R3"}
    assert with_others(two, quadratic=False)["R1"][0].kappa == pytest.approx(1)
    assert with_others({("R1", "u"): 1.0}, quadratic=True)["R1"][1] == 0 and with_others({}, True) == {}


def test_with_one_other_rater_it_is_cohens_kappa_of_the_two():
    marks = score_marks(simulate(Panel(questions=40, raters=2), 1))
    (pair,), _ = pair_kappas(marks, (1, 2, 3, 4, 5))
    assert with_others(marks, quadratic=True)["R00"][0].kappa == pytest.approx(pair.kappa)


def test_golds_repeats_and_late_ratings_are_not_in_the_agreement():
    more = [row("g", "R1", 1, 5, "a", role="gold"), row("q1", "R3", 1, 1, "a", surplus=True)]
    assert agreement([*ROWS, *more]) == agreement(ROWS)
    assert agreement(ROWS).choices.alpha == krippendorff_alpha(matrix(choice_marks(ROWS)), "nominal").alpha
