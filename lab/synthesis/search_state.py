"""The state of a search: where one problem stands on its way to a reasoning, as plain data."""

from __future__ import annotations

from typing import Any, Literal

from lab.core.types import Example, Plain
from lab.synthesis.actions import Action, conclusion_of
from lab.synthesis.machine import ItemState

Phase = Literal["think", "verify", "rethink", "label", "naturalise", "respond", "confirm",
                "simple", "verify simple", "direct", "verify direct"]
Provenance = Literal["", "found", "label_shown"]


class Plainly(Plain):
    """An answer of the ablation: a short chain of thought, or none."""

    trace: str = ""
    answer: str = ""
    n: int = 1  # how many were written: the last one is kept


class SearchState(ItemState):
    """`phase` is what is asked next; with the seed, `attempt`, `depth` and `tries` decide what is drawn."""

    row: Example
    phase: Phase = "think"
    attempt: int = 1  # from scratch, counted from 1
    depth: int = 0  # rethinks of this attempt so far
    actions: tuple[Action, ...] = ()  # of the newest attempt that could be read
    strategies: tuple[str, ...] = ()  # of its rethinks, in order
    tries: int = 0  # of the request at hand: replies that could not be used
    rewritten: int = 0  # final responses written once more, as they had lost the answer
    n_reasonings: int = 0  # that could be read: initial ones and rethinks
    n_unsure: int = 0  # verdicts that stayed unreadable: counted as not verified
    n_unread: dict[str, int] = {}  # reason → replies that could not be used
    provenance: Provenance = ""
    trace: str = ""  # natural thinking
    response: str = ""
    confirmed: bool = False  # the response states the true answer
    simple: Plainly | None = None
    direct: Plainly | None = None

    def but(self, **changes: Any) -> SearchState:
        """A copy with these changes."""
        return self.model_copy(update=changes)


def reference(row: Example) -> str:
    """The true answer as a verifier is shown it: with its words where it is a letter."""
    text = (row.options or {}).get(row.gold)
    return f"{row.gold}) {text}" if text else row.gold


def candidate(state: SearchState) -> str:
    """What a verdict is about: the last conclusion, the final response, or an answer of the ablation."""
    match state.phase:
        case "confirm":
            return state.response
        case "verify simple":
            return state.simple.answer if state.simple else ""
        case "verify direct":
            return state.direct.answer if state.direct else ""
    return conclusion_of(state.actions)
