"""A round on its way to another lab, and its votes on their way home.

Home sends the round without the names of its models; the other lab invites people of its own, and sends what they rated
as often as it likes. Home keeps who is who.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from sqlmodel import Session, col, select

from lab.core.errors import LabError
from lab.rating.files.bundle import pack
from lab.rating.files.sent_round import round_bundle
from lab.rating.files.sent_votes import SentAssignment, SentEvent, SentRater, SentRating, SentVotes, votes_bundle
from storage.database import Store
from storage.queries.rating_contents import blinding_for, round_facts, units_of
from storage.queries.rating_events import events
from storage.queries.ratings import get_round
from storage.tables.ratings import Assignment, BlindGuess, Rater, Rating, Round, Unit

Place = tuple[Assignment, str]  # what was given, and its unit's uid


def to_send(store: Store, round_id: int) -> bytes:
    """The blinded round for another lab: design and units, no names, no raters. LabError for one that is closed or came
    from elsewhere itself."""
    with store.read() as session:
        the_round = get_round(session, round_id)
        if the_round.origin:
            raise LabError(f"round '{the_round.name}' came from another lab: its votes are sent home, not the round.")
        if the_round.state != "open":
            raise LabError(f"round '{the_round.name}' is closed: votes from elsewhere could not come home any more.")
        facts, units = round_facts(session, the_round), units_of(session, round_id, practice=True)
    return pack(round_bundle(facts, units, blinding_for(store, round_id)))


def votes(store: Store, round_id: int) -> bytes:
    """What was rated here of a round that came from another lab, for that lab. Raters on trial are left out."""
    with store.read() as session:
        the_round = get_round(session, round_id)
        if not the_round.origin:
            raise LabError(f"round '{the_round.name}' is this lab's own: there is nobody to send its votes to. Export "
                           "it instead.")
        return pack(votes_bundle(_votes(session, the_round)))


def send_name(the_round: Round) -> str:
    return f"round-{the_round.id}-to-send.zip"


def votes_name(the_round: Round) -> str:
    return f"round-{the_round.id}-votes.zip"


def _clean(value: Any) -> Any:
    """Without NULs: SQLite keeps them in what a browser sent, PostgreSQL and other labs do not."""
    if isinstance(value, dict):
        return {_clean(name): _clean(one) for name, one in value.items()}
    return value.replace("\0", "") if isinstance(value, str) else value


def _votes(session: Session, the_round: Round) -> SentVotes:
    raters = {rater.id: rater for rater in session.exec(
        select(Rater).where(Rater.round_id == the_round.id, Rater.kind != "trial").order_by(col(Rater.id))).all()}
    rows = session.exec(
        select(Assignment, Unit.uid, Unit.sha256).join(Unit, Assignment.unit_id == Unit.id)
        .where(col(Assignment.rater_id).in_(raters)).order_by(col(Assignment.id))).all()
    places = {given.id: (given, uid) for given, uid, _ in rows}
    return SentVotes(
        the_round.uid, {uid: sha for _, uid, sha in rows}, tuple(_rater(rater) for rater in raters.values()),
        tuple(_assignments(session, list(places.values()), raters)),
        tuple(_events(session, the_round, raters, places)),
    )


def _rater(rater: Rater) -> SentRater:
    return SentRater(
        uid=rater.uid, code=rater.code, state=rater.state, language=rater.language, consent_at=rater.consent_at,
        consent_sha=rater.consent_sha, about=_clean(rater.about), closing=_clean(rater.closing),
        started_at=rater.started_at, practice_tries=rater.practice_tries, practised_at=rater.practised_at,
        finished_at=rater.finished_at,
    )


def _assignments(session: Session, places: list[Place], raters: dict[int, Rater]) -> Iterable[SentAssignment]:
    versions: dict[int, list[Rating]] = {}
    for rating in session.exec(select(Rating).join(Assignment).where(col(Assignment.rater_id).in_(raters))
                               .order_by(col(Rating.version))).all():
        versions.setdefault(rating.assignment_id, []).append(rating)
    guesses = {guess.assignment_id: guess for guess in session.exec(
        select(BlindGuess).where(col(BlindGuess.rater_id).in_(raters))).all()}
    for given, uid in places:
        ratings, guess = versions.get(given.id, []), guesses.get(given.id)
        yield SentAssignment(
            rater=raters[given.rater_id].uid, unit=uid, role=given.role, attempt=given.attempt, ordinal=given.ordinal,
            a_left=given.a_left, state=_state(given, ratings), skip_reason=given.skip_reason, flag=_clean(given.flag),
            served_count=given.served_count, served_at=given.served_at, done_at=given.done_at,
            guess=guess.guess if guess else "", sureness=guess.sureness if guess else None,
            ratings=tuple(_rating(rating) for rating in ratings),
        )


def _state(given: Assignment, ratings: list[Rating]) -> Literal["done", "skipped", "expired"]:
    """At home nobody holds a unit of another lab's rater: what is open here takes no place there."""
    if ratings:
        return "done"
    return "skipped" if given.state == "skipped" else "expired"


def _rating(rating: Rating) -> SentRating:
    return SentRating(
        key=rating.submit_key, version=rating.version, fluency_left=rating.fluency_left,
        fluency_right=rating.fluency_right, preference=rating.preference, criteria=rating.criteria,
        comment=_clean(rating.comment), visible_ms=rating.visible_ms, total_ms=rating.total_ms,
        n_changes=rating.n_changes, at=rating.created_at,
    )


def _events(
    session: Session, the_round: Round, raters: dict[int, Rater], places: dict[int, Place]
) -> Iterable[SentEvent]:
    for event in events(session, the_round.id):
        rater = raters.get(event.rater_id or 0)
        if rater is None:
            continue
        given, unit = places.get(event.assignment_id or 0, (None, ""))
        yield SentEvent(rater=rater.uid, kind=event.kind, at=event.server_at, unit=unit,
                        role=given.role if given else "", attempt=given.attempt if given else 1,
                        client_ms=event.client_ms, payload=_clean(event.payload))
