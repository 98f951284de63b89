"""Practice: what it teaches, and when it is passed."""

from __future__ import annotations

import pytest

from lab.core.errors import UnknownName
from lab.rating.practice import Given, is_right, passed, practice_units, wrong_parts
from lab.rating.text_measures import words_of
from lab.rating.wording import languages

CLEAR = {"fluency_a": 5, "fluency_b": 1, "preference": "a", "tie_accepted": False}
CLOSE = {"fluency_a": 5, "fluency_b": 4, "preference": "a", "tie_accepted": True}


@pytest.mark.parametrize("language", languages())
def test_a_practice_has_five_units_and_each_says_why(language):
    units = practice_units(language)
    assert len(units) == 5 and [unit.name for unit in units] == [unit.name for unit in practice_units("en")]
    for unit in units:
        higher = "a" if unit.fluency_a > unit.fluency_b else "b"
        assert unit.preference == higher and unit.question and unit.explanation and unit.text_a != unit.text_b
        assert abs(unit.fluency_a - unit.fluency_b) >= (1 if unit.tie_accepted else 3)
    assert sum(unit.tie_accepted for unit in units) == 1
    assert {unit.preference for unit in units} == {"a", "b"}, "a rater who always takes one side must not pass"


@pytest.mark.parametrize("language", languages())
def test_one_unit_teaches_that_a_fluent_text_may_be_wrong(language):
    wrong = next(unit for unit in practice_units(language) if unit.name == "fluent-but-wrong")
    assert wrong.fluency_b == 5 and wrong.preference == "b" and "antibioti" in wrong.explanation


@pytest.mark.parametrize("language", languages())
def test_length_does_not_tell_which_text_is_the_fluent_one(language):
    longer = [len(words_of(u.text_a)) > len(words_of(u.text_b)) for u in practice_units(language)]
    preferred_is_longer = [found == (u.preference == "a") for found, u in zip(longer, practice_units(language),
                                                                             strict=True)]
    assert 1 <= sum(preferred_is_longer) <= 4


def test_a_score_is_right_within_one_point_and_what_was_not_asked_is_never_wrong():
    assert is_right(CLEAR, Given(4, 2, "a")) and is_right(CLEAR, Given(fluency_a=5)) and is_right(CLEAR, Given())
    assert wrong_parts(CLEAR, Given(3, 3, "b")) == ("fluency_a", "fluency_b", "preference")
    assert wrong_parts(CLEAR, Given(preference="tie")) == ("preference",)
    assert wrong_parts({"preference": "b"}, Given(1, 1, "b")) == ()


def test_a_tie_is_right_where_the_two_are_close():
    assert is_right(CLOSE, Given(preference="tie")) and is_right(CLOSE, Given(preference="a"))
    assert not is_right(CLOSE, Given(preference="b")) and not is_right(CLOSE, Given(preference="both_bad"))


def test_the_share_that_has_to_be_right_is_counted_over_units():
    right, wrong = (CLEAR, Given(5, 1, "a")), (CLEAR, Given(5, 5, "a"))
    assert passed([right] * 3 + [wrong], 0.75) and not passed([right] * 2 + [wrong], 0.75)
    assert not passed([], 0.0)


def test_a_language_without_practice_is_refused():
    with pytest.raises(UnknownName):
        practice_units("de")
