"""Fleiss' kappa equals statsmodels', and is refused where units have different numbers of raters."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.inter_rater import fleiss_kappa as theirs

from lab.stats.fleiss import fleiss_kappa


@pytest.mark.parametrize("n_raters", [2, 3, 6])
def test_it_equals_another_implementation(n_raters):
    rng = np.random.default_rng(n_raters)
    chances = rng.dirichlet(np.ones(4), 50)
    counts = np.stack([rng.multinomial(n_raters, chance) for chance in chances])
    found = fleiss_kappa(counts)
    assert found.kappa == pytest.approx(theirs(counts), abs=1e-12)
    assert (found.n_units, found.n_raters) == (50, n_raters)


def test_it_is_refused_where_the_numbers_differ_or_nothing_varies():
    assert "2 to 3 raters" in fleiss_kappa([[2, 0], [1, 2]]).why
    assert "same" in fleiss_kappa([[3, 0], [3, 0]]).why
    assert "two raters" in fleiss_kappa([[1, 0], [0, 1]]).why
    assert fleiss_kappa(np.zeros((0, 3))).kappa is None
    with pytest.raises(ValueError, match="units × classes"):
        fleiss_kappa([1, 2])
