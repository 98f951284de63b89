"""A few bases in this process's memory, and the function that answers with them. No torch: the opening is given."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine.protocol import ChatRequest, Chunk
from lab.engine.streams import stream

if TYPE_CHECKING:
    from lab.engine.api import Backend

MOST_BASES = 2  # in memory at a time; the one that was asked longest ago goes
LOG = logging.getLogger(__name__)

# answer(base, precision, source, request): one generation, in the process that has the GPU.
Answer = Callable[[str, str, ModelSource | None, ChatRequest], Iterator[Chunk]]


class LoadedBases:
    """One backend per base and precision. `open_base` makes one; it takes seconds, and others wait meanwhile."""

    def __init__(self, open_base: Callable[[str, str], Backend], most: int = MOST_BASES):
        self._open, self._most = open_base, most
        self._backends: OrderedDict[tuple[str, str], Backend] = OrderedDict()
        self._lock = threading.Lock()

    def has(self, base: str, precision: str) -> bool:
        return (base, precision) in self._backends

    def backend(self, base: str, precision: str) -> Backend:
        """Its backend; the base that was asked longest ago is dropped for it. Answers that are under way go on."""
        with self._lock:
            if (base, precision) not in self._backends:
                while len(self._backends) >= self._most:
                    self._backends.popitem(last=False)
                self._backends[base, precision] = self._open(base, precision)
            self._backends.move_to_end((base, precision))
            return self._backends[base, precision]


def answering(loaded: LoadedBases) -> Answer:
    """The function that answers with these bases. Errors are chunks: an exception would not cross a process whole."""

    def answer(base: str, precision: str, source: ModelSource | None, request: ChatRequest) -> Iterator[Chunk]:
        try:
            if not loaded.has(base, precision):
                yield Chunk("note", f"loading {base}")
            backend = loaded.backend(base, precision)
            if source is not None:
                backend.load(source)
            yield from stream(backend, request)
        except LabError as error:
            yield Chunk("error", str(error), bug=error.reason == "bug")
        except Exception as error:
            LOG.exception("an answer of %s failed", request.label)
            yield Chunk("error", f"Something went wrong inside the engine ({type(error).__name__}).", bug=True)

    return answer
