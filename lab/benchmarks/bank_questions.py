"""What an answer bank asks: questions of a benchmark, of a dataset, or pasted ones; and which of them the models know.

Of a dataset those come first that none of the models was trained on: an answer that was learnt by heart says little
about how a model writes. A question counts as trained on when its text, but for case and spacing, is that of a training
row; `lab.data.overlap` finds more, and takes longer than a draw should.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lab.benchmarks.overlap import PAIRS
from lab.benchmarks.prompts import Prompt, prompt_of, prompts
from lab.benchmarks.questions import drawn_evenly, drawn_questions
from lab.benchmarks.resolving import resolve_benchmark
from lab.benchmarks.specs import AnswersSpec
from lab.core.errors import LabError
from lab.core.types import Example, ModelSource, Pair
from lab.data.chat import question_text
from lab.data.pairs import resolve_pairs
from lab.data.resolving import resolve_dataset

Part = Literal["benchmark", "held out", "trained on", "unknown", "prompts"]


@dataclass(frozen=True)
class BankQuestions:
    """The questions in the order they are asked, from which part of their source each is, and how they are put."""

    questions: tuple[Example, ...]
    parts: tuple[Part, ...]
    prompt: Prompt
    note: str = ""  # what a reader of the bank should know of the draw

    def counts(self) -> dict[str, int]:
        return dict(Counter(self.parts))


def bank_questions(spec: AnswersSpec, sources: Sequence[ModelSource]) -> BankQuestions:
    """LabError when there are fewer questions than asked for, or the source cannot be read."""
    if spec.prompts:
        asked = candidates(spec)
        return BankQuestions(tuple(asked), ("prompts",) * len(asked), prompts()["bare"])
    if spec.dataset:
        return _of_dataset(spec, candidates(spec), sources)
    benchmark = resolve_benchmark(spec.benchmark)
    asked = drawn_questions(benchmark, spec.n_questions, spec.seed)
    return BankQuestions(tuple(asked), ("benchmark",) * len(asked), prompt_of(benchmark))


def candidates(spec: AnswersSpec) -> list[Example]:
    """Every question that a bank might ask, each once; LabError when the source cannot be read."""
    if spec.prompts:
        return [_pasted(text) for text in spec.prompts]
    if spec.benchmark:
        return resolve_benchmark(spec.benchmark).load()
    distinct: dict[str, Example] = {}
    for row in resolve_dataset(spec.dataset).read().rows:
        distinct.setdefault(_words(row), row)
    return list(distinct.values())


def _pasted(text: str) -> Example:
    """Named by its words, so that the same question has the same name in every bank."""
    named = hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:12]
    return Example(id=f"asked-{named}", question=text.strip(), answer="", gold="")


def _words(row: Example | Pair) -> str:
    """The question with its options, case and spacing aside."""
    return " ".join(question_text(row).lower().split())


def _of_dataset(spec: AnswersSpec, rows: Sequence[Example], sources: Sequence[ModelSource]) -> BankQuestions:
    if spec.n_questions > len(rows):
        raise LabError(f"dataset '{spec.dataset}' has {len(rows)} different questions, so n_questions cannot be "
                       f"{spec.n_questions}", "spec")
    known, note = _trained_on(sources)
    fresh = [row for row in rows if _words(row) not in known]
    seed = f"{spec.seed}/{spec.dataset}"
    first = drawn_evenly(fresh, spec.n_questions, seed)
    rest = [row for row in rows if _words(row) in known]
    asked = first + drawn_evenly(rest, spec.n_questions - len(first), seed)
    part: Part = "unknown" if note else "held out"
    parts = (part,) * len(first) + ("trained on",) * (len(asked) - len(first))
    return BankQuestions(tuple(asked), parts, prompts()["bare"], note)


def _trained_on(sources: Sequence[ModelSource]) -> tuple[set[str], str]:
    """(the words of the questions in the models' training rows, why that may not be all of them)."""
    known: set[str] = set()
    unread = []
    for source in sources:
        if source.kind == "remote":
            unread.append(f"nobody here knows what '{source.label}' was trained on")
    for name in dict.fromkeys(name for source in sources for name in source.trained_on):
        resolve, expression = (resolve_pairs, name.removeprefix(PAIRS)) if name.startswith(PAIRS) else (
            resolve_dataset, name)
        try:
            known |= {_words(row) for row in resolve(expression).read().rows}
        except LabError as error:
            unread.append(f"training rows could not be read again: {error}")
    return known, "; ".join(unread)
