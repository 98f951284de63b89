"""Rank correlation: scipy's, its bootstrap against drawing by hand, and why there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from lab.stats.bootstrap import times_drawn
from lab.stats.spearman import spearman


def data(n=80, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 6, n).astype(float)
    return x, x + rng.normal(0, 2, n), np.arange(n) // 2


def test_it_equals_scipy_with_ties():
    x, y, clusters = data()
    found = spearman(x, np.round(y), clusters)
    assert found.rho == pytest.approx(spearmanr(x, np.round(y)).statistic, abs=1e-12)
    assert (found.n, found.n_clusters) == (80, 40) and found.low < found.rho < found.high


def test_each_draw_is_the_correlation_of_the_drawn_answers():
    x, y, clusters = data()
    drawn = [np.repeat(np.arange(80), times[clusters]) for times in times_drawn(40, 50, 3)]
    by_hand = [spearmanr(x[places], y[places]).statistic for places in drawn]
    found = spearman(x, y, clusters, seed=3, n_resamples=50)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(by_hand, [0.025, 0.975])), abs=1e-12)


def test_where_there_is_none_it_says_why():
    assert "fewer than three" in spearman([1.0], [2.0], ["q"]).why
    assert spearman([], [], []).rho is None
    assert "nothing varies" in spearman(np.ones(5), np.arange(5.0), range(5)).why
    few = spearman(np.arange(6.0), np.arange(6.0), range(6))
    assert few.rho == pytest.approx(1) and few.low is None and "too few for an interval" in few.why
    with pytest.raises(ValueError):
        spearman([1.0, np.nan], [1.0, 2.0], ["q", "r"])
