"""What the embedded teacher knows: the demo's problems by their questions, its single facts and its notes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from lab.data.demo.exam import exam_items
from lab.data.demo.facts import Fact, facts
from lab.data.demo.families import draw
from lab.data.demo.problem import Problem
from lab.data.demo.texts import DemoNote, demo_notes
from lab.data.demo.wording import SHORT, WORDINGS, short, worded

N_TRAIN = 2400  # of each field: the rows of demo-general and demo-medical
MOST_SENTENCES = 24  # of a question: nothing the demo asks is longer
END = re.compile(r"(?<=[.?!])\s+|\n+")


def folded(text: str) -> str:
    return " ".join(text.casefold().split())


@lru_cache(maxsize=8192)
def problem_of(question: str) -> Problem | None:
    """The problem that a text asks, alone or among other sentences; None for anything else."""
    return next((known for part in _parts(question) if (known := _problems().get(part))), None)


@lru_cache(maxsize=8192)
def fact_of(question: str) -> Fact | None:
    """The single fact that a text asks for."""
    return next((known for part in _parts(question) if (known := _facts().get(part))), None)


@lru_cache(maxsize=1024)
def note_of(text: str) -> DemoNote | None:
    return _notes().get(folded(text))


def question_of(problem: Problem) -> str:
    """The problem in its longer wording, or in its own where there is no other."""
    return str(worded(problem)) if problem.family in WORDINGS else problem.question


def _parts(text: str) -> Iterator[str]:
    """The whole text, then every run of its sentences, the longest first."""
    yield folded(text)
    sentences = [folded(part) for part in END.split(text.strip()) if part.strip()][:MOST_SENTENCES]
    for length in range(len(sentences), 0, -1):
        for start in range(len(sentences) - length + 1):
            yield " ".join(sentences[start:start + length])


@cache
def _problems() -> dict[str, Problem]:
    known = {folded(problem.question): problem for field in ("general", "medical")
             for problem in draw(field, "train", N_TRAIN, seed=0)}
    asked = [item.problem for item in exam_items() if item.problem]
    asked += [problem for note in demo_notes() for problem in note.problems]
    for problem in asked:
        known[folded(problem.question)] = problem
        if problem.family in WORDINGS:
            known[folded(str(worded(problem)))] = problem
        if problem.family in SHORT:
            known[folded(short(problem))] = problem
    return known


@cache
def _facts() -> dict[str, Fact]:
    return {folded(text): fact for fact in facts() for text in (fact.question, fact.open_question)}


@cache
def _notes() -> dict[str, DemoNote]:
    return {folded(note.text): note for note in demo_notes()}
