"""From where a rater stands to the screen that shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.ui.components.markup import Html
from lab.ui.rater import screens_end, screens_practice, screens_start, screens_unit
from lab.ui.rater.screens_frame import Frame
from lab.ui.rater.verdict_of import verdict_of
from storage.queries.rater_entry import Here

LEAVABLE = ("about", "instructions", "practice", "rest", "rate", "guess", "closing", "end")


@dataclass(frozen=True)
class Place:
    """A rater's place, and what the screen is to say of the call that led here."""

    frame: Frame
    here: Here
    alert: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)  # what was sent and refused: it stays on the screen

    @property
    def answers(self) -> Mapping[str, str]:
        answers = self.given.get("answers")
        return {str(k): str(v) for k, v in answers.items()} if isinstance(answers, Mapping) else {}


def draw(place: Place) -> tuple[str, Html]:
    """(name of the screen, its HTML). Stages without a screen of their own have one thing to say."""
    stage = place.here.stage
    if stage in SCREENS:
        return ("unit" if stage == "rate" else stage), SCREENS[stage](place)
    return stage, screens_end.message(place.frame, stage)


def _practice(place: Place) -> Html:
    return screens_practice.practice(place.frame, place.here.practice, place.alert)


def _unit(place: Place) -> Html:
    served = place.here.unit
    same = place.given.get("key") == served.submit_key
    return screens_unit.unit(place.frame, served, place.alert, verdict_of(place.given) if same else None)


def _guess(place: Place) -> Html:
    return screens_end.guess(place.frame, place.here.guess, place.here.can_undo)


def _end(place: Place) -> Html:
    return screens_end.end(place.frame, place.here.n_done, place.here.can_undo, place.alert)


SCREENS: dict[str, Callable[[Place], Html]] = {
    "consent": lambda place: screens_start.consent(place.frame),
    "about": lambda place: screens_start.about(place.frame, place.alert, place.answers),
    "instructions": lambda place: screens_start.instructions(place.frame, place.here.n_total),
    "practice": _practice,
    "rest": lambda place: screens_end.rest(place.frame, place.here.n_done),
    "rate": _unit,
    "guess": _guess,
    "closing": lambda place: screens_end.closing(place.frame, place.alert, place.answers),
    "end": _end,
}
