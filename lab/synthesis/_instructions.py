"""Carries out an instructions job: reads the texts, drives the machine, writes rows, pairs and what was dropped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lab.core.context import Context
from lab.core.errors import LabError
from lab.data.jsonl import write_rows
from lab.data.made import Parent
from lab.data.pair_rows import write_pairs
from lab.data.texts import LoadedTexts, Text, resolve_texts
from lab.synthesis.driving import Driven, drive
from lab.synthesis.instructing import REQUESTS, InstructionsMachine
from lab.synthesis.instruction_yield import counts_of, dropped_rows, funnel_of
from lab.synthesis.instructions import roles_of
from lab.synthesis.leaving import DROPPED_FILE, named, notes_on, slug
from lab.synthesis.preferences import notes_of, pair_notes_of, pair_of, row_of
from lab.synthesis.prompts import Prompts, read_prompts
from lab.synthesis.specs import InstructionsSpec
from lab.synthesis.spending import note_of
from lab.synthesis.teachers import open_roster
from lab.synthesis.text_state import TextState

ROWS_FILE, PAIRS_FILE = "sft.jsonl", "pairs.jsonl"
Made = TypeVar("Made")


@dataclass(frozen=True)
class _Job:
    """What the parts of the result are written from."""

    spec: InstructionsSpec
    texts: list[Text]
    loaded: LoadedTexts
    driven: Driven  # its states are TextState
    names: Mapping[str, str]  # of the models, by role

    def parent(self) -> Parent:
        return Parent(name=self.spec.texts, sha256=LoadedTexts(self.texts).fingerprint(), rows=len(self.texts))


def make_instructions(spec: InstructionsSpec, context: Context) -> dict[str, Any]:
    """Texts to rows and pairs. Raises LabError where nothing can be asked, Stopped where the job was asked to stop."""
    started = time.perf_counter()
    loaded = resolve_texts(spec.texts).read()
    texts = loaded.rows[: spec.max_items or None]
    if not texts:
        why = ", ".join(f"{n} × {reason}" for reason, n in loaded.skipped.items()) or "it is empty"
        raise LabError(f"texts: '{spec.texts}' holds no text ({why})", "data")
    prompts = read_prompts(spec.prompts)
    with open_roster(roles_of(spec), spec, context) as roster:
        driven = drive(InstructionsMachine(spec, prompts), [(text.id, text) for text in texts], roster, spec, context,
                       lambda states: {"funnel": funnel_of(states).model_dump(mode="json")})
        teachers, names = roster.described(), roster.names()
    job = _Job(spec, texts, loaded, driven, names)
    return {
        "datasets": _write(job, context.folder), "funnel": funnel_of(driven.states).model_dump(mode="json"),
        "counts": counts_of(driven.states) | {"texts_left_out": loaded.skipped},
        "spent": driven.spent.model_dump(mode="json"), "out_of_budget": driven.out_of_budget, "teachers": teachers,
        "prompts": _shas(prompts), "seconds": time.perf_counter() - started,
    }


def _write(job: _Job, folder: Path) -> list[dict[str, Any]]:
    """The three files, and what is told of those that train; one of them may have no rows."""
    folder.mkdir(parents=True, exist_ok=True)
    states = job.driven.states
    rows, row_notes = _kept(states, row_of, lambda state: notes_of(state, job.names))
    pairs, pair_notes = _kept(states, pair_of, lambda state: pair_notes_of(state, job.names))
    write_rows(folder / ROWS_FILE, rows, row_notes)
    write_pairs(folder / PAIRS_FILE, pairs, pair_notes)
    lines = (json.dumps(line, ensure_ascii=False) + "\n" for line in dropped_rows(states))
    (folder / DROPPED_FILE).write_text("".join(lines), encoding="utf-8")
    title = named(job.spec, job.spec.texts, job.names["teacher"])
    name = slug(title)
    told = {"parents": [job.parent().model_dump()], "notes": _notes(job)}
    made = [
        {"file": ROWS_FILE, "name": f"{name}-sft", "title": f"{title}: instructions", "kind": "rows",
         "rows": len(rows)},
        {"file": PAIRS_FILE, "name": f"{name}-pairs", "title": f"{title}: pairs", "kind": "pairs",
         "rows": len(pairs)},
    ]
    return [one | told for one in made]


def _kept(
    states: Iterable[TextState], make: Callable[[TextState], Made | None], note: Callable[[TextState], dict[str, Any]]
) -> tuple[list[Made], list[dict[str, Any]]]:
    found = [(made, note(state)) for state in states if (made := make(state)) is not None]
    return [made for made, _ in found], [notes for _, notes in found]


def _notes(job: _Job) -> list[str]:
    """What a reader of the data has to know, in sentences."""
    spec, counts = job.spec, counts_of(job.driven.states)
    said = [*notes_on(roles_of(spec).values(), job.loaded.skipped, job.driven.n_open, job.driven.out_of_budget),
            *note_of(job.driven.spent)]
    if not spec.judge:
        said.append("No judge compared the pairs: the long answer is preferred unread.")
    if spec.complex_above >= 10:
        said.append("complex_above is 10: no instruction can be complex, so there are no pairs.")
    if counts["texts_cut"]:
        said.append(f"{counts['texts_cut']} texts were cut at {spec.max_text_chars} characters.")
    return said


def _shas(prompts: Prompts) -> dict[str, str]:
    used = {request.prompt for request in REQUESTS.values()}
    return {name: sha for name, sha in prompts.shas().items() if name in used}
