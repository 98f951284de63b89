"""Carries out a reasoning job: reads the problems, drives the search, writes what was found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from lab.core.context import Context
from lab.data.dataset import Loaded, with_own_ids
from lab.data.jsonl import read_jsonl
from lab.data.resolving import resolve_dataset
from lab.synthesis.driving import drive
from lab.synthesis.found_rows import Form, notes_of, row_of
from lab.synthesis.leaving import RowsFile, first_of, leave, named, notes_on, parent_of
from lab.synthesis.prompts import read_prompts
from lab.synthesis.reasoning import roles_of
from lab.synthesis.search import SOLVED, ReasoningMachine
from lab.synthesis.search_state import SearchState
from lab.synthesis.search_yield import counts_of, dropped_rows, funnel_of
from lab.synthesis.specs import RULE, ReasoningSpec
from lab.synthesis.spending import note_of
from lab.synthesis.teachers import open_roster

JOB = "job:"
TEMPLATES = ("think", "verify", "rethink", "naturalise", "respond")
SHOWN = ("label_shown",)
OF_ABLATION = ("simple", "direct")


def make_reasoning(spec: ReasoningSpec, context: Context) -> dict[str, Any]:
    """Problems to reasoning. LabError where nothing can be asked, Stopped where the job was asked to stop."""
    started, prompts = time.perf_counter(), read_prompts(spec.prompts)
    loaded = _problems(spec, context)
    rows = with_own_ids(first_of(loaded.rows, spec.max_items, spec.problems))
    roles = roles_of(spec)
    with open_roster(roles, spec, context) as roster:
        driven = drive(ReasoningMachine(spec, prompts), [(row.id, row) for row in rows], roster, spec, context,
                       lambda states: {"funnel": funnel_of(states, spec.ablation).model_dump(mode="json")})
        teachers, names = roster.described(), roster.names()
    asked = [*roles.values(), *(source["remote_model"] for source in teachers.values())]
    notes = [*notes_on(asked, loaded.skipped, driven.n_open, driven.out_of_budget),
             *_notes(spec, driven.states), *note_of(driven.spent)]
    name = named(spec, spec.problems.replace(":", "-"), names["teacher"])
    told = {"name": name, "title": name, "parents": [parent_of(spec.problems, loaded.rows)], "notes": notes}
    files = _files(spec, driven.states, names["teacher"])
    return {
        "datasets": leave(context.folder, files, dropped_rows(driven.states), told),
        "funnel": funnel_of(driven.states, spec.ablation).model_dump(mode="json"), "counts": counts_of(driven.states),
        "spent": driven.spent.model_dump(mode="json"), "out_of_budget": driven.out_of_budget, "teachers": teachers,
        "prompts": {template: sha for template, sha in prompts.shas().items() if template in _templates(spec)},
        "seconds": time.perf_counter() - started,
    }


def _problems(spec: ReasoningSpec, context: Context) -> Loaded:
    """Rows of a dataset, or of the half for supervised training that a problems job has left."""
    if spec.problems.startswith(JOB):
        return Loaded(read_jsonl(context.file(spec.problems)))
    return resolve_dataset(spec.problems).read()


def _files(spec: ReasoningSpec, states: Sequence[SearchState], teacher: str) -> list[RowsFile]:
    def file(stem: str, title: str, form: Form, of: Sequence[SearchState]) -> RowsFile:
        return RowsFile(stem, title, [(row_of(state, form), notes_of(state, form, teacher)) for state in of])

    files = [file("complex", "complex chains of thought", "complex", [state for state in states if state.confirmed])]
    if spec.ablation:
        matched = [state for state in states if state.outcome == SOLVED]
        files += [file("complex-matched", "complex, of the matched problems", "complex", matched),
                  file("simple", "simple chains of thought", "simple", matched),
                  file("direct", "direct answers", "direct", matched)]
    return files


def _notes(spec: ReasoningSpec, states: Sequence[SearchState]) -> list[str]:
    shown = sum(state.confirmed and state.provenance == "label_shown" for state in states)
    said = [f"Of {shown} rows the true answer was shown to the teacher: provenance is label_shown."] if shown else []
    if spec.verifier == RULE:
        said.append("Conclusions were verified by each problem's own rule, not by a model.")
    return said


def _templates(spec: ReasoningSpec) -> tuple[str, ...]:
    return (*TEMPLATES, *(SHOWN if spec.show_label else ()), *(OF_ABLATION if spec.ablation else ()))
