"""Thinking budgets: how little and how much a model may think before it answers. Pure: token ids and texts, no torch.

Budget forcing is s1's (Muennighoff et al. 2025, arXiv 2501.19393, section 3.1; simplescaling/s1, eval): a thought that
ends before its least length goes on with "Wait", one that reaches its most is closed and the answer begun.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import Field, model_validator

from lab.core.types import Plain
from lab.data.targets import Style


class ThinkingBudget(Plain):
    """Bounds of a thought in tokens; without bounds nothing is changed. A model that does not think is left alone."""

    min_tokens: int = Field(0, ge=0, description="Least thinking tokens; an earlier end is turned into more thinking.")
    max_tokens: int | None = Field(None, ge=0, description="Most thinking tokens; the thought is then closed by force.")
    most_waits: int = Field(4, ge=1, le=64, description="How often at most an early end is turned away.")
    wait: str = Field("Wait", min_length=1, description="What is appended when the thought ends too early.")
    answer_prefix: str = Field("", description="What a forced answer begins with, such as 'Final Answer:'.")

    @property
    def bounds(self) -> bool:
        return self.min_tokens > 0 or self.max_tokens is not None

    @model_validator(mode="after")
    def _least_below_most(self) -> ThinkingBudget:
        if self.max_tokens is not None and self.max_tokens < self.min_tokens:
            raise ValueError(f"the most thinking tokens ({self.max_tokens}) are fewer than the least "
                             f"({self.min_tokens}); raise max_tokens or lower min_tokens")
        return self


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the decoding loop does before it goes on: forget tokens, then put others instead of the model's choices."""

    drop: int = 0  # the newest generated tokens to forget, of the cache too
    force: tuple[int, ...] = ()  # ids of the next tokens
    forced: bool = False  # the thought was closed by force
    wait: bool = False  # an early end was turned away


GO_ON = Verdict()


class BudgetRule:
    """The budget of one row. Ask `after` with all generated ids after each token the model chose, `at_end` when it
    chose to end. It may be asked after forced tokens too, or not.

    Thinking tokens are counted from the opening mark, the mark's own included, or from the first token if the template
    opened the thought; those of several thoughts add up. Marks are looked for in text, in a window of the newest
    tokens, so they may be one token or many, and share tokens with what stands beside them.
    """

    def __init__(
        self, budget: ThinkingBudget, style: Style, decode: Callable[[Sequence[int]], str],
        encode: Callable[[str], Sequence[int]], opened: bool,
    ):
        """`decode` keeps special tokens; `encode` adds none."""
        self._budget, self._style, self._decode, self._encode = budget, style, decode, encode
        # A mark is plain ASCII, so it has at most one token a letter; a few more show what stands before it.
        self._reach = max(len(style.open), len(style.close)) + 8
        self._start: int | None = 0 if opened else None  # where the open thought's tokens begin; None: no thought open
        self._spent = 0  # tokens of thoughts that were closed
        self._since = 0  # marks are looked for from here on
        self._floor = 0  # nothing before it is dropped: the opening mark, or what was forced
        self.n_waits = 0
        self.was_forced = False

    def after(self, ids: Sequence[int]) -> Verdict:
        """The verdict on the newest token; `ids` are all that were generated, without an end token."""
        if not self._budget.bounds or len(ids) < self._floor:
            return GO_ON
        if self._start is None:
            self._look_for_opening(ids)
        elif (cut := self._mark(ids, self._style.close)) is not None:
            return self._at_close(ids, cut)
        if self._start is None:
            return GO_ON
        if self._budget.max_tokens is not None and self._thought(len(ids)) >= self._budget.max_tokens:
            return self._close(ids)
        return GO_ON

    def at_end(self, ids: Sequence[int]) -> Verdict:
        """The verdict on an end token that was chosen after `ids`: it is not one of them."""
        if self._start is None or not self._too_early(len(ids)):
            return GO_ON
        return self._wait(ids, len(ids), "")

    def held(self, ids: Sequence[int]) -> int:
        """How many of the newest ids a later verdict may still drop: a stream shows them once they are certain."""
        return 0 if self._start is None else len(ids) - self._partial(ids)[0]

    def _thought(self, end: int) -> int:
        """Thinking tokens, were the open thought to end before the token at `end`."""
        return self._spent + end - (self._start or 0)

    def _too_early(self, end: int) -> bool:
        return self._thought(end) < self._budget.min_tokens and self.n_waits < self._budget.most_waits

    def _look_for_opening(self, ids: Sequence[int]) -> None:
        if (at := self._mark(ids, self._style.open)) is None:
            return
        self._start = at
        # The token that ends this mark may begin the next one ("></"), so the search goes on within it.
        self._since, self._floor = len(ids) - 1, len(ids)

    def _at_close(self, ids: Sequence[int], cut: int) -> Verdict:
        """The thought has just been closed; the closing mark begins in the token at `cut`."""
        if self._too_early(cut):
            return self._wait(ids, cut, self._beside(ids, cut))
        self._spent, self._start, self._since = self._thought(len(ids)), None, len(ids) - 1
        return GO_ON

    def _wait(self, ids: Sequence[int], cut: int, lost: str) -> Verdict:
        """More thinking in place of everything from `cut` on; `lost` is what the tokens there held besides a mark."""
        tail = self._tail(ids, cut) + lost
        opening = self._style.gap if tail.endswith(self._style.open) else "\n"
        apart = "" if not tail or tail[-1].isspace() else opening
        self.n_waits += 1
        return self._put(len(ids), cut, f"{lost}{apart}{self._budget.wait}", wait=True)

    def _close(self, ids: Sequence[int]) -> Verdict:
        """Close the thought by force. What is over the budget goes, and so does a closing mark that was begun."""
        over = self._thought(len(ids)) - (self._budget.max_tokens or 0)
        kept = ids[: max(len(ids) - over, self._floor)]
        cut, lost = self._partial(kept)
        tail, gap = self._tail(kept, cut) + lost, self._style.gap
        there = next(n for n in range(len(gap), -1, -1) if tail.endswith(gap[:n]))
        text = f"{lost}{gap[there:]}{self._style.close}{gap}{self._budget.answer_prefix}"
        verdict = self._put(len(ids), cut, text, forced=True)
        self._spent, self._start, self._since = self._thought(cut), None, self._floor
        self.was_forced = True
        return verdict

    def _put(self, length: int, cut: int, text: str, wait: bool = False, forced: bool = False) -> Verdict:
        force = tuple(self._encode(text))
        self._floor = cut + len(force)
        self._since = min(self._since, cut)
        return Verdict(length - cut, force, forced, wait)

    def _tail(self, ids: Sequence[int], end: int) -> str:
        return self._decode(ids[max(end - self._reach, 0) : end])

    def _mark(self, ids: Sequence[int], mark: str) -> int | None:
        """Index of the token in which `mark` begins, if the newest tokens hold it."""
        first = max(self._since, len(ids) - self._reach)
        if mark not in self._decode(ids[first:]):
            return None
        return next(at for at in range(len(ids) - 1, first - 1, -1) if mark in self._decode(ids[at:]))

    def _beside(self, ids: Sequence[int], cut: int) -> str:
        """What stands before the closing mark in the token where it begins."""
        first = max(len(ids) - self._reach, 0)
        text = self._decode(ids[first:])
        return text[len(self._decode(ids[first:cut])) : text.rindex(self._style.close)]

    def _partial(self, ids: Sequence[int]) -> tuple[int, str]:
        """(index of the token in which a closing mark was begun that is not whole yet, what stands there before it)."""
        text, close = self._tail(ids, len(ids)), self._style.close
        length = next((n for n in range(len(close) - 1, 0, -1) if text.endswith(close[:n])), 0)
        if not length:
            return len(ids), ""
        first, begin = max(len(ids) - self._reach, 0), len(text) - length
        at = next(n for n in range(len(ids), first - 1, -1) if len(self._decode(ids[first:n])) <= begin)
        return (at, text[len(self._decode(ids[first:at])) : begin]) if at >= self._floor else (len(ids), "")
