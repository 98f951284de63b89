"""What a closed round says: fluency per model, their paired difference, the preference, the agreement, the flags.

Every interval is a bootstrap over prompts, all ratings of a drawn prompt kept together: raters who meet the same
answers are not independent. Model b minus model a throughout.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lab.rating.quality import Flag, SideBias, Verdict, flags, median_seconds, side_bias
from lab.stats.agreement import Agreement, krippendorff_alpha
from lab.stats.bootstrap import Bootstrap, mean_interval


@dataclass(frozen=True)
class RatingRow:
    """The last version of one rating, with the side on which model a stood."""

    item_id: str
    rater: str
    a_left: bool
    fluency_left: int
    fluency_right: int
    preference: str  # left | tie | right
    visible_ms: int | None = None

    @property
    def fluency_a(self) -> int:
        return self.fluency_left if self.a_left else self.fluency_right

    @property
    def fluency_b(self) -> int:
        return self.fluency_right if self.a_left else self.fluency_left

    @property
    def preferred(self) -> str:
        """a | tie | b"""
        if self.preference == "tie":
            return "tie"
        return "a" if (self.preference == "left") == self.a_left else "b"


@dataclass(frozen=True)
class RoundResults:
    """Figures of one round. An interval is None where there is nothing to draw it from; its clusters are questions."""

    n_items: int
    n_ratings: int
    n_raters: int
    fluency_a: Bootstrap | None
    fluency_b: Bootstrap | None
    difference: Bootstrap | None  # fluency of b minus a, within each rating
    preference_b: Bootstrap | None  # share that prefers b, a tie counting half
    preferences: dict[str, int]  # a | tie | b
    scores_a: dict[int, int]  # how often each of 1–5 was given
    scores_b: dict[int, int]
    agreement: Agreement  # Krippendorff's alpha, ordinal, of the fluency scores; its units are answers
    position: SideBias
    seconds: float | None  # median visible time of a pair
    flags: tuple[Flag, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def results(rows: Sequence[RatingRow], seed: int = 0) -> RoundResults:
    """Analyse the ratings of one round."""
    verdicts = [Verdict(r.rater, r.fluency_left, r.fluency_right, r.preference, r.visible_ms) for r in rows]
    items = [row.item_id for row in rows]

    def interval(value: Callable[[RatingRow], float]) -> Bootstrap | None:
        return mean_interval(np.array([value(row) for row in rows], float), clusters=items, seed=seed) if rows else None

    return RoundResults(
        n_items=len(set(items)),
        n_ratings=len(rows),
        n_raters=len({row.rater for row in rows}),
        fluency_a=interval(lambda row: row.fluency_a),
        fluency_b=interval(lambda row: row.fluency_b),
        difference=interval(lambda row: row.fluency_b - row.fluency_a),
        preference_b=interval(lambda row: {"a": 0.0, "tie": 0.5, "b": 1.0}[row.preferred]),
        preferences={side: sum(row.preferred == side for row in rows) for side in ("a", "tie", "b")},
        scores_a=_scores(row.fluency_a for row in rows),
        scores_b=_scores(row.fluency_b for row in rows),
        agreement=krippendorff_alpha(score_matrix(rows), "ordinal"),
        position=side_bias(verdicts),
        seconds=median_seconds(verdicts),
        flags=tuple(flags(verdicts)),
    )


def score_matrix(rows: Iterable[RatingRow]) -> np.ndarray:
    """Raters × answers, NaN where a rater did not score an answer. Each pair holds two answers."""
    rows = list(rows)
    raters = {rater: i for i, rater in enumerate(sorted({row.rater for row in rows}))}
    items = {item: i for i, item in enumerate(sorted({row.item_id for row in rows}))}
    matrix = np.full((len(raters), 2 * len(items)), np.nan)
    for row in rows:
        matrix[raters[row.rater], 2 * items[row.item_id]] = row.fluency_a
        matrix[raters[row.rater], 2 * items[row.item_id] + 1] = row.fluency_b
    return matrix


def _scores(values: Iterable[int]) -> dict[int, int]:
    counts = Counter(values)
    return {score: counts[score] for score in range(1, 6)}
