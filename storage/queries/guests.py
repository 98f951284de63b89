"""Guest raters of the public demo: anyone may rate in the newest open round, and is marked as a guest for good."""

from __future__ import annotations

import secrets

from sqlalchemy import func
from sqlmodel import Session, col, select

from lab.core.errors import LabError
from lab.rating.design import RoundSpec
from storage.database import Store
from storage.queries.raters import invite
from storage.queries.ratings import BankSummary, banks
from storage.queries.rounds import create_round
from storage.tables.ratings import Rater, Round

GUEST_LIMIT = 500  # a round; a crawler must not fill the store
GUEST_ROUND, GUEST_QUOTA = "Open round for guests", 100


def guest_token(store: Store) -> str:
    """A link's token for a new guest. Makes a round from the newest answer bank of a job when none is open."""
    with store.read() as session:
        the_round = _newest_open(session)
        bank = next((bank for bank in banks(session) if not bank.by_hand and len(bank.models) > 1), None)
    if the_round is None:
        if bank is None:
            raise LabError("there is nothing to rate yet: the answers are still being written. Try again in a while.")
        the_round = create_round(store, guest_design(bank))
    with store.read() as session:
        count = session.exec(select(func.count(col(Rater.id))).where(
            Rater.round_id == the_round.id, Rater.kind == "guest")).one()
    if count >= GUEST_LIMIT:
        raise LabError("this round has had all the guests it can take. Thank you for wanting to help.")
    return invite(store, the_round.id, [f"guest {secrets.token_hex(4)}"], kind="guest")[0][1]


def guest_design(bank: BankSummary) -> RoundSpec:
    """A round for people who pass by: consent and instructions, then units at once. The question of the lab is answer
    against trace; other banks give their first two models."""
    by_arm = {model.arm: model.label for model in reversed(bank.models)}
    labels = [model.label for model in bank.models]
    pair = (by_arm["answer"], by_arm["trace"]) if {"answer", "trace"} <= by_arm.keys() else (labels[0], labels[1])
    return RoundSpec(name=GUEST_ROUND, bank=bank.id, models=pair, quota=GUEST_QUOTA, practice=False, guesses=0,
                     gold_every=0)


def _newest_open(session: Session) -> Round | None:
    return session.exec(select(Round).where(Round.state == "open").order_by(col(Round.id).desc())).first()
