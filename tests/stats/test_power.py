"""The detectable difference against figures worked out elsewhere, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from lab.stats.paired import paired_difference
from lab.stats.power import detectable_difference


@pytest.mark.parametrize(("discordance", "points"), [(0.10, 4.0), (0.20, 5.6), (0.30, 6.9)])
def test_500_questions_show_these_differences(discordance, points):
    assert 100 * detectable_difference(500, discordance) == pytest.approx(points, abs=0.05)


def test_four_times_the_questions_show_half_the_difference():
    assert detectable_difference(1000, 0.2) == pytest.approx(detectable_difference(250, 0.2) / 2)


def test_a_true_difference_of_that_size_is_found_about_80_times_in_100():
    n, discordance = 300, 0.3
    difference = detectable_difference(n, discordance)
    shares = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
    found = 0
    for a_only, b_only, same in np.random.default_rng(0).multinomial(n, shares, size=600):
        a = np.repeat([1, 0, 0], [a_only, b_only, same])
        b = np.repeat([0, 1, 0], [a_only, b_only, same])
        found += paired_difference(a, b).low > 0
    assert 0.75 <= found / 600 <= 0.88


@pytest.mark.parametrize(("n", "discordance"), [(0, 0.1), (10, 0.0), (10, 1.2)])
def test_impossible_inputs_are_refused(n, discordance):
    with pytest.raises(ValueError):
        detectable_difference(n, discordance)
