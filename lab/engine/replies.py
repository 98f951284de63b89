"""What the engine's HTTP sends back: OpenAI's forms of answers, events, log-probabilities and errors."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.core.errors import LabError
from lab.engine.protocol import Chunk, Stats, TokenLogprob
from lab.engine.wire import Asked


@dataclass
class Choice:
    """One generation of a request, as far as it has been told."""

    index: int
    texts: list[str] = field(default_factory=list)
    tokens: list[TokenLogprob] = field(default_factory=list)
    stats: Stats | None = None

    def add(self, chunk: Chunk) -> None:
        if chunk.kind == "answer":
            self.texts.append(chunk.text)
        self.tokens += chunk.logprobs
        if chunk.stats is not None:
            self.stats = chunk.stats

    @property
    def end(self) -> Stats:
        if self.stats is None:
            raise LabError("the generation ended without saying how", "bug")
        return self.stats


def head(kind: str, label: str) -> dict[str, Any]:
    mark = "cmpl" if kind == "text_completion" else "chatcmpl"
    return {"id": f"{mark}-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": label}


def chat_answer(asked: Asked, choices: Sequence[Choice]) -> dict[str, Any]:
    """A whole chat answer. The texts are those of the end, which may correct what was streamed."""
    said = []
    for choice in choices:
        stats = choice.end
        message = {"role": "assistant", "content": stats.final_text, "reasoning_content": stats.think_text or None}
        said.append({
            "index": choice.index, "message": message, "logprobs": _chat_logprobs(asked, choice.tokens),
            "finish_reason": openai_reason(stats), "lab": stats.model_dump(),
        })
    return head("chat.completion", asked.requests[0].label) | {"choices": said, "usage": usage(asked, choices)}


def completion_answer(asked: Asked, choices: Sequence[Choice]) -> dict[str, Any]:
    """A whole raw continuation, in OpenAI's older form."""
    said = []
    for choice in choices:
        text, tokens = _echo(asked, choice) if asked.requests[0].echo else ("", [])
        if not asked.prompt_only:
            text += "".join(choice.texts)
            # A continuation that ends at once still has the token that ended it: harnesses cut the last one off.
            tokens += choice.tokens or [TokenLogprob(text="", id=-1, logprob=None)]
        said.append({
            "index": choice.index, "text": text, "logprobs": _old_logprobs(asked, tokens),
            "finish_reason": openai_reason(choice.end),
        })
    return head("text_completion", asked.requests[0].label) | {"choices": said, "usage": usage(asked, choices)}


def _echo(asked: Asked, choice: Choice) -> tuple[str, list[TokenLogprob]]:
    """The prompt again. Backends tell its tokens in the end; of ids they are also its text."""
    prompt, tokens = asked.requests[choice.index].prompt, list(choice.end.prompt_logprobs)
    return prompt if isinstance(prompt, str) else "".join(token.text for token in tokens), tokens


def chat_delta(asked: Asked, index: int, chunk: Chunk) -> dict[str, Any]:
    """The event's part that one chunk makes, 'end' included; what the lab adds stands beside OpenAI's fields."""
    fields: dict[str, str] = {}
    if chunk.kind == "thinking":
        fields["reasoning_content"] = chunk.text
    elif chunk.kind == "answer":
        fields["content"] = chunk.text
    reason = openai_reason(chunk.stats) if chunk.stats else None
    choice: dict[str, Any] = {"index": index, "delta": fields, "finish_reason": reason}
    if chunk.logprobs:
        choice["logprobs"] = _chat_logprobs(asked, chunk.logprobs)
    event: dict[str, Any] = {"choices": [choice]}
    if chunk.kind == "note":
        event["lab_note"] = chunk.text
    if chunk.adaptation:
        event["lab_adapted"] = chunk.adaptation.model_dump()
    if chunk.stats:
        event["lab"] = chunk.stats.model_dump()
    return event


def completion_delta(asked: Asked, choice: Choice, chunk: Chunk) -> dict[str, Any]:
    """As `chat_delta`, in the older form. `choice` is what was told before the chunk."""
    start = sum(len(token.text) for token in choice.tokens)
    told = chunk.text if chunk.kind == "answer" else ""
    reason = openai_reason(chunk.stats) if chunk.stats else None
    logprobs = _old_logprobs(asked, chunk.logprobs, start) if chunk.logprobs else None
    return {"choices": [{"index": choice.index, "text": told, "logprobs": logprobs, "finish_reason": reason}]}


def openai_reason(stats: Stats) -> str:
    return "length" if stats.finish_reason == "length" else "stop"


def usage(asked: Asked, choices: Sequence[Choice]) -> dict[str, Any]:
    """OpenAI's figures: a prompt counts once, however many choices it has."""
    each = len(asked.requests) // asked.prompts
    read = sum(choice.end.n_prompt_tokens for choice in choices[::each])
    thought = sum(choice.end.n_think_tokens for choice in choices)
    made = 0 if asked.prompt_only else thought + sum(choice.end.n_answer_tokens for choice in choices)
    return {
        "prompt_tokens": read, "completion_tokens": made, "total_tokens": read + made,
        "completion_tokens_details": {"reasoning_tokens": thought},
    }


def _chat_logprobs(asked: Asked, tokens: Sequence[TokenLogprob]) -> dict[str, Any] | None:
    """Every token's, those of the thought and of its marks included; None where they were not asked for."""
    if not asked.logprobs:
        return None
    content = [
        _one(token.text, token.logprob) | {"id": token.id, "top_logprobs": [_one(*likely) for likely in token.top]}
        for token in tokens
    ]
    return {"content": content, "refusal": None}


def _one(text: str, logprob: float | None) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def _old_logprobs(asked: Asked, tokens: Sequence[TokenLogprob], start: int = 0) -> dict[str, Any] | None:
    if not asked.logprobs:
        return None
    offsets, at = [], start
    for token in tokens:
        offsets.append(at)
        at += len(token.text)
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [_likeliest(token) for token in tokens],
        "text_offset": offsets,
    }


def _likeliest(token: TokenLogprob) -> dict[str, float] | None:
    """By text, the token itself included; two tokens of one text count as the likelier one."""
    if token.logprob is None:
        return None
    likely: dict[str, float] = {}
    for text, logprob in (*token.top, (token.text, token.logprob)):
        likely[text] = max(logprob, likely.get(text, logprob))
    return likely


def event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def error_body(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
