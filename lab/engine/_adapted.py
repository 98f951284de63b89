"""Answers by a model that is adapted to each question first (test-time training), in chat and in batches.

What an answer was adapted with is dropped before its end is told, so whoever hears the end knows that nothing is left.
How a model is adapted and how that is proven: `lab.engine._adapting`.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch

from lab.core.errors import LabError
from lab.core.settings import Settings
from lab.core.types import Generation
from lab.data.targets import THINKING_STYLES
from lab.engine._adapting import Adapted, Prepared, QuestionAdapter, Subject
from lab.engine._answering import FAILED, Answer, generation, opening
from lab.engine._batching import Lane
from lab.engine._loop import DecodeLoop
from lab.engine._rows import Row
from lab.engine._weight_proof import WeightsChanged
from lab.engine._weights import Loaded, Weights
from lab.engine.adapt import AdaptationReport
from lab.engine.protocol import ChatRequest, Chunk, GenerationOptions, Message

LOG = logging.getLogger(__name__)
MOST_AT_ONCE = 8  # questions whose ephemeral adapters are in memory together
MakeRow = Callable[[Sequence[Message]], Row]
Tell = Callable[[Row, AdaptationReport | None], None]


@dataclass
class _Asked:
    """One answer on its way; it may be cancelled before its row exists."""

    row: Row | None = None
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True
        if self.row is not None:
            self.row.cancelled = True


class AdaptedAnswers:
    """Prepares on threads of its own, trains and drops on the thread that owns the model."""

    def __init__(self, weights: Weights, loop: DecodeLoop):
        self._weights, self._loop = weights, loop
        self._adapter = QuestionAdapter(self._subject, cache=Settings.from_env().home / "cache" / "neighbours")
        self._threads: ThreadPoolExecutor | None = None

    def submit(self, request: ChatRequest, tell: Callable[[Chunk], None], make_row: MakeRow) -> Callable[[], None]:
        """Begin one streamed answer; what it returns cancels it."""
        asked = _Asked()
        if self._threads is None:
            self._threads = ThreadPoolExecutor(2, "engine-adapt")

        def run() -> None:
            try:
                self._stream(request, tell, make_row, asked)
            except Exception as error:
                known = isinstance(error, LabError)
                if not known:
                    LOG.exception("a question could not be adapted to")
                tell(Chunk("error", str(error) if known else FAILED, bug=not known))

        self._threads.submit(run)
        return asked.cancel

    def generate(
        self, model: Loaded, label: str, conversations: Sequence[Sequence[Message]], options: GenerationOptions,
        make_row: Callable[[Loaded, Sequence[Message], GenerationOptions], Row],
    ) -> Iterator[list[tuple[int, Generation]]]:
        """Each question adapted to by itself; (place, generation) as they end."""
        ended: queue.SimpleQueue[tuple[int, Row, AdaptationReport | None]] = queue.SimpleQueue()
        pending: dict[int, Row] = {}

        def judged() -> list[tuple[int, Generation]]:
            place, row, report = ended.get()
            del pending[place]
            if row.error is not None:
                raise row.error
            done = generation(row, self._weights.tokenizer, THINKING_STYLES[model.style])
            told = report.model_dump(mode="json") if report else None
            return [(place, done.model_copy(update={"adaptation": told}))]

        try:
            for place, messages in enumerate(conversations):
                while len(pending) >= min(MOST_AT_ONCE, options.batch_size):
                    yield judged()
                request = ChatRequest(label, messages, seed=options.seed, adapt=options.adapt)
                prepared = self._adapter.prepare(request)
                pending[place] = row = make_row(model, prepared.messages, options)
                self._begin(prepared, row, lambda row, report, place=place: ended.put((place, row, report)))
            while pending:
                yield judged()
        finally:
            for row in pending.values():
                row.cancelled = True

    def verify(self) -> tuple[str, ...]:
        return self._loop.do(self._adapter.verify)

    def _stream(
        self, request: ChatRequest, tell: Callable[[Chunk], None], make_row: MakeRow, asked: _Asked
    ) -> None:
        tell(Chunk("note", f"looking for examples in {request.adapt.dataset}"))
        prepared = self._adapter.prepare(request)
        tell(Chunk("note", prepared.note))
        row = asked.row = make_row(prepared.messages)
        row.cancelled = asked.cancelled
        style = THINKING_STYLES[self._weights.loaded(request.label).style]
        tokenizer, report = self._weights.tokenizer, [prepared.report]
        answer = Answer(tokenizer, style, opening(tokenizer, row.prompt, style), tell, lambda: report[0])

        def heard(row: Row, final: AdaptationReport | None) -> None:
            report[0] = final
            answer.heard(row)

        self._begin(prepared, row, heard, lambda found: tell(Chunk("adapted", adaptation=found)), answer.heard)

    def _begin(
        self, prepared: Prepared, row: Row, ended: Tell,
        adapted_to: Callable[[AdaptationReport], None] = lambda _: None,
        heard: Callable[[Row], None] = lambda _: None,
    ) -> None:
        """Adapt and decode `row`; `ended` is told its end, with the report, after everything is as it was."""
        lane = self._weights.loaded(prepared.label).lane
        if not prepared.trains:
            adapted_to(prepared.report)
            row.tell = lambda row: ended(row, prepared.report) if row.finish else heard(row)
            self._loop.add(lane, row)
            return

        def train() -> None:
            adapted = self._train(prepared)
            adapted_to(adapted.report)
            row.names = adapted.names
            row.tell = lambda row: self._end(row, adapted, ended) if row.finish else heard(row)

        if prepared.exclusive:
            self._loop.do_alone(lane, lambda: self._alone(lane, row, train))
        else:
            self._loop.do(train)
            self._loop.add(lane, row)

    def _alone(self, lane: Lane, row: Row, train: Callable[[], None]) -> None:
        """Train and decode one row with the model to itself."""
        train()
        private = Lane(lane.model, lane.stack, 1)
        private.waiting.append(row)
        while row.finish is None:
            try:
                private.work()
            except Exception as error:
                LOG.exception("a pass failed")
                private.fail(error)

    def _train(self, prepared: Prepared) -> Adapted:
        try:
            return self._adapter.train(prepared)
        except WeightsChanged as error:
            self._begin_anew(error)
            raise

    def _end(self, row: Row, adapted: Adapted, ended: Tell) -> None:
        report: AdaptationReport | None = None
        try:
            with torch.inference_mode(False):
                report = self._adapter.drop(adapted)
        except WeightsChanged as error:
            row.finish, row.error = "error", error
            self._begin_anew(error)
        ended(row, report)

    def _begin_anew(self, error: WeightsChanged) -> None:
        """The weights are not proven to be what they were: nobody is answered by them any more."""
        LOG.error("%s; reading the weights again", error)
        for lane in {id(one.lane): one.lane for one in map(self._weights.loaded, self._weights.labels())}.values():
            lane.fail(error)
        self._weights.rebuild()
        self._adapter.forget()

    def _subject(self, label: str) -> Subject:
        model = self._weights.loaded(label)
        return Subject(
            model.lane.model, model.lane.stack, self._weights.tokenizer, adapters=model.names, style=model.style,
            context_tokens=self._weights.card.context_tokens,
        )
