"""Context: the only way a Task touches the world.

A task logs, reports progress and metrics, asks whether it should stop, and writes into its folder. In a job the runner
gives it a context backed by files; in a notebook or a test `MemoryContext` keeps everything in lists.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lab.core.checkpoints import Checkpoints
from lab.core.errors import LabError
from lab.core.types import ModelSource


class Stopped(Exception):
    """Raised by a task that was asked to stop and has put its things away."""


class Context(Protocol):
    """What a task may use. `folder` is its own and new at each attempt; everything it leaves goes under it.

    `checkpoints` outlives an attempt: a task that resumes looks there for its last whole one and calls `rewind` with
    its step, so that nothing is reported twice. `folder`'s files of an earlier attempt are gone by then.
    """

    folder: Path
    checkpoints: Checkpoints

    def log(self, message: str) -> None: ...
    def progress(self, done: float, total: float, text: str = "") -> None: ...
    def metric(self, step: int, **values: float) -> None: ...
    def rewind(self, step: int) -> None: ...
    def stop_requested(self) -> bool: ...
    def yield_requested(self) -> bool: ...
    def model(self, ref: str) -> ModelSource: ...
    def file(self, ref: str) -> Path: ...
    def save(self, name: str, value: Mapping[str, Any]) -> Path: ...
    def announce(self, **facts: Any) -> None: ...


def write_json(path: Path, value: Any) -> Path:
    """Write to a temporary file, then rename: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    os.replace(temporary, path)
    return path


@dataclass
class MemoryContext:
    """A context for tests and notebooks: nothing but lists, and a folder."""

    folder: Path
    models: dict[str, ModelSource] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)
    progress_calls: list[tuple[float, float, str]] = field(default_factory=list)
    metrics: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    stop: bool = False
    others_wait: bool = False

    @property
    def checkpoints(self) -> Checkpoints:
        """Beside the folder, where a job has them too."""
        return Checkpoints(self.folder.parent / f"{self.folder.name}-checkpoints")

    def log(self, message: str) -> None:
        self.logs.append(message)

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.progress_calls.append((done, total, text))

    def metric(self, step: int, **values: float) -> None:
        self.metrics.append((step, values))

    def rewind(self, step: int) -> None:
        """Metrics after `step` are void: the run goes on from there."""
        self.metrics[:] = [(at, values) for at, values in self.metrics if at <= step]

    def stop_requested(self) -> bool:
        return self.stop

    def yield_requested(self) -> bool:
        return self.others_wait

    def model(self, ref: str) -> ModelSource:
        if ref in self.models:
            return self.models[ref]
        if ":" in ref:
            raise LabError(f"model '{ref}' was not resolved before the task started", "bug")
        return ModelSource(ref=ref, label=ref, base=ref)

    def file(self, ref: str) -> Path:
        """Where the file is that the job `ref` has left for this one."""
        if ref not in self.files:
            raise LabError(f"file '{ref}' was not resolved before the task started", "bug")
        return self.files[ref]

    def save(self, name: str, value: Mapping[str, Any]) -> Path:
        return write_json(self.folder / name, dict(value))

    def announce(self, **facts: Any) -> None:
        self.facts.update(facts)
