"""All that the files of a round are made of, read from the store; and the round's blind names, drawn once and kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from random import SystemRandom

from sqlmodel import Session, col, select

from lab.rating.files.blind import Blinding, draw_blinding
from lab.rating.files.contents import Contents, Happening, Person, RoundFacts, Said, UnitText
from lab.rating.rows import RatingRow
from storage.database import Store
from storage.queries.guessing import guesses_of
from storage.queries.rating_events import events, note_round
from storage.queries.ratings import current, get_round, rating_rows_of
from storage.queries.round_results import analysis_row, judge_votes, measures_of
from storage.tables.ratings import (
    AnswerBank,
    Assignment,
    BlindGuess,
    Rater,
    Rating,
    RatingEvent,
    Round,
    Unit,
)

BLIND_NAMES = "blind names"  # kind of the event that keeps them
Stored = tuple[Rating, Assignment, Unit, Rater]


def contents_of(session: Session, round_id: int) -> Contents:
    """Everything but raters on trial."""
    the_round = get_round(session, round_id)
    raters = session.exec(select(Rater).where(Rater.round_id == round_id, Rater.kind != "trial")
                          .order_by(col(Rater.id))).all()
    return Contents(
        facts=round_facts(session, the_round), units=units_of(session, round_id, practice=False),
        said=tuple(_said(session, round_id)), happenings=tuple(_happenings(session, round_id, raters)),
        people=tuple(_person(rater) for rater in raters),
        guesses=tuple(guesses_of(session, round_id)) if the_round.design.get("guess_target") else (),
        votes=tuple(judge_votes(session, round_id)), measures=tuple(measures_of(session, round_id)),
    )


def round_facts(session: Session, the_round: Round) -> RoundFacts:
    bank = session.get(AnswerBank, the_round.bank_id) if the_round.bank_id else None
    known = blinding_of(session, the_round)
    return RoundFacts(
        name=the_round.name, uid=the_round.uid, design=dict(the_round.design), design_sha=the_round.design_sha,
        models=tuple(the_round.models), state=the_round.state, bank=bank.name if bank else "", origin=the_round.origin,
        created_at=utc(the_round.created_at), closed_at=utc(the_round.closed_at),
        unblinded_at=utc(the_round.unblinded_at), unblinded_by=the_round.unblinded_by,
        excluded=dict(the_round.excluded), warnings=tuple(the_round.warnings), risk=dict(the_round.risk),
        blind_names=dict(known.names) if known else {},
    )


def units_of(session: Session, round_id: int, practice: bool) -> tuple[UnitText, ...]:
    """In the order in which they were made."""
    rows = session.exec(select(Unit).where(Unit.round_id == round_id).order_by(col(Unit.id))).all()
    return tuple(UnitText(row.uid, row.role, row.item_id, row.model_a, row.model_b, row.question, row.text_a,
                          row.text_b, row.sha256, dict(row.expected), row.explanation, row.shared)
                 for row in rows if practice or row.role != "practice")


def blinding_of(session: Session, the_round: Round) -> Blinding | None:
    """The names that were drawn for it; of a round that came blinded, the ones it came with."""
    if the_round.origin:
        return Blinding({name: name for name in the_round.models}, the_round.design.get("seed", 0))
    kept = session.exec(select(RatingEvent.payload).where(
        RatingEvent.round_id == the_round.id, RatingEvent.kind == BLIND_NAMES).order_by(col(RatingEvent.id))).first()
    return Blinding(kept["names"], kept["seed"]) if kept else None


def blinding_for(store: Store, round_id: int) -> Blinding:
    """The same names each time; drawn by the system's own randomness the first time."""
    with store.write() as session:
        the_round = get_round(session, round_id)
        known = blinding_of(session, the_round)
        if known is None:
            known = draw_blinding(the_round.models, SystemRandom())
            note_round(session, round_id, BLIND_NAMES, names=dict(known.names), seed=known.seed)
    return known


def utc(moment: datetime | None) -> str:
    """2026-05-01T12:00:00Z; "" for none."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else ""


def _said(session: Session, round_id: int) -> Iterable[Said]:
    rows: list[Stored] = [row for row in rating_rows_of(session, round_id) if row[3].kind != "trial"]
    newest = {rating.id for rating, _, _, _ in current(rows)}
    guesses = {guess.assignment_id: guess for guess in session.exec(
        select(BlindGuess).join(Rater).where(Rater.round_id == round_id)).all()}
    found = []
    for rating, assignment, unit, rater in rows:
        guess = guesses.get(assignment.id)
        found.append((rater.id, assignment.ordinal, rating.version, Said(
            analysis_row(rating, assignment, unit, rater), rating.version, rating.id in newest, rating.comment,
            assignment.flag, "", utc(assignment.served_at), utc(rating.created_at), guess.guess if guess else "",
            guess.sureness if guess else None)))
    found += [(rater.id, assignment.ordinal, 0, _skipped(assignment, unit, rater))
              for assignment, unit, rater in _skips(session, round_id)]
    return [said for *_, said in sorted(found, key=lambda one: one[:3])]


def _skips(session: Session, round_id: int) -> Iterable[tuple[Assignment, Unit, Rater]]:
    return session.exec(
        select(Assignment, Unit, Rater).select_from(Assignment).join(Unit, Assignment.unit_id == Unit.id)
        .join(Rater, Assignment.rater_id == Rater.id)
        .where(Rater.round_id == round_id, Rater.kind != "trial", Assignment.state == "skipped")).all()


def _skipped(assignment: Assignment, unit: Unit, rater: Rater) -> Said:
    row = RatingRow(unit.uid, unit.item_id, rater.code, assignment.role, assignment.ordinal, assignment.a_left,
                    unit.model_a, unit.model_b, kind=rater.kind)
    return Said(row, 0, True, report=assignment.flag, skip_reason=assignment.skip_reason,
                served_at=utc(assignment.served_at))


def _person(rater: Rater) -> Person:
    return Person(rater.code, rater.kind, rater.state, rater.language, utc(rater.consent_at), dict(rater.about),
                  dict(rater.closing), utc(rater.started_at), utc(rater.finished_at), rater.practice_tries)


def _happenings(session: Session, round_id: int, raters: Iterable[Rater]) -> Iterable[Happening]:
    codes = {rater.id: rater.code for rater in raters}
    places = {one: (uid, role) for one, uid, role in session.exec(
        select(Assignment.id, Unit.uid, Assignment.role).join(Unit, Assignment.unit_id == Unit.id)
        .where(Unit.round_id == round_id)).all()}
    for event in events(session, round_id):
        if event.rater_id is None or event.rater_id in codes:
            unit, role = places.get(event.assignment_id or 0, ("", ""))
            yield Happening(event.server_at.astimezone(UTC).isoformat(timespec="milliseconds"), event.kind,
                            codes.get(event.rater_id or 0, ""), unit, role, event.client_ms, dict(event.payload))
