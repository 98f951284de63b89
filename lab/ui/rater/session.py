"""One door for everything a rater's browser sends. The token is checked on every call; nothing is trusted from before.

A call is a dict {token, action, …} and its reply {screen, html}. Truth is in the store, so a reload, a second tab or a
restart of the server changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.core.errors import LabError, SpecError
from lab.ui.components.markup import Html
from lab.ui.rater import screens
from storage.database import Store
from storage.queries import rater_sessions
from storage.queries.rater_sessions import Served, Verdict

Reply = dict[str, str]
VISIBLE_LIMIT_MS = 24 * 3600 * 1000
CLOSED = "This round of ratings is closed. Thank you for your help: everything you rated is saved."
BUG = "Everything you submitted is saved. Please reload the page in a moment."
NO_UNDO = "There is nothing to undo: only the last rating can be changed, once."
UNKNOWN = (
    "This link does not lead to a rating session. Please check that you copied the whole address, or ask the person "
    "who invited you for a new one."
)


@dataclass(frozen=True)
class Guest:
    """Who is calling, as the store knows them, and the wording of their round."""

    rater_id: int
    started: bool
    definition: str
    anchors: tuple[str, ...]


def answer(store: Store, call: Mapping[str, Any]) -> Reply:
    """Carry out one call of a rater's browser. Never raises: the reply says what went wrong."""
    try:
        return _answer(store, call)
    except LabError as error:
        return _message("Something is not right", f"{error}")
    except Exception:
        logging.getLogger(__name__).exception("a rater's call failed")
        return _message("Something went wrong", BUG)


def _answer(store: Store, call: Mapping[str, Any]) -> Reply:
    token, action = str(call.get("token") or ""), str(call.get("action") or "open")
    with store.read() as session:
        found = rater_sessions.rater_by_token(session, token)
    if found is None:
        return _message("We do not know this link", UNKNOWN)
    rater, the_round = found
    if the_round.state != "open":
        return _message("This round is closed", CLOSED)
    guest = Guest(rater.id, rater.started_at is not None, the_round.definition, tuple(the_round.anchors))
    steps: dict[str, Callable[[Store, Guest, Mapping[str, Any]], Reply]] = {
        "open": _open, "start": _start, "submit": _submit, "skip": _skip, "undo": _undo,
    }
    return steps.get(action, _open)(store, guest, call)


def _open(store: Store, guest: Guest, _call: Mapping[str, Any]) -> Reply:
    if guest.started:
        return _next(store, guest)
    with store.read() as session:
        n_pairs = rater_sessions.expected_pairs(session, guest.rater_id)
    return _reply("intro", screens.intro(guest.definition, guest.anchors, n_pairs))


def _start(store: Store, guest: Guest, _call: Mapping[str, Any]) -> Reply:
    rater_sessions.start(store, guest.rater_id)
    return _next(store, guest)


def _submit(store: Store, guest: Guest, call: Mapping[str, Any]) -> Reply:
    verdict = _verdict(call)
    try:
        rater_sessions.submit(store, guest.rater_id, str(call.get("key") or ""), verdict)
    except SpecError as error:
        return _next(store, guest, alert="; ".join(str(fault) for fault in error.faults), given=verdict)
    except LabError as error:
        return _next(store, guest, alert=f"{error}")
    return _next(store, guest)


def _skip(store: Store, guest: Guest, call: Mapping[str, Any]) -> Reply:
    rater_sessions.skip(store, guest.rater_id, str(call.get("key") or ""), str(call.get("reason") or ""))
    return _next(store, guest)


def _undo(store: Store, guest: Guest, _call: Mapping[str, Any]) -> Reply:
    undone = rater_sessions.undo_last(store, guest.rater_id)
    return _next(store, guest, alert="" if undone else NO_UNDO)


def _next(store: Store, guest: Guest, alert: str = "", given: Verdict | None = None) -> Reply:
    """The pair this rater holds or gets next, or the end."""
    served: Served | None = rater_sessions.serve(store, guest.rater_id)
    if served is not None:
        return _reply("pair", screens.pair(served, guest.definition, guest.anchors, alert, given))
    with store.read() as session:
        done = rater_sessions.n_rated(session, guest.rater_id)
        undoable = rater_sessions.can_undo(session, guest.rater_id)
    return _reply("end", screens.end(done, undoable))


def _verdict(call: Mapping[str, Any]) -> Verdict:
    """The browser's words as a verdict; what is missing or strange stays so, for the check to name."""
    visible = call.get("visible_ms")
    measured = isinstance(visible, int | float) and not isinstance(visible, bool) and 0 <= visible <= VISIBLE_LIMIT_MS
    return Verdict(
        fluency_left=call.get("fluency_left"), fluency_right=call.get("fluency_right"),
        preference=call.get("preference"), comment=str(call.get("comment") or ""),
        visible_ms=int(visible) if measured else None,
    )


def _message(title: str, text: str) -> Reply:
    return _reply("message", screens.message(title, text))


def _reply(screen: str, html: Html) -> Reply:
    return {"screen": screen, "html": str(html)}
