"""Intervals of a share and of a mean agree with statsmodels and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from lab.stats.intervals import t_interval, wilson

counts = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_that_of_statsmodels(count, level):
    k, n = count
    mine, theirs = wilson(k, n, level), proportion_confint(k, n, alpha=1 - level, method="wilson")
    assert (mine.low, mine.high) == pytest.approx(theirs, abs=1e-12)


@given(counts)
def test_wilson_holds_its_estimate_and_stays_between_0_and_1(count):
    interval = wilson(*count)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
    assert interval.low < interval.high


@given(counts)
def test_wilson_of_the_errors_is_the_mirror_of_wilson_of_the_hits(count):
    k, n = count
    hits, errors = wilson(k, n), wilson(n - k, n)
    assert (hits.low, hits.high) == pytest.approx((1 - errors.high, 1 - errors.low), abs=1e-12)


def test_wilson_at_no_hit_and_at_all_hits_is_not_a_point():
    assert wilson(0, 10).high == pytest.approx(0.2775, abs=1e-4)
    assert wilson(10, 10).low == pytest.approx(0.7225, abs=1e-4)


@pytest.mark.parametrize(("k", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_an_impossible_count_is_refused(k, n):
    with pytest.raises(ValueError):
        wilson(k, n)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40).filter(lambda v: np.std(v) > 1e-3))
def test_the_t_interval_is_that_of_scipy(values):
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    mine = t_interval(np.array(values))
    assert (mine.low, mine.high) == pytest.approx((low, high), rel=1e-9, abs=1e-9)


def test_one_value_has_a_mean_and_no_interval():
    interval = t_interval(np.array([3.0]))
    assert interval.estimate == 3 and math.isnan(interval.low) and math.isnan(interval.high)
