"""How often b is preferred to a: a tie is half a win for each. Questions are the observations, raters their repeats.

Each question's mean over its raters, then the mean over questions, with a bootstrap over questions: raters who meet the
same two answers are not independent. The test is the sign flip of the questions' means against one half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from lab.stats.bootstrap import Bootstrap, mean_interval
from lab.stats.clustered import question_means
from lab.stats.sign_flip import sign_flip

WORTH = {"a": 0.0, "tie": 0.5, "both_bad": 0.5, "b": 1.0}


@dataclass(frozen=True)
class WinRate:
    """`rate` is the share of b, `decided` that among the verdicts for one side (each verdict weighs the same)."""

    rate: Bootstrap
    n_a: int
    n_tie: int
    n_b: int
    n_both_bad: int
    p_value: float  # two-sided, sign flip over questions
    decided: Bootstrap | None
    why: str = ""  # why there is no `decided`

    @property
    def n(self) -> int:
        return self.n_a + self.n_tie + self.n_b + self.n_both_bad


def win_rate(verdicts: Sequence[str], questions: Sequence[Hashable], seed: int = 0) -> WinRate:
    """`verdicts`: a | tie | b | both_bad, (n,) with the question of each; "both bad" is no preference either."""
    if not len(verdicts) or set(verdicts) - set(WORTH):
        raise ValueError(f"verdicts should be some of {', '.join(WORTH)}, not {sorted(set(verdicts))}")
    values = np.array([WORTH[verdict] for verdict in verdicts])
    means, _ = question_means(values, questions)
    taken = [(WORTH[v], q) for v, q in zip(verdicts, questions, strict=True) if v in ("a", "b")]
    decided = mean_interval(np.array([v for v, _ in taken]), [q for _, q in taken], seed) if taken else None
    counts = Counter(verdicts)
    return WinRate(
        mean_interval(means, seed=seed), counts["a"], counts["tie"], counts["b"], counts["both_bad"],
        sign_flip(means - 0.5, seed=seed).p_value, decided, "" if taken else "nobody preferred one of the two",
    )
