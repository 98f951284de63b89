"""Pacing: how fast one model may be asked, learnt from what it answers. No clock and no network: both are given.

As TCP does it (additive increase, multiplicative decrease, RFC 5681): too much to do halves what is asked at the same
time, once for all refusals of one burst, and each answer allows a little more, quickly up to where the trouble began.
A request that fails waits before it is made again, longer each time and by chance, so that they do not come back
together. When nothing but failures comes, or the endpoint says how long to wait, nobody asks for that while.
"""

from __future__ import annotations

import random

from lab.engine.protocol import Trouble

FIRST_PAUSE_S = 0.5
MOST_PAUSE_S = 30.0  # of our own; what an endpoint asks for may be longer
MOST_DOUBLINGS = 6
GROWTH = 0.5  # more requests at once per answer, below the last ceiling
PROBING = 0.25  # the same above it, but per as many answers as there are requests at once
CEILING = 0.9  # of what was under way when the endpoint had too much
BURST_S = 0.2  # refusals within this time of the last decrease belong to the same burst
FEW = 3  # failures in a row that may be chance
MOST_OWN_TRIES = 8  # of one request that fails while others are answered


class Pace:
    """Of one model. Times are seconds of a monotonic clock."""

    def __init__(self, most: int, patience_s: float, dice: random.Random | None = None):
        self.limit = float(most)  # requests at the same time
        self._most, self.patience_s, self._dice = most, patience_s, dice or random.Random()
        self._ceiling = float(most)
        self._in_a_row, self._streak = 0, 0  # failures, and pauses, since the last answer
        self._lowered_at = -1e9
        self.paused_until = 0.0
        self.failing_since: float | None = None
        self.n_answers = 0
        self.last_words = ""

    def may_ask(self, now: float, n_flying: int) -> bool:
        return now >= self.paused_until and n_flying < max(1, int(self.limit))

    def answered(self, good: bool = True) -> None:
        """The endpoint is there. Not `good`: it refused a request for what that is."""
        self.n_answers += good
        self._in_a_row, self._streak, self.failing_since = 0, 0, None
        self.limit = min(self._most, self.limit + (GROWTH if self.limit < self._ceiling else PROBING / self.limit))

    def failed(self, now: float, n_flying: int, trouble: Trouble, words: str) -> None:
        """`n_flying`: requests under way when this one failed, itself included."""
        self._in_a_row += 1
        outage = self._in_a_row >= max(FEW, self.limit / 4)
        self.failing_since = now if self.failing_since is None else self.failing_since
        self.last_words = words
        if not (trouble.busy or outage):
            return  # a fault among answers: only that request waits
        if now >= max(self.paused_until, self._lowered_at + BURST_S):
            if trouble.busy and not self._streak:  # what was too much before; in an outage nothing is learnt
                self._ceiling = max(1.0, CEILING * min(self.limit, n_flying))
            self.limit, self._lowered_at = max(1.0, min(self.limit, n_flying) / 2), now
        if trouble.wait_s is not None:  # a day is longer than anybody's patience
            self.paused_until = max(self.paused_until, now + min(trouble.wait_s, self.patience_s))
        if outage and now >= self.paused_until:  # also where it says to come back at once
            self._streak += 1
            self.paused_until = now + self.own_pause_s(self._streak - 1)

    def given_up(self, now: float) -> bool:
        """Nothing was answered for as long as the job has patience."""
        return self.failing_since is not None and now - self.failing_since >= self.patience_s

    def own_pause_s(self, n_before: int) -> float:
        """Exponential, half of it by chance."""
        pause_s = min(MOST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(n_before, MOST_DOUBLINGS))
        return pause_s * self._dice.uniform(0.5, 1.0)


class Tries:
    """Of one request that has failed: when it is asked again, and whether it alone is the trouble.

    Tries count only where somebody else was answered in between: an outage is nobody's own fault.
    """

    def __init__(self) -> None:
        self._n, self._own, self._answers = 0, 0, -1
        self._since: float | None = None

    def failed(self, now: float, pace: Pace, trouble: Trouble) -> float:
        """How long it waits for itself. How long all wait when there is too much to do is the pace's."""
        self._since = now if self._since is None else self._since
        if pace.n_answers != self._answers and not trouble.busy:
            self._own += 1
        self._answers = pace.n_answers
        self._n += 1
        own_s = pace.own_pause_s(self._n - 1)
        if trouble.wait_s is None:
            return own_s
        return 0.0 if trouble.busy else max(own_s, min(trouble.wait_s, pace.patience_s))

    def doubt(self) -> None:
        """The endpoint has just answered something else: if this fails once more, it is its own fault."""
        if self._n >= FEW:
            self._own, self._answers = max(self._own, MOST_OWN_TRIES - 1), -1

    def hopeless(self, now: float, patience_s: float) -> bool:
        return self._own >= MOST_OWN_TRIES and self._since is not None and now - self._since >= patience_s
