"""The calculator gives the published table, is its own inverse, and refuses nonsense."""

from __future__ import annotations

from math import sqrt

import pytest

from lab.rating.sample_size import detectable_fluency, detectable_win_rate, prompts_for_fluency, prompts_for_win_rate
from lab.stats.power import detectable_from_error

TABLE = [  # questions, raters, rho, points
    (50, 3, 0.1, 12.5), (50, 3, 0.3, 14.5), (50, 3, 0.5, 16.2), (100, 3, 0.1, 8.9), (100, 3, 0.3, 10.2),
    (100, 3, 0.5, 11.4), (200, 3, 0.1, 6.3), (200, 3, 0.3, 7.2), (200, 3, 0.5, 8.1), (100, 5, 0.1, 7.4),
    (100, 5, 0.3, 9.3), (100, 5, 0.5, 10.8),
]


@pytest.mark.parametrize("prompts, raters, rho, points", TABLE)
def test_the_detectable_difference_of_a_win_rate(prompts, raters, rho, points):
    found = detectable_win_rate(prompts, raters, rho)
    assert round(100 * found, 1) == points
    assert prompts_for_win_rate(found, raters, rho) == prompts


def test_it_is_the_exact_figure_but_for_the_rounding_of_the_quantiles():
    for prompts, raters, rho, _ in TABLE:
        exact = detectable_from_error(0.5 * sqrt((1 + (raters - 1) * rho) / (prompts * raters)))
        assert detectable_win_rate(prompts, raters, rho) == pytest.approx(exact, rel=1e-3)


def test_more_questions_beat_more_raters():
    assert detectable_win_rate(200, 3) < detectable_win_rate(100, 6)


def test_fluency_follows_its_own_spread():
    assert detectable_fluency(100, sd=1.0) == pytest.approx(2.80 * sqrt(1.6 / 300))
    assert detectable_fluency(100, sd=2.0) == pytest.approx(2 * detectable_fluency(100, sd=1.0))
    assert prompts_for_fluency(detectable_fluency(80, 1.2, 4, 0.2), 1.2, 4, 0.2) == 80
    assert prompts_for_fluency(0.2, 1.0) < prompts_for_fluency(0.2, 1.0, power=0.9)


@pytest.mark.parametrize("call", [
    lambda: detectable_win_rate(0), lambda: detectable_win_rate(10, 0), lambda: detectable_win_rate(10, rho=1.5),
    lambda: prompts_for_win_rate(0), lambda: prompts_for_win_rate(0.6), lambda: detectable_fluency(10, 0),
    lambda: prompts_for_fluency(0, 1), lambda: detectable_win_rate(10, power=1.0),
    lambda: detectable_win_rate(10, power=0.2),
])
def test_nonsense_is_refused(call):
    with pytest.raises(ValueError):
        call()
