"""The grid of a study before it is launched: every variant with what it would train on and how long it may take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.studies.plan import plan
from lab.studies.preview import PreviewRow, preview
from lab.ui.components.html import chip, duration, number
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, Row, table
from storage.queries.jobs import list_jobs

if TYPE_CHECKING:
    from lab.studies.spec import StudySpec
    from storage.database import Store

COLUMNS = [
    Column("Variant", wide=True), Column("Rows", number=True),
    Column("Dropped", number=True, hint="rows longer than max_length, left out of every arm alike"),
    Column("Tokens", number=True, hint="of one pass over the rows"), Column("Steps", number=True),
    Column("Time", number=True, hint="an estimate, from finished jobs or the base's card"),
]


def read_grid(store: Store, spec: StudySpec) -> Html:
    """A table of every variant, and the sum in one sentence."""
    rows = preview(spec, measured_speeds(store))
    lines = [_row(row) for row in rows]
    return join([tag("p", total(rows, len(plan(spec))), cls="note"), table(COLUMNS, lines, caption="Variants")])


def measured_speeds(store: Store) -> dict[tuple[str, str], float]:
    """(base, target) → tokens per second of the newest training that succeeded here."""
    with store.read() as session:
        jobs, _ = list_jobs(session, states=("succeeded",), kinds=("sft",), sort="id", limit=500)
    return {
        (job.spec["base"], job.spec["target"]): float(job.result["tokens_per_s"])
        for job in jobs if job.result and job.result.get("tokens_per_s")
    }


def total(rows: Sequence[PreviewRow], n_jobs: int) -> str:
    """'4 variants, 10 jobs in all. Training takes about 6 min, one after the other.'"""
    broken = sum(bool(row.problem) for row in rows)
    words = f"{len(rows)} variant{'' if len(rows) == 1 else 's'}, {n_jobs} job{'' if n_jobs == 1 else 's'} in all."
    if broken:
        return f"{words} Not all of the variants can be trained as they are ({broken} cannot): see below."
    unknown = sum(row.minutes is None for row in rows)
    known = duration(60 * sum(row.minutes or 0 for row in rows))
    if unknown == len(rows):
        return f"{words} How long training takes is known once one of them has been trained here."
    more = f", and more for {unknown} whose speed is not known yet" if unknown else ", one after the other"
    return f"{words} Training takes about {known}{more}."


def _row(row: PreviewRow) -> Row:
    name = chip(row.variant, row.target)
    if row.problem:
        return Row([join([name, tag("small", row.problem, cls="bad")]), *([number(None)] * 5)])
    minutes = number(None) if row.minutes is None else duration(60 * row.minutes)
    dropped = tag("b", row.n_dropped) if row.n_dropped else 0
    return Row([name, number(row.n_rows), dropped, number(row.n_tokens), number(row.n_steps), minutes])
