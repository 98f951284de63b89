"""Rows with what is known about them: any dataset or pair set that a recipe can name, read with its notes.

Notes are what training does not read: grades, department, provenance (`lab.data.jsonl`). Rows of a public set that has
grades in columns of its own have them as notes. Nothing is fetched here: a set of the hub is read if it is on this
machine.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from lab.core.types import Example, Pair
from lab.data.dataset import Dataset, fingerprint, with_own_ids
from lab.data.files import columns_of
from lab.data.mixture import Part, parse, spread
from lab.data.noted_parts import Kind, ReadPart, read_part
from lab.data.own import table_files
from lab.data.pair_rows import COLUMNS as SIDES
from lab.data.pairs import PairSet, pair_sets, resolve_pairs
from lab.data.resolving import resolve_dataset


class NotedRow(NamedTuple):
    """A row, its notes, and its place in the dataset, from 1."""

    row: Example | Pair
    notes: dict[str, Any]
    position: int

    @property
    def id(self) -> str:
        return self.row.id


@dataclass(frozen=True)
class NotedSet:
    """What was read. `key` names these rows for good: the sha256 of the one file, else the fingerprint; '' where only
    the first rows of a set were asked for."""

    name: str
    title: str
    kind: Kind
    rows: list[NotedRow]
    skipped: dict[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    file: Path | None = None
    limit: int | None = None
    license: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over the rows as training reads them (of the rows that were asked for)."""
        return fingerprint([noted.row for noted in self.rows])

    @cached_property
    def key(self) -> str:
        if self.file is not None:
            with self.file.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        return "" if self.limit is not None and len(self.rows) >= self.limit else self.fingerprint

    @property
    def n_skipped(self) -> int:
        return sum(self.skipped.values())


def resolve_any(name: str) -> Dataset | PairSet:
    """A dataset, or pairs where the name is a pair set's or the file holds chosen and rejected replies."""
    return resolve_pairs(name) if any(_is_pairs(part.name) for part in parse(name)) else resolve_dataset(name)


def _is_pairs(name: str) -> bool:
    if name in pair_sets() or name.partition("@")[0] in pair_sets():
        return True
    path = Path(name).expanduser()
    return path.exists() and all(column in columns_of(table_files(path)[0]) for column in SIDES)


def read_kind(name: str) -> Kind:
    """Whether a name means rows or pairs."""
    return "pairs" if isinstance(resolve_any(name), PairSet) else "rows"


def read_noted(name: str, limit: int | None = None) -> NotedSet:
    """The rows of any dataset or pair set, the first `limit` of them. Raises LabError where they cannot be had."""
    card, parts = resolve_any(name), parse(name)
    kind: Kind = "pairs" if isinstance(card, PairSet) else "rows"
    if len(parts) == 1 and not parts[0].is_cut:
        read, path = read_part(name, kind, limit), Path(name).expanduser()
        file = path if path.is_file() else None
    else:
        read, file = _mixed(parts, kind, limit), None
    rows = [NotedRow(row, notes, place)
            for place, (row, notes) in enumerate(zip(read.rows, read.notes, strict=True), start=1)]
    return NotedSet(name, card.title, kind, rows, dict(read.skipped), read.remarks, file, limit,
                    card.license)


def _mixed(parts: Sequence[Part], kind: Kind, limit: int | None) -> ReadPart:
    """As `resolving` mixes them; the notes go with their rows."""
    found = [read_part(part.name, kind, part.head) for part in parts]
    kept = [(part.cut(read.rows), part.cut(read.notes)) for part, read in zip(parts, found, strict=True)]
    skipped: Counter[str] = Counter()
    for read in found:
        skipped.update(read.skipped)
    order = spread([len(rows) for rows, _ in kept])[:limit]
    return ReadPart(with_own_ids(kept[number][0][at] for number, at in order),
                 [kept[number][1][at] for number, at in order], skipped,
                 tuple(remark for read in found for remark in read.remarks))
