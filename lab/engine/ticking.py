"""A clock for scripted generations: one thread takes a step of each whenever it is due."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

IDLE_S = 2.0  # without anything to play the thread ends; the next play starts another


class Ticker:
    """Plays any number of iterators side by side, a step each `delay_s`."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, float, Iterator[None]]] = []
        self._order, self._playing = count(), set[int]()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def play(self, steps: Iterator[None], delay_s: float) -> Callable[[], None]:
        """Take the first step after `delay_s`. What comes back ends it before its next step."""
        with self._changed:
            number = next(self._order)
            self._playing.add(number)
            heapq.heappush(self._due, (time.monotonic() + delay_s, number, delay_s, steps))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="scripted-engine", daemon=True)
                self._thread.start()
            self._changed.notify()
        return lambda: self._playing.discard(number)

    def _run(self) -> None:
        while (due := self._next()) is not None:
            at, number, delay_s, steps = due
            if number not in self._playing or next(steps, StopIteration) is StopIteration:
                self._playing.discard(number)
                continue
            with self._changed:
                # From when it was due, so that the time the steps take does not add up.
                heapq.heappush(self._due, (max(at + delay_s, time.monotonic()), number, delay_s, steps))

    def _next(self) -> tuple[float, int, float, Iterator[None]] | None:
        with self._changed:
            while True:
                if not self._due:
                    if not self._changed.wait(IDLE_S) and not self._due:
                        self._thread = None
                        return None
                    continue
                wait = self._due[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._due)
                self._changed.wait(wait)
