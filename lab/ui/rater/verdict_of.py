"""What a browser sends of a unit, as a verdict. Missing or strange values stay so, for the check to name; times that
cannot be are not kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.rating.verdicts import Verdict
from storage.queries.rating_events import TRAIL_LIMIT

LONGEST_MS = 24 * 3600 * 1000
MOST_CHANGES = 10_000
MOST_CRITERIA = 20


def verdict_of(call: Mapping[str, Any]) -> Verdict:
    """`call`: fluency_left, fluency_right, preference, criteria {name: [left, right]}, comment, visible_ms, total_ms,
    n_changes, trail [{kind, ms}]."""
    return Verdict(
        fluency_left=call.get("fluency_left"), fluency_right=call.get("fluency_right"),
        preference=_word(call.get("preference")), criteria=_criteria(call.get("criteria")),
        comment=str(call.get("comment") or ""), visible_ms=_time(call.get("visible_ms")),
        total_ms=_time(call.get("total_ms")), n_changes=_count(call.get("n_changes")), trail=_trail(call.get("trail")),
    )


def _word(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else repr(value)[:40]


def _criteria(given: object) -> dict[str, tuple[Any, Any]]:
    if not isinstance(given, Mapping):
        return {}
    pairs = {}
    for name, scores in list(given.items())[:MOST_CRITERIA]:
        if isinstance(scores, list) and len(scores) == 2:
            pairs[str(name)] = (scores[0], scores[1])
    return pairs


def _time(value: object) -> int | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST_MS
    return int(value) if known else None


def _count(value: object) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return min(max(value, 0), MOST_CHANGES) if whole else 0


def _trail(given: object) -> tuple[Mapping[str, Any], ...]:
    """Only what is a step with a time; the first `TRAIL_LIMIT` of them."""
    steps = given[:TRAIL_LIMIT] if isinstance(given, list) else []
    return tuple(
        {"kind": step["kind"], "ms": _time(step.get("ms")), **_more(step)} for step in steps
        if isinstance(step, Mapping) and isinstance(step.get("kind"), str) and _time(step.get("ms")) is not None
    )


def _more(step: Mapping[str, Any]) -> dict[str, str]:
    """The field that was changed, and until when nobody was there."""
    return {name: str(step[name])[:80] for name in ("field", "until") if name in step}
