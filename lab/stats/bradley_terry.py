"""Many models from verdicts on pairs: one strength each, ties and the favour for a side in the same fit.

The cumulative-link model (`lab.stats.ordinal`) on left < tie < right with a column for each model, +1 where it stands
on the right and −1 on the left: R. A. Bradley & M. E. Terry, Biometrika 39 (1952) 324-345, with the ties of P. V. Rao &
L. L. Kupper, J. Am. Stat. Assoc. 62 (1967) 194-204. Strengths sum to zero; intervals are sandwich ones over questions.
Ranks are ranges: a model is placed before another where their difference is significant after Holm's correction.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from lab.stats.ordinal import Coefficient, OrdinalFit, Refusal, fit_ordinal
from lab.stats.ranks import rank_ranges

SIDES = {"left": 0, "tie": 1, "both_bad": 1, "right": 2}


@dataclass(frozen=True)
class Verdict:
    """Which of two models was preferred, by side."""

    left: str
    right: str
    preference: str  # left | tie | right | both_bad
    question: Hashable


@dataclass(frozen=True)
class Strength:
    """Log odds of being preferred to the average model, and the ranks that the comparisons leave open (1 the best)."""

    model: str
    strength: Coefficient
    first: int
    last: int


@dataclass(frozen=True)
class Ranking:
    """Strengths in the order of the models; empty, and `why` says why, where there is no honest ranking."""

    strengths: tuple[Strength, ...]
    position: Coefficient | None  # above 0: the right side is favoured
    tie_width: Coefficient | None
    n: int
    n_clusters: int
    why: str = ""


def rank_models(verdicts: Sequence[Verdict], models: Sequence[str]) -> Ranking:
    """Rank at least two models. Verdicts on others are a ValueError."""
    if unknown := {name for v in verdicts for name in (v.left, v.right)} - set(models):
        raise ValueError(f"verdicts name models that are not ranked: {sorted(unknown)}")
    questions = [v.question for v in verdicts]
    if why := _unlinked(verdicts, models):
        return Ranking((), None, None, len(verdicts), len(set(questions)), why)
    side = np.array([[(v.right == model) - (v.left == model) for model in models] for v in verdicts], dtype=float)
    columns = {i: side[:, i] - side[:, -1] for i in range(len(models) - 1)}  # the last model is minus their sum
    fit = fit_ordinal(np.array([SIDES[v.preference] for v in verdicts]), columns, questions)
    if isinstance(fit, Refusal):
        return Ranking((), None, None, fit.n, fit.n_clusters, fit.why)
    position, tie_width = sides_of(fit)
    return Ranking(_strengths(fit, models), position, tie_width, fit.n, fit.n_clusters)


def sides_of(fit: OrdinalFit) -> tuple[Coefficient, Coefficient | None]:
    """(favour for the right side in log odds, width of the zone of ties; None without ties)."""
    if fit.method == "logit":
        return fit.coefficient({"t1": -1.0}), None
    return fit.coefficient({"t1": -0.5, "t2": -0.5}), fit.coefficient({"t1": -1.0, "t2": 1.0})


def _strengths(fit: OrdinalFit, models: Sequence[str]) -> tuple[Strength, ...]:
    free = range(len(models) - 1)
    weights = [{i: 1.0} for i in free] + [dict.fromkeys(free, -1.0)]
    differences, p_values = np.zeros((2, len(models), len(models)))
    for i in range(len(models)):
        for j in range(i + 1, len(models)):
            found = fit.coefficient({k: weights[i].get(k, 0.0) - weights[j].get(k, 0.0) for k in free})
            differences[i, j], p_values[i, j] = found.estimate, found.p_value
    ranges = rank_ranges(differences, p_values)
    return tuple(Strength(model, fit.coefficient(own), rank.first, rank.last)
                 for model, own, rank in zip(models, weights, ranges, strict=True))


def _unlinked(verdicts: Sequence[Verdict], models: Sequence[str]) -> str:
    """Why these verdicts rank nobody: models that no chain of comparisons joins, or a side nobody ever chose."""
    if not verdicts:
        return "no two models were compared"
    if missing := {"left", "right"} - {v.preference for v in verdicts}:
        return f"nobody ever preferred the {' or the '.join(sorted(missing))} side"
    group = {model: {model} for model in models}
    for verdict in verdicts:
        joined = group[verdict.left] | group[verdict.right]
        for model in joined:
            group[model] = joined
    apart = [model for model in models if model not in group[models[0]]]
    return f"no chain of comparisons joins {', '.join(apart)} with {models[0]}" if apart else ""
