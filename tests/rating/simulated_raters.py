"""Raters with known ways: prompts and raters differ, sides are favoured, ties happen. For tests of the statistics, and
for whatever needs a round that looks like one.

On the latent scale the second model is better than the first by `effect` + what the question adds (`prompt_sd`) and, on
the screen, the right side by `position`. A preference is left, tie or right as logistic noise falls against ± `tie`.
Scores are `centre` + rater + question + model, rounded to 1 … 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from scipy.special import expit

from lab.rating.rows import RatingRow


@dataclass(frozen=True)
class Panel:
    """What is simulated. `effects`: one for each model, on the logit scale of the preferences."""

    models: tuple[str, ...] = ("base", "trace")
    effects: tuple[float, ...] = (0.0, 0.6)
    questions: int = 100
    raters: int = 3  # all of them rate every unit
    position: float = 0.25
    tie: float = 0.5
    prompt_sd: float = 0.0  # by how much the effect differs between questions
    fluency: float = 0.4  # points of the scale for one unit of effect
    fluency_sd: float = 0.8
    rater_sd: float = 0.5


def simulate(panel: Panel, seed: int) -> list[RatingRow]:
    """Every rater on every question, for every two models; sides balanced over raters and units."""
    rng = np.random.default_rng(seed)
    raters = rng.normal(0, panel.rater_sd, panel.raters)
    pairs = list(combinations(range(len(panel.models)), 2))
    n = panel.questions * len(pairs) * panel.raters
    own = np.array(panel.effects) + rng.normal(0, panel.prompt_sd / 2**0.5, (panel.questions, len(panel.effects)))
    hard, coins = rng.normal(0, 0.5, panel.questions), rng.integers(0, 2, (panel.questions, len(pairs)))
    luck, noise = rng.logistic(size=n).tolist(), rng.normal(0, panel.fluency_sd, (n, 2)).tolist()
    words, seconds = rng.integers(40, 120, (n, 2)).tolist(), rng.uniform(8, 60, n).tolist()
    rows = []
    for question, place, rater in product(range(panel.questions), range(len(pairs)), range(panel.raters)):
        at, (a, b) = len(rows), pairs[place]
        a_left = bool((question + place + rater + coins[question, place]) % 2)
        effect, centre = float(own[question, b] - own[question, a]), 3.2 + raters[rater] + hard[question]
        scores = [min(5, max(1, round(float(centre + panel.fluency * own[question, model] + one))))
                  for model, one in zip((a, b), noise[at], strict=True)]
        left, right = scores if a_left else scores[::-1]
        latent = (effect if a_left else -effect) + panel.position + luck[at]
        rows.append(RatingRow(
            unit=f"u{question}-{a}-{b}", item_id=f"q{question:03}", rater=f"R{rater:02}", role="main",
            ordinal=question * len(pairs) + place + 1, a_left=a_left, model_a=panel.models[a], model_b=panel.models[b],
            fluency_left=left, fluency_right=right,
            preference="left" if latent < -panel.tie else "right" if latent > panel.tie else "tie",
            visible_ms=int(1000 * seconds[at]), total_ms=int(1200 * seconds[at]), words_a=words[at][0],
            words_b=words[at][1],
        ))
    return rows


def true_win_rate(panel: Panel, draws: int = 200_000) -> float:
    """P(b preferred) + ½ P(tie) of the first two models, over questions, sides balanced."""
    effect = panel.effects[1] - panel.effects[0]
    shift = effect + np.random.default_rng(0).normal(0, panel.prompt_sd, draws if panel.prompt_sd else 1)
    towards = [shift + side * panel.position for side in (1, -1)]  # b on the right, b on the left
    return float(np.mean([(expit(one - panel.tie) + expit(one + panel.tie)) / 2 for one in towards]))


def true_difference(panel: Panel, seed: int = 0) -> float:
    """Mean difference of the rounded scores of the first two models, from a very large panel."""
    large = simulate(Panel(**{**panel.__dict__, "questions": 30_000}), seed)
    return float(np.mean([row.fluency_b - row.fluency_a for row in large]))
