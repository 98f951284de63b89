"""What a judge's reply says: the JSON that was asked for, or its fields as labelled lines, and nothing else.

Nothing is guessed. A reply with a word beside it, a score out of range or a field told twice says nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n\s*```\s*", re.S | re.I)
MARKS = r"[\s*_`\"']*"
LINE = re.compile(rf"{MARKS}(fluency[ _]a|fluency[ _]b|better){MARKS}[:=]{MARKS}(\w+)(?:\s*/\s*5)?{MARKS}[.,;]?{MARKS}",
                  re.I)


@dataclass(frozen=True)
class Said:
    """A reply in its own terms: of the text that was shown first, and of the second."""

    first: int
    second: int | None = None
    better: Literal["first", "tie", "second"] | None = None


def read_reply(reply: str, pair: bool = True) -> Said | None:
    """The JSON that was asked for, bare or in a code fence, or its fields as labelled lines; None for anything else."""
    fenced = FENCE.fullmatch(reply)
    text = (fenced[1] if fenced else reply).strip()
    found = _of_json(text) if text.startswith("{") else _of_lines(text)
    wanted = {"fluency_a", "fluency_b", "better"} if pair else {"fluency_a"}
    if found is None or found.keys() != wanted:
        return None
    scores = [found[name] for name in ("fluency_a", "fluency_b") if name in wanted]
    if not all(type(score) is int and 1 <= score <= 5 for score in scores):
        return None
    if not pair:
        return Said(scores[0])
    better = {"a": "first", "b": "second", "tie": "tie"}.get(str(found["better"]).strip().lower())
    return Said(scores[0], scores[1], better) if better else None  # type: ignore[arg-type]


def _of_json(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return {name.lower(): value for name, value in found.items()} if isinstance(found, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A field that is told twice may be told differently."""
    names = [name.lower() for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a field twice")
    return dict(pairs)


def _of_lines(text: str) -> dict[str, Any] | None:
    """'Fluency A: 4', 'Fluency B: 2', 'Better: A', in any order and nothing beside them."""
    found: dict[str, Any] = {}
    for line in filter(str.strip, text.splitlines()):
        said = LINE.fullmatch(line)
        name = said[1].lower().replace(" ", "_") if said else ""
        if said is None or name in found:
            return None
        found[name] = int(said[2]) if said[2].isascii() and said[2].isdigit() else said[2]
    return found
