"""The list of rounds, and what the form for a new one offers and warns of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.core.errors import LabError
from lab.ui.components.health import Healths, flag_words, named
from lab.ui.components.html import empty, failure, progress_bar, state_badge
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, Row, table
from storage.queries.ratings import BankModel, BankSummary, banks, list_rounds, progress, round_models
from storage.queries.rounds import preview_round
from storage.queries.studies import health_of

if TYPE_CHECKING:
    from lab.rating.blinding import Pairing
    from storage.database import Store

ROUNDS_SHOWN = 50
COLUMNS = [
    Column("Round", wide=True),
    Column("Models"),
    Column("Ratings"),
    Column("Raters", number=True),
    Column("State"),
]


def read_listing(store: Store, selected: str) -> Html:
    """All rounds, newest first, the selected one marked."""
    with store.read() as session:
        rounds = list_rounds(session)[:ROUNDS_SHOWN]
        rows = []
        healths = health_of(session, {label for each in rounds for label in (each.model_a, each.model_b)})
        for the_round in rounds:
            counts = progress(session, the_round.id)
            pair = round_models(session, the_round)
            models = tag("div", *(named(m.label, m.arm, healths) for m in pair), cls="lab-chips")
            done = progress_bar(counts.n_ratings, counts.n_needed, f"{counts.n_ratings} of {counts.n_needed}")
            cells = [the_round.name, models, done, len(counts.raters), state_badge(the_round.state)]
            rows.append(Row(cells, href=f"/ratings?round={the_round.id}", selected=str(the_round.id) == selected))
        offered = bool(rows) or bool(banks(session))
    if rows:
        return table(COLUMNS, rows, caption="Rounds")
    if offered:
        return empty(
            "No round yet",
            "A round shows raters the answers of two models side by side, without their names. "
            "Make the first one below.",
        )
    return empty(
        "Nothing to rate yet",
        "A round needs an answer bank: the frozen answers of two or more models to the same "
        "questions. The demo study makes one by itself; so does every study with the answer bank switched on.",
        "/jobs",
        "See what runs",
    )


def read_banks(store: Store) -> list[BankSummary]:
    with store.read() as session:
        return banks(session)


def bank_choices(found: list[BankSummary]) -> list[tuple[str, str]]:
    """(label, id as text) for the form."""
    return [
        (f"{bank.name} · {bank.benchmark} · {bank.n_questions} questions (no. {bank.id})", str(bank.id))
        for bank in found
    ]


def model_choices(
    found: list[BankSummary], bank_id: str, healths: Healths | None = None
) -> tuple[list[tuple[str, str]], str | None, str | None]:
    """Models of one bank, and the pair to start with: answer against trace where the bank has them."""
    bank = next((bank for bank in found if str(bank.id) == bank_id), None)
    if bank is None:
        return [], None, None
    by_arm = {model.arm: model.label for model in reversed(bank.models)}
    labels = [model.label for model in bank.models]
    first, second = (by_arm["answer"], by_arm["trace"]) if {"answer", "trace"} <= by_arm.keys() else labels[:2]
    return [(f"{model.label} ({_about(model, healths or {})})", model.label) for model in bank.models], first, second


def _about(model: BankModel, healths: Healths) -> str:
    """The arm, and that something is wrong with the model: raters never see either."""
    words = flag_words(healths.get(model.label))
    return f"{model.arm}, ⚠ {words}" if words else model.arm


def read_healths(store: Store, found: list[BankSummary]) -> Healths:
    """What is known of the health of every model of these banks."""
    with store.read() as session:
        return health_of(session, {model.label for bank in found for model in bank.models})


def read_preview(
    store: Store, bank_id: str | None, model_a: str | None, model_b: str | None, quota: float | None
) -> Html:
    """What a round of these two models would be, before it is made."""
    if not (bank_id and model_a and model_b):
        return Html("")
    try:
        with store.read() as session:
            return pairing_words(preview_round(session, int(bank_id), model_a, model_b), int(quota or 0))
    except LabError as problem:
        return failure(problem)


def pairing_words(pairing: Pairing, quota: int) -> Html:
    """Usable pairs, what is left out, and the leak scan."""
    n = len(pairing.pairs)
    usable = tag(
        "p", tag("b", f"{n} usable pair{'' if n == 1 else 's'}"), f": {n * quota} ratings to collect" if quota else ""
    )
    return join([usable, excluded_words(pairing.excluded, pairing.by_model), warning_words(pairing.warnings)])


def excluded_words(excluded: dict[str, int], by_model: dict[str, dict[str, int]]) -> Html:
    """What was left out and why; how often each model failed is a result of its own."""
    if not excluded:
        return tag("p", "No pair had to be left out.", cls="note")
    reasons = ", ".join(f"{count} {reason}" for reason, count in excluded.items())
    models = [
        f"{model}: {', '.join(f'{count} {reason}' for reason, count in counts.items())}"
        for model, counts in by_model.items()
        if counts
    ]
    left_out = f"Left out: {reasons}." + (f" Answers that cannot be rated: {'; '.join(models)}." if models else "")
    return tag("p", left_out, cls="note")


def warning_words(warnings: list[str] | tuple[str, ...]) -> Html:
    """What may give a model away to a rater."""
    if not warnings:
        return tag("p", "The leak scan found nothing that tells the models apart.", cls="note")
    title = f"Leak scan: {len(warnings)} thing{'' if len(warnings) == 1 else 's'} may unblind raters"
    return tag("div", tag("b", title), tag("ul", *(tag("li", text) for text in warnings)), cls="caution")
