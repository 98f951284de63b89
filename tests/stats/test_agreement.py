"""Krippendorff's alpha on his own worked example, and where it is undefined."""

from __future__ import annotations

import time

import evalica
import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.stats.agreement import alpha_interval, krippendorff_alpha
from lab.stats.bootstrap import times_drawn

# Krippendorff (2011), section C: 4 observers, 12 units, missing data, and the alphas published there.
_ = np.nan
WORKED = np.array([
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
])
LEVELS = ["nominal", "ordinal", "interval"]


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_the_worked_example_gives_the_published_figure(level, published):
    agreement = krippendorff_alpha(WORKED, level)
    assert agreement.alpha == pytest.approx(published, abs=5e-4)
    assert (agreement.n_units, agreement.n_ratings) == (11, 40)  # the last unit has one rating and pairs with nothing


def test_two_observers_with_two_values_give_the_published_figure():
    # Krippendorff (2011), section A: 10 units, binary data, alpha = .095
    first, second = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert krippendorff_alpha(np.array([first, second]), "nominal").alpha == pytest.approx(0.095, abs=5e-4)


@pytest.mark.parametrize("level", LEVELS)
def test_perfect_agreement_is_1(level):
    assert krippendorff_alpha(np.array([[1, 2, 3, 5]] * 3), level).alpha == pytest.approx(1)


@pytest.mark.parametrize("level", LEVELS)
@settings(deadline=None)
@given(data=st.data())
def test_the_order_of_raters_and_of_units_does_not_matter(level, data):
    columns = st.lists(st.sampled_from([1.0, 2.0, 3.0, 4.0, np.nan]), min_size=3, max_size=3)
    matrix = np.array(data.draw(st.lists(columns, min_size=2, max_size=12))).T
    one, other = krippendorff_alpha(matrix, level), krippendorff_alpha(matrix[::-1, ::-1], level)
    assert (one.alpha is None) == (other.alpha is None)
    if one.alpha is not None:
        assert one.alpha == pytest.approx(other.alpha) and one.alpha <= 1 + 1e-12


def test_where_alpha_is_undefined_it_says_why_and_is_not_a_number():
    assert krippendorff_alpha(np.full((3, 4), 2.0)).alpha is None
    nobody = krippendorff_alpha(np.array([[1, _], [_, 2]]))
    assert nobody.alpha is None and "two raters" in nobody.why


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError):
        krippendorff_alpha(WORKED, "ratio-ish")


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("seed", range(5))
def test_alpha_of_matrices_with_holes_equals_another_library(level, seed):
    rng = np.random.default_rng(seed)
    matrix = np.clip(rng.integers(1, 6, 60) + rng.integers(-1, 2, (5, 60)), 1, 5).astype(float)
    matrix[rng.random(matrix.shape) < 0.4] = np.nan
    theirs = evalica.alpha(pandas.DataFrame(matrix), distance=level)
    assert krippendorff_alpha(matrix, level).alpha == pytest.approx(theirs.alpha, abs=1e-9)


@pytest.mark.parametrize("level", ["nominal", "ordinal"])
def test_a_draw_of_the_interval_is_alpha_of_the_drawn_units(level):
    rng = np.random.default_rng(0)
    matrix = np.clip(rng.integers(1, 6, 30) + rng.integers(-1, 2, (4, 30)), 1, 5).astype(float)
    matrix[0, :5] = np.nan
    by_hand = [krippendorff_alpha(np.repeat(matrix, times, axis=1), level).alpha for times in times_drawn(30, 40, 7)]
    found = alpha_interval(matrix, level, seed=7, n_resamples=40)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(by_hand, [0.025, 0.975])), abs=1e-12)
    assert found.low < found.alpha < found.high and found.alpha == krippendorff_alpha(matrix, level).alpha


def test_few_units_have_an_alpha_and_no_interval_and_undefined_alphas_keep_their_reason():
    few = alpha_interval(np.array([[1, 2, 3], [1, 2, 4]]))
    assert few.alpha is not None and few.low is None and "only 3 units" in few.why
    assert "the same" in alpha_interval(np.full((3, 9), 2.0)).why


def test_a_thousand_draws_of_five_raters_on_four_hundred_units_take_less_than_a_second():
    matrix = np.random.default_rng(0).integers(1, 6, (5, 400)).astype(float)
    started = time.perf_counter()
    alpha_interval(matrix)
    assert time.perf_counter() - started < 1
