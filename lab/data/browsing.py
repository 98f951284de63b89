"""Browsing: the rows of a dataset that a filter leaves, sorted, a page at a time, and what there is to filter by.

`shelve` looks at every row once; a page of 50,000 rows then takes tens of milliseconds (tests/perf/data_pages.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from lab.core.errors import LabError, nearest
from lab.data.facets import (
    NONE,
    NUMBERS,
    WITH,
    WITHOUT,
    answer_of,
    as_text,
    n_words,
    number_of,
    texts_of,
    trace_of,
    words_of,
)
from lab.data.noted import NotedRow
from lab.data.reviewing import VERDICTS, Review


class Between(NamedTuple):
    """Numbers from `least` to `most`, both included; None is no bound."""

    least: float | None = None
    most: float | None = None

    def holds(self, numbers: np.ndarray) -> np.ndarray:
        """Which of them are; NaN is not."""
        least = -np.inf if self.least is None else self.least
        return (numbers >= least) & (numbers <= (np.inf if self.most is None else self.most))


ANY = Between()
LENGTHS = {"trace_words": trace_of, "answer_words": answer_of, "question_words": lambda noted: noted.row.question}
SORTS = ("position", *NUMBERS, *LENGTHS, "question")
BOUNDED = ("quality", "complexity", "relevance", "depth", "trace_words", "answer_words")  # fields of Filter
WORDS = {"department": "departments", "subdepartment": "subdepartments", "subject": "subjects",
         "provenance": "provenance", "style": "styles", "strategies": "strategies"}  # facet → field of Filter
FACETS = (*WORDS, "depth", "quality", "complexity", "relevance", "trace", "review")
IN_ORDER = ("depth", "quality", "complexity", "relevance")  # facets of numbers: ascending, not by frequency


@dataclass(frozen=True)
class Filter:
    """Which rows. Several values of one field mean any of them, fields together mean all; 'none': says nothing."""

    words: str = ""  # each word, and each "phrase in quotes", anywhere in a row's texts or its id, in any case
    departments: tuple[str, ...] = ()
    subdepartments: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    provenance: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    reviews: tuple[str, ...] = ()  # none, approved, rejected, edited, open
    has_trace: bool | None = None
    quality: Between = ANY
    complexity: Between = ANY
    relevance: Between = ANY
    depth: Between = ANY
    trace_words: Between = ANY
    answer_words: Between = ANY


@dataclass(frozen=True)
class Look:
    """What a page shows: which rows, in which order (a leading - turns it round), which page of how many rows."""

    filter: Filter = Filter()
    sort: str = "position"
    page: int = 1
    per_page: int = 20


@dataclass(frozen=True)
class Page:
    """The rows of one page, of `total` that the filter leaves of `n_all`; `facets`: how many of these say what."""

    rows: list[NotedRow]
    total: int
    page: int
    pages: int
    per_page: int
    n_all: int
    facets: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Column:
    """What each row says of one facet: a code for each row, and what the codes mean; a row may say several things."""

    codes: np.ndarray  # (rows,) int
    meanings: list[tuple[str, ...]]

    def says(self, wanted: Iterable[str]) -> np.ndarray:
        """(rows,) bool: which rows say one of the words."""
        words = set(wanted)
        return np.array([not words.isdisjoint(meaning) for meaning in self.meanings], dtype=bool)[self.codes]

    def counts(self, found: np.ndarray) -> Counter[str]:
        """How many of the rows say what."""
        counted: Counter[str] = Counter()
        numbers = np.bincount(self.codes[found], minlength=len(self.meanings)).tolist()
        for meaning, count in zip(self.meanings, numbers, strict=True):
            for word in meaning if count else ():
                counted[word] += count
        return counted


@dataclass(frozen=True)
class Shelf:
    """Rows with columns made of them once: what they say of each facet, each number, and the text that is searched."""

    rows: Sequence[NotedRow]
    columns: Mapping[str, Column]
    numbers: Mapping[str, np.ndarray]  # (rows,) float; NaN where a row has none
    folded: list[str] = field(repr=False)
    places: Mapping[str, int] = field(repr=False)  # row id → where it is in `rows`

    def find(self, row_id: str) -> NotedRow | None:
        place = self.places.get(row_id)
        return None if place is None else self.rows[place]


def shelve(rows: Sequence[NotedRow]) -> Shelf:
    """Look at every row once."""
    told = {name: [number_of(noted, name) for noted in rows] for name in NUMBERS}
    told |= {name: [n_words(text(noted)) for noted in rows] for name, text in LENGTHS.items()}
    told["trace_words"] = [words or None for words in told["trace_words"]]
    columns = {name: _column([texts_of(noted, name) or (NONE,) for noted in rows]) for name in (*WORDS, "trace")}
    columns |= {name: _column([(NONE,) if number is None else (as_text(number),) for number in told[name]])
                for name in IN_ORDER}
    numbers = {name: np.array([np.nan if number is None else number for number in column], dtype=float)
               for name, column in told.items()}
    return Shelf(rows, columns, numbers, [fold("\n".join(words_of(noted))) for noted in rows],
                 {noted.id: place for place, noted in enumerate(rows)})


def _column(said: Sequence[tuple[str, ...]]) -> Column:
    codes = {meaning: code for code, meaning in enumerate(dict.fromkeys(said))}
    return Column(np.array([codes[meaning] for meaning in said], dtype=np.intp), list(codes))


def browse(shelf: Shelf, look: Look = Look(), reviews: Mapping[str, Review] | None = None) -> Page:
    """One page. A page beyond the last is the last. Raises LabError for an unknown order."""
    said = _reviewed(shelf, reviews or {})
    found = _found(shelf, look.filter, said)
    ordered = _sorted(shelf, found, look.sort)
    per_page = max(1, look.per_page)
    pages = max(1, ceil(len(ordered) / per_page))
    page = min(max(1, look.page), pages)
    shown = [shelf.rows[place] for place in ordered[(page - 1) * per_page: page * per_page]]
    columns = {name: said if name == "review" else shelf.columns[name] for name in FACETS}
    facets = {name: dict(sorted(column.counts(found).items(), key=_order(name))) for name, column in columns.items()}
    return Page(shown, len(found), page, pages, per_page, len(shelf.rows), facets)


def matching(shelf: Shelf, chosen: Filter, reviews: Mapping[str, Review]) -> list[int]:
    """Where the rows are that a filter leaves, in their own order."""
    return _found(shelf, chosen, _reviewed(shelf, reviews)).tolist()


def _found(shelf: Shelf, chosen: Filter, said: Column) -> np.ndarray:
    """The same as places of whole numbers. Texts are searched last, and only those of rows that are left."""
    left = np.ones(len(shelf.rows), dtype=bool)
    for facet, name in WORDS.items():
        if wanted := getattr(chosen, name):
            left &= shelf.columns[facet].says(wanted)
    if chosen.has_trace is not None:
        left &= shelf.columns["trace"].says((WITH if chosen.has_trace else WITHOUT,))
    if chosen.reviews:
        left &= said.says(chosen.reviews)
    for name in BOUNDED:
        between: Between = getattr(chosen, name)
        if between != ANY:
            left &= between.holds(shelf.numbers[name])
    places = np.flatnonzero(left)
    for word in searched(chosen.words):
        places = np.array([place for place in places.tolist() if word in shelf.folded[place]], dtype=np.intp)
    return places


def _reviewed(shelf: Shelf, reviews: Mapping[str, Review]) -> Column:
    """The facet 'review', which changes while the rows do not."""
    codes = np.zeros(len(shelf.rows), dtype=np.intp)
    for row_id, review in reviews.items():
        if (place := shelf.places.get(row_id)) is not None:
            codes[place] = VERDICTS.index(review.verdict) + 1
    return Column(codes, [(NONE,), *((verdict,) for verdict in VERDICTS)])


def _order(facet: str) -> Callable[[tuple[str, int]], Any]:
    """'none' is last; numbers ascend, the rest by how frequent it is."""
    if facet in IN_ORDER:
        return lambda item: (item[0] == NONE, float(item[0]) if item[0] != NONE else 0)
    return lambda item: (item[0] == NONE, -item[1], item[0])


def _sorted(shelf: Shelf, found: np.ndarray, sort: str) -> list[int]:
    """Rows without the number are last either way; equal ones stay in their own order."""
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name not in SORTS:
        raise LabError(f"rows cannot be sorted by '{name}'. {nearest(name, SORTS)}", "spec")
    if name == "position":
        return found[::-1].tolist() if down else found.tolist()
    if name == "question":
        return sorted(found.tolist(), key=lambda place: shelf.rows[place].row.question.casefold(), reverse=down)
    numbers = shelf.numbers[name][found]
    return found[np.argsort(-numbers if down else numbers, kind="stable")].tolist()  # NaN is sorted to the end


def searched(words: str) -> list[str]:
    """The words and "phrases" of a search, as the texts are folded."""
    return [fold(phrase or word) for phrase, word in re.findall(r'"([^"]+)"|(\S+)', words)]


def fold(text: str) -> str:
    """Upper and lower case, and look-alike forms of one character, made the same."""
    return unicodedata.normalize("NFKC", text).casefold()
