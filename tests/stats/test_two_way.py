"""Drawing raters and questions: wider than drawing questions alone where raters differ, refused for few raters."""

from __future__ import annotations

import numpy as np
import pytest

from lab.stats.bootstrap import mean_interval
from lab.stats.two_way import FEWEST_RATERS, two_way_interval


def grid(n_raters: int, rater_sd: float, question_sd: float, seed: int = 0):
    rng = np.random.default_rng(seed)
    effects = rng.normal(0, rater_sd, n_raters)[:, None] + rng.normal(0, question_sd, 60) + rng.normal(
        0, 0.3, (n_raters, 60))
    raters, questions = np.repeat(np.arange(n_raters), 60), np.tile(np.arange(60), n_raters)
    return effects.ravel(), questions, raters


def test_with_raters_who_differ_it_is_wider_than_over_questions_alone():
    values, questions, raters = grid(12, rater_sd=1.0, question_sd=0.2)
    both, alone = two_way_interval(values, questions, raters), mean_interval(values, questions)
    assert both.estimate == pytest.approx(alone.estimate) and (both.n, both.n_clusters) == (720, 60)
    assert both.high - both.low > 3 * (alone.high - alone.low)


def test_its_width_is_that_of_the_two_sources_together():
    values, questions, raters = grid(40, rater_sd=0.6, question_sd=0.9)
    table = values.reshape(40, 60)
    expected = np.sqrt(table.mean(axis=1).var() / 40 + table.mean(axis=0).var() / 60)
    found = two_way_interval(values, questions, raters)
    assert (found.high - found.low) / 3.92 == pytest.approx(expected, rel=0.12)


def test_few_raters_are_refused_and_no_value_is_a_fault():
    values, questions, raters = grid(FEWEST_RATERS - 1, 1, 1)
    assert two_way_interval(values, questions, raters) is None
    with pytest.raises(ValueError):
        two_way_interval([], [], [])
