"""Leaving: the files of a synthesis of problems or reasoning, and what its result tells of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from lab.core.task import Needs
from lab.core.types import Example
from lab.data.dataset import fingerprint
from lab.data.jsonl import write_rows
from lab.data.made import Parent
from lab.data.resolving import label
from lab.synthesis.specs import EMBEDDED, RULE, TeacherSettings

DROPPED_FILE = "dropped.jsonl"
BY_EMBEDDED = "Written by the embedded teacher: a script for the lab's demo problems, no language model."


@dataclass(frozen=True)
class RowsFile:
    """One file of rows: its name without the ending, a title, and the rows with their notes."""

    stem: str
    title: str
    rows: Sequence[tuple[Example, Mapping[str, Any]]]


def parent_of(name: str, rows: Sequence[Example]) -> Parent:
    return Parent(name=name, sha256=fingerprint(rows), rows=len(rows))


def leave(
    folder: Path, files: Sequence[RowsFile], dropped: Iterable[Mapping[str, str]], told: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Write the files into a job's folder; `result["datasets"]`. `told`: name, title, parents and notes of all."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(line, ensure_ascii=False) + "\n" for line in dropped)
    (folder / DROPPED_FILE).write_text("".join(lines), encoding="utf-8")
    entries = []
    for file in files:
        write_rows(folder / f"{file.stem}.jsonl", [row for row, _ in file.rows], [notes for _, notes in file.rows])
        entries.append({
            "file": f"{file.stem}.jsonl", "name": f"{slug(told['name'])}-{file.stem}",
            "title": f"{told['title']}: {file.title}", "kind": "rows", "rows": len(file.rows),
            "parents": [parent.model_dump() for parent in told["parents"]], "notes": list(told["notes"]),
        })
    return entries


def named(spec: TeacherSettings, source: str, teacher: str) -> str:
    """The spec's own name; without one, what it was made of and who wrote it."""
    return spec.name or f"{label(source)}-{teacher}"


def slug(name: str) -> str:
    """A name as part of a file's name."""
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in name.casefold())
    return "-".join(filter(None, plain.split("-"))) or "made"


def needs_of(refs: Iterable[str]) -> Needs:
    """No device where every model answers from elsewhere, or is none."""
    elsewhere = all(not ref or ref in (EMBEDDED, RULE) or ref.startswith("remote:") for ref in refs)
    return Needs(devices=0 if elsewhere else 1)


def first_of(rows: Sequence[Example], most: int, source: str) -> list[Example]:
    """The rows of a job. LabError when there is none."""
    if not rows:
        raise LabError(f"'{source}' holds no rows", "data")
    return list(rows[: most or None])


def notes_on(refs: Collection[str], skipped: Mapping[str, int], unfinished: int, budget_spent: bool) -> list[str]:
    """Sentences for whoever reads the data."""
    said = [BY_EMBEDDED] if EMBEDDED in refs else []  # also behind an endpoint, by the name it is served under
    said += [f"{n} rows were left out as they were read: {reason}." for reason, n in skipped.items()]
    if budget_spent:
        said.append(f"The budget was spent: {unfinished} items were not finished.")
    return said
