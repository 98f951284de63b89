"""Who holds a link, where they stand, and the steps around the units: consent, about you, instructions, pauses, the
end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlmodel import Session, select

from lab.core.errors import Fault, LabError, SpecError
from lab.rating.design import RoundSpec, stored
from lab.rating.flow import Stage, Standing, stage_of
from lab.rating.wording import Question, wording
from storage.database import Store
from storage.queries.guessing import GuessUnit, n_guessable, n_guesses, next_guess
from storage.queries.next_unit import Sight, expire_leases, look
from storage.queries.practice import PracticeServed, next_practice
from storage.queries.rater_sessions import Served, open_round, serve, undoable
from storage.queries.raters import erase, give_back, token_hash
from storage.queries.rating_events import note
from storage.tables.jobs import now
from storage.tables.ratings import Rater, Round

AWAY = timedelta(minutes=10)  # somebody who comes back after so long has had their pause
TEXT_LIMIT = 2000


@dataclass(frozen=True)
class Here:
    """Where a rater stands and what their screen shows. Nothing in it names a model or a role."""

    stage: Stage
    design: RoundSpec
    language: str  # of the page; "": as the browser asks
    n_done: int = 0
    n_total: int = 0  # units to expect, at the beginning
    unit: Served | None = None
    practice: PracticeServed | None = None
    guess: GuessUnit | None = None
    can_undo: bool = False
    trial: bool = False


def rater_by_token(session: Session, token: str) -> tuple[Rater, Round] | None:
    """The rater whose link this is, with their round."""
    rater = session.exec(select(Rater).where(Rater.token_hash == token_hash(token))).first()
    return None if rater is None else (rater, session.get(Round, rater.round_id))


def where(store: Store, rater_id: int) -> Here:
    """The rater's place, the unit they hold or are given next included."""
    with store.write() as session:
        rater = session.get(Rater, rater_id)
        if rater is None:
            raise LabError("this link is not known")
        the_round = session.get(Round, rater.round_id)
        design = stored(the_round.design)
        _seen(session, rater)
        expire_leases(session, the_round.id)
        sight = look(session, rater, design)
        at = _standing(sight, the_round)
        stage, unit = stage_of(at, design), None
        if stage == "rate":
            unit = serve(session, sight, the_round)
        if stage == "rate" and unit is None or stage == "rest" and not sight.n_held + sight.n_free:
            stage = stage_of(_at_the_end(session, at, sight), design)
        return _here(session, sight, stage, unit)


def consent(store: Store, rater_id: int, agreed: bool) -> None:
    """Note that the rater agrees to the round's text, or does not: then nothing of theirs is ever asked or stored."""
    with store.write() as session:
        rater, _, design = open_round(session, rater_id, agreed=False)
        if agreed:
            rater.consent_at, rater.consent_sha = rater.consent_at or now(), design.consent_sha
            rater.state = "active"
        else:
            rater.state = "declined"
        session.add(rater)
        note(session, rater, "consent" if agreed else "declined", version=design.consent_version)


def tell_about(store: Store, rater_id: int, answers: Mapping[str, Any]) -> None:
    """Keep the answers to the background questions. SpecError with every question that is open or answered oddly."""
    with store.write() as session:
        rater, _, design = open_round(session, rater_id)
        rater.about = _checked(wording(design.language).background, answers)
        session.add(rater)
        note(session, rater, "about")


def start(store: Store, rater_id: int) -> None:
    """Note that the rater has read the instructions."""
    with store.write() as session:
        rater, _, _ = open_round(session, rater_id)
        if rater.started_at is None:
            rater.started_at = rater.rested_at = now()
            rater.state = "active"
            note(session, rater, "start")
        session.add(rater)


def rest(store: Store, rater_id: int, resumed: bool) -> None:
    """A pause begins (the unit that is held goes back politely) or ends."""
    with store.write() as session:
        rater, _, _ = open_round(session, rater_id)
        if not resumed:
            give_back(session, rater)
        rater.rested_at = now()
        session.add(rater)
        note(session, rater, "resume" if resumed else "rest")


def close_up(store: Store, rater_id: int, answers: Mapping[str, Any]) -> None:
    """Keep the answers to the closing questions; the rater is done."""
    with store.write() as session:
        rater, _, design = open_round(session, rater_id)
        rater.closing = {"answered": True, **_checked(wording(design.language).closing, answers)}
        rater.finished_at, rater.state = now(), "done"
        session.add(rater)
        note(session, rater, "finished")


def choose_language(store: Store, rater_id: int, language: str) -> None:
    """Of the page's own words. What the round says stays as it was written."""
    wording(language)  # raises for one that is not there
    with store.write() as session:
        rater, _, _ = open_round(session, rater_id, agreed=False)
        rater.language = language
        session.add(rater)


def withdraw(store: Store, rater_id: int, keep: bool) -> int:
    """The rater leaves for good: what they rated stays, or goes with everything else of theirs. Returns how many
    ratings went."""
    with store.write() as session:
        rater, _, _ = open_round(session, rater_id, agreed=False)
        if not keep:
            return erase(session, rater)
        give_back(session, rater)
        rater.state = "withdrawn"
        session.add(rater)
        note(session, rater, "withdrawn")
        return 0


def _seen(session: Session, rater: Rater) -> None:
    away = rater.last_seen_at is not None and now() - rater.last_seen_at > AWAY
    if away and rater.rested_at is not None:
        rater.rested_at = now()
    rater.last_seen_at = now()
    session.add(rater)


def _standing(sight: Sight, the_round: Round) -> Standing:
    rater = sight.rater
    since = rater.rested_at or rater.started_at
    n_since = sum(one.state == "done" and one.done_at > since for one in sight.own) if since else 0
    return Standing(
        state=rater.state, round_open=the_round.state == "open", consented=rater.consent_at is not None,
        told_about=bool(rater.about), started=rater.started_at is not None, practised=rater.practised_at is not None,
        n_since_rest=n_since, minutes_since_rest=(now() - since).total_seconds() / 60 if since else 0,
        anything_left=True, n_guesses=0, n_guessable=0, closed_up=bool(rater.closing),
    )


def _at_the_end(session: Session, at: Standing, sight: Sight) -> Standing:
    """What only matters once no unit is left."""
    return replace(at, anything_left=False, n_guesses=n_guesses(session, sight.rater),
                   n_guessable=n_guessable(session, sight.rater, sight.design))


def _here(session: Session, sight: Sight, stage: Stage, unit: Served | None) -> Here:
    rater, design, done = sight.rater, sight.design, sight.n_done
    counted = stage in ("consent", "instructions", "rest")
    return Here(
        stage, design, rater.language, n_done=done, n_total=done + sight.n_held + sight.n_free if counted else 0,
        unit=unit,
        practice=next_practice(session, rater, design) if stage == "practice" else None,
        guess=next_guess(session, rater, design) if stage == "guess" else None,
        can_undo=stage in ("guess", "closing", "end") and undoable(session, rater) is not None,
        trial=rater.kind == "trial",
    )


def _checked(questions: tuple[Question, ...], answers: Mapping[str, Any]) -> dict[str, str]:
    """Only what was asked, whole; anything else a browser sends is left."""
    faults, kept = [], {}
    for question in questions:
        given = str(answers.get(question.name) or "").strip()
        allowed = [choice.value for choice in question.choices]
        if not given:
            if allowed:  # what is asked in free words may stay open
                faults.append(Fault(question.name, "is still open"))
        elif allowed and given not in allowed:
            faults.append(Fault(question.name, f"should be one of {', '.join(allowed)}", given))
        elif len(given) > TEXT_LIMIT:
            faults.append(Fault(question.name, f"should have at most {TEXT_LIMIT} characters"))
        else:
            kept[question.name] = given
    if faults:
        raise SpecError(faults, "answers")
    return kept
