"""Problem: one generated question with its working, before it becomes an Example."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from lab.core.types import Example
from lab.data.split import Split, split_of


@dataclass(frozen=True)
class Problem:
    """A question and all that is known about it.

    `core` holds what decides the answer (numbers, order of events) but no names or wording: the split is taken from
    it, so a held-out problem never returns in training under another phrasing. `readings` are (label, value) pairs that
    the question states outright; the embedded bases learn to read them, never to work with them.
    """

    family: str
    core: tuple[object, ...]
    question: str
    steps: tuple[str, ...]
    sentence: str
    gold: str
    unit: str = ""
    verifier: str = "numeric"
    readings: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    def split(self) -> Split:
        return split_of(f"{self.family} {self.core}")

    def example(self, source: str) -> Example:
        """The row in the lab's schema; its id follows from the question alone."""
        final = f"{self.gold} {self.unit}".rstrip()
        row = Example(
            id="",
            question=self.question,
            options=dict(self.options) or None,
            trace="\n".join(self.steps),
            answer=f"{self.sentence}\nAnswer: {final}",
            gold=self.gold,
            verifier=self.verifier,
            subject=self.family,
            source=source,
        )
        return row.model_copy(update={"id": f"{self.family}-{row.question_hash()[:10]}"})


Family = Callable[[random.Random], Problem]
