"""What the engine's HTTP bodies may hold, and the generations they ask for. What goes back is in `lab.engine.replies`.

Fields the engine would have to ignore are refused, so that nobody believes they work; values that change nothing, which
common clients send unasked, are let through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lab.core.types import StyleName
from lab.engine.adapt import Adaptation
from lab.engine.budget import ThinkingBudget
from lab.engine.protocol import ChatRequest

MOST_CHOICES = 256  # of one request: prompts × n
# OpenAI's fields that this engine has no answer to, and the values of theirs that ask for nothing.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "best_of": (1,),
    "frequency_penalty": (0,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "logit_bias": ({},),
    "metadata": ({},),
    "modalities": (["text"],),
    "parallel_tool_calls": (True, False),
    "presence_penalty": (0,),
    "response_format": ({"type": "text"},),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "suffix": ("",),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
}

Stop = Annotated[str, Field(min_length=1)]


class TextPart(BaseModel):
    type: Literal["text"]
    text: str


class Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]

    def plain(self) -> dict[str, str]:
        text = self.content if isinstance(self.content, str) else "\n".join(part.text for part in self.content)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class StreamOptions(BaseModel):
    include_usage: bool = False
    include_obfuscation: bool = False  # there is none either way
    continuous_usage_stats: Literal[False] = False


@dataclass(frozen=True)
class Asked:
    """The generations of one request, in the order of its choices, and how they are to be told."""

    requests: tuple[ChatRequest, ...]
    stream: bool
    include_usage: bool
    logprobs: bool = False
    prompts: int = 1  # each with `len(requests) / prompts` choices
    prompt_only: bool = False  # the echo of a prompt, of which no continuation was asked


class SamplingBody(BaseModel):
    """What both kinds of requests share. A field that is null is a field that was not given."""

    model_config = ConfigDict(extra="forbid")
    model: str
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    max_tokens: int | None = Field(None, ge=1)
    temperature: float = Field(0.0, ge=0, le=2)  # OpenAI's default is 1; here nothing is drawn unless asked
    top_p: float = Field(1.0, gt=0, le=1)
    seed: int = Field(0, ge=0)
    stop: Stop | list[Stop] = Field(default=[], max_length=16)
    n: int = Field(1, ge=1, le=16)
    user: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_neutral(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        given = {name: value for name, value in given.items() if value is not None}
        return {name: value for name, value in given.items() if value not in NEUTRAL.get(name, ())}

    @property
    def stops(self) -> tuple[str, ...]:
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)


class ChatBody(SamplingBody):
    messages: list[Message] = Field(min_length=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    logprobs: bool = False
    top_logprobs: int = Field(0, ge=0, le=20)
    thinking: ThinkingBudget = ThinkingBudget()
    adapt: Adaptation = Adaptation()

    @model_validator(mode="after")
    def _top_needs_logprobs(self) -> ChatBody:
        if self.top_logprobs and not self.logprobs:
            raise ValueError("top_logprobs needs logprobs to be true")
        return self

    def asked(self, most_tokens: int) -> Asked:
        """`most_tokens` is the engine's own bound of one answer."""
        requests = tuple(
            ChatRequest(
                label=self.model,
                messages=[message.plain() for message in self.messages],
                max_new_tokens=min(self.max_completion_tokens or self.max_tokens or most_tokens, most_tokens),
                temperature=self.temperature,
                seed=self.seed + i,
                top_p=self.top_p,
                stop=self.stops,
                logprobs=self.top_logprobs if self.logprobs else None,
                budget=self.thinking,
                adapt=self.adapt,
            )
            for i in range(self.n)
        )
        return Asked(requests, self.stream, self.stream_options.include_usage, self.logprobs)


TokenId = Annotated[int, Field(ge=0)]


class CompletionBody(SamplingBody):
    """OpenAI's older form: a text, or token ids, to be continued without a chat template."""

    prompt: Annotated[str, Field(min_length=1)] | list[str] | list[TokenId] | list[list[TokenId]]
    max_tokens: int = Field(16, ge=0)
    echo: bool = False
    logprobs: int | None = Field(None, ge=0, le=20)

    @model_validator(mode="after")
    def _possible(self) -> CompletionBody:
        if not all(self._prompts()):
            raise ValueError("a prompt is empty")
        if not self.max_tokens and not self.echo:
            raise ValueError("max_tokens of 0 asks for nothing unless echo is true")
        if len(self._prompts()) * self.n > MOST_CHOICES:
            raise ValueError(f"prompts × n is more than {MOST_CHOICES}: ask for fewer at once")
        return self

    def asked(self, most_tokens: int) -> Asked:
        requests = tuple(
            ChatRequest(
                label=self.model,
                max_new_tokens=min(self.max_tokens or 1, most_tokens),
                temperature=self.temperature,
                seed=self.seed + i,
                top_p=self.top_p,
                stop=self.stops,
                logprobs=self._told_logprobs(prompt),
                prompt=prompt,
                echo=self.echo,
            )
            for prompt in self._prompts()
            for i in range(self.n)
        )
        return Asked(
            requests, self.stream, self.stream_options.include_usage, self.logprobs is not None,
            prompts=len(self._prompts()), prompt_only=not self.max_tokens,
        )

    def _told_logprobs(self, prompt: str | tuple[int, ...]) -> int | None:
        """Token ids that are echoed are read from their log-probabilities, asked for or not."""
        return 0 if self.logprobs is None and self.echo and not isinstance(prompt, str) else self.logprobs

    def _prompts(self) -> list[str | tuple[int, ...]]:
        if isinstance(self.prompt, str):
            return [self.prompt]
        if not self.prompt:
            return [""]
        if isinstance(self.prompt[0], int):
            return [tuple(self.prompt)]  # type: ignore[arg-type]
        return [text if isinstance(text, str) else tuple(text) for text in self.prompt]  # type: ignore[union-attr]


class LoadBody(BaseModel):
    """A model to be loaded: the fields of a `ModelSource` the engine needs."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1)
    ref: str = ""
    folder: str | None = None
    kind: Literal["base", "adapter", "full"] = "base"
    base: str | None = None  # the base the caller believes is here
    arm: str = "base"
    thinking_style: StyleName | None = None
    template_sha: str = ""


class UnloadBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1)
