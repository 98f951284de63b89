"""The engine in the web process itself, behind the same client as an engine process: for Hugging Face ZeroGPU.

There a GPU is lent for the length of one decorated call, so there can be no engine that holds one. Each answer is one
call (`lab.engine.loaded_bases.answering`), which loads what it needs; `lab.engine._zero_gpu` decorates it. Elsewhere
the same function runs as it is. No torch here until somebody asks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.bases.cards import bases
from lab.core.errors import LabError, UnknownName
from lab.core.settings import Settings
from lab.core.types import ModelSource
from lab.engine.loaded_bases import Answer, LoadedBases, answering
from lab.engine.protocol import ChatRequest, Chunk
from lab.engine.streams import raise_error

if TYPE_CHECKING:
    from lab.engine.api import Backend


class InProcess:
    """The bases of this process, who may be asked, and how an answer is computed.

    `lent`: the GPU is there only while an answer is computed, so nothing is loaded before.
    """

    def __init__(self, loaded: LoadedBases, answer: Answer, lent: bool):
        self.loaded, self.answer, self.lent = loaded, answer, lent
        self._sources: dict[tuple[str, str], ModelSource] = {}  # (base, label) → where its weights are
        self.busy = 0
        self.asked_at = time.monotonic()

    def client(self, base: str, precision: str = "auto") -> InProcessClient:
        """A client of a base. LabError for an unknown base."""
        return InProcessClient(self, bases()[base].name, precision)

    def known(self, base: str) -> list[str]:
        return [base, *(label for other, label in self._sources if other == base)]

    def source(self, base: str, label: str) -> ModelSource | None:
        return self._sources.get((base, label))

    def remember(self, source: ModelSource) -> None:
        self._sources[source.base, source.label] = source

    def forget(self, base: str, label: str) -> None:
        self._sources.pop((base, label), None)


class InProcessClient:
    """What `lab.engine.protocol.EngineClient` is for an engine process. Every failure is a `LabError`."""

    def __init__(self, place: InProcess, base: str, precision: str):
        self.url = ""  # there is none
        self._place, self._base, self._precision = place, base, precision

    def close(self) -> None:
        """Nothing is held."""

    def health(self) -> dict[str, Any]:
        """As the engine's HTTP says it."""
        place = self._place
        return {
            "engine": "tracelab", "base": self._base, "models": place.known(self._base), "loaded": self.models(),
            "max_new_tokens": None, "busy": place.busy, "idle_s": time.monotonic() - place.asked_at,
        }

    def models(self) -> list[dict[str, Any]]:
        """Of every model that may be asked {"label", "kind", "identity"}; `identity` None: nothing has been probed."""
        loaded = self._place.loaded
        if not self._place.lent and loaded.has(self._base, self._precision):
            return loaded.backend(self._base, self._precision).models()
        sources = [self._place.source(self._base, label) for label in self._place.known(self._base)]
        return [{"label": source.label if source else self._base, "kind": source.kind if source else "base",
                 "identity": None} for source in sources]

    def load(self, source: ModelSource) -> None:
        """Make a model known, and load it unless the GPU is lent; loading it twice does no harm."""
        if source.base != self._base:
            raise LabError(f"model '{source.label}' stands on '{source.base}', but this engine holds '{self._base}'")
        if source.kind in ("adapter", "full") and not (source.folder and Path(source.folder).is_dir()):
            raise LabError(f"model '{source.label}': its folder {source.folder} does not exist; was its job deleted?")
        if not self._place.lent:
            self._place.loaded.backend(self._base, self._precision).load(source)
        if source.label != self._base:
            self._place.remember(source)

    def unload(self, label: str) -> None:
        self._check(label)
        self._place.forget(self._base, label)
        if not self._place.lent and self._place.loaded.has(self._base, self._precision):
            self._place.loaded.backend(self._base, self._precision).unload(label)

    def stream(self, request: ChatRequest) -> Iterator[Chunk]:
        """Yield the chunks of a chat, 'end' last. Closing the iterator stops the generation. LabError when it fails."""
        self._check(request.label)
        place, source = self._place, self._place.source(self._base, request.label)
        place.busy += 1
        try:
            with closing(place.answer(self._base, self._precision, source, request)) as chunks:  # type: ignore[type-var]
                yield from _checked(chunks)
        finally:
            place.busy -= 1
            place.asked_at = time.monotonic()

    def _check(self, label: str) -> None:
        if label not in self._place.known(self._base):
            raise UnknownName("model", label, self._place.known(self._base))


def _checked(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The chunks; an error chunk, or an exception of the lender (no GPU left, time over), as a LabError."""
    try:
        for chunk in chunks:
            raise_error(chunk)
            yield chunk
    except LabError:
        raise
    except Exception as error:
        said = getattr(error, "message", None) or str(error) or type(error).__name__
        raise LabError(f"The GPU's lender did not let the answer end: {said}") from error


def open_base(base: str, precision: str) -> Backend:
    """A base in this process's memory."""
    from lab.engine._hf import LoadedBase

    return LoadedBase(bases()[base], precision=precision)


@cache
def in_process() -> InProcess:
    """The engine of this process. On ZeroGPU call it before torch is loaded and before the page starts."""
    loaded = LoadedBases(open_base)
    if not Settings.from_env().zero_gpu:
        return InProcess(loaded, answering(loaded), lent=False)
    from lab.engine._zero_gpu import lent_answer

    return InProcess(loaded, lent_answer(answering(loaded)), lent=True)


def prepare(settings: Settings) -> None:
    """What a web process does before it loads anything else: on ZeroGPU the lender must come before torch."""
    if settings.engine == "in-process" and settings.zero_gpu:
        in_process()
        from lab.engine._zero_gpu import start_up

        start_up()
