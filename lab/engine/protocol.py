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
from lab.engine.adapt import Adaptation, AdaptationReport
from lab.engine.budget import ThinkingBudget

Message = Mapping[str, str]  # {"role": …, "content": …}


class TokenLogprob(Plain):
    """A token, the natural log of its probability before any budget or temperature, and the likeliest in its place."""

    text: str
    id: int
    logprob: float | None  # None: the first token of a prompt, before which there is nothing
    top: tuple[tuple[str, float], ...] = ()


class Stats(Plain):
    """What the end of a generation tells. Its texts are the verdict on the whole and may correct what was streamed."""

    think_text: str
    final_text: str
    think_state: ThinkState
    finish_reason: FinishReason
    n_prompt_tokens: int
    n_think_tokens: int
    n_answer_tokens: int
    seconds: float  # from the asking to the last token
    n_waits: int = 0  # how often an early end of the thought was turned into more thinking
    first_token_s: float = 0.0  # from the asking to the first token
    adaptation: AdaptationReport | None = None  # of a question the model was adapted to
    prompt_logprobs: tuple[TokenLogprob, ...] = ()  # of a raw completion that echoes its prompt


@dataclass(frozen=True)
class Trouble:
    """What a failed answer means for whoever asks much: try again, leave this one request, or stop asking."""

    kind: Literal["passing", "refused", "settings"]  # busy or gone; this request; all of them
    busy: bool = False  # it has too much to do: ask less at the same time
    wait_s: float | None = None  # what the endpoint asked to wait


@dataclass(frozen=True)
class Chunk:
    """A piece of a streamed generation. The last one is 'end', which carries the statistics, or 'error'.

    'note' says what the model is doing before its first word; 'adapted' carries what it was adapted to.
    """

    kind: Literal["note", "adapted", "thinking", "answer", "end", "error"]
    text: str = ""
    stats: Stats | None = None
    logprobs: tuple[TokenLogprob, ...] = ()
    adaptation: AdaptationReport | None = None
    bug: bool = False  # of an error: the engine's own fault, told in its log
    trouble: Trouble | None = None  # of an error of an endpoint: whether asking again may help
    counted: bool = True  # of an end: False where the endpoint told no usage, and its tokens are an estimate


@dataclass(frozen=True)
class ChatRequest:
    """One generation asked of a loaded model, by its label.

    `prompt` asks for a raw continuation of a text or of token ids instead of a chat: no template, no thinking split.
    """

    label: str
    messages: Sequence[Message] = ()
    max_new_tokens: int = 128
    temperature: float = 0.0
    seed: int = 0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()  # texts that end the answer; they are not part of it
    logprobs: int | None = None  # None: not wanted; n: every token's, and those of the n likeliest in its place
    budget: ThinkingBudget = ThinkingBudget()
    adapt: Adaptation = Adaptation()
    prompt: str | tuple[int, ...] | None = None
    echo: bool = False  # of a raw continuation: the prompt first, with its log-probabilities if those are wanted
    whole: bool = False  # nobody reads along: a remote endpoint may answer in one piece, and is not asked to stream


@dataclass(frozen=True)
class GenerationOptions:
    """How a batch is generated. `batch_size` changes the speed, not the greedy answers."""

    max_new_tokens: int = 128
    temperature: float = 0.0
    seed: int = 0
    batch_size: int = 32  # rows that decode together; the next prompt takes the place of one that has ended
    top_p: float = 1.0  # of sampling: among the likeliest tokens that hold this probability
    budget: ThinkingBudget = ThinkingBudget()
    adapt: Adaptation = Adaptation()


@dataclass(frozen=True)
class Asked:
    """One question of a batch in which each has its own model and options; `options.batch_size` is not read."""

    label: str
    messages: Sequence[Message]
    options: GenerationOptions = GenerationOptions()


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
        """{"engine", "base", "models": labels, "loaded": as `models`, "max_new_tokens", "busy", "idle_s"}."""
        with self._plain_errors():
            return _checked(self._http.get("/health", timeout=5.0)).json()

    def models(self) -> list[dict[str, Any]]:
        """Of every loaded model {"label", "kind", "identity": {"checked", "max_difference", "tolerance"} | None}."""
        return self.health()["loaded"]

    def load(self, source: ModelSource) -> None:
        """Have the engine load a model; loading it twice does no harm."""
        names = ("ref", "folder", "kind", "base", "arm", "thinking_style", "template_sha")
        with self._plain_errors():
            body = {"name": source.label} | {name: getattr(source, name) for name in names}
            _checked(self._http.post("/v1/models/load", json=body))

    def unload(self, label: str) -> None:
        """Have the engine forget a model. LabError when it holds none of that name."""
        with self._plain_errors():
            _checked(self._http.post("/v1/models/unload", json={"name": label}))

    def stream(self, request: ChatRequest) -> Iterator[Chunk]:
        """Yield the chunks of a chat, 'end' last. Closing the iterator stops the generation. LabError when it fails."""
        body = chat_body(request)
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
        yield from read_event(json.loads(data))
    raise LabError("the engine stopped in the middle of an answer; its log says why")


def chat_body(request: ChatRequest) -> dict[str, Any]:
    """The body of a streamed chat with every field of the request that asks for something."""
    if request.prompt is not None:
        raise LabError("a raw prompt is continued through /v1/completions; this client asks for chats")
    body: dict[str, Any] = {
        "model": request.label,
        "messages": [dict(message) for message in request.messages],
        "stream": True,
        "max_tokens": request.max_new_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
    }
    if request.top_p != 1:
        body["top_p"] = request.top_p
    if request.stop:
        body["stop"] = list(request.stop)
    if request.logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": request.logprobs}
    if request.budget != ThinkingBudget():
        body["thinking"] = request.budget.model_dump()
    if request.adapt.mode != "none":
        body["adapt"] = request.adapt.model_dump()
    return body


def read_event(event: dict[str, Any]) -> Iterator[Chunk]:
    """The chunks of one server-sent event of a chat."""
    if "error" in event:
        raise LabError(event["error"]["message"])
    if "lab_note" in event:
        yield Chunk("note", event["lab_note"])
    if "lab_adapted" in event:
        yield Chunk("adapted", adaptation=AdaptationReport.model_validate(event["lab_adapted"]))
    for choice in event["choices"]:
        tokens = read_logprobs(choice)
        delta = choice.get("delta") or {}
        if thought := delta.get("reasoning_content"):
            yield Chunk("thinking", thought, logprobs=tokens)
            tokens = ()
        if (said := delta.get("content")) or tokens:
            yield Chunk("answer" if said else "thinking", said or "", logprobs=tokens)
    if "lab" in event:
        yield Chunk("end", stats=Stats.model_validate(event["lab"]))


def read_logprobs(choice: Mapping[str, Any]) -> tuple[TokenLogprob, ...]:
    """The log-probabilities of a choice in OpenAI's form for chats; () where there are none."""
    content = (choice.get("logprobs") or {}).get("content") or ()
    return tuple(
        TokenLogprob(
            text=token["token"], id=token.get("id", -1), logprob=token["logprob"],
            top=tuple((likely["token"], likely["logprob"]) for likely in token.get("top_logprobs") or ()),
        )
        for token in content
    )


def _checked(response: httpx.Response) -> httpx.Response:
    """The response, or a LabError with the server's own message."""
    if not response.is_error:
        return response
    try:
        message = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = response.text[:200] or response.reason_phrase
    raise LabError(f"the engine refused ({response.status_code}): {message}")
