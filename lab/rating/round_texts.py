"""The texts of a round as a job reads them: a JSONL file of which the first line is the round, and each other a unit.

The worker writes it from the store. It holds no model name: neither a judge nor a measurement can know whose text it
has.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.core.errors import LabError

ROUND = "round:"  # before a round's uid, as a spec names it


@dataclass(frozen=True)
class RoundTold:
    """What a judge is told of a round: the words that raters have before them."""

    round: str  # uid
    language: str
    definition: str
    anchors: tuple[str, ...]  # of the scores 1 to 5


@dataclass(frozen=True)
class UnitTexts:
    """One unit. `text_b` is "" where one answer is shown."""

    unit: str  # uid
    item_id: str
    question: str
    text_a: str
    text_b: str = ""

    def texts(self) -> tuple[str, ...]:
        return (self.text_a, self.text_b) if self.text_b else (self.text_a,)


def round_lines(told: RoundTold, units: Iterable[UnitTexts]) -> str:
    """The file's text."""
    return "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in (told, *units))


def read_round(path: Path) -> tuple[RoundTold, tuple[UnitTexts, ...]]:
    """The round and its units. LabError when there is nothing in it to read."""
    with path.open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.strip()]
    if len(lines) < 2:
        raise LabError("the round has no units to read", "data")
    first, *rest = lines
    return RoundTold(**{**first, "anchors": tuple(first["anchors"])}), tuple(UnitTexts(**row) for row in rest)


def text_key(text: str, question: str = "") -> str:
    """sha256 under which a figure of a text is kept; of a figure that depends on the question too, of both."""
    whole = f"{question}\n\n{text}" if question else text
    return hashlib.sha256(whole.encode()).hexdigest()


def text_hash(question: str, text_a: str, text_b: str) -> str:
    """Of what a rater sees, model names apart."""
    return hashlib.sha256(json.dumps([question, text_a, text_b], ensure_ascii=False).encode()).hexdigest()
