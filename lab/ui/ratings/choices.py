"""What the form of a new round offers: answer banks, and the models of one as raters may meet them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.rating.design import THINKING
from lab.ui.components.health import Healths, flag_words
from storage.queries.ratings import BankModel, BankSummary, banks, thinking_kept
from storage.queries.studies import health_of

if TYPE_CHECKING:
    from storage.database import Store

Choice = tuple[str, str]


def read_banks(store: Store) -> list[BankSummary]:
    with store.read() as session:
        return banks(session)


def bank_choices(found: Sequence[BankSummary]) -> list[Choice]:
    """(label, id as text) for the form."""
    return [(f"{bank.name} · {bank.benchmark} · {bank.n_questions} questions (no. {bank.id})", str(bank.id))
            for bank in found]


def model_choices(store: Store, bank: BankSummary | None) -> tuple[list[Choice], list[str]]:
    """The faces of a bank, and those to start with: answer against trace where the bank has them."""
    if bank is None:
        return [], []
    with store.read() as session:
        healths = health_of(session, {model.label for model in bank.models})
        thinking = thinking_kept(session, bank.id)
    plain = [(f"{model.label} ({_about(model, healths)})", model.label) for model in bank.models]
    traced = [(f"{model.label} with its thinking shown", model.label + THINKING) for model in bank.models
              if model.label in thinking]
    by_arm = {model.arm: model.label for model in reversed(bank.models)}
    labels = [value for _, value in (*plain, *traced)]
    first = [by_arm["answer"], by_arm["trace"]] if {"answer", "trace"} <= by_arm.keys() else labels[:2]
    return [*plain, *traced], first


def _about(model: BankModel, healths: Healths) -> str:
    """The arm, and that something is wrong with the model: raters never see either."""
    words = flag_words(healths.get(model.label))
    return f"{model.arm}, ⚠ {words}" if words else model.arm
