"""Decontaminating: which exam questions share text with a benchmark of the lab. Looked at before anything is paid for.

The rules are those of `lab.data.decontaminate`: 64 characters in a row (HuatuoGPT-o1, arXiv 2412.18925, section 2.1),
or 13 words. Questions made from templates share sentences without sharing problems: of a benchmark of those, only the
same problem counts: the same whole text, alone or with words around it, or nearly the same text with the same numbers
(`lab.data.overlap`).

Benchmarks that are not on this machine are not fetched for this; they are named, as nobody looked there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.benchmarks.benchmark import benchmarks
from lab.benchmarks.resolving import is_here, resolve_benchmark
from lab.core.errors import LabError
from lab.core.types import Example
from lab.data.decontaminate import WORD, Rule, contamination
from lab.data.overlap import SHINGLE, overlaps

RULES: tuple[Rule, ...] = ("characters", "words")
SAID = {"characters": "64 characters", "words": "13 words"}
SHOWN = 80  # characters of what is shared


@dataclass(frozen=True)
class Clear:
    """`contaminated`: id of a row → what it shares with which question. `notes`: what a reader has to know."""

    contaminated: dict[str, str]
    looked_at: tuple[str, ...]
    notes: tuple[str, ...]


def stay_clear(rows: Sequence[Example], names: Sequence[str] = ()) -> Clear:
    """Rows against the benchmarks named, or against every one that is on this machine.

    LabError when one that is named cannot be read: who names it wants it looked at.
    """
    found: dict[str, str] = {}
    pooled: list[Example] = []  # of all benchmarks but templated ones: the rows are gone through once
    looked: list[str] = []
    notes: list[str] = []
    missing: list[str] = []
    for card in [resolve_benchmark(name) for name in names] or benchmarks().values():
        if not names and not is_here(card):
            missing.append(card.name)
            continue
        try:
            questions = [row.model_copy(update={"id": f"{card.name}, question {row.id}"}) for row in card.load()]
        except LabError as error:
            if names:
                raise
            notes.append(f"{card.name} was not looked at: {error}")
            continue
        looked.append(card.name)
        if card.templated:
            found = _same_problems(rows, questions) | found
        else:
            pooled += questions
    found = _same_text(rows, pooled) | found
    if missing:
        notes.append(f"not looked at for contamination, because their questions are not on this machine: "
                     f"{', '.join(missing)}")
    return Clear(found, tuple(looked), tuple(notes))


def _same_text(rows: Sequence[Example], questions: Sequence[Example]) -> dict[str, str]:
    """Rows that share 64 characters or 13 words with a question."""
    found: dict[str, str] = {}
    for rule in RULES:
        for shared in contamination([row for row in rows if row.id not in found], questions, rule).shared:
            text = shared.text if len(shared.text) <= SHOWN else f"{shared.text[:SHOWN]}…"
            found[shared.row] = f"{SAID[rule]} in common with {shared.question}: '{text}'"
    return found


def _same_problems(rows: Sequence[Example], questions: Sequence[Example]) -> dict[str, str]:
    """Rows that are a question of a templated benchmark. Options are compared only where both have some: distractors
    bring numbers of their own."""
    open_ones = [question for question in questions if not question.options]
    stems = [row.model_copy(update={"options": None}) for row in rows]
    found: dict[str, str] = {}
    for ours, theirs in ((rows, questions), (stems, open_ones)):
        for row, overlap in overlaps(ours, theirs, templated=True).items():
            if overlap.kind in ("same", "near"):
                said = "the same problem as" if overlap.kind == "same" else "nearly the same text and numbers as"
                found.setdefault(row, f"{said} {overlap.row}")
    for row, question in _held(rows, open_ones):
        found.setdefault(row, f"holds the whole of {question}")
    return found


def _held(rows: Sequence[Example], questions: Sequence[Example]) -> Iterator[tuple[str, str]]:
    """(row, question) where the words of a whole question, numbers and all, stand in the row's among others."""
    by_opening: dict[tuple[str, ...], list[tuple[list[str], str]]] = defaultdict(list)
    for question in questions:
        words = WORD.findall(question.question.lower())
        if len(words) >= SHINGLE:
            by_opening[tuple(words[:SHINGLE])].append((words, question.id))
    for row in rows:
        words = WORD.findall(row.question.lower())
        for at in range(len(words) - SHINGLE + 1):
            for whole, question_id in by_opening.get(tuple(words[at:at + SHINGLE]), ()):
                if words[at:at + len(whole)] == whole:
                    yield row.id, question_id
