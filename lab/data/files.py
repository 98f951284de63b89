"""Files of rows: JSONL, JSON, CSV, Parquet, Arrow as one stream of records, with the place of each for error messages.

What the columns mean is not decided here; see `columns.py` and the readers under `datasets/`.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from lab.core.errors import LabError

SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow")
# What lies beside rows and is none: the datasets library's own files, the lineage of an import and of what was made.
NO_ROWS = ("dataset_info.json", "dataset_dict.json", "state.json", ".lineage.json", ".made.json")
ROWS_A_BATCH = 1024  # of a Parquet file: how many are in memory at once


class Placed(NamedTuple):
    """One record and where it stands: 'line 3' of a text file, 'row 3' of a table."""

    record: dict[str, Any]
    place: str


def is_table(path: str | Path) -> bool:
    """Whether a path's name is that of a file of rows."""
    return Path(path).suffix.lower() in SUFFIXES and not str(path).endswith(NO_ROWS)


def records(path: Path) -> Iterator[Placed]:
    """Every record of one file, in order. The first broken one raises LabError with its place."""
    readers = {".jsonl": _jsonl, ".json": _json, ".csv": _csv, ".tsv": _csv, ".parquet": _parquet,
               ".arrow": _arrow}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise LabError(f"file '{path}': {path.suffix or 'no ending'} is not read. Give one of {', '.join(SUFFIXES)}",
                       "data")
    if not path.is_file():
        raise LabError(f"dataset file '{path}' does not exist", "data")
    with _readable(path):
        yield from reader(path)


def columns_of(path: Path) -> list[str]:
    """The column names of a file: of its table, or of its first 50 records."""
    if path.suffix.lower() == ".parquet" and path.is_file():
        import pyarrow.parquet as parquet

        with _readable(path), _arrow_errors(path):
            return list(parquet.read_schema(path).names)
    if path.suffix.lower() == ".arrow" and path.is_file():
        import pyarrow

        with _readable(path), _arrow_errors(path), pyarrow.OSFile(str(path)) as file:
            return list(pyarrow.ipc.open_stream(file).schema.names)
    return list(dict.fromkeys(name for placed in islice(records(path), 50) for name in placed.record))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise LabError(f"dataset file '{path}' is not UTF-8 text (byte {error.start}): save it as UTF-8",
                       "data") from None
    except OSError as error:
        raise LabError(f"dataset file '{path}' cannot be read: {error.strerror or error}", "data") from None


def _broken(path: Path, place: str, why: str) -> NoReturn:
    raise LabError(f"{path} {place}: {why}", "data")


def _jsonl(path: Path) -> Iterator[Placed]:
    # newline="\n": a JSON string may hold U+2028, which is no end of line.
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield Placed(_object(line, path, f"line {number}"), f"line {number}")


def _object(line: str, path: Path, place: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        _broken(path, f"{place} column {error.colno}", f"not valid JSON ({error.msg})")
    if not isinstance(record, dict):
        _broken(path, place, f"a row is a JSON object with named columns, not {type(record).__name__}")
    return record


def _json(path: Path) -> Iterator[Placed]:
    """A list of objects; a file with one object a line is taken for what it is, whatever its ending."""
    text = path.read_text(encoding="utf-8-sig")
    if text.lstrip()[:1] != "[":
        yield from _jsonl(path)
        return
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        _broken(path, f"line {error.lineno} column {error.colno}", f"not valid JSON ({error.msg})")
    for number, record in enumerate(rows, start=1):
        if not isinstance(record, dict):
            _broken(path, f"row {number}", f"a row is a JSON object, not {type(record).__name__}")
        yield Placed(record, f"row {number}")


def _csv(path: Path) -> Iterator[Placed]:
    """The first line names the columns; the separator is whichever of , ; tab it holds most of."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a trace is longer than the default of 128 KiB
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        separator = max(",;\t", key=header.count)
        try:
            rows = csv.DictReader(file, delimiter=separator, strict=True)
            names = [name or "" for name in rows.fieldnames or []]
            if len(set(names)) < len(names):
                _broken(path, "line 1", f"two columns have the same name: {', '.join(names)}")
            for number, record in enumerate(rows, start=1):
                if None in record:
                    _broken(path, f"row {number}", f"has more cells than the {len(names)} columns of the first line")
                yield Placed(dict(record), f"row {number}")
        except csv.Error as error:
            _broken(path, f"line {rows.line_num}", f"not valid CSV ({error})")


def _parquet(path: Path) -> Iterator[Placed]:
    import pyarrow.parquet as parquet

    number = 0
    with _arrow_errors(path), parquet.ParquetFile(path) as table:
        for batch in table.iter_batches(batch_size=ROWS_A_BATCH):
            for record in batch.to_pylist():
                number += 1
                yield Placed(record, f"row {number}")


def _arrow(path: Path) -> Iterator[Placed]:
    """What `Dataset.save_to_disk` of the datasets library writes."""
    import pyarrow

    number = 0
    with _arrow_errors(path), pyarrow.OSFile(str(path)) as file:
        for batch in pyarrow.ipc.open_stream(file):
            for record in batch.to_pylist():
                number += 1
                yield Placed(record, f"row {number}")


@contextmanager
def _arrow_errors(path: Path) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except pyarrow.ArrowInvalid as error:
        raise LabError(f"dataset file '{path}' cannot be read as {path.suffix[1:]}: {error}", "data") from None
