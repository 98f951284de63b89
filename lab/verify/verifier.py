"""Verifiers: (final text, question) → Score. One scorer serves benchmark, reward and synthesis.

Each verifier is one file in this folder with `VERIFY`, a function of (final_text, example).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from lab.core.registry import Registry, discover
from lab.core.types import Example, Score

Verifier = Callable[[str, Example], Score]


@cache
def verifiers() -> Registry[Verifier]:
    """Every verifier by the name of its file."""
    return Registry("verifier", dict(discover("lab.verify", "VERIFY")))


def verify(final_text: str, example: Example) -> Score:
    """Score one final answer (thinking already removed) with the example's own verifier."""
    return verifiers()[example.verifier](final_text, example)
