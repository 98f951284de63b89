"""A scripted engine: the engine's HTTP with deterministic text instead of a model, for tests of pages. No torch.

A model whose label contains 'trace' thinks before it answers; any other answers at once. Words in the question change
what happens, so that a page can be tested on what goes wrong: '[unclosed]' thinks without end, '[fail]' breaks after
a few words, '[slow]' takes its time. One word is one token. `python -m lab.engine.scripted --delay 0.05` serves it
until interrupted.
"""

from __future__ import annotations

import argparse
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource
from lab.engine.api import build_app
from lab.engine.listening import listening
from lab.engine.protocol import ChatRequest, Chunk
from lab.engine.scripts import played
from lab.engine.streams import stream
from lab.engine.ticking import Ticker

SLOW_S = 0.2  # least seconds per word of a question with '[slow]'
ALIKE = {"checked": True, "max_difference": 0.0, "tolerance": 1e-4}


@dataclass
class ScriptedBackend:
    """Stands behind `lab.engine.api` like the real backend does."""

    base: str = "scripted"
    delay_s: float = 0.0  # per word
    max_new_tokens: int = 512
    sources: dict[str, ModelSource] = field(default_factory=dict)
    _ticker: Ticker = field(default_factory=Ticker, repr=False)

    def labels(self) -> list[str]:
        return [self.base, *self.sources]

    def models(self) -> list[dict[str, Any]]:
        kinds = {self.base: "base"} | {label: source.kind for label, source in self.sources.items()}
        return [{"label": label, "kind": kind, "identity": ALIKE} for label, kind in kinds.items()]

    def load(self, source: ModelSource) -> None:
        if source.base != self.base:
            raise LabError(f"model '{source.label}' stands on '{source.base}', but this engine holds '{self.base}'")
        if source.label != self.base:
            self.sources.setdefault(source.label, source)

    def unload(self, label: str) -> None:
        if label == self.base:
            raise LabError(f"'{label}' is the base of this engine: it goes when the engine ends")
        if self.sources.pop(label, None) is None:
            raise UnknownName("model", label, self.labels())

    def submit(self, request: ChatRequest, tell: Callable[[Chunk], None]) -> Callable[[], None]:
        """Tell a word's chunks every `delay_s`, from the one thread all generations share."""
        if request.label not in self.labels():
            raise UnknownName("model", request.label, self.labels())
        slow = bool(request.messages) and "[slow]" in request.messages[-1]["content"]
        return self._ticker.play(_told(played(request), tell), max(self.delay_s, SLOW_S * slow))

    def stream(self, request: ChatRequest) -> Iterator[Chunk]:
        return stream(self, request)


def _told(steps: Iterator[list[Chunk]], tell: Callable[[Chunk], None]) -> Iterator[None]:
    """The chunks of one step at a time; a failure is the last of them."""
    try:
        for step in steps:
            for chunk in step:
                tell(chunk)
            yield
    except LabError as error:
        tell(Chunk("error", str(error)))
    except Exception:
        logging.getLogger(__name__).exception("the script broke")
        tell(Chunk("error", "the engine failed while it generated; its log says why", bug=True))


@contextmanager
def scripted_engine(base: str = "scripted", delay_s: float = 0.0, port: int = 0) -> Iterator[str]:
    """The URL of a scripted engine that runs in a thread while the block lasts."""
    with listening(build_app(ScriptedBackend(base, delay_s)), port) as url:
        yield url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="scripted", help="name of the base it pretends to hold")
    parser.add_argument("--delay", type=float, default=0.03, help="seconds per word")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    given = parser.parse_args()
    with scripted_engine(given.base, given.delay, given.port) as url:
        print(url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
