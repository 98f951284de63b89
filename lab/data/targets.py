"""Targets: what an example teaches. The one place where a thinking section is written, and where its marks are kept."""

from __future__ import annotations

from dataclasses import dataclass

from lab.core.errors import LabError
from lab.core.types import Example, Target


@dataclass(frozen=True)
class Style:
    """How a base marks its thinking."""

    open: str
    close: str

    def wrap(self, thinking: str, answer: str) -> str:
        return f"{self.open}\n{thinking}\n{self.close}\n{answer}"


THINKING_STYLES: dict[str, Style] = {"tags": Style(open="<think>", close="</think>")}


def target_text(example: Example, target: Target, style: str = "tags") -> str:
    """The assistant's words for one example under one target.

    trace: thinking + answer; answer: the same answer, trace removed; gold: the bare short answer.
    """
    if target == "answer":
        return example.answer
    if target == "gold":
        return f"Answer: {example.gold}"
    if target == "steps":
        raise LabError(f"row '{example.id}' has no condensed steps: choose target trace, answer or gold", "data")
    if not example.trace:
        raise LabError(f"row '{example.id}' has no reasoning trace: target trace needs one on every row", "data")
    return THINKING_STYLES[style].wrap(example.trace, example.answer)
