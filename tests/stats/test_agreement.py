"""Krippendorff's alpha on his own worked example, and where it is undefined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.stats.agreement import krippendorff_alpha

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
