"""Whether raters knew which model an answer came from: Bang's index of each face, from the guesses at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lab.stats.blinding_index import blinding_index

UNSURE = "unsure"


class Guess(NamedTuple):
    """What a rater took an answer for (a face, or "unsure") and what it was; one rater's guesses hang together."""

    guess: str
    truth: str
    rater: str = ""


@dataclass(frozen=True)
class FaceBlinding:
    """The guesses about answers of one face. 1: all knew it; 0: chance; −1: all took it for another."""

    face: str
    n: int
    n_right: int
    n_wrong: int
    n_unsure: int
    index: float
    low: float
    high: float


def blinding(guesses: Sequence[Guess | tuple[str, str]], models: Sequence[str]) -> tuple[FaceBlinding, ...]:
    """In the order of the models; a face nobody guessed about is left out. An unknown truth is a ValueError."""
    given = [Guess(*guess) for guess in guesses]
    if unknown := {guess.truth for guess in given} - set(models):
        raise ValueError(f"guesses about faces that are not in the round: {sorted(unknown)}")
    found = []
    for face in models:
        own = [guess for guess in given if guess.truth == face]
        if own:
            marks = [0 if guess.guess == UNSURE else 1 if guess.guess == face else -1 for guess in own]
            index = blinding_index(marks, [guess.rater for guess in own])
            found.append(FaceBlinding(face, index.n, index.n_right, index.n_wrong, index.n_unsure, index.index,
                                      index.low, index.high))
    return tuple(found)
