"""Retrieving: the examples a question is adapted to, as the model's template writes them. No torch here.

Nothing is trained: this may run beside a model that is busy with others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from lab.core.types import StyleName
from lab.data.chat import question_text
from lab.data.targets import target_text
from lab.engine.adapt import Adaptation, AdaptationReport, Neighbour
from lab.engine.neighbours import Neighbours, Retrieved, open_neighbours
from lab.engine.protocol import ChatRequest, Message


@dataclass(frozen=True)
class Subject:
    """A loaded model as it answers for one label. `adapters` are its own, by their names in `stack`."""

    model: Any
    stack: Any  # lab.engine._stacking.Stack on this model
    tokenizer: Any
    adapters: tuple[str, ...]
    style: StyleName
    context_tokens: int


@dataclass(frozen=True)
class TaughtRow:
    """An example as the chat template writes it; the loss is on the tokens from `first` on."""

    ids: tuple[int, ...]
    first: int

    @property
    def n_taught(self) -> int:
        return len(self.ids) - self.first


@dataclass(frozen=True)
class Prepared:
    """A question with its examples; nothing is trained yet. `messages` is what is to be asked."""

    label: str
    settings: Adaptation
    messages: tuple[Message, ...]
    report: AdaptationReport
    rows: tuple[TaughtRow, ...] = ()

    @property
    def trains(self) -> bool:
        return bool(self.rows)

    @property
    def exclusive(self) -> bool:
        """Whether nothing else may use the model while it answers."""
        return self.trains and self.settings.scope == "full"

    @property
    def note(self) -> str:
        n, what = len(self.report.neighbours), "adapting to" if self.trains else "showing"
        return f"{what} {n} example{'' if n == 1 else 's'} of {self.settings.dataset}"


@dataclass
class Retriever:
    """The indexes of one engine, each opened at the first question that needs it. Safe to use from any thread."""

    cache: Path  # where indexes are kept
    _indexes: dict[tuple[str, str, str], Neighbours] = field(default_factory=dict)
    _opening: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self, request: ChatRequest, subject: Subject) -> Prepared:
        """LabError says what does not go: no dataset, no question, too few examples, none that fits."""
        settings, started = request.adapt, time.perf_counter()
        found = self._found(settings, _question(request))
        neighbours = tuple(_neighbours(found, settings.dataset, subject.style))
        report = AdaptationReport(mode=settings.mode, neighbours=neighbours, n_excluded=found.n_excluded)
        messages, rows = tuple(request.messages), ()
        if settings.mode == "context":
            messages = _with_examples(messages, neighbours)
        else:
            report = report.model_copy(update={"scope": settings.scope})
            rows = tuple(taught_row(subject, one, settings.loss_on) for one in neighbours)
        seconds = time.perf_counter() - started
        return Prepared(request.label, settings, messages, report.model_copy(update={"seconds": seconds}), rows)

    def _found(self, settings: Adaptation, question: str) -> Retrieved:
        if settings.mode == "none" or not settings.dataset:
            raise LabError("test-time training needs a mode and a dataset to take its examples from", "spec")
        key = (settings.dataset, settings.embedder, settings.pooling)
        with self._opening:
            if key not in self._indexes:
                self._indexes[key] = open_neighbours(settings, self.cache)
            index = self._indexes[key]
        if settings.mode == "random":
            return index.random(question, settings.neighbours, settings.seed)
        return index.nearest(question, settings.neighbours)


def taught_row(subject: Subject, one: Neighbour, loss_on: str) -> TaughtRow:
    """Prompt and reply as fine-tuning writes them (`lab.training.rows`), tokenised apart, as the model meets them.

    What the model has no room for is cut off the end. LabError if nothing to teach is left, or the template changes
    the reply's words.
    """
    asked, write = [{"role": "user", "content": one.question}], subject.tokenizer
    turn = [*asked, {"role": "assistant", "content": one.reply}]
    prompt = write.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    reply = one.reply + write.eos_token
    if not write.apply_chat_template(turn, tokenize=False).startswith(prompt + reply):
        raise LabError("this base's chat template changes what a reply says, so the model would learn another text "
                       "than it is asked for. Use a template that keeps its words (chat_template in the base's card)")
    before, taught = (write(text, add_special_tokens=False)["input_ids"] for text in (prompt, reply))
    ids = [*before, *taught][: subject.context_tokens]
    first = len(before) if loss_on == "completion" else 1  # nothing stands before the first token to tell it from
    if first >= len(ids):
        raise LabError(f"the question of example '{one.id}' has {len(before)} tokens and the model holds "
                       f"{subject.context_tokens}: no token of its reply could be taught. Take a dataset of shorter "
                       "questions", "data")
    return TaughtRow(tuple(ids), first)


def _question(request: ChatRequest) -> str:
    """What is retrieved by: the last thing the user said."""
    said = [message["content"] for message in request.messages if message["role"] == "user"]
    if request.prompt is not None or not said:
        raise LabError("test-time training needs a question: a chat with a user's message, not a raw text", "spec")
    return said[-1]


def _neighbours(found: Retrieved, dataset: str, style: StyleName) -> Iterator[Neighbour]:
    for row, similarity in zip(found.rows, found.similarities, strict=True):
        reply = target_text(row, "trace" if row.trace else "answer", style)
        yield Neighbour(id=row.id, dataset=dataset, question=question_text(row), reply=reply,
                        similarity=similarity)


def _with_examples(messages: Sequence[Message], neighbours: Sequence[Neighbour]) -> tuple[Message, ...]:
    """The examples as earlier turns, the nearest last; a system message stays in front."""
    start = 1 if messages[0]["role"] == "system" else 0
    shown = [
        {"role": role, "content": text}
        for one in reversed(neighbours) for role, text in (("user", one.question), ("assistant", one.reply))
    ]
    return (*messages[:start], *shown, *messages[start:])
