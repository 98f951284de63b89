"""The shapes of the engine's HTTP bodies: what a request may hold, and OpenAI's forms of answers, events and errors."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lab.engine.protocol import ChatRequest, Stats


class TextPart(BaseModel):
    type: Literal["text"]
    text: str


class Message(BaseModel):
    role: Literal["system", "user", "assistant"]
    content: str | list[TextPart]

    def plain(self) -> dict[str, str]:
        text = self.content if isinstance(self.content, str) else "\n".join(part.text for part in self.content)
        return {"role": self.role, "content": text}


class CompletionBody(BaseModel):
    """A chat request. Fields the engine would have to ignore are refused, so that nobody believes they work."""

    model_config = ConfigDict(extra="forbid")
    model: str
    messages: list[Message] = Field(min_length=1)
    stream: bool = False
    stream_options: dict[str, Any] | None = None  # usage is always sent
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float = Field(0.0, ge=0, le=2)
    seed: int = Field(0, ge=0)
    n: Literal[1] = 1
    user: str | None = None

    def request(self, most_tokens: int) -> ChatRequest:
        wanted = self.max_completion_tokens or self.max_tokens or most_tokens
        messages = [message.plain() for message in self.messages]
        return ChatRequest(self.model, messages, min(wanted, most_tokens), self.temperature, self.seed)


class LoadBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1)
    folder: str | None = None
    kind: Literal["base", "adapter", "full"] = "base"
    base: str | None = None  # the base the caller believes is here


def head(request: ChatRequest, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": request.label}


def delta(fields: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}


def openai_reason(stats: Stats) -> str:
    return "length" if stats.finish_reason == "length" else "stop"


def figures(stats: Stats) -> dict[str, Any]:
    made = stats.n_think_tokens + stats.n_answer_tokens
    usage = {"prompt_tokens": stats.n_prompt_tokens, "completion_tokens": made}
    return {"usage": usage | {"total_tokens": stats.n_prompt_tokens + made}, "lab": stats.model_dump()}


def event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def error_body(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


