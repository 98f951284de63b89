"""The assignment rule, on plain records."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from lab.rating.assignment import (
    APART,
    REPEAT_AFTER,
    Choice,
    OwnUnit,
    RaterView,
    Rules,
    UnitLoad,
    a_goes_left,
    next_choice,
    open_units,
)

UNITS = [UnitLoad(i, f"q{i}") for i in range(1, 5)]
RULES = Rules(quota=3)


def own(unit, role="main", a_left=True, active=True, rated=True, item=None) -> OwnUnit:
    return OwnUnit(unit, item or f"q{unit}", role, a_left, active, rated)


def chosen(units, rater, rules=RULES, golds=(), seed=0) -> Choice | None:
    return next_choice(units, golds, rater, rules, Random(seed))


def test_the_unit_with_fewest_ratings_comes_first():
    units = [replace(unit, n_active=1, raters=frozenset({7})) for unit in UNITS[:3]] + [UNITS[3]]
    assert {chosen(units, RaterView(8), seed=seed).unit_id for seed in range(10)} == {4}


def test_a_rater_never_gets_a_unit_twice_not_even_a_skipped_one():
    assert chosen(UNITS, RaterView(7, tuple(own(i, active=i != 4) for i in (1, 2, 3, 4)))) is None


def test_a_unit_at_its_quota_is_not_served_but_one_that_everybody_gets_is():
    full = replace(UNITS[0], n_active=3)
    assert chosen([full], RaterView(8)) is None
    assert chosen([replace(full, shared=True)], RaterView(8)).unit_id == 1


def test_units_for_everybody_come_before_the_others():
    units = [*UNITS, UnitLoad(9, "q9", n_active=5, shared=True)]
    assert {chosen(units, RaterView(8), seed=seed).unit_id for seed in range(10)} == {9}


def test_among_equals_the_raters_who_met_least_meet():
    units = [replace(UNITS[0], n_active=1, raters=frozenset({7})), replace(UNITS[1], n_active=1, raters=frozenset({8}))]
    assert {chosen(units, RaterView(9, (), {7: 1}), seed=seed).unit_id for seed in range(20)} == {2}


def test_sides_even_out_the_unit_first_then_the_rater():
    view = RaterView(8, (own(2, a_left=False),))
    assert not a_goes_left(replace(UNITS[0], side_balance=1), view, Random(0))
    assert a_goes_left(UNITS[0], view, Random(0))
    assert {a_goes_left(UNITS[0], RaterView(8), Random(seed)) for seed in range(20)} == {True, False}


def test_the_same_question_never_comes_twice_in_a_row_while_another_is_left():
    pair = [UnitLoad(1, "x"), UnitLoad(2, "x"), UnitLoad(3, "y", n_active=2)]
    assert {chosen(pair, RaterView(8, (own(1, item="x"),)), seed=seed).unit_id for seed in range(10)} == {3}
    assert chosen(pair[:2], RaterView(8, (own(1, item="x"),))).unit_id == 2  # nothing else is left


def test_with_one_answer_on_the_screen_answers_to_a_question_stand_apart():
    units = [UnitLoad(i, f"q{i // 2}") for i in range(16)]
    rules, view, order = Rules(quota=1, apart=APART), RaterView(8), []
    while choice := chosen(units, view, rules, seed=len(order)):
        order.append(choice.unit_id // 2)
        view = RaterView(8, (*view.own, own(choice.unit_id, item=f"q{choice.unit_id // 2}")))
    gaps = [j - i for i in range(16) for j in range(i + 1, 16) if order[i] == order[j]]
    assert len(order) == 16 and sum(gap <= APART for gap in gaps) <= 2  # only where the end leaves no other


def test_a_rater_stops_at_the_most_units_of_the_design():
    view = RaterView(8, (own(1), own(2)))
    assert open_units(UNITS, view, Rules(3, most_units=2)) == []
    assert len(open_units(UNITS, view, Rules(3, most_units=3))) == 2


def session_of(n_units, rules, n_golds=20, rater=3) -> list[Choice]:
    units, golds = [UnitLoad(i, f"q{i}") for i in range(n_units)], [UnitLoad(1000 + i, f"g{i}") for i in range(n_golds)]
    view, order = RaterView(rater), []
    while choice := next_choice(units, golds, view, rules, Random(len(order))):
        order.append(choice)
        item = f"g{choice.unit_id - 1000}" if choice.role == "gold" else f"q{choice.unit_id}"
        view = RaterView(rater, (*view.own, own(choice.unit_id, choice.role, choice.a_left, item=item)))
    return order


def test_golds_come_one_in_so_many_at_places_that_differ():
    places = set()
    for rater in range(12):
        order = session_of(45, Rules(1, gold_every=10), rater=rater)
        at = [place for place, choice in enumerate(order) if choice.role == "gold"]
        assert len(at) in (4, 5) and at[0] > 0 and [place // 10 for place in at] == list(range(len(at)))
        places.add(at[0])
    assert len(places) > 3


def test_a_few_units_come_again_later_with_sides_swapped():
    order = session_of(60, Rules(1, repeat_share=0.05))
    again = [(place, choice) for place, choice in enumerate(order) if choice.role == "repeat"]
    first = {choice.unit_id: (place, choice) for place, choice in reversed(list(enumerate(order)))
             if choice.role == "main"}
    assert 2 <= len(again) <= 3 and len({choice.unit_id for _, choice in again}) == len(again)
    for place, choice in again:
        before, original = first[choice.unit_id]
        assert place - before >= REPEAT_AFTER and choice.a_left is not original.a_left
    assert Counter(choice.role for choice in order)["main"] == 60


@settings(max_examples=40, deadline=None)
@for_all(st.integers(1, 20), st.integers(1, 6), st.integers(1, 4), st.integers(0, 10_000))
def test_in_any_order_of_arrival_the_quota_is_met_exactly_and_sides_stay_even(n_units, n_raters, quota, seed):
    order, given, random = list(range(n_raters)), [], Random(seed)
    while order:
        rater = random.choice(order)
        loads = [UnitLoad(i, f"q{i}", sum(g[1] == i for g in given), sum(1 if g[2] else -1 for g in given if g[1] == i),
                          frozenset(g[0] for g in given if g[1] == i)) for i in range(n_units)]
        view = RaterView(rater, tuple(own(g[1], a_left=g[2]) for g in given if g[0] == rater))
        choice = next_choice(loads, (), view, Rules(quota), random)
        if choice is None:
            order.remove(rater)
        else:
            given.append((rater, choice.unit_id, choice.a_left))
    expected = min(quota, n_raters)
    for unit in range(n_units):
        mine = [g for g in given if g[1] == unit]
        assert len(mine) == expected == len({g[0] for g in mine})
        assert abs(sum(1 if g[2] else -1 for g in mine)) <= 1
