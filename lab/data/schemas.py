"""Schemas: how the rows of a dataset are written so that a public reader takes them, and what each form cannot hold.

Every record is read back before it is written, by the reader that is registered for the form: what would come back with
another question, trace or answer is left out and counted. The forms are those of medical-o1-reasoning-SFT and
medical-o1-verifiable-problem (HuatuoGPT-o1, arXiv 2412.18925), FineMed-SFT and FineMed-DPO (FineMedLM-o1, arXiv
2501.09213), chat messages, and the lab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from lab.core.types import Example, Pair
from lab.data.chat import question_text
from lab.data.columns import example_of
from lab.data.dataset import datasets
from lab.data.datasets.medical_o1_verifiable import ANSWER, QUESTION
from lab.data.noted import NotedRow
from lab.data.pair_rows import pair_of
from lab.data.pairs import pair_sets
from lab.data.targets import THINKING_STYLES

LONGEST_GOLD = 200  # characters: a longer true answer is no short one
Record = dict[str, Any]
MESSAGES = {"messages": "messages"}


@dataclass(frozen=True)
class Schema:
    """One form. `record` writes a row or says why it cannot; `read` is the registered reader; `compared` has to come
    back as it was; `holds` are the fields of a row for which there is a place."""

    name: str
    title: str
    description: str
    kinds: tuple[str, ...]
    file: str  # where its reader looks for it in a folder
    record: Callable[[NotedRow], Record | str]
    read: Callable[[Mapping[str, Any]], Example | Pair | str]
    compared: tuple[str, ...]
    holds: tuple[str, ...]
    reader: str = ""  # the registered name: READER@FOLDER reads what was written
    columns: tuple[str, ...] = ()  # of its table; () where a table cannot hold it


@cache
def schemas() -> Mapping[str, Schema]:
    """Every form by name. `lab` is written by its own functions: it holds everything."""
    found = (_lab(), _reasoning(), _problems(), _finemed(), _finemed_pairs(), _messages())
    return MappingProxyType({schema.name: schema for schema in found})


def _lab() -> Schema:
    return Schema(
        "lab", "The lab's own format", "Every field, with notes; training reads it as it is.", ("rows", "pairs"),
        "rows.jsonl", lambda noted: noted.row.model_dump(), lambda record: "not read here", (),
        (*Example.model_fields, *Pair.model_fields, "notes"))


def _reasoning() -> Schema:
    card = datasets()["medical-o1-sft"]

    def record(noted: NotedRow) -> Record | str:
        row = noted.row
        if not row.trace:
            return "no trace: the form is of reasoning"
        return {"Question": question_text(row), "Complex_CoT": row.trace, "Response": row.answer}

    return Schema(
        card.name, card.title, "Question, Complex_CoT, Response: HuatuoGPT-o1's supervised data.", ("rows",),
        card.hub.files[0], record, card.row, ("question", "trace", "answer"),
        ("question", "options", "trace", "answer"), card.name, ("Question", "Complex_CoT", "Response"))


def _problems() -> Schema:
    card = datasets()["medical-o1-verifiable"]

    def record(noted: NotedRow) -> Record | str:
        row = noted.row
        if row.options:
            return "has options: the form is of open questions"
        if len(row.gold) > LONGEST_GOLD:
            return f"its true answer is longer than {LONGEST_GOLD} characters"
        return {QUESTION: row.question, ANSWER: row.gold}

    return Schema(
        card.name, card.title, "An open question and its short true answer, for reinforcement learning.", ("rows",),
        card.hub.files[0], record, card.row, ("question", "gold"), ("question", "gold"), card.name, (QUESTION, ANSWER))


def _finemed() -> Schema:
    card = datasets()["finemed-sft"]
    columns = ("text", "instruction", "complexity", "quality", "language", "response", "instruction_type")

    def record(noted: NotedRow) -> Record | str:
        row, notes = noted.row, noted.notes
        style = notes.get("style") or ("complex" if row.trace else "common")
        return {"text": "", "instruction": question_text(row), "complexity": notes.get("complexity"),
                "quality": notes.get("quality"), "language": "en", "response": _sections(row.trace, row.answer),
                "instruction_type": style}

    return Schema(
        card.name, "FineMed-SFT", "instruction, response; thinking in sections Thought and Summarization.", ("rows",),
        "Medicine (all)/rows.jsonl", record, card.row, ("question", "trace", "answer"),
        ("question", "options", "trace", "answer"), card.name, columns)


def _finemed_pairs() -> Schema:
    card = pair_sets()["finemed-dpo"]
    columns = ("text", "complexity", "quality", "language", "prompt", "chosen", "rejected")

    def record(noted: NotedRow) -> Record | str:
        row, notes = noted.row, noted.notes
        return {"text": "", "complexity": notes.get("complexity"), "quality": notes.get("quality"), "language": "en",
                "prompt": question_text(row), "chosen": _sections(row.chosen_trace, row.chosen),
                "rejected": _sections(row.rejected_trace, row.rejected)}

    fields = ("question", "chosen", "chosen_trace", "rejected", "rejected_trace")
    return Schema(
        card.name, "FineMed-DPO", "prompt, chosen and rejected, thinking in sections Thought and Summarization.",
        ("pairs",), "rows.jsonl", record, card.row, fields, (*fields, "options"), card.name, columns)


def _messages() -> Schema:
    def record(noted: NotedRow) -> Record | str:
        row = noted.row
        asked = [{"role": "user", "content": question_text(row)}]
        if isinstance(row, Example):
            return {"messages": [*asked, _said(row.trace, row.answer)]}
        return {"prompt": asked, "chosen": [_said(row.chosen_trace, row.chosen)],
                "rejected": [_said(row.rejected_trace, row.rejected)]}

    def read(record: Mapping[str, Any]) -> Example | Pair | str:
        return example_of(record, MESSAGES, "") if "messages" in record else pair_of(record, "")

    pair = ("chosen", "chosen_trace", "rejected", "rejected_trace")
    return Schema(
        "messages", "Chat messages", "role and content, thinking in <think> tags; pairs as TRL has them.",
        ("rows", "pairs"), "rows.jsonl", record, read, ("question", "trace", "answer", *pair),
        ("question", "options", "trace", "answer", *pair))


def _sections(trace: str | None, answer: str) -> str:
    return THINKING_STYLES["finemed"].wrap(trace.strip(), answer.strip()) if trace else answer


def _said(trace: str | None, answer: str) -> Record:
    return {"role": "assistant", "content": THINKING_STYLES["tags"].wrap(trace, answer) if trace else answer}


def written(schema: Schema, noted: NotedRow) -> Record | str:
    """The record of a row, or why the form cannot hold it: told by the reader, or by what comes back."""
    record = schema.record(noted)
    if isinstance(record, str) or schema.name == "lab":
        return record
    found = schema.read(record)
    if isinstance(found, str):
        return f"its reader leaves it out: {found}"
    asked = {"question": question_text(noted.row)}  # options stand in the question there
    for field in schema.compared:
        if field not in type(noted.row).model_fields:
            continue
        meant = asked.get(field) or getattr(noted.row, field) or ""
        if (getattr(found, field) or "").strip() != meant.strip():
            return f"its {field.replace('_', ' ')} would come back changed"
    return record


def lost_fields(schema: Schema, noted: NotedRow) -> list[str]:
    """The fields of a row that say something and have no place in the form."""
    row = noted.row
    fields = [name for name in ("trace", "steps", "options", "subject") if getattr(row, name, None)]
    if isinstance(row, Example) and row.gold and row.gold != row.answer:
        fields += ["gold", "answer"]
    if noted.notes:
        fields.append("notes")
    return [name for name in fields if name not in schema.holds]
