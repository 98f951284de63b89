"""Pacing: less at once while there is too much to do, more again after, and one back-off for all."""

import random

import pytest

from lab.engine.protocol import Trouble
from lab.synthesis.pacing import MOST_OWN_TRIES, MOST_PAUSE_S, Pace, Tries

BUSY, FAILING = Trouble("passing", busy=True), Trouble("passing")


def pace(most=64, patience_s=600.0):
    return Pace(most, patience_s, random.Random(0))


def test_a_burst_of_refusals_halves_what_is_asked_at_once_only_once():
    one = pace()
    for _ in range(40):
        one.failed(10.0, 64, BUSY, "full")
    assert one.limit == 32 and not one.may_ask(10.1, 0) and one.may_ask(11.0, 31) and not one.may_ask(11.0, 32)


def test_it_grows_again_fast_up_to_where_the_trouble_began_then_slowly():
    one = pace()
    one.failed(0.0, 64, BUSY, "full")
    for _ in range(52):
        one.answered()
    assert 57 <= one.limit < 58.5
    for _ in range(60):
        one.answered()
    assert 58 < one.limit < 60
    for _ in range(10000):
        one.answered()
    assert one.limit == 64


def test_pauses_double_with_jitter_and_have_an_end():
    one, now, pauses = pace(), 0.0, []
    for _ in range(12):
        one.failed(now, 1, BUSY, "full")
        pauses += [one.paused_until - now] if one.paused_until > now else []
        now = max(now, one.paused_until) + 0.3
    assert len(pauses) == 10 and all(0.25 * 2**n <= pauses[n] <= 0.5 * 2**n for n in range(5))
    assert max(pauses) <= MOST_PAUSE_S and one.limit == 1


def test_a_wait_that_was_asked_for_is_kept_even_if_another_failure_says_less():
    one = pace()
    one.failed(0.0, 64, Trouble("passing", busy=True, wait_s=90), "full")
    one.failed(0.1, 64, BUSY, "full")
    assert one.paused_until == 90
    one.failed(0.2, 64, Trouble("passing", busy=True, wait_s=120), "full")
    assert one.paused_until == pytest.approx(120.2) and one.limit == 32


def test_a_fault_among_answers_slows_nothing_but_an_outage_does():
    one = pace()
    for now in range(20):
        one.failed(float(now), 64, FAILING, "broke")
        one.answered()
    assert one.limit == 64 and one.may_ask(20.0, 63)
    for _ in range(64):
        one.failed(20.0, 64, FAILING, "gone")
    assert one.limit == 32 and not one.may_ask(20.1, 0)


def test_it_is_given_up_when_nothing_was_answered_for_that_long():
    one = pace(patience_s=5.0)
    assert not one.given_up(100.0)
    one.failed(100.0, 1, BUSY, "full")
    assert not one.given_up(104.9) and one.given_up(105.0)
    one.answered()
    assert not one.given_up(1000.0)


def test_a_request_is_hopeless_only_where_others_are_answered_in_between():
    one, alone, among = pace(), Tries(), Tries()
    for now in range(30):
        alone.failed(float(now), one, FAILING)
    assert not alone.hopeless(1000.0, 1.0)
    for now in range(MOST_OWN_TRIES):
        assert not among.hopeless(float(now), 1.0)
        among.failed(float(now), one, FAILING)
        one.answered()
    assert among.hopeless(8.0, 1.0) and not among.hopeless(8.0, 60.0)


def test_too_much_to_do_is_never_one_request_s_own_fault():
    one, tries = pace(), Tries()
    for now in range(30):
        assert tries.failed(float(now), one, BUSY) > 0
        one.answered()
    assert not tries.hopeless(1000.0, 0.0)


def test_two_refusals_among_answers_let_the_others_go_on():
    one = pace()
    for now in range(10):
        one.failed(float(now), 20, BUSY, "full")
        one.failed(float(now), 19, BUSY, "full")
        assert one.paused_until == 0
        one.answered()
    assert Tries().failed(0.0, one, Trouble("passing", busy=True, wait_s=3)) == 0


def test_doubt_makes_the_next_failure_the_last():
    one, tries = pace(), Tries()
    for now in range(3):
        tries.failed(float(now), one, FAILING)
    tries.doubt()
    assert not tries.hopeless(10.0, 1.0)
    tries.failed(10.0, one, FAILING)
    assert tries.hopeless(10.0, 1.0)


def test_to_come_back_at_once_is_no_end_of_back_off_and_a_day_is_longer_than_patience():
    at_once = Trouble("passing", busy=True, wait_s=0.0)
    one = pace(most=4)
    for now in (0.0, 0.1, 0.2, 0.3):
        one.failed(now, 4, at_once, "full")
    assert one.paused_until > 0.3
    patient = pace(patience_s=60.0)
    patient.failed(0.0, 4, Trouble("passing", busy=True, wait_s=86400.0), "come back tomorrow")
    assert patient.paused_until == 60.0


def test_one_request_that_fails_among_others_waits_longer_each_time_whatever_it_is_told():
    one, tries, told = pace(), Tries(), Trouble("passing", wait_s=0.0)
    waits = [tries.failed(float(n), one, told) for n in range(6)]
    assert all(wait > 0 for wait in waits) and waits[-1] > waits[0]
