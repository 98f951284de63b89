"""Which of two answers a judge prefers, asked in both orders: who goes by the place of an answer shows it.

The swap of orders follows Zheng et al. 2023 (arXiv 2306.05685, section 3.3). An answer wins when both orders say so, or
one does and the other sees a tie. Orders that contradict each other say nothing of the answers, and are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from lab.core.types import Plain
from lab.synthesis.machine import Reply
from lab.synthesis.replies import Unread, read_object

Side = Literal["a", "b", "tie", "unread"]
Verdict = Literal["wins", "loses", "ties", "inconsistent", "unread"]
SAID: dict[str, Literal["A", "B", "tie"]] = {"a": "A", "b": "B", "tie": "tie"}


class Compared(Plain):
    """Answer `a` held against answer `b`, by their places. Sides are turned back; None: not asked yet."""

    a: int
    b: int
    forward: Side | None = None  # a stood first
    backward: Side | None = None  # b stood first

    @property
    def a_first(self) -> bool:
        """Whether the order that is to be asked next shows `a` first."""
        return self.forward is None

    @property
    def verdict(self) -> Verdict | None:
        """What both orders together say of `a`; None while one is to be asked."""
        if "unread" in (self.forward, self.backward):
            return "unread"
        if self.forward is None or self.backward is None:
            return None
        sides = {self.forward, self.backward}
        if sides == {"a", "b"}:
            return "inconsistent"
        return "wins" if "a" in sides else "loses" if "b" in sides else "ties"

    def told(self, said: Literal["A", "B", "tie"]) -> Compared:
        """With the verdict of the order that was asked."""
        if said == "tie":
            return self._with("tie")
        return self._with("a" if (said == "A") == self.a_first else "b")

    def lost(self) -> Compared:
        """With an order that could not be read: the other one is not asked any more."""
        return self._with("unread")

    def _with(self, side: Side) -> Compared:
        return self.model_copy(update={"forward" if self.a_first else "backward": side})


def read_better(reply: Reply) -> Literal["A", "B", "tie"] | Unread:
    """The better one as shown: A stood first."""
    found = read_object(reply, ("better",))
    if isinstance(found, Unread):
        return found
    value = found["better"]
    said = SAID.get(value.strip().casefold()) if isinstance(value, str) else None
    return said or Unread(reason="wrong shape", why=f"'better' is none of A, B and tie: {value!r:.40}")


def judge_counts(compared: Iterable[Compared]) -> dict[str, int]:
    """How often each verdict was given, and how often an order that is no tie preferred what stood first."""
    every = list(compared)
    orders = [(side, first) for each in every for side, first in ((each.forward, "a"), (each.backward, "b"))
              if side in ("a", "b")]
    verdicts = Counter(each.verdict or "open" for each in every)
    n_first = sum(side == first for side, first in orders)
    return {**verdicts, "orders_decided": len(orders), "first_preferred": n_first}
