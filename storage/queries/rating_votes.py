"""Another lab's votes as rows of this one, within the caller's transaction.

Votes take the places that a unit's quota still has; what comes beyond is surplus. Raters of this lab wait while it
lasts, so what is known is read at once and not row by row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, col, select

from lab.core.errors import LabError
from lab.rating.design import RoundSpec, stored
from lab.rating.files.sent_votes import SentRating, SentVotes
from lab.rating.verdicts import Verdict, asked_only
from storage.queries.next_unit import new_key, unit_loads
from storage.queries.rating_intake import KIND, Intake, Units, parts, sent_raters, trail_of
from storage.tables.ratings import Assignment, BlindGuess, Rater, Rating, Round, Unit

FACTS = ("ordinal", "state", "skip_reason", "flag", "served_count", "served_at", "done_at")
Key = tuple[str, str, str, int]  # rater, unit, role, attempt


@dataclass(frozen=True)
class Taken:
    """Ratings that are new, those that had come before, and the new units beyond the quota."""

    n_new: int
    n_known: int
    n_surplus: int


@dataclass
class Places:
    """Of each unit's quota, what is taken. Shared units, golds and repeats have no quota."""

    quota: int
    taken: Counter[int] = field(default_factory=Counter)

    def take(self, unit: Unit, role: str) -> bool:
        """Whether there was one left."""
        if role != "main" or unit.shared:
            return True
        free = self.taken[unit.id] < self.quota
        self.taken[unit.id] += free
        return free


def take_in(session: Session, the_round: Round, sent: SentVotes, units: Units) -> Taken:
    """Raters, what they were given and said, and guesses. LabError for what contradicts what came before."""
    intake = Intake(session, the_round, sent, units, trail_of(session, the_round))
    raters = sent_raters(intake)
    given = _assignments(intake, raters)
    taken = _ratings(intake, given, stored(the_round.design))
    _guesses(intake, given)
    return taken


def _assignments(intake: Intake, raters: Mapping[str, Rater]) -> dict[Key, Assignment]:
    session, the_round = intake.session, intake.round
    names = {rater.id: uid for uid, rater in raters.items()}
    rows = session.exec(select(Assignment, Unit.uid).join(Unit).join(Rater, Assignment.rater_id == Rater.id).where(
        Rater.round_id == the_round.id, Rater.kind == KIND)).all()
    given = {(names[row.rater_id], uid, row.role, row.attempt): row for row, uid in rows if row.rater_id in names}
    places = Places(the_round.design["quota"], Counter(
        {load.id: load.n_active for load in unit_loads(session, the_round.id)}))
    for one in sorted(intake.sent.assignments, key=lambda one: one.done_at or one.served_at):
        unit, turned = intake.units[one.unit]
        if (unit.role if one.role != "repeat" else "repeat" if unit.role == "main" else "") != one.role:
            raise LabError(f"unit {one.unit} was rated as {one.role}; here it is {unit.role}: nothing is taken in.")
        row, a_left = given.get(one.key), not unit.text_b or one.a_left != turned  # one answer stands on the left
        if row is None:
            row = given[one.key] = Assignment(
                rater_id=raters[one.rater].id, unit_id=unit.id, role=one.role, attempt=one.attempt,
                ordinal=one.ordinal, a_left=a_left, state="expired", submit_key=new_key())
        elif row.a_left != a_left:
            raise LabError(f"unit {one.unit} came before with its texts on the other sides: nothing is taken in.")
        elif one.rater in intake.older or (row.state == "done" and not one.ratings):
            continue
        if one.ratings and row.state != "done":
            row.surplus = not places.take(unit, one.role)
        for name in FACTS:
            if getattr(row, name) != getattr(one, name):  # setting what is set costs as much as storing it
                setattr(row, name, getattr(one, name))
        session.add(row)
    session.flush()
    return given


def _ratings(intake: Intake, given: Mapping[Key, Assignment], design: RoundSpec) -> Taken:
    session, sent = intake.session, intake.sent
    keys = [rating.key for one in sent.assignments for rating in one.ratings]
    here = {row.submit_key: row for part in parts(keys)
            for row in session.exec(select(Rating).where(col(Rating.submit_key).in_(part))).all()}
    rated = {row.assignment_id for row in here.values()}
    new, n_surplus = [], 0
    for one in sent.assignments:
        row = given[one.key]
        for rating in one.ratings:
            if rating.key not in here:
                new.append({"assignment_id": row.id, "version": rating.version, "submit_key": rating.key,
                            "created_at": rating.at, **_columns(rating, design)})
            elif not _is(here[rating.key], rating, row):
                raise LabError(f"a rating of unit {one.unit} came before as another one: nothing is taken in.")
        n_surplus += bool(one.ratings and row.surplus and row.id not in rated)
    if new:
        session.execute(insert(Rating), new)
    return Taken(len(new), len(here), n_surplus)


def _is(row: Rating, sent: SentRating, assignment: Assignment) -> bool:
    return (row.assignment_id, row.version, row.fluency_left, row.fluency_right, row.preference) == (
        assignment.id, sent.version, sent.fluency_left, sent.fluency_right, sent.preference)


def _columns(sent: SentRating, design: RoundSpec) -> dict[str, Any]:
    verdict = asked_only(Verdict(sent.fluency_left, sent.fluency_right, sent.preference, sent.criteria, sent.comment,
                                 sent.visible_ms, sent.total_ms, sent.n_changes), design, design.task == "fluency")
    return {
        "fluency_left": verdict.fluency_left, "fluency_right": verdict.fluency_right, "preference": verdict.preference,
        "criteria": {name: list(scores) for name, scores in verdict.criteria.items()}, "comment": verdict.comment,
        "visible_ms": verdict.visible_ms, "total_ms": verdict.total_ms, "n_changes": verdict.n_changes,
    }


def _guesses(intake: Intake, given: Mapping[Key, Assignment]) -> None:
    """Which model is asked for was not told there, so with three models or more some units were guessed without it:
    these say nothing, and are left."""
    session, target = intake.session, intake.round.design.get("guess_target", "")
    known = set(session.exec(select(BlindGuess.assignment_id).join(Rater).where(Rater.kind == KIND)).all())
    for one in intake.sent.assignments:
        unit, row = intake.units[one.unit][0], given[one.key]
        asked = not unit.model_b or target in ("", unit.model_a, unit.model_b)
        if one.guess and asked and row.id not in known:
            session.add(BlindGuess(rater_id=row.rater_id, assignment_id=row.id, guess=one.guess,
                                   sureness=one.sureness))
