"""Remote models: any OpenAI-compatible endpoint (vLLM, SGLang, a hosted service) asked like an engine of the lab.

A key is read from the environment when it is needed, and is never stored, logged or told. All answers share one thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource
from lab.data.targets import THINKING_STYLES
from lab.engine.protocol import ChatRequest, Chunk, chat_body
from lab.engine.remote_faults import broken, key_headers, reason, wait_s, wants_key, without_key
from lab.engine.remote_reading import Heard
from lab.engine.streams import stream

PAUSES_S = (0.5, 1.0, 2.0, 4.0)  # between tries when the endpoint has too much to do or fails, before the first token
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Asked:
    """What is sent: a path after /v1, a body, and the mark of a thought that the prompt itself has opened."""

    path: str
    body: dict[str, Any]
    opened: str = ""


class RemoteModels:
    """Endpoints by label. Asked like an `EngineClient` (`load`, `stream`, `close`) or like a backend (`submit`).

    `write` makes what is sent, where a server is to be asked in another way than endpoints are.
    """

    base, max_new_tokens = "remote", 32768

    def __init__(
        self, timeout_s: float = 120.0, pauses_s: Sequence[float] = PAUSES_S,
        write: Callable[[ModelSource, ChatRequest], Asked] | None = None,
    ):
        self._timeout, self._pauses_s, self._write = httpx.Timeout(timeout_s, connect=10.0), tuple(pauses_s), write
        self._sources: dict[str, ModelSource] = {}
        self._lock, self._loop = threading.Lock(), None  # type: ignore[var-annotated]
        self._clients: dict[bool, httpx.AsyncClient] = {}

    def labels(self) -> list[str]:
        return list(self._sources)

    def models(self) -> list[dict[str, Any]]:
        """Nobody can look into a remote model's weights: there is no identity to check."""
        return [{"label": label, "kind": "remote", "identity": None} for label in self._sources]

    def load(self, source: ModelSource) -> None:
        """Remember where a model is; nothing is asked of it yet."""
        if source.kind != "remote" or not source.url:
            raise LabError(f"model '{source.label}' is no remote model: it has no address")
        self._sources[source.label] = source

    def unload(self, label: str) -> None:
        if self._sources.pop(label, None) is None:
            raise UnknownName("model", label, self._sources)

    def submit(self, request: ChatRequest, tell: Callable[[Chunk], None]) -> Callable[[], None]:
        """As every backend's. LabError at once where a key is missing."""
        if request.label not in self._sources:
            raise UnknownName("model", request.label, self._sources)
        source = self._sources[request.label]
        key_headers(source)
        future = asyncio.run_coroutine_threadsafe(self._answer(source, request, tell), self._running_loop())
        return lambda: future.cancel() and None

    def stream(self, request: ChatRequest) -> Iterator[Chunk]:
        """Yield the chunks, 'end' last; closing the iterator stops the answer. LabError when it fails."""
        return stream(self, request)

    def served(self, source: ModelSource) -> list[str]:
        """Names of the models an endpoint says it serves. LabError when it cannot be asked."""
        return asyncio.run_coroutine_threadsafe(self._served(source), self._running_loop()).result()

    def close(self) -> None:
        """End what still runs, and the thread."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._end(), loop).add_done_callback(
                lambda _: loop.call_soon_threadsafe(loop.stop)
            )

    async def _end(self) -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        for client in self._clients.values():
            await client.aclose()
        self._clients = {}

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name="remote-models", daemon=True).start()
            return self._loop

    def _http(self, url: str) -> httpx.AsyncClient:
        """A hospital's proxy is for endpoints outside, not for loopback."""
        outside = urlsplit(url).hostname not in LOOPBACK
        if outside not in self._clients:
            limits = httpx.Limits(max_connections=None)
            self._clients[outside] = httpx.AsyncClient(timeout=self._timeout, trust_env=outside, limits=limits)
        return self._clients[outside]

    async def _answer(self, source: ModelSource, request: ChatRequest, tell: Callable[[Chunk], None]) -> None:
        try:
            async for chunk in self._chunks(source, request):
                tell(chunk)
        except asyncio.CancelledError:
            tell(Chunk("error", "the answer was stopped"))  # whoever still waits, because all is closed, is let go
            raise
        except LabError as error:
            tell(Chunk("error", without_key(str(error), source)))
        except httpx.HTTPError as error:
            tell(Chunk("error", broken(source, error)))
        except Exception:
            logging.getLogger(__name__).exception("reading the answer of a remote model failed")
            tell(Chunk("error", f"the answer of {source.url} could not be read; the lab's log says why", bug=True))

    async def _chunks(self, source: ModelSource, request: ChatRequest) -> AsyncIterator[Chunk]:
        if self._write:
            asked = await asyncio.to_thread(self._write, source, request)
        else:
            asked = await self._asked(source, request)
        url, body = f"{source.url.rstrip('/')}/{asked.path}", dict(asked.body)
        for pause_s in (*self._pauses_s, None):
            async with self._http(url).stream("POST", url, json=body, headers=key_headers(source)) as response:
                if response.is_success:
                    heard = Heard(request, THINKING_STYLES[source.thinking_style or "tags"], asked.opened)
                    async for event in _events(response):
                        for chunk in heard.event(event):
                            yield chunk
                    for chunk in heard.end():
                        yield chunk
                    return
                text = (await response.aread()).decode(errors="replace")
            status = response.status_code
            if status == 400 and "max_completion_tokens" in text and "max_tokens" in body:
                body["max_completion_tokens"] = body.pop("max_tokens")  # OpenAI's newer models know only this name
            elif pause_s is None or not (status == 429 or status >= 500):
                raise await self._refused(source, status, text)
            else:
                await asyncio.sleep(wait_s(response, pause_s))

    async def _asked(self, source: ModelSource, request: ChatRequest) -> Asked:
        """LabError for what only an engine of the lab can do, unless this is one."""
        bounds, adapts = request.budget.bounds, request.adapt.mode != "none"
        if (bounds or adapts) and not await self._is_lab(source):
            wish = "adapt a model to a question" if adapts else "keep a thought within bounds"
            raise LabError(f"'{source.label}' is a remote model, and its endpoint cannot {wish}: only an engine of "
                           "Trace Lab can. Leave that off for this model.")
        if request.prompt is not None:
            return Asked("completions", raw_body(source, request))
        body = chat_body(request) | {"model": source.remote_model, "stream_options": {"include_usage": True}}
        return Asked("chat/completions", body)

    async def _is_lab(self, source: ModelSource) -> bool:
        url = f"{source.url.rstrip('/').removesuffix('/v1')}/health"
        try:
            told = (await self._http(url).get(url, headers=key_headers(source))).json()
        except ValueError:  # vLLM's has no body
            return False
        return isinstance(told, dict) and told.get("engine") == "tracelab"

    async def _refused(self, source: ModelSource, status: int, text: str) -> LabError:
        if status in (401, 403):
            return wants_key(source, status)
        if status == 404:
            try:
                served = await self._served(source)
            except LabError:
                return LabError(f"there is no such service at {source.url} (404): is the address right? "
                                "It goes up to and with /v1 as a rule")
            known = ", ".join(served) or "none"
            return LabError(f"the endpoint at {source.url} serves no model '{source.remote_model}'. It serves: {known}")
        return LabError(f"the endpoint at {source.url} refused ({status}): {reason(text)}")

    async def _served(self, source: ModelSource) -> list[str]:
        url = f"{source.url.rstrip('/')}/models"
        try:
            response = await self._http(url).get(url, headers=key_headers(source))
            if response.status_code in (401, 403):
                raise wants_key(source, response.status_code)
            return [model["id"] for model in response.raise_for_status().json()["data"]]
        except httpx.HTTPError as error:
            raise LabError(broken(source, error)) from None
        except (ValueError, KeyError, TypeError):
            raise LabError(f"{source.url} does not list its models as OpenAI does: is the address right?") from None


def raw_body(source: ModelSource, request: ChatRequest) -> dict[str, Any]:
    """Of /v1/completions. An echo comes whole: which tokens are the prompt's is known from the usage alone."""
    body: dict[str, Any] = {
        "model": source.remote_model, "prompt": request.prompt if isinstance(request.prompt, str) else
        list(request.prompt or ()), "max_tokens": request.max_new_tokens, "temperature": request.temperature,
        "seed": request.seed, "top_p": request.top_p, "stream": not request.echo, "echo": request.echo,
    }
    body |= {"stop": list(request.stop)} if request.stop else {}
    body |= {} if request.logprobs is None else {"logprobs": request.logprobs}
    return body | ({} if request.echo else {"stream_options": {"include_usage": True}})


async def _events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The events of a stream, or the one answer of a request that asked for none."""
    if "event-stream" not in response.headers.get("content-type", ""):
        yield json.loads(await response.aread())
        return
    async for line in response.aiter_lines():
        data = line.removeprefix("data:").strip()
        if line.startswith("data:") and data != "[DONE]":
            yield json.loads(data)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
