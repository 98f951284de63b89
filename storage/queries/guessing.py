"""The blinding check at the end: some of a rater's own units again, to guess whose text is whose."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sqlalchemy import func
from sqlmodel import Session, col, select

from lab.core.errors import Fault, LabError, SpecError
from lab.rating.blinding_results import Guess
from lab.rating.design import RoundSpec
from storage.database import Store
from storage.queries.rater_sessions import open_round
from storage.queries.rating_events import note
from storage.tables.ratings import Assignment, BlindGuess, Rater, Round, Unit

GUESSES = ("left", "right", "unsure")


@dataclass(frozen=True)
class GuessUnit:
    """A unit to guess, sides as they stood. `key` is the assignment's own opaque one."""

    key: str
    question: str
    left: str
    right: str  # "": one answer; left means it is the one asked for, right that it is not
    number: int  # from 1
    n_total: int


def n_guesses(session: Session, rater: Rater) -> int:
    return session.exec(select(func.count(col(BlindGuess.id))).where(BlindGuess.rater_id == rater.id)).one()


def n_guessable(session: Session, rater: Rater, design: RoundSpec) -> int:
    """Units of this rater in which the model that is asked for wrote one text, or of one text any."""
    return len(_guessable(session, rater, design)) if design.guesses else 0


def next_guess(session: Session, rater: Rater, design: RoundSpec) -> GuessUnit | None:
    """The next unit to guess; drawn by the round's seed, the same after a reload."""
    ids = _guessable(session, rater, design)
    total = min(design.guesses, len(ids))
    drawn = Random(f"{design.seed}-guess-{rater.uid}").sample(ids, total)
    done = set(session.exec(select(BlindGuess.assignment_id).where(BlindGuess.rater_id == rater.id)).all())
    for number, assignment_id in enumerate(drawn, start=1):
        if assignment_id not in done:
            assignment = session.get(Assignment, assignment_id)
            unit = session.get(Unit, assignment.unit_id)
            left, right = (unit.text_a, unit.text_b) if assignment.a_left else (unit.text_b, unit.text_a)
            return GuessUnit(assignment.submit_key, unit.question, left or right, right if left else "", number, total)
    return None


def guess(store: Store, rater_id: int, key: str, said: str, sureness: object = None) -> None:
    """Keep a guess; the same unit twice is one guess. SpecError for one that is not offered."""
    if said not in GUESSES:
        raise SpecError([Fault("guess", f"should be one of {', '.join(GUESSES)} (got {said!r})", said)], "guess")
    sure = sureness if isinstance(sureness, int) and 1 <= sureness <= 3 and not isinstance(sureness, bool) else None
    with store.write() as session:
        rater, _, _ = open_round(session, rater_id)
        assignment = session.exec(select(Assignment).where(
            Assignment.submit_key == key, Assignment.rater_id == rater.id)).first()
        if assignment is None:
            raise LabError("the page is out of date. Reload it to go on.")
        known = session.exec(select(BlindGuess).where(BlindGuess.rater_id == rater.id,
                                                      BlindGuess.assignment_id == assignment.id)).first()
        if known is None:
            session.add(BlindGuess(rater_id=rater.id, assignment_id=assignment.id, guess=said, sureness=sure))
            note(session, rater, "guess", assignment)


def guesses_of(session: Session, round_id: int) -> list[Guess]:
    """Every guess of a round as the blinding index reads it: the face that was guessed against the one it was. Of two
    texts it is said of the asked model's own; raters on trial do not count."""
    the_round = session.get(Round, round_id)
    target = (the_round.design or {}).get("guess_target", "")
    if not target:
        return []
    rows = session.exec(
        select(BlindGuess.guess, Assignment.a_left, Unit.model_a, Unit.model_b, Rater.code)
        .select_from(BlindGuess).join(Assignment, BlindGuess.assignment_id == Assignment.id)
        .join(Unit, Assignment.unit_id == Unit.id).join(Rater, BlindGuess.rater_id == Rater.id)
        .where(Rater.round_id == round_id, Rater.kind != "trial").order_by(col(BlindGuess.id))).all()
    return [_guess(row, target, the_round.models) for row in rows]


def _guess(row: tuple[str, bool, str, str, str], target: str, models: list[str]) -> Guess:
    said, a_left, model_a, model_b, rater = row
    if not model_b:  # one text: 'left' says that the asked model wrote it
        another = model_a if model_a != target else next(name for name in models if name != target)
        return Guess({"left": target, "right": another}.get(said, "unsure"), model_a, rater)
    other = model_b if model_a == target else model_a
    stood = "left" if (model_a == target) == a_left else "right"
    return Guess("unsure" if said == "unsure" else target if said == stood else other, target, rater)


def _guessable(session: Session, rater: Rater, design: RoundSpec) -> list[int]:
    query = select(Assignment.id).join(Unit).where(
        Assignment.rater_id == rater.id, Assignment.role == "main", Assignment.state == "done")
    if design.task != "fluency" and design.guess_target:  # a round from another lab names nobody: it is read at home
        query = query.where((col(Unit.model_a) == design.guess_target) | (col(Unit.model_b) == design.guess_target))
    return list(session.exec(query.order_by(col(Assignment.ordinal))).all())
