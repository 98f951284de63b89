"""One door for everything a rater's browser sends. The token is checked on every call; nothing is trusted from before.

A call is a dict {token, action, …} and its reply {screen, html, language}. Truth is in the store, so a reload, a second
tab or a restart of the server changes nothing.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.rating.design import stored
from lab.ui.components.markup import Html
from lab.ui.rater.limits import Limits
from lab.ui.rater.places import LEAVABLE, Place, draw
from lab.ui.rater.screens_end import message
from lab.ui.rater.screens_frame import Frame
from lab.ui.rater.steps import Caller, Told, take
from lab.ui.rater.words import choose_language, words_of
from storage.database import Store
from storage.queries.rater_entry import rater_by_token, where
from storage.queries.rater_sessions import FLAG_LIMIT
from storage.queries.raters import token_hash

Reply = dict[str, Any]
TOKEN = re.compile(r"r-[0-9a-f]{40}")
MOST_WISHES = 10


@dataclass(frozen=True)
class Visitor:
    """What the server knows of a caller by itself."""

    address: str = ""
    languages: tuple[str, ...] = ()  # as the browser asks with every request


def answer(
    store: Store, call: Mapping[str, Any], visitor: Visitor | None = None, limits: Limits | None = None
) -> Reply:
    """Carry out one call of a rater's browser. Never raises: the reply says what went wrong.

    Without `limits` a caller is heard however often. The screen "wait" carries `wait_s`, seconds.
    """
    visitor = visitor or Visitor()
    wishes = _wishes(call, visitor)
    try:
        token = str(call.get("token") or "")
        caller = _known(store, token, call)
        wait_s = _wait_s(token, caller is not None, visitor, limits)
        if wait_s:
            return _message("wait", wishes, n=wait_s) | {"wait_s": wait_s}
        if caller is None:
            return _message("unknown", wishes)
        return _next(caller, take(caller), wishes)
    except Exception:
        logging.getLogger(__name__).exception("a rater's call failed")
        return _message("fault", wishes)


def _next(caller: Caller, told: Told, wishes: tuple[object, ...]) -> Reply:
    """The screen that comes now: one in between, or where the store says that the rater stands."""
    if told.deleted:
        return _message("deleted", wishes)
    here = where(caller.store, caller.rater_id)
    chosen, *others = wishes
    words = words_of(choose_language(chosen, here.language, *others, here.design.language))
    frame = Frame(words, here.design, here.trial, may_leave=here.stage in LEAVABLE)
    if told.between:
        screen, html = told.between(frame)
    else:
        alert = words(told.alert, n=FLAG_LIMIT) if told.alert else ""  # only the report's alert names a number
        screen, html = draw(Place(frame, here, alert, told.given))
    return _reply(frame, screen, html)


def _known(store: Store, token: str, call: Mapping[str, Any]) -> Caller | None:
    if not TOKEN.fullmatch(token):
        return None
    with store.read() as session:
        found = rater_by_token(session, token)
        if found is None:
            return None
        rater, the_round = found
        return Caller(store, rater.id, call, rater.consent_at is not None or not stored(the_round.design).consent)


def _wait_s(token: str, known: bool, visitor: Visitor, limits: Limits | None) -> int:
    """Seconds to wait before this caller is heard again; 0: now."""
    if limits is None:
        return 0
    limit, key = (limits.known, token_hash(token)) if known else (limits.unknown, visitor.address)
    return 0 if limit.take(key) else max(1, math.ceil(limit.wait_s(key)))


def _wishes(call: Mapping[str, Any], visitor: Visitor) -> tuple[object, ...]:
    """Languages, the dearest first: what was chosen on the page in this tab, then what the browser asks for."""
    chosen = call.get("language") if call.get("action") == "language" else call.get("chosen")
    listed = call.get("languages")
    own = listed[:MOST_WISHES] if isinstance(listed, list) else []
    return (chosen, *own, *visitor.languages)


def _message(screen: str, wishes: tuple[object, ...], **values: object) -> Reply:
    frame = Frame(words_of(choose_language(*wishes)))
    return _reply(frame, screen, message(frame, screen, **values))


def _reply(frame: Frame, screen: str, html: Html) -> Reply:
    return {"screen": screen, "html": str(html), "language": frame.words.language}
