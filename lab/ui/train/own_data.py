"""A dataset of one's own: checked row by row when it is uploaded, kept in LAB_HOME under a name made of its content.

A JSONL file in the lab's own format is kept as it is, in `datasets/`. Any other table is read through a mapping of its
columns and kept in that format in `uploads/`, with where it comes from beside it (`lab.data.importing`).
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lab.core.errors import LabError
from lab.data.columns import is_enough
from lab.data.files import columns_of
from lab.data.importing import Imported, Inspected, Mapped, import_file, inspect, read_through
from lab.data.jsonl import COLUMNS, read_jsonl
from lab.ui.components.html import note
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table

if TYPE_CHECKING:
    from storage.files import Home

# What may be mapped on the page, and how it is called there; the command line knows a few more.
MAPPED_FIELDS = {
    "question": "Question", "answer": "Answer", "trace": "Thinking", "gold": "Short answer",
    "options": "Options", "messages": "Conversation", "subject": "Subject", "id": "Name of the row",
}
N_PREVIEW = 200  # rows looked at before a file is kept
LONGEST_CELL = 64  # four short lines in the narrow column of the page


def is_own_format(uploaded: Path) -> bool:
    """Whether a file is JSONL in the lab's own columns (or broken, which its strict reader says best)."""
    if uploaded.suffix.lower() != ".jsonl":
        return False
    try:
        found = set(columns_of(uploaded))
    except LabError:
        return True
    return not found or {"question", "answer"} <= found <= set(COLUMNS)


def keep_upload(home: Home, uploaded: Path) -> tuple[Path, int]:
    """(where the file is kept, rows). LabError names the broken line; then nothing is kept."""
    try:
        rows = read_jsonl(uploaded)
    except LabError as problem:
        raise LabError(str(problem).replace(str(uploaded), uploaded.name), problem.reason) from None
    digest = hashlib.sha256(uploaded.read_bytes()).hexdigest()[:8]
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", uploaded.stem).strip("-")[:40] or "rows"
    kept = home.path / "datasets" / f"{stem}-{digest}.jsonl"  # an older study's file is never overwritten
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(uploaded, kept)
    return kept, len(rows)


def keep_mapped(home: Home, uploaded: Path, mapping: Mapping[str, str], name: str = "") -> Imported:
    """Keep a table of any columns as a dataset. LabError when the mapping is wrong or makes no row."""
    try:
        return import_file(uploaded, mapping, home.path / "uploads", name)
    except LabError as problem:
        raise _named(problem, uploaded) from None


def kept_uploads(home: Home) -> list[Path]:
    """Every file kept so far, by name."""
    return sorted(path for folder in ("datasets", "uploads") for path in (home.path / folder).glob("*.jsonl"))


def looked_at(uploaded: Path) -> Inspected:
    """Columns, first rows and the suggested mapping of an uploaded table."""
    try:
        return inspect(uploaded)
    except LabError as problem:
        raise _named(problem, uploaded) from None


def preview(uploaded: Path, mapping: Mapping[str, str]) -> Html:
    """What the first rows become under a mapping, and which do not become a row."""
    if not is_enough(mapping):
        return note("Choose at least the columns of the question and of the answer.")
    try:
        mapped = read_through(uploaded, mapping, N_PREVIEW)
    except LabError as problem:
        raise _named(problem, uploaded) from None
    return join((_counted(mapped), _rows(mapped), _faults(mapped)))


def sample_table(found: Inspected) -> Html:
    """The file as it is, turned on its side: a line for each column, with what the first rows hold."""
    rows = [[name, *(_cut(record.get(name)) for record in found.sample)] for name in found.columns]
    heads = [Column(f"row {number}", wide=True) for number in range(1, len(found.sample) + 1)]
    return table([Column("column"), *heads], rows, "The first rows of the file")


def _counted(mapped: Mapped) -> Html:
    n_read = len(mapped.rows) + mapped.n_skipped
    which = f"the first {N_PREVIEW} rows" if n_read == N_PREVIEW else "all its rows"
    left_out = f"; {mapped.n_skipped} would be left out" if mapped.skipped else ""
    thinking = sum(bool(row.trace) for row in mapped.rows)
    return tag("p", f"Of {which}, {len(mapped.rows)} can be used, {thinking} with thinking{left_out}.")


def _rows(mapped: Mapped) -> Html:
    cells = [[_cut(row.question), _cut(row.trace), _cut(row.answer), _cut(row.gold),
              ", ".join(row.options or ()) or "–"] for row in mapped.rows[:3]]
    columns = [Column(name, wide=True) for name in ("question", "thinking", "answer")]
    return table([*columns, "short answer", "options"], cells, "What they become") if cells else Html("")


def _faults(mapped: Mapped) -> Html:
    if not mapped.faults:
        return Html("")
    more = mapped.n_skipped - len(mapped.faults)
    items = [*mapped.faults, *([f"and {more} more"] if more else [])]
    return join((note("Left out:"), tag("ul", *(tag("li", item) for item in items))))


def _cut(value: object) -> str:
    text = "–" if value in (None, "") else " ".join(str(value).split())
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"


def _named(problem: LabError, uploaded: Path) -> LabError:
    """The problem without the temporary folder of an upload."""
    return LabError(str(problem).replace(str(uploaded), uploaded.name), problem.reason)
