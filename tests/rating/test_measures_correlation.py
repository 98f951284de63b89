"""Automatic measures against mean human scores, over answers, overall and within a model."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from lab.rating.measures_correlation import Measure, correlations, human_scores
from tests.rating.made_rows import alone, row
from tests.rating.simulated_raters import Panel, simulate

MODELS = ("base", "trace")


def test_an_answers_human_score_is_the_mean_over_main_ratings():
    rows = [row("q1", "R1", 2, 4), row("q1", "R2", 3, 4, a_left=False), row("q1", "R1", 5, 5, role="repeat"),
            alone("q2", "R1", "base", 1), row("q1", "R3", 5, 5, surplus=True)]
    assert human_scores(rows) == {("q1", "base"): 2.5, ("q1", "trace"): 4.0, ("q2", "base"): 1.0}


def test_it_is_spearmans_over_answers_with_both_figures():
    rows = simulate(Panel(questions=40), 0)
    human = human_scores(rows)
    rng = np.random.default_rng(0)
    measures = [Measure(*key, "fog", score + rng.normal()) for key, score in human.items()]
    measures += [Measure("q999", "base", "fog", 1.0), Measure("q000", "base", "flat", float("nan"))]
    overall, base, trace = correlations(rows, measures, MODELS)
    values = {(m.item_id, m.model): m.value for m in measures if m.name == "fog"}
    assert (overall.model, overall.n, overall.n_clusters) == ("", 80, 40)
    assert overall.rho == pytest.approx(spearmanr([values[key] for key in human], list(human.values())).statistic)
    assert overall.low < overall.rho < overall.high and (base.model, base.n, trace.n) == ("base", 40, 40)


def test_a_difference_between_models_alone_is_no_correlation_within_them():
    rows = [row(f"q{i}", "R1", 1 + i % 2, 4 + i % 2) for i in range(40)]
    measures = [Measure(f"q{i}", model, "m", {"base": 0, "trace": 10}[model] + (i // 2) % 2) for i in range(40)
                for model in MODELS]
    overall, base, _ = correlations(rows, measures, MODELS)
    assert overall.rho > 0.7 and abs(base.rho) < 1e-9


def test_nothing_measured_gives_no_line():
    assert correlations(simulate(Panel(questions=5), 0), [], MODELS) == ()
