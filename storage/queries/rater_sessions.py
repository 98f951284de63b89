"""A rating round from the rater's side: who holds this link, the next pair, submit, skip, undo.

Every change is one short write transaction that re-reads the rater's rows, so two tabs, a double click or a lost reply
can neither rate twice nor pass the quota. What a rater is told about a pair is in `Served`, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, col, select

from lab.core.errors import Fault, LabError, SpecError
from lab.rating.rounds import SKIP_REASONS, check_rating
from storage.database import Store
from storage.queries.next_pair import (
    LEASE,
    expire_leases,
    held_pair,
    n_done,
    n_open_to,
    n_versions,
    new_key,
    new_pair,
    revived_pair,
)
from storage.queries.rounds import token_hash
from storage.tables.jobs import now
from storage.tables.ratings import Answer, Assignment, Rater, Rating, Round


@dataclass(frozen=True)
class Verdict:
    """What a rater sends for one pair."""

    fluency_left: int
    fluency_right: int
    preference: str
    comment: str = ""
    visible_ms: int | None = None


@dataclass(frozen=True)
class Served:
    """One pair as the rater sees it: texts and an opaque key. `previous` is what they said before an undo."""

    submit_key: str
    question: str
    left: str
    right: str
    n_done: int
    n_total: int  # pairs this rater can still expect, those done included
    can_undo: bool
    previous: Verdict | None = None


def rater_by_token(session: Session, token: str) -> tuple[Rater, Round] | None:
    """The rater whose link this is, with their round."""
    rater = session.exec(select(Rater).where(Rater.token_hash == token_hash(token))).first()
    return None if rater is None else (rater, session.get(Round, rater.round_id))


def start(store: Store, rater_id: int) -> None:
    """Note that the rater has read the instructions."""
    with store.write() as session:
        rater = session.get(Rater, rater_id)
        rater.started_at = rater.started_at or now()
        session.add(rater)


def expected_pairs(session: Session, rater_id: int) -> int:
    """Pairs in this rater's session if it started now."""
    rater = session.get(Rater, rater_id)
    return n_done(session, rater_id) + n_open_to(session, rater, session.get(Round, rater.round_id))


def n_rated(session: Session, rater_id: int) -> int:
    """Pairs this rater has rated."""
    return n_done(session, rater_id)


def serve(store: Store, rater_id: int) -> Served | None:
    """The rater's open pair, sides as they were, or the next one; None when nothing is left for them."""
    with store.write() as session:
        rater, the_round = _open_round(session, rater_id)
        rater.last_seen_at = now()
        session.add(rater)
        expire_leases(session, the_round)
        assignment = held_pair(session, rater) or revived_pair(session, rater, the_round)
        assignment = assignment or new_pair(session, rater, the_round)
        if assignment is None:
            return None
        assignment.lease_until = now() + LEASE
        session.add(assignment)
        session.flush()
        return _served(session, rater, the_round, assignment)


def submit(store: Store, rater_id: int, submit_key: str, verdict: Verdict) -> str:
    """Store a verdict; 'saved', also when this key was stored before. Raises SpecError for a verdict out of range."""
    check_rating(verdict.fluency_left, verdict.fluency_right, verdict.preference, verdict.comment)
    with store.write() as session:
        rater, _ = _open_round(session, rater_id)
        assignment = session.exec(select(Assignment).where(Assignment.submit_key == submit_key,
                                                           Assignment.rater_id == rater.id)).first()
        if assignment is None:
            return _saved_before(session, rater, submit_key)
        if assignment.state in ("open", "expired"):  # a late verdict counts: nobody rates for nothing
            version = 1 + n_versions(session, assignment)
            session.add(Rating(
                assignment_id=assignment.id, version=version, submit_key=submit_key,
                fluency_left=verdict.fluency_left, fluency_right=verdict.fluency_right, preference=verdict.preference,
                comment=verdict.comment.strip(), visible_ms=verdict.visible_ms,
            ))
            assignment.state, assignment.done_at, assignment.lease_until = "done", now(), None
            session.add(assignment)
        return "saved"


def skip(store: Store, rater_id: int, submit_key: str, reason: str) -> None:
    """Give a pair back, with the reason; it is not offered to this rater again. Skipping twice is skipping once."""
    if reason not in SKIP_REASONS:
        text = f"should be one of {', '.join(SKIP_REASONS)} (got {reason!r})"
        raise SpecError([Fault("reason", text, reason)], "skip")
    with store.write() as session:
        rater, _ = _open_round(session, rater_id)
        assignment = session.exec(select(Assignment).where(Assignment.submit_key == submit_key,
                                                           Assignment.rater_id == rater.id)).first()
        if assignment is not None and assignment.state in ("open", "expired"):
            rated = n_versions(session, assignment) > 0  # skipping a correction leaves the verdict that stands
            assignment.state = "done" if rated else "skipped"
            assignment.skip_reason, assignment.lease_until = "" if rated else reason, None
            session.add(assignment)


def undo_last(store: Store, rater_id: int) -> bool:
    """Re-open the pair rated last; the next submit writes a new version. False when there is nothing to undo.

    Only one step back: while a correction is open, or right after one, there is no further undo.
    """
    with store.write() as session:
        rater, _ = _open_round(session, rater_id)
        assignment = _undoable(session, rater)
        if assignment is None:
            return False
        assignment.state, assignment.submit_key = "open", new_key()
        assignment.lease_until = now() + LEASE
        session.add(assignment)
        return True


def can_undo(session: Session, rater_id: int) -> bool:
    """Whether `undo_last` would find something."""
    return _undoable(session, session.get(Rater, rater_id)) is not None


def _open_round(session: Session, rater_id: int) -> tuple[Rater, Round]:
    rater = session.get(Rater, rater_id)
    if rater is None:
        raise LabError("this link is not known")
    the_round = session.get(Round, rater.round_id)
    if the_round.state != "open":
        raise LabError("this round is closed: no more ratings are taken")
    return rater, the_round


def _served(session: Session, rater: Rater, the_round: Round, assignment: Assignment) -> Served:
    left, right = session.get(Answer, assignment.left_answer_id), session.get(Answer, assignment.right_answer_id)
    last = session.exec(select(Rating).where(Rating.assignment_id == assignment.id)
                        .order_by(col(Rating.version).desc())).first()
    done = n_done(session, rater.id, except_id=assignment.id)
    previous = last and Verdict(last.fluency_left, last.fluency_right, last.preference, last.comment)
    return Served(
        submit_key=assignment.submit_key, question=left.question, left=left.shown_text, right=right.shown_text,
        n_done=done, n_total=done + 1 + n_open_to(session, rater, the_round, except_id=assignment.id),
        can_undo=last is None and _undoable(session, rater) is not None,
        previous=previous,
    )


def _undoable(session: Session, rater: Rater) -> Assignment | None:
    """The pair rated last, unless it is being corrected or was just corrected."""
    last = session.exec(select(Rating, Assignment).join(Assignment).where(Assignment.rater_id == rater.id)
                        .order_by(col(Rating.id).desc())).first()
    if last is None:
        return None
    rating, assignment = last
    return assignment if assignment.state == "done" and rating.version == 1 else None


def _saved_before(session: Session, rater: Rater, submit_key: str) -> str:
    """The key of a verdict whose pair was re-opened since: that verdict is stored, so the answer is the same."""
    known = session.exec(select(Rating.id).join(Assignment).where(
        Rating.submit_key == submit_key, Assignment.rater_id == rater.id)).first()
    if known is None:
        raise LabError("this pair is not yours to rate, or the page is out of date. Reload the page to go on.")
    return "saved"
