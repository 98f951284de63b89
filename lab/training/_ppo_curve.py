"""The curve of a run that drives its own loop: what each step reports, kept in a file and over restarts."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from lab.core.context import Context
from lab.training._callbacks import METRICS

SAMPLES = "samples.jsonl"


class Curve:
    """Points and sampled answers, in `metrics.jsonl` and `samples.jsonl` and to the context (`saves.Keeps`)."""

    def __init__(self, context: Context):
        self.context = context
        self.points: list[dict[str, float]] = []
        self.samples: list[dict[str, Any]] = []
        self.n_tokens_seen = 0  # of prompts and completions, each rollout once
        self._seconds_before = 0.0  # of earlier attempts
        self._started = time.monotonic()

    def state(self) -> dict[str, Any]:
        return {"points": self.points, "samples": self.samples, "n_tokens_seen": self.n_tokens_seen,
                "seconds": self.seconds}

    def restore(self, state: dict[str, Any]) -> None:
        self.points, self.samples, self.n_tokens_seen = state["points"], state["samples"], state["n_tokens_seen"]
        self._seconds_before = state["seconds"]

    def begin(self) -> None:
        """Start the clock, and write what an earlier attempt has left."""
        self._started = time.monotonic()
        for name, rows in ((METRICS, self.points), (SAMPLES, self.samples)):
            self._write(name, rows, "w")

    @property
    def seconds(self) -> float:
        """Of the run over all attempts; work that was lost with a process does not count."""
        return self._seconds_before + time.monotonic() - self._started

    @property
    def tokens_per_s(self) -> float:
        return self.n_tokens_seen / max(self.seconds, 1e-9)

    def point(self, step: int, values: Mapping[str, float]) -> None:
        line = {"step": step, "seconds": round(self.seconds, 2), **values}
        self.points.append(line)
        self._write(METRICS, [line], "a")
        self.context.metric(step, **values)

    def sample(self, rows: list[dict[str, Any]]) -> None:
        """Answers to look at: a reward that rises for a wrong reason is seen here first."""
        self.samples += rows
        self._write(SAMPLES, rows, "a")

    def values(self, name: str) -> list[float]:
        """Every reported value of one figure, in order."""
        return [point[name] for point in self.points if name in point]

    def _write(self, name: str, rows: list[dict[str, Any]], mode: str) -> None:
        with (self.context.folder / name).open(mode, encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
