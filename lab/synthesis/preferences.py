"""Rows and pairs of finished texts, each with notes: grades, departments, who wrote it, and what a judge said.

A complex row's trace is its Thought and its answer the Summarization; a pair prefers both to what it rejects. Questions
made from texts have no short true answer: `gold` is what `lab.data.short_answer` finds in the answer, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.core.types import Example, Pair
from lab.data.short_answer import short_answer
from lab.synthesis.departments import NONE
from lab.synthesis.pairing import between
from lab.synthesis.text_state import DIRECT, KEPT, TextState

SOURCE = "texts"  # of a text whose file has no name


def row_of(state: TextState) -> Example | None:
    """What an ended text teaches; None where it was dropped."""
    if not state.done or state.grade is None or not state.said:
        return None
    trace = None if state.best is None else state.long[state.best].trace
    return Example(id=state.id, question=state.question, trace=trace, answer=state.said,
                   gold=short_answer(state.said), subject=_subject(state), source=state.source or SOURCE)


def pair_of(state: TextState) -> Pair | None:
    """The long answer preferred to a direct or a worse one; None where there is no pair."""
    if not state.done or state.pair != KEPT or state.best is None or state.rejected is None:
        return None
    chosen = state.long[state.best]
    rejected, rejected_trace = (state.direct or "", None) if state.rejected == DIRECT else (
        state.long[state.rejected].answer, state.long[state.rejected].trace)
    return Pair(id=state.id, question=state.question, chosen=chosen.answer, chosen_trace=chosen.trace,
                rejected=rejected, rejected_trace=rejected_trace, subject=_subject(state),
                source=state.source or SOURCE)


def notes_of(state: TextState, names: Mapping[str, str]) -> dict[str, Any]:
    """What is told beside a row. `names`: the models by role."""
    grade = state.grade
    told: dict[str, Any] = {
        "style": state.style, "quality": grade and grade.quality, "complexity": grade and grade.complexity,
        "relevance": grade and grade.relevance, "department": state.department, "subdepartment": state.subdepartment,
        "text": state.id, "n_asked": state.n_asked,
        "teacher": names.get("thinker", names["teacher"]) if state.style == "complex" else names["teacher"],
    }
    return {key: value for key, value in told.items() if value not in (None, "")}


def pair_notes_of(state: TextState, names: Mapping[str, str]) -> dict[str, Any]:
    """What is told beside a pair: as its row, what was rejected, and what a judge saw.

    `orders`: what was preferred where the chosen answer stood first, and where it stood second.
    """
    told = notes_of(state, names) | {"rejected": "direct" if state.rejected == DIRECT else "sample"}
    decided = between(state)
    if decided is None:
        return told | {"judge": "not asked"}
    words = {"tie": "tie", "a": "chosen", "b": "rejected"}
    orders = [decided.forward, decided.backward]
    if decided.a != state.best:
        words, orders = {"tie": "tie", "a": "rejected", "b": "chosen"}, orders[::-1]
    said = [words.get(each or "", "unread") for each in orders]
    return told | {"judge": {"by": names.get("judge", ""), "orders": said}}


def _subject(state: TextState) -> str:
    """What the page groups by, and statistics cluster by: the department, "" where none is known."""
    return "" if state.department in (None, NONE) else str(state.department)
