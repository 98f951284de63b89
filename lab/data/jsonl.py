"""The lab's own row format: a JSONL file of questions and answers, read strictly. Every import is written in it.

A row: {"question": …, "answer": …} and optionally "trace" (or "thinking", "reasoning", "reasoning_content"), "steps",
"gold", "options", "verifier", "subject", "id", "source"; and "notes", an object of what is known about the row (grades,
department, provenance), which training does not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.core.errors import LabError, nearest
from lab.core.types import Example
from lab.data.columns import VERIFIERS
from lab.data.short_answer import short_answer
from lab.data.writing import lines_of, write_whole

TRACE_COLUMNS = ("trace", "thinking", "reasoning", "reasoning_content")
TEXT_COLUMNS = ("id", "question", "answer", "gold", "verifier", "subject", "source", "steps", *TRACE_COLUMNS)
NOTES = "notes"
COLUMNS = (*TEXT_COLUMNS, "options", NOTES)
Notes = dict[str, Any]


def read_jsonl(path: str | Path) -> list[Example]:
    """Every row of the file. The first broken line raises LabError with file, line number and column."""
    return [row for row, _ in read_noted_jsonl(path)]


def read_noted_jsonl(path: str | Path) -> list[tuple[Example, Notes]]:
    """The rows of `read_jsonl`, each with its notes ({} where it has none)."""
    path = Path(path)
    if not path.is_file():
        raise LabError(f"dataset file '{path}' does not exist", "data")
    rows: list[tuple[Example, Notes]] = []
    seen: dict[str, int] = {}
    for number, record in _records(path):
        row, notes = _example(record, path, number), _notes(record, f"{path} line {number}")
        if row.id in seen:
            where = f"{path} line {number}: column 'id'"
            raise LabError(f"{where}: '{row.id}' is already used on line {seen[row.id]}", "data")
        seen[row.id] = number
        rows.append((row, notes))
    if not rows:
        raise LabError(f"dataset file '{path}' is empty: it needs one JSON object per line", "data")
    return rows


def rows_text(rows: Sequence[Example], notes: Sequence[Mapping[str, Any]] = ()) -> str:
    """Rows as the text of such a file; `notes` are none at all, or one of each row."""
    # An empty source is written: a row without one would be read as coming from the file.
    return lines_of([{**_said(row), "source": row.source} for row in rows], notes)


def write_rows(path: str | Path, rows: Sequence[Example], notes: Sequence[Mapping[str, Any]] = ()) -> None:
    """The file, whole or not at all. `read_jsonl` gives the same rows back."""
    write_whole(Path(path), rows_text(rows, notes))


def _said(row: Example) -> dict[str, Any]:
    return {name: value for name, value in row.model_dump().items() if value not in (None, "", {})}


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            yield number, _record(line, f"{path} line {number}")


def _lines(path: Path) -> list[str]:
    try:
        # Not splitlines(): a JSON string may hold U+2028, which is no end of line.
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise LabError(f"dataset file '{path}' is not UTF-8 text (byte {error.start})", "data") from None
    except OSError as error:
        raise LabError(f"dataset file '{path}' cannot be read: {error.strerror}", "data") from None


def _record(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise LabError(f"{where} column {error.colno}: not valid JSON ({error.msg})", "data") from None
    if not isinstance(record, dict):
        kind = type(record).__name__
        raise LabError(f"{where}: a row is a JSON object with 'question' and 'answer', not {kind}", "data")
    return {key: value for key, value in record.items() if value is not None}


def _notes(record: dict[str, Any], where: str) -> Notes:
    notes = record.get(NOTES, {})
    if not isinstance(notes, dict):
        raise LabError(f"{where}: column '{NOTES}' should be an object like {{\"quality\": 8}}, not "
                       f"{type(notes).__name__}", "data")
    return notes


def _example(record: dict[str, Any], path: Path, number: int) -> Example:
    where = f"{path} line {number}"
    for key, value in record.items():
        if key not in COLUMNS:
            raise LabError(f"{where}: column '{key}' is not known. {nearest(key, COLUMNS)}", "data")
        if key in TEXT_COLUMNS and not isinstance(value, str):
            raise LabError(f"{where}: column '{key}' should be text, not {type(value).__name__}", "data")
    for key in ("question", "answer"):
        if not record.get(key, "").strip():
            raise LabError(f"{where}: column '{key}' is missing or empty", "data")
    traces = [key for key in TRACE_COLUMNS if record.get(key)]
    if len(traces) > 1:
        raise LabError(f"{where}: columns '{traces[0]}' and '{traces[1]}' both hold a trace; keep one", "data")
    options = _options(record.get("options"), where)
    verifier = record.get("verifier", "choice" if options else "exact")
    if verifier not in VERIFIERS:
        hint = nearest(verifier, VERIFIERS)
        raise LabError(f"{where}: column 'verifier': unknown verifier '{verifier}'. {hint}", "data")
    return Example(
        id=record.get("id", f"{path.stem}-{number}"),
        question=record["question"],
        options=options,
        trace=record[traces[0]] if traces else None,
        steps=record.get("steps") or None,
        answer=record["answer"],
        gold=record.get("gold") or short_answer(record["answer"]),
        verifier=verifier,
        subject=record.get("subject", ""),
        source=record.get("source", path.name),
    )


def _options(value: Any, where: str) -> dict[str, str] | None:
    """{'A': text, …}; a plain list of texts is lettered."""
    if isinstance(value, list) and 2 <= len(value) <= 26:
        value = {chr(ord("A") + place): text for place, text in enumerate(value)}
    if value is None or (isinstance(value, dict) and value and all(isinstance(text, str) for text in value.values())):
        return value or None
    raise LabError(f"{where}: column 'options' should be an object like {{\"A\": \"text\"}} or a list of texts", "data")
