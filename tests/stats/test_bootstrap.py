"""The cluster bootstrap: seeded, right where theory knows the answer, wider when values hang together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lab.stats import bootstrap
from lab.stats.bootstrap import mean_interval, paired_mean_interval

RNG = np.random.default_rng(1)
VALUES = RNG.normal(2.0, 1.0, size=300)


def test_the_same_seed_gives_the_same_interval_and_another_seed_nearly_the_same():
    one, same, other = (mean_interval(VALUES, seed=seed) for seed in (3, 3, 4))
    assert one == same and one != other
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.01)


def test_without_clusters_it_is_close_to_scipy_and_to_the_normal_interval():
    mine = mean_interval(VALUES)
    theirs = stats.bootstrap((VALUES,), np.mean, method="percentile", rng=np.random.default_rng(0)).confidence_interval
    assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    half = 1.96 * VALUES.std(ddof=1) / np.sqrt(300)
    assert (mine.low, mine.high) == pytest.approx((VALUES.mean() - half, VALUES.mean() + half), abs=0.01)


def test_three_copies_of_each_value_in_a_cluster_say_no_more_than_one():
    alone = mean_interval(VALUES)
    copies = mean_interval(np.repeat(VALUES, 3), np.repeat(np.arange(300), 3))
    naive = mean_interval(np.repeat(VALUES, 3))
    assert (copies.low, copies.high) == pytest.approx((alone.low, alone.high), abs=0.01)
    assert naive.high - naive.low < 0.65 * (copies.high - copies.low)
    assert (copies.n, copies.n_clusters) == (900, 300)


def test_cluster_names_may_be_words_and_clusters_of_different_size():
    interval = mean_interval(np.array([1.0, 1.0, 1.0, 5.0]), np.array(["a", "a", "a", "b"]))
    assert interval.estimate == 2 and interval.n_clusters == 2
    assert (interval.low, interval.high) == (1, 5)


def test_it_is_the_same_in_one_piece_or_in_many(monkeypatch):
    whole = mean_interval(VALUES, n_resamples=2000)
    monkeypatch.setattr(bootstrap, "CELLS_AT_ONCE", 300 * 7)
    assert mean_interval(VALUES, n_resamples=2000) == whole


def test_a_paired_difference_forgets_what_both_share():
    shared = RNG.normal(0, 5, size=200)
    a, b = shared + RNG.normal(0.3, 0.1, size=200), shared + RNG.normal(0.0, 0.1, size=200)
    paired = paired_mean_interval(a, b)
    assert paired.estimate == pytest.approx(a.mean() - b.mean())
    assert 0.25 < paired.low < paired.high < 0.35


@pytest.mark.parametrize(("values", "clusters"), [([], None), ([1.0, np.nan], None), ([1.0, 2.0], [1])])
def test_nothing_nan_and_missing_clusters_are_refused(values, clusters):
    with pytest.raises(ValueError):
        mean_interval(np.array(values), clusters)


def test_pairs_of_different_length_are_refused():
    with pytest.raises(ValueError):
        paired_mean_interval(np.zeros(3), np.zeros(1))
