"""One round whole: what it is, how far it is, and, once it is closed, what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.core.errors import LabError
from lab.ui.components.health import Healths, named
from lab.ui.components.html import ago, card, fact_list, failure, note, progress_bar, state_badge
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table
from lab.ui.ratings.listing import excluded_words, warning_words
from lab.ui.ratings.outcome import outcome
from storage.queries.ratings import BankModel, RoundProgress, progress, round_models, round_results
from storage.queries.studies import health_of

if TYPE_CHECKING:
    from storage.database import Store

RATERS = [Column("Rater", wide=True), Column("Rated", number=True), Column("Skipped", number=True), Column("Last seen")]


@dataclass(frozen=True)
class Detail:
    """The blocks of one round, and what may be done with it."""

    head: Html
    results: Html
    may_invite: bool = False
    may_close: bool = False
    may_export: bool = False
    question: str = ""  # asked before closing


def read_detail(store: Store, selected: str) -> Detail:
    """The round with this number; nothing selected is an empty page part."""
    if not selected:
        return Detail(Html(""), Html(""))
    try:
        with store.read() as session:
            counts = progress(session, int(selected) if selected.isdigit() else -1)
            models = round_models(session, counts.round)
            healths = health_of(session, [model.label for model in models])
            closed = counts.round.state == "closed"
            results = outcome(round_results(session, counts.round.id), models) if closed else _locked()
    except LabError as problem:
        return Detail(failure(problem), Html(""))
    return Detail(_head(counts, models, healths), results, not closed, not closed, closed, _question(counts))


def _head(counts: RoundProgress, models: tuple[BankModel, BankModel], healths: Healths) -> Html:
    the_round = counts.round
    title = tag("div", tag("h2", the_round.name), state_badge(the_round.state), cls="round-title")
    facts = fact_list(
        [
            ("Models", tag("span", *(named(m.label, m.arm, healths) for m in models), cls="lab-chips")),
            ("Answer bank", counts.bank_name),
            ("Pairs", counts.n_units),
            ("Ratings a pair", the_round.quota),
            ("Pairs complete", f"{counts.n_complete} of {counts.n_units}"),
            ("Skipped", counts.n_skipped),
            ("Made", ago(the_round.created_at)),
            *([("Closed", ago(the_round.closed_at))] if the_round.closed_at else []),
        ]
    )
    excluded = the_round.excluded or {}
    about = join(
        [
            title,
            progress_bar(counts.n_ratings, counts.n_needed, f"{counts.n_ratings} of {counts.n_needed} ratings"),
            facts,
            excluded_words(excluded.get("pairs", {}), excluded.get("by_model", {})),
            warning_words(the_round.warnings),
        ]
    )
    return tag("div", card("", about), card("Raters", _raters(counts)), cls="lab-cards round-facts")


def _raters(counts: RoundProgress) -> Html:
    if not counts.raters:
        return note("Nobody is invited yet. A rater needs nothing but their link.")
    rows = [
        [
            f"{r.code} (guest)" if r.guest and "guest" not in r.code else r.code,
            r.n_done,
            r.n_skipped,
            ago(r.last_seen_at) if r.last_seen_at else "never",
        ]
        for r in counts.raters
    ]
    return table(RATERS, rows, caption="Raters")


def _locked() -> Html:
    return card(
        "Results",
        note(
            "Locked while the round is open: results that can be watched are results that can be waited "
            "for. Close the round to see them and to download the ratings."
        ),
    )


def _question(counts: RoundProgress) -> str:
    missing = counts.n_needed - counts.n_ratings
    state = "It has all its ratings." if missing <= 0 else f"{counts.n_ratings} of {counts.n_needed} ratings are in."
    return (
        f"Close '{counts.round.name}' for good? {state} Its links stop working and it cannot be opened again; nothing "
        "that was rated is lost."
    )
