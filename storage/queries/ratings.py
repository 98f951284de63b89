"""Rating rounds to look at: banks, rounds, progress, quality while they run, and the results once they may be seen.

While a round is open only counts leave this file: results that can be watched are results that can be waited for.
Unblinding opens them early, is logged, and is said wherever they are shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from lab.core.errors import LabError
from lab.rating.design import Face, RoundSpec, stored
from storage.tables.ratings import Answer, AnswerBank, Assignment, Rater, Rating, Round, Unit


@dataclass(frozen=True)
class BankModel:
    """A model that answered in a bank, or a face of it."""

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
    kind: str
    state: str
    n_done: int  # units that count
    n_skipped: int
    n_flagged: int
    started_at: datetime | None
    last_seen_at: datetime | None


@dataclass(frozen=True)
class RoundProgress:
    """How far a round is: counts only."""

    round: Round
    design: RoundSpec
    bank_name: str  # "" for one that came from another lab
    n_units: int
    n_complete: int  # units that reached their quota
    n_ratings: int  # that count
    n_needed: int
    n_skipped: int
    n_surplus: int
    skip_reasons: dict[str, int]
    flags: tuple[tuple[str, str, str], ...]  # (rater, question, what they reported)
    raters: tuple[RaterProgress, ...]


def banks(session: Session) -> list[BankSummary]:
    """Answer banks that two or more models answered, newest first; with one model, when its thinking is kept."""
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


def thinking_kept(session: Session, bank_id: int) -> set[str]:
    """Models of a bank whose thinking can be shown as an arm of its own."""
    return set(session.exec(select(Answer.model_label).where(Answer.bank_id == bank_id, Answer.think_text != "")
                            .distinct()).all())


def list_rounds(session: Session) -> list[Round]:
    """Newest first."""
    return list(session.exec(select(Round).order_by(col(Round.id).desc())).all())


def get_round(session: Session, round_id: int) -> Round:
    found = session.get(Round, round_id)
    if found is None:
        raise LabError(f"there is no round {round_id}")
    return found


def progress(session: Session, round_id: int) -> RoundProgress:
    """Counts of one round. Raters on trial are listed and count nowhere."""
    the_round = get_round(session, round_id)
    design = stored(the_round.design)
    units = session.exec(select(Unit.id, Unit.shared).where(Unit.round_id == round_id, Unit.role == "main")).all()
    raters = session.exec(select(Rater).where(Rater.round_id == round_id).order_by(col(Rater.id))).all()
    counting = {rater.id for rater in raters if rater.kind != "trial"}
    rows = session.exec(select(Assignment).join(Rater).where(
        Rater.round_id == round_id, Assignment.role == "main")).all()
    rated = _rated(session, round_id)
    counted = [row for row in rows if row.id in rated and not row.surplus and row.rater_id in counting]
    per_unit = Counter(row.unit_id for row in counted)
    done = Counter(row.rater_id for row in rows if row.id in rated)
    skipped = Counter(row.rater_id for row in rows if row.state == "skipped")
    flagged = Counter(row.rater_id for row in rows if row.flag)
    n_people = sum(rater.id in counting and rater.state not in ("declined", "blocked", "withdrawn", "revoked")
                   for rater in raters)
    needs = {unit: n_people if shared else design.quota for unit, shared in units}
    bank = session.get(AnswerBank, the_round.bank_id) if the_round.bank_id else None
    return RoundProgress(
        round=the_round, design=design, bank_name=bank.name if bank else "", n_units=len(units),
        n_complete=sum(0 < needs[unit] <= per_unit[unit] for unit, _ in units),
        n_ratings=len(counted), n_needed=sum(needs.values()),
        n_skipped=sum(skipped[rater] for rater in counting),
        n_surplus=sum(row.surplus and row.id in rated for row in rows),
        skip_reasons=dict(Counter(row.skip_reason for row in rows
                                  if row.state == "skipped" and row.rater_id in counting)),
        flags=_flags(session, round_id),
        raters=tuple(RaterProgress(r.code, r.kind, r.state, done[r.id], skipped[r.id], flagged[r.id], r.started_at,
                                   r.last_seen_at) for r in raters),
    )


def results_open(the_round: Round) -> bool:
    """Whether results may be seen: the round is closed, or somebody unblinded it."""
    return the_round.state == "closed" or the_round.unblinded_at is not None


def require_results(the_round: Round) -> None:
    if not results_open(the_round):
        raise LabError(f"round '{the_round.name}' is still open: its results and its export open when it is closed.")


def rating_rows_of(session: Session, round_id: int) -> list[tuple[Rating, Assignment, Unit, Rater]]:
    """Every version of every rating but practice, rater by rater in the order they were served."""
    return list(session.exec(
        select(Rating, Assignment, Unit, Rater)
        .select_from(Rating).join(Assignment, Rating.assignment_id == Assignment.id)
        .join(Unit, Assignment.unit_id == Unit.id).join(Rater, Assignment.rater_id == Rater.id)
        .where(Unit.round_id == round_id, Assignment.role != "practice")
        .order_by(col(Rater.id), col(Assignment.ordinal), col(Rating.version))).all())


def current(rows: list[tuple[Rating, Assignment, Unit, Rater]]) -> list[tuple[Rating, Assignment, Unit, Rater]]:
    """The last version of each."""
    return list({assignment.id: (rating, assignment, unit, rater) for rating, assignment, unit, rater in rows}.values())


def round_models(session: Session, the_round: Round) -> dict[str, BankModel]:
    """Face → its arm and base, for pages of researchers. Of a blinded round from another lab only the names."""
    known: dict[str, BankModel] = {}
    if the_round.bank_id:
        rows = session.exec(select(Answer.model_label, Answer.arm, Answer.base, func.count(col(Answer.id))).where(
            Answer.bank_id == the_round.bank_id).group_by(Answer.model_label, Answer.arm, Answer.base)).all()
        known = {label: BankModel(label, arm, base, n) for label, arm, base, n in rows}
    faces = {}
    for name in the_round.models:
        model = known.get(Face.of(name).label)
        faces[name] = BankModel(name, model.arm, model.base, model.n_answers) if model else BankModel(name, "", "", 0)
    return faces


def _rated(session: Session, round_id: int) -> set[int]:
    return set(session.exec(select(Rating.assignment_id).join(Assignment).join(Rater)
                            .where(Rater.round_id == round_id)).all())


def _flags(session: Session, round_id: int) -> tuple[tuple[str, str, str], ...]:
    rows = session.exec(select(Rater.code, Unit.question, Assignment.flag).select_from(Assignment)
                        .join(Unit, Assignment.unit_id == Unit.id).join(Rater, Assignment.rater_id == Rater.id)
                        .where(Rater.round_id == round_id, Assignment.flag != "", Rater.kind != "trial")
                        .order_by(col(Assignment.id))).all()
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for code, question, text in rows:
        found[code, question].append(text)
    return tuple((code, question, "; ".join(texts)) for (code, question), texts in found.items())
