"""Exporting: the rows of a dataset in the form of a public schema, chosen by filters and reviews, in a file or a folder
that the registered reader takes (`READER@FOLDER`)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.core.errors import LabError, UnknownName
from lab.core.types import Example, Pair
from lab.data.browsing import Filter, matching, shelve
from lab.data.datasets.finemed_sft import SIMPLE
from lab.data.facets import number_of, trace_of
from lab.data.jsonl import rows_text
from lab.data.noted import NotedRow, NotedSet, read_noted
from lab.data.pair_rows import pairs_text
from lab.data.reviewing import Review, Scores, reviewed_version
from lab.data.schemas import Record, Schema, lost_fields, schemas, written
from lab.data.writing import csv_text, lines_of, write_whole

SUFFIXES = (".jsonl", ".json", ".csv")
NOT_CHOSEN = "not chosen by the filter"
COLD_START = "SFTo1Data/rows.jsonl"  # where the repository has complex rows answered with thinking


@dataclass(frozen=True)
class Choice:
    """Which rows: those of `only` less those of any of `excluded`; as reviewed, where reviews are given."""

    only: Filter = Filter()
    excluded: tuple[Filter, ...] = ()
    reviews: Mapping[str, Review] = field(default_factory=dict)
    only_approved: bool = False
    scores: Scores | None = None
    as_reviewed: bool = True  # False: reviews are there for the filters alone


@dataclass(frozen=True)
class Rendered:
    """An export before it is written: its files by their place in a folder. Every row is in `n` or in `left_out`."""

    files: dict[str, str]
    n: int
    left_out: dict[str, int]
    lost: dict[str, int]  # written rows that have something in a field for which the form has no place
    guarded: int = 0  # cells of a CSV that got an apostrophe so that no spreadsheet runs them


@dataclass(frozen=True)
class Exported:
    """What an export has written."""

    paths: tuple[Path, ...]
    rendered: Rendered


def export(name: str, schema: str, target: str | Path, choice: Choice = Choice()) -> Exported:
    """Write a dataset in a schema: into one file (.jsonl, .json, .csv), or into a folder as its reader looks for it.

    Nothing that is there is written over. Raises LabError, also when the form can hold no row.
    """
    target = Path(target).expanduser()
    one_file = target.suffix.lower() in SUFFIXES
    rendered = render(read_noted(name), schema, target.suffix.lower() if one_file else "", choice)
    places = {target if one_file else target / place: text for place, text in rendered.files.items()}
    taken = [str(place) for place in places if place.exists()]
    if taken:
        raise LabError(f"'{taken[0]}' is there already; name another place.", "spec")
    for place, text in places.items():
        write_whole(place, text)
    return Exported(tuple(places), rendered)


def render(found: NotedSet, schema: str, suffix: str = "", choice: Choice = Choice()) -> Rendered:
    """The files of an export; `suffix` asks for one file of that kind, '' for the layout of the reader's folder."""
    known = schemas()
    if schema not in known:
        raise UnknownName("schema", schema, known)
    form = known[schema]
    _check_form(form, found, suffix)
    left_out: Counter[str] = Counter()
    rows, records = _written(form, _chosen(found, choice, left_out), left_out)
    if not rows:
        why = ", ".join(f"{count:,} x {reason}" for reason, count in left_out.most_common()) or "it is empty"
        raise LabError(f"no row of '{found.name}' can be written as {schema}: {why}", "data")
    lost = Counter(name for noted in rows for name in lost_fields(form, noted))
    if suffix == ".csv":
        columns = form.columns or _own_columns(found.kind)
        text, guarded = csv_text(columns, ([record.get(name) for name in columns] for record in records))
        return Rendered({form.name + suffix: text}, len(rows), dict(left_out), dict(lost), guarded)
    return Rendered(_files(form, suffix, rows, records), len(rows), dict(left_out), dict(lost))


def _check_form(form: Schema, found: NotedSet, suffix: str) -> None:
    if found.kind not in form.kinds:
        fit = [name for name, other in schemas().items() if found.kind in other.kinds]
        raise LabError(f"schema '{form.name}' is of {form.kinds[0]}, '{found.name}' has {found.kind}: take "
                       f"{' or '.join(fit)}", "spec")
    if suffix == ".csv" and form.name == "messages":
        raise LabError("messages are lists, which a CSV cannot hold: write a .jsonl or .json file", "spec")


def _chosen(found: NotedSet, choice: Choice, left_out: Counter[str]) -> list[NotedRow]:
    rows = found.rows
    if choice.only != Filter() or choice.excluded:
        shelf = shelve(rows)
        kept = set(matching(shelf, choice.only, choice.reviews))
        for excluded in choice.excluded:
            kept -= set(matching(shelf, excluded, choice.reviews))
        left_out[NOT_CHOSEN] += len(rows) - len(kept)
        rows = [noted for place, noted in enumerate(rows) if place in kept]
    if choice.as_reviewed and (choice.reviews or choice.only_approved):
        version = reviewed_version(rows, choice.reviews, choice.only_approved, choice.scores)
        left_out.update(why.partition(":")[0] for _, why in version.dropped)
        rows = version.rows
    return list(rows)


def _written(
    form: Schema, rows: Sequence[NotedRow], left_out: Counter[str]
) -> tuple[list[NotedRow], list[Record]]:
    kept, records = [], []
    for noted in rows:
        record = written(form, noted)
        if isinstance(record, str):
            left_out[record] += 1
        else:
            kept.append(noted)
            records.append({**record, "notes": noted.notes} if form.name == "lab" else record)
    return kept, records


def _own_columns(kind: str) -> tuple[str, ...]:
    return (*(Example if kind == "rows" else Pair).model_fields, "notes")


def _files(form: Schema, suffix: str, rows: Sequence[NotedRow], records: Sequence[Record]) -> dict[str, str]:
    if form.name == "lab" and suffix in ("", ".jsonl"):
        own: Any = rows_text if isinstance(rows[0].row, Example) else pairs_text
        return {form.file: own([noted.row for noted in rows], [noted.notes for noted in rows])}
    if suffix:
        return {form.name + suffix: _text(suffix, records)}
    parts: dict[str, list[Record]] = {}
    for noted, record in zip(rows, records, strict=True):
        parts.setdefault(_place(form, noted), []).append(record)
    return {place: _text(Path(place).suffix, part) for place, part in parts.items()}


def _place(form: Schema, noted: NotedRow) -> str:
    """FineMed-SFT has complex rows with thinking in a folder of their own, which `finemed-cold-start` reads."""
    if form.name == "finemed-sft" and trace_of(noted) and (number_of(noted, "complexity") or 0) > SIMPLE:
        return COLD_START
    return form.file


def _text(suffix: str, records: Sequence[Record]) -> str:
    if suffix == ".json":
        return json.dumps(list(records), ensure_ascii=False, indent=1) + "\n"
    return lines_of(records)
