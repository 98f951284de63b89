"""Fleiss' kappa: agreement of the same number of raters on every thing. J. L. Fleiss, Psychol. Bull. 76 (1971) 378-382.

It is defined for equal numbers only; with holes use Krippendorff's alpha (`lab.stats.agreement`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fleiss:
    """Kappa is None when it is undefined, and `why` says why. `n_raters` is that of every unit, 0 if it differs."""

    kappa: float | None
    n_units: int
    n_raters: int
    why: str = ""


def fleiss_kappa(counts: np.ndarray) -> Fleiss:
    """`counts[u, c]`: how many raters put unit u into class c, (units, classes)."""
    counts = np.asarray(counts, dtype=float)
    if counts.ndim != 2 or (counts < 0).any():
        raise ValueError(f"a table of units × classes is needed, not shape {counts.shape}")
    sizes = counts.sum(axis=1)
    n_units = len(counts)
    if not n_units:
        return Fleiss(None, 0, 0, "nothing was rated")
    if (sizes != sizes[0]).any():
        return Fleiss(None, n_units, 0, f"units have {sizes.min():.0f} to {sizes.max():.0f} raters; it needs the same "
                                        "number on each")
    raters = float(sizes[0])
    if raters < 2:
        return Fleiss(None, n_units, int(raters), "no unit was rated by two raters")
    observed = float((((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))).mean())
    expected = float(((counts.sum(axis=0) / counts.sum()) ** 2).sum())
    if expected >= 1 - 1e-12:
        return Fleiss(None, n_units, int(raters), "every rating is the same, so chance cannot be told apart")
    return Fleiss((observed - expected) / (1 - expected), n_units, int(raters))
