"""Sides are turned back into models; a row can be told from the other model's end without changing what was shown."""

from __future__ import annotations

from lab.rating.rows import between, main_rows, scores
from tests.rating.made_rows import alone, row

PAIR = row("q1", "R1", 3, 5, "b", a_left=False, words_a=10, words_b=30, criteria={"clarity": (2, 4)},
           expected={"preference": "b", "fluency_a": 1})


def test_sides_are_turned_back_into_models():
    assert (PAIR.fluency_left, PAIR.fluency_right, PAIR.preference) == (5, 3, "left")
    assert (PAIR.fluency_a, PAIR.fluency_b, PAIR.preferred) == (3, 5, "b")
    assert PAIR.criterion("clarity") == (4, 2) and PAIR.criterion("harm") == (None, None)
    assert row("q", "R", preferred="both_bad").preferred == "both_bad" and row("q", "R").preferred == ""


def test_a_turned_row_shows_the_same_screen():
    turned = PAIR.turned()
    assert (turned.fluency_left, turned.fluency_right, turned.preference) == (5, 3, "left")
    assert (turned.model_a, turned.fluency_a, turned.words_a, turned.preferred) == ("trace", 5, 30, "a")
    assert turned.criterion("clarity") == (2, 4) and turned.expected == {"preference": "a", "fluency_b": 1}
    assert turned.turned() == PAIR


def test_one_answer_stands_on_the_left_and_has_one_score():
    single = alone("q1", "R1", "trace", 4)
    assert (single.fluency_a, single.fluency_b) == (4, None)
    assert [(score.model, score.value) for score in scores([single])] == [("trace", 4)]


def test_rows_between_two_models_all_have_the_first_as_a():
    other = row("q1", "R1", 2, 4, "a", model_a="trace", model_b="base")
    third = row("q1", "R1", 2, 4, "a", model_a="base", model_b="steps")
    found = between([PAIR, other, third, alone("q2", "R1", "base", 3), alone("q2", "R1", "steps", 3)], "base", "trace")
    assert [(one.model_a, one.preferred) for one in found] == [("base", "b"), ("base", "b"), ("base", "")]


def test_golds_repeats_trial_raters_and_late_ratings_are_not_analysed():
    rows = [PAIR, row("q2", "R1", role="gold"), row("q3", "R1", role="repeat"), row("q4", "T", kind="trial"),
            row("q5", "R1", surplus=True)]
    assert [one.item_id for one in main_rows(rows)] == ["q1"]
    assert [one.item_id for one in main_rows(rows, with_surplus=True)] == ["q1", "q5"]


def test_a_score_that_was_not_given_is_no_score():
    given = scores([row("q1", "R1", None, 4), row("q2", "R1", 2, 3)])
    assert [(score.item_id, score.model, score.value) for score in given] == [
        ("q1", "trace", 4), ("q2", "base", 2), ("q2", "trace", 3)]
    assert [(one.model, one.value) for one in scores([PAIR], "clarity")] == [("base", 4), ("trace", 2)]
