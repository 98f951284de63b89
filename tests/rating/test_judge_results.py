"""A judge beside the people: its verdict from both orders, against their majority, never pooled."""

from __future__ import annotations

from dataclasses import replace

import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from lab.rating.judge_results import Vote, judge_agreement, judge_measures, verdicts
from lab.rating.results import round_results
from tests.rating.made_rows import row
from tests.rating.simulated_raters import Panel, simulate

MODELS = ("base", "trace")


def votes(item, first, second, judge="J"):
    """The verdicts with a first and with b first."""
    return [Vote(f"u-{item}", item, "base", "trace", judge, a_first, verdict)
            for a_first, verdict in ((True, first), (False, second))]


def people(item, *preferred):
    return [row(item, f"R{i}", preferred=one) for i, one in enumerate(preferred)]


def test_a_majority_is_the_side_of_one_half_on_which_the_mean_lies():
    found = verdicts([("u", 1.0), ("u", 1.0), ("u", 0.0), ("v", 1.0), ("v", 0.0), ("w", 0.5), ("w", 0.0)])
    assert found == {"u": 1.0, "v": 0.5, "w": 0.0}


def test_the_judges_verdict_is_compared_with_the_peoples_question_by_question():
    rows = people("q1", "b", "b", "a") + people("q2", "a") + people("q3", "tie") + people("q4", "b") + people("q5", "b")
    given = (votes("q1", "b", "b") + votes("q2", "a", "b") + votes("q3", "tie", "tie") + votes("q4", "a", "a")
             + votes("q5", None, None) + votes("q6", "b", "b"))
    (found,) = judge_agreement(rows, given, MODELS)
    # People b, a, tie, b; judge b, tie (contradicts itself), tie, a. q5 was not readable, q6 nobody rated.
    assert (found.n_units, found.n_votes, found.n_unread) == (4, 12, 2)
    assert found.raw.estimate == 0.5 and found.raw.n == 4
    assert found.kappa == pytest.approx(cohens_kappa([[0, 1, 0], [0, 1, 0], [1, 0, 1]]).kappa)
    assert (found.n_both_orders, found.n_consistent) == (5, 4) and found.consistency.estimate == 0.8
    assert found.judge_rate.estimate == (1 + 0.5 + 0.5 + 0) / 4 and found.human_rate.estimate == (1 + 0 + 0.5 + 1) / 4
    assert found.kappa_low is None  # four units


def test_a_judge_that_always_takes_the_first_text_shows_it():
    rows = [one for i in range(30) for one in people(f"q{i}", "ab"[i % 2])]
    (found,) = judge_agreement(rows, [vote for i in range(30) for vote in votes(f"q{i}", "a", "b")], MODELS)
    assert found.first_share.estimate == 1 and found.n_consistent == 0 and found.raw.estimate == 0
    assert found.kappa == 0 and found.judge_rate.estimate == 0.5


def test_a_judge_who_agrees_has_a_kappa_of_one_and_each_judge_a_line_of_its_own():
    rows = [one for i in range(30) for one in people(f"q{i}", "ab"[i % 2])]
    agrees = [vote for i in range(30) for vote in votes(f"q{i}", *["ab"[i % 2]] * 2)]
    turned = [vote.turned() for vote in agrees]  # told from the other model's end: the same
    first, second = judge_agreement(rows, agrees + [replace(vote, judge="K") for vote in turned], MODELS)
    assert (first.kappa, first.kappa_low, first.kappa_high) == pytest.approx((1, 1, 1))
    assert replace(second, judge="J") == first and second.judge == "K"


def test_the_interval_of_kappa_holds_it():
    rows = [one for i in range(80) for one in people(f"q{i}", "ab"[i % 2])]
    given = [vote for i in range(80) for vote in votes(f"q{i}", *["ab"[(i % 2 + (i % 5 == 0)) % 2]] * 2)]
    (found,) = judge_agreement(rows, given, MODELS)
    assert found.kappa == pytest.approx(0.6) and 0.35 < found.kappa_low < 0.6 < found.kappa_high < 0.8


def test_votes_change_no_figure_of_the_people():
    rows = simulate(Panel(questions=15), 0)
    given = [Vote(one.unit, one.item_id, *MODELS, "J", True, "a", 2.0, 4.0) for one in rows]
    with_votes, without = round_results(rows, MODELS, votes=given), round_results(rows, MODELS)
    assert with_votes.views == without.views and with_votes.agreement == without.agreement
    assert with_votes.judges and {line.name for line in with_votes.measures} == {"judge J"}


def test_a_judges_scores_are_the_mean_of_both_orders():
    given = [Vote("u", "q1", *MODELS, "J", True, "a", 4.0, 2.0), Vote("u", "q1", *MODELS, "J", False, "a", 5.0, None)]
    assert {(one.model, one.value) for one in judge_measures(given)} == {("base", 4.5), ("trace", 2.0)}


def test_without_common_units_there_is_a_reason():
    (found,) = judge_agreement([], votes("q1", "a", "a"), MODELS)
    assert found.n_units == 0 and found.kappa is None and found.why and found.judge_rate is None
