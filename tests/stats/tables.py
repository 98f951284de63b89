"""Two judges' classes as a table of counts, as the kappas take it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def table_of(first: Sequence[float], second: Sequence[float], values: Sequence[float]) -> np.ndarray:
    """(V, V) counts of the first judge's value against the second's; both (n,), all of them among `values`."""
    places = {value: i for i, value in enumerate(values)}
    table = np.zeros((len(values), len(values)))
    for one, other in zip(first, second, strict=True):
        table[places[one], places[other]] += 1
    return table
