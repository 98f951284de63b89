"""Rating rounds to look at: banks, rounds, progress, and the results of a closed round.

While a round is open only counts leave this file: results that can be watched are results that can be waited for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from lab.core.errors import LabError
from lab.rating.results import RatingRow, RoundResults, results
from storage.tables.ratings import Answer, AnswerBank, Assignment, Rater, Rating, Round, Unit


@dataclass(frozen=True)
class BankModel:
    """A model that answered in a bank."""

    label: str
    arm: str
    base: str
    n_answers: int


@dataclass(frozen=True)
class BankSummary:
    """An answer bank as the page offers it."""

    id: int
    name: str
    benchmark: str
    study_id: int | None
    n_questions: int
    models: tuple[BankModel, ...]
    by_hand: bool = False  # frozen from comparisons: whoever asked chose the questions


@dataclass(frozen=True)
class RaterProgress:
    """How far one rater is. No score of any kind."""

    code: str
    guest: bool
    n_done: int
    n_skipped: int
    started_at: datetime | None
    last_seen_at: datetime | None


@dataclass(frozen=True)
class RoundProgress:
    """How far a round is: counts only."""

    round: Round
    bank_name: str
    n_units: int
    n_complete: int  # units that reached the quota
    n_ratings: int
    n_needed: int  # units × quota
    n_skipped: int
    raters: tuple[RaterProgress, ...]


def banks(session: Session) -> list[BankSummary]:
    """Answer banks that two or more models answered, newest first."""
    rows = session.exec(
        select(Answer.bank_id, Answer.model_label, Answer.arm, Answer.base, func.count(col(Answer.id)))
        .group_by(Answer.bank_id, Answer.model_label, Answer.arm, Answer.base)
        .order_by(func.min(col(Answer.id)))
    ).all()
    models: dict[int, list[BankModel]] = {}
    for bank_id, label, arm, base, n_answers in rows:
        models.setdefault(bank_id, []).append(BankModel(label, arm, base, n_answers))
    found = session.exec(select(AnswerBank).order_by(col(AnswerBank.id).desc())).all()
    return [
        BankSummary(bank.id, bank.name, bank.benchmark, bank.study_id, max(m.n_answers for m in models[bank.id]),
                    tuple(models[bank.id]), bank.job_id is None)
        for bank in found if len(models.get(bank.id, [])) >= 2
    ]


def list_rounds(session: Session) -> list[Round]:
    """Newest first."""
    return list(session.exec(select(Round).order_by(col(Round.id).desc())).all())


def get_round(session: Session, round_id: int) -> Round:
    found = session.get(Round, round_id)
    if found is None:
        raise LabError(f"there is no round {round_id}")
    return found


def progress(session: Session, round_id: int) -> RoundProgress:
    """Counts of one round."""
    the_round = get_round(session, round_id)
    units = session.exec(select(Unit.id).where(Unit.round_id == round_id)).all()
    rows = session.exec(select(Assignment.unit_id, Assignment.rater_id, Assignment.state, Assignment.id)
                        .join(Rater).where(Rater.round_id == round_id)).all()
    rated = _rated_assignments(session, round_id)
    per_unit = Counter(unit_id for unit_id, _, _, assignment_id in rows if assignment_id in rated)
    done = Counter(rater_id for _, rater_id, _, assignment_id in rows if assignment_id in rated)
    skipped = Counter(rater_id for _, rater_id, state, _ in rows if state == "skipped")
    raters = session.exec(select(Rater).where(Rater.round_id == round_id).order_by(col(Rater.id))).all()
    return RoundProgress(
        round=the_round,
        bank_name=session.get(AnswerBank, the_round.bank_id).name,
        n_units=len(units),
        n_complete=sum(per_unit[unit] >= the_round.quota for unit in units),
        n_ratings=sum(done.values()),
        n_needed=len(units) * the_round.quota,
        n_skipped=sum(skipped.values()),
        raters=tuple(RaterProgress(r.code, r.guest, done[r.id], skipped[r.id], r.started_at, r.last_seen_at)
                     for r in raters),
    )


def round_results(session: Session, round_id: int) -> RoundResults:
    """The analysis of a closed round; LabError while it is open."""
    the_round = get_round(session, round_id)
    require_closed(the_round)
    return results(current_ratings(session, round_id), seed=the_round.seed)


def require_closed(the_round: Round) -> None:
    if the_round.state != "closed":
        raise LabError(f"round '{the_round.name}' is still open: its results and its export open when it is closed.")


def current_ratings(session: Session, round_id: int) -> list[RatingRow]:
    """The last version of every rating, rater by rater in the order they were served."""
    rows = session.exec(
        select(Rating, Assignment, Unit, Rater.code)
        .select_from(Rating).join(Assignment).join(Unit).join(Rater)
        .where(Unit.round_id == round_id)
        .order_by(col(Rater.id), col(Assignment.ordinal), col(Rating.version))
    ).all()
    last = {assignment.id: rating_row(rating, assignment, unit, code) for rating, assignment, unit, code in rows}
    return list(last.values())


def rating_row(rating: Rating, assignment: Assignment, unit: Unit, code: str) -> RatingRow:
    return RatingRow(
        item_id=unit.item_id, rater=code, a_left=assignment.left_answer_id == unit.answer_a_id,
        fluency_left=rating.fluency_left, fluency_right=rating.fluency_right, preference=rating.preference,
        visible_ms=rating.visible_ms,
    )


def _rated_assignments(session: Session, round_id: int) -> set[int]:
    return set(session.exec(select(Rating.assignment_id).join(Assignment).join(Rater)
                            .where(Rater.round_id == round_id)).all())


def round_models(session: Session, the_round: Round) -> tuple[BankModel, BankModel]:
    """Models a and b with their arms, for pages of researchers."""
    found = {}
    for label in (the_round.model_a, the_round.model_b):
        arm, base = session.exec(select(Answer.arm, Answer.base).where(
            Answer.bank_id == the_round.bank_id, Answer.model_label == label).limit(1)).one()
        n_answers = session.exec(select(func.count(col(Answer.id))).where(
            Answer.bank_id == the_round.bank_id, Answer.model_label == label)).one()
        found[label] = BankModel(label, arm, base, n_answers)
    return found[the_round.model_a], found[the_round.model_b]
