"""Files of a round: ratings.csv (one row a rating version) and preferences.jsonl (chosen and rejected, for training).

Text that a spreadsheet would read as a formula is defused. The blinded file calls the models X and Y; which is which
stands in no blinded file.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from lab.rating.results import RatingRow

COLUMNS = (
    "round", "rater", "guest", "item", "unit", "order", "version", "current", "model_left", "model_right",
    "fluency_left", "fluency_right", "preference_side", "preferred_model", "visible_s", "served_at", "rated_at",
    "comment",
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class ExportRow:
    """One version of one rating with everything a row of the export shows."""

    round_name: str
    unit_id: int
    ordinal: int
    version: int
    current: bool  # False: the rater corrected it later
    guest: bool
    rating: RatingRow
    served_at: str
    rated_at: str
    comment: str


@dataclass(frozen=True)
class PairTexts:
    """What raters read for one question."""

    item_id: str
    question: str
    text_a: str
    text_b: str


def safe_cell(value: object) -> object:
    """A leading = + - @ in text gets an apostrophe, so that no spreadsheet runs it; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def blind_names(secret: str) -> tuple[str, str]:
    """What the blinded files call models a and b. Whoever knows the secret can tell, so it stands in no such file."""
    return ("X", "Y") if Random(secret).random() < 0.5 else ("Y", "X")


def ratings_csv(rows: Iterable[ExportRow], names: tuple[str, str]) -> str:
    """The long form as CSV text; `names` are those of models a and b."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in _cells(row, names)])
    return out.getvalue()


def preferences_jsonl(pairs: Sequence[PairTexts], rows: Iterable[RatingRow], names: tuple[str, str]) -> str:
    """One line per question whose preference has a majority: ties between raters and tied votes are left out."""
    votes: dict[str, Counter[str]] = {}
    for row in rows:
        votes.setdefault(row.item_id, Counter())[row.preferred] += 1
    lines = []
    for pair in pairs:
        count = votes.get(pair.item_id, Counter())
        if count["a"] == count["b"]:
            continue
        a_won = count["a"] > count["b"]
        chosen, rejected = (pair.text_a, pair.text_b) if a_won else (pair.text_b, pair.text_a)
        line = {
            "prompt": pair.question, "chosen": chosen, "rejected": rejected, "item": pair.item_id,
            "chosen_model": names[0 if a_won else 1], "rejected_model": names[1 if a_won else 0],
            "votes_chosen": max(count["a"], count["b"]), "votes_rejected": min(count["a"], count["b"]),
            "votes_tie": count["tie"],
        }
        lines.append(json.dumps(line, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)


def _cells(row: ExportRow, names: tuple[str, str]) -> list[object]:
    rating = row.rating
    left, right = names if rating.a_left else names[::-1]
    preferred = {"a": names[0], "b": names[1], "tie": "tie"}[rating.preferred]
    seconds = "" if rating.visible_ms is None else round(rating.visible_ms / 1000, 1)
    return [
        row.round_name, rating.rater, int(row.guest), rating.item_id, row.unit_id, row.ordinal, row.version,
        int(row.current), left, right, rating.fluency_left, rating.fluency_right, rating.preference, preferred, seconds,
        row.served_at, row.rated_at, row.comment,
    ]
