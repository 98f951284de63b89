"""Writing files of rows: whole or not at all, one JSON object a line; tables that a spreadsheet opens without running
anything in them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.core.errors import LabError

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs a text that starts so


def write_whole(path: Path, text: str) -> None:
    """The file with all of the text, or no file: what is unfinished has another name."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8", newline="\n")
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise LabError(f"'{path}' cannot be written: {error.strerror or error}. Choose another place, or make room",
                       "disk") from None


def slug(name: str) -> str:
    """A file name without its ending, of any name: letters, digits, - and _."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:40] or "rows"


def lines_of(records: Sequence[Mapping[str, Any]], notes: Sequence[Mapping[str, Any]] = ()) -> str:
    """One record a line; `notes`, where given, are one of each record and become its last column unless empty."""
    if notes and len(notes) != len(records):
        raise ValueError(f"{len(notes)} notes for {len(records)} rows")
    told: Sequence[Mapping[str, Any]] = notes or [{}] * len(records)
    return "".join(json.dumps({**record, **({"notes": dict(note)} if note else {})}, ensure_ascii=False) + "\n"
                   for record, note in zip(records, told, strict=True))


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> tuple[str, int]:
    """A table with a header, and how many of its cells got an apostrophe so that no spreadsheet runs them.

    None is an empty cell, an object is written as JSON; a NUL, which no reader of CSV takes, is left out.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    guarded = 0
    for row in rows:
        cells = [_cell(value) for value in row]
        guarded += sum(guard for _, guard in cells)
        writer.writerow([cell for cell, _ in cells])
    return out.getvalue(), guarded


def _cell(value: object) -> tuple[object, bool]:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return value, False
    text = value.replace("\0", "")
    return (f"'{text}", True) if text.startswith(FORMULA_STARTS) else (text, False)
