"""The short answer that a full answer states, for rows that name none."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

LINE = re.compile(r"^[ \t>*_#-]*(?:final )?answer\**[ \t]*:\**[ \t]*(\S[^\n]*?)[ \t]*$", re.I | re.M)
BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")


def short_answer(answer: str) -> str:
    """What stands in the last 'Answer: …' line or \\boxed{…}; the whole answer where there is neither."""
    found = [(match.start(), match[1]) for pattern in (LINE, BOXED) for match in pattern.finditer(answer)]
    said = max(found)[1].strip().strip("*").strip() if found else answer.strip()
    boxed = BOXED.fullmatch(said.strip("$ "))
    return boxed[1].strip() if boxed else said


def verifier_of(gold: str) -> str:
    """The name of the verifier a free gold answer can be checked with: numeric for a plain number, else exact."""
    try:
        return "numeric" if Decimal(gold.replace(",", "")).is_finite() else "exact"
    except InvalidOperation:
        return "exact"
