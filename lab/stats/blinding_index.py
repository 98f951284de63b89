"""Bang's blinding index: did those who guessed know? 1: all knew; 0: as good as chance; −1: all held it for the other.

H. Bang, L. Ni, C. E. Davis, Control. Clin. Trials 25 (2004) 143-156: for the guesses about one arm, the share of right
ones minus the share of wrong ones, those who could not tell counting as neither. The interval is Student's over
raters (guesses of one rater hang together), at least as wide as Bonett and Price's where few of them took a side.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from lab.stats.clustered import cluster_index, clustered_mean
from lab.stats.paired import not_too_narrow


@dataclass(frozen=True)
class BlindingIndex:
    """The index of one arm. An interval that lies above 0 says that the arm was recognised."""

    index: float
    low: float
    high: float
    n: int
    n_right: int
    n_wrong: int
    n_unsure: int
    level: float = 0.95


def blinding_index(marks: Sequence[int], raters: Sequence[Hashable] | None = None, level: float = 0.95
                   ) -> BlindingIndex:
    """`marks`: 1 a right guess, −1 a wrong one, 0 "cannot tell", (n,) about one arm; `raters` (n,) who guessed."""
    values = np.asarray(marks, dtype=float)
    if not len(values) or not np.isin(values, (-1, 0, 1)).all():
        raise ValueError("an index needs at least one guess, each 1, 0 or -1")
    index = cluster_index(len(values), raters)
    mean = clustered_mean(values, index, level)
    low, high = not_too_narrow(values, index, (mean.low, mean.high), level)
    right, wrong = int((values > 0).sum()), int((values < 0).sum())
    return BlindingIndex(mean.estimate, low, high, len(values), right, wrong, len(values) - right - wrong, level)
