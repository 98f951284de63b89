"""The generations of one HTTP request while they run: their chunks in one queue, and what becomes of them.

One place decides when they are cancelled: as soon as nobody waits for them any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from lab.core.errors import LabError
from lab.engine.protocol import Chunk
from lab.engine.replies import (
    Choice,
    chat_delta,
    completion_answer,
    completion_delta,
    error_body,
    event,
    head,
    usage,
)
from lab.engine.streams import Submits, raise_error
from lab.engine.wire import Asked

Answer = Callable[[Asked, list[Choice]], dict[str, Any]]
Events = Callable[["Running"], AsyncIterator[str]]


class Activity:
    """How many requests run, and since when nothing does. Health checks do not count: they would keep it alive."""

    def __init__(self) -> None:
        self.busy = 0
        self._last = time.monotonic()

    @contextmanager
    def work(self) -> Iterator[None]:
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1
            self._last = time.monotonic()

    @property
    def idle_s(self) -> float:
        return 0.0 if self.busy else time.monotonic() - self._last


class Running:
    """Iterate it for (index of the choice, chunk) until every choice has ended. `close` cancels what still runs."""

    def __init__(self, backend: Submits, activity: Activity):
        self._backend, self._activity = backend, activity
        self._told: asyncio.Queue[tuple[int, Chunk]] = asyncio.Queue()
        self._ahead: tuple[int, Chunk] | None = None  # taken from the queue and not yet told
        self._held = ExitStack()
        self.choices: list[Choice] = []

    async def start(self, asked: Asked) -> None:
        """Ask for all choices, or for none where one is refused."""
        self.asked, self.choices = asked, [Choice(index) for index in range(len(asked.requests))]
        self._held.enter_context(self._activity.work())
        loop = asyncio.get_running_loop()
        try:
            await run_in_threadpool(self._submit, loop)
        except BaseException:
            self.close()
            raise

    def _submit(self, loop: asyncio.AbstractEventLoop) -> None:
        for index, request in enumerate(self.asked.requests):
            def tell(chunk: Chunk, index: int = index) -> None:
                try:
                    loop.call_soon_threadsafe(self._told.put_nowait, (index, chunk))
                except RuntimeError:
                    pass  # the server has ended, and its loop with it: nobody listens
            self._held.callback(self._backend.submit(request, tell))

    def close(self) -> None:
        self._held.close()

    async def __aiter__(self) -> AsyncIterator[tuple[int, Chunk]]:
        left = len(self.choices)
        while left:
            index, chunk = await self._next()
            raise_error(chunk)
            yield index, chunk
            self.choices[index].add(chunk)
            left -= chunk.kind == "end"

    async def _next(self) -> tuple[int, Chunk]:
        """What came meanwhile of the same kind is part of it: many readers, or slow ones, have fewer events to take."""
        index, chunk = self._ahead or await self._told.get()
        self._ahead = None
        while chunk.kind in ("thinking", "answer") and not self._told.empty():
            of, more = self._told.get_nowait()
            if (of, more.kind) != (index, chunk.kind):
                self._ahead = of, more
                break
            chunk = Chunk(chunk.kind, chunk.text + more.text, logprobs=chunk.logprobs + more.logprobs)
        return index, chunk

    def streamed(self, events: AsyncIterator[str]) -> StreamingResponse:
        return _Streamed(self, events)


class _Streamed(StreamingResponse):
    """Server-sent events. Its end closes the generations even where the caller left before the first event."""

    def __init__(self, running: Running, events: AsyncIterator[str]):
        super().__init__(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._running.close()


async def chat_events(running: Running) -> AsyncIterator[str]:
    """Server-sent events of a chat."""
    asked = running.asked
    start = head("chat.completion.chunk", asked.requests[0].label)
    if asked.include_usage:
        start["usage"] = None
    opening = [{"index": choice.index, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
               for choice in running.choices]
    yield event(start | {"choices": opening})
    async for text in _told(running, start, lambda index, chunk: chat_delta(asked, index, chunk)):
        yield text


async def completion_events(running: Running) -> AsyncIterator[str]:
    """Server-sent events of a raw continuation. One that echoes its prompt comes in one event per choice: the
    log-probabilities of a prompt are known when it has been read, which is after its text."""
    asked = running.asked
    start = head("text_completion", asked.requests[0].label) | ({"usage": None} if asked.include_usage else {})
    if asked.requests[0].echo:
        events = _echoed(running, start)
    else:
        events = _told(running, start, lambda index, chunk: completion_delta(asked, running.choices[index], chunk))
    async for text in events:
        yield text


async def _echoed(running: Running, start: dict[str, Any]) -> AsyncIterator[str]:
    try:
        await _gathered(running)
        done = completion_answer(running.asked, running.choices)
        for choice in done["choices"]:
            yield event(start | {"choices": [choice]})
        if running.asked.include_usage:
            yield event(start | {"choices": [], "usage": done["usage"]})
    except LabError as error:
        yield _failure(error)
    yield "data: [DONE]\n\n"


async def _told(
    running: Running, start: dict[str, Any], delta: Callable[[int, Chunk], dict[str, Any]]
) -> AsyncIterator[str]:
    try:
        async for index, chunk in running:
            yield event(start | delta(index, chunk))
        if running.asked.include_usage:
            yield event(start | {"choices": [], "usage": usage(running.asked, running.choices)})
    except LabError as error:
        yield _failure(error)
    yield "data: [DONE]\n\n"


def _failure(error: LabError) -> str:
    """The status line of a stream has gone out, so the caller can only be told in an event."""
    return event(error_body(str(error), "server_error" if error.reason == "bug" else "invalid_request_error"))


async def whole(running: Running, http: Request, answer: Answer) -> Any:
    """One answer at once; nothing where the caller goes away before it is there."""
    gone = asyncio.create_task(_gone(http))
    gathering = asyncio.create_task(_gathered(running))
    try:
        await asyncio.wait({gone, gathering}, return_when=asyncio.FIRST_COMPLETED)
        if not gathering.done():
            return JSONResponse(error_body("the caller went away", "server_error"), status_code=499)
        gathering.result()
        return JSONResponse(answer(running.asked, running.choices))
    finally:
        gone.cancel()
        gathering.cancel()
        running.close()


async def _gathered(running: Running) -> None:
    async for _ in running:
        pass


async def _gone(http: Request) -> None:
    while (await http.receive())["type"] != "http.disconnect":
        pass
