"""Rounds in a store that tests share: each over a bank of its own."""

from __future__ import annotations

import secrets
from typing import Any

from lab.rating.design import RoundSpec
from storage.database import Store
from storage.queries.rounds import create_round
from storage.tables import Round
from tests.rating.bank import seed_bank
from tests.rating.rounds import PLAIN, A, B


def new_round(store: Store, n_items: int = 6, **design: Any) -> Round:
    """A round that asks for units only, unless `design` says more."""
    bank = seed_bank(store, n_items, secrets.token_hex(6))
    values = {"name": "Fluency", "bank": bank, "models": (A, B), "quota": 2, **PLAIN, **design}
    return create_round(store, RoundSpec(**values))
