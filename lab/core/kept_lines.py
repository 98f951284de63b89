"""Kept lines: what a task has worked out so far, on the disk, so that a job that is killed loses a second.

One JSON object a line, in a file that outlives an attempt. A task that starts again reads them and does only the rest.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lab.core.checkpoints import Checkpoints

SEAL_EVERY_S = 5.0
Row = dict[str, Any]


class KeptLines:
    """The rows of one job, in the order in which they were kept.

    `rows` is what an earlier attempt has left; from the first line on that was cut, or that `usable` refuses, nothing
    is.
    """

    def __init__(self, checkpoints: Checkpoints, usable: Callable[[Row], bool] = bool):
        self._checkpoints, self._path = checkpoints, checkpoints.folder / "rows.jsonl"
        self.rows: list[Row] = []
        self._sealed_at = time.monotonic()
        self._read(usable)

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, rows: Sequence[Row]) -> None:
        """On the disk before this returns."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
            file.flush()
            os.fsync(file.fileno())
        self.rows += rows
        if time.monotonic() - self._sealed_at > SEAL_EVERY_S:
            self.seal()

    def seal(self) -> None:
        """A checkpoint whose step is the number of rows: by it the queue sees that a lost job got further."""
        n = len(self)
        if not n or ((last := self._checkpoints.last_whole()) and last.step >= n):
            return
        folder = self._checkpoints.path(n)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rows.json").write_text(json.dumps({"rows": n}), encoding="utf-8")
        self._checkpoints.seal(n)
        self._checkpoints.prune()
        self._sealed_at = time.monotonic()

    def _read(self, usable: Callable[[Row], bool]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            return
        whole = 0
        with self._path.open("rb") as file:
            for line in file:
                row = _kept(line)
                if row is None or not usable(row):
                    break
                self.rows.append(row)
                whole += len(line)
        _cut(self._path, whole)


def _kept(line: bytes) -> Row | None:
    """A whole line, or None: a kill may cut the last one."""
    if not line.endswith(b"\n"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _cut(path: Path, size: int) -> None:
    if path.stat().st_size > size:
        os.truncate(path, size)
