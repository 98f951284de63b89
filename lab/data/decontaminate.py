"""Decontamination: which training rows share text with benchmark questions.

characters  64 or more consecutive characters in common, spacing and case aside: the rule of HuatuoGPT-o1 (arXiv
            2412.18925, section 2.1), after Med-PaLM 2.
words       13 consecutive words in common (word n-grams; s1, arXiv 2501.19393, compares n-grams of its 59K pool with
            its evaluation questions).

A question shorter than the rule's length counts when it is the same whole text. Questions made from templates, as the
demo data are, share sentences without sharing problems: there the rules find templates.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from lab.core.types import Example

Rule = Literal["characters", "words"]
N_CHARACTERS = 64
N_WORDS = 13
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Shared:
    """One training row, the benchmark question it shares text with, and that text."""

    row: str
    question: str
    text: str


@dataclass(frozen=True)
class Contamination:
    """What was found among `n_rows` training rows: the first match of each row that has one."""

    rule: Rule
    n_rows: int
    shared: tuple[Shared, ...]

    @property
    def n_shared(self) -> int:
        return len(self.shared)


def contamination(rows: Sequence[Example], questions: Sequence[Example], rule: Rule = "characters") -> Contamination:
    """Every training row that shares text with a benchmark question, by one rule."""
    search = _Characters(questions) if rule == "characters" else _Words(questions)
    found = (search.first(row) for row in rows)
    return Contamination(rule, len(rows), tuple(shared for shared in found if shared))


def without(rows: Sequence[Example], found: Contamination) -> list[Example]:
    """The rows that share nothing."""
    named = {shared.row for shared in found.shared}
    return [row for row in rows if row.id not in named]


def asked_text(example: Example) -> str:
    """The question with its options, case and spacing normalised: what is compared."""
    return " ".join(" ".join((example.question, *(example.options or {}).values())).lower().split())


class _Characters:
    """Common substrings. Any one of N characters holds a block of N/2 that lies at a multiple of N/2 in the question:
    only those blocks are kept, and a hit on one is then grown in both directions."""

    BLOCK = N_CHARACTERS // 2

    def __init__(self, questions: Sequence[Example]):
        self.questions = questions
        self.texts = [asked_text(question) for question in questions]
        self.whole = {text: number for number, text in enumerate(self.texts)}
        self.blocks: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, text in enumerate(self.texts):
            for start in range(0, len(text) - self.BLOCK + 1, self.BLOCK):
                self.blocks[text[start:start + self.BLOCK]].append((number, start))

    def first(self, row: Example) -> Shared | None:
        text = asked_text(row)
        if text in self.whole:
            return Shared(row.id, self.questions[self.whole[text]].id, text)
        for at in range(len(text) - self.BLOCK + 1):
            for number, start in self.blocks.get(text[at:at + self.BLOCK], ()):
                common = _grown(text, at, self.texts[number], start, self.BLOCK)
                if len(common) >= N_CHARACTERS:
                    return Shared(row.id, self.questions[number].id, common)
        return None


def _grown(one: str, at: int, other: str, start: int, length: int) -> str:
    """The longest common stretch around one[at:at+length] == other[start:start+length]."""
    left = 0
    while left < min(at, start) and one[at - left - 1] == other[start - left - 1]:
        left += 1
    right = length
    while at + right < len(one) and start + right < len(other) and one[at + right] == other[start + right]:
        right += 1
    return one[at - left:at + right]


class _Words:
    """Common word n-grams."""

    def __init__(self, questions: Sequence[Example]):
        self.grams: dict[tuple[str, ...], str] = {}
        for question in questions:
            for gram in _grams(asked_text(question)):
                self.grams.setdefault(gram, question.id)

    def first(self, row: Example) -> Shared | None:
        for gram in _grams(asked_text(row)):
            if gram in self.grams:
                return Shared(row.id, self.grams[gram], " ".join(gram))
        return None


def _grams(text: str) -> Iterator[tuple[str, ...]]:
    """Every 13 words in a row; all of them where there are fewer."""
    words = WORD.findall(text)
    if 0 < len(words) < N_WORDS:
        yield (*words, "")  # the end mark: a short text equals only a whole short text
        return
    for start in range(len(words) - N_WORDS + 1):
        yield tuple(words[start:start + N_WORDS])
