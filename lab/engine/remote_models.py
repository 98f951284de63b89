"""Remote models: any OpenAI-compatible endpoint (vLLM, SGLang, a hosted service) asked like an engine of the lab.

A key is read from the environment when it is needed, and is never stored, logged or told. All answers share one thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource
from lab.data.targets import THINKING_STYLES
from lab.engine.protocol import ChatRequest, Chunk, Trouble, chat_body
from lab.engine.remote_faults import (
    EndpointError,
    broken,
    key_headers,
    reason,
    trouble_of,
    trouble_with,
    wait_s,
    wants_key,
    without_key,
)
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
        self._newer: set[tuple[str, str]] = set()  # (url, model) that know the bound of tokens by its newer name alone
        self._lock, self._loop = threading.Lock(), None  # type: ignore[var-annotated]
        self._clients: list[httpx.AsyncClient] = []
        self._free: dict[bool, list[httpx.AsyncClient]] = {True: [], False: []}  # by whether they go outside
        self._trust: dict[bool, ssl.SSLContext] = {}

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
        for client in self._clients:
            await client.aclose()
        self._clients, self._free = [], {True: [], False: []}

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name="remote-models", daemon=True).start()
            return self._loop

    @asynccontextmanager
    async def _http(self, url: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client that nobody else uses meanwhile: one pool of many connections looks through all of them at each
        request, which costs more than the request. A hospital's proxy is for endpoints outside, not for loopback."""
        outside = urlsplit(url).hostname not in LOOPBACK
        client = self._free[outside].pop() if self._free[outside] else self._new_client(outside)
        try:
            yield client
        finally:
            self._free[outside].append(client)  # the last one first: its connection is the likeliest to be open

    def _new_client(self, outside: bool) -> httpx.AsyncClient:
        if outside not in self._trust:
            self._trust[outside] = httpx.create_ssl_context(trust_env=outside)
        client = httpx.AsyncClient(timeout=self._timeout, trust_env=outside, verify=self._trust[outside])
        self._clients.append(client)
        return client

    async def _answer(self, source: ModelSource, request: ChatRequest, tell: Callable[[Chunk], None]) -> None:
        try:
            # The client's own timeout is between two bytes: who wants an answer whole waits for all of it.
            async with asyncio.timeout(self._timeout.read if request.whole else None):
                async for chunk in self._chunks(source, request):
                    tell(chunk)
        except asyncio.CancelledError:
            tell(Chunk("error", "the answer was stopped"))  # whoever still waits, because all is closed, is let go
            raise
        except LabError as error:
            tell(Chunk("error", without_key(str(error), source), trouble=trouble_of(error)))
        except (httpx.HTTPError, TimeoutError) as error:
            tell(Chunk("error", broken(source, error), trouble=trouble_of(error)))
        except Exception as error:
            logging.getLogger(__name__).exception("reading the answer of a remote model failed")
            said = f"the answer of {source.url} could not be read; the lab's log says why"
            tell(Chunk("error", said, bug=True, trouble=trouble_of(error)))

    async def _chunks(self, source: ModelSource, request: ChatRequest) -> AsyncIterator[Chunk]:
        if self._write:
            asked = await asyncio.to_thread(self._write, source, request)
        else:
            asked = await self._asked(source, request)
        url, body = f"{source.url.rstrip('/')}/{asked.path}", dict(asked.body)
        pauses = iter((*self._pauses_s, None))
        while True:
            async with (
                self._http(url) as http, http.stream("POST", url, json=body, headers=key_headers(source)) as response
            ):
                if response.is_success:
                    heard = Heard(request, THINKING_STYLES[source.thinking_style or "tags"], asked.opened)
                    async for event in _events(response):
                        for chunk in heard.event(event):
                            yield chunk
                    for chunk in heard.end():
                        yield chunk
                    return
                text = (await response.aread()).decode(errors="replace")
            if response.status_code == 400 and "max_completion_tokens" in text and "max_tokens" in body:
                self._newer.add((source.url, source.remote_model))
                body = self._named(source, body)
            elif trouble_with(response).kind != "passing" or (pause_s := next(pauses)) is None:
                trouble = trouble_with(response)
                status = 400 if trouble.kind == "refused" else response.status_code
                raise EndpointError(await self._refusal(source, status, text), trouble)
            else:
                await asyncio.sleep(wait_s(response, pause_s))

    def _named(self, source: ModelSource, body: dict[str, Any]) -> dict[str, Any]:
        """OpenAI's newer models know the bound of tokens as max_completion_tokens only."""
        if (source.url, source.remote_model) not in self._newer:
            return body
        return {"max_completion_tokens" if name == "max_tokens" else name: value for name, value in body.items()}

    async def _asked(self, source: ModelSource, request: ChatRequest) -> Asked:
        """LabError for what only an engine of the lab can do, unless this is one."""
        bounds, adapts = request.budget.bounds, request.adapt.mode != "none"
        if (bounds or adapts) and not await self._is_lab(source):
            wish = "adapt a model to a question" if adapts else "keep a thought within bounds"
            raise LabError(f"'{source.label}' is a remote model, and its endpoint cannot {wish}: only an engine of "
                           "Trace Lab can. Leave that off for this model.")
        if request.prompt is not None:
            return Asked("completions", raw_body(source, request))
        told = {"stream": False} if request.whole else {"stream_options": {"include_usage": True}}
        body = chat_body(request) | {"model": source.remote_model} | told
        return Asked("chat/completions", self._named(source, body))

    async def _is_lab(self, source: ModelSource) -> bool:
        url = f"{source.url.rstrip('/').removesuffix('/v1')}/health"
        try:
            async with self._http(url) as http:
                told = (await http.get(url, headers=key_headers(source))).json()
        except ValueError:  # vLLM's has no body
            return False
        return isinstance(told, dict) and told.get("engine") == "tracelab"

    async def _refusal(self, source: ModelSource, status: int, text: str) -> str:
        if status in (401, 403):
            return str(wants_key(source, status))
        if status == 404:
            try:
                served = await self._served(source)
            except LabError:
                return (f"there is no such service at {source.url} (404): is the address right? "
                        "It goes up to and with /v1 as a rule")
            known = ", ".join(served) or "none"
            return f"the endpoint at {source.url} serves no model '{source.remote_model}'. It serves: {known}"
        return f"the endpoint at {source.url} refused ({status}): {reason(text)}"

    async def _served(self, source: ModelSource) -> list[str]:
        url = f"{source.url.rstrip('/')}/models"
        try:
            async with self._http(url) as http:
                response = await http.get(url, headers=key_headers(source))
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
        yield _event(await response.aread())
        return
    async for line in response.aiter_lines():
        data = line.removeprefix("data:").strip()
        if line.startswith("data:") and data != "[DONE]":
            yield _event(data)


def _event(data: str | bytes) -> dict[str, Any]:
    """A page of a proxy, or a text that was cut, is no answer; the next one may be whole."""
    try:
        event = json.loads(data)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise EndpointError("the endpoint answered with something else than JSON of a chat", Trouble("passing"))
    return event


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
