"""A conversation as the page shows it: its columns, its turns so far, and what a blind one keeps to itself.

Read from the store, never written here: `desk` writes. The asking that runs, if one does, is the desk's, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.core.types import ModelSource
from lab.engine.protocol import Message
from lab.ui.compare.asking import Question
from lab.ui.compare.columns import Column, of_record
from lab.ui.compare.settings import AskSettings, of_plain
from lab.ui.components.health import Healths
from storage.tables import Comparison, ComparisonTurn


@dataclass(frozen=True)
class Seat:
    """Who sits in a column, and how it is asked."""

    ref: str
    label: str
    arm: str
    base: str
    kind: str
    settings: AskSettings = AskSettings()

    def plain(self) -> dict[str, Any]:
        return {"ref": self.ref, "label": self.label, "arm": self.arm, "base": self.base, "kind": self.kind,
                "settings": self.settings.plain()}

    def source(self) -> ModelSource:
        """Enough of the model to show it; its weights may be gone."""
        kind: Any = self.kind if self.kind in ("base", "adapter", "full", "remote") else "base"
        return ModelSource(ref=self.ref, label=self.label, base=self.base, kind=kind, arm=self.arm)


@dataclass(frozen=True)
class PastTurn:
    """A question and its answers; `vote` is None before there is one."""

    number: int
    question: Question
    columns: Sequence[Column]
    vote: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Conversation:
    """What the store has of one."""

    uid: str
    seats: Sequence[Seat]
    turns: Sequence[PastTurn] = ()
    title: str = ""
    saved: bool = False
    blind: bool = False

    @property
    def hidden(self) -> bool:
        """Blind, and nobody has voted yet: the names stay here."""
        return self.blind and not any(turn.vote for turn in self.turns)

    @property
    def own_settings(self) -> bool:
        return len({seat.settings for seat in self.seats}) > 1

    def histories(self, before: int) -> list[list[Message]]:
        """Each column's own conversation before a turn: answers go back without the thinking."""
        told: list[list[Message]] = [[] for _ in self.seats]
        for turn in self.turns[:before]:
            for history, column in zip(told, turn.columns, strict=True):
                history += [{"role": "user", "content": turn.question.text},
                            {"role": "assistant", "content": column.answer}]
        return told


def seat_of(model: ModelSource, settings: AskSettings) -> Seat:
    return Seat(model.ref, model.label, model.arm, model.base, model.kind, settings)


def of_rows(row: Comparison, turns: Sequence[ComparisonTurn], healths: Healths) -> Conversation:
    """The conversation the store's rows tell of."""
    seats = [
        Seat(column["ref"], column["label"], column.get("arm", "base"), column.get("base", ""),
             column.get("kind", "base"), of_plain(column.get("settings") or {})) for column in row.columns
    ]
    past = [_past(row.uid, seats, turn, healths) for turn in turns]
    return Conversation(row.uid, seats, past, row.title, row.saved, row.blind)


def _past(uid: str, seats: Sequence[Seat], turn: ComparisonTurn, healths: Healths) -> PastTurn:
    records = {record.get("column"): record for record in turn.answers}
    columns = []
    for place, seat in enumerate(seats):
        missing = {"phase": "failed", "error": "This answer was not kept."}
        column = of_record(seat.source(), fold_name(uid, turn.number, place), records.get(place, missing))
        column.health = healths.get(seat.label)
        columns.append(column)
    return PastTurn(turn.number, Question(turn.question, turn.benchmark, turn.item), columns, turn.vote)


def fold_name(uid: str, number: int, place: int) -> str:
    """Of a column's folds: the same while it streams and when it is read again, so an open thought stays open."""
    return f"{uid}-{number}-{place}"
