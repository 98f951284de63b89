"""The datasets that a synthesis leaves: its files are kept under LAB_HOME/datasets, each with where it comes from.

A job's folder may be cleaned away; a dataset that was trained on may not. Files are read and copied before the
transaction that ends the job, which then only writes down where they lie.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlmodel import Session

from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.data.keeping import keep_made
from lab.data.made import FOLDER, Parent, made_of
from storage.files import Home, JobFolder, read_json
from storage.tables import Job

if TYPE_CHECKING:  # `jobs.results` calls this module
    from jobs.results import Ended

KINDS = ("problems", "reasoning", "instructions")
LINEAGE = ("name", "title", "kind", "notes")  # of each file's entry in the result


class UnfitFile(Exception):
    """A file that a task names is not there, or is not what it says. No LabError: another look would not help."""


@dataclass(frozen=True)
class Kept:
    """One dataset that a job has left. `path` is relative to LAB_HOME."""

    name: str
    title: str
    path: str
    kind: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class KeptData:
    """What a job has left, and its files that have no rows: nothing passed, so there is nothing to train on."""

    kept: tuple[Kept, ...] = ()
    empty: tuple[str, ...] = ()


def keep_datasets(folder: JobFolder, kind: str, result: Mapping[str, Any]) -> KeptData:
    """Every file of the result that has rows, kept. Called twice it finds them kept. UnfitFile names the first that
    cannot be; the job's folder stays as it is, and what was kept before stays kept."""
    found = result.get("datasets")
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise UnfitFile("the result names no datasets; its files are in the job's folder")
    order = {"uid": folder.path.name, **(read_json(folder.job_json) or {})}
    shared = _facts(order, kind, result)
    sources = [(_source(folder, entry), entry) for entry in found]  # all of them, before the first is kept
    home = Home(folder.path.parent.parent)
    kept = [_keep(home, source, entry, shared) for source, entry in sources if source.stat().st_size]
    return KeptData(tuple(kept), tuple(source.name for source, _ in sources if not source.stat().st_size))


def store_datasets(session: Session, job: Job, ended: Ended) -> None:
    """Where they lie, in the job's facts, and which files have no rows."""
    data = ended.data or KeptData()
    job.facts = {**job.facts, "datasets": [asdict(one) for one in data.kept], "without_rows": list(data.empty)}


def _facts(order: Mapping[str, Any], kind: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """What all datasets of the job have in common."""
    try:
        teachers = {role: _keyless(source) for role, source in result.get("teachers", {}).items()}
    except (AttributeError, ValidationError) as error:
        raise UnfitFile(f"the result's teachers are not model sources: {_first_line(error)}") from error
    return {
        "by": kind, "job": order["uid"], "spec": order.get("spec", {}), "teachers": teachers,
        "prompts": result.get("prompts", {}), "funnel": result.get("funnel"), "spent": result.get("spent"),
    }


def _keyless(source: Mapping[str, Any]) -> dict[str, Any]:
    """A model source without the name of its key's variable: datasets are given away."""
    return ModelSource.model_validate(source).model_dump(exclude={"key_env"})


def _source(folder: JobFolder, entry: Mapping[str, Any]) -> Path:
    name = entry.get("file")
    if not isinstance(name, str) or Path(name).name != name:
        raise UnfitFile(f"the result names no file of the job's own: {name!r}")
    path = folder.artifacts / name
    if not path.is_file():
        raise UnfitFile(f"{name} is not in the job's folder, though the result names it")
    return path


def _keep(home: Home, source: Path, entry: Mapping[str, Any], shared: Mapping[str, Any]) -> Kept:
    try:
        facts = {**shared, **{name: entry[name] for name in LINEAGE if name in entry},
                 "parents": [Parent.model_validate(parent) for parent in entry.get("parents", ())]}
        path = keep_made(home.path / FOLDER, source, facts)
    except LabError as error:
        if error.reason == "disk":
            raise  # the next look may find room
        raise UnfitFile(f"{source.name}: {error}") from error
    except (ValidationError, TypeError, json.JSONDecodeError) as error:
        raise UnfitFile(f"{source.name}: what the result says of it cannot be kept: {_first_line(error)}") from error
    made = made_of(path)
    if made is None:
        raise UnfitFile(f"{source.name} was kept as {path.name}, and its lineage beside it cannot be read")
    return Kept(made.name, made.title, home.relative(path), made.kind, made.rows, made.sha256)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
