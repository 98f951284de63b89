"""The selection rule of FineMed, each line of it by its own case."""

from __future__ import annotations

from collections import Counter

import pytest

from lab.synthesis.grading import Grade
from lab.synthesis.selecting import LEAK, LOW_QUALITY, LOW_RELEVANCE, UNREAD, Least, Selection, select


def grade(quality: int, complexity: int, relevance: int, leaks: bool = False) -> Grade:
    return Grade(quality=quality, complexity=complexity, relevance=relevance, leaks=leaks)


@pytest.mark.parametrize(("first", "second", "place"), [
    (grade(8, 5, 5), grade(6, 5, 5), 0),  # the larger sum of all three
    (grade(6, 5, 5), grade(6, 5, 6), 1),
    (grade(2, 9, 6), grade(9, 5, 1), 0),  # 17 against 15: the sum goes before quality
    (grade(8, 6, 4), grade(8, 5, 5), 0),  # 18 = 18: quality + complexity, 14 against 13
    (grade(5, 4, 6), grade(7, 6, 2), 1),  # 15 = 15: 9 against 13
    (grade(7, 7, 5), grade(8, 6, 5), 1),  # 19 = 19, 14 = 14: quality
    (grade(1, 10, 3), grade(10, 1, 3), 1),
    (grade(9, 9, 6, leaks=True), grade(1, 1, 1), 1),  # a leak is discarded, however good
    (grade(1, 1, 1), grade(10, 10, 6, leaks=True), 0),
    (None, grade(1, 1, 1), 1),
])
def test_the_rule_keeps_the_one_it_says(first: Grade | None, second: Grade | None, place: int) -> None:
    assert select([first, second], Least(), 0, "text-1").place == place
    assert select([second, first], Least(), 0, "text-1").place == 1 - place  # whichever stands first


@pytest.mark.parametrize(("grades", "least", "discarded"), [
    ([grade(9, 9, 6, leaks=True), grade(8, 8, 6, leaks=True)], Least(), (LEAK, LEAK)),
    ([None, None], Least(), (UNREAD, UNREAD)),
    ([None, grade(9, 9, 6, leaks=True)], Least(), (UNREAD, LEAK)),
    ([grade(5, 9, 6), grade(9, 9, 2)], Least(quality=6, relevance=3), (LOW_QUALITY, LOW_RELEVANCE)),
    ([grade(5, 9, 6, leaks=True), grade(5, 9, 6)], Least(quality=6), (LEAK, LOW_QUALITY)),
])
def test_a_text_without_a_question_left_has_none_and_says_why(grades, least: Least, discarded) -> None:
    assert select(grades, least, 0, "text-1") == Selection(None, discarded)


def test_a_bound_is_kept_itself_and_the_better_one_below_it_is_not() -> None:
    assert select([grade(5, 10, 6), grade(6, 1, 3)], Least(quality=6, relevance=3), 0, "x").place == 1


def test_a_full_tie_is_drawn_by_seed_and_text_and_falls_both_ways() -> None:
    even = [grade(7, 7, 4), grade(7, 7, 4)]
    places = [select(even, Least(), 3, f"text-{n}").place for n in range(400)]
    assert places == [select(even, Least(), 3, f"text-{n}").place for n in range(400)]
    assert places != [select(even, Least(), 4, f"text-{n}").place for n in range(400)]
    assert 150 < Counter(places)[0] < 250
