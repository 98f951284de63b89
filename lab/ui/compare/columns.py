"""One column of Compare: what one model has said so far, and how it looks.

A column is written by the one thread that listens to its engine and read by the page's generator.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.core.types import ModelSource
from lab.engine.protocol import Chunk, Stats
from lab.ui.answers import FINISH_WORDS, answer, thought
from lab.ui.components.health import health_flag
from lab.ui.components.html import chip, error, number
from lab.ui.components.markup import Html, tag

ENDED = ("done", "failed", "stopped")


@dataclass
class Column:
    """`phase`: waiting → thinking → answering → done; or failed, or stopped."""

    model: ModelSource
    name: str = ""  # of its fold; unique on the page
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
        if chunk.kind == "thinking":
            self.phase, self.thought = "thinking", self.thought + chunk.text
            self.think_started = self.think_started or now
        elif chunk.kind == "answer":
            self.phase, self.answer = "answering", self.answer + chunk.text
            self.think_ended = self.think_ended or now
        elif chunk.stats is not None:
            self.stats, self.thought, self.answer = chunk.stats, chunk.stats.think_text, chunk.stats.final_text
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


def columns_html(columns: list[Column]) -> Html:
    """All columns side by side; one below the other in a narrow window."""
    return tag("div", *(column_html(column) for column in columns), cls=f"columns columns-{len(columns)}")


def column_html(column: Column) -> Html:
    """Name, thought, answer, and a foot that says how it ended."""
    model = column.model
    about = "the base as it is" if model.kind == "base" else f"on {model.base}"
    name = tag("h3", chip(model.label, model.arm), " ", health_flag(column.health))
    head = tag("div", name, tag("small", about), cls="column-head")
    return tag(
        "article", head, tag("div", _body(column), cls="column-body"), tag("div", _foot(column), cls="column-foot"),
        cls=f"lab-card column arm-{model.arm}", aria_label=f"Answer of {model.label}",
    )


def _body(column: Column) -> Html:
    parts: list[object] = []
    state = column.stats.think_state if column.stats else _think_state(column)
    if column.thought:
        tokens = column.stats.n_think_tokens if column.stats else None
        parts.append(thought(f"think-{column.name}", column.thought, tokens, column.think_seconds, state))
    if column.answer or column.phase == "done":
        parts.append(answer(column.answer, state))
    if column.phase == "failed":
        parts.append(error("This column failed", column.error))
    if column.phase == "waiting":
        parts.append(tag("p", column.note, cls="note waiting"))
    return tag("div", *parts)


def _think_state(column: Column) -> str:
    if column.answer:
        return "closed"
    return "open" if column.phase == "thinking" else "closed"


def _foot(column: Column) -> object:
    if column.phase == "stopped":
        return "stopped by you" if column.thought or column.answer else "stopped before the first word"
    if column.phase == "failed":
        return "ended by an error"
    if column.phase in ("thinking", "answering"):
        return f"{column.phase} …"
    if column.stats is None:
        return "\u00a0"
    stats = column.stats
    made = stats.n_think_tokens + stats.n_answer_tokens
    speed = made / stats.seconds if stats.seconds > 0 else None
    parts = [FINISH_WORDS[stats.finish_reason], f"{made}\u202ftokens", f"{stats.seconds:.1f}\u202fs"]
    cut = "cut" if stats.finish_reason == "length" else None
    return tag("span", " · ".join(parts), " · ", number(speed, 0, "tokens/s"), cls=cut)
