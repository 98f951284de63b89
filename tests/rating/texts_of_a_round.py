"""The texts of a small round, as the worker writes them for a job."""

from __future__ import annotations

from pathlib import Path

from lab.rating.practice import practice_units
from lab.rating.round_texts import RoundTold, UnitTexts, round_lines
from lab.rating.wording import wording

REF = "round:r1"


def told(language: str = "en") -> RoundTold:
    own = wording(language)
    return RoundTold("r1", language, own.definition, own.anchors)


def units(n: int = 3) -> list[UnitTexts]:
    return [UnitTexts(u.name, f"q{i}", u.question, u.text_a, u.text_b) for i, u in enumerate(practice_units("en")[:n])]


def write(folder: Path, rows: list[UnitTexts] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "units.jsonl"
    path.write_text(round_lines(told(), units() if rows is None else rows), encoding="utf-8")
    return path
