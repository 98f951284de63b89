"""Spending: counted by role, priced where somebody else computes, added up over drives."""

import pytest

from lab.synthesis.machine import Reply
from lab.synthesis.spending import Counter, RoleSpent, Spent, estimated_tokens, is_spent, note_of
from tests.synthesis.steps import spec_of

REPLY = Reply(text="x", n_prompt_tokens=1000, n_completion_tokens=500)
PRICED = spec_of(usd_per_million_prompt=1, usd_per_million_completion=4)


def counted(*replies, before=None, **facts):
    counter = Counter(PRICED, before or Spent())
    for reply in replies:
        counter.add("teacher", reply, **{"priced": True} | facts)
    return counter


def test_a_paid_reply_counts_with_its_tokens_and_its_price():
    spent = counted(REPLY, REPLY).spent(2.0)
    assert (spent.n_requests, spent.n_prompt_tokens, spent.n_completion_tokens) == (2, 2000, 1000)
    assert spent.usd == pytest.approx(0.006) and spent.seconds == 2 and spent.by_role["teacher"].n_tokens == 3000


def test_what_was_cached_or_refused_costs_nothing():
    cached, refused = (REPLY.model_copy(update=update) for update in ({"cached": True}, {"finish": "refused"}))
    spent = counted(cached, refused).spent(0)
    assert (spent.n_requests, spent.n_cached, spent.n_refused, spent.n_tokens, spent.usd) == (0, 1, 1, 0, 0)


def test_what_this_machine_computes_has_no_price():
    assert counted(REPLY, priced=False).spent(0).usd == 0


def test_it_goes_on_from_what_an_earlier_attempt_has_spent():
    before = Spent(seconds=5, by_role={"teacher": RoleSpent(n_requests=3, n_prompt_tokens=10, usd=0.5)})
    counter = counted(REPLY, before=before)
    assert (counter.n_tokens, counter.usd) == (1510, pytest.approx(0.503))
    assert counter.spent(1.0).n_requests == 4 and counter.spent(1.0).seconds == 6


def test_two_drives_add_up():
    one, two = counted(REPLY).spent(1.0), Spent(n_requests=2, seconds=3, by_role={"judge": RoleSpent(n_requests=2)})
    both = one.plus(two)
    assert both.n_requests == 3 and both.seconds == 4 and set(both.by_role) == {"teacher", "judge"}


@pytest.mark.parametrize("values, tokens, usd, spent", [
    ({}, 10**9, 10**6, False), ({"budget_tokens": 100}, 99, 0, False), ({"budget_tokens": 100}, 100, 0, True),
    ({"budget_usd": 1, "usd_per_million_prompt": 1}, 0, 0.99, False),
    ({"budget_usd": 1, "usd_per_million_prompt": 1}, 0, 1.0, True),
])
def test_a_budget_is_spent_when_it_is_reached(values, tokens, usd, spent):
    assert is_spent(spec_of(**values), tokens, usd) is spent


def test_estimates_are_told():
    assert estimated_tokens("") == 0 and estimated_tokens("abcde") == 2
    assert note_of(Spent()) == () and "2 of 9 replies" in note_of(Spent(n_requests=9, n_without_usage=2))[0]
