"""What a rater can do: each step changes the store by one call, and says what the next screen has to tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.core.errors import LabError, SpecError
from lab.ui.components.markup import Html
from lab.ui.rater import screens_end
from lab.ui.rater.screens_frame import Frame
from lab.ui.rater.screens_practice import feedback
from lab.ui.rater.verdict_of import verdict_of
from storage.database import Store
from storage.queries import guessing, rater_entry, rater_sessions
from storage.queries.practice import submit_practice


@dataclass(frozen=True)
class Caller:
    """Somebody with a known link, and what they sent."""

    store: Store
    rater_id: int
    call: Mapping[str, Any]
    agreed: bool = True  # to the round's consent text, if it has one

    @property
    def key(self) -> str:
        return str(self.call.get("key") or "")

    @property
    def answers(self) -> Mapping[str, Any]:
        given = self.call.get("answers")
        return given if isinstance(given, Mapping) else {}


@dataclass(frozen=True)
class Told:
    """What the next screen says of a call: an alert (a key of the page's words), what was sent, a screen in between."""

    alert: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    between: Callable[[Frame], tuple[str, Html]] | None = None
    deleted: bool = False  # the rater and all they left are gone


NOTHING = Told()
BEFORE_CONSENT = ("agree", "decline", "language")


def take(caller: Caller) -> Told:
    """Carry out the call's action; an unknown one opens the page. Before the consent nothing of the rater's is kept."""
    action = str(caller.call.get("action"))
    if not caller.agreed and action not in BEFORE_CONSENT:
        return NOTHING
    try:
        return STEPS.get(action, _open)(caller)
    except SpecError:
        return Told("alerts.open", given=caller.call)
    except LabError:  # another tab was faster, the round was closed meanwhile: the store says what comes now
        return Told("alerts.stale")


def _open(_caller: Caller) -> Told:
    return NOTHING


def _agree(caller: Caller) -> Told:
    rater_entry.consent(caller.store, caller.rater_id, agreed=True)
    return NOTHING


def _decline(caller: Caller) -> Told:
    rater_entry.consent(caller.store, caller.rater_id, agreed=False)
    return NOTHING


def _about(caller: Caller) -> Told:
    rater_entry.tell_about(caller.store, caller.rater_id, caller.answers)
    return NOTHING


def _start(caller: Caller) -> Told:
    rater_entry.start(caller.store, caller.rater_id)
    return NOTHING


def _practice(caller: Caller) -> Told:
    told = submit_practice(caller.store, caller.rater_id, caller.key, verdict_of(caller.call))
    return Told(between=lambda frame: ("feedback", feedback(frame, told)))


def _submit(caller: Caller) -> Told:
    rater_sessions.submit(caller.store, caller.rater_id, caller.key, verdict_of(caller.call))
    return NOTHING


def _skip(caller: Caller) -> Told:
    rater_sessions.skip(caller.store, caller.rater_id, caller.key, str(caller.call.get("reason") or ""))
    return NOTHING


def _flag(caller: Caller) -> Told:
    try:
        rater_sessions.flag(caller.store, caller.rater_id, caller.key, str(caller.call.get("text") or ""))
    except SpecError:
        return Told("alerts.no_report")
    return Told("report.sent")


def _undo(caller: Caller) -> Told:
    return NOTHING if rater_sessions.undo_last(caller.store, caller.rater_id) else Told("alerts.no_undo")


def _rest(caller: Caller) -> Told:
    rater_entry.rest(caller.store, caller.rater_id, resumed=False)
    return Told(between=lambda frame: ("paused", screens_end.paused(frame)))


def _resume(caller: Caller) -> Told:
    rater_entry.rest(caller.store, caller.rater_id, resumed=True)
    return NOTHING


def _guess(caller: Caller) -> Told:
    guessing.guess(caller.store, caller.rater_id, caller.key, str(caller.call.get("said") or ""),
                   caller.call.get("sureness"))
    return NOTHING


def _close(caller: Caller) -> Told:
    rater_entry.close_up(caller.store, caller.rater_id, caller.answers)
    return NOTHING


def _withdraw(caller: Caller) -> Told:
    """Only a plain True or False counts: nothing is deleted by a call that is not whole."""
    keep = caller.call.get("keep")
    if not isinstance(keep, bool):
        return Told("alerts.open")
    rater_entry.withdraw(caller.store, caller.rater_id, keep)
    return Told(deleted=not keep)


def _language(caller: Caller) -> Told:
    rater_entry.choose_language(caller.store, caller.rater_id, str(caller.call.get("language") or ""))
    return NOTHING


STEPS: dict[str, Callable[[Caller], Told]] = {
    "agree": _agree, "decline": _decline, "about": _about, "start": _start, "practice": _practice, "submit": _submit,
    "skip": _skip, "flag": _flag, "undo": _undo, "rest": _rest, "resume": _resume, "guess": _guess, "close": _close,
    "withdraw": _withdraw, "language": _language,
}
