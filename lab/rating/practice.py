"""Practice: a few made-up units with a known verdict and its reason, for each language in `practice/<language>.yaml`.

They teach the one point that raters get wrong without it: fluency is not correctness. A practice rating is never
analysed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from lab.core.errors import UnknownName
from lab.rating.wording import languages

UNITS = Path(__file__).parent / "practice"
WITHIN = 1  # points by which a score may differ from the expected one


@dataclass(frozen=True)
class PracticeUnit:
    """Two texts of which the fluency is not in doubt."""

    name: str
    question: str
    text_a: str
    text_b: str
    fluency_a: int
    fluency_b: int
    preference: Literal["a", "tie", "b"]
    explanation: str
    tie_accepted: bool = False  # the two are close: 'no difference' is right too

    @property
    def expected(self) -> dict[str, Any]:
        """As a round's unit keeps it."""
        return {"fluency_a": self.fluency_a, "fluency_b": self.fluency_b, "preference": self.preference,
                "tie_accepted": self.tie_accepted}


@dataclass(frozen=True)
class Given:
    """What a rater said of a unit whose verdict is known, sides turned back; None and "" where it was not asked."""

    fluency_a: int | None = None
    fluency_b: int | None = None
    preference: str = ""  # a | tie | b | both_bad


@cache
def practice_units(language: str) -> tuple[PracticeUnit, ...]:
    """The practice of a language, in its order. UnknownName for a language without one."""
    if language not in languages():
        raise UnknownName("language", language, languages())
    rows = yaml.safe_load((UNITS / f"{language}.yaml").read_text(encoding="utf-8"))
    return tuple(PracticeUnit(name=name, **row) for name, row in rows.items())


def wrong_parts(expected: Mapping[str, Any], given: Given) -> tuple[str, ...]:
    """What of an answer is not as expected: 'fluency_a', 'fluency_b', 'preference'. What was not asked, or is not
    expected, is never wrong."""
    wrong = []
    for part in ("fluency_a", "fluency_b"):
        score, right = getattr(given, part), expected.get(part)
        if score is not None and right is not None and abs(score - right) > WITHIN:
            wrong.append(part)
    right = expected.get("preference")
    accepted = {right, "tie"} if expected.get("tie_accepted") else {right}
    if given.preference and right and given.preference not in accepted:
        wrong.append("preference")
    return tuple(wrong)


def is_right(expected: Mapping[str, Any], given: Given) -> bool:
    """Every score that was asked is within one point, and the preference is the right one."""
    return not wrong_parts(expected, given)


def n_right(answers: Sequence[tuple[Mapping[str, Any], Given]]) -> int:
    return sum(is_right(expected, given) for expected, given in answers)


def passed(answers: Sequence[tuple[Mapping[str, Any], Given]], share: float) -> bool:
    """Whether at least `share` of the units were answered right; never without an answer.

    `answers`: (what is expected, what was given) of each unit.
    """
    return bool(answers) and n_right(answers) >= share * len(answers)
