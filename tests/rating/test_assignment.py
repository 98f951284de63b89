"""The assignment rule, on plain records."""

from __future__ import annotations

from random import Random

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from lab.rating.assignment import Choice, GivenRecord, UnitRecord, a_goes_left, next_choice

UNITS = [UnitRecord(i, 10 * i, 10 * i + 1) for i in range(1, 5)]


def held(unit, rater, a_left=True, active=True) -> GivenRecord:
    return GivenRecord(unit, rater, a_left, active)


def test_the_pair_with_fewest_ratings_comes_first():
    given = [held(1, 7), held(2, 7), held(3, 7)]
    assert next_choice(UNITS, given, 8, 3, Random(0)).unit_id == 4


def test_a_rater_never_gets_a_pair_twice_not_even_a_skipped_one():
    given = [held(unit, 7, active=unit != 4) for unit in (1, 2, 3, 4)]
    assert next_choice(UNITS, given, 7, 3, Random(0)) is None


def test_a_pair_at_its_quota_is_not_served_but_a_skipped_place_is_free():
    assert next_choice(UNITS[:1], [held(1, 7)], 8, 1, Random(0)) is None
    assert next_choice(UNITS[:1], [held(1, 7, active=False)], 8, 1, Random(0)).unit_id == 1


def test_among_equals_the_raters_who_met_least_meet():
    given = [held(1, 7), held(2, 8), held(3, 9), held(3, 7)]  # rater 9 met 7, not 8
    assert {next_choice(UNITS[:2], given, 9, 3, Random(seed)).unit_id for seed in range(20)} == {2}


def test_sides_even_out_the_pair_first_then_the_rater():
    assert not a_goes_left([held(1, 7, a_left=True), held(2, 8, a_left=False)], 1, 8, Random(0))
    assert a_goes_left([held(2, 8, a_left=False)], 1, 8, Random(0))
    coin = {a_goes_left([], 1, 8, Random(seed)) for seed in range(20)}
    assert coin == {True, False}


def test_a_choice_carries_its_sides():
    assert next_choice(UNITS[:1], [held(1, 7, a_left=True)], 8, 2, Random(0)) == Choice(1, 11, 10)


@settings(max_examples=40, deadline=None)
@for_all(st.integers(1, 20), st.integers(1, 6), st.integers(1, 4), st.integers(0, 10_000))
def test_in_any_order_of_arrival_the_quota_is_met_exactly_and_sides_stay_even(n_units, n_raters, quota, seed):
    units = [UnitRecord(i, 2 * i, 2 * i + 1) for i in range(n_units)]
    order, given, random = list(range(n_raters)), [], Random(seed)
    while order:
        rater = random.choice(order)
        choice = next_choice(units, given, rater, quota, random)
        if choice is None:
            order.remove(rater)
        else:
            given.append(held(choice.unit_id, rater, a_left=choice.left % 2 == 0))
    expected = min(quota, n_raters)
    for unit in units:
        mine = [g for g in given if g.unit_id == unit.id]
        assert len(mine) == expected == len({g.rater_id for g in mine})
        assert abs(sum(1 if g.a_left else -1 for g in mine)) <= 1
