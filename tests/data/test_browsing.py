"""Browsing: what filters leave, in which order, and the counts beside them."""

from __future__ import annotations

import pytest

from lab.core.errors import LabError
from lab.data.browsing import Between, Filter, Look, browse, matching, shelve
from lab.data.reviewing import Review
from tests.data.noted_rows import NOTES, example, noted, pair

ROWS = noted([example(0), example(1), example(2, subject="other"), example(3, trace=None, answer="STRASSE Straße ﬁn.")],
             NOTES)
SHELF = shelve(ROWS)
REVIEWS = {"row-0": Review(verdict="approved"), "row-2": Review(verdict="edited", changes={"answer": "x"})}


def left(chosen: Filter) -> list[int]:
    return matching(SHELF, chosen, REVIEWS)


@pytest.mark.parametrize(("chosen", "places"), [
    (Filter(), [0, 1, 2, 3]),
    (Filter(departments=("Surgery",)), [0, 2]),
    (Filter(departments=("Surgery", "Pediatrics"), complexity=Between(7, None)), [0, 2]),
    (Filter(departments=("none",)), [3]),
    (Filter(subdepartments=("None",)), [1]),
    (Filter(subjects=("other",)), [2]),
    (Filter(provenance=("label_shown",)), [2]),
    (Filter(styles=("common",)), [1]),
    (Filter(strategies=("correction",)), [1, 2]),
    (Filter(strategies=("none",)), [0, 3]),
    (Filter(has_trace=False), [3]),
    (Filter(has_trace=True, quality=Between(None, 6)), [1]),
    (Filter(quality=Between(8, 8)), [0, 2]),
    (Filter(relevance=Between(None, None)), [0, 1, 2, 3]),
    (Filter(relevance=Between(1, 6)), [0, 1]),  # the third has no such grade
    (Filter(depth=Between(1, 3)), [1, 2]),
    (Filter(trace_words=Between(1, None)), [0, 1, 2]),
    (Filter(answer_words=Between(None, 3)), [3]),
    (Filter(reviews=("approved", "edited")), [0, 2]),
    (Filter(reviews=("none",)), [1, 3]),
    (Filter(words="row-1"), [1]),
    (Filter(words="WHAT 2+1"), [1, 2]),  # both words, anywhere: of the second in its trace… and the question
    (Filter(words='"what is 2+1"'), [2]),
    (Filter(words="strasse FIN"), [3]),
    (Filter(words="nowhere"), []),
])
def test_a_filter_leaves_the_rows_that_meet_all_of_it(chosen: Filter, places: list[int]) -> None:
    if chosen.words == "WHAT 2+1":
        places = [place for place, row in enumerate(ROWS) if "2+1" in f"{row.row.question}{row.row.trace}"]
    assert left(chosen) == places


def test_a_page_has_its_rows_the_total_and_the_counts_of_all_that_is_left() -> None:
    page = browse(SHELF, Look(Filter(has_trace=True), "-quality", 1, 2), REVIEWS)
    assert [row.id for row in page.rows] == ["row-0", "row-2"] and (page.total, page.pages, page.n_all) == (3, 2, 4)
    assert page.facets["department"] == {"Surgery": 2, "Pediatrics": 1}
    assert page.facets["strategies"] == {"correction": 2, "new path": 1, "none": 1}
    assert page.facets["quality"] == {"6": 1, "8": 2} and page.facets["relevance"] == {"5": 1, "6": 1, "none": 1}
    assert page.facets["review"] == {"approved": 1, "edited": 1, "none": 1}
    assert page.facets["trace"] == {"with": 3}
    last = browse(SHELF, Look(Filter(has_trace=True), "-quality", 99, 2), REVIEWS)
    assert last.page == 2 and [row.id for row in last.rows] == ["row-1"]


def test_counts_of_a_facet_that_has_one_value_a_row_add_up_to_the_total() -> None:
    facets = browse(SHELF).facets
    for name, counts in facets.items():
        assert name == "strategies" or sum(counts.values()) == len(ROWS), name


@pytest.mark.parametrize(("sort", "ids"), [
    ("position", [0, 1, 2, 3]), ("-position", [3, 2, 1, 0]), ("complexity", [1, 2, 0, 3]),
    ("-complexity", [0, 2, 1, 3]), ("relevance", [1, 0, 2, 3]), ("-trace_words", [0, 1, 2, 3]),
    ("question", [0, 1, 2, 3]), ("-question", [3, 2, 1, 0]),
])
def test_rows_without_the_number_are_last_and_equal_ones_keep_their_order(sort: str, ids: list[int]) -> None:
    assert [row.id for row in browse(SHELF, Look(sort=sort)).rows] == [f"row-{number}" for number in ids]


def test_an_unknown_order_is_named_with_the_nearest() -> None:
    with pytest.raises(LabError, match="Did you mean 'quality'"):
        browse(SHELF, Look(sort="qualty"))


def test_pairs_are_browsed_by_both_replies() -> None:
    shelf = shelve(noted([pair(0), pair(1, rejected="Answer: a whale", chosen_trace=None)], NOTES[:2]))
    assert matching(shelf, Filter(words="whale"), {}) == [1] == matching(shelf, Filter(has_trace=False), {})
    assert shelf.find("pair-0") == shelf.rows[0] and shelf.find("nobody") is None


def test_an_empty_shelf_has_one_empty_page() -> None:
    page = browse(shelve([]))
    assert (page.rows, page.total, page.pages, page.page) == ([], 0, 1, 1)
