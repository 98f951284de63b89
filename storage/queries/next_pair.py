"""Which pair a rater holds, gets back or is given next, as rows of the store. Runs inside the caller's transaction."""

from __future__ import annotations

import secrets
from datetime import timedelta
from random import Random

from sqlalchemy import func
from sqlmodel import Session, col, select

from lab.rating.assignment import GivenRecord, UnitRecord, next_choice
from storage.tables.jobs import now
from storage.tables.ratings import Assignment, Rater, Rating, Round, Unit

LEASE = timedelta(minutes=30)  # how long a pair that was served waits before someone else may be given its place
ACTIVE = ("open", "done")  # states that fill the quota


def expire_leases(session: Session, the_round: Round) -> None:
    """Free the places of pairs that were served long ago and never rated; corrections left open count as done."""
    late = session.exec(select(Assignment).join(Rater).where(
        Rater.round_id == the_round.id, Assignment.state == "open", col(Assignment.lease_until) < now())).all()
    for assignment in late:
        assignment.state = "done" if n_versions(session, assignment) else "expired"
        assignment.lease_until = None
        session.add(assignment)
    session.flush()


def held_pair(session: Session, rater: Rater) -> Assignment | None:
    """The rater's open pair. A correction was served before the pair it interrupts, so it comes first."""
    return session.exec(select(Assignment).where(Assignment.rater_id == rater.id, Assignment.state == "open")
                        .order_by(col(Assignment.ordinal))).first()


def revived_pair(session: Session, rater: Rater, the_round: Round) -> Assignment | None:
    """A pair whose lease ran out while the rater was away, if its place is still free: same unit, same sides."""
    expired = session.exec(select(Assignment).where(Assignment.rater_id == rater.id, Assignment.state == "expired")
                           .order_by(col(Assignment.ordinal))).all()
    for assignment in expired:
        active = session.exec(select(func.count(col(Assignment.id))).where(
            Assignment.unit_id == assignment.unit_id, col(Assignment.state).in_(ACTIVE))).one()
        if active < the_round.quota:
            assignment.state = "open"
            return assignment
    return None


def new_pair(session: Session, rater: Rater, the_round: Round) -> Assignment | None:
    """A new pair by the assignment rule, its sides stored."""
    units = session.exec(select(Unit).where(Unit.round_id == the_round.id).order_by(col(Unit.id))).all()
    given = _given_records(session, the_round)
    ordinal = 1 + sum(1 for record in given if record.rater_id == rater.id)
    choice = next_choice([UnitRecord(u.id, u.answer_a_id, u.answer_b_id) for u in units], given, rater.id,
                         the_round.quota, Random(f"{the_round.seed}-{the_round.id}-{rater.id}-{ordinal}"))
    if choice is None:
        return None
    return Assignment(rater_id=rater.id, unit_id=choice.unit_id, ordinal=ordinal, left_answer_id=choice.left,
                      right_answer_id=choice.right, submit_key=new_key())


def _given_records(session: Session, the_round: Round) -> list[GivenRecord]:
    rows = session.exec(
        select(Assignment.unit_id, Assignment.rater_id, Assignment.left_answer_id, Assignment.state, Unit.answer_a_id)
        .join(Unit).where(Unit.round_id == the_round.id)).all()
    return [GivenRecord(unit_id, rater_id, left == answer_a, state in ACTIVE)
            for unit_id, rater_id, left, state, answer_a in rows]


def n_done(session: Session, rater_id: int, except_id: int = 0) -> int:
    return session.exec(select(func.count(func.distinct(Rating.assignment_id))).join(Assignment).where(
        Assignment.rater_id == rater_id, Assignment.id != except_id)).one()


def n_open_to(session: Session, rater: Rater, the_round: Round, except_id: int = 0) -> int:
    """Pairs that are held by this rater or that could still be given to them, quota allowing."""
    given = _given_records(session, the_round)
    mine = {record.unit_id for record in given if record.rater_id == rater.id}
    active: dict[int, int] = {}
    for record in given:
        active[record.unit_id] = active.get(record.unit_id, 0) + record.active
    units = session.exec(select(Unit.id).where(Unit.round_id == the_round.id)).all()
    free = sum(1 for unit in units if unit not in mine and active.get(unit, 0) < the_round.quota)
    held = session.exec(select(Assignment).where(Assignment.rater_id == rater.id, Assignment.state == "open",
                                                 Assignment.id != except_id)).all()
    return free + sum(1 for assignment in held if not n_versions(session, assignment))


def n_versions(session: Session, assignment: Assignment) -> int:
    return session.exec(select(func.count(col(Rating.id))).where(Rating.assignment_id == assignment.id)).one()


def new_key() -> str:
    return secrets.token_urlsafe(16)
