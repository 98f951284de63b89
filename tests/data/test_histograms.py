"""Histograms and counts: every row is in one bin or counted as without."""

from __future__ import annotations

from collections import Counter
from statistics import mean, median

import pytest

from lab.data.histograms import EVERY, histogram_of, lengths, profile
from tests.data.noted_rows import NOTES, example, noted, pair

ROWS = noted([example(number) for number in range(4)], NOTES)


def test_a_grade_has_one_bin_for_each_number_of_its_scale() -> None:
    one = histogram_of(ROWS, "quality")[EVERY]
    assert [(part.low, part.high) for part in one.bins] == [(number, number) for number in range(1, 11)]
    assert {part.low: part.n for part in one.bins if part.n} == {6: 1, 8: 2}
    assert (one.n, one.n_without, one.mean, one.median) == (3, 1, pytest.approx(22 / 3), 8.0)
    assert len(histogram_of(ROWS, "relevance")[EVERY].bins) == 6


def test_a_grade_outside_of_its_scale_widens_it_and_a_fraction_is_rounded_down() -> None:
    one = histogram_of(noted([example(0), example(1)], [{"quality": 12}, {"quality": 7.9}]), "quality")[EVERY]
    assert {part.low: part.n for part in one.bins if part.n} == {7: 1, 12: 1} and one.mean == pytest.approx(9.95)


def test_grades_by_department_are_apart_and_what_has_none_is_last() -> None:
    by = histogram_of(ROWS, "complexity", "department")
    assert list(by) == ["Surgery", "Pediatrics", "none"] and (by["Surgery"].n, by["Surgery"].mean) == (2, 8.0)
    assert (by["none"].n, by["none"].n_without, by["none"].mean) == (0, 1, None)


@pytest.mark.parametrize("values", [[0], [1, 2, 3], [19, 20, None], [7, 199, 5000, None, None], []])
def test_lengths_are_in_at_most_twenty_bins_that_hold_every_value(values: list[int | None]) -> None:
    one = lengths("words", values)
    known = [value for value in values if value is not None]
    assert len(one.bins) <= 20 and sum(part.n for part in one.bins) == one.n == len(known)
    assert one.n_without == len(values) - len(known)
    assert all(part.n == sum(part.low <= value <= part.high for value in known) for part in one.bins)
    if known:
        assert (one.mean, one.median) == (pytest.approx(mean(known)), median(known))


def test_a_profile_counts_every_row_in_every_group() -> None:
    counted = profile(ROWS)
    assert counted.provenance == {"found": 2, "label_shown": 1, "none": 1}
    assert counted.depth == {"0": 1, "2": 1, "3": 1, "none": 1}
    assert counted.strategies == {"correction": 2, "new path": 1, "none": 2}
    assert counted.subject == {"sums": 4} and counted.n == 4
    assert [(branch.name, branch.n, [(part.name, part.n) for part in branch.children]) for branch in counted.departments
            ] == [("Surgery", 2, [("Thoracic", 1), ("Urology", 1)]), ("Pediatrics", 1, [("None", 1)]),
                  ("none", 1, [("none", 1)])]


def test_rows_without_any_notes_have_empty_histograms_and_no_departments() -> None:
    counted = profile(noted([pair(0), pair(1, chosen_trace=None)]))
    assert counted.quality.n == 0 and counted.quality.mean is None and counted.departments == ()
    assert (counted.trace_words.n, counted.trace_words.n_without) == (1, 1)
    assert Counter(counted.provenance) == {"none": 2}
    assert profile([]).n == 0
