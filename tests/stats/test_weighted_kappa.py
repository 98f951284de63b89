"""Weighted kappa equals statsmodels', and says why where it has no value."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from lab.stats.weighted_kappa import weighted_kappa
from tests.stats.tables import table_of


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_values", [2, 3, 5])
def test_quadratic_kappa_equals_another_implementation(n_values, seed):
    table = np.random.default_rng(seed).integers(0, 20, (n_values, n_values)) + 10 * np.eye(n_values, dtype=int)
    theirs = cohens_kappa(table, weights=(np.arange(n_values)[:, None] - np.arange(n_values)) ** 2 / 1.0)
    assert weighted_kappa(table).kappa == pytest.approx(theirs.kappa, abs=1e-12)
    assert weighted_kappa(table, quadratic=False).kappa == pytest.approx(cohens_kappa(table).kappa, abs=1e-12)


def test_a_near_miss_costs_less_than_a_far_one():
    near, far = np.diag([5.0, 5, 5]), np.diag([5.0, 5, 5])
    near[0, 1], far[0, 2] = 5, 5
    assert weighted_kappa(near).kappa > weighted_kappa(far).kappa


def test_the_table_counts_the_first_in_rows():
    table = table_of([1, 1, 2], [1, 2, 2], (1, 2, 3))
    assert table.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_without_variation_or_without_things_there_is_a_reason():
    assert "same" in weighted_kappa(np.diag([7.0, 0, 0])).why
    assert weighted_kappa(np.zeros((3, 3))).kappa is None and weighted_kappa(np.zeros((3, 3))).n == 0
    with pytest.raises(ValueError, match="square table"):
        weighted_kappa(np.ones((2, 3)))
