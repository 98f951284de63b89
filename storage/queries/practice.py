"""Practice before a round: a few units with known answers, told right after each. Its ratings are never analysed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from lab.core.errors import LabError
from lab.rating.design import RoundSpec
from lab.rating.flow import PRACTICE_TRIES
from lab.rating.practice import Given, is_right, passed
from lab.rating.verdicts import Verdict, asked_only, check_verdict
from storage.database import Store
from storage.queries.next_unit import new_key
from storage.queries.rater_sessions import open_round, write_rating
from storage.queries.rating_events import note
from storage.tables.jobs import now
from storage.tables.ratings import Assignment, Rater, Rating, Unit


@dataclass(frozen=True)
class PracticeServed:
    """One practice unit as the rater sees it; sides as written, so that the explanation can say A and B."""

    submit_key: str
    question: str
    left: str
    right: str  # "": one answer is shown
    number: int  # from 1
    n_total: int
    second_try: bool


@dataclass(frozen=True)
class Feedback:
    """What a rater is told after a practice unit."""

    question: str
    left: str
    right: str
    given: Verdict
    expected: dict[str, object]  # fluency_a, fluency_b, preference, tie_accepted: as far as they were asked
    right_enough: bool
    explanation: str
    verdict: str = ""  # after the last one: passed | again | blocked


def next_practice(session: Session, rater: Rater, design: RoundSpec) -> PracticeServed | None:
    """Within the caller's transaction: the practice unit that is open, or the next of this try."""
    attempt = rater.practice_tries + 1
    units = _units(session, rater.round_id)
    given = {row.unit_id: row for row in session.exec(select(Assignment).where(
        Assignment.rater_id == rater.id, Assignment.role == "practice", Assignment.attempt == attempt)).all()}
    for number, unit in enumerate(units, start=1):
        assignment = given.get(unit.id)
        if assignment is not None and assignment.state == "done":
            continue
        if assignment is None:
            assignment = Assignment(rater_id=rater.id, unit_id=unit.id, ordinal=number, role="practice",
                                    attempt=attempt, submit_key=new_key())
            session.add(assignment)
            session.flush()
        return PracticeServed(assignment.submit_key, unit.question, unit.text_a, unit.text_b, number, len(units),
                              attempt > 1)
    return None


def submit_practice(store: Store, rater_id: int, submit_key: str, verdict: Verdict) -> Feedback:
    """Keep one practice verdict and say how it compares. SpecError for a verdict that is not whole."""
    with store.write() as session:
        rater, _, design = open_round(session, rater_id)
        assignment = session.exec(select(Assignment).where(
            Assignment.submit_key == submit_key, Assignment.rater_id == rater.id,
            Assignment.role == "practice")).first()
        if assignment is None:
            raise LabError("the page is out of date. Reload it to go on.")
        unit = session.get(Unit, assignment.unit_id)
        if assignment.state == "open":
            check_verdict(verdict, design, one_text=not unit.text_b)
            write_rating(session, assignment, asked_only(verdict, design, not unit.text_b))
            session.flush()
            outcome = _judge_try(session, rater, design, assignment.attempt)
        else:
            verdict, outcome = _stored(session, assignment), ""
        given = _given(verdict)
        return Feedback(unit.question, unit.text_a, unit.text_b, verdict, dict(unit.expected),
                        is_right(unit.expected, given), unit.explanation, outcome)


def _judge_try(session: Session, rater: Rater, design: RoundSpec, attempt: int) -> str:
    """After the last unit of a try: passed, again, or blocked. "" before."""
    rows = session.exec(select(Unit, Rating).select_from(Rating).join(Assignment).join(Unit).where(
        Assignment.rater_id == rater.id, Assignment.role == "practice", Assignment.attempt == attempt)).all()
    if len(rows) < len(_units(session, rater.round_id)):
        return ""
    answers = [(unit.expected, Given(rating.fluency_left, rating.fluency_right, _in_order(rating.preference)))
               for unit, rating in rows]
    rater.practice_tries = attempt
    if passed(answers, design.practice_pass):
        outcome, rater.practised_at, rater.rested_at = "passed", now(), now()
    elif attempt < PRACTICE_TRIES:
        outcome = "again"
    else:
        outcome, rater.state = "blocked", "blocked"
    session.add(rater)
    note(session, rater, "practice", attempt=attempt, outcome=outcome)
    return outcome


def _given(verdict: Verdict) -> Given:
    return Given(verdict.fluency_left, verdict.fluency_right, _in_order(verdict.preference))


def _in_order(preference: str) -> str:
    """Practice shows its texts as they are written: left is a."""
    return {"left": "a", "right": "b", "both_bad": "tie"}.get(preference, preference)


def _stored(session: Session, assignment: Assignment) -> Verdict:
    rating = session.exec(select(Rating).where(Rating.assignment_id == assignment.id)).one()
    return Verdict(rating.fluency_left, rating.fluency_right, rating.preference)


def _units(session: Session, round_id: int) -> list[Unit]:
    return list(session.exec(select(Unit).where(Unit.round_id == round_id, Unit.role == "practice")
                             .order_by(col(Unit.id))).all())


def n_practised(session: Session, rater_id: int) -> int:
    """Practice units that this rater has done, all tries."""
    return session.exec(select(func.count(col(Assignment.id))).where(
        Assignment.rater_id == rater_id, Assignment.role == "practice", Assignment.state == "done")).one()
