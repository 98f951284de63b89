"""Importing: any table of questions and answers, through a mapping of its columns, as a file in the lab's own format.

What is kept is the normalised JSONL file under a name made of its content, and beside it `….lineage.json`: which file
it was, its sha256, the mapping, how many rows were kept and left out for which reason. The original stays where it is.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from lab.core.errors import LabError, SpecError
from lab.core.types import Example
from lab.data.columns import check_mapping, example_of, guess
from lab.data.dataset import with_own_ids
from lab.data.files import Placed, columns_of, records
from lab.data.jsonl import read_jsonl, rows_text
from lab.data.writing import slug, write_whole

N_SAMPLE = 3  # rows shown before a mapping is chosen
N_FAULTS = 20  # faults named with their place; the rest are counted


@dataclass(frozen=True)
class Inspected:
    """A file before it is mapped: its columns, its first rows, and what its column names suggest."""

    columns: list[str]
    sample: list[dict[str, Any]]
    guess: dict[str, str]


@dataclass(frozen=True)
class Mapped:
    """A file read through a mapping: its rows, what was left out, and where."""

    rows: list[Example]
    skipped: dict[str, int]
    faults: list[str] = field(default_factory=list)  # 'row 12: no answer'

    @property
    def n_skipped(self) -> int:
        return sum(self.skipped.values())


@dataclass(frozen=True)
class Lineage:
    """Where an imported dataset comes from."""

    source_file: str
    source_sha256: str
    mapping: dict[str, str]
    rows: int
    skipped: dict[str, int]
    sha256: str  # of the normalised file beside this one


@dataclass(frozen=True)
class Imported:
    """What an import left."""

    path: Path
    lineage: Lineage
    faults: list[str]


def inspect(path: Path) -> Inspected:
    """Columns, first rows and the suggested mapping. Raises LabError when the file cannot be read."""
    columns = columns_of(path)
    if not columns:
        raise LabError(f"{path.name} has no rows", "data")
    return Inspected(columns, [placed.record for placed in islice(records(path), N_SAMPLE)], guess(columns))


def read_through(path: Path, mapping: Mapping[str, str], limit: int | None = None) -> Mapped:
    """The rows of a file through a mapping; `limit` looks at that many of its rows. SpecError for a wrong mapping."""
    mapping = {name: column for name, column in mapping.items() if column}
    faults = check_mapping(mapping, columns_of(path))
    if faults:
        raise SpecError(faults, f"column mapping of {path.name}")
    skipped: Counter[str] = Counter()
    said: list[str] = []
    rows = with_own_ids(_made(islice(records(path), limit), mapping, path.name, (skipped, said)))
    return Mapped(rows, dict(skipped), said)


def _made(
    found: Iterator[Placed], mapping: Mapping[str, str], source: str, told: tuple[Counter[str], list[str]]
) -> Iterator[Example]:
    skipped, said = told
    for placed in found:
        example = example_of(placed.record, mapping, source)
        if isinstance(example, str):
            skipped[example] += 1
            if len(said) < N_FAULTS:
                said.append(f"{placed.place}: {example}")
        else:
            yield example


def import_file(path: Path, mapping: Mapping[str, str], folder: Path, name: str = "") -> Imported:
    """Write the normalised file and its lineage into `folder`. Raises LabError when no row can be made."""
    mapped = read_through(path, mapping)
    if not mapped.rows:
        why = "; ".join(mapped.faults[:3]) or "it has no rows"
        raise LabError(f"{path.name}: no row could be made with this mapping: {why}", "data")
    text = rows_text(mapped.rows)
    digest = hashlib.sha256(text.encode()).hexdigest()
    stem = slug(name or path.stem)
    kept = folder / f"{stem}-{digest[:8]}.jsonl"  # an older study's file is never overwritten
    write_whole(kept, text)
    read_jsonl(kept)  # what a training reads later is what was written, or it is said now
    used = {field_: column for field_, column in mapping.items() if column}
    lineage = Lineage(path.name, _sha256(path), used, len(mapped.rows), mapped.skipped, digest)
    write_whole(lineage_path(kept), json.dumps(asdict(lineage), indent=2, ensure_ascii=False) + "\n")
    return Imported(kept, lineage, mapped.faults)


def lineage_path(kept: Path) -> Path:
    return kept.with_suffix(".lineage.json")


def lineage_of(kept: Path) -> Lineage | None:
    """Where an imported file comes from, or None for a file that was not imported here."""
    try:
        return Lineage(**json.loads(lineage_path(kept).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
