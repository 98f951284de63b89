"""How the rows of a dataset are spread: grades, lengths, provenance, depth, strategies, departments. Counts alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from statistics import fmean, median

from lab.data.facets import NONE, answer_of, as_text, n_words, number_of, texts_of, trace_of
from lab.data.noted import NotedRow
from lab.data.noted_parts import GRADES

SCALES = {"quality": (1, 10), "complexity": (1, 10), "relevance": (1, 6)}  # of FineMedLM-o1, arXiv 2501.09213
MOST_BINS = 20
MOST_OF_A_SCALE = 100  # bins, where somebody's grades go beyond the scale
EVERY = "all"  # the one group of a histogram that is not split


@dataclass(frozen=True)
class Bin:
    """How many are from `low` to `high`, both included."""

    low: int
    high: int
    n: int


@dataclass(frozen=True)
class Histogram:
    """Bins of whole numbers. `n` rows have a value (as whole numbers: rounded down), `n_without` have none."""

    name: str
    bins: tuple[Bin, ...]
    n: int
    n_without: int
    mean: float | None
    median: float | None


@dataclass(frozen=True)
class Branch:
    """A department, how many rows are in it, and its parts."""

    name: str
    n: int
    children: tuple[Branch, ...] = ()


@dataclass(frozen=True)
class Profile:
    """All that is counted of one dataset."""

    n: int
    quality: Histogram
    complexity: Histogram
    relevance: Histogram
    question_words: Histogram
    trace_words: Histogram
    answer_words: Histogram
    provenance: dict[str, int]
    depth: dict[str, int]
    strategies: dict[str, int]
    style: dict[str, int]
    subject: dict[str, int]
    departments: tuple[Branch, ...]


def profile(rows: Sequence[NotedRow]) -> Profile:
    """Everything at once."""
    graded = {grade: histogram_of(rows, grade)[EVERY] for grade in GRADES}
    traces = [n_words(trace_of(noted)) or None for noted in rows]
    depths = Counter(NONE if depth is None else as_text(depth) for depth in (number_of(row, "depth") for row in rows))
    return Profile(
        n=len(rows), **graded,
        question_words=lengths("question_words", [n_words(noted.row.question) for noted in rows]),
        trace_words=lengths("trace_words", traces),
        answer_words=lengths("answer_words", [n_words(answer_of(noted)) for noted in rows]),
        depth=dict(sorted(depths.items(), key=lambda item: (item[0] == NONE, item[0].zfill(4)))),
        departments=department_tree(rows),
        **{facet: counts_by(rows, facet) for facet in ("provenance", "strategies", "style", "subject")},
    )


def histogram_of(rows: Sequence[NotedRow], grade: str, by: str = "") -> dict[str, Histogram]:
    """A grade, one bin a whole number of its scale; `by`: one histogram for each value of a facet, largest first."""
    groups: dict[str, list[float | None]] = defaultdict(list)
    for noted in rows:
        for group in (texts_of(noted, by) or (NONE,)) if by else (EVERY,):
            groups[group].append(number_of(noted, grade))
    if not by:
        groups.setdefault(EVERY, [])
    ordered = sorted(groups.items(), key=lambda item: (item[0] == NONE, -len(item[1]), item[0]))
    return {group: _histogram(grade, values, _scale(grade, values)) for group, values in ordered}


def _scale(grade: str, values: Sequence[float | None]) -> list[tuple[int, int]]:
    """One bin a number: the grade's own scale, wider where a value is outside of it."""
    known = [floor(value) for value in values if value is not None]
    low, high = SCALES.get(grade, (min(known, default=0), max(known, default=0)))
    low, high = min(low, *known, low), max(high, *known, high)
    width = -(-(high - low + 1) // MOST_OF_A_SCALE)  # 1 on every real scale
    return [(at, at + width - 1) for at in range(low, high + 1, width)]


def lengths(name: str, values: Sequence[int | None]) -> Histogram:
    """Word counts in at most 20 bins of a round width from 0."""
    largest = max((value for value in values if value is not None), default=0)
    width = next(step * 10**power for power in range(12) for step in (1, 2, 5)
                 if largest < MOST_BINS * step * 10**power)
    return _histogram(name, values, [(at, at + width - 1) for at in range(0, largest + 1, width)])


def _histogram(name: str, values: Sequence[float | None], edges: Sequence[tuple[int, int]]) -> Histogram:
    known = [value for value in values if value is not None]
    low, width = edges[0][0], edges[0][1] - edges[0][0] + 1
    counted = Counter((floor(value) - low) // width for value in known)
    bins = tuple(Bin(first, last, counted[at]) for at, (first, last) in enumerate(edges))
    return Histogram(name, bins, len(known), len(values) - len(known), fmean(known) if known else None,
                     float(median(known)) if known else None)


def counts_by(rows: Sequence[NotedRow], facet: str) -> dict[str, int]:
    """Rows by the value of a facet, most frequent first; a row with several values (strategies) counts in each."""
    counted = Counter(value for noted in rows for value in texts_of(noted, facet) or (NONE,))
    return dict(sorted(counted.items(), key=lambda item: (item[0] == NONE, -item[1], item[0])))


def department_tree(rows: Sequence[NotedRow]) -> tuple[Branch, ...]:
    """Departments of the first level with those of the second, largest first; () where no row names one."""
    inside: dict[str, Counter[str]] = defaultdict(Counter)
    for noted in rows:
        for first in texts_of(noted, "department") or (NONE,):
            inside[first].update(texts_of(noted, "subdepartment") or (NONE,))
    if set(inside) <= {NONE}:
        return ()
    tree = [Branch(first, sum(parts.values()), _branches(parts)) for first, parts in inside.items()]
    return tuple(sorted(tree, key=_largest_first))


def _branches(parts: Counter[str]) -> tuple[Branch, ...]:
    return tuple(sorted((Branch(name, n) for name, n in parts.items()), key=_largest_first))


def _largest_first(branch: Branch) -> tuple[bool, int, str]:
    return branch.name == NONE, -branch.n, branch.name
