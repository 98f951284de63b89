"""What a remote endpoint answers, read: OpenAI's events become chunks, the thought apart from the answer. No network.

Endpoints differ in where a thought is: in `reasoning_content` (SGLang, DeepSeek, older vLLM, this lab), in `reasoning`
(newer vLLM, OpenRouter), or between marks in the content. The first two are taken as they come, the third
is split by the lab's one rule.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from lab.core.types import FinishReason
from lab.data.targets import Style
from lab.engine.adapt import AdaptationReport
from lab.engine.protocol import ChatRequest, Chunk, Stats, TokenLogprob, Trouble, read_logprobs
from lab.engine.remote_faults import EndpointError
from lab.engine.thinking import Split, StreamSplitter, split_thinking


class Heard:
    """One remote answer as far as it has been heard. `style`: the marks a thought has inside the content; `opened`: the
    mark that the prompt itself has set, which the model does not write again."""

    def __init__(self, request: ChatRequest, style: Style, opened: str = ""):
        self._request, self._style, self._splitter = request, style, StreamSplitter(style)
        self._thought, self._said = "", opened
        list(self._splitter.feed(opened))
        self._n_pieces = {"thinking": 0, "answer": 0}
        self._finish: FinishReason | None = None
        self._usage: Mapping[str, Any] = {}
        self._lab: Stats | None = None
        self._prompt: tuple[TokenLogprob, ...] = ()
        self._started, self._first = time.perf_counter(), 0.0

    def event(self, event: Mapping[str, Any]) -> Iterator[Chunk]:
        """The chunks of one event of a stream, or of a whole answer in `choices[0].message` or `.text`."""
        if error := event.get("error"):
            said = error.get("message", error) if isinstance(error, dict) else error
            raise EndpointError(f"the endpoint failed: {said}", Trouble("passing"))
        if "lab_note" in event:
            yield Chunk("note", event["lab_note"])
        if "lab_adapted" in event:
            yield Chunk("adapted", adaptation=AdaptationReport.model_validate(event["lab_adapted"]))
        self._usage = event.get("usage") or self._usage
        for choice in event.get("choices") or ():
            yield from self._choice(choice)
        if "lab" in event:
            self._lab = Stats.model_validate(event["lab"])

    def _choice(self, choice: Mapping[str, Any]) -> Iterator[Chunk]:
        delta = choice.get("delta") or choice.get("message") or {}
        thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
        said, tokens = delta.get("content") or choice.get("text") or "", read_logprobs(choice)
        if "text" in choice:
            said, tokens = self._continuation(choice, said)
        if (thought or said) and not self._first:
            self._first = time.perf_counter()
        if thought:
            self._thought += thought
            yield self._counted(Chunk("thinking", thought, logprobs=() if said else tokens))
        if said or (tokens and not thought):
            self._said += said
            pieces = self._split(said) or ([(self._splitter.part, "")] if tokens else [])
            for place, (part, text) in enumerate(pieces):
                yield self._counted(Chunk(part, text, logprobs=() if place else tokens))  # type: ignore[arg-type]
        if reason := choice.get("finish_reason"):
            _check_whole(reason)
            stopped = reason == "stop" and choice.get("stop_reason") is not None
            self._finish = "length" if reason == "length" else "stop" if stopped else "eos"

    def _split(self, said: str) -> list[tuple[str, str]]:
        if self._request.prompt is not None or self._thought:
            return [("answer", said)] if said else []
        return list(self._splitter.feed(said))  # type: ignore[arg-type]

    def _continuation(self, choice: Mapping[str, Any], said: str) -> tuple[str, tuple[TokenLogprob, ...]]:
        """A raw continuation without the echo of its prompt."""
        tokens = old_logprobs(choice)
        if not self._request.echo:
            return said, tokens
        n_prompt = int(self._usage.get("prompt_tokens") or 0)
        if tokens:
            self._prompt, tokens = tokens[:n_prompt], tokens[n_prompt:]
        prompt = self._request.prompt
        echo = prompt if isinstance(prompt, str) else "".join(token.text for token in self._prompt)
        return said.removeprefix(echo), tokens

    def _counted(self, chunk: Chunk) -> Chunk:
        if chunk.text and chunk.kind in self._n_pieces:
            self._n_pieces[chunk.kind] += 1
        return chunk

    def end(self) -> Iterator[Chunk]:
        """What was held back, and the end. LabError when the stream stopped before the answer had ended."""
        if self._finish is None and self._lab is None:
            raise EndpointError("the endpoint stopped in the middle of an answer", Trouble("passing"))
        if self._request.prompt is None and not self._thought:
            yield from (self._counted(Chunk(part, text)) for part, text in self._splitter.finish())
        counted = self._lab is not None or self._usage.get("completion_tokens") is not None
        yield Chunk("end", stats=self._lab or self._stats(self._finish or "eos"), counted=counted)

    def _stats(self, finish: FinishReason) -> Stats:
        split = self._verdict(finish)
        made = int(self._usage.get("completion_tokens") or sum(self._n_pieces.values()))
        n_think = self._thinking_tokens(made)
        return Stats(
            **split._asdict(), finish_reason=finish, n_prompt_tokens=int(self._usage.get("prompt_tokens") or 0),
            n_think_tokens=n_think, n_answer_tokens=made - n_think, seconds=time.perf_counter() - self._started,
            first_token_s=max(0.0, self._first - self._started), prompt_logprobs=self._prompt,
        )

    def _verdict(self, finish: FinishReason) -> Split:
        if self._request.prompt is not None:
            return Split("", self._said, "none")
        if not self._thought:
            return split_thinking(self._said, self._style, finish)
        if self._said.strip():
            return Split(self._thought.strip(), self._said.strip(), "closed")
        return Split(self._thought.strip(), "", "unclosed_length" if finish == "length" else "unclosed_eos")

    def _thinking_tokens(self, made: int) -> int:
        """As the endpoint counts, or else an estimate: thinking's share of the pieces that came."""
        details = self._usage.get("completion_tokens_details") or {}
        if details.get("reasoning_tokens") is not None:
            return min(made, int(details["reasoning_tokens"]))
        pieces = sum(self._n_pieces.values())
        return round(made * self._n_pieces["thinking"] / pieces) if pieces else 0


def _check_whole(reason: str) -> None:
    """What a filter or a server that shuts down has cut looks like an answer, and is none."""
    if reason in ("abort", "error"):
        raise EndpointError("the endpoint broke off in the middle of an answer", Trouble("passing"))
    if reason == "content_filter":
        raise EndpointError("the endpoint's content filter stopped the answer", Trouble("refused"))


def old_logprobs(choice: Mapping[str, Any]) -> tuple[TokenLogprob, ...]:
    """The log-probabilities of a raw completion in OpenAI's older form; () where there are none."""
    told = choice.get("logprobs") or {}
    tokens = told.get("tokens") or []
    top = told.get("top_logprobs") or [None] * len(tokens)
    return tuple(
        TokenLogprob(text=text, id=-1, logprob=logprob, top=tuple((likely or {}).items()))
        for text, logprob, likely in zip(tokens, told.get("token_logprobs") or [], top, strict=True)
    )
