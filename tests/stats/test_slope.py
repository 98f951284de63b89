"""A slope within cells: statsmodels' with a constant for each cell, and nothing where nothing can be seen."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from lab.stats.slope import slope_within


def test_it_equals_least_squares_with_a_constant_for_each_cell():
    rng = np.random.default_rng(0)
    cells, clusters = rng.integers(0, 4, 200), rng.integers(0, 30, 200)
    places = rng.random(200)
    values = 2 * cells - 0.7 * places + rng.normal(size=200) + rng.normal(size=30)[clusters]
    table = np.column_stack([places, np.eye(4)[cells]])
    theirs = sm.OLS(values, table).fit(cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False})
    ours = slope_within(values, places, cells, clusters)
    assert ours.estimate == pytest.approx(theirs.params[0])
    assert ours.se == pytest.approx(theirs.bse[0] * np.sqrt(30 / 29), rel=1e-6)
    assert ours.low < ours.estimate < ours.high and 0 < ours.p_value < 1


def test_few_clusters_or_one_place_a_cell_have_no_slope():
    assert slope_within(np.arange(9.0), np.arange(9.0), ["c"] * 9, range(9)) is None
    assert slope_within(np.arange(20.0), np.arange(20.0), range(20), range(20)) is None
    assert slope_within([], [], [], []) is None
