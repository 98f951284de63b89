"""One question on its way to several models at once: a thread per column, one stream of updates for the page.

An error ends its own column only. Stopping is cooperative: a thread leaves at its engine's next piece of text, and
leaving closes the request, which stops the generation.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine.protocol import EngineClient
from lab.ui.compare.columns import Column

UPDATE_S = 0.11  # about nine updates a second
LONG_TEXT = 40_000  # characters on the page from which updates are slower
LONG_UPDATE_S = 0.4

# connect(base, tell, stopped) → a client of that base's engine; it may take a while and says why through `tell`.
Connect = Callable[[str, Callable[[str], None], Callable[[], bool]], EngineClient]


@dataclass(frozen=True)
class AskSettings:
    """How the answers are generated: the same for every column."""

    max_new_tokens: int = 128
    temperature: float = 0.0
    seed: int = 0


class Asking:
    """The question, its columns, and the threads that fill them."""

    def __init__(self, models: Sequence[ModelSource], question: str, settings: AskSettings, connect: Connect):
        run = secrets.token_hex(4)  # folds of earlier askings stand on the same page
        self.columns = [Column(model, f"{run}-{index}") for index, model in enumerate(models)]
        self.question, self.settings = question, settings
        self._connect, self._stop = connect, threading.Event()

    def stop(self) -> None:
        """End every column that has not ended; what they have said stays."""
        self._stop.set()
        for column in self.columns:
            column.end("stopped")

    def updates(self) -> Iterator[list[Column]]:
        """The columns whenever they have changed, until all have ended. Closing the iterator stops them."""
        for column in self.columns:
            threading.Thread(target=self._fill, args=(column,), daemon=True).start()
        shown = -1
        try:
            while True:
                ended = all(column.ended for column in self.columns)
                changes = sum(column.changes for column in self.columns)
                if changes != shown:
                    shown = changes
                    yield self.columns
                if ended:
                    return
                time.sleep(LONG_UPDATE_S if self._length() > LONG_TEXT else UPDATE_S)
        finally:
            self.stop()

    def _length(self) -> int:
        return sum(len(column.thought) + len(column.answer) for column in self.columns)

    def _fill(self, column: Column) -> None:
        try:
            with closing(self._connect(column.model.base, column.tell, self._stop.is_set)) as client:
                column.tell("loading the model into the engine")
                client.load(column.model)
                column.tell("waiting for the first word")
                self._listen(column, client)
        except LabError as error:
            column.end("failed", str(error))
        except Exception as error:
            logging.getLogger(__name__).exception("column %s failed", column.model.label)
            column.end("failed", f"Something went wrong inside the lab ({type(error).__name__}). "
                                 "The full story is in the terminal that runs the lab.")

    def _listen(self, column: Column, client: EngineClient) -> None:
        settings = self.settings
        messages = [{"role": "user", "content": self.question}]
        stream = client.stream(
            column.model.label, messages, settings.max_new_tokens, settings.temperature, settings.seed
        )
        with closing(stream):  # type: ignore[type-var]
            for chunk in stream:
                if self._stop.is_set():
                    return
                column.add(chunk)
        column.end("failed", "The engine ended the stream without saying how the answer ended.")
