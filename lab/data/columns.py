"""Columns: which column of a file holds the question, the thinking, the answer …; and one row made of them.

A mapping is {field: column}; several columns are written `a+b` (question: joined by a blank line; options: lettered in
that order). Names are recognised from the schemas seen on the hub; a column that is not recognised is never used
without being named.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from lab.core.errors import Fault, nearest
from lab.core.types import Example
from lab.data.normalise import THINKING_FIELDS, Turn, single_turn, split_reply
from lab.data.pair_rows import digest
from lab.data.short_answer import short_answer

# field → the names a column for it has, the best first.
KNOWN: dict[str, tuple[str, ...]] = {
    "messages": ("messages", "conversations", "conversation"),
    "question": ("question", "prompt", "instruction", "query", "problem", "open-ended verifiable question", "input"),
    "trace": tuple(dict.fromkeys(name.lower() for name in THINKING_FIELDS)),
    "answer": ("answer", "response", "output", "completion", "reply", "deepseek_attempt", "ds_answer",
               "response (content)", "distilled_answer_string", "attempt", "ground-true answer"),
    "gold": ("gold", "gold_answer", "ground_truth", "ground-true answer", "answer_letter", "answer_idx",
             "final_answer"),
    "options": ("options", "choices"),
    "steps": ("steps",),
    "verifier": ("verifier",),
    "subject": ("subject", "subject_name", "category", "department", "topic"),
    "id": ("id", "question_id", "qid", "uid"),
    "source": ("source",),
}
FIELDS = tuple(KNOWN)
# Names in lab.verify, which is this room's neighbour and not imported; a test holds the two together.
VERIFIERS = ("choice", "exact", "mention", "numeric")


def guess(columns: Iterable[str]) -> dict[str, str]:
    """The mapping that the column names suggest; a field without a column it knows is left out."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(column.lower().strip(), column)
    found: dict[str, str] = {}
    for field, names in KNOWN.items():
        taken = {column for other, column in found.items() if (other, field) != ("answer", "gold")}
        column = next((by_name[name] for name in names if name in by_name and by_name[name] not in taken), None)
        if column is not None:
            found[field] = column
    if found.get("question") == by_name.get("instruction", "") != "" and "input" in by_name:
        found["question"] = f"{by_name['instruction']}+{by_name['input']}"  # Alpaca's form
    if "messages" in found and "question" in found and "answer" in found:
        del found["messages"]
    return found


def is_enough(mapping: Mapping[str, str]) -> bool:
    """Whether a row can be made: a question and an answer, or a conversation."""
    return bool(mapping.get("messages") or (mapping.get("question") and mapping.get("answer")))


def check_mapping(mapping: Mapping[str, str], columns: Iterable[str]) -> list[Fault]:
    """All faults of a mapping at once: unknown fields, columns that are not there, what is missing."""
    known = list(columns)
    faults = [Fault(field, f"there is no such field. {nearest(field, FIELDS)}", field)
              for field in mapping if field not in KNOWN]
    for field, column in mapping.items():
        faults += [Fault(field, f"the file has no column '{name}'. {nearest(name, known)}", column)
                   for name in named_columns(column, known) if name not in known]
    if not is_enough(mapping):
        missing = [field for field in ("question", "answer") if not mapping.get(field)]
        faults.append(Fault(missing[0] if missing else "question", "not said which column holds the "
                            f"{' and the '.join(missing)} (or 'messages' for whole conversations). Its columns: "
                            f"{', '.join(known) or 'none'}"))
    return faults


def named_columns(column: str, known: Iterable[str]) -> list[str]:
    """The columns that one entry of a mapping names: itself where it is one, else its parts between +."""
    return [column] if column in known or "+" not in column else [part.strip() for part in column.split("+")]


def example_of(record: Mapping[str, Any], mapping: Mapping[str, str], source: str) -> Example | str:
    """One row of the file as an example, or the reason why there is none."""
    turn = _turn(record, mapping)
    if turn.fault or turn.reply is None:
        return turn.fault or "no answer"
    question, reply = turn.question.strip(), turn.reply
    if not question:
        return "no question"
    if reply.fault:
        return reply.fault
    options = _options(record, mapping.get("options", ""))
    if isinstance(options, str):
        return options
    gold = _gold(_text(record, mapping, "gold") or short_answer(reply.answer), options)
    verifier = _text(record, mapping, "verifier") or ("choice" if options else "exact")
    if verifier not in VERIFIERS:
        return f"unknown verifier '{verifier}'"
    if verifier == "choice" and gold not in (options or {}):
        return "the gold answer is none of the options"
    return Example(
        id=_text(record, mapping, "id") or digest(question), question=question, options=options or None,
        trace=reply.trace, steps=_text(record, mapping, "steps") or None, answer=reply.answer, gold=gold,
        verifier=verifier, subject=_text(record, mapping, "subject"), source=_text(record, mapping, "source") or source,
    )


def _turn(record: Mapping[str, Any], mapping: Mapping[str, str]) -> Turn:
    """Question and reply, out of a conversation or out of columns of their own."""
    thinking = record.get(mapping.get("trace", ""))
    thinking = thinking if isinstance(thinking, str) and thinking.strip() else None
    if mapping.get("messages") and not (mapping.get("question") and mapping.get("answer")):
        turn = single_turn(record.get(mapping["messages"]) or ())
        if turn.reply and thinking and turn.reply.trace is None:
            return turn._replace(reply=split_reply(turn.reply.answer, thinking))
        return turn
    answer = record.get(mapping["answer"])
    if isinstance(answer, list):  # TRL's conversational completion
        said = single_turn([{"role": "user", "content": ""}, *answer])
        if said.fault or said.reply is None:
            return said
        reply = said.reply if thinking is None else split_reply(said.reply.answer, thinking)
    else:
        text = _plain(answer)
        reply = split_reply(text, thinking)
    return Turn(_question(record, mapping["question"]), reply)


def _question(record: Mapping[str, Any], column: str) -> str:
    parts = []
    for name in named_columns(column, record):
        value = record.get(name)
        parts.append(single_turn(value).question if isinstance(value, list) else _plain(value))
    return "\n\n".join(part for part in parts if part.strip())


def _text(record: Mapping[str, Any], mapping: Mapping[str, str], field: str) -> str:
    return _plain(record.get(mapping.get(field, ""))).strip()


def _plain(value: Any) -> str:
    """Text of a cell; numbers as they are written, and 3.0 (a whole number in a table with gaps) as 3."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _options(record: Mapping[str, Any], column: str) -> dict[str, str] | str:
    """{'A': text, …}, {} where the row has none, or what is wrong with them."""
    names = named_columns(column, record) if column else []
    value = record.get(names[0]) if len(names) == 1 else [_plain(record.get(name)) for name in names]
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return "options are neither a list nor an object"
    return lettered(value)


def lettered(value: Any) -> dict[str, str] | str:
    """Options in any of their forms as {'A': text, …}; {} for none; a sentence for what is no such thing."""
    if not value:
        return {}
    if isinstance(value, list) and all(isinstance(item, Mapping) and {"key", "value"} <= set(item) for item in value):
        value = {item["key"]: item["value"] for item in value}
    if isinstance(value, list) and 2 <= len(value) <= 26:
        value = {chr(ord("A") + place): text for place, text in enumerate(value) if text not in (None, "")}
    if not isinstance(value, Mapping):
        return "options are neither a list nor an object"
    return {str(letter).strip().upper(): _plain(text) for letter, text in value.items() if text not in (None, "")}


def _gold(gold: str, options: dict[str, str]) -> str:
    """The letter of an option, where the gold answer is its letter or its whole text; else the gold as it is."""
    if not options or gold in options:
        return gold
    letter = gold.strip(" ().").upper()
    texts = {" ".join(text.lower().split()): key for key, text in options.items()}
    return letter if letter in options else texts.get(" ".join(gold.lower().split()), gold)
