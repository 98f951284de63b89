"""The engine's HTTP: a subset of the OpenAI API on loopback, in front of any backend. No torch here.

`reasoning_content` carries the thought, `content` the answer; the last piece has `lab`, the lab's own statistics. The
real engine, the scripted one and vLLM's stand behind this file, so pages and clients meet one behaviour. A generation
has no thread here: the backend tells its chunks from its own, and they go through the event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource
from lab.engine.protocol import ChatRequest, Chunk
from lab.engine.replies import chat_answer, completion_answer, error_body
from lab.engine.running import Activity, Answer, Events, Running, chat_events, completion_events, whole
from lab.engine.wire import Asked, ChatBody, CompletionBody, LoadBody, UnloadBody

ENGINE = "tracelab"  # what health says, so that a client knows who understands `thinking` and `adapt`

__all__ = ["Activity", "Backend", "build_app"]


class Backend(Protocol):
    """What stands behind the API.

    `models` tells of every label {"label", "kind": base|adapter|full|remote, "identity": {"checked": bool,
    "max_difference": float, "tolerance": float} | None}. `submit` returns at once, with LabError for an unknown model
    or a prompt that does not fit; `tell` then gets every chunk from a thread of the backend's, 'end' or 'error' last.
    What `submit` returns cancels, from any thread and as often as wanted.
    """

    base: str
    max_new_tokens: int

    def labels(self) -> list[str]: ...
    def models(self) -> list[dict[str, Any]]: ...
    def load(self, source: ModelSource) -> None: ...
    def unload(self, label: str) -> None: ...
    def submit(self, request: ChatRequest, tell: Callable[[Chunk], None]) -> Callable[[], None]: ...


def build_app(backend: Backend, activity: Activity | None = None) -> FastAPI:
    """The engine's web application."""
    activity = activity or Activity()
    app = FastAPI(title="Trace Lab engine", docs_url=None, redoc_url=None, openapi_url=None)
    # A web page that resolves its own name to 127.0.0.1 must not reach the engine.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    app.add_exception_handler(LabError, _lab_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _bad_request)  # type: ignore[arg-type]

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {
            "engine": ENGINE, "base": backend.base, "models": backend.labels(), "loaded": backend.models(),
            "max_new_tokens": backend.max_new_tokens, "busy": activity.busy, "idle_s": activity.idle_s,
        }

    _add_models(app, backend, activity)
    _add_completions(app, backend, activity)
    return app


def _add_models(app: FastAPI, backend: Backend, activity: Activity) -> None:
    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [_card(label) for label in backend.labels()]}

    @app.get("/v1/models/{label:path}")
    async def model(label: str) -> dict[str, Any]:
        return _card(_known(label, backend))

    @app.post("/v1/models/load")
    async def load(body: LoadBody) -> dict[str, Any]:
        told = body.model_dump(exclude={"name", "ref", "base"})
        source = ModelSource(ref=body.ref or body.name, label=body.name, base=body.base or backend.base, **told)
        with activity.work():
            await run_in_threadpool(backend.load, source)
        return _card(body.name)

    async def unload(body: UnloadBody) -> dict[str, Any]:
        with activity.work():
            await run_in_threadpool(backend.unload, _known(body.name, backend))
        return {"id": body.name, "object": "model", "deleted": True}

    app.add_api_route("/v1/models/unload", unload, methods=["POST", "DELETE"])

    @app.delete("/v1/models/{label:path}")
    async def delete(label: str) -> dict[str, Any]:
        return await unload(UnloadBody(name=label))


def _add_completions(app: FastAPI, backend: Backend, activity: Activity) -> None:
    async def run(asked: Asked, http: Request, answer: Answer, events: Events) -> Any:
        _known(asked.requests[0].label, backend)
        running = Running(backend, activity)
        await running.start(asked)
        return running.streamed(events(running)) if asked.stream else await whole(running, http, answer)

    @app.post("/v1/chat/completions")
    async def chat(body: ChatBody, http: Request) -> Any:
        return await run(body.asked(backend.max_new_tokens), http, chat_answer, chat_events)

    @app.post("/v1/completions")
    async def completions(body: CompletionBody, http: Request) -> Any:
        return await run(body.asked(backend.max_new_tokens), http, completion_answer, completion_events)


def _card(label: str) -> dict[str, Any]:
    return {"id": label, "object": "model", "created": 0, "owned_by": "lab"}


def _known(label: str, backend: Backend) -> str:
    if label not in backend.labels():
        raise UnknownName("model", label, backend.labels())
    return label


async def _lab_error(_: Request, error: LabError) -> JSONResponse:
    if isinstance(error, UnknownName):
        return JSONResponse(error_body(str(error), "invalid_request_error", "model_not_found"), status_code=404)
    if error.reason == "bug":
        return JSONResponse(error_body(str(error), "server_error"), status_code=500)
    return JSONResponse(error_body(str(error), "invalid_request_error"), status_code=400)


async def _bad_request(_: Request, error: RequestValidationError) -> JSONResponse:
    faults = "; ".join(f"{'.'.join(map(str, e['loc'][1:])) or 'body'}: {_plain(e)}" for e in error.errors())
    return JSONResponse(error_body(faults, "invalid_request_error"), status_code=400)


def _plain(fault: dict[str, Any]) -> str:
    if fault["type"] == "extra_forbidden":
        return "this engine does not know this field, or not this value of it, and would have to ignore it"
    return str(fault["msg"]).removeprefix("Value error, ")
