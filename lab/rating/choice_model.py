"""The preferences of one pair of models in one fit: effect of the model, favour for a side, width of the ties; and the
same at equal lengths.

Outcome left < tie < right, x = +1 where model b stands on the right and −1 where it stands on the left. An effect
above 0 says that b is preferred. It speaks of these raters and of the average question: where questions differ, it is
smaller than the effect on any one of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lab.rating.rows import RatingRow
from lab.stats.bradley_terry import SIDES, sides_of
from lab.stats.ordinal import Coefficient, Refusal, fit_ordinal


@dataclass(frozen=True)
class ChoiceModel:
    """Log odds; None and a reason where there is no honest fit. `position` above 0: the right side is favoured."""

    method: str  # cumulative logit | logit | "" not fitted
    effect: Coefficient | None
    tie_width: Coefficient | None  # None without ties
    position: Coefficient | None
    length: Coefficient | None  # of one standard deviation more relative length; None where it is not in the model
    n: int
    n_clusters: int
    n_left_out: int = 0  # verdicts of raters who always chose one side: they say nothing beside their own constant
    why: str = ""


def choice_model(rows: Sequence[RatingRow]) -> ChoiceModel:
    """`rows` have a preference each, model a being the same in all."""
    return _fitted(rows, {"effect": _side_of_b(rows)})


def length_controlled(rows: Sequence[RatingRow]) -> ChoiceModel:
    """The effect at equal lengths, with a constant for each rater.

    Length is (words of b − words of a) / (their sum), divided by its standard deviation and not centred: centred, the
    effect would be that at the usual difference in length, which is what has to be taken out.
    """
    kept = _without_one_sided(rows)
    left_out = len(rows) - len(kept)
    if not kept:
        return _refused("no rater chose both sides" if rows else "no preference was given", 0, 0, left_out)
    words = np.array([(row.words_a, row.words_b) for row in kept], dtype=float)
    total, n_items = words.sum(axis=1), len({row.item_id for row in kept})
    if (total <= 0).any():
        return _refused("the lengths of some texts are not known", len(kept), n_items, left_out)
    relative = (words[:, 1] - words[:, 0]) / total
    if relative.std() < 1e-9:
        why = "every pair differs in length by the same share, so length and model cannot be told apart"
        return _refused(why, len(kept), n_items, left_out)
    side = _side_of_b(kept)
    columns = {"effect": side, "length": side * relative / relative.std(),
               **rater_columns([row.rater for row in kept])}
    return _fitted(kept, columns, left_out)


def rater_columns(raters: Sequence[str]) -> dict[tuple[str, str], np.ndarray]:
    """A column for each rater but the last, −1 where it is the last: constants that sum to zero."""
    names = sorted(set(raters))
    given = np.array(raters)
    last = (given == names[-1]).astype(float)
    return {("rater", name): (given == name).astype(float) - last for name in names[:-1]}


def _side_of_b(rows: Sequence[RatingRow]) -> np.ndarray:
    return np.array([1.0 if row.a_left else -1.0 for row in rows])


def _without_one_sided(rows: Sequence[RatingRow]) -> list[RatingRow]:
    """Without raters who only ever chose the left side, or only ever the right one."""
    sides: dict[str, set[int]] = {}
    for row in rows:
        sides.setdefault(row.rater, set()).add(SIDES[row.preference])
    return [row for row in rows if sides[row.rater] not in ({0}, {2})]


def _fitted(rows: Sequence[RatingRow], columns: Mapping[Hashable, np.ndarray], left_out: int = 0) -> ChoiceModel:
    items = [row.item_id for row in rows]
    if missing := {"left", "right"} - {row.preference for row in rows}:
        never = f"nobody ever preferred the {' or the '.join(sorted(missing))} side"
        why = never if rows else "no preference was given"
        return _refused(why, len(rows), len(set(items)), left_out)
    fit = fit_ordinal(np.array([SIDES[row.preference] for row in rows]), columns, items)
    if isinstance(fit, Refusal):
        return _refused(fit.why, fit.n, fit.n_clusters, left_out)
    position, tie_width = sides_of(fit)
    length = fit.coefficient("length") if "length" in columns else None
    effect = fit.coefficient("effect")
    return ChoiceModel(fit.method, effect, tie_width, position, length, fit.n, fit.n_clusters, left_out)


def _refused(why: str, n: int, n_clusters: int, left_out: int) -> ChoiceModel:
    return ChoiceModel("", None, None, None, None, n, n_clusters, left_out, why)
