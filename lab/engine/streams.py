"""A backend's chunks as a plain iterator, for callers in the same process. The HTTP has its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Protocol

from lab.core.errors import LabError
from lab.engine.protocol import ChatRequest, Chunk


class Submits(Protocol):
    """What takes a request and tells its chunks from a thread of its own; what it returns cancels."""

    def submit(self, request: ChatRequest, tell: Callable[[Chunk], None]) -> Callable[[], None]: ...


def stream(backend: Submits, request: ChatRequest) -> Iterator[Chunk]:
    """Yield the chunks of one generation, 'end' last; closing the iterator cancels it. LabError for an 'error' chunk.

    Nothing is asked before the first `next`, so an iterator that is never begun leaves nothing running.
    """
    told: SimpleQueue[Chunk] = SimpleQueue()
    cancel = backend.submit(request, told.put)
    try:
        while True:
            chunk = told.get()
            raise_error(chunk)
            yield chunk
            if chunk.kind == "end":
                return
    finally:
        cancel()


def raise_error(chunk: Chunk) -> None:
    """LabError for an 'error' chunk; nothing for any other."""
    if chunk.kind == "error":
        raise LabError(chunk.text, "bug") if chunk.bug else LabError(chunk.text)
