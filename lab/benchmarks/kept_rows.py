"""Kept rows: what a benchmark job has been answered so far, so that a job that is killed loses a second.

A job that starts again asks for the rest only (`lab.core.kept_lines`). A row counts for its own run key alone: two
models, or two ways of asking, never share one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from lab.benchmarks.samples import Sample
from lab.core.checkpoints import Checkpoints
from lab.core.kept_lines import KeptLines


class KeptRows:
    """The rows of one job, by run key, question and epoch."""

    def __init__(self, checkpoints: Checkpoints):
        self._rows: dict[str, dict[tuple[str, int], Sample]] = {}
        self._lines = KeptLines(checkpoints, self._take)

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._rows.values())

    def of(self, run_key: str) -> dict[tuple[str, int], Sample]:
        """(question, epoch) → row."""
        return self._rows.setdefault(run_key, {})

    def add(self, run_key: str, samples: Sequence[Sample]) -> None:
        """On the disk before this returns."""
        self._lines.add([{"run": run_key, "row": sample.model_dump(mode="json")} for sample in samples])
        self.of(run_key).update({sample.key: sample for sample in samples})

    def seal(self) -> None:
        """As `KeptLines.seal`."""
        self._lines.seal()

    def _take(self, line: dict[str, Any]) -> bool:
        """Whether a line of an earlier attempt is a row of this program."""
        try:
            sample = Sample.model_validate(line["row"])
            self.of(str(line["run"]))[sample.key] = sample
        except (KeyError, ValidationError):
            return False
        return True
