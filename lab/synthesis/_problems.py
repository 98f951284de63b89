"""Carries out a problems job: reads the exam questions, looks for what is left out unasked, drives, writes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from lab.core.context import Context
from lab.core.types import Example
from lab.data.dataset import with_own_ids
from lab.data.resolving import resolve_dataset
from lab.data.split import bucket
from lab.synthesis.decontaminating import Clear, stay_clear
from lab.synthesis.driving import Driven, drive
from lab.synthesis.filtering import KEPT, ProblemsMachine, problem_of
from lab.synthesis.leaving import RowsFile, first_of, leave, named, notes_on, parent_of
from lab.synthesis.problem_yield import counts_of, dropped_rows, funnel_of
from lab.synthesis.problems import roles_of
from lab.synthesis.prompts import read_prompts
from lab.synthesis.shapes import fault_of_shape, repeated
from lab.synthesis.specs import ProblemsSpec
from lab.synthesis.spending import note_of
from lab.synthesis.teachers import open_roster

TEMPLATES = ("solve", "filter", "reformulate")


def make_problems(spec: ProblemsSpec, context: Context) -> dict[str, Any]:
    """Exam questions to two halves of problems. LabError where nothing can be asked, Stopped where it was asked to."""
    started, prompts = time.perf_counter(), read_prompts(spec.prompts)
    loaded = resolve_dataset(spec.dataset).read()
    rows = with_own_ids(first_of(loaded.rows, spec.max_items, spec.dataset))
    clear = _clear(rows, spec, context)
    machine = ProblemsMachine(spec, prompts, clear.contaminated, repeated(rows))
    with open_roster(roles_of(spec), spec, context) as roster:
        driven = drive(machine, [(row.id, row) for row in rows], roster, spec, context,
                       lambda states: {"funnel": funnel_of(states).model_dump(mode="json")})
        teachers, names = roster.described(), roster.names()
    asked = [*roles_of(spec).values(), *(source["remote_model"] for source in teachers.values())]
    notes = [*notes_on(asked, loaded.skipped, driven.n_open, driven.out_of_budget), *clear.notes,
             *note_of(driven.spent)]
    name = named(spec, spec.dataset, names["teacher"])
    told = {"name": name, "title": name, "parents": [parent_of(spec.dataset, loaded.rows)], "notes": notes}
    return {
        "datasets": leave(context.folder, _halves(driven, spec, names["teacher"]), dropped_rows(driven.states), told),
        "funnel": funnel_of(driven.states).model_dump(mode="json"), "counts": counts_of(driven.states),
        "looked_at": list(clear.looked_at), "spent": driven.spent.model_dump(mode="json"),
        "out_of_budget": driven.out_of_budget, "teachers": teachers,
        "prompts": {template: sha for template, sha in prompts.shas().items() if template in TEMPLATES},
        "seconds": time.perf_counter() - started,
    }


def _clear(rows: Sequence[Example], spec: ProblemsSpec, context: Context) -> Clear:
    if not spec.decontaminate:
        return Clear({}, (), ("Nobody looked for questions of benchmarks: decontaminate is off.",))
    context.progress(0, len(rows), "looking for questions of benchmarks")
    well_formed = [row for row in rows if not fault_of_shape(row, spec.min_words, spec.min_chars)[0]]
    clear = stay_clear(well_formed, spec.benchmarks)
    context.log(f"{len(clear.contaminated)} of {len(well_formed)} questions share text with a benchmark; looked at "
                f"{', '.join(clear.looked_at) or 'none'}")
    return clear


def _halves(driven: Driven, spec: ProblemsSpec, teacher: str) -> list[RowsFile]:
    """By the exam question's own text: it is in the same half whoever restates it."""
    kept = [state for state in driven.states if state.outcome == KEPT]
    for_rl = {state.id for state in kept if bucket(state.row.question) < round(100 * spec.rl_share)}
    rows = [(problem_of(state), {"n_asked": state.n_asked, "teacher": teacher}) for state in kept]
    return [
        RowsFile("problems-sft", "problems for supervised training",
                 [each for each in rows if each[0].id not in for_rl]),
        RowsFile("problems-rl", "problems for reinforcement", [each for each in rows if each[0].id in for_rl]),
    ]
