"""`data review`, `data reviews`, `data version`: people's words on rows, and the dataset that follows from them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jobs.cli.data_choice import reviews_in_store, scores
from jobs.cli.data_names import home, in_full
from jobs.cli.text import aligned
from lab.core.errors import LabError, nearest
from lab.data.made import made_of
from lab.data.noted import NotedSet, read_noted
from lab.data.reviewing import edited, make_version
from storage.database import open_store
from storage.queries.row_reviews import RowPlace, Said, counts, review_row, reviews_of

VERDICTS = {"approve": "approved", "reject": "rejected", "edit": "edited", "open": "open"}


def review(options: argparse.Namespace) -> int:
    """One word on one or several rows. An edit is tried on the row first, so that what is kept can be applied."""
    found = read_noted(in_full(options.name))
    changes = _changes(options.set)
    if bool(changes) != (options.verdict == "edit"):
        raise LabError("`edit` takes --set FIELD=TEXT, and the others do not", "spec")
    if changes and len(options.rows) > 1:
        raise LabError("an edit is of one row", "spec")
    rows = {noted.id: noted.row for noted in found.rows}
    with open_store().read() as session:  # a further edit adds to the one before, and what is approved is as edited
        before = {row: dict(one.review.changes) for row, one in reviews_of(session, found.key).items()}
    for row_id in options.rows:
        if row_id not in rows:
            hint = nearest(row_id, rows) if len(rows) <= 20 else "`data rows` lists them."
            raise LabError(f"'{options.name}' has no row '{row_id}'. {hint}", "spec")
        if changes:
            changes = {**before.get(row_id, {}), **changes}
            edited(rows[row_id], changes, scores)
    with open_store().write() as session:
        for row_id in options.rows:
            standing = before.get(row_id, {}) if options.verdict == "approve" else changes
            said = Said(VERDICTS[options.verdict], standing, options.note)
            review_row(session, RowPlace(found.key, row_id, found.kind), said, options.reviewer)
    print(f"{VERDICTS[options.verdict]}: {', '.join(options.rows)}")
    return 0


def _changes(entries: Sequence[str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for entry in entries:
        field, equals, text = entry.partition("=")
        if not equals:
            raise LabError(f"--set: '{entry}' is not of the form FIELD=TEXT", "spec")
        text = _read(text[1:]) if text.startswith("@") else text
        changes[field] = _options(text) if field == "options" else text
    return changes


def _read(name: str) -> str:
    try:
        return Path(name).expanduser().read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"--set: file '{name}' cannot be read: {getattr(error, 'strerror', None) or error}", "spec"
                       ) from None


def _options(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise LabError('--set: options are written as JSON: options={"A": "…", "B": "…"}', "spec") from None


def list_reviews(options: argparse.Namespace) -> int:
    """The word that stands on each row, and how many of each there are."""
    found = read_noted(in_full(options.name))
    with open_store().read() as session:
        standing, counted = reviews_of(session, found.key), counts(session, found.key)
        told = {row: {"verdict": one.review.verdict, "changes": one.review.changes, "note": one.review.note,
                      "by": list(one.by), "n": one.n, "contested": one.contested} for row, one in standing.items()}
    if options.json:
        print(json.dumps({"key": found.key, "counts": asdict(counted), "rows": told}, ensure_ascii=False, indent=2))
        return 0
    if not told:
        print(f"Nothing was said of its rows yet. `python -m jobs data review {options.name} approve ROW --as NAME`")
        return 0
    print(aligned(("row", "verdict", "changed", "by", "note"), [
        [row, f"{one['verdict']}{', contested' if one['contested'] else ''}", ", ".join(one["changes"]),
         ", ".join(one["by"]), one["note"]] for row, one in told.items()]))
    print(f"\n{_summary(found, told)}")
    return 0


def _summary(found: NotedSet, told: Mapping[str, Mapping[str, Any]]) -> str:
    each = [f"{sum(one['verdict'] == verdict for one in told.values()):,} {verdict}"
            for verdict in ("approved", "edited", "rejected", "open")]
    return f"{', '.join(each)}; {len(found.rows) - len(told):,} of {len(found.rows):,} rows nobody has read"


def version(options: argparse.Namespace) -> int:
    """The reviewed rows as another dataset."""
    name = in_full(options.name)
    path = make_version(name, home(), reviews_in_store(read_noted(name).key), options.only_approved, scores)
    made = made_of(path)
    print(f"{made.rows if made else 0:,} rows in {path}")
    for note in (made.notes if made else ())[-1:]:
        print(f"  {note}")
    return 0
