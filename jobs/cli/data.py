"""`data …`: datasets and pair sets from the command line; importing a file with a column mapping."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jobs.cli.data_names import home, in_full
from jobs.cli.mapping import column_mapping, print_faults
from jobs.cli.text import aligned
from lab.core.errors import LabError
from lab.core.types import Example, Pair
from lab.data.columns import guess
from lab.data.dataset import Dataset, Loaded, datasets
from lab.data.files import columns_of
from lab.data.importing import import_file, lineage_of, read_through
from lab.data.made import made_files
from lab.data.noted import resolve_any
from lab.data.pairs import LoadedPairs, PairSet, pair_sets

MAPPED = "the mapping"


def list_data(options: argparse.Namespace) -> int:
    """Every registered set and every file that was imported."""
    found = [*datasets().values(), *pair_sets().values()]
    if options.json:
        print(json.dumps([_card(card) for card in found], indent=2))
        return 0
    print(aligned(("name", "kind", "rows", "traces", "licence", "source"), [
        [card.name, _kind(card), f"{card.n_rows:,}" if card.n_rows else "–", _traces(card),
         card.license.partition(" (")[0], card.source] for card in found]))
    kept = sorted(_uploads().glob("*.jsonl"))
    if kept:
        print(f"\nImported, in {_uploads()}:\n")
        print(aligned(("file", "rows", "left out", "made from"), [_upload_cells(path) for path in kept]))
    made = made_files(home())
    if made:
        print(f"\nMade here, in {home() / 'datasets'}:\n")
        print(aligned(("file", "kind", "rows", "by", "title"), [
            [path.name, facts.kind, f"{facts.rows:,}", facts.by, facts.title] for path, facts in made]))
    return 0


def show(options: argparse.Namespace) -> int:
    """A card, and its first rows where they can be had on this machine."""
    card = resolve_any(in_full(options.name))
    if options.json:
        print(json.dumps(_card(card), indent=2))
        return 0
    for name, value in _card(card).items():
        print(f"{name:14}{value}")
    try:
        loaded = card.read(options.rows)
    except LabError as problem:
        print(f"\nIts rows are not shown: {problem}")
        return 0
    for row in loaded.rows:
        print(f"\n{_shown(row, options.width)}")
    return 0


def check(options: argparse.Namespace) -> int:
    """Read every row and count: what is kept, what is left out and why."""
    card = resolve_any(in_full(options.name))
    loaded = card.read()
    counts = _counts(loaded)
    if options.json:
        print(json.dumps(counts, indent=2))
        return 0
    print(f"{card.name}: {_rows(len(loaded.rows))}" + (f", {loaded.n_skipped:,} left out" if loaded.n_skipped else ""))
    for reason, count in sorted(loaded.skipped.items(), key=lambda item: -item[1]):
        print(f"  {count:,} x {reason}")
    if getattr(loaded, "revision", ""):
        print(f"  read at commit {loaded.revision}")
    for note in loaded.notes:
        print(f"  note: {note}")
    if isinstance(loaded, Loaded):
        print(f"  {counts['with_trace']:,} with a trace, {counts['with_options']:,} with options, "
              f"{counts['questions']:,} different questions")
    expected = getattr(card, "n_rows", None)
    if expected and not loaded.n_skipped and abs(len(loaded.rows) - expected) > 0.02 * expected:
        print(f"  note: {expected:,} rows were published; the repository may have changed")
    return 0


def import_data(options: argparse.Namespace) -> int:
    """Keep a file of any columns as a dataset of the lab."""
    path = Path(options.file).expanduser()
    mapping = guess(columns_of(path)) | column_mapping(options.map)
    print("columns: " + ", ".join(f"{field} = {column}" for field, column in mapping.items() if column))
    if options.dry_run:
        mapped = read_through(path, mapping)
        print(f"{_rows(len(mapped.rows))} would be kept, {mapped.n_skipped:,} left out")
        print_faults(mapped.faults, mapped.n_skipped)
        for row in mapped.rows[:2]:
            print(f"\n{_shown(row, 300)}")
        return 0
    made = import_file(path, mapping, _uploads(), options.name)
    left_out = sum(made.lineage.skipped.values())
    print(f"{_rows(made.lineage.rows)} in {made.path}" + (f"; {left_out:,} left out:" if left_out else ""))
    print_faults(made.faults, left_out)
    return 0


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _kind(card: Dataset | PairSet) -> str:
    return "pairs" if isinstance(card, PairSet) else "rows"


def _traces(card: Dataset | PairSet) -> str:
    return "–" if isinstance(card, PairSet) else "yes" if card.has_traces else "no"


def _card(card: Dataset | PairSet) -> dict[str, Any]:
    """What a card says, as shown and as JSON."""
    said: dict[str, Any] = {
        "name": card.name, "kind": _kind(card), "title": card.title, "description": card.description,
        "source": card.source, "revision": card.hub.revision if card.hub else "–", "licence": card.license,
        "language": card.language, "rows": card.n_rows or "–", "gated": "yes" if card.gated else "no",
        "clinical use": card.clinical_use, "citation": card.citation or "–",
    }
    if card.revision_note:
        said["revision note"] = card.revision_note
    if card.hub:
        said["files"], said["columns"] = ", ".join(card.hub.files), ", ".join(card.hub.columns)
        said["to fetch"] = card.hub.download_command()
    return said


def _counts(loaded: Loaded | LoadedPairs) -> dict[str, Any]:
    counts: dict[str, Any] = {"rows": len(loaded.rows), "skipped": loaded.skipped, "notes": list(loaded.notes)}
    if isinstance(loaded, Loaded):
        counts["commit"] = loaded.revision
        counts["with_trace"] = sum(bool(row.trace) for row in loaded.rows)
        counts["with_options"] = sum(bool(row.options) for row in loaded.rows)
        counts["questions"] = len({row.question_hash() for row in loaded.rows})
    return counts


def _shown(row: Example | Pair, width: int) -> str:
    """A row for reading: its fields, long ones cut in the middle of nowhere but marked."""
    lines = []
    for name, value in row.model_dump().items():
        if value in (None, ""):
            continue
        if isinstance(value, dict):
            value = " | ".join(f"{letter}) {option}" for letter, option in value.items())
        text = " ⏎ ".join(str(value).splitlines())
        lines.append(f"  {name:16}{text if len(text) <= width else text[:width] + f' … ({len(text):,} characters)'}")
    return "\n".join(lines)


def _uploads() -> Path:
    return home() / "uploads"


def _upload_cells(path: Path) -> list[str]:
    lineage = lineage_of(path)
    if lineage is None:
        return [path.name, "–", "–", "–"]
    return [path.name, f"{lineage.rows:,}", f"{sum(lineage.skipped.values()):,}", asdict(lineage)["source_file"]]
