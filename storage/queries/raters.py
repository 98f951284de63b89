"""The people of a round: invited by a link each, revoked, given a new link, deleted with all they left."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from lab.core.errors import Fault, LabError, SpecError
from storage.database import Store
from storage.queries.rating_events import note_round
from storage.queries.ratings import get_round
from storage.tables.jobs import now
from storage.tables.ratings import Assignment, BlindGuess, Rater, Rating, RatingEvent, Round

TOKEN_PREFIX = "r-"
CODE_LIMIT, INVITE_LIMIT = 40, 500


def invite(store: Store, round_id: int, codes: Iterable[str], kind: str = "invited") -> list[tuple[str, str]]:
    """Add raters by code. Returns (code, token); the token cannot be read again, only its hash is kept."""
    codes = [code.strip() for code in codes if code.strip()]
    with store.write() as session:
        the_round = get_round(session, round_id)
        _require_open(the_round)
        taken = set(session.exec(select(Rater.code).where(Rater.round_id == round_id)).all())
        faults = _code_faults(codes, taken)
        if faults:
            raise SpecError(faults, "raters")
        invited = [(code, new_token()) for code in codes]
        session.add_all(Rater(uid=secrets.token_hex(6), round_id=round_id, code=code, token_hash=token_hash(token),
                              kind=kind) for code, token in invited)
        note_round(session, round_id, "invited", n=len(invited), as_kind=kind)
    return invited


def trial_link(store: Store, round_id: int) -> str:
    """A token for the researcher's own look at the rater's page; what is done with it counts nowhere."""
    return invite(store, round_id, [f"trial {secrets.token_hex(3)}"], kind="trial")[0][1]


def new_link(store: Store, round_id: int, code: str) -> str:
    """Another token for a rater who lost theirs; the old link ends, what they rated stays."""
    with store.write() as session:
        the_round, rater = get_round(session, round_id), find_rater(session, round_id, code)
        _require_open(the_round)
        token = new_token()
        rater.token_hash = token_hash(token)
        if rater.state == "revoked":
            rater.state, rater.revoked_at = "active" if rater.started_at else "invited", None
        session.add(rater)
        note_round(session, round_id, "new link", rater=rater.uid)
    return token


def revoke(store: Store, round_id: int, code: str) -> Rater:
    """End a rater's link. What they rated stays and counts; units they hold go back to the others."""
    with store.write() as session:
        rater = find_rater(session, round_id, code)
        if rater.state != "revoked":
            rater.state, rater.revoked_at = "revoked", now()
            session.add(rater)
            give_back(session, rater)
            note_round(session, round_id, "revoked", rater=rater.uid)
    return rater


def delete_rater(store: Store, round_id: int, code: str) -> int:
    """Remove a rater and everything that came from them, for good. Returns how many ratings went; places that they had
    taken are free again. The round's trail keeps that somebody was deleted, and not who."""
    with store.write() as session:
        rater = find_rater(session, round_id, code)
        return erase(session, rater)


def erase(session: Session, rater: Rater) -> int:
    """Within the caller's transaction: every row that came from this rater."""
    own = select(Assignment.id).where(Assignment.rater_id == rater.id)
    n = session.exec(select(func.count(col(Rating.id))).where(col(Rating.assignment_id).in_(own))).one()
    session.exec(delete(RatingEvent).where(col(RatingEvent.rater_id) == rater.id))
    session.exec(delete(BlindGuess).where(col(BlindGuess.rater_id) == rater.id))
    session.exec(delete(Rating).where(col(Rating.assignment_id).in_(own)))
    session.exec(delete(Assignment).where(col(Assignment.rater_id) == rater.id))
    note_round(session, rater.round_id, "rater deleted", ratings=n)
    session.delete(rater)
    return n


def give_back(session: Session, rater: Rater) -> None:
    """Close what this rater holds: corrections count as they stood, open units go back to the others."""
    held = session.exec(select(Assignment).where(Assignment.rater_id == rater.id, Assignment.state == "open")).all()
    for assignment in held:
        rated = session.exec(select(func.count(col(Rating.id))).where(Rating.assignment_id == assignment.id)).one()
        assignment.state, assignment.lease_until = ("done" if rated else "expired"), None
        session.add(assignment)


def find_rater(session: Session, round_id: int, code: str) -> Rater:
    """By code or uid; LabError when this round has nobody of that name."""
    found = session.exec(select(Rater).where(
        Rater.round_id == round_id, (col(Rater.code) == code) | (col(Rater.uid) == code))).first()
    if found is None:
        known = session.exec(select(Rater.code).where(Rater.round_id == round_id).limit(20)).all()
        raise LabError(f"round {round_id} has no rater '{code}'. It has: {', '.join(known) or 'nobody yet'}.")
    return found


def new_token() -> str:
    """160 random bits; the prefix and the alphabet let the web server tell a token from any other path."""
    return TOKEN_PREFIX + secrets.token_hex(20)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _require_open(the_round: Round) -> None:
    if the_round.state != "open":
        raise LabError(f"round '{the_round.name}' is closed: nobody can be invited to it any more.")


def _code_faults(codes: Sequence[str], taken: set[str]) -> list[Fault]:
    faults = [] if codes else [Fault("raters", "name at least one, one a line (R1, R2 … will do)")]
    if len(codes) > INVITE_LIMIT:
        faults.append(Fault("raters", f"at most {INVITE_LIMIT} at a time (got {len(codes)})"))
    for code, count in Counter(codes).items():
        if len(code) > CODE_LIMIT:
            faults.append(Fault(code[:CODE_LIMIT], f"a rater's name has at most {CODE_LIMIT} characters", code))
        if count > 1:
            faults.append(Fault(code, f"is listed {count} times", code))
        if code in taken:
            faults.append(Fault(code, "was invited already; choose another name, or make them a new link", code))
    return faults
