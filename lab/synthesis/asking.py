"""Asking: the requests of a drive that wait for a reply, at most so many at once, and each paid for once.

A reply is committed to the cache before anybody hears of it. A request that fails is made again for as long as the
job's patience lasts: an outage costs time and no item. Only what an endpoint refuses for what it is, or what fails
alone while the endpoint answers others, comes back as a refusal.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from lab.core.errors import LabError, Reason
from lab.engine.protocol import Chunk
from lab.synthesis.cache import Kept
from lab.synthesis.heard import refusal, reply_of
from lab.synthesis.machine import Ask, Reply
from lab.synthesis.pacing import Pace, Tries
from lab.synthesis.spending import Counter, is_spent, price
from lab.synthesis.teachers import Model, Roster

FIRST_REFUSALS = 10  # of a model that has answered nothing yet: then the settings are wrong, not the items
OUTAGE: Reason = "endpoint"
LOG_EVERY_S = 30.0
PROBE = ({"role": "user", "content": "1+1?"},)


@dataclass
class Request:
    """One request and the items that wait for its reply: two may have come to the same one."""

    ask: Ask
    key: bytes
    model: Model
    places: list[int]
    tries: Tries = field(default_factory=Tries)

    @property
    def ref(self) -> str:
        return self.model.source.ref


Answers = list[tuple[int, Reply]]  # (place of the item, what it gets)


@dataclass
class Line:
    """What waits for one model."""

    model: Model
    pace: Pace
    waiting: deque[Request] = field(default_factory=deque)
    held: list[tuple[Request, str]] = field(default_factory=list)  # refused, before anything was answered
    n_flying: int = 0
    n_put_off: int = 0
    logged_at: float = -LOG_EVERY_S

    @property
    def is_idle(self) -> bool:
        return not (self.waiting or self.n_flying or self.n_put_off)


class Desk:
    """Requests by where they are: waiting for their turn, under way, put off after a failure, or held back."""

    def __init__(self, roster: Roster, counter: Counter, drive: str, log: Callable[[str], None]):
        self.roster, self.counter = roster, counter
        self._spec, self._log = roster.spec, log
        self._job = roster.payer(drive)
        self._open: dict[bytes, Request] = {}  # by key, wherever they are
        self._lines: dict[str, Line] = {}  # by model
        self._flying: dict[int, tuple[Request, Callable[[], None]]] = {}
        self._put_off: list[tuple[float, int, Request]] = []
        self._told: SimpleQueue[tuple[int, Chunk]] = SimpleQueue()
        self._n_sent = 0
        self._closing = False

    @property
    def n_open(self) -> int:
        return len(self._open)

    @property
    def n_flying(self) -> int:
        return len(self._flying)

    @property
    def n_active(self) -> int:
        """Requests that are under way, or will be."""
        return sum(len(line.waiting) + line.n_flying + line.n_put_off for line in self._lines.values())

    @property
    def is_spent(self) -> bool:
        tokens, usd = self.roster.tokens_before + self.counter.n_tokens, self.roster.usd_before + self.counter.usd
        return is_spent(self._spec, tokens, usd)

    def _is_promised(self) -> bool:
        """Whether the budget is used up once what is under way has come, each as dear as replies were so far."""
        n, n_flying, spec = self.counter.n_requests, len(self._flying), self._spec
        if not n_flying:
            return False
        tokens = self.counter.n_tokens / n if n else spec.max_new_tokens
        usd = self.counter.usd / n if n else price(spec, 0, spec.max_new_tokens)
        return is_spent(spec, self.roster.tokens_before + self.counter.n_tokens + int(tokens * n_flying),
                        self.roster.usd_before + self.counter.usd + usd * n_flying)

    def take(self, place: int, ask: Ask) -> Reply | None:
        """The reply, if it is in the cache; else the request waits for its turn."""
        key = self.roster.key(ask)
        if (request := self._open.get(key)) is not None:
            request.places.append(place)
            return None
        if (reply := self.roster.cache.get(key)) is not None:
            reply = reply.model_copy(update={"cached": True})
            self.counter.add(ask.role, reply, priced=False)
            return reply
        request = self._open[key] = Request(ask, key, self.roster.model(ask.role), [place])
        self._line(request).waiting.append(request)
        return None

    def send(self) -> None:
        """Ask what may be asked now. LabError for a model that cannot be asked at all."""
        now = time.monotonic()
        while self._put_off and self._put_off[0][0] <= now:
            request = heapq.heappop(self._put_off)[2]
            line = self._line(request)
            line.n_put_off -= 1
            line.waiting.appendleft(request)
        if self.is_spent:
            return
        for line in self._lines.values():
            if line.waiting and not line.n_flying and line.pace.given_up(now):
                self._submit(self._probe(line.waiting[0]))
            while (line.waiting and self.n_flying < self._spec.at_once and line.pace.may_ask(now, line.n_flying)
                   and not self.is_spent and not self._is_promised()):
                self._submit(line.waiting.popleft())

    def hear(self, timeout_s: float) -> Answers:
        """Wait for what comes first, and take all that is there. LabError where nothing will be answered any more."""
        if self.n_active:
            return self._settled(self._chunks(min(timeout_s, self._due_s()))) + self._released()
        return self._released()

    def take_in(self, grace_s: float) -> Answers:
        """What is under way, if it comes within this time. The rest is given up, and nothing is asked again."""
        self._closing, deadline, answers = True, time.monotonic() + grace_s, Answers()
        while self._flying and (left := deadline - time.monotonic()) > 0:
            answers += self._settled(self._chunks(left))
        self.cancel()
        return answers

    def cancel(self) -> None:
        flying, self._flying = self._flying, {}
        for _, cancel in flying.values():
            cancel()

    def _line(self, request: Request) -> Line:
        if request.ref not in self._lines:
            self._lines[request.ref] = Line(request.model, Pace(self._spec.at_once, self._spec.patience_s))
        return self._lines[request.ref]

    def _submit(self, request: Request) -> None:
        self._n_sent += 1
        ticket = self._n_sent
        cancel = self.roster.submit(request.ask, lambda chunk: self._told.put((ticket, chunk)))
        self._flying[ticket] = request, cancel
        self._line(request).n_flying += 1

    def _probe(self, request: Request) -> Request:
        """The least that can be asked: is anybody there, or is it these requests that fail?"""
        return Request(Ask(role=request.ask.role, prompt="", messages=PROBE, max_new_tokens=1), b"", request.model, [])

    def _due_s(self) -> float:
        """Until something may be sent that may not be sent now."""
        now = time.monotonic()
        times = [line.pace.paused_until for line in self._lines.values() if line.waiting]
        times = [at for at in [*times, *(put_off[0] for put_off in self._put_off[:1])] if at > now]
        return max(0.0, min(times, default=now + 3600) - now)

    def _chunks(self, timeout_s: float) -> list[tuple[int, Chunk]]:
        found = []
        try:
            found.append(self._told.get(timeout=timeout_s))
            while True:
                found.append(self._told.get_nowait())
        except Empty:
            return found

    def _settled(self, chunks: Sequence[tuple[int, Chunk]]) -> Answers:
        """Replies go into the cache, all in one commit, before any other thing is done with one."""
        heard = [(self._flying.pop(ticket)[0], chunk) for ticket, chunk in chunks if ticket in self._flying]
        replies = [(request, reply, chunk.counted) for request, chunk in heard
                   if (reply := reply_of(request.ask, chunk)) is not None]
        self.roster.cache.put([Kept(one.key, reply, one.model.source.label, self._job, one.ask.role, told)
                               for one, reply, told in replies if one.places])
        answers = [each for one, reply, told in replies for each in self._answered(one, reply, told)]
        now, good = time.monotonic(), {id(request) for request, _, _ in replies}
        for request, chunk in heard:
            if id(request) not in good:
                answers += self._failed(request, chunk, now)
        return answers

    def _answered(self, request: Request, reply: Reply, told: bool) -> Answers:
        line = self._line(request)
        line.n_flying -= 1
        line.pace.answered()
        self._doubt(line, request)
        return self._ended(request, reply, told) if request.places else []

    def _doubt(self, line: Line, request: Request) -> None:
        """If this was a probe, somebody is there."""
        for waiting in () if request.places else line.waiting:
            waiting.tries.doubt()

    def _ended(self, request: Request, reply: Reply, told: bool = True) -> Answers:
        """The first item that asked has paid; for the others it is as good as in the cache."""
        del self._open[request.key]
        again = reply if reply.finish == "refused" else reply.model_copy(update={"cached": True})
        answers = list(zip(request.places, [reply, *[again] * (len(request.places) - 1)], strict=True))
        for _, each in answers:
            self.counter.add(request.ask.role, each, priced=request.model.is_remote, told=told)
        return answers

    def _failed(self, request: Request, chunk: Chunk, now: float) -> Answers:
        line, trouble = self._line(request), chunk.trouble
        line.n_flying -= 1
        if self._closing:
            return []
        if trouble is None:
            raise LabError(f"{line.model.source.label}: {chunk.text or 'it stopped in the middle of an answer'}",
                           "bug" if chunk.bug else "data")
        if trouble.kind == "settings":
            raise LabError(chunk.text, "spec")
        if trouble.kind == "refused":
            line.pace.answered(good=False)
            line.held += [(request, chunk.text)] if request.places else []
            self._doubt(line, request)
            self._check_refusals(line)
            return []
        line.pace.failed(now, line.n_flying + 1, trouble, chunk.text)
        if not request.places:
            raise self._gone(line)
        self._tell(line, now)
        wait_s = request.tries.failed(now, line.pace, trouble)
        if request.tries.hopeless(now, self._spec.patience_s):
            return self._ended(request, refusal(f"it failed again and again while others were answered: {chunk.text}"))
        line.n_put_off += 1
        heapq.heappush(self._put_off, (now + wait_s, id(request), request))
        return []

    def _check_refusals(self, line: Line) -> None:
        if len(line.held) >= FIRST_REFUSALS and not line.pace.n_answers:
            raise LabError(f"{line.model.source.label} has refused the first {len(line.held)} requests and answered "
                           f"none, so it is the settings rather than the items. It says: {line.held[-1][1]}", "spec")

    def _released(self) -> Answers:
        """Refusals stand once the model has answered something, or when there is nothing else to wait for."""
        answers = Answers()
        for line in self._lines.values():
            if line.held and (line.pace.n_answers or line.is_idle):
                held, line.held = line.held, []
                answers += [each for request, words in held for each in self._ended(request, refusal(words))]
        return answers

    def _tell(self, line: Line, now: float) -> None:
        if line.pace.paused_until > now and now - line.logged_at > LOG_EVERY_S:
            line.logged_at = now
            self._log(f"{line.model.source.label}: {line.pace.last_words}. It is asked again in "
                      f"{line.pace.paused_until - now:.1f} s, for {int(line.pace.limit)} at once.")

    def _gone(self, line: Line) -> LabError:
        return LabError(
            f"{line.model.source.label} has answered nothing for {self._spec.patience_s:g} s. It said last: "
            f"{line.pace.last_words}. What was made is kept; when it answers again, resume goes on from there.", OUTAGE
        )
