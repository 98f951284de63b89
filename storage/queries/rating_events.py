"""What happened in a round: an append-only trail, written in the transaction of the thing itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from storage.tables.ratings import Assignment, Rater, RatingEvent

TRAIL_LIMIT = 200  # of one unit; a browser sends no more than a person can do
PAYLOAD_LIMIT = 300  # characters of one value


def note(session: Session, rater: Rater, kind: str, assignment: Assignment | None = None, **payload: Any) -> None:
    """One event of a rater."""
    session.add(RatingEvent(round_id=rater.round_id, rater_id=rater.id, kind=kind, payload=payload,
                            assignment_id=assignment.id if assignment else None))


def note_round(session: Session, round_id: int, kind: str, **payload: Any) -> None:
    """One event of the round itself: made, invited, unblinded, closed, a rater's data deleted."""
    session.add(RatingEvent(round_id=round_id, kind=kind, payload=payload))


def note_trail(session: Session, rater: Rater, assignment: Assignment, trail: tuple[Mapping[str, Any], ...]) -> None:
    """What the browser saw between showing a unit and sending it. What has no kind or no time is left out."""
    for step in trail[:TRAIL_LIMIT]:
        kind, ms = step.get("kind"), step.get("ms")
        if kind in ("focus", "blur", "change", "idle") and isinstance(ms, int | float) and ms >= 0:
            payload = {str(name)[:40]: str(value)[:PAYLOAD_LIMIT] for name, value in list(step.items())[:6]
                       if name not in ("kind", "ms")}
            session.add(RatingEvent(round_id=rater.round_id, rater_id=rater.id, assignment_id=assignment.id,
                                    kind=kind, client_ms=min(int(ms), 2**31 - 1), payload=payload))


def events(session: Session, round_id: int) -> list[RatingEvent]:
    """Of a round, in order."""
    return list(session.exec(select(RatingEvent).where(RatingEvent.round_id == round_id)
                             .order_by(col(RatingEvent.id))).all())
