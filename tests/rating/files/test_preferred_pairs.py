"""Pairs from votes: which units become one, whose votes count, which text is chosen, and what is told of the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from lab.core.errors import SpecError
from lab.rating.files.contents import Contents, Said, UnitText
from lab.rating.files.preferences import (
    BELOW,
    BOTH_BAD,
    FEW,
    KEPT,
    TIE,
    PairRule,
    PreferredPairs,
    lengths,
    outcome,
    preferred_pairs,
)
from lab.rating.rows import RatingRow
from tests.rating.files.made import made
from tests.rating.made_rows import alone, row

USUAL = PairRule()
TEXTS = {"a": "a short text", "b": "text b is a little longer"}


def shown(unit: UnitText) -> tuple[tuple[str, str], tuple[str, str]]:
    return (unit.text_a, ""), (unit.text_b, "")


def contents(votes: dict[str, str], extra: list[RatingRow] | None = None) -> Contents:
    """`votes`: question → one letter a rater: a, b, t(ie), n(either, both bad). Text a is that of model base."""
    whole = {"a": "a", "b": "b", "t": "tie", "n": "both_bad"}
    rows = [row(item, f"R{place}", preferred=whole[letter], a_left=bool((place + number) % 2))
            for number, (item, letters) in enumerate(votes.items()) for place, letter in enumerate(letters)]
    rows += extra or []
    units = tuple(UnitText(f"u-{item}", "main", item, "base", "trace", f"Q {item}?", TEXTS["a"], TEXTS["b"], "")
                  for item in votes)
    return replace(made(), units=units, said=tuple(Said(one, 1, True) for one in rows))


def pairs(votes: dict[str, str], rule: PairRule = USUAL, **more) -> PreferredPairs:
    return preferred_pairs(contents(votes, **more), rule, shown)


@pytest.mark.parametrize(("votes", "found"), [
    ("", FEW), ("a", FEW), ("aa", KEPT), ("ab", TIE), ("aab", BELOW), ("aaab", KEPT), ("tt", TIE), ("at", TIE),
    ("aat", BELOW), ("aaat", KEPT), ("nn", BOTH_BAD), ("an", BOTH_BAD), ("aan", BELOW), ("aaan", KEPT),
    ("ttn", TIE), ("tnn", BOTH_BAD), ("aabb", TIE), ("aabbt", TIE), ("aaaaabb", KEPT), ("bbbbbaa", KEPT),
])
def test_what_votes_make_of_a_unit(votes, found):
    count = Counter({"a": "a", "b": "b", "t": "tie", "n": "both_bad"}[letter] for letter in votes)
    assert outcome(count, PairRule(0.7, 2)) == found


@pytest.mark.parametrize(("agreement", "least", "found"), [
    (0.66, 2, KEPT), (2 / 3, 3, KEPT), (0.67, 2, BELOW), (1.0, 2, BELOW), (0.6, 4, FEW),
])
def test_the_thresholds_are_met_by_what_equals_them(agreement, least, found):
    assert outcome(Counter(a=2, b=1), PairRule(agreement, least)) == found


def test_every_unit_has_one_outcome_and_they_add_up():
    found = pairs({"q1": "aaa", "q2": "bbb", "q3": "aab", "q4": "ttt", "q5": "nnn", "q6": "a"})
    assert found.outcomes == {KEPT: 2, BELOW: 1, TIE: 1, BOTH_BAD: 1, FEW: 1}
    assert (found.n_units, found.n_votes, sum(found.outcomes.values())) == (6, 16, 6)


def test_the_preferred_text_is_chosen_whatever_side_it_stood_on():
    first, second = pairs({"q1": "aaa", "q2": "bbb"}).pairs
    assert (first.id, first.question, first.chosen, first.rejected) == ("u-q1", "Q q1?", TEXTS["a"], TEXTS["b"])
    assert (second.chosen, second.rejected) == (TEXTS["b"], TEXTS["a"])
    assert first.source == "round:0123456789ab"


def test_each_pair_tells_its_votes_and_models_and_no_rater():
    found = pairs({"q1": "bbbbat"}, PairRule(0.6))
    assert found.notes == ({"item": "q1", "chosen_model": "trace", "rejected_model": "base", "votes_chosen": 4,
                            "votes_rejected": 1, "votes_tie": 1, "votes_both_bad": 0, "agreement": 0.6667},)
    assert "R0" not in repr((found.pairs, found.notes))


def test_repeats_golds_surplus_old_versions_and_single_answers_do_not_vote():
    extra = [row("q1", "R7", preferred="a", **more) for more in ({"role": "repeat"}, {"role": "gold"},
                                                                 {"surplus": True})]
    whole = contents({"q1": "aa"}, [*extra, alone("q1", "R8", "base", 3)])
    old = Said(row("q1", "R9", preferred="b"), 1, False)
    found = preferred_pairs(replace(whole, said=(*whole.said, old)), PairRule(1.0), shown)
    assert (found.n_votes, found.n_units, found.outcomes[KEPT]) == (2, 1, 1)


def test_flagged_raters_do_not_vote_and_are_told_without_a_name():
    """One chooses the right side in every one of 24 units."""
    votes = {f"q{i}": "bbb" for i in range(24)}
    biased = [row(f"q{i}", "BAD", preferred="a", a_left=False) for i in range(24)]
    found = pairs(votes, PairRule(1.0), extra=biased)
    assert (found.n_flagged_raters, found.n_flagged_votes, found.n_votes) == (1, 24, 72)
    assert found.outcomes[KEPT] == 24 and "BAD" not in repr(found)


def test_thinking_goes_where_thinking_belongs():
    def thinking(unit):
        return (unit.text_a, "because"), (unit.text_b, "")

    first, second = preferred_pairs(contents({"q1": "aa", "q2": "bb"}), PairRule(), thinking).pairs
    assert (first.chosen, first.chosen_trace, first.rejected_trace) == (TEXTS["a"], "because", None)
    assert (second.chosen_trace, second.rejected_trace) == (None, "because")


def test_texts_that_make_no_pair_are_counted_with_their_reason():
    def odd(unit):
        return ("same", ""), ("same" if unit.item_id == "q1" else "<think>never closed", "")

    found = preferred_pairs(contents({"q1": "aa", "q2": "aa", "q3": "tt"}), PairRule(), odd)
    assert found.pairs == () and found.outcomes[KEPT] == 0 and found.outcomes[TIE] == 1
    assert found.unreadable == {"chosen and rejected are the same": 1, "rejected: unclosed thinking": 1}


def test_the_lengths_of_both_sides_are_told():
    found = pairs({"q1": "aa", "q2": "bb", "q3": "bb"}).lengths
    assert (found.chosen, found.rejected, found.n_longer_chosen, found.n) == (
        pytest.approx((3 + 6 + 6) / 3), pytest.approx((6 + 3 + 3) / 3), 2, 3)
    assert lengths([]).chosen is None


def test_agreement_of_the_votes_that_count_is_told():
    assert pairs({"q1": "aaa", "q2": "bbb"}).alpha.alpha == pytest.approx(1.0)
    assert pairs({"q1": ""}).alpha is None


@pytest.mark.parametrize(("rule", "words"), [
    (PairRule(0.5), "above 0.5"), (PairRule(1.2), "at most 1"), (PairRule(0.7, 0), "1 or more"),
])
def test_a_rule_that_no_majority_can_meet_is_refused(rule, words):
    with pytest.raises(SpecError, match=words):
        rule.check()
