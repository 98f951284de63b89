"""The yield funnel of a synthesis: how many items came in, how far each got, and why the others were dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lab.core.types import Plain

MOST_NAMED = 5  # dropped items named with each reason


class Stage(Plain):
    """Items that got this far."""

    name: str
    n: int


class Dropped(Plain):
    """Items that ended for one reason. `items`: the first of them, by id."""

    stage: str  # the last stage they reached
    outcome: str
    n: int
    items: tuple[str, ...] = ()


class Solved(Plain):
    """Problems solved in this attempt (from 1) at this depth (rethinks before, from 0)."""

    attempt: int
    depth: int
    n: int


class Funnel(Plain):
    """Counts add up: what came in is what came out, what was dropped, and what is still open."""

    stages: tuple[Stage, ...]  # in order, each at most the one before
    dropped: tuple[Dropped, ...] = ()
    solved: tuple[Solved, ...] = ()
    n_open: int = 0  # not ended yet, or not reached when the budget was spent


def dropped_of(ended: Iterable[tuple[str, str, str]]) -> tuple[Dropped, ...]:
    """From (stage, outcome, item id) of every dropped item: most frequent first within a stage, stages as they come."""
    counts: Counter[tuple[str, str]] = Counter()
    named: dict[tuple[str, str], list[str]] = {}
    for stage, outcome, item in ended:
        counts[stage, outcome] += 1
        if len(first := named.setdefault((stage, outcome), [])) < MOST_NAMED:
            first.append(item)
    stages = list(dict.fromkeys(stage for stage, _ in counts))
    order = sorted(counts, key=lambda key: (stages.index(key[0]), -counts[key], key[1]))
    return tuple(Dropped(stage=stage, outcome=outcome, n=counts[stage, outcome], items=tuple(named[stage, outcome]))
                 for stage, outcome in order)
