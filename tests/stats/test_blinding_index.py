"""Bang's index by its formula, at its three poles, and with raters whose guesses hang together."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from lab.stats.blinding_index import blinding_index


def test_it_is_the_share_of_right_guesses_minus_that_of_wrong_ones():
    found = blinding_index([1] * 82 + [-1] * 25 + [0] * 170)
    assert found.index == pytest.approx((82 - 25) / 277)
    assert (found.n, found.n_right, found.n_wrong, found.n_unsure) == (277, 82, 25, 170)
    # Bang, Ni & Davis (2004): variance of the difference of two shares of one multinomial.
    se = sqrt((82 / 277 + 25 / 277 - found.index**2) / 277)
    assert (found.low, found.high) == pytest.approx((found.index - 1.96 * se, found.index + 1.96 * se), abs=2e-3)


@pytest.mark.parametrize("marks, index", [([1] * 12, 1.0), ([-1] * 12, -1.0), ([0] * 12, 0.0), ([1, -1] * 6, 0.0)])
def test_at_its_poles_the_interval_is_no_point(marks, index):
    found = blinding_index(marks)
    assert found.index == index and found.low <= index <= found.high and found.high - found.low > 0.1


def test_guesses_of_one_rater_are_not_counted_as_independent():
    marks = [1] * 15 + [-1] * 9 + [0] * 6
    raters = np.repeat(np.arange(10), 3)
    alone, together = blinding_index(marks), blinding_index(marks, raters)
    assert together.index == alone.index and together.high - together.low > 1.3 * (alone.high - alone.low)


def test_no_guess_and_marks_of_another_kind_are_faults():
    for marks in ([], [2]):
        with pytest.raises(ValueError, match="at least one guess"):
            blinding_index(marks)
