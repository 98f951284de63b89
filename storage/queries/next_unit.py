"""Which unit a rater holds, gets back or is given next, as rows of the store. Runs inside the caller's transaction."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from random import Random
from typing import NamedTuple

from sqlalchemy import case, func
from sqlalchemy.orm import object_session
from sqlmodel import Session, col, select

from lab.rating.assignment import APART, OwnUnit, RaterView, Rules, UnitLoad, next_choice, open_units
from lab.rating.design import RoundSpec
from storage.tables.jobs import now
from storage.tables.ratings import Assignment, Rater, Rating, Round, Unit

LEASE = timedelta(minutes=30)  # how long a unit that was served waits before someone else may be given its place
ACTIVE = ("open", "done")  # states that fill the quota
SERVED = ("main", "gold", "repeat")  # roles of the round proper; practice has a line of its own


def expire_leases(session: Session, round_id: int) -> None:
    """Free the places of units that were served long ago and never rated; corrections left open count as done."""
    late = session.exec(select(Assignment).join(Rater).where(
        Rater.round_id == round_id, Assignment.state == "open", col(Assignment.lease_until) < now())).all()
    for assignment in late:
        assignment.state = "done" if n_versions(session, assignment) else "expired"
        assignment.lease_until = None
        session.add(assignment)
    session.flush()


def held_unit(session: Session, sight: Sight) -> Assignment | None:
    """The rater's open unit. A correction was served before the unit it interrupts, so it comes first."""
    return next(_own(session, sight, "open"), None)


def revived_unit(session: Session, sight: Sight) -> Assignment | None:
    """A unit whose lease ran out while the rater was away, if its place is still free: same unit, same side."""
    for assignment in _own(session, sight, "expired"):
        if has_place(session, assignment, sight.design):
            assignment.state = "open"
            return assignment
    return None


def skipped_unit(session: Session, sight: Sight) -> Assignment | None:
    """A unit that this rater skipped, once more and only at the end, if nobody has taken its place."""
    for assignment in _own(session, sight, "skipped"):
        if assignment.served_count < 2 and has_place(session, assignment, sight.design):
            assignment.state, assignment.skip_reason, assignment.submit_key = "open", "", new_key()
            assignment.served_count += 1
            return assignment
    return None


def has_place(session: Session, assignment: Assignment, design: RoundSpec) -> bool:
    """Whether a rating of this unit still fits into its quota. Golds, repeats and shared units have none."""
    unit = session.get(Unit, assignment.unit_id)
    if assignment.role != "main" or unit.shared:
        return True
    rater = session.get(Rater, assignment.rater_id)
    if rater.kind == "trial":
        return True
    return n_active(session, unit.id, except_id=assignment.id) < design.quota


def n_active(session: Session, unit_id: int, except_id: int = 0) -> int:
    """Places of a unit's quota that are taken."""
    return session.exec(select(func.count(col(Assignment.id))).join(Rater).where(
        Assignment.unit_id == unit_id, Assignment.role == "main", col(Assignment.state).in_(ACTIVE),
        col(Assignment.surplus).is_(False), Rater.kind != "trial", Assignment.id != except_id)).one()


@dataclass(frozen=True)
class Sight:
    """What one transaction has read of a rater's units, so that nothing is read twice."""

    rater: Rater
    design: RoundSpec
    own: tuple[Own, ...]

    @property
    def n_done(self) -> int:
        """Units of the round proper that this rater has rated."""
        return sum(one.rated for one in self.own)

    @property
    def view(self) -> RaterView:
        """As the assignment rule reads it; whom they met is added where the choice needs it."""
        return RaterView(self.rater.id, tuple(OwnUnit(one.unit_id, one.item_id, one.role, one.a_left,
                                                      one.state in ACTIVE, one.rated) for one in self.own))

    @cached_property
    def loads(self) -> list[UnitLoad]:
        return unit_loads(object_session(self.rater), self.rater.round_id)

    @property
    def n_free(self) -> int:
        """Units that could still be given to this rater, quota allowing."""
        free, view = len(open_units(self.loads, self.view, rules_of(self.design))), self.view
        most = self.design.most_units
        return min(free, most - view.n_counted) if most else free

    @property
    def n_held(self) -> int:
        """Units that this rater holds and has never rated."""
        return sum(one.state == "open" and not one.rated for one in self.own)


class Own(NamedTuple):
    """One unit of a rater's, in the order in which it was served."""

    assignment_id: int
    unit_id: int
    item_id: str
    role: str
    a_left: bool
    state: str
    done_at: datetime | None
    rated: bool


def look(session: Session, rater: Rater, design: RoundSpec) -> Sight:
    """All that this rater was given so far, practice apart."""
    rated = select(Rating.id).where(Rating.assignment_id == Assignment.id).exists()
    rows = session.exec(
        select(Assignment.id, Assignment.unit_id, Unit.item_id, Assignment.role, Assignment.a_left, Assignment.state,
               Assignment.done_at, rated)
        .join(Unit).where(Assignment.rater_id == rater.id, col(Assignment.role).in_(SERVED))
        .order_by(col(Assignment.ordinal))).all()
    return Sight(rater, design, tuple(Own(*row) for row in rows))


def new_unit(session: Session, sight: Sight, the_round: Round) -> Assignment | None:
    """A new unit by the assignment rule, its side stored."""
    rater, design, rules = sight.rater, sight.design, rules_of(sight.design)
    view = replace(sight.view, met=_met(session, rater))
    units = list(sight.loads)
    _name_raters(session, units, open_units(units, view, rules))
    golds = unit_loads(session, the_round.id, "gold") if rules.gold_every else []
    random = Random(f"{design.seed}-{the_round.uid}-{rater.uid}-{len(view.own)}")
    choice = next_choice(units, golds, view, rules, random)
    if choice is None:
        return None
    a_left = choice.a_left or design.task == "fluency"  # one text stands on the left
    return Assignment(rater_id=rater.id, unit_id=choice.unit_id, ordinal=1 + len(view.own), role=choice.role,
                      a_left=a_left, submit_key=new_key())


def rules_of(design: RoundSpec) -> Rules:
    apart = APART if design.task == "fluency" else 1
    return Rules(design.quota, design.most_units, apart, design.gold_every, design.repeat_share)


def unit_loads(session: Session, round_id: int, role: str = "main") -> list[UnitLoad]:
    """Every unit of a role with what it has; who rated it is filled in where the choice needs it."""
    units = session.exec(select(Unit.id, Unit.item_id, Unit.shared).where(
        Unit.round_id == round_id, Unit.role == role).order_by(col(Unit.id))).all()
    if role != "main":
        return [UnitLoad(unit_id, item) for unit_id, item, _ in units]
    side = func.sum(case((col(Assignment.a_left).is_(True), 1), else_=-1))
    counted = session.exec(
        select(Assignment.unit_id, func.count(col(Assignment.id)), side).join(Rater).where(
            Rater.round_id == round_id, *_counted()).group_by(col(Assignment.unit_id))).all()
    known = {unit_id: (int(count), int(balance)) for unit_id, count, balance in counted}
    return [UnitLoad(unit_id, item, *known.get(unit_id, (0, 0)), shared=shared) for unit_id, item, shared in units]


def n_versions(session: Session, assignment: Assignment) -> int:
    return session.exec(select(func.count(col(Rating.id))).where(Rating.assignment_id == assignment.id)).one()


def new_key() -> str:
    return secrets.token_urlsafe(16)


def _own(session: Session, sight: Sight, state: str) -> Iterator[Assignment]:
    return (session.get(Assignment, one.assignment_id) for one in sight.own if one.state == state)


def _counted() -> tuple:
    """What fills a quota: main units that are rated or being rated, by raters who count."""
    return (Assignment.role == "main", col(Assignment.state).in_(ACTIVE), col(Assignment.surplus).is_(False),
            Rater.kind != "trial")


def _met(session: Session, rater: Rater) -> dict[int, int]:
    """Other rater → units that both were given."""
    mine = select(Assignment.unit_id).where(
        Assignment.rater_id == rater.id, Assignment.role == "main", col(Assignment.state).in_(ACTIVE))
    rows = session.exec(select(Assignment.rater_id, func.count(col(Assignment.id))).where(
        col(Assignment.unit_id).in_(mine), Assignment.rater_id != rater.id, Assignment.role == "main",
        col(Assignment.state).in_(ACTIVE)).group_by(col(Assignment.rater_id))).all()
    return {other: int(count) for other, count in rows}


def _name_raters(session: Session, units: list[UnitLoad], free: list[UnitLoad]) -> None:
    """Fill in who was given the free units with the fewest ratings: no other can come next."""
    if not free:
        return
    least = min(unit.n_active for unit in free)
    near = [unit.id for unit in free if 0 < unit.n_active <= least + 1]
    raters: dict[int, set[int]] = {}
    for unit_id, rater_id in session.exec(select(Assignment.unit_id, Assignment.rater_id).where(
            col(Assignment.unit_id).in_(near), Assignment.role == "main", col(Assignment.state).in_(ACTIVE))).all():
        raters.setdefault(unit_id, set()).add(rater_id)
    for place, unit in enumerate(units):
        if unit.id in raters:
            units[place] = UnitLoad(unit.id, unit.item_id, unit.n_active, unit.side_balance,
                                    frozenset(raters[unit.id]), unit.shared)
