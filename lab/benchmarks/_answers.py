"""The loop of an answer bank: every model answers the same questions; the answers are frozen and cleaned for raters.

Each answer is kept as it comes (`lab.core.kept_lines`), by model and question: a job that starts again asks the rest.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from lab.benchmarks.bank_questions import BankQuestions, bank_questions
from lab.benchmarks.run_key import model_style
from lab.benchmarks.run_settings import generation_options, generation_settings
from lab.benchmarks.shown import shown_text
from lab.benchmarks.specs import AnswersSpec
from lab.core.context import Context, Stopped
from lab.core.errors import LabError
from lab.core.kept_lines import KeptLines, Row
from lab.core.types import Generation, ModelSource
from lab.data.chat import question_text
from lab.data.targets import THINKING_STYLES
from lab.engine.warming import warm_engine

Key = tuple[str, str, str]  # model, question, its words: a file of one's own may have changed between two attempts


def collect_answers(spec: AnswersSpec, context: Context) -> dict[str, Any]:
    """What was asked of whom; artifacts/answers.jsonl holds one row an answer.

    Raises Stopped between two batches: the answers so far are kept.
    """
    started = time.perf_counter()
    sources = [context.model(ref) for ref in spec.models]
    _check_distinct(sources)
    asked = bank_questions(spec, sources)
    if asked.note:
        context.log(f"which questions are new to the models is not certain: {asked.note}")
    bank = _Bank(context, sources, asked)
    engine = None
    for source in sorted(sources, key=lambda source: source.base):  # one base in memory at a time, loaded once
        if places := bank.missing(source):
            context.progress(bank.done, bank.total, f"loading {source.label}")
            engine = warm_engine(source, engine)
            bank.fill(source, places, _generated(engine, source, asked, places, spec))
    bank.kept.seal()
    bank.write()
    return {
        "n_questions": len(asked.questions),
        "models": [source.model_dump() for source in sources],
        "settings": generation_settings(spec) | _asked_of(spec, asked),
        "seconds": time.perf_counter() - started,
    }


def _asked_of(spec: AnswersSpec, asked: BankQuestions) -> dict[str, Any]:
    """Which questions they are: what a reader of the bank needs besides the generation settings."""
    found = {"benchmark": spec.benchmark, "dataset": spec.dataset, "prompts": len(spec.prompts) or None,
             "parts": asked.counts() if spec.dataset else None, "parts_note": asked.note}
    return {name: value for name, value in found.items() if value} | {"n_questions": len(asked.questions)}


def _generated(
    engine: Any, source: ModelSource, asked: BankQuestions, places: Sequence[int], spec: AnswersSpec
) -> Iterator[list[tuple[int, Generation]]]:
    conversations = [asked.prompt.messages(asked.questions[place]) for place in places]
    return engine.generate(source.label, conversations, generation_options(spec))


@dataclass
class _Bank:
    """The answers so far, and how that is told."""

    context: Context
    sources: Sequence[ModelSource]
    asked: BankQuestions

    def __post_init__(self) -> None:
        self.kept = KeptLines(self.context.checkpoints, lambda row: {"model_ref", "item_id", "question"} <= row.keys())
        self._keys = {self._key(source, place) for source in self.sources for place in range(len(self.asked.questions))}
        self.total = len(self._keys)
        self._rows = {key: row for row in self.kept.rows if (key := _key_of(row)) in self._keys}
        if self.done:
            self.context.log(f"{self.done} of {self.total} answers are kept from before")
        self.context.rewind(self.done)

    @property
    def done(self) -> int:
        return len(self._rows)

    def missing(self, source: ModelSource) -> list[int]:
        """Places of the questions that a model has still to answer."""
        return [place for place in range(len(self.asked.questions)) if self._key(source, place) not in self._rows]

    def fill(
        self, source: ModelSource, places: Sequence[int], generated: Iterator[list[tuple[int, Generation]]]
    ) -> None:
        """Keep what comes, and leave if that was asked for."""
        with closing(generated) as batches:
            for batch in batches:
                rows = [_row(source, self.asked, places[at], generation) for at, generation in batch]
                self.kept.add(rows)
                self._rows |= {_key_of(row): row for row in rows}
                self.context.progress(self.done, self.total, f"{self.done} of {self.total} answers")
                if self.context.stop_requested() and self.done < self.total:
                    self.kept.seal()
                    raise Stopped(f"{self.done} of {self.total} answers are kept")

    def write(self) -> None:
        """artifacts/answers.jsonl: model by model, in the order of the questions."""
        self.context.folder.mkdir(parents=True, exist_ok=True)
        with (self.context.folder / "answers.jsonl").open("w", encoding="utf-8") as file:
            for source in self.sources:
                for place in range(len(self.asked.questions)):
                    row = self._rows[self._key(source, place)]
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def _key(self, source: ModelSource, place: int) -> Key:
        question = self.asked.questions[place]
        return source.ref, question.id, question_text(question)


def _key_of(row: Row) -> Key:
    return row["model_ref"], row["item_id"], row["question"]


def _row(source: ModelSource, asked: BankQuestions, place: int, generation: Generation) -> Row:
    question = asked.questions[place]
    shown = shown_text(generation, THINKING_STYLES[model_style(source)])
    return {
        "item_id": question.id,
        "part": asked.parts[place],
        "subject": question.subject,
        "question": question_text(question),
        "gold": question.gold,
        "model_ref": source.ref,
        "model_label": source.label,
        "arm": source.arm,
        "base": source.base,
        "raw_text": generation.raw_text,
        "think_text": generation.think_text,
        "shown_text": shown,
        "think_state": generation.think_state,
        "finish_reason": generation.finish_reason,
        "n_tokens": generation.n_think_tokens + generation.n_answer_tokens,
        "sha256": hashlib.sha256(shown.encode()).hexdigest(),  # proves that what was rated is what was frozen
    }


def _check_distinct(sources: list[ModelSource]) -> None:
    labels = [source.label for source in sources]
    for label in labels:
        if labels.count(label) > 1:
            raise LabError(f"models: '{label}' is named twice; an answer bank holds each model once", "spec")
