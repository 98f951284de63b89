"""Run a benchmark from the page: one job for each chosen model and mode, all with the same settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.queue import submit
from lab.bases.cards import bases
from lab.benchmarks.specs import REMOTE, BenchmarkSpec
from lab.core.errors import Fault, LabError, SpecError
from lab.core.spec import load_spec
from lab.reports.asked import MODES, titled
from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.components.html import failure
from lab.ui.components.markup import Html, join, tag


@dataclass(frozen=True)
class Wish:
    """What the form holds; a field left empty is not in it, so that the spec's own default stands."""

    models: Sequence[str]
    benchmark: str
    values: Mapping[str, Any]  # generation settings, thinking budget and max_questions
    modes: Sequence[str] = ("none",)
    adaptation: Mapping[str, Any] = field(default_factory=dict)  # `adapt_…` settings; of no use to mode 'none'


def wish_of(values: Sequence[Any]) -> Wish:
    """From the values of `layout.Form.values`, in their order."""
    models, benchmark, *numbers = values[:6]
    least, most, prefix, modes, dataset, *training = values[6:]
    given = dict(zip(("max_new_tokens", "max_questions", "temperature", "seed"), numbers, strict=True))
    given |= {"min_think_tokens": least, "max_think_tokens": most, "answer_prefix": prefix or None}
    adapted = dict(zip(("neighbours", "steps", "learning_rate", "scope"), training, strict=True))
    adapted["dataset"] = dataset or None
    return Wish(models or [], benchmark, _filled(given), modes or [],
                {f"adapt_{name}": value for name, value in _filled(adapted).items()})


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def launch(app: LabApp, wish: Wish) -> Html:
    """Queue the runs. All are checked before the first is queued, and every fault is told."""
    try:
        if not app.may_launch:  # the button is off; a request made by hand is refused, too
            raise LabError(SPACE_SENTENCE, "spec")
        if faults := _nothing_chosen(wish):
            raise SpecError(faults, "benchmark")
        asked = [_values(wish, name, mode) for name in wish.models for mode in sorted(wish.modes, key=_place)]
        for values in asked:
            load_spec(BenchmarkSpec, values)
        jobs = [job for values in asked for job in submit(app.store, "benchmark", values).jobs]
    except LabError as problem:
        return failure(problem)
    names = ((job.id, titled(job.name, job.spec)) for job in jobs)
    links = join((tag("a", f"{number} · {name}", href=f"/jobs?id={number}") for number, name in names), ", ")
    return tag("div", tag("p", f"{len(jobs)} run{'' if len(jobs) == 1 else 's'} queued: ", links), cls="good-news")


def _nothing_chosen(wish: Wish) -> list[Fault]:
    faults = [] if wish.models else [Fault("models", "choose at least one")]
    return faults + ([] if wish.modes else [Fault("adapt", "choose at least one; none is the model as it is")])


def _place(mode: str) -> int:
    return MODES.index(mode) if mode in MODES else len(MODES)


def _values(wish: Wish, name: str, mode: str) -> dict[str, Any]:
    model = name if name in bases() or name.startswith(REMOTE) else f"variant:{name}"
    adapted = {} if mode == "none" else {"adapt": mode, **wish.adaptation}
    return {"model": model, "benchmark": wish.benchmark, **wish.values, **adapted}
