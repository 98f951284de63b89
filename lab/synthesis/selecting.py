"""The selection rule of FineMed: which of a text's questions is kept, by their grades.

FineMedLM-o1 (arXiv 2501.09213, notebooks of hongzhouyu/FineMed): a question that leaks its source is discarded; of the
others the larger quality + complexity + relevance is kept; at a tie the larger quality + complexity; then the larger
quality; then one is drawn, here by the seed and the text's id. A question whose grade could not be read, or lies below
a bound of the job, is discarded too. No question left: no text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lab.synthesis.grading import Grade
from lab.synthesis.machine import draw

LEAK, UNREAD = "leaks its source", "grade unread"
LOW_QUALITY, LOW_RELEVANCE = "low quality", "low relevance"
TIE_BREAKS: tuple[Callable[[Grade], int], ...] = (
    lambda grade: grade.quality + grade.complexity + grade.relevance,
    lambda grade: grade.quality + grade.complexity,
    lambda grade: grade.quality,
)


class Least(NamedTuple):
    """The lowest grades that are kept."""

    quality: int = 1
    relevance: int = 1


class Selection(NamedTuple):
    """`place` of the kept question or None; why each of the others was discarded by itself, "" for one that lost."""

    place: int | None
    discarded: tuple[str, ...]


def select(grades: Sequence[Grade | None], least: Least, seed: int, text: str) -> Selection:
    """Apply the rule to the grades of one text's questions, None for one that has none."""
    discarded = tuple(discard(grade, least) for grade in grades)
    left = [place for place, why in enumerate(discarded) if not why]
    for worth in TIE_BREAKS:
        worths = {place: worth(grade) for place in left if (grade := grades[place]) is not None}
        left = [place for place in left if worths[place] == max(worths.values())]
    if len(left) > 1:
        left = [draw(seed, text, "select").choice(left)]
    return Selection(left[0] if left else None, discarded)


def discard(grade: Grade | None, least: Least) -> str:
    """Why a question cannot be kept whatever the other one is worth; "" where it can."""
    if grade is None:
        return UNREAD
    if grade.leaks:
        return LEAK
    if grade.quality < least.quality:
        return LOW_QUALITY
    return LOW_RELEVANCE if grade.relevance < least.relevance else ""
