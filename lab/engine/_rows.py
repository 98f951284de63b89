"""A row: one prompt that is being continued, and what decides each of its tokens. Knows ids and texts, no tensors."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from lab.core.types import FinishReason
from lab.engine._decoding import prompt_seed
from lab.engine.budget import BudgetRule, Verdict
from lab.engine.protocol import TokenLogprob

STOP_TAIL = 48  # tokens in which a stop text is looked for: a stop text is never longer


@dataclass(frozen=True)
class Choosing:
    """How a row's tokens are chosen."""

    most: int  # new tokens
    ends: frozenset[int]  # ids that end the answer
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    logprobs: int | None = None
    echo: bool = False  # the prompt's log-probabilities too
    patient: bool = False  # of a batch: it may wait until several can join together


@dataclass
class Row:
    """`ids` is what has been generated; all but its last is in the cache."""

    prompt: list[int]
    names: tuple[str, ...]  # the adapters it is computed with
    choosing: Choosing
    decode: Callable[[Sequence[int]], str]
    rule: BudgetRule | None = None
    tell: Callable[[Row], None] = lambda row: None  # after every change
    ids: list[int] = field(default_factory=list)
    finish: FinishReason | None = None
    error: Exception | None = None
    cancelled: bool = False
    n_waits: int = 0
    forced: bool = False  # its thought was closed by force
    logprobs: list[TokenLogprob] = field(default_factory=list)
    prompt_logprobs: list[TokenLogprob] = field(default_factory=list)
    asked_at: float = field(default_factory=time.perf_counter)
    first_at: float | None = None
    ended_at: float | None = None
    compute_s: float = 0.0  # its share of the passes it was in
    generator: Any = None
    _coming: deque[int] = field(default_factory=deque)  # tokens that are put, whatever the model would choose

    def __post_init__(self) -> None:
        if self.choosing.temperature:
            # On the CPU: the same seed then draws the same numbers on every device.
            self.generator = torch.Generator().manual_seed(prompt_seed(self.choosing.seed, self.prompt))

    @property
    def tokens(self) -> list[int]:
        return self.prompt + self.ids

    @property
    def length(self) -> int:
        """Tokens in the cache once it is read: all but the newest."""
        return len(self.prompt) + len(self.ids) - 1

    @property
    def put(self) -> int | None:
        """The token that comes next whatever the model says."""
        return self._coming[0] if self._coming else None

    def take(self, token: int, logprob: TokenLogprob | None = None) -> None:
        """The next token. Sets `finish` when it ends the row."""
        self.first_at = self.first_at or time.perf_counter()
        if self._coming:
            self._coming.popleft()
        if token in self.choosing.ends:
            self._end(token)
        else:
            self._append(token, logprob)
            self._ruled(self.rule.after(self.ids) if self.rule else None, newest_is_read=False)
        if self.finish is None and self._stopped():
            self.finish = "stop"
        if self.finish is None and len(self.ids) >= self.choosing.most:
            self.finish = "length"
        self.ended_at = time.perf_counter() if self.finish else None
        self.tell(self)

    def end(self, finish: FinishReason = "length") -> None:
        """End it without another token."""
        self.finish, self.ended_at = finish, time.perf_counter()
        self.tell(self)

    def fail(self, error: Exception) -> None:
        self.finish, self.error, self.ended_at = "error", error, time.perf_counter()
        self.tell(self)

    def _end(self, token: int) -> None:
        verdict = self.rule.at_end(self.ids) if self.rule else None
        if verdict is None or not verdict.force:
            self.finish = "eos"
            return
        self._ruled(verdict, newest_is_read=True)

    def _append(self, token: int, logprob: TokenLogprob | None) -> None:
        self.ids.append(token)
        if self.choosing.logprobs is not None:
            self.logprobs.append(logprob or TokenLogprob(text=self.decode([token]), id=token, logprob=None))

    def _ruled(self, verdict: Verdict | None, newest_is_read: bool) -> None:
        """Drop and force as the budget says. What follows a token that is in the cache already is put at once."""
        if verdict is None or not (verdict.drop or verdict.force):
            return
        self.n_waits += verdict.wait
        self.forced = self.forced or verdict.forced
        if verdict.drop:
            del self.ids[-verdict.drop :], self.logprobs[-verdict.drop :]
        self._coming.extend(verdict.force)
        if (verdict.drop or newest_is_read) and self._coming:
            self._append(self._coming.popleft(), None)
            if self.rule:
                self.rule.after(self.ids)

    def _stopped(self) -> bool:
        if not self.choosing.stop:
            return False
        tail = self.decode(self.ids[-STOP_TAIL:])
        return any(stop in tail for stop in self.choosing.stop)
