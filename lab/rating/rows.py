"""One rating as every analysis and export reads it: who, which unit, which sides, and what was said.

Sides are turned back into models here and nowhere else. Model b minus model a throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

OTHER_SIDE = {"a": "b", "b": "a"}


@dataclass(frozen=True)
class RatingRow:
    """The last version of one rating. With one answer on the screen that stands on the left, and `model_b` is ""."""

    unit: str  # the unit's uid
    item_id: str
    rater: str  # the rater's code
    role: str  # main | gold | repeat
    ordinal: int  # the rater's how-many-th
    a_left: bool
    model_a: str  # "" for gold
    model_b: str  # "" where one answer is shown
    fluency_left: int | None = None
    fluency_right: int | None = None
    preference: str = ""  # left | tie | right | both_bad; "" not asked
    criteria: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)  # name → (left, right)
    visible_ms: int | None = None
    total_ms: int | None = None
    n_changes: int = 0
    surplus: bool = False
    kind: str = "invited"
    words_a: int = 0  # length of the shown texts
    words_b: int = 0
    expected: Mapping[str, object] | None = None  # of a gold: some of preference "a", fluency_a 5, fluency_b 1

    @property
    def fluency_a(self) -> int | None:
        return self.fluency_left if self.a_left else self.fluency_right

    @property
    def fluency_b(self) -> int | None:
        return self.fluency_right if self.a_left else self.fluency_left

    @property
    def preferred(self) -> str:
        """a | tie | b | both_bad; "" not asked."""
        if self.preference in ("left", "right"):
            return "a" if (self.preference == "left") == self.a_left else "b"
        return self.preference

    def criterion(self, name: str) -> tuple[int | None, int | None]:
        """Its scores for model a and model b."""
        left, right = self.criteria.get(name, (None, None))
        return (left, right) if self.a_left else (right, left)

    def turned(self) -> RatingRow:
        """The same rating with models a and b in each other's place; what stood left still stands left."""
        expected = None if self.expected is None else {_turned(key): OTHER_SIDE.get(str(value), value)
                                                       for key, value in self.expected.items()}
        return replace(self, a_left=not self.a_left, model_a=self.model_b, model_b=self.model_a, words_a=self.words_b,
                       words_b=self.words_a, expected=expected)


def _turned(key: str) -> str:
    return {"fluency_a": "fluency_b", "fluency_b": "fluency_a"}.get(key, key)


@dataclass(frozen=True)
class Score:
    """One score of one answer, from whatever kind of unit."""

    item_id: str
    unit: str
    rater: str
    model: str
    value: int
    ordinal: int


def main_rows(rows: Iterable[RatingRow], with_surplus: bool = False) -> list[RatingRow]:
    """What is analysed: no gold, no repeat, nothing of a trial rater; late ratings beyond the quota only when asked."""
    return [row for row in rows if row.role == "main" and row.kind != "trial" and (with_surplus or not row.surplus)]


def between(rows: Iterable[RatingRow], a: str, b: str) -> list[RatingRow]:
    """Rows about these two models: both on the screen, turned so that `a` is model a; or one of them alone."""
    found = []
    for row in rows:
        if (row.model_a, row.model_b) == (a, b) or (row.model_a in (a, b) and not row.model_b):
            found.append(row)
        elif (row.model_a, row.model_b) == (b, a):
            found.append(row.turned())
    return found


def scores(rows: Iterable[RatingRow], criterion: str = "") -> list[Score]:
    """Every score given: of fluency, or of a criterion by name. Scores that were not asked or not given are no rows."""
    found = []
    for row in rows:
        pair = row.criterion(criterion) if criterion else (row.fluency_a, row.fluency_b)
        for model, value in zip((row.model_a, row.model_b), pair, strict=True):
            if model and value is not None:
                found.append(Score(row.item_id, row.unit, row.rater, model, value, row.ordinal))
    return found
