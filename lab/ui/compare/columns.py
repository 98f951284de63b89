"""One column of a turn: what one model has said so far, or what the store kept of it.

A column is written by the one thread that listens to its engine and read by the page's generators. How it looks is in
`column_view`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.core.types import ModelSource
from lab.engine.adapt import AdaptationReport
from lab.engine.protocol import Chunk, Stats
from lab.ui.compare.column_view import column_html
from lab.ui.compare.settings import AskSettings, of_plain

__all__ = ["Column", "column_html", "of_record"]
ENDED = ("done", "failed", "stopped")
MOST_NOTES = 12


@dataclass
class Column:
    """`phase`: waiting → thinking → answering → done; or failed, or stopped."""

    model: ModelSource
    name: str = ""  # of its folds; unique on the page and without the model's name
    phase: str = "waiting"
    note: str = "waiting for the engine"
    thought: str = ""
    answer: str = ""
    stats: Stats | None = None
    error: str = ""
    think_started: float | None = None
    think_ended: float | None = None
    changes: int = field(default=0)
    health: Mapping[str, Any] | None = None  # what the variant's health gate found
    settings: AskSettings = AskSettings()
    identity: Mapping[str, Any] | None = None  # what the engine's probe found
    adaptation: AdaptationReport | None = None
    notes: list[str] = field(default_factory=list)  # what the model told while it made ready

    @property
    def ended(self) -> bool:
        return self.phase in ENDED

    def tell(self, note: str) -> None:
        """Say what is being waited for."""
        if not self.ended and note != self.note:
            self.note, self.changes = note, self.changes + 1

    def add(self, chunk: Chunk) -> None:
        """Take in the next piece; the statistics at the end carry the final texts."""
        if self.ended:
            return
        now = time.monotonic()
        if chunk.kind == "note":
            self.note, self.notes = chunk.text, [*self.notes, chunk.text][-MOST_NOTES:]
        elif chunk.kind == "adapted":
            self.adaptation = chunk.adaptation
        elif chunk.kind == "thinking":
            self.phase, self.thought = "thinking", self.thought + chunk.text
            self.think_started = self.think_started or now
        elif chunk.kind == "answer":
            self.phase, self.answer = "answering", self.answer + chunk.text
            self.think_ended = self.think_ended or now
        elif chunk.stats is not None:
            self.stats, self.thought, self.answer = chunk.stats, chunk.stats.think_text, chunk.stats.final_text
            self.adaptation = chunk.stats.adaptation or self.adaptation
            self.think_ended, self.phase = self.think_ended or now, "done"
        self.changes += 1

    def end(self, phase: str, error: str = "") -> None:
        """Failed or stopped; what has been said stays on the page."""
        if not self.ended:
            self.phase, self.error, self.changes = phase, error, self.changes + 1
            self.think_ended = self.think_ended or time.monotonic()

    @property
    def think_seconds(self) -> float | None:
        if self.think_started is None:
            return None
        return (self.think_ended or time.monotonic()) - self.think_started

    def record(self, place: int) -> dict[str, Any]:
        """As the store keeps it: an answer of a turn."""
        return {
            "column": place, "phase": self.phase, "error": self.error, "thought": self.thought, "answer": self.answer,
            "stats": self.stats.model_dump(mode="json") if self.stats else None, "notes": self.notes,
            "think_seconds": self.think_seconds, "identity": dict(self.identity) if self.identity else None,
            "adaptation": self.adaptation.model_dump(mode="json") if self.adaptation else None,
            "settings": self.settings.plain(),
        }


def of_record(model: ModelSource, name: str, record: Mapping[str, Any]) -> Column:
    """The column a stored answer tells of."""
    stats, adaptation = record.get("stats"), record.get("adaptation")
    seconds = record.get("think_seconds")
    return Column(
        model, name, record.get("phase", "failed"), "", record.get("thought", ""), record.get("answer", ""),
        Stats.model_validate(stats) if stats else None, record.get("error", ""),
        think_started=0.0 if seconds is not None else None, think_ended=seconds,
        settings=of_plain(record.get("settings") or {}), identity=record.get("identity"),
        adaptation=AdaptationReport.model_validate(adaptation) if adaptation else None,
        notes=list(record.get("notes") or ()),
    )
