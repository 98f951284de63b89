"""Facets: what rows are grouped, filtered and counted by, read from a row and its notes in one place."""

from __future__ import annotations

from collections.abc import Sequence

from lab.core.types import Example
from lab.data.noted import NotedRow
from lab.data.noted_parts import GRADES

NONE = "none"  # shown where a row says nothing; a department 'None' is what a teacher has said
NUMBERS = (*GRADES, "depth", "attempt", "n_asked")
WITH, WITHOUT = "with", "without"
LARGEST = 1e15  # no grade and no count is larger: what is, was written by mistake


def texts_of(noted: NotedRow, facet: str) -> tuple[str, ...]:
    """The values of a facet of words; () where the row says nothing."""
    if facet == "trace":
        return (WITH if trace_of(noted) else WITHOUT,)
    value = noted.row.subject if facet == "subject" else noted.notes.get(facet)
    if isinstance(value, list | tuple):
        return tuple(str(part) for part in value)
    return () if value in (None, "") else (str(value),)


def number_of(noted: NotedRow, name: str) -> float | None:
    """A grade, a depth or another number of the notes; None where there is none."""
    value = noted.notes.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and abs(value) < LARGEST else None  # not a number is not smaller either


def trace_of(noted: NotedRow) -> str:
    """The reasoning; of a pair that of the preferred reply."""
    row = noted.row
    return (row.trace if isinstance(row, Example) else row.chosen_trace) or ""


def answer_of(noted: NotedRow) -> str:
    """The answer; of a pair the preferred one."""
    row = noted.row
    return row.answer if isinstance(row, Example) else row.chosen


def words_of(noted: NotedRow) -> Sequence[str]:
    """Every text of a row that a search looks into."""
    row = noted.row
    options = tuple((row.options or {}).values())
    if isinstance(row, Example):
        return (row.id, row.question, *options, row.trace or "", row.answer)
    return (row.id, row.question, *options, row.chosen_trace or "", row.chosen, row.rejected_trace or "", row.rejected)


def n_words(text: str) -> int:
    return len(text.split())


def as_text(number: float) -> str:
    """3.0 as '3'."""
    return str(int(number)) if float(number).is_integer() else str(number)
