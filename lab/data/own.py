"""Datasets that are no registered name: files, folders and repositories of the hub, read by the columns they have.

A .jsonl file in the lab's own format is read strictly, every line. Any other file needs columns that are recognised
(`columns.guess`); where they are not, the message says how to import the file with a mapping.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from lab.data.columns import example_of, guess, is_enough
from lab.data.dataset import Dataset, Loaded, datasets, read_records, with_own_ids
from lab.data.files import SUFFIXES, columns_of, is_table, records
from lab.data.jsonl import COLUMNS, read_jsonl

HUB = "hub:"
HUB_FORM = "a repository of the hub is written hub:organisation/name[:config][@revision]"
HUB_NAME = re.compile(r"^hub:(?P<id>[\w.-]+/[\w.-]+)(?::(?P<config>[\w.-]+))?(?:@(?P<revision>[\w./-]+))?$")


def of_path(path: Path) -> Dataset:
    """The dataset in a file or a folder. Raises LabError when there is none there or its columns say nothing."""
    files = table_files(path)
    for file in files:
        mapping_of(file)  # what cannot be read is said before anything is queued
    kind = "folder" if path.is_dir() else "file"
    return Dataset(
        name=str(path), title=path.name, description=f"A {kind} of your own.", source=str(path),
        license="as given by its owner", loaded=lambda: _read(files),
    )


def table_files(path: Path) -> list[Path]:
    """The file itself, or the files of rows in a folder, by name."""
    if not path.exists():
        raise LabError(f"dataset file '{path}' does not exist", "data")
    if path.is_file():
        if not is_table(path):
            raise LabError(f"file '{path}' is no table of rows: one of {', '.join(SUFFIXES)} is read", "data")
        return [path]
    found = sorted(file for file in path.rglob("*") if is_table(file) and not file.name.startswith("."))
    if not found:
        raise LabError(f"folder '{path}' has no file of rows in it ({', '.join(SUFFIXES)})", "data")
    return found


def _read(files: list[Path]) -> Loaded:
    parts = [_read_file(file) for file in files]
    if len(parts) == 1:
        return parts[0]
    reasons: dict[str, int] = {}
    for part in parts:
        for reason, count in part.skipped.items():
            reasons[reason] = reasons.get(reason, 0) + count
    return Loaded(with_own_ids(row for part in parts for row in part.rows), reasons)


def _read_file(path: Path) -> Loaded:
    mapping = mapping_of(path)
    if not mapping:
        return Loaded(read_jsonl(path))
    return read_mapped((placed.record for placed in records(path)), mapping, path.name)


def read_mapped(found: Iterable[Mapping[str, Any]], mapping: Mapping[str, str], source: str) -> Loaded:
    """Rows of any table through a mapping; what makes no row is counted by reason."""
    whole = read_records(found, lambda record: example_of(record, mapping, source))
    if not whole.rows:
        why = ", ".join(f"{count} x {reason}" for reason, count in whole.skipped.items()) or "it is empty"
        raise LabError(f"{source}: no row could be made: {why}", "data")
    return whole


def mapping_of(path: Path) -> dict[str, str]:
    """How a file's columns are read; {} for the lab's own strict format."""
    lines = path.suffix.lower() == ".jsonl"
    try:
        found = columns_of(path)
    except LabError:
        if lines:  # the strict reader names the line
            return {}
        raise
    if lines and ({"question", "answer"} <= set(found) or not found):
        return {}
    mapping = guess(found)
    if is_enough(mapping):
        return mapping
    if lines and set(found) & set(COLUMNS):
        return {}
    raise LabError(unrecognised(path.name, found), "data")


def unrecognised(name: str, found: Iterable[str]) -> str:
    return (f"{name}: its columns are not recognised ({', '.join(found) or 'none'}). Import it once with a mapping, on "
            f"the Train page or with: python -m jobs data import {name} --map question=COLUMN --map answer=COLUMN "
            "[--map trace=COLUMN]")


def of_hub(name: str) -> Dataset:
    """`hub:org/name[:config][@revision]`, split train; a registered repository is read by its own reader."""
    found = HUB_NAME.match(name)
    if not found:
        raise LabError(f"'{name}': {HUB_FORM}", "spec")
    repository, config, revision = found["id"], found["config"], found["revision"] or "main"
    known = next((card for card in datasets().values() if card.hub and card.hub.id == repository), None)
    if known and known.hub and not config:
        hub = replace(known.hub, revision=found["revision"] or known.hub.revision)
        return replace(known, load=None, hub=hub, name=name)
    return Dataset(
        name=name, title=repository, description="A repository of the hub, read by the columns it has.",
        source=f"{repository} at {revision}", license=f"see https://huggingface.co/datasets/{repository}",
        loaded=lambda: _read_hub(repository, config, revision),
        revision_note="" if found["revision"] else "no revision was named: what 'main' is may change",
    )


def _read_hub(repository: str, config: str | None, revision: str) -> Loaded:
    rows = hub_rows(repository, config, revision)
    first = next(rows, None)
    mapping = guess(first or ())
    if first is None or not is_enough(mapping):
        raise LabError(unrecognised(repository, first or ()), "data")

    def every() -> Iterator[Mapping[str, Any]]:
        yield first
        yield from rows

    return read_mapped(every(), mapping, repository)


def hub_rows(repository: str, config: str | None, revision: str) -> Iterator[Mapping[str, Any]]:
    """The rows of split train, as the datasets library loads them (its cache works offline)."""
    import datasets as library

    named = f"dataset {repository} (revision {revision})"
    try:
        yield from library.load_dataset(repository, config, revision=revision, split="train")
    except library.exceptions.DatasetNotFoundError as error:
        raise LabError(f"{named} is not on the hub, is private or gated, or is not in this machine's cache while the "
                       f"hub cannot be reached: {error}", "data") from None
    except (ValueError, OSError, library.exceptions.DatasetsError) as error:
        raise LabError(f"{named} cannot be loaded: {str(error).splitlines()[0]}", "data") from None
