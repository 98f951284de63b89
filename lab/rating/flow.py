"""Where a rater stands: consent → about you → instructions → practice → units, with pauses → the end.

A pure decision over what the store knows of the rater, so that a reload, a second device or a restarted server finds
the same place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lab.rating.design import RoundSpec

Stage = Literal["consent", "about", "instructions", "practice", "rest", "rate", "guess", "closing", "end", "closed",
                "declined", "withdrawn", "revoked", "blocked"]
ENDED: tuple[Stage, ...] = ("declined", "withdrawn", "revoked", "blocked")
PRACTICE_TRIES = 2


@dataclass(frozen=True)
class Standing:
    """What is known of a rater and their round."""

    state: str  # of the rater
    round_open: bool
    consented: bool
    told_about: bool
    started: bool  # has read the instructions
    practised: bool
    n_since_rest: int  # units rated since the last pause
    minutes_since_rest: float
    anything_left: bool  # a unit is held or can be given
    n_guesses: int
    n_guessable: int  # units of this rater that could be guessed
    closed_up: bool  # the closing questions are answered


def stage_of(at: Standing, design: RoundSpec) -> Stage:
    """The screen that comes next for this rater."""
    if at.state in ENDED:
        return at.state  # type: ignore[return-value]
    if not at.round_open:
        return "closed"
    if not at.consented and design.consent:
        return "consent"
    if design.about and not at.told_about:
        return "about"
    if not at.started:
        return "instructions"
    if design.practice and not at.practised:
        return "practice"
    if at.anything_left:
        return "rest" if _tired(at, design) else "rate"
    if at.n_guesses < min(design.guesses, at.n_guessable):
        return "guess"
    return "end" if at.closed_up else "closing"


def _tired(at: Standing, design: RoundSpec) -> bool:
    """Whether a pause is due: only after something was rated, so that nobody is sent to rest on coming back."""
    if not at.n_since_rest:
        return False
    long = design.rest_after_min and at.minutes_since_rest >= design.rest_after_min
    many = design.rest_after_units and at.n_since_rest >= design.rest_after_units
    return bool(long or many)
