"""Which unit a rater sees next, and which answer stands on the left.

Online and greedy over plain records: units that every rater is to get, then least rated first, then the unit whose
raters met this rater least, then chance. It reaches the balance of a pre-computed block design and, unlike one,
tolerates raters who leave. Never the same question twice in a row, and with one answer on the screen the answers to a
question stand apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

APART = 5  # units between two answers to the same question, where one answer is shown at a time
REPEAT_AFTER = 20  # units between a unit and its repetition


@dataclass(frozen=True)
class UnitLoad:
    """A unit that counts, as far as the choice needs it."""

    id: int
    item_id: str
    n_active: int = 0  # ratings it has or that are being given
    side_balance: int = 0  # times a stood left, minus times it stood right
    raters: frozenset[int] = frozenset()  # who was given it
    shared: bool = False


@dataclass(frozen=True)
class OwnUnit:
    """A unit that this rater was given, in the order in which it was served."""

    unit_id: int
    item_id: str
    role: str
    a_left: bool
    active: bool  # rated or being rated
    rated: bool = False


@dataclass(frozen=True)
class RaterView:
    """What the rule knows of the rater who asks."""

    id: int
    own: tuple[OwnUnit, ...] = ()
    met: Mapping[int, int] = field(default_factory=dict)  # other rater → units rated by both

    @property
    def n_counted(self) -> int:
        return sum(one.active for one in self.own if one.role == "main")


@dataclass(frozen=True)
class Rules:
    """Of the design."""

    quota: int
    most_units: int = 0
    apart: int = 1  # units between two of the same question
    gold_every: int = 0
    repeat_share: float = 0.0


@dataclass(frozen=True)
class Choice:
    """The next unit for a rater, side fixed."""

    unit_id: int
    role: str
    a_left: bool


def next_choice(
    units: Sequence[UnitLoad], golds: Sequence[UnitLoad], rater: RaterView, rules: Rules, random: Random
) -> Choice | None:
    """The next unit for this rater, or None when nothing is left. Golds and repeats stand among the units, and never
    after the last of them: a rater who has no unit left is done."""
    unit = next_unit(units, rater, rules, random)
    if unit is None:
        return None
    if _gold_is_due(rater, rules) and (gold := _next_gold(golds, rater, random)):
        return Choice(gold.id, "gold", random.random() < 0.5)
    if repeat := _due_repeat(rater, rules, random):
        return Choice(repeat.unit_id, "repeat", not repeat.a_left)
    return Choice(unit.id, "main", a_goes_left(unit, rater, random))


def next_unit(units: Sequence[UnitLoad], rater: RaterView, rules: Rules, random: Random) -> UnitLoad | None:
    """The unit that counts and comes next."""
    free = open_units(units, rater, rules)
    if not free:
        return None
    recent = {one.item_id for one in rater.own[-rules.apart:]}
    apart = [unit for unit in free if unit.item_id not in recent]
    pool = apart or free  # nothing else is left: better soon after than not at all

    def place(unit: UnitLoad) -> tuple[bool, int, int]:
        return (not unit.shared, unit.n_active, sum(rater.met.get(other, 0) for other in unit.raters))

    least = min(place(unit) for unit in pool)
    return random.choice([unit for unit in pool if place(unit) == least])


def open_units(units: Sequence[UnitLoad], rater: RaterView, rules: Rules) -> list[UnitLoad]:
    """Units that this rater could still be given."""
    if rules.most_units and rater.n_counted >= rules.most_units:
        return []
    seen = {one.unit_id for one in rater.own if one.role == "main"}
    return [unit for unit in units if unit.id not in seen and (unit.shared or unit.n_active < rules.quota)]


def a_goes_left(unit: UnitLoad, rater: RaterView, random: Random) -> bool:
    """Even out the unit's sides first, then the rater's; a coin decides the rest."""
    own = sum(1 if one.a_left else -1 for one in rater.own if one.active and one.role == "main")
    for imbalance in (unit.side_balance, own):
        if imbalance:
            return imbalance < 0
    return random.random() < 0.5


def _gold_is_due(rater: RaterView, rules: Rules) -> bool:
    """One in every `gold_every` units, at a place in that stretch that differs each time and from rater to rater."""
    if not rules.gold_every:
        return False
    served = len(rater.own)
    stretch, place = divmod(served, rules.gold_every)
    given = sum(1 for one in rater.own if one.role == "gold")
    if given > stretch:
        return False
    return given < stretch or place >= Random(f"{rater.id}-{stretch}").randrange(1, max(2, rules.gold_every))


def _next_gold(golds: Sequence[UnitLoad], rater: RaterView, random: Random) -> UnitLoad | None:
    seen = {one.unit_id for one in rater.own if one.role == "gold"}
    last = rater.own[-1].item_id if rater.own else ""
    left = [gold for gold in golds if gold.id not in seen and gold.item_id != last]
    return random.choice(left) if left else None


def _due_repeat(rater: RaterView, rules: Rules, random: Random) -> OwnUnit | None:
    """A unit that was rated long enough ago and was not repeated yet, when repeats are behind their share."""
    counted = [one for one in rater.own if one.role == "main" and one.rated]
    again = {one.unit_id for one in rater.own if one.role == "repeat"}
    if len(again) >= int(rules.repeat_share * len(counted)):
        return None
    before = {one.unit_id for one in rater.own[:-REPEAT_AFTER]}
    old = [one for one in counted if one.unit_id in before and one.unit_id not in again]
    return random.choice(old) if old else None
