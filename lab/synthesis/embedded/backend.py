"""The embedded teacher as a backend: it stands behind `lab.engine.api` like every other, and in a job's own process."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource
from lab.engine.api import build_app
from lab.engine.listening import listening
from lab.engine.protocol import ChatRequest, Chunk, Stats
from lab.engine.streams import stream
from lab.engine.ticking import Ticker
from lab.synthesis.embedded.settings import Settings
from lab.synthesis.embedded.solver import answer
from lab.synthesis.specs import EMBEDDED

MOST_TOKENS = 4096
TOKEN = re.compile(r"\s*(?:\w+|[^\w\s])")  # one word or one sign: what is counted and cut by
ALIKE = {"checked": True, "max_difference": 0.0, "tolerance": 0.0}


@dataclass
class SolverBackend:
    """Each reply is one chunk, told `latency_s` after it was asked for, from the one thread all replies share."""

    settings: Settings = field(default_factory=Settings)
    latency_s: float = 0.0
    base: str = EMBEDDED
    max_new_tokens: int = MOST_TOKENS
    _ticker: Ticker = field(default_factory=Ticker, repr=False)

    def labels(self) -> list[str]:
        return [self.base]

    def models(self) -> list[dict[str, Any]]:
        return [{"label": self.base, "kind": "base", "identity": ALIKE}]

    def load(self, source: ModelSource) -> None:
        if source.label != self.base:
            raise LabError(f"the embedded teacher is '{self.base}' alone; it cannot hold '{source.label}'")

    def unload(self, label: str) -> None:
        raise LabError(f"'{self.base}' is all that this engine holds: it goes when the engine ends")

    def submit(self, request: ChatRequest, tell: Callable[[Chunk], None]) -> Callable[[], None]:
        """Tell the reply and its end."""
        if request.label != self.base:
            raise UnknownName("model", request.label, self.labels())
        if request.prompt is not None:
            raise LabError("the embedded teacher continues no text; it answers chats")
        return self._ticker.play(_told(request, self.settings, tell), self.latency_s)

    def stream(self, request: ChatRequest) -> Iterator[Chunk]:
        return stream(self, request)

    def close(self) -> None:
        """Nothing to give back: its thread ends when nobody has asked for two seconds."""


def _told(request: ChatRequest, settings: Settings, tell: Callable[[Chunk], None]) -> Iterator[None]:
    try:
        started = time.perf_counter()
        said = answer(request.messages, request.seed, request.temperature, settings)
        whole = TOKEN.findall(said)
        cut = len(whole) > request.max_new_tokens
        if cut:
            said = "".join(whole[:request.max_new_tokens])
        if said:
            tell(Chunk("answer", said))
        tell(Chunk("end", stats=Stats(
            think_text="", final_text=said, think_state="none", finish_reason="length" if cut else "eos",
            n_prompt_tokens=sum(len(TOKEN.findall(message["content"])) for message in request.messages),
            n_think_tokens=0, n_answer_tokens=min(len(whole), request.max_new_tokens),
            seconds=time.perf_counter() - started,
        )))
        yield
    except Exception:
        logging.getLogger(__name__).exception("the embedded teacher broke")
        tell(Chunk("error", "the embedded teacher failed; its log says why", bug=True))


@contextmanager
def solver_engine(settings: Settings | None = None, latency_s: float = 0.0, port: int = 0) -> Iterator[str]:
    """The URL of an engine with the embedded teacher behind it, in a thread while the block lasts."""
    with listening(build_app(SolverBackend(settings or Settings(), latency_s)), port) as url:
        yield url
