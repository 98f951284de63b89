"""Datasets that are a user's own .jsonl files: found from any folder, and read before a job is queued."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.core.errors import Fault, LabError
from lab.core.spec import Spec
from lab.data.dataset import datasets
from lab.data.jsonl import resolve_dataset

FIELDS = ("dataset", "datasets")


def with_full_paths(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with each path of a .jsonl file made absolute: the job runs in another process, from another folder."""
    return {name: _full(value) if name in FIELDS else value for name, value in values.items()}


def _full(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_full(item) for item in value]
    return str(Path(value).expanduser().absolute()) if is_own_file(value) else value


def is_own_file(name: Any) -> bool:
    return isinstance(name, str) and name.endswith(".jsonl") and name not in datasets()


def check_own_files(spec: Spec) -> list[Fault]:
    """A fault for each file that cannot be read to its end: the broken line is named before anything is queued."""
    faults = []
    for field in FIELDS:
        value = getattr(spec, field, ())
        for name in (value,) if isinstance(value, str) else value:
            if is_own_file(name):
                try:
                    resolve_dataset(name).load()
                except LabError as error:
                    faults.append(Fault(field, str(error), name))
    return faults
