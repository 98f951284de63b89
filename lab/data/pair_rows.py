"""One row of preference data, whatever form it has, as a Pair.

Forms: `prompt`/`question` with `chosen` and `rejected` as texts; the same as lists of messages (TRL's conversational
form); only `chosen` and `rejected`, both whole conversations (the implicit prompt of many hub sets); and the lines of
`preferences.jsonl`, the export of a closed rating round (`lab.rating.files.preferences`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.core.types import Pair
from lab.data.normalise import Reply, single_turn, split_reply
from lab.data.writing import lines_of, write_whole

COLUMNS = ("chosen", "rejected")
QUESTIONS = ("prompt", "question", "instruction", "input")


def pair_of(record: Mapping[str, Any], source: str) -> Pair | str:
    """The pair of one row, or the reason why it has none."""
    asked = _question(record)
    sides = [_side(record, name) for name in COLUMNS]
    for name, (_, reply) in zip(COLUMNS, sides, strict=True):
        if isinstance(reply, str):
            return f"{name}: {reply}"
    (own_question, chosen), (other_question, rejected) = sides
    question = asked or own_question
    if not question.strip():
        return "no question"
    if not asked and own_question != other_question:
        return "the two conversations ask different questions"
    if (chosen.trace, chosen.answer) == (rejected.trace, rejected.answer):
        return "chosen and rejected are the same"
    return Pair(
        id=str(record.get("id") or record.get("item") or digest(question)), question=question.strip(),
        options=_options(record.get("options")), chosen=chosen.answer, chosen_trace=chosen.trace,
        rejected=rejected.answer, rejected_trace=rejected.trace, subject=str(record.get("subject") or ""),
        source=str(record.get("source") or source),
    )


def digest(text: str) -> str:
    """A short id that follows from a text alone."""
    return hashlib.sha256(" ".join(text.lower().split()).encode()).hexdigest()[:12]


def _question(record: Mapping[str, Any]) -> str:
    for name in QUESTIONS:
        value = record.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, list) and value:
            return single_turn(value).question
    return ""


def _side(record: Mapping[str, Any], name: str) -> tuple[str, Any]:
    """(question of a whole conversation or '', the reply or what is wrong with it)."""
    value, thinking = record.get(name), record.get(f"{name}_trace")
    if isinstance(value, str) and value.strip():
        return "", _sound(split_reply(value, thinking if isinstance(thinking, str) else None))
    if isinstance(value, list) and value:
        if [message.get("role") for message in value if isinstance(message, Mapping)] == ["assistant"]:
            value = [{"role": "user", "content": ""}, *value]
        turn = single_turn(value)
        return turn.question, turn.fault or (_sound(turn.reply) if turn.reply else "no reply")
    return "", "missing or empty"


def _sound(reply: Reply) -> Reply | str:
    return reply.fault or reply


def _options(value: Any) -> dict[str, str] | None:
    if isinstance(value, Mapping):
        found = {str(letter): str(text) for letter, text in value.items() if text is not None}
        return found or None
    return None


def pairs_text(pairs: Sequence[Pair], notes: Sequence[Mapping[str, Any]] = ()) -> str:
    """Pairs as the text of a file that `pair_of` reads; `notes` are none at all, or one of each pair."""
    return lines_of([{name: value for name, value in pair.model_dump().items() if value not in (None, "", {})}
                     for pair in pairs], notes)


def write_pairs(path: str | Path, pairs: Sequence[Pair], notes: Sequence[Mapping[str, Any]] = ()) -> None:
    """The file, whole or not at all."""
    write_whole(Path(path), pairs_text(pairs, notes))
