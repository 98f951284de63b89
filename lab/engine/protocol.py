"""The engine's protocol, from the caller's side: what is asked, what comes back, and a client.

An engine speaks an OpenAI-compatible subset over loopback HTTP (`lab.engine.api`). No torch here: pages import this.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from lab.core.errors import LabError
from lab.core.types import FinishReason, ModelSource, Plain, ThinkState

Message = Mapping[str, str]  # {"role": …, "content": …}


class Stats(Plain):
    """What the end of a generation tells. Its texts are the verdict on the whole and may correct what was streamed."""

    think_text: str
    final_text: str
    think_state: ThinkState
    finish_reason: FinishReason
    n_prompt_tokens: int
    n_think_tokens: int
    n_answer_tokens: int
    seconds: float


@dataclass(frozen=True)
class Chunk:
    """A piece of a streamed generation; the last one is of kind 'end', has no text and carries the statistics."""

    kind: Literal["thinking", "answer", "end"]
    text: str = ""
    stats: Stats | None = None


@dataclass(frozen=True)
class ChatRequest:
    """One generation asked of a loaded model, by its label."""

    label: str
    messages: Sequence[Message]
    max_new_tokens: int = 128
    temperature: float = 0.0
    seed: int = 0


class EngineClient:
    """Talks to one engine. Every failure is a `LabError` in plain words."""

    def __init__(self, url: str, timeout_s: float = 120.0):
        self.url = url.rstrip("/")
        timeout = httpx.Timeout(timeout_s, connect=5.0)
        # A hospital's proxy settings are not for loopback: trust_env would send these calls through it.
        self._http = httpx.Client(base_url=self.url, timeout=timeout, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def health(self) -> dict[str, Any]:
        """{"base", "models", "busy", "idle_s"}."""
        with self._plain_errors():
            return _checked(self._http.get("/health", timeout=5.0)).json()

    def load(self, source: ModelSource) -> None:
        """Have the engine load a model; loading it twice does no harm."""
        body = {"name": source.label, "folder": source.folder, "kind": source.kind, "base": source.base}
        with self._plain_errors():
            _checked(self._http.post("/v1/models/load", json=body))

    def stream(
        self, label: str, messages: Sequence[Message], max_new_tokens: int = 128, temperature: float = 0, seed: int = 0
    ) -> Iterator[Chunk]:
        """Yield the generation piece by piece. Closing the iterator stops the generation."""
        body = {
            "model": label,
            "messages": [dict(message) for message in messages],
            "stream": True,
            "max_tokens": max_new_tokens,
            "temperature": temperature,
            "seed": seed,
        }
        with self._plain_errors(), self._http.stream("POST", "/v1/chat/completions", json=body) as response:
            if response.is_error:
                response.read()
            yield from _chunks(_checked(response))

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.ConnectError:
            raise LabError(f"no engine answers at {self.url}; it ended or has not started. Start it again.") from None
        except httpx.TimeoutException:
            raise LabError(f"the engine at {self.url} did not answer in time; it may be busy. Try again.") from None
        except httpx.HTTPError as error:
            raise LabError(f"the connection to the engine at {self.url} broke ({type(error).__name__})") from None


def wait_ready(url: str, timeout_s: float = 60.0) -> dict[str, Any]:
    """Wait until the engine answers; its health. LabError when it has not within `timeout_s`."""
    client, deadline = EngineClient(url), time.monotonic() + timeout_s
    try:
        while True:
            try:
                return client.health()
            except LabError as error:
                if time.monotonic() >= deadline:
                    raise LabError(f"the engine at {url} was not ready after {timeout_s:g} s: {error}") from None
            time.sleep(0.1)
    finally:
        client.close()


def _chunks(response: httpx.Response) -> Iterator[Chunk]:
    for line in response.iter_lines():
        if not line.startswith("data: "):
            continue
        data = line.removeprefix("data: ")
        if data == "[DONE]":
            return
        yield from _read_event(json.loads(data))
    raise LabError("the engine stopped in the middle of an answer; its log says why")


def _read_event(event: dict[str, Any]) -> Iterator[Chunk]:
    if "error" in event:
        raise LabError(event["error"]["message"])
    for choice in event["choices"]:
        if choice["delta"].get("reasoning_content"):
            yield Chunk("thinking", choice["delta"]["reasoning_content"])
        if choice["delta"].get("content"):
            yield Chunk("answer", choice["delta"]["content"])
    if "lab" in event:
        yield Chunk("end", stats=Stats.model_validate(event["lab"]))


def _checked(response: httpx.Response) -> httpx.Response:
    """The response, or a LabError with the server's own message."""
    if not response.is_error:
        return response
    try:
        message = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = response.text[:200] or response.reason_phrase
    raise LabError(f"the engine refused ({response.status_code}): {message}")
