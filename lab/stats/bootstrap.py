"""Cluster bootstrap of a mean: whole clusters are drawn, so values that belong together stay together.

Use it where a model of the errors would be a guess: several raters on one question, several questions on one stem.
Percentile intervals; the seed is the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

CELLS_AT_ONCE = 4_000_000  # resamples × clusters held in memory at a time (32 MB)


@dataclass(frozen=True)
class Bootstrap:
    """A mean with its percentile interval, and how much it rests on."""

    estimate: float
    low: float
    high: float
    n: int  # values
    n_clusters: int
    level: float = 0.95


def mean_interval(
    values: np.ndarray,
    clusters: np.ndarray | None = None,
    seed: int = 0,
    level: float = 0.95,
    n_resamples: int = 10_000,
) -> Bootstrap:
    """Mean of `values`; `clusters` names the cluster of each value (None: every value is its own).

    Every value weighs the same, so a large cluster weighs more, drawn or not.
    """
    values = np.asarray(values, dtype=float)  # (n,)
    n = len(values)
    if n < 1 or not np.isfinite(values).all():
        raise ValueError("a bootstrap needs at least one value, and only finite ones")
    index = np.arange(n) if clusters is None else np.unique(np.asarray(clusters), return_inverse=True)[1]
    if len(index) != n:
        raise ValueError(f"{n} values but {len(index)} cluster names")
    sums, counts = np.bincount(index, values), np.bincount(index)  # (C,) each
    means = resampled_means(sums, counts, n_resamples, seed)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Bootstrap(float(values.mean()), float(low), float(high), n, len(sums), level)


def paired_mean_interval(
    a: np.ndarray, b: np.ndarray, clusters: np.ndarray | None = None, seed: int = 0, level: float = 0.95
) -> Bootstrap:
    """Mean of a - b, where a[i] and b[i] were measured on the same thing."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError(f"pairs are needed, not {a.shape} against {b.shape} values")
    return mean_interval(a - b, clusters, seed, level)


def resampled_means(sums: np.ndarray, counts: np.ndarray, n_resamples: int, seed: int) -> np.ndarray:
    """(n_resamples,) ratios of the drawn clusters' sums (C,) to their counts (C,)."""
    n_clusters = len(sums)
    step = max(1, CELLS_AT_ONCE // n_clusters)
    if n_resamples <= step:
        drawn = times_drawn(n_clusters, n_resamples, seed).astype(float)
        return (drawn @ sums) / (drawn @ counts)
    share, rng, means = np.full(n_clusters, 1 / n_clusters), np.random.default_rng(seed), []
    for start in range(0, n_resamples, step):
        drawn = rng.multinomial(n_clusters, share, size=min(step, n_resamples - start))  # (resamples, C) times drawn
        means.append((drawn @ sums) / (drawn @ counts))
    return np.concatenate(means)


@lru_cache(maxsize=4)
def times_drawn(n_clusters: int, n_resamples: int, seed: int) -> np.ndarray:
    """(n_resamples, n_clusters) small whole numbers: how often each cluster is drawn; not to be written to. Kept, as
    the figures of a round are bootstrapped over the same questions dozens of times, and drawing takes longest."""
    drawn = np.random.default_rng(seed).multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=n_resamples)
    drawn = drawn.astype(np.uint16 if n_clusters < 2**16 else np.int64)
    drawn.flags.writeable = False
    return drawn
