"""Blindness risk: how well the form of two answers alone tells which model wrote which.

A logistic regression of the model on style figures (`lab.rating.style`), cross-validated. It works on differences
within a question, so that what the questions are about plays no part. Raters who see many pairs may learn what it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from lab.rating.style import FIGURES, style_figures

LIMIT = 0.75  # from which raters are at risk of telling the models apart
MINIMUM_PAIRS = 20
FOLDS, REPEATS = 5, 8
RIDGE = 1.0  # weight of the penalty on standardised figures: finite weights also where a figure separates the models
NEWTON_STEPS = 50


@dataclass(frozen=True)
class Risk:
    """`auc`: of two answers to a new question, the chance that their style names the right model (.5 is guessing).

    None with too few pairs. `weights`: change in log-odds for model b with one standard deviation more of a figure.
    """

    auc: float | None
    low: float | None
    high: float | None
    n: int
    why: str
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def warns(self) -> bool:
        return self.auc is not None and self.auc > LIMIT

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def blindness_risk(texts_a: Sequence[str], texts_b: Sequence[str], seed: int = 0) -> Risk:
    """`texts_a[i]` and `texts_b[i]` answer the same question. `seed` decides the folds.

    The interval is Wilson's, of the share of pairs that are told apart. ValueError when the texts are no pairs.
    """
    if len(texts_a) != len(texts_b):
        raise ValueError(f"pairs are needed, not {len(texts_a)} and {len(texts_b)} texts")
    from lab.stats.intervals import wilson_share

    n = len(texts_a)
    if n < MINIMUM_PAIRS:
        return Risk(None, None, None, n, f"{n} pairs are too few to tell: {MINIMUM_PAIRS} are needed.")
    figures = np.array([[*style_figures(text).values()] for text in (*texts_a, *texts_b)])  # (2n, F)
    differences = figures[n:] - figures[:n]  # (n, F)
    told = _told_apart(differences, seed)
    found = wilson_share(float(told.mean()), n)
    scale = _scale(differences)
    weights = dict(zip(FIGURES, (float(w) for w in _fit(differences / scale)), strict=True))
    ranked = {name: round(weights[name], 3) for name in sorted(weights, key=lambda name: -abs(weights[name]))}
    return Risk(found.estimate, found.low, found.high, n, _words(found.estimate, n, ranked), ranked)


def _words(auc: float, n: int, weights: Mapping[str, float]) -> str:
    told = f"From style alone, {auc:.0%} of {n} pairs are told apart (50% is guessing)"
    if auc <= LIMIT:
        return f"{told}: within the limit of {LIMIT:.0%}."
    name, weight = next(iter(weights.items()))
    which = "second" if weight > 0 else "first"
    return (f"{told}: raters may learn which model is which. The clearest sign: answers of the {which} model are "
            f"{FIGURES[name]}.")


def _told_apart(differences: np.ndarray, seed: int) -> np.ndarray:
    """(n,) share of the repeats in which a pair, held out, was told apart; no difference counts half."""
    n = len(differences)
    rng, told = np.random.default_rng(seed), np.zeros(n)
    for _ in range(REPEATS):
        fold = rng.permutation(n) % FOLDS
        for held in range(FOLDS):
            train, test = differences[fold != held], differences[fold == held]
            scale = _scale(train)
            score = (test / scale) @ _fit(train / scale)
            told[fold == held] += np.where(np.isclose(score, 0), 0.5, score > 0)
    return told / REPEATS


def _scale(differences: np.ndarray) -> np.ndarray:
    """(F,) root mean square; 1 where a figure never differs."""
    scale = np.sqrt((differences**2).mean(axis=0))
    return np.where(scale > 0, scale, 1.0)


def _fit(differences: np.ndarray) -> np.ndarray:
    """(F,) weights of P(model b) = 1 / (1 + exp(−w·d)), by Newton's method with a ridge penalty.

    There is no constant: with the models in each other's place all differences change their sign.
    """
    weights = np.zeros(differences.shape[1])
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(differences @ weights, -30, 30)))  # (n,)
        gradient = differences.T @ (1 - p) - RIDGE * weights
        curvature = (differences.T * (p * (1 - p))) @ differences + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return weights
