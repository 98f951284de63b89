"""Reading one part of a mixture with its notes: a registered set, files of one's own, or a repository of the hub.

The rows are those that training reads, in the same order and with the same ids; nothing is fetched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lab.core.errors import LabError
from lab.core.types import Example, Pair
from lab.data.columns import example_of, guess, is_enough
from lab.data.dataset import with_own_ids
from lab.data.files import records
from lab.data.jsonl import NOTES, read_noted_jsonl
from lab.data.own import HUB, HUB_NAME, hub_rows, mapping_of, table_files, unrecognised
from lab.data.pair_rows import pair_of
from lab.data.pairs import resolve_pairs
from lab.data.resolving import resolve_dataset

Kind = Literal["rows", "pairs"]
GRADES = ("quality", "complexity", "relevance")
COLUMN_NOTES = (*GRADES, "department", "subdepartment")  # taken from columns of these names
Read = Callable[[Mapping[str, Any]], "Example | Pair | str"]


class ReadPart(NamedTuple):
    """The rows of one part, with the notes of each."""

    rows: list[Any]
    notes: list[dict[str, Any]]
    skipped: Mapping[str, int]
    remarks: tuple[str, ...] = ()


def read_part(name: str, kind: Kind, limit: int | None) -> ReadPart:
    """The rows of one term of a mixture, the first `limit` of them. Raises LabError where they cannot be had."""
    card = resolve_pairs(name) if kind == "pairs" else resolve_dataset(name)
    if card.hub is not None and card.row is not None:
        if not card.hub.folder and not card.hub.is_here():
            raise LabError(f"'{name}' is not on this machine yet: `python -m jobs data check {name}` fetches it, or "
                           f"on a machine with internet: {card.hub.download_command()}", "data")
        return _noted(card.hub.rows(), card.row, limit)
    if name.startswith(HUB):
        return _of_hub(name, kind, limit)
    if card.source == name or Path(card.source) == Path(name).expanduser():  # a file or a folder
        return _of_files(table_files(Path(card.source)), kind, limit)
    loaded = card.read(limit)
    return ReadPart(loaded.rows, [{} for _ in loaded.rows], loaded.skipped, loaded.notes)


def _of_hub(name: str, kind: Kind, limit: int | None) -> ReadPart:
    found = HUB_NAME.match(name)
    if not found or not _is_cached(found["id"]):
        raise LabError(f"'{name}' is not on this machine yet: `python -m jobs data check {name}` fetches it", "data")
    rows = hub_rows(found["id"], found["config"], found["revision"] or "main")
    if kind == "pairs":
        return _noted(rows, lambda record: pair_of(record, found["id"]), limit)
    first = next(rows, None)
    mapping = guess(first or ())
    if first is None or not is_enough(mapping):
        raise LabError(unrecognised(found["id"], first or ()), "data")

    def every() -> Iterator[Mapping[str, Any]]:
        yield first
        yield from rows

    return _noted(every(), lambda record: example_of(record, mapping, found["id"]), limit)


def _is_cached(repository: str) -> bool:
    """Whether the hub's cache has a snapshot of it, or the datasets library a table made of it."""
    from datasets import config
    from huggingface_hub import constants

    kept = Path(constants.HF_HUB_CACHE) / f"datasets--{repository.replace('/', '--')}" / "snapshots"
    return kept.is_dir() or (Path(config.HF_DATASETS_CACHE) / repository.lower().replace("/", "___")).is_dir()


def _of_files(files: Sequence[Path], kind: Kind, limit: int | None) -> ReadPart:
    parts = [_of_file(file, kind, limit) for file in files]
    if len(parts) == 1:
        return parts[0]
    skipped: Counter[str] = Counter()
    for part in parts:
        skipped.update(part.skipped)
    rows, notes = [row for part in parts for row in part.rows], [note for part in parts for note in part.notes]
    return ReadPart(with_own_ids(rows[:limit]), notes[:limit], skipped)


def _of_file(path: Path, kind: Kind, limit: int | None) -> ReadPart:
    mapping = mapping_of(path) if kind == "rows" else {}
    if kind == "rows" and not mapping:
        found = read_noted_jsonl(path)[:limit]
        return ReadPart([row for row, _ in found], [notes for _, notes in found], {})
    told = (placed.record for placed in records(path))
    if kind == "rows":
        return _noted(told, lambda record: example_of(record, mapping, path.name), limit)
    return _noted(_with_sound_notes(path), lambda record: pair_of(record, path.name), limit)


def _with_sound_notes(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a file of pairs. Its notes are the lab's own: another form is said, as for rows."""
    for placed in records(path):
        notes = placed.record.get(NOTES)
        if path.suffix == ".jsonl" and not isinstance(notes, Mapping | None):
            raise LabError(f"{path} {placed.place}: column '{NOTES}' should be an object like {{\"quality\": 8}}, not "
                           f"{type(notes).__name__}", "data")
        yield placed.record


def _noted(found: Iterable[Mapping[str, Any]], read: Read, limit: int | None) -> ReadPart:
    """Rows of records, each with the notes of its record; what makes no row is counted by reason."""
    skipped: Counter[str] = Counter()
    kept = list(islice(_pairs_of(found, read, skipped), limit))
    return ReadPart(with_own_ids(row for row, _ in kept), [notes for _, notes in kept], skipped)


def _pairs_of(
    found: Iterable[Mapping[str, Any]], read: Read, skipped: Counter[str]
) -> Iterator[tuple[Any, dict[str, Any]]]:
    for record in found:
        row = read(record)
        if isinstance(row, str):
            skipped[row] += 1
        else:
            yield row, notes_of(record)


def notes_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The notes of a record: its column `notes`, else what its own columns say of grades and departments."""
    told = record.get(NOTES)
    if isinstance(told, Mapping):
        return dict(told)
    said = {name: record.get(name) for name in COLUMN_NOTES}
    read = {name: _grade(value) if name in GRADES else value for name, value in said.items()}
    return {name: value for name, value in read.items() if value != "" and isinstance(value, int | float | str)}


def _grade(value: Any) -> int | float | None:
    """A number as it is or as text; None for what is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not isfinite(number):
        return None
    return int(number) if number.is_integer() else number
