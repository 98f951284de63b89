"""The engine's HTTP: a subset of the OpenAI API on loopback, in front of any backend. No torch here.

`reasoning_content` carries the thought, `content` the answer; the last chunk has `usage`, and `lab` with the lab's own
statistics. The real engine and the scripted one both stand behind this file, so pages meet one behaviour.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource
from lab.engine.protocol import ChatRequest, Chunk, Stats
from lab.engine.wire import CompletionBody, LoadBody, delta, error_body, event, figures, head, openai_reason


class Backend(Protocol):
    """What stands behind the API. Closing the iterator of `stream` stops the generation."""

    base: str
    max_new_tokens: int

    def labels(self) -> list[str]: ...
    def load(self, source: ModelSource) -> None: ...
    def stream(self, request: ChatRequest) -> Iterator[Chunk]: ...


class Activity:
    """How many generations run, and since when nothing does. Health checks do not count: they would keep it alive."""

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


def build_app(backend: Backend, activity: Activity | None = None) -> FastAPI:
    """The engine's web application."""
    activity = activity or Activity()
    app = FastAPI(title="Trace Lab engine", docs_url=None, redoc_url=None, openapi_url=None)
    # A web page that resolves its own name to 127.0.0.1 must not reach the engine.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    app.add_exception_handler(LabError, _lab_error)
    app.add_exception_handler(RequestValidationError, _bad_request)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {"base": backend.base, "models": backend.labels(), "busy": activity.busy, "idle_s": activity.idle_s}

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        data = [{"id": label, "object": "model", "created": 0, "owned_by": "lab"} for label in backend.labels()]
        return {"object": "list", "data": data}

    @app.post("/v1/models/load")
    async def load(body: LoadBody) -> dict[str, Any]:
        base = body.base or backend.base
        source = ModelSource(ref=body.name, label=body.name, base=base, folder=body.folder, kind=body.kind)
        with activity.work():
            await run_in_threadpool(backend.load, source)
        return {"id": body.name, "object": "model", "owned_by": "lab"}

    @app.post("/v1/chat/completions")
    async def complete(body: CompletionBody, http: Request) -> Any:
        if body.model not in backend.labels():
            raise UnknownName("model", body.model, backend.labels())
        request = body.request(backend.max_new_tokens)
        if body.stream:
            events = _events(request, backend, activity)
            return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        return await _whole(request, backend, activity, http)

    return app


async def _chunks(request: ChatRequest, backend: Backend, activity: Activity) -> AsyncIterator[Chunk]:
    """The backend's chunks, each made in a worker thread. When the caller goes away, the generation is closed."""
    with activity.work():
        stream = backend.stream(request)
        try:
            async for chunk in iterate_in_threadpool(stream):
                yield chunk
        finally:
            stream.close()


async def _events(request: ChatRequest, backend: Backend, activity: Activity) -> AsyncIterator[str]:
    """Server-sent events of one generation."""
    start = head(request, "chat.completion.chunk")
    yield event(start | delta({"role": "assistant", "content": ""}))
    chunks = _chunks(request, backend, activity)
    try:
        async for chunk in chunks:
            if chunk.stats is None:
                field = "reasoning_content" if chunk.kind == "thinking" else "content"
                yield event(start | delta({field: chunk.text}))
            else:
                yield event(start | delta({}, openai_reason(chunk.stats)) | figures(chunk.stats))
    except LabError as error:
        yield event(error_body(str(error), "invalid_request_error"))
    except Exception:
        # The status line has gone out, so the caller can only be told here; the traceback goes to the engine's log.
        yield event(error_body("the engine failed while it generated; its log says why", "server_error"))
        raise
    finally:
        await chunks.aclose()
    yield "data: [DONE]\n\n"


async def _whole(request: ChatRequest, backend: Backend, activity: Activity, http: Request) -> Any:
    """One answer at once. Looks between pieces whether the caller is still there."""
    chunks = _chunks(request, backend, activity)
    stats: Stats | None = None
    try:
        async for chunk in chunks:
            if await http.is_disconnected():
                return JSONResponse(error_body("the caller went away", "server_error"), status_code=499)
            stats = chunk.stats
    finally:
        await chunks.aclose()
    assert stats is not None, "a backend's stream ends with an 'end' chunk"
    message = {"role": "assistant", "content": stats.final_text, "reasoning_content": stats.think_text or None}
    choice = {"index": 0, "message": message, "finish_reason": openai_reason(stats)}
    return head(request, "chat.completion") | {"choices": [choice]} | figures(stats)


async def _lab_error(_: Request, error: LabError) -> JSONResponse:
    if isinstance(error, UnknownName):
        return JSONResponse(error_body(str(error), "invalid_request_error", "model_not_found"), status_code=404)
    return JSONResponse(error_body(str(error), "invalid_request_error"), status_code=400)


async def _bad_request(_: Request, error: RequestValidationError) -> JSONResponse:
    faults = "; ".join(f"{'.'.join(map(str, e['loc'][1:])) or 'body'}: {e['msg']}" for e in error.errors())
    return JSONResponse(error_body(faults, "invalid_request_error"), status_code=400)
