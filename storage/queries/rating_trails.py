"""Trails of another lab's raters: many small events, taken in after the votes, a part at a time.

So raters of this lab never wait long. What is missing after a crash comes with the next file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import insert
from sqlmodel import Session, col, select

from lab.rating.files.sent_votes import SentEvent
from storage.database import Store
from storage.queries.rating_intake import KIND, trail_of
from storage.tables.ratings import Assignment, Rater, RatingEvent, Round, Unit

PART = 5_000  # events of one transaction


def take_trails(store: Store, round_id: int, sent: Sequence[SentEvent]) -> int:
    """Add what is new of each rater's trail, which is its end. Returns how many events that were."""
    n_new, seen = 0, Counter[str]()  # of each rater, events of this file that earlier parts held
    for start in range(0, len(sent), PART):
        part = sent[start:start + PART]
        with store.write() as session:
            n_new += _take_part(session, round_id, part, seen)
        seen.update(event.rater for event in part)
    return n_new


def _take_part(session: Session, round_id: int, part: Sequence[SentEvent], seen: Counter[str]) -> int:
    the_round = session.get(Round, round_id)
    known = trail_of(session, the_round)
    known.subtract({uid: min(n, known[uid]) for uid, n in seen.items()})
    raters = {uid: rater_id for uid, rater_id in session.exec(select(Rater.uid, Rater.id).where(
        Rater.round_id == round_id, Rater.kind == KIND)).all()}
    new = []
    for event in part:
        if known[event.rater] > 0:
            known[event.rater] -= 1
        elif event.rater in raters:  # deleted meanwhile: nothing of theirs comes back
            new.append(event)
    places = _places(session, {event.rater for event in new})
    if new:
        session.execute(insert(RatingEvent), [{
            "round_id": round_id, "rater_id": raters[event.rater],
            "assignment_id": places.get((event.rater, event.unit, event.role, event.attempt)), "kind": event.kind,
            "client_ms": event.client_ms, "payload": dict(event.payload), "server_at": event.at} for event in new])
    return len(new)


def _places(session: Session, raters: set[str]) -> dict[tuple[str, str, str, int], int]:
    """(rater, unit, role, attempt) → the assignment here."""
    rows = session.exec(
        select(Rater.uid, Unit.uid, Assignment.role, Assignment.attempt, Assignment.id).select_from(Assignment)
        .join(Rater, Assignment.rater_id == Rater.id).join(Unit, Assignment.unit_id == Unit.id)
        .where(col(Rater.uid).in_(raters))).all()
    return {(rater, unit, role, attempt): row for rater, unit, role, attempt, row in rows}
