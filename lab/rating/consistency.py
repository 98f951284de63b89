"""How far the raters agree: on the scores of an answer, and on the model they prefer.

Choices are compared by model, not by side: two raters who saw the same pair mirrored and both chose its left answer
disagree. A low alpha beside a clear difference is no contradiction: raters can differ on each text and lean the same
way overall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lab.rating.rows import RatingRow, main_rows
from lab.stats.agreement import AlphaInterval, alpha_interval
from lab.stats.fleiss import Fleiss, fleiss_kappa
from lab.stats.kappa import Kappa
from lab.stats.weighted_kappa import weighted_kappa, weighted_kappas

FEWEST_COMMON = 20  # units that two raters must share for a kappa of their own
SCALE = (1, 2, 3, 4, 5)
ORDER = {"a": 0, "tie": 1, "b": 2}


@dataclass(frozen=True)
class Raw:
    """Share of the pairs of ratings of one unit that are exactly the same; chance is not taken out."""

    share: float
    n_pairs: int
    n_units: int


@dataclass(frozen=True)
class PairKappa:
    """Cohen's kappa of two raters with quadratic weights over the n units that both rated."""

    first: str
    second: str
    n: int
    kappa: float | None
    why: str = ""


@dataclass(frozen=True)
class AgreementResults:
    """None where it was not asked. Units of `scores` are shown answers, of `choices` shown pairs."""

    scores: AlphaInterval | None  # ordinal
    choices: AlphaInterval | None  # nominal
    raw_scores: Raw | None
    raw_choices: Raw | None
    kappas_scores: tuple[PairKappa, ...]
    kappas_choices: tuple[PairKappa, ...]
    few_scores: int  # pairs of raters with common units, but fewer than twenty: they have no kappa
    few_choices: int
    fleiss_scores: Fleiss | None
    fleiss_choices: Fleiss | None


Marks = dict[tuple[str, str], float]  # (rater, unit) → what the rater said of it, as a number


def agreement(rows: Sequence[RatingRow], seed: int = 0) -> AgreementResults:
    """Of the main ratings, surplus ones aside."""
    rows = main_rows(rows)
    given, chosen = score_marks(rows), choice_marks(rows)
    ordered = {(row.rater, row.unit): float(ORDER[row.preferred]) for row in rows
               if row.model_b and row.preferred in ORDER}
    kappas, few = pair_kappas(given, SCALE)
    choice_kappas, few_choices = pair_kappas(ordered, tuple(ORDER.values()))
    return AgreementResults(
        alpha_interval(matrix(given), "ordinal", seed) if given else None,
        alpha_interval(matrix(chosen), "nominal", seed) if chosen else None,
        raw_agreement(given), raw_agreement(chosen),
        kappas, choice_kappas, few, few_choices,
        _fleiss(given), _fleiss(chosen),
    )


def score_marks(rows: Sequence[RatingRow]) -> Marks:
    """Fluency of each shown answer; an answer shown in two units is two things, as its neighbour may colour it."""
    marks: Marks = {}
    for row in rows:
        for side, value in (("a", row.fluency_a), ("b", row.fluency_b)):
            if value is not None:
                marks[(row.rater, f"{row.unit}\0{side}")] = float(value)
    return marks


def choice_marks(rows: Sequence[RatingRow]) -> Marks:
    """The preferred model by name, numbered; tie and "both bad" are values of their own."""
    said = {(row.rater, row.unit): {"a": f"model {row.model_a}", "b": f"model {row.model_b}"}.get(
        row.preferred, row.preferred) for row in rows if row.preference}
    numbers = {name: float(i) for i, name in enumerate(sorted(set(said.values())))}
    return {key: numbers[name] for key, name in said.items()}


def matrix(marks: Mapping[tuple[str, str], float]) -> np.ndarray:
    """Raters × units, nan where a rater said nothing."""
    raters = {name: i for i, name in enumerate(sorted({rater for rater, _ in marks}))}
    units = {name: i for i, name in enumerate(sorted({unit for _, unit in marks}))}
    table = np.full((len(raters), len(units)), np.nan)
    for (rater, unit), value in marks.items():
        table[raters[rater], units[unit]] = value
    return table


def raw_agreement(marks: Mapping[tuple[str, str], float]) -> Raw | None:
    """None where no unit was rated twice; every pair of ratings weighs the same."""
    same = pairs = units = 0
    for counts in unit_counts(marks):
        size = int(counts.sum())
        pairs += size * (size - 1) // 2
        same += int((counts * (counts - 1)).sum()) // 2
        units += size >= 2
    return Raw(same / pairs, pairs, units) if pairs else None


def pair_kappas(marks: Mapping[tuple[str, str], float], values: Sequence[float]) -> tuple[tuple[PairKappa, ...], int]:
    """(every two raters with at least twenty common units, how many pairs have some, but fewer)."""
    raters = sorted({rater for rater, _ in marks})
    if len(raters) < 2:
        return (), 0
    table = matrix(marks)
    said = np.stack([table == value for value in values]).astype(float)  # (V, raters, units)
    found, n_few = [], 0
    for place, first in enumerate(raters[:-1]):
        others = said[:, place + 1 :]
        tables = np.einsum("iu,jsu->sij", said[:, place], others, optimize=True)  # (others, V, V)
        common = tables.sum(axis=(1, 2))
        n_few += int(((common > 0) & (common < FEWEST_COMMON)).sum())
        enough = np.flatnonzero(common >= FEWEST_COMMON)
        for other, kappa in zip(enough, weighted_kappas(tables[enough]), strict=True):
            found.append(PairKappa(first, raters[place + 1 + other], kappa.n, kappa.kappa, kappa.why))
    return tuple(found), n_few


def with_others(marks: Mapping[tuple[str, str], float], quadratic: bool) -> dict[str, tuple[Kappa, int]]:
    """Rater → (kappa against all others, the units that others rated, too). The others of a unit weigh one together."""
    table, values = matrix(marks), sorted(set(marks.values()))
    counts, found = unit_counts(marks), {}
    for rater, own in zip(sorted({rater for rater, _ in marks}), table, strict=True):
        said = np.stack([own == value for value in values], axis=1).astype(float)  # (units, values)
        others = counts - said
        shared = (said.sum(axis=1) > 0) & (others.sum(axis=1) > 0)
        others = others[shared] / others[shared].sum(axis=1, keepdims=True)
        found[rater] = weighted_kappa(said[shared].T @ others, quadratic), int(shared.sum())
    return found


def unit_counts(marks: Mapping[tuple[str, str], float]) -> np.ndarray:
    """(units, values) how many raters gave each value."""
    table = matrix(marks)
    values = sorted(set(marks.values()))
    return np.stack([(table == value).sum(axis=0) for value in values], axis=1) if values else np.zeros((0, 0))


def _fleiss(marks: Mapping[tuple[str, str], float]) -> Fleiss | None:
    return fleiss_kappa(unit_counts(marks)) if marks else None
