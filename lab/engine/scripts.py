"""What the scripted engine says: the words of an answer, a step at a time, and the figures of its end. No model."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from zlib import crc32

from lab.core.errors import LabError
from lab.core.types import FinishReason
from lab.data.targets import THINKING_STYLES
from lab.engine.adapt import AdaptationReport, Neighbour
from lab.engine.protocol import ChatRequest, Chunk, Stats, TokenLogprob
from lab.engine.thinking import StreamSplitter, split_thinking

STYLE = THINKING_STYLES["tags"]
THOUGHT = "The question has {n} words. I read them one by one, then I add what they say."
ANSWER = "The scripted answer of {label} to {n} words.\n\nAnswer: {n}"
CONTINUATION = " and so it goes on, word after word, as a script does."


def played(request: ChatRequest) -> Iterator[list[Chunk]]:
    """The chunks of each step: a word, and at last the end. LabError where the script breaks."""
    return _continued(request) if request.prompt is not None else _answered(request)


def _answered(request: ChatRequest) -> Iterator[list[Chunk]]:
    started, first, splitter = time.perf_counter(), 0.0, StreamSplitter(STYLE)
    question = request.messages[-1]["content"]
    report = _report(request, question)
    if report:
        yield [Chunk("note", "adapting the model to the question")]
        yield [Chunk("adapted", adaptation=report)]
    words, finish, forced = _words(request, question)
    for place, word in enumerate(words):
        if "[fail]" in question and place == 3:
            raise LabError("the scripted engine was asked to fail")
        tokens = _logprobs([word], request.logprobs)
        pieces = list(splitter.feed(word)) + (list(splitter.finish()) if place == len(words) - 1 else [])
        first = first or time.perf_counter()
        yield [Chunk(part, text, logprobs=() if i else tokens) for i, (part, text) in enumerate(pieces)] or (
            [Chunk(splitter.part, "", logprobs=tokens)] if tokens else []
        )
    split = split_thinking("".join(words), STYLE, finish)
    n_answer = len(split.final_text.split(" ")) if split.final_text else 0
    facts = split._asdict() | ({"think_state": "forced"} if forced and split.think_state == "closed" else {})
    yield [Chunk("end", stats=Stats(
        **facts,
        finish_reason=finish,
        n_prompt_tokens=len(question.split()),
        n_think_tokens=len(words) - n_answer,
        n_answer_tokens=n_answer,
        seconds=time.perf_counter() - started,
        first_token_s=max(0.0, first - started),
        adaptation=report,
    ))]


def _words(request: ChatRequest, question: str) -> tuple[list[str], FinishReason, bool]:
    """The words as they will be said, how they end, and whether the thought was closed by force."""
    n, forced = len(question.split()), False
    thinks = "trace" in request.label
    thought = THOUGHT.format(n=n).split(" ") if thinks else []
    answer = ANSWER.format(n=n, label=request.label)
    if request.temperature:
        answer += f" Drawn with seed {request.seed}."
    if "[unclosed]" in question:
        thought = ("and again " * 200).split(" ")
    most = request.budget.max_tokens
    if thought and most is not None and len(thought) > most:
        thought, forced = thought[:most], True
        answer = " ".join(filter(None, [request.budget.answer_prefix, answer]))
    text = " ".join([STYLE.open, *thought]) if thought or forced else ""
    if (thought or forced) and (forced or "[unclosed]" not in question):
        text += f" {STYLE.close} {answer}"
    elif not text:
        text = answer
    text, stopped = _until_stop(text, request.stop)
    words = _spaced(text)
    if len(words) > request.max_new_tokens:
        return words[: request.max_new_tokens], "length", forced
    return words, "stop" if stopped else "eos", forced


def _until_stop(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    """The text up to the first stop text in it."""
    at = min((place for stop in stops if (place := text.find(stop)) >= 0), default=None)
    return (text, False) if at is None else (text[:at], True)


def _continued(request: ChatRequest) -> Iterator[list[Chunk]]:
    """A raw continuation; the tokens of an echoed prompt are among the figures of its end."""
    started, prompt = time.perf_counter(), _prompt_words(request)
    read = _logprobs(prompt, request.logprobs if request.echo else None, prompt=True)
    said, stopped = _until_stop(CONTINUATION, request.stop)
    words = _spaced(said)
    cut = words[: request.max_new_tokens]
    for word in cut:
        yield [Chunk("answer", word, logprobs=_logprobs([word], request.logprobs))]
    yield [Chunk("end", stats=Stats(
        think_text="", final_text="".join(cut), think_state="none",
        finish_reason="length" if len(cut) < len(words) else "stop" if stopped else "eos",
        n_prompt_tokens=len(prompt), n_think_tokens=0, n_answer_tokens=len(cut),
        seconds=time.perf_counter() - started, prompt_logprobs=read,
    ))]


def _prompt_words(request: ChatRequest) -> list[str]:
    if isinstance(request.prompt, str):
        return _spaced(request.prompt)
    return [f" {token}" if place else str(token) for place, token in enumerate(request.prompt or ())]


def _spaced(text: str) -> list[str]:
    """Words with the blank before them: joined they are the text."""
    first, *rest = text.split(" ")
    words = [first, *(f" {word}" for word in rest)]
    return words[1:] if not first else words


def _logprobs(words: Sequence[str], wanted: int | None, prompt: bool = False) -> tuple[TokenLogprob, ...]:
    """Made up, the same for the same word: the longer the word, the less likely. () where none are wanted."""
    if wanted is None:
        return ()
    tokens = []
    for place, word in enumerate(words):
        logprob = None if prompt and place == 0 else -len(word.strip()) / 10
        others = ((word, -len(word.strip()) / 10), *((f" other{i}", -9.0 - i) for i in range(1, wanted)))
        top = others[:wanted] if logprob is not None else ()
        tokens.append(TokenLogprob(text=word, id=crc32(word.encode()) % 50_000, logprob=logprob, top=top))
    return tuple(tokens)


def _report(request: ChatRequest, question: str) -> AdaptationReport | None:
    """What the model would have been adapted to: made-up neighbours that differ from the question in a word."""
    if request.adapt.mode == "none":
        return None
    neighbours = tuple(
        Neighbour(
            id=f"scripted-{i}", dataset=request.adapt.dataset or "scripted",
            question=f"{question} (example {i})", reply=f"<think>\nAs before.\n</think>\nAnswer: {i}",
            similarity=round(0.9 - i / 10, 2),
        )
        for i in range(min(request.adapt.neighbours, 4))
    )
    trained = request.adapt.mode != "context"
    return AdaptationReport(
        mode=request.adapt.mode, neighbours=neighbours, n_excluded=1, loss_before=2.0 if trained else None,
        loss_after=1.5 if trained else None, seconds=0.1, weights_sha256="0" * 64,
    )
