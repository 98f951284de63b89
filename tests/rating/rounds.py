"""Rounds in a real store, for tests: made from the realistic bank, joined and rated without a browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlmodel import select

from lab.rating.design import RoundSpec
from lab.rating.verdicts import Verdict
from storage.database import Store
from storage.queries.next_unit import LEASE
from storage.queries.rater_entry import consent, rater_by_token, start, where
from storage.queries.rater_sessions import Served, submit
from storage.queries.raters import invite
from storage.queries.rounds import create_round
from storage.tables import Assignment, Round, now
from tests.rating.bank import MODELS, seed_bank

A, B = MODELS[0][0], MODELS[1][0]
GOOD = Verdict(3, 5, "right", visible_ms=9000)
PLAIN: dict[str, Any] = {  # nothing but units
    "practice": False, "about": False, "gold_every": 0, "repeat_share": 0, "guesses": 0, "rest_after_units": 0,
    "rest_after_min": 0, "min_seconds": 0,
}


def make_round(store: Store, n_items: int = 6, **design: Any) -> Round:
    """A round that asks for units only, unless `design` says more."""
    bank = seed_bank(store, n_items)
    return create_round(store, RoundSpec(**{"name": "Fluency", "bank": bank, "models": (A, B), "quota": 2, **PLAIN,
                                            **design}))


def join(store: Store, round_id: int, *codes: str, begin: bool = True) -> list[int]:
    """Invite raters and, unless told otherwise, take them past consent and instructions. Their ids."""
    with_tokens = invite(store, round_id, codes or ["R1"])
    with store.read() as session:
        ids = [rater_by_token(session, token)[0].id for _, token in with_tokens]
    for rater in ids if begin else ():
        consent(store, rater, agreed=True)
        start(store, rater)
    return ids


def serve(store: Store, rater: int) -> Served | None:
    """The unit that stands before the rater."""
    return where(store, rater).unit


def rate_all(store: Store, rater: int, verdict: Verdict = GOOD) -> int:
    """Rate everything that is left; how many that was."""
    count = 0
    while served := serve(store, rater):
        submit(store, rater, served.submit_key, verdict)
        count += 1
    return count


def rows_of(store: Store, table: type) -> list[Any]:
    with store.read() as session:
        return list(session.exec(select(table).order_by(table.id)).all())


def let_leases_run_out(store: Store) -> None:
    with store.write() as session:
        for assignment in session.exec(select(Assignment).where(Assignment.state == "open")).all():
            assignment.lease_until = now() - LEASE - timedelta(minutes=1)
            session.add(assignment)
