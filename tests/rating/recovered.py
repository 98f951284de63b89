"""How often the intervals of simulated rounds hold what was put in, and how often a test finds what is not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from lab.rating.choice_model import choice_model
from lab.rating.contrasts import between, contrast, preferences
from lab.rating.fluency import score_model
from lab.rating.results import verdict_by_side
from lab.rating.rows import RatingRow, scores
from lab.stats.bootstrap import mean_interval
from lab.stats.bradley_terry import rank_models
from lab.stats.win_rate import WORTH
from tests.rating.simulated_raters import Panel, simulate, true_difference, true_win_rate


def truths(panel: Panel) -> dict[str, float]:
    """What the two-model figures should hold. Where questions differ in their effect, the models of choices and scores
    estimate the marginal effect: that of a very large panel."""
    large = simulate(Panel(**{**panel.__dict__, "questions": 20_000}), 99)
    fit, a, b = choice_model(large), *panel.models
    exact = not panel.prompt_sd
    return {
        "win rate": true_win_rate(panel), "fluency difference": true_difference(panel),
        "effect": panel.effects[1] - panel.effects[0] if exact else fit.effect.estimate,
        "position": panel.position if exact else fit.position.estimate,
        "tie width": 2 * panel.tie if exact else fit.tie_width.estimate,
        "score effect": score_model(scores(large), a, b).effect.estimate,
    }


def coverage(panel: Panel, truth: Mapping[str, float], n: int, first_seed: int = 0) -> dict[str, float]:
    """Share of n simulated rounds whose 95 % interval holds the truth, figure by figure."""
    held: Counter[str] = Counter()
    for seed in range(first_seed, first_seed + n):
        found = _intervals(simulate(panel, seed), panel)
        held.update(name for name, value in truth.items() if found[name].low <= value <= found[name].high)
    return {name: held[name] / n for name in truth}


def ranking_coverage(panel: Panel, n: int, first_seed: int = 0) -> dict[str, float]:
    """The same for the strengths of three or more models."""
    truth = dict(zip(panel.models, np.array(panel.effects) - np.mean(panel.effects), strict=True))
    held: Counter[str] = Counter()
    for seed in range(first_seed, first_seed + n):
        ranking = rank_models([verdict_by_side(row) for row in simulate(panel, seed)], panel.models)
        held.update(one.model for one in ranking.strengths
                    if one.strength.low <= truth[one.model] <= one.strength.high)
    return {name: held[name] / n for name in truth}


def false_positives(panel: Panel, n: int, first_seed: int = 0) -> dict[str, float]:
    """Share of n simulated rounds without a difference in which each test or interval finds one."""
    found: Counter[str] = Counter()
    for seed in range(first_seed, first_seed + n):
        rows = simulate(panel, seed)
        one = contrast(between(rows, *panel.models), *panel.models)
        alone_win = mean_interval(np.array([WORTH[row.preferred] for row in rows]))
        alone_scores = mean_interval(np.array([row.fluency_b - row.fluency_a for row in rows], dtype=float))
        found.update(name for name, is_found in (
            ("win rate, prompt bootstrap", not one.win.rate.low <= 0.5 <= one.win.rate.high),
            ("win rate, sign flip", one.win.p_value < 0.05),
            ("win rate, every rating on its own", not alone_win.low <= 0.5 <= alone_win.high),
            ("fluency, prompt bootstrap", not one.fluency.difference.low <= 0 <= one.fluency.difference.high),
            ("fluency, sign flip", one.fluency.p_value < 0.05),
            ("fluency, Wilcoxon", (one.fluency.wilcoxon_p or 1) < 0.05),
            ("fluency, every rating on its own", not alone_scores.low <= 0 <= alone_scores.high),
            ("choice model", one.choice.effect.p_value < 0.05),
            ("score model", one.score_model.effect.p_value < 0.05),
        ) if is_found)
    names = ("win rate, prompt bootstrap", "win rate, sign flip", "win rate, every rating on its own",
             "fluency, prompt bootstrap", "fluency, sign flip", "fluency, Wilcoxon", "fluency, every rating on its own",
             "choice model", "score model")
    return {name: found[name] / n for name in names}


def _intervals(rows: list[RatingRow], panel: Panel) -> dict[str, object]:
    one = contrast(between(rows, *panel.models), *panel.models)
    assert len(preferences(rows)) == len(rows)
    return {"win rate": one.win.rate, "fluency difference": one.fluency.difference, "effect": one.choice.effect,
            "position": one.choice.position, "tie width": one.choice.tie_width, "score effect": one.score_model.effect}
