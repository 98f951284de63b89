"""Checkpoints: where a task leaves what it needs to go on, and which of them are whole.

A checkpoint is a folder `checkpoint-<step>`. It counts from the moment its seal is there: a manifest with every file's
size, written last, after everything else is on the disk. A process that is killed while it saves leaves a folder
without a seal, and a power cut may leave files that are shorter than the seal says: both are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SEAL = "whole.json"
PREFIX = "checkpoint-"  # the name transformers gives, too


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint: what was true after `step` optimiser steps."""

    step: int
    folder: Path


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one job, over all its attempts."""

    folder: Path

    def path(self, step: int) -> Path:
        """Where the checkpoint of a step is written."""
        return self.folder / f"{PREFIX}{step}"

    def seal(self, step: int) -> Checkpoint:
        """Declare a checkpoint whole: every file reaches the disk first, then the manifest does."""
        folder = self.path(step)
        sizes = {str(file.relative_to(folder)): file.stat().st_size for file in _files(folder)}
        for file in _files(folder):
            _to_disk(file)
        temporary = folder / f".{SEAL}.tmp"
        temporary.write_text(json.dumps({"step": step, "files": sizes}, indent=1), encoding="utf-8")
        _to_disk(temporary)
        os.replace(temporary, folder / SEAL)
        _to_disk(folder)
        _to_disk(self.folder)
        return Checkpoint(step, folder)

    def whole(self) -> Iterator[Checkpoint]:
        """The whole checkpoints, newest first."""
        return (Checkpoint(step, folder) for step, folder in self._newest_first() if is_whole(folder))

    def last_whole(self) -> Checkpoint | None:
        """The whole checkpoint with the highest step."""
        return next(self.whole(), None)

    def broken(self) -> list[Path]:
        """Folders that look like checkpoints and are not whole, newest first."""
        return [folder for _, folder in self._newest_first() if not is_whole(folder)]

    def remove(self, folder: Path) -> None:
        """Remove one checkpoint: its seal first, so that a removal cut short does not leave it looking whole."""
        (folder / SEAL).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def prune(self, keep: int = 1) -> None:
        """Remove all but the newest `keep` whole checkpoints, and those that are not whole."""
        for folder in [*(each.folder for each in list(self.whole())[keep:]), *self.broken()]:
            self.remove(folder)

    def clear(self) -> None:
        """Remove everything: the job has succeeded, or is to start over."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _newest_first(self) -> Iterator[tuple[int, Path]]:
        found = []
        for folder in self.folder.glob(f"{PREFIX}*"):
            number = folder.name.removeprefix(PREFIX)
            if folder.is_dir() and number.isascii() and number.isdigit():
                found.append((int(number), folder))
        return iter(sorted(found, reverse=True))


def is_whole(folder: Path) -> bool:
    """Whether a checkpoint has its seal, and every file in it the size it was sealed with."""
    try:
        sizes = json.loads((folder / SEAL).read_text(encoding="utf-8"))["files"]
        return bool(sizes) and all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file() and SEAL not in file.name)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
