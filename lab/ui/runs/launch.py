"""Run a benchmark from the page: one job for each chosen model, all with the same settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jobs.queue import submit
from lab.bases.cards import bases
from lab.benchmarks.specs import BenchmarkSpec
from lab.core.errors import Fault, LabError, SpecError
from lab.core.spec import load_spec
from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.components.html import failure
from lab.ui.components.markup import Html, join, tag


@dataclass(frozen=True)
class Wish:
    """What the form holds."""

    models: Sequence[str]
    benchmark: str
    values: dict[str, Any]  # generation settings and max_questions


def launch(app: LabApp, wish: Wish) -> Html:
    """Queue the runs. All are checked before the first is queued, and every fault is told."""
    try:
        if not app.may_launch:  # the button is off; a request made by hand is refused, too
            raise LabError(SPACE_SENTENCE, "spec")
        if not wish.models:
            raise SpecError([Fault("models", "choose at least one")], "benchmark")
        asked = [_values(wish, name) for name in wish.models]
        for values in asked:
            load_spec(BenchmarkSpec, values)
        jobs = [job for values in asked for job in submit(app.store, "benchmark", values).jobs]
    except LabError as problem:
        return failure(problem)
    links = join((tag("a", f"{job.id} · {job.name}", href=f"/jobs?id={job.id}") for job in jobs), ", ")
    return tag("div", tag("p", f"{len(jobs)} run{'' if len(jobs) == 1 else 's'} queued: ", links), cls="good-news")


def _values(wish: Wish, name: str) -> dict[str, Any]:
    model = name if name in bases() else f"variant:{name}"
    return {"model": model, "benchmark": wish.benchmark, **wish.values}
