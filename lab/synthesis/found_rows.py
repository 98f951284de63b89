"""Found rows: what a solved problem teaches, as rows of a dataset with their notes.

complex   natural thinking of the search, and the final response
simple    a short chain of thought, and its answer, of the same problems (the ablation of the paper)
direct    an answer without thinking, of the same problems
"""

from __future__ import annotations

from typing import Any, Literal

from lab.core.types import Example
from lab.synthesis.search_state import SearchState

Form = Literal["complex", "simple", "direct"]


def row_of(state: SearchState, form: Form) -> Example:
    """The problem with what is to be learnt of it; its true answer and how it is verified stay what they are."""
    trace, answer = _said(state, form)
    return state.row.model_copy(update={"trace": trace, "steps": None, "answer": answer})


def notes_of(state: SearchState, form: Form, teacher: str) -> dict[str, Any]:
    """Where it comes from. Of the short forms `attempt` counts their own tries; they rethink nothing."""
    if form == "complex":
        return {"provenance": state.provenance, "attempt": state.attempt, "depth": state.depth,
                "strategies": list(state.strategies), "style": "complex", "n_asked": state.n_asked, "teacher": teacher}
    plain = state.simple if form == "simple" else state.direct
    return {"provenance": "found", "attempt": plain.n if plain else 0, "depth": 0, "strategies": [], "style": "common",
            "teacher": teacher}


def _said(state: SearchState, form: Form) -> tuple[str | None, str]:
    if form == "complex":
        return state.trace, state.response
    plain = state.simple if form == "simple" else state.direct
    return (plain.trace or None, plain.answer) if plain else (None, "")
