"""One question on its way to several models at once: a thread per column, and what is told when all have ended.

An asking belongs to the web process: pages look at it and may leave. An error ends its own column only. Stopping is
cooperative: a thread leaves at its engine's next piece of text, and leaving closes the request, which stops the
generation.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from lab.core.errors import LabError
from lab.engine.protocol import EngineClient, Message
from lab.engine.remote_models import RemoteModels
from lab.ui.compare.columns import Column

UPDATE_S = 0.11  # about nine updates a second for a visitor who is alone
CROWDED_S = 0.02  # more for each asking that runs in this process
LONG_TEXT = 40_000  # characters on the page from which updates are slower
LONG_UPDATE_S = 0.4

# connect(base, tell, stopped) → a client of that base's engine; it may take a while and says why through `tell`.
Connect = Callable[[str, Callable[[str], None], Callable[[], bool]], EngineClient]


@dataclass(frozen=True)
class Question:
    """What is asked, and where it was picked from."""

    text: str
    benchmark: str = ""  # or 'dataset:<name>'
    item: str = ""


@dataclass
class Asking:
    """A turn that is being answered. Columns that have ended already stay as they are: a retry asks the others.

    `histories`: of each column, the messages before this question.
    """

    question: Question
    columns: Sequence[Column]
    histories: Sequence[Sequence[Message]]
    connect: Connect
    number: int = 0  # of the turn
    over: threading.Event = field(default_factory=threading.Event)  # all have ended and `on_end` has returned
    _on_end: Callable[[Asking], None] = lambda asking: None
    _stop: threading.Event = field(default_factory=threading.Event)
    _ending: threading.Lock = field(default_factory=threading.Lock)

    def start(self, on_end: Callable[[Asking], None] | None = None) -> Asking:
        """Begin every column that has not ended. `on_end` is called once, in one of the columns' threads."""
        self._on_end = on_end or self._on_end
        for column, history in zip(self.columns, self.histories, strict=True):
            if not column.ended:
                # With the visitor's context: a lender of GPUs (ZeroGPU) reads there whose question it is.
                asks = contextvars.copy_context()
                threading.Thread(target=asks.run, args=(self._fill, column, history), daemon=True).start()
        return self

    def stop(self) -> None:
        """End every column that has not ended; what they have said stays."""
        self._stop.set()
        for column in self.columns:
            column.end("stopped")
        self._end_if_all_ended()

    @property
    def changes(self) -> int:
        return sum(column.changes for column in self.columns)

    def update_s(self, n_running: int = 1) -> float:
        """Seconds from one update of a page to the next: slower in company, and for long texts."""
        length = sum(len(column.thought) + len(column.answer) for column in self.columns)
        return max(UPDATE_S, CROWDED_S * n_running, LONG_UPDATE_S if length > LONG_TEXT else 0)

    def updates(self) -> Iterator[Sequence[Column]]:
        """The columns whenever they have changed, until all have ended. Leaving does not stop them."""
        shown = -1
        while True:
            over = self.over.is_set()
            if self.changes != shown:
                shown = self.changes
                yield self.columns
            if over:
                return
            time.sleep(self.update_s())

    def _fill(self, column: Column, history: Sequence[Message]) -> None:
        try:
            with closing(self._client(column)) as client:
                self._listen(column, client, history)
        except LabError as error:
            column.end("failed", str(error))
        except Exception as error:
            logging.getLogger(__name__).exception("column %s failed", column.model.label)
            column.end("failed", f"Something went wrong inside the lab ({type(error).__name__}). "
                                 "The full story is in the terminal that runs the lab.")
        finally:
            self._end_if_all_ended()

    def _client(self, column: Column) -> Any:
        """A client that knows the model: its base's engine, or its endpoint."""
        model = column.model
        remote = model.kind == "remote"
        client = RemoteModels() if remote else self.connect(model.base, column.tell, self._stop.is_set)
        try:
            if not remote:
                column.tell("loading the model into the engine")
            client.load(model)
            column.identity = identity_of(client, model.label)
        except BaseException:
            client.close()
            raise
        column.tell("waiting for the first word")
        return client

    def _listen(self, column: Column, client: Any, history: Sequence[Message]) -> None:
        messages = [*history, {"role": "user", "content": self.question.text}]
        with closing(client.stream(column.settings.request(column.model.label, messages))) as stream:
            for chunk in stream:
                if self._stop.is_set():
                    return
                column.add(chunk)
        column.end("failed", "The engine ended the stream without saying how the answer ended.")

    def _end_if_all_ended(self) -> None:
        with self._ending:
            if self.over.is_set() or not all(column.ended for column in self.columns):
                return
            try:
                self._on_end(self)
            except Exception:
                logging.getLogger(__name__).exception("an asking's end failed")
            self.over.set()


def identity_of(client: Any, label: str) -> dict[str, Any] | None:
    """What the engine's probe found of a model; None where it has not looked, or is too busy to say."""
    try:
        found = next((model for model in client.models() if model.get("label") == label), None)
    except LabError:
        return None
    return (found or {}).get("identity")
