"""Which pair a rater sees next, and which answer stands on the left.

Online and greedy over plain records: least rated first, then the pair whose raters met this rater least, then chance.
It reaches the balance of a pre-computed block design and, unlike one, tolerates raters who leave.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class UnitRecord:
    """A pair that can be served."""

    id: int
    answer_a: int
    answer_b: int


@dataclass(frozen=True)
class GivenRecord:
    """A pair that was given to a rater. `active`: rated, or still held by the rater; it then fills the quota."""

    unit_id: int
    rater_id: int
    a_left: bool
    active: bool


@dataclass(frozen=True)
class Choice:
    """The next pair for a rater, sides fixed."""

    unit_id: int
    left: int
    right: int


def next_choice(
    units: Sequence[UnitRecord], given: Iterable[GivenRecord], rater_id: int, quota: int, random: Random
) -> Choice | None:
    """The next pair for this rater, or None when every pair has its quota or was already theirs."""
    given = list(given)
    seen = {g.unit_id for g in given if g.rater_id == rater_id}
    raters: dict[int, set[int]] = defaultdict(set)
    for g in given:
        if g.active:
            raters[g.unit_id].add(g.rater_id)
    eligible = [unit for unit in units if unit.id not in seen and len(raters[unit.id]) < quota]
    if not eligible:
        return None
    met = _co_ratings(raters, rater_id)
    least = min((len(raters[unit.id]), sum(met[r] for r in raters[unit.id])) for unit in eligible)
    best = [u for u in eligible if (len(raters[u.id]), sum(met[r] for r in raters[u.id])) == least]
    unit = random.choice(best)
    if a_goes_left(given, unit.id, rater_id, random):
        return Choice(unit.id, unit.answer_a, unit.answer_b)
    return Choice(unit.id, unit.answer_b, unit.answer_a)


def a_goes_left(given: Iterable[GivenRecord], unit_id: int, rater_id: int, random: Random) -> bool:
    """Even out the pair's sides first, then the rater's; a coin decides the rest."""
    active = [g for g in given if g.active]
    for mine in ([g for g in active if g.unit_id == unit_id], [g for g in active if g.rater_id == rater_id]):
        imbalance = sum(1 if g.a_left else -1 for g in mine)
        if imbalance:
            return imbalance < 0
    return random.random() < 0.5


def _co_ratings(raters: dict[int, set[int]], rater_id: int) -> Counter[int]:
    """How many pairs each other rater shares with this one."""
    met: Counter[int] = Counter()
    for others in raters.values():
        if rater_id in others:
            met.update(others - {rater_id})
    return met
