"""What a rater says of one unit, and whether it is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.core.errors import Fault, SpecError
from lab.rating.design import RoundSpec
from lab.rating.wording import wording

COMMENT_LIMIT = 2000
SECONDS_PER_UNIT = {"both": 40, "preference": 25, "fluency": 20}  # what a rater is told to expect of short answers


@dataclass(frozen=True)
class Verdict:
    """A rater's word on one unit, by side. What was not asked is None or ""."""

    fluency_left: int | None = None
    fluency_right: int | None = None
    preference: str = ""
    criteria: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)  # name → (left, right)
    comment: str = ""
    visible_ms: int | None = None
    total_ms: int | None = None
    n_changes: int = 0
    trail: tuple[Mapping[str, Any], ...] = ()  # {"kind", "ms", …}: what the browser saw happen, in order


def check_verdict(verdict: Verdict, design: RoundSpec, one_text: bool) -> None:
    """Raise SpecError with every fault: what is missing, out of range, or was not asked."""
    faults: list[Fault] = []
    sides = ("left",) if one_text else ("left", "right")
    if design.asks_fluency:
        for side in sides:
            faults += _score(f"fluency of {_answer(side, one_text)}", getattr(verdict, f"fluency_{side}"))
    for name in design.criteria:
        given = verdict.criteria.get(name) or (None, None)
        for place, side in enumerate(sides):
            faults += _score(f"{name} of {_answer(side, one_text)}", given[place])
    if not one_text and design.asks_preference and verdict.preference not in design.preferences:
        words = f"should be one of {', '.join(design.preferences)} (got {verdict.preference!r})"
        faults.append(Fault("preference", words, verdict.preference))
    if len(verdict.comment) > COMMENT_LIMIT:
        words = f"should have at most {COMMENT_LIMIT} characters (got {len(verdict.comment)})"
        faults.append(Fault("comment", words))
    if faults:
        raise SpecError(faults, "rating")


def asked_only(verdict: Verdict, design: RoundSpec, one_text: bool) -> Verdict:
    """The verdict without what the design does not ask for, whatever a browser sent."""
    scored, chosen = design.asks_fluency, design.asks_preference and not one_text
    criteria = {}
    for name in design.criteria:
        left, right = verdict.criteria[name]
        criteria[name] = (left, None if one_text else right)
    return Verdict(
        fluency_left=verdict.fluency_left if scored else None,
        fluency_right=verdict.fluency_right if scored and not one_text else None,
        preference=verdict.preference if chosen else "", criteria=criteria, comment=verdict.comment.strip(),
        visible_ms=verdict.visible_ms, total_ms=verdict.total_ms, n_changes=verdict.n_changes, trail=verdict.trail,
    )


def check_skip(reason: object, language: str) -> None:
    """Raise SpecError for a reason that is not offered."""
    reasons = wording(language).skip_reasons
    if reason not in reasons:
        text = f"should be one of {', '.join(reasons)} (got {reason!r})"
        raise SpecError([Fault("reason", text, reason)], "skip")


def minutes(n_units: int, task: str) -> int:
    """Minutes a rater should expect for `n_units`, rounded up."""
    return max(1, -(-n_units * SECONDS_PER_UNIT[task] // 60))


def _score(field_name: str, value: object) -> list[Fault]:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
        return [Fault(field_name, f"should be a whole number from 1 to 5 (got {value!r})", value)]
    return []


def _answer(side: str, one_text: bool) -> str:
    return "the answer" if one_text else f"answer {'A' if side == 'left' else 'B'}"
