"""A rating round from the rater's side: the next unit, submit, skip, flag, undo.

Every change is one short write transaction that re-reads the rater's rows, so two tabs, a double click or a lost reply
can neither rate twice nor pass the quota. What a rater is told about a unit is in `Served`, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, col, select

from lab.core.errors import Fault, LabError, SpecError
from lab.rating.design import RoundSpec, stored
from lab.rating.verdicts import Verdict, asked_only, check_skip, check_verdict
from storage.database import Store
from storage.queries.next_unit import (
    LEASE,
    SERVED,
    Sight,
    has_place,
    held_unit,
    n_versions,
    new_key,
    new_unit,
    revived_unit,
    skipped_unit,
)
from storage.queries.rating_events import note, note_trail
from storage.tables.jobs import now
from storage.tables.ratings import Assignment, Rater, Rating, Round, Unit

FLAG_LIMIT = 500


@dataclass(frozen=True)
class Served:
    """One unit as the rater sees it: texts and an opaque key. `previous` is what they said before an undo."""

    submit_key: str
    question: str
    left: str
    right: str  # "": one answer is shown
    n_done: int
    n_total: int  # units this rater can still expect, those done included
    can_undo: bool = False
    previous: Verdict | None = None

    @property
    def one_text(self) -> bool:
        return not self.right


def serve(session: Session, sight: Sight, the_round: Round) -> Served | None:
    """Within the caller's transaction: the rater's open unit, sides as they were, or the next one; None when nothing is
    left for them. Leases that have run out are given back before `sight` is taken."""
    rater = sight.rater
    assignment = held_unit(session, sight)
    if assignment is None:
        assignment = (revived_unit(session, sight) or new_unit(session, sight, the_round)
                      or skipped_unit(session, sight))
        if assignment is None:
            return None
        session.add(assignment)
        session.flush()
        note(session, rater, "served", assignment, ordinal=assignment.ordinal, times=assignment.served_count)
    assignment.lease_until = now() + LEASE
    session.add(assignment)
    return _served(session, sight, assignment)


def submit(store: Store, rater_id: int, submit_key: str, verdict: Verdict) -> str:
    """Store a verdict; 'saved', also when this key was stored before. SpecError for a verdict that is not whole."""
    with store.write() as session:
        rater, _, design = open_round(session, rater_id)
        assignment = _by_key(session, rater, submit_key)
        if assignment is None:
            return _saved_before(session, rater, submit_key)
        if assignment.state not in ("open", "expired"):
            return "saved"
        one_text = not session.get(Unit, assignment.unit_id).text_b
        check_verdict(verdict, design, one_text)
        if assignment.state == "expired":  # nobody rates for nothing: kept, and counted if its place is still free
            assignment.surplus = not has_place(session, assignment, design)
        write_rating(session, assignment, asked_only(verdict, design, one_text))
        note(session, rater, "submit", assignment, surplus=assignment.surplus)
        note_trail(session, rater, assignment, verdict.trail)
    return "saved"


def write_rating(session: Session, assignment: Assignment, verdict: Verdict) -> None:
    """A new version of a rating; the assignment is done."""
    session.add(Rating(
        assignment_id=assignment.id, version=1 + n_versions(session, assignment), submit_key=assignment.submit_key,
        fluency_left=verdict.fluency_left, fluency_right=verdict.fluency_right, preference=verdict.preference,
        criteria={name: list(scores) for name, scores in verdict.criteria.items()}, comment=verdict.comment,
        visible_ms=verdict.visible_ms, total_ms=verdict.total_ms, n_changes=verdict.n_changes,
    ))
    assignment.state, assignment.done_at, assignment.lease_until = "done", now(), None
    session.add(assignment)


def skip(store: Store, rater_id: int, submit_key: str, reason: str) -> None:
    """Give a unit back, with the reason; it is offered to this rater once more, at the end. Twice is once."""
    with store.write() as session:
        rater, _, design = open_round(session, rater_id)
        check_skip(reason, design.language)
        assignment = _by_key(session, rater, submit_key)
        if assignment is not None and assignment.state in ("open", "expired"):
            rated = n_versions(session, assignment) > 0  # skipping a correction leaves the verdict that stands
            assignment.state = "done" if rated else "skipped"
            assignment.skip_reason, assignment.lease_until = "" if rated else reason, None
            session.add(assignment)
            note(session, rater, "skip", assignment, reason=reason)


def flag(store: Store, rater_id: int, submit_key: str, text: str) -> None:
    """Report something about a unit to the researcher; it stays to be rated."""
    if not 1 <= len(text.strip()) <= FLAG_LIMIT:
        raise SpecError([Fault("report", f"should have 1 to {FLAG_LIMIT} characters")], "report")
    with store.write() as session:
        rater, _, _ = open_round(session, rater_id)
        assignment = _by_key(session, rater, submit_key)
        if assignment is not None:
            assignment.flag = text.strip()
            session.add(assignment)
            note(session, rater, "flag", assignment)


def undo_last(store: Store, rater_id: int) -> bool:
    """Re-open the unit rated last; the next submit writes a new version. False when there is nothing to undo.

    Only one step back: while a correction is open, or right after one, there is no further undo.
    """
    with store.write() as session:
        rater, _, _ = open_round(session, rater_id)
        assignment = undoable(session, rater)
        if assignment is None:
            return False
        assignment.state, assignment.submit_key = "open", new_key()
        assignment.lease_until = now() + LEASE
        session.add(assignment)
        note(session, rater, "undo", assignment)
        return True


def undoable(session: Session, rater: Rater) -> Assignment | None:
    """The unit rated last, unless it is being corrected or was just corrected."""
    last = session.exec(select(Rating, Assignment).join(Assignment).where(
        Assignment.rater_id == rater.id, col(Assignment.role).in_(SERVED)).order_by(col(Rating.id).desc())).first()
    if last is None:
        return None
    rating, assignment = last
    return assignment if assignment.state == "done" and rating.version == 1 else None


def open_round(session: Session, rater_id: int, agreed: bool = True) -> tuple[Rater, Round, RoundSpec]:
    """Whoever may still change something, their round and its design; LabError for anybody else, and, where it takes
    one who has `agreed` to the round's text, for one who has not."""
    rater = session.get(Rater, rater_id)
    if rater is None:
        raise LabError("this link is not known")
    the_round = session.get(Round, rater.round_id)
    if the_round.state != "open":
        raise LabError("this round is closed: no more ratings are taken")
    if rater.state in ("revoked", "declined", "withdrawn", "blocked"):
        raise LabError("this link has ended: no more ratings are taken with it")
    design = stored(the_round.design)
    if agreed and design.consent and rater.consent_at is None:
        raise LabError("the text of this round has to be agreed to first")
    rater.last_seen_at = now()
    session.add(rater)
    return rater, the_round, design


def _served(session: Session, sight: Sight, assignment: Assignment) -> Served:
    unit = session.get(Unit, assignment.unit_id)
    left, right = (unit.text_a, unit.text_b) if assignment.a_left else (unit.text_b, unit.text_a)
    before = next((one for one in sight.own if one.assignment_id == assignment.id), None)
    last = _last_version(session, assignment) if before and before.rated else None
    others = [one for one in sight.own if one.assignment_id != assignment.id]
    done = sum(one.rated for one in others)
    held = sum(one.state == "open" and not one.rated for one in others)
    new = before is None and assignment.role == "main"  # it was free when the loads were read
    return Served(
        submit_key=assignment.submit_key, question=unit.question, left=left or right, right=right if left else "",
        n_done=done, n_total=done + 1 + held + sight.n_free - new,
        can_undo=last is None and done > 0 and undoable(session, sight.rater) is not None,
        previous=last and spoken(last),
    )


def _last_version(session: Session, assignment: Assignment) -> Rating:
    return session.exec(select(Rating).where(Rating.assignment_id == assignment.id)
                        .order_by(col(Rating.version).desc())).first()


def spoken(rating: Rating) -> Verdict:
    """A stored rating as the rater gave it."""
    criteria = {name: (scores[0], scores[1]) for name, scores in rating.criteria.items()}
    return Verdict(rating.fluency_left, rating.fluency_right, rating.preference, criteria, rating.comment)


def _by_key(session: Session, rater: Rater, submit_key: str) -> Assignment | None:
    return session.exec(select(Assignment).where(
        Assignment.submit_key == submit_key, Assignment.rater_id == rater.id,
        col(Assignment.role).in_(SERVED))).first()


def _saved_before(session: Session, rater: Rater, submit_key: str) -> str:
    """The key of a verdict whose unit was re-opened since: that verdict is stored, so the answer is the same."""
    known = session.exec(select(Rating.id).join(Assignment).where(
        Rating.submit_key == submit_key, Assignment.rater_id == rater.id)).first()
    if known is None:
        raise LabError("this is not yours to rate, or the page is out of date. Reload the page to go on.")
    return "saved"
