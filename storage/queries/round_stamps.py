"""What tells whether anything changed in a round: counts, each a query of milliseconds, so that a page that looks
every few seconds works its figures out anew only when there is something new."""

from __future__ import annotations

from sqlalchemy import func
from sqlmodel import Session, col, select

from storage.tables.ratings import Assignment, BlindGuess, JudgeVote, Rater, Rating, TextMeasure

Stamp = tuple[int, ...]
AWAY = ("declined", "blocked", "withdrawn", "revoked")


def round_stamp(session: Session, round_id: int) -> Stamp:
    """Of all that a round's counts, quality and results are made of."""
    mine = Rater.round_id == round_id
    ratings = session.exec(select(func.count(col(Rating.id)), func.max(Rating.id)).select_from(Rating)
                           .join(Assignment, col(Rating.assignment_id) == Assignment.id)
                           .join(Rater, col(Assignment.rater_id) == Rater.id).where(mine)).one()
    people = session.exec(select(func.count(col(Rater.id)), func.count(col(Rater.id)).filter(
        col(Rater.state).in_(AWAY))).where(mine)).one()
    marked = session.exec(select(
        func.count(col(Assignment.id)).filter(col(Assignment.surplus)),
        func.count(col(Assignment.id)).filter(col(Assignment.state) == "skipped"),
        func.count(col(Assignment.id)).filter(col(Assignment.flag) != ""),
    ).select_from(Assignment).join(Rater, col(Assignment.rater_id) == Rater.id).where(mine)).one()
    guesses = session.exec(select(func.count(col(BlindGuess.id))).select_from(BlindGuess)
                           .join(Rater, col(BlindGuess.rater_id) == Rater.id).where(mine)).one()
    votes = session.exec(select(func.count(col(JudgeVote.id))).where(JudgeVote.round_id == round_id)).one()
    measures = session.exec(select(func.count(col(TextMeasure.id)))).one()
    return (*(int(value or 0) for value in (*ratings, *people, *marked)), guesses, votes, measures)


def people_stamp(session: Session, round_id: int) -> tuple[object, ...]:
    """Of what is told of each rater beside their ratings: changes whenever somebody is seen, joins, leaves or ends."""
    rows = session.exec(select(Rater.state, func.count(col(Rater.id)), func.max(Rater.last_seen_at))
                        .where(Rater.round_id == round_id).group_by(Rater.state).order_by(Rater.state)).all()
    return tuple(value for row in rows for value in row)


def rater_counts(session: Session) -> dict[int, int]:
    """Round → how many raters it has, trials included: all that can still change in a closed one, but for its state."""
    return dict(session.exec(select(Rater.round_id, func.count(col(Rater.id))).group_by(Rater.round_id)).all())
