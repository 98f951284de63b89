"""The table of variants, twenty rows at a time: what each is, what it was measured at, and whether it is well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.energy.words import kwh_words
from lab.ui.components.health import health_state
from lab.ui.components.html import Column, Row, ago, chip, empty, interval_bar, number, percent, table
from lab.ui.components.markup import Html, join, tag
from lab.ui.runs.listing import position
from storage.queries.variants import (
    WantedVariants,
    energy_of,
    page_of_variants,
    results_of,
    targets_of,
    variant_choices,
)

if TYPE_CHECKING:
    from storage.database import Store
    from storage.tables import BenchmarkRun, Variant

PAGE_ROWS = 20
SORTS = {"Newest first": "newest", "Oldest first": "oldest", "Name": "name", "Lowest loss": "loss",
         "Most rows": "rows"}
COLUMNS = [
    Column("Variant", wide=True), Column("Began from"),
    Column("Rows", number=True, hint="read, and dropped as too long"),
    Column("Loss", number=True, hint="of training, at the end"),
    Column("Benchmarks", hint="accuracy with its 95 % interval; the newest run of each"),
    Column("Health", hint="does it still answer: asked after training"), Column("Energy", number=True), Column("Made"),
]
SHORT = {"sft": "SFT", "dpo": "DPO", "ppo": "PPO", "grpo": "GRPO", "rloo": "RLOO"}
MOST_RESULTS = 3


@dataclass(frozen=True)
class View:
    """What the reader chose to see; it is kept in the page's address."""

    wanted: WantedVariants = WantedVariants()
    page: int = 1

    @property
    def filtered(self) -> bool:
        wanted = self.wanted
        return bool(wanted.search.strip() or wanted.base or wanted.kind or wanted.target)


@dataclass(frozen=True)
class Listing:
    """The table, where it stands in the whole, and how many pages there are."""

    html: Html
    position: Html
    n_pages: int


@dataclass(frozen=True)
class _Facts:
    """What is known of the variants of one page, by number or name."""

    results: Mapping[int, Sequence[BenchmarkRun]]
    energy: Mapping[int, Mapping[str, Any]]
    targets: Mapping[str, str]


def read_listing(store: Store, view: View, selected: str = "") -> Listing:
    """One page of variants, with the chosen one marked."""
    with store.read() as session:
        variants, total = page_of_variants(session, view.wanted, (view.page - 1) * PAGE_ROWS, PAGE_ROWS)
        starts = {variant.start.removeprefix("variant:") for variant in variants if variant.start}
        facts = _Facts(results_of(session, variants), energy_of(session, variants), targets_of(session, starts))
    n_pages = max(1, -(-total // PAGE_ROWS))
    if not variants:
        return Listing(_nothing(view), Html(""), n_pages)
    rows = [_row(variant, facts, variant.name == selected) for variant in variants]
    return Listing(table(COLUMNS, rows, caption="Variants"), position(view.page, PAGE_ROWS, len(rows), total), n_pages)


def _nothing(view: View) -> Html:
    if view.filtered:
        return empty("No variant matches", "Choose another base, kind or arm, or search for less.", "/models",
                     "Show all variants")
    return empty("No variant yet", "Every training that succeeds leaves one here: with its lineage, its health and its "
                 "results, ready to compare, to go on from and to export.", "/recipes", "Choose a recipe")


def _row(variant: Variant, facts: _Facts, selected: bool) -> Row:
    assert variant.id is not None
    name = join([chip(variant.name, variant.target), tag("small", _about(variant))])
    cells = [
        name, _start(variant, facts.targets), rows_cell(variant), loss(variant),
        results_cell(facts.results.get(variant.id, ())), health_state(variant.health),
        _energy(facts.energy.get(variant.id)), ago(variant.created_at),
    ]
    return Row(cells, href=f"/models?variant={variant.name}", selected=selected)


def _about(variant: Variant) -> str:
    style = f" · marks: {variant.thinking_style}" if variant.thinking_style else ""
    return f"{SHORT.get(variant.kind, variant.kind)} · {variant.base} · {variant.dataset}{style}"


def _start(variant: Variant, targets: Mapping[str, str]) -> Html:
    if not variant.start:
        return tag("span", "the base", cls="missing")
    name = variant.start.removeprefix("variant:")
    return tag("a", chip(name, targets.get(name, "base")), href=f"/models?variant={name}")


def rows_cell(variant: Variant) -> Html:
    """Rows read and dropped."""
    dropped = tag("small", f"{variant.n_dropped:,} dropped".replace(",", "\u202f")) if variant.n_dropped else None
    return join([number(variant.n_rows), dropped])


def loss(variant: Variant) -> Html:
    """Of the end of training; reinforcement learning has none that says anything."""
    return tag("span", f"{variant.final_loss:.3g}", cls="figure") if variant.final_loss is not None else number(None)


def results_cell(runs: Sequence[BenchmarkRun]) -> Html:
    """Accuracy with its interval and n, a line for each benchmark."""
    if not runs:
        return tag("span", "none yet", cls="missing")
    more = tag("small", f"and {len(runs) - MOST_RESULTS} more") if len(runs) > MOST_RESULTS else None
    return join([*map(_result, runs[:MOST_RESULTS]), more])


def _result(run: BenchmarkRun) -> Html:
    reach = f"{run.benchmark} · {100 * run.ci_low:.0f} to {100 * run.ci_high:.0f} · n {run.n}"
    return tag("span", tag("b", percent(run.accuracy)), " ",
               interval_bar(run.ci_low, run.accuracy, run.ci_high, run.arm), tag("small", reach), cls="bench")


def _energy(energy: Mapping[str, Any] | None) -> Html:
    if not energy or "kwh" not in energy:
        return number(None)
    amount, _, reach = kwh_words(energy).partition(" (")
    return join([tag("span", amount, cls="figure"), tag("small", reach.rstrip(")"))])


def filter_choices(store: Store) -> dict[str, list[tuple[str, str]]]:
    """(label, value) for the page's filters, 'all' first."""
    with store.read() as session:
        found = variant_choices(session)
    words = {"base": "All bases", "kind": "All kinds", "target": "All arms"}
    return {name: [(words[name], ""), *((SHORT.get(value, value), value) for value in found[name])] for name in words}
