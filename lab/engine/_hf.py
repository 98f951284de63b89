"""Generation with transformers and PEFT: a loaded base answers for itself and for every variant on it."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from lab.bases.cards import BaseCard
from lab.core.errors import LabError
from lab.core.types import FinishReason, Generation, ModelSource
from lab.data.targets import THINKING_STYLES, Style
from lab.engine._decoding import Decoding, TextStream, decode
from lab.engine._weights import Weights
from lab.engine.protocol import ChatRequest, Chunk, Message, Stats
from lab.engine.thinking import StreamSplitter, split_thinking


@dataclass(frozen=True)
class GenerationOptions:
    """How a batch is generated. `batch_size` changes the speed, not the greedy answers."""

    max_new_tokens: int = 128
    temperature: float = 0.0
    seed: int = 0
    batch_size: int = 32
    top_p: float = 1.0  # of sampling: among the likeliest tokens that hold this probability


@dataclass
class _Row:
    """One prompt and what has been generated for it."""

    prompt: list[int]
    budget: int
    ids: list[int] = field(default_factory=list)
    finish: FinishReason | None = None


class LoadedBase:
    """One base in memory with its adapters. All use goes through one lock, token by token, so streams interleave."""

    def __init__(self, card: BaseCard, max_new_tokens: int = 512):
        self.base = card.name
        self.max_new_tokens = max_new_tokens  # bound of one streamed answer
        self._weights = Weights(card)
        self._tokenizer = self._weights.tokenizer
        self._context_tokens = card.context_tokens
        self._eos = self._weights.end_ids()
        self._pad = self._tokenizer.pad_token_id if self._tokenizer.pad_token_id is not None else min(self._eos)
        self._lock = threading.Lock()

    def labels(self) -> list[str]:
        return self._weights.labels()

    def load(self, source: ModelSource) -> None:
        with self._lock:
            self._weights.load(source)

    def probe_identity(self) -> None:
        """LabError unless the base still gives the logits it gave before any adapter was loaded."""
        with self._lock:
            self._weights.probe_identity()

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Ids of the chat template with the generation prompt; straight to ids, so no second start token is added."""
        chat = [dict(message) for message in messages]
        encoded = self._tokenizer.apply_chat_template(
            chat, tokenize=True, add_generation_prompt=True, return_dict=True
        )
        return list(encoded["input_ids"])

    def stream(self, request: ChatRequest) -> Iterator[Chunk]:
        """Greedy or sampled, one token at a time; closing the iterator stops it."""
        started = time.perf_counter()
        row = self._row(self.encode(request.messages), request.max_new_tokens)
        decoding = self._decoding([row], request.temperature, request.seed)
        style = self._style(request.label)
        splitter, text = StreamSplitter(style), TextStream(self._tokenizer)
        first = self._opened(row, style)
        while row.finish is None:
            self._step(request.label, decoding, [row])
            piece = first + (text.push(row.ids[-1]) if row.finish != "eos" else "")
            first = ""
            yield from (Chunk(part, shown) for part, shown in splitter.feed(piece))
        yield from (Chunk(part, shown) for part, shown in splitter.feed(text.finish()))
        yield from (Chunk(part, shown) for part, shown in splitter.finish())
        done = self._generation(row, time.perf_counter() - started, style)
        yield Chunk("end", stats=Stats(**done.model_dump(exclude={"raw_text"})))

    def generate(
        self, label: str, conversations: Sequence[Sequence[Message]], options: GenerationOptions
    ) -> Iterator[list[tuple[int, Generation]]]:
        """Yield finished batches of (place in `conversations`, generation).

        Prompts of like length share a batch, but only within eight batches, so that progress tells the time left.
        `seconds` of a generation is its batch's time divided by the rows of the batch.
        """
        style = self._style(label)
        rows = [self._row(self.encode(messages), options.max_new_tokens) for messages in conversations]
        size, reach = options.batch_size, options.batch_size * 8
        for start in range(0, len(rows), reach):
            places = sorted(range(start, min(start + reach, len(rows))), key=lambda place: -len(rows[place].prompt))
            for cut in range(0, len(places), size):
                batch = places[cut : cut + size]
                seconds = self._finish_batch(label, [rows[place] for place in batch], options) / len(batch)
                yield [(place, self._generation(rows[place], seconds, style)) for place in batch]

    def generate_batch(
        self, label: str, conversations: Sequence[Sequence[Message]], options: GenerationOptions
    ) -> list[Generation]:
        """All generations, in the order of `conversations`."""
        done = dict(pair for batch in self.generate(label, conversations, options) for pair in batch)
        return [done[place] for place in range(len(conversations))]

    def _finish_batch(self, label: str, rows: list[_Row], options: GenerationOptions) -> float:
        """Generate until every row has ended; the seconds it took. A batch that does not fit in memory is halved."""
        started = time.perf_counter()
        try:
            decoding = self._decoding(rows, options.temperature, options.seed, options.top_p)
            while decoding.rows:
                self._step(label, decoding, rows)
        except torch.OutOfMemoryError:
            if len(rows) == 1:
                raise LabError("one row does not fit in memory; lower max_new_tokens", "memory") from None
            torch.cuda.empty_cache()
            for row in rows:
                row.ids, row.finish = [], None
            for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
                self._finish_batch(label, half, options)
        return time.perf_counter() - started

    def _decoding(self, rows: list[_Row], temperature: float, seed: int, top_p: float = 1.0) -> Decoding:
        decoding = Decoding([row.prompt for row in rows], self._pad, temperature, seed, self._weights.device)
        decoding.top_p = top_p
        return decoding

    def _step(self, label: str, decoding: Decoding, rows: list[_Row]) -> None:
        """One token for every live row, then forget the ended ones once they are a quarter of what is computed."""
        with self._lock:
            tokens = decoding.step(self._weights.ready(label))
        for place, token in tokens:
            row = rows[place]
            if row.finish is not None:
                continue
            if token in self._eos:
                row.finish = "eos"
            else:
                row.ids.append(token)
                row.finish = "length" if len(row.ids) == row.budget else None
        ended = {place for place in decoding.rows if rows[place].finish is not None}
        if len(ended) * 4 >= len(decoding.rows):
            decoding.drop(ended)

    def _row(self, prompt: list[int], max_new_tokens: int) -> _Row:
        room = self._context_tokens - len(prompt)
        if room < 1:
            raise LabError(
                f"a prompt has {len(prompt)} tokens, but '{self.base}' holds {self._context_tokens}: shorten it", "data"
            )
        return _Row(prompt, min(max_new_tokens, room))

    def _style(self, label: str) -> Style:
        """How this model marks its thinking: a variant as it was taught, not as its base does."""
        with self._lock:
            return THINKING_STYLES[self._weights.style(label)]

    def _opened(self, row: _Row, style: Style) -> str:
        """The opening delimiter if the template itself opens the thought: the model then never writes it."""
        tail = decode(self._tokenizer, row.prompt[-8:]).rstrip()
        return style.open if tail.endswith(style.open) else ""

    def _generation(self, row: _Row, seconds: float, style: Style) -> Generation:
        text = self._opened(row, style) + decode(self._tokenizer, row.ids)
        finish = row.finish or "cancelled"
        split = split_thinking(text, style, finish)
        n_think = self._count_thinking(row.ids, split.think_state, style)
        return Generation(
            raw_text=text,
            **split._asdict(),
            finish_reason=finish,
            n_prompt_tokens=len(row.prompt),
            n_think_tokens=n_think,
            n_answer_tokens=len(row.ids) - n_think,
            seconds=seconds,
        )

    def _count_thinking(self, ids: list[int], think_state: str, style: Style) -> int:
        """Tokens up to the last closing delimiter, which may be one token or several."""
        if think_state != "closed":
            return 0 if think_state == "none" else len(ids)

        def closings(n: int) -> int:
            return decode(self._tokenizer, ids[:n]).count(style.close)

        return bisect_left(range(len(ids)), closings(len(ids)), key=closings)
