"""Which rows of a dataset a command of `data …` means, and what people have said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lab.core.errors import Fault, LabError, SpecError, nearest
from lab.core.types import Example
from lab.data.browsing import Between, Filter
from lab.data.reviewing import Review
from lab.verify.verifier import verify
from storage.database import open_store
from storage.queries.row_reviews import reviews_of, verdicts

MANY = {"department": "departments", "subdepartment": "subdepartments", "subject": "subjects", "strategy": "strategies",
        "provenance": "provenance", "style": "styles", "review": "reviews"}
NUMBERS = ("quality", "complexity", "relevance", "depth", "trace_words", "answer_words")
FIELDS = (*MANY, *NUMBERS, "trace", "words")


def reviews_in_store(key: str) -> Mapping[str, Review]:
    """Row id → the newest word on it; what was taken back is as if it had not been said."""
    if not key:
        return {}
    with open_store().read() as session:
        return verdicts(reviews_of(session, key))


def scores(row: Example) -> bool:
    """Whether a row's answer scores 1 through its own verifier."""
    return verify(row.answer, row).correct


def filter_of(entries: Sequence[str], words: str = "") -> Filter:
    """`--only FIELD=VALUE …` as one filter. SpecError with every entry that says nothing."""
    chosen, faults = Filter(words=words), []
    for entry in entries:
        try:
            chosen = _with(chosen, entry)
        except LabError as fault:
            faults.append(Fault("--only", str(fault), entry))
    if faults:
        raise SpecError(faults, "which rows")
    return chosen


def excluded_of(entries: Sequence[str]) -> tuple[Filter, ...]:
    """`--except FIELD=VALUE …`: a filter for each, so that a row of any of them goes."""
    return tuple(filter_of([entry]) for entry in entries)


def _with(chosen: Filter, entry: str) -> Filter:
    field, equals, value = entry.partition("=")
    if not equals or not value:
        raise LabError(f"'{entry}' is not of the form FIELD=VALUE")
    if field in MANY:
        return replace(chosen, **{MANY[field]: (*getattr(chosen, MANY[field]), value)})
    if field in NUMBERS:
        return replace(chosen, **{field: _between(value)})
    if field == "words":
        return replace(chosen, words=f"{chosen.words} {value}".strip())
    if field != "trace":
        raise LabError(f"there is no field '{field}'. {nearest(field, FIELDS)}")
    if value not in ("with", "without"):
        raise LabError(f"trace is 'with' or 'without', not '{value}'")
    return replace(chosen, has_trace=value == "with")


def _between(text: str) -> Between:
    """'7..10', '7..', '..5' or '7'."""
    least, dots, most = text.partition("..")
    try:
        bounds = [float(bound) if bound.strip() else None for bound in (least, most if dots else least)]
    except ValueError:
        raise LabError(f"'{text}' is no range: write 7..10, 7.., ..5 or 7") from None
    return Between(*bounds)
