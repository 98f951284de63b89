"""Raters of another lab as rows of this one: who they are there, and what of them is known here already.

A rater keeps the uid they had there, so that the same votes come once; nobody can enter here as them.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import func
from sqlmodel import Session, col, select

from lab.core.errors import LabError
from lab.rating.files.sent_votes import SentVotes
from storage.queries.raters import CODE_LIMIT, token_hash
from storage.tables.ratings import Rater, RatingEvent, Round, Unit

KIND = "sent"
MANY = 500  # values of one query
Units = Mapping[str, tuple[Unit, bool]]  # uid → the unit here, and whether its texts had changed places there


@dataclass(frozen=True)
class Intake:
    """A bundle on its way in. `trail`: events of each sent rater that are here already."""

    session: Session
    round: Round
    sent: SentVotes
    units: Units
    trail: Counter[str]

    @cached_property
    def older(self) -> set[str]:
        """Raters of whom more is known than is sent: a trail only ever grows, so this file is an older one."""
        sent = Counter(event.rater for event in self.sent.events)
        return {uid for uid, known in self.trail.items() if sent[uid] < known}


def trail_of(session: Session, the_round: Round) -> Counter[str]:
    rows = session.exec(select(Rater.uid, func.count(col(RatingEvent.id))).join(
        RatingEvent, RatingEvent.rater_id == Rater.id).where(Rater.round_id == the_round.id, Rater.kind == KIND)
        .group_by(Rater.uid)).all()
    return Counter(dict(rows))


def sent_raters(intake: Intake) -> dict[str, Rater]:
    session, the_round, sent = intake.session, intake.round, intake.sent.raters
    known = {rater.uid: rater for part in parts([one.uid for one in sent])
             for rater in session.exec(select(Rater).where(col(Rater.uid).in_(part))).all()}
    codes = set(session.exec(select(Rater.code).where(Rater.round_id == the_round.id)).all())
    for one in sent:
        rater = known.get(one.uid)
        if rater is None:
            rater = known[one.uid] = Rater(uid=one.uid, round_id=the_round.id, kind=KIND, code=_free(codes, one.code),
                                           token_hash=token_hash(secrets.token_hex(32)))  # of nothing anybody has
            codes.add(rater.code)
        elif rater.round_id != the_round.id or rater.kind != KIND:
            raise LabError(f"rater '{one.code}' of the votes is somebody of this lab: nothing is taken in.")
        if one.uid not in intake.older:
            for name, value in one.model_dump(exclude={"uid", "code"}).items():
                setattr(rater, name, value)
        session.add(rater)
    session.flush()
    return known


def _free(taken: set[str], code: str) -> str:
    """The code they had; 'sent …' before it where somebody here has that one."""
    tries = [code, f"sent {code}", *(f"sent {number} {code}" for number in range(2, len(taken) + 3))]
    return next(one[:CODE_LIMIT] for one in tries if one[:CODE_LIMIT] not in taken)


def parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), MANY):
        yield values[start:start + MANY]
