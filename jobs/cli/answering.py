"""One model's answer on its way to a terminal: asked in a thread, shown when its turn has come.

What a later model says meanwhile waits in its queue, so that answers never mix. Leaving the program ends what still
runs: an engine stops an answer when nobody listens.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from queue import SimpleQueue

from jobs.engines import Engines
from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine.protocol import ChatRequest, Chunk, Stats
from storage.database import Store

CLEAR_LINE = "\r\033[K"


class Answering:
    """A question to one model. Iterate it for the chunks; the last one is 'end' or 'error'."""

    def __init__(self, store: Store, source: ModelSource, request: ChatRequest):
        self.source = source
        self._store, self._request = store, request
        self._told: SimpleQueue[Chunk] = SimpleQueue()

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"ask {self.source.label}", daemon=True).start()

    def __iter__(self) -> Iterator[Chunk]:
        while True:
            chunk = self._told.get()
            yield chunk
            if chunk.kind in ("end", "error"):
                return

    def _run(self) -> None:
        try:
            for chunk in self._chunks():
                self._told.put(chunk)
            self._told.put(Chunk("error", f"the engine of {self.source.base} ended without saying how the answer "
                                          "ended. Ask again."))  # read only where no 'end' came before it
        except LabError as error:
            self._told.put(Chunk("error", str(error)))
        except Exception as error:
            logging.getLogger(__name__).exception("asking %s failed", self.source.label)
            self._told.put(Chunk("error", f"something went wrong inside the lab ({type(error).__name__})"))

    def _chunks(self) -> Iterator[Chunk]:
        if self.source.kind == "remote":
            from lab.engine.remote import RemoteModels

            client = RemoteModels()
        else:
            client = Engines(self._store).connect(self.source.base, self._note, lambda: False)
        with closing(client):
            client.load(self.source)
            yield from client.stream(self._request)

    def _note(self, text: str) -> None:
        self._told.put(Chunk("note", text))


def watch(answering: Answering, live: bool, thinking: bool) -> Stats:
    """Follow an answer to its end. Its words go to stdout as they come when `live`; LabError when it failed."""
    shown = _Shown(answering.source.label, live, thinking)
    for chunk in answering:
        if chunk.kind == "error":
            shown.line("")
            raise LabError(chunk.text)
        if chunk.kind == "end" and chunk.stats is not None:
            shown.end(chunk.stats)
            return chunk.stats
        shown.add(chunk)
    raise LabError(f"{answering.source.label} gave no answer")


class _Shown:
    """What of an answer is on the terminal already. Waiting is told on stderr, where it can be wiped away."""

    def __init__(self, label: str, live: bool, thinking: bool):
        self._label, self._live, self._thinking = label, live, thinking
        self._part, self._answer = "", ""
        if live:
            print(f"## {label}", flush=True)

    def add(self, chunk: Chunk) -> None:
        if chunk.kind == "note":
            self.line(f"{self._label}: {chunk.text}")
        elif chunk.kind in ("thinking", "answer") and self._live:
            self._answer += chunk.text if chunk.kind == "answer" else ""
            if chunk.kind == "thinking" and not self._thinking:
                self.line(f"{self._label}: thinking")
                return
            self._begin(chunk.kind)
            print(chunk.text, end="", flush=True)

    def _begin(self, part: str) -> None:
        if part != self._part:
            self.line("")
            if self._thinking:
                print(f"{chr(10) if self._part else ''}[{part}]")
            self._part = part

    def end(self, stats: Stats) -> None:
        """The end's texts are the verdict on the whole: what was shown as an answer may have been thought."""
        self.line("")
        if not self._live:
            return
        if stats.final_text.strip() != self._answer.strip():
            print(f"\n[read again as a whole, the answer is]\n{stats.final_text.strip()}", end="")
        print(flush=True)

    def line(self, text: str) -> None:
        """One line that takes the place of the one before; nothing where nobody looks."""
        if sys.stderr.isatty():
            print(f"{CLEAR_LINE}{text}", end="", file=sys.stderr, flush=True)
