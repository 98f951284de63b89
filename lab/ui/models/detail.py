"""One variant whole: where it comes from, what it was measured at, how it is, its spec, its contract, its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lab.core.errors import LabError
from lab.core.spec import to_yaml
from lab.energy.words import sentence
from lab.engine.contract import FILE as CONTRACT
from lab.ui.components.folds import fold
from lab.ui.components.health import health_figures, health_flag
from lab.ui.components.html import Row, ago, card, chip, duration, error, fact_list, link, note, number, table
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column
from lab.ui.kinds import kind_words
from lab.ui.models.listing import loss, results_cell
from storage.queries.jobs import get_job
from storage.queries.studies import get_variant, lineage
from storage.queries.variants import gone_on_from, results_of

if TYPE_CHECKING:
    from storage.database import Store
    from storage.tables import BenchmarkRun, Job, Variant

MIB = 2**20
SHOWN_SHA = 12


@dataclass(frozen=True)
class Whole:
    """What the store and the folder know of a variant. `chain`: from the base on, itself last."""

    variant: Variant
    job: Job
    chain: Sequence[Variant]
    later: Sequence[Variant]
    results: Sequence[BenchmarkRun]
    folder: Path


def read_whole(store: Store, name: str) -> Whole:
    """LabError with the nearest name when there is no such variant."""
    with store.read() as session:
        variant = get_variant(session, name)
        assert variant.id is not None
        return Whole(
            variant, get_job(session, variant.job_id), lineage(session, variant)[::-1],
            gone_on_from(session, variant.name), results_of(session, [variant]).get(variant.id, ()),
            store.home.absolute(variant.folder),
        )


def read_detail(store: Store, name: str) -> Html:
    """The whole variant; a name that is not there is told with the nearest one."""
    if not name:
        return Html("")
    try:
        whole = read_whole(store, name)
    except LabError as problem:
        return error("That variant is not here", str(problem), "The table above lists every variant.")
    cards = [
        card("What it is", fact_list(_facts(whole))), card("Health", health_figures(whole.variant.health)),
        card("Benchmarks", _results(whole)), card("Template contract", _contract(whole.folder)),
        card("Files", _files(whole.folder)), card("Spec", _spec(whole.job)),
    ]
    return tag("section", _head(whole), tag("div", *cards, cls="lab-cards"))


def _head(whole: Whole) -> Html:
    variant = whole.variant
    title = tag("h2", chip(variant.name, variant.target), " ", health_flag(variant.health))
    return tag("div", title, _lineage(whole), _later(whole.later), _links(whole), cls="lab-card variant-head")


def _lineage(whole: Whole) -> Html:
    """The base and every training since, each a link."""
    steps = [tag("li", chip(whole.chain[0].base), tag("small", "base"))]
    steps += [tag("li", link(f"/models?variant={one.name}", chip(one.name, one.target)), tag("small", one.kind))
              for one in whole.chain]
    gone = None
    if whole.chain[0].start:
        gone = tag("li", tag("small", f"{whole.chain[0].start.removeprefix('variant:')}, which is not here any more"))
    return tag("ol", steps[0], gone, *steps[1:], cls="lineage", aria_label="Lineage")


def _later(later: Sequence[Variant]) -> Html | None:
    if not later:
        return None
    named = join((link(f"/models?variant={one.name}", f"{one.name} ({one.kind})") for one in later), ", ")
    return tag("p", "Went on from it: ", named, cls="note")


def _links(whole: Whole) -> Html:
    variant = whole.variant
    models = ",".join(dict.fromkeys([variant.base, *(one.name for one in whole.chain)][-4:]))
    offered = [
        (f"/compare?models={quote(models, safe=',')}", "Compare with what it came from"),
        (f"/recipes?start=variant:{quote(variant.name)}", "Go on from this variant"),
        (f"/benchmarks?search={quote(variant.name)}", "Its benchmarks"), (f"/jobs?id={variant.job_id}", "Its job"),
    ]
    if variant.study_id:
        offered.append((f"/results?study={variant.study_id}", "Its study"))
    return tag("p", *(link(href, words) for href, words in offered), cls="variant-links")


def _facts(whole: Whole) -> list[tuple[str, object]]:
    variant, job = whole.variant, whole.job
    read, spec = job.result or {}, job.spec
    weights = "all weights" if variant.weights == "full" else f"LoRA adapter, rank {spec.get('lora_r', '–')}"
    facts: list[tuple[str, object]] = [
        ("trained by", kind_words(variant.kind)), ("weights", weights), ("base", variant.base),
        ("dataset", variant.dataset), ("seed", variant.seed), ("rows", number(variant.n_rows)),
        ("dropped as too long", number(variant.n_dropped)), ("tokens of a pass", number(variant.n_tokens)),
        ("final loss", loss(variant)), ("took", duration(variant.seconds)),
        ("thinking marked as", variant.thinking_style or "its base's card says"), ("made", ago(variant.created_at)),
    ]
    if spec.get("quantisation", "none") != "none":
        facts.insert(2, ("base held in", spec["quantisation"]))
    facts += [(words, number(read[name], 3)) for name, words in EXTRA.items()
              if isinstance(read.get(name), int | float)]
    if job.energy:
        facts.append(("energy", sentence(job.energy)))
    return facts


EXTRA = {  # figures that some kinds report besides
    "n_steps": "steps", "reward_first": "reward at the beginning", "reward_last": "reward at the end",
    "kl_last": "KL to the start at the end, nats", "eval_accuracy_before": "held-out accuracy before",
    "eval_accuracy_after": "held-out accuracy after", "margin_last": "lead of the chosen reply at the end",
}


def _results(whole: Whole) -> Html:
    if whole.results:
        return results_cell(whole.results)
    return join([note("None of its own yet."), link("/benchmarks", "Run a benchmark")])


def _contract(folder: Path) -> Html:
    """What the weights were taught through; chat, benchmarks and export refuse anything else."""
    try:
        read = json.loads((folder / CONTRACT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return note("None: it was trained before there were contracts. It loads, and nothing checks its template.")
    sha = str(read.get("template_sha256", ""))
    rendered = read.get("rendered") or {}
    facts = fact_list([("thinking style", read.get("thinking_style")), ("ends its turn with", tag("code", read["eos"])),
                       ("template", tag("code", sha[:SHOWN_SHA], title=sha))])
    shown = join(join([tag("h3", name), tag("pre", text, cls="log", tabindex=0)]) for name, text in rendered.items())
    words = note("Chat, benchmarks, answer banks, further training and export refuse a template that writes otherwise.")
    return join([facts, words, fold("contract", "What the template writes", shown) if rendered else None])


def _files(folder: Path) -> Html:
    files = sorted((file for file in folder.rglob("*") if file.is_file()), key=lambda file: -file.stat().st_size) \
        if folder.is_dir() else []
    if not files:
        return error("The weights are gone", f"There is nothing in {folder}.", "Run its job again to make them anew.")
    rows = [Row((file.relative_to(folder).as_posix(), size_words(file.stat().st_size))) for file in files[:12]]
    more = note(f"and {len(files) - 12} more") if len(files) > 12 else None
    whole = sum(file.stat().st_size for file in files)
    listed = tag("div", table([Column("File", wide=True), Column("Size", number=True)], rows, caption="Files"),
                 cls="files-list")
    return join([tag("p", tag("code", folder), f" · {size_words(whole)} in all"), listed, more])


def size_words(n_bytes: int) -> str:
    """'12.3 MiB'."""
    return f"{n_bytes / MIB:.1f} MiB" if n_bytes >= MIB / 10 else f"{n_bytes / 1024:.1f} KiB"


def _spec(job: Job) -> Html:
    copy = tag("button", "Copy", type="button", data_copy="#variant-spec", cls="button-link")
    given: dict[str, Any] = job.spec_given or job.spec
    text = tag("pre", to_yaml(job.kind, given), cls="log", id="variant-spec", tabindex=0)
    return join([note(join(["Save it as recipe.yaml, then: ", tag("code", "python -m jobs submit recipe.yaml")])), text,
                 copy])
