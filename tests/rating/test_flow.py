"""Where a rater stands, decided from what is known of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.rating.design import RoundSpec
from lab.rating.flow import ENDED, Standing, stage_of

DESIGN = RoundSpec(name="r", bank=1, models=("a", "b"), consent="May we?", guesses=2)
NEW = Standing(state="invited", round_open=True, consented=False, told_about=False, started=False, practised=False,
               n_since_rest=0, minutes_since_rest=0, anything_left=True, n_guesses=0, n_guessable=9, closed_up=False)
READY = replace(NEW, state="active", consented=True, told_about=True, started=True, practised=True)


def test_a_session_goes_through_its_stages_in_order():
    at, seen = NEW, []
    for done in ({"consented": True}, {"told_about": True}, {"started": True}, {"practised": True},
                 {"anything_left": False}, {"n_guesses": 2}, {"closed_up": True}, {}):
        seen.append(stage_of(at, DESIGN))
        at = replace(at, **done)
    assert seen == ["consent", "about", "instructions", "practice", "rate", "guess", "closing", "end"]


def test_what_the_design_leaves_out_is_left_out():
    bare = DESIGN.model_copy(update={"consent": "", "about": False, "practice": False, "guesses": 0})
    assert stage_of(NEW, bare) == "instructions"
    assert stage_of(replace(NEW, started=True), bare) == "rate"
    assert stage_of(replace(NEW, started=True, anything_left=False), bare) == "closing"


@pytest.mark.parametrize("state", ENDED)
def test_somebody_who_has_left_stays_out_whatever_else_is_known(state):
    assert stage_of(replace(READY, state=state), DESIGN) == state


def test_a_closed_round_is_closed_at_every_stage():
    assert {stage_of(replace(at, round_open=False), DESIGN) for at in (NEW, READY)} == {"closed"}


@pytest.mark.parametrize("n, minutes, stage", [(24, 19, "rate"), (25, 1, "rest"), (3, 20, "rest"), (0, 500, "rate")])
def test_a_pause_is_due_after_so_many_units_or_minutes_and_never_on_arrival(n, minutes, stage):
    assert stage_of(replace(READY, n_since_rest=n, minutes_since_rest=minutes), DESIGN) == stage


def test_a_design_may_never_suggest_a_pause():
    never = DESIGN.model_copy(update={"rest_after_units": 0, "rest_after_min": 0})
    assert stage_of(replace(READY, n_since_rest=400, minutes_since_rest=400), never) == "rate"


def test_no_more_is_guessed_than_there_is():
    at = replace(READY, anything_left=False, n_guessable=1, n_guesses=1)
    assert stage_of(at, DESIGN) == "closing"
