"""Mixtures: `a + b[:1200] + c[:50%]`, in the slice notation of the datasets library.

Parts are interleaved in proportion to their sizes, always in the same way: every stretch of the mixture has its parts
in their shares, so that a cap on the whole keeps them. A cap takes the first rows of a part, in its own order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.core.errors import LabError
from lab.data.dataset import Row, with_own_ids
from lab.data.pair_rows import digest

SLICE = re.compile(r"^(?P<name>.*?)\s*\[(?P<start>[^\[\]:]*):(?P<stop>[^\[\]:]*)\]$")
BOUND = re.compile(r"^-?\d+%?$")


@dataclass(frozen=True)
class Part:
    """One term of a mixture: what it names and which of its rows; bounds are '' or '12' or '-12' or '50%'."""

    name: str
    start: str = ""
    stop: str = ""

    def __str__(self) -> str:
        return f"{self.name}[{self.start}:{self.stop}]" if self.is_cut else self.name

    @property
    def is_cut(self) -> bool:
        return bool(self.start or self.stop)

    @property
    def head(self) -> int | None:
        """How many rows need be read: known where the cap is a plain number of first rows."""
        return int(self.stop) if self.stop.isdigit() and not self.start else None

    def cut(self, rows: Sequence[Row]) -> list[Row]:
        """The rows of the slice. Raises LabError when none are left."""
        kept = list(rows)[_place(self.start, len(rows), 0): _place(self.stop, len(rows), len(rows))]
        if self.is_cut and rows and not kept:
            raise LabError(f"'{self}' leaves no row: '{self.name}' has {len(rows)}", "data")
        return kept


def _place(bound: str, count: int, default: int) -> int:
    if not bound:
        return default
    if bound.endswith("%"):
        place = round(count * int(bound[:-1]) / 100)
        return place if place >= 0 else max(0, count + place)
    return int(bound) if int(bound) >= 0 else max(0, count + int(bound))


def parse(expression: str) -> list[Part]:
    """The parts of an expression. Raises LabError (reason spec) that says what is wrong where."""
    text = expression.strip()
    if not text:
        raise LabError("no dataset is named", "spec")
    # The name of a file may hold a +.
    terms = [text] if "+" not in text or Path(text).expanduser().exists() else re.split(r"\s*\+\s*", text)
    if not all(terms):
        raise LabError(f"'{expression}': there is a + with nothing beside it", "spec")
    return [_part(term) for term in terms]


def _part(term: str) -> Part:
    if Path(term).expanduser().exists():
        return Part(term)
    found = SLICE.match(term)
    if not found:
        if "[" in term or "]" in term:
            raise LabError(f"'{term}': rows are chosen like [:1200], [:50%] or [100:200]", "spec")
        return Part(term)
    part = Part(found["name"], found["start"].strip(), found["stop"].strip())
    for bound in (part.start, part.stop):
        if bound and not BOUND.match(bound):
            raise LabError(f"'{term}': '{bound}' is neither a number of rows nor a percentage", "spec")
        if bound.endswith("%") and abs(int(bound[:-1])) > 100:
            raise LabError(f"'{term}': {bound} is more than all rows", "spec")
    if not part.name or not part.is_cut:
        raise LabError(f"'{term}': rows are chosen like NAME[:1200], NAME[:50%] or NAME[100:200]", "spec")
    return part


def interleave(parts: Sequence[Sequence[Row]]) -> list[Row]:
    """All rows, each part spread evenly over the whole; ids made unique in order of appearance."""
    return with_own_ids(parts[number][at] for number, at in spread([len(rows) for rows in parts]))


def spread(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """The order of a mixture of parts of these sizes: (which part, which of its rows), from 0."""
    places = sorted(((at + 0.5) / size, number, at) for number, size in enumerate(sizes) for at in range(size))
    return [(number, at) for _, number, at in places]


def repeated_questions(parts: Sequence[Sequence[Row]]) -> int:
    """How many different questions stand in more than one part."""
    held = [{digest(row.question) for row in rows} for rows in parts]
    return sum(count > 1 for count in Counter(question for part in held for question in part).values())
