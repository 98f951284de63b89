"""Driving: many items through one machine, their requests together, with every state and every reply on the disk.

A reply goes into the cache, then through the machine's step, then the new state to the disk. An attempt that is killed
between any two of these loses nothing that was paid for: the next one reads the states, asks the same again, and finds
the reply. Which reply comes first decides nothing, because a state depends on its own replies alone.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lab.core.context import Context, Stopped
from lab.core.errors import LabError
from lab.core.settings import Settings
from lab.synthesis.asking import Answers, Desk
from lab.synthesis.keeping import KeptStates
from lab.synthesis.machine import ItemState, Machine, Reply
from lab.synthesis.prompts import read_prompts
from lab.synthesis.specs import TeacherSettings
from lab.synthesis.spending import Counter, RoleSpent, Spent
from lab.synthesis.teachers import Roster

# What decides how fast and how far it goes, and no reply and no step.
NOT_THE_WORK = {"name", "at_once", "timeout_s", "patience_s", "budget_tokens", "budget_usd", "usd_per_million_prompt",
                "usd_per_million_completion", "use_cache", "max_items"}
LOOK_EVERY_S = 0.5
TELL_EVERY_S = 5.0
TELLING_SHARE = 0.05  # of the time, at most, goes into telling how far it is
MOST_GRACE_S = 60.0  # for replies that are under way when the job is to stop
FAULT_GRACE_S = 10.0  # for the same when it stops by itself

Told = Callable[[Sequence[Any]], dict[str, Any]]


@dataclass(frozen=True)
class Driven:
    """Items as far as they came, in their order. Open ones are not dropped: the budget was spent before their end."""

    states: list[Any]
    spent: Spent
    out_of_budget: bool

    @property
    def n_open(self) -> int:
        return sum(not state.done for state in self.states)


def drive(
    machine: Machine, items: Sequence[tuple[str, Any]], roster: Roster, spec: TeacherSettings, context: Context,
    told: Told | None = None,
) -> Driven:
    """Take every item (id, item) to its end, or to the end of the budget. `told` makes facts of all states, announced.

    Raises Stopped when the context asks for it, LabError when a model is gone or cannot be asked: what was made is
    kept, and a new attempt goes on. Several drives of one job need machines with a `name` each.
    """
    run = _Run(machine, items, roster, spec, context)
    try:
        out_of_budget = run.to_the_end(told)
    finally:
        run.close()
    roster.tokens_before += run.spent.n_tokens
    roster.usd_before += run.spent.usd
    return Driven(run.states, run.spent, out_of_budget)


class _Run:
    """One drive of one attempt."""

    def __init__(
        self, machine: Machine, items: Sequence[tuple[str, Any]], roster: Roster, spec: TeacherSettings,
        context: Context,
    ):
        self.machine, self.spec, self.context = machine, spec, context
        self._started = time.monotonic()
        name = str(getattr(machine, "name", "") or type(machine).__name__.lower())
        self.firsts = _begun(machine, items)
        self.kept = KeptStates(context.checkpoints, name, _mark(machine, name, spec))
        self.states = [self.kept.found(first) or first for first in self.firsts]
        self.kept.begin()
        self.counter = Counter(spec, _spent_before(self.kept.spent, roster, name, spec))
        self.desk = Desk(roster, self.counter, name, context.log)
        self.n_done = sum(state.done for state in self.states)
        self._ready = deque(place for place, state in enumerate(self.states) if not state.done and state.n_asked)
        self._fresh = iter([place for place, state in enumerate(self.states) if not state.done and not state.n_asked])
        self._any_fresh = True
        self._looked_at, self._telling_at = 0.0, 0.0
        if begun := sum(state is not first for state, first in zip(self.states, self.firsts, strict=True)):
            context.log(f"{begun} of {len(self.states)} items have been begun before, {self.n_done} are done")

    @property
    def spent(self) -> Spent:
        return self.counter.spent(time.monotonic() - self._started)

    def to_the_end(self, told: Told | None) -> bool:
        """Whether the budget was spent before all items had ended."""
        with self._winding_down():
            while True:
                busy = self._advance()
                self.desk.send()
                self._step_all(self.desk.hear(0.0 if busy else LOOK_EVERY_S))
                self.kept.flush()
                self._look(told)
                if not busy and not self._ready and not self.desk.n_flying and self._is_over():
                    break
        self._tell(told)
        return self.n_done < len(self.states)

    def close(self) -> None:
        """Everything known is on the disk."""
        self.desk.cancel()
        self.kept.note(self.spent)
        self.kept.close()

    def _is_over(self) -> bool:
        return self.desk.is_spent or not (self.desk.n_open or self._any_fresh)

    def _advance(self) -> bool:
        """Items that wait for nothing find what they ask next, those that are under way first. Whether there are more.

        Replies from the cache need no time of anybody else: a turn ends after a while, so that the job can be stopped.
        """
        turn_ends = time.monotonic() + LOOK_EVERY_S
        while time.monotonic() < turn_ends:
            if not self._ready and not self._begin_another():
                return False
            self._go_on(self._ready.popleft())
        return True

    def _begin_another(self) -> bool:
        if self.desk.n_active >= self.spec.at_once or self.desk.is_spent:
            return False
        place = next(self._fresh, None)
        self._any_fresh = place is not None
        if place is not None:
            self._ready.append(place)
        return place is not None

    def _go_on(self, place: int) -> None:
        """Up to the first request that has to be made."""
        while not self.states[place].done:
            with self._naming(place):
                ask = self.machine.ask(self.states[place])
            reply = self.desk.take(place, ask)
            if reply is None:
                return
            self._step(place, reply)

    def _step_all(self, answers: Answers) -> None:
        for place, reply in answers:
            self._step(place, reply)
            if not self.states[place].done:
                self._ready.append(place)

    def _step(self, place: int, reply: Reply) -> None:
        before = self.states[place]
        with self._naming(place):
            self.states[place] = self.machine.step(before, reply)
        self.kept.add(self.firsts[place], before, self.states[place])
        self.n_done += self.states[place].done

    @contextmanager
    def _naming(self, place: int) -> Iterator[None]:
        """A fault of a machine is a bug, whatever it raises: no item may end by one."""
        try:
            yield
        except Exception as error:
            raise RuntimeError(f"item '{self.states[place].id}': {type(error).__name__}: {error}") from error

    def _look(self, told: Told | None) -> None:
        if time.monotonic() - self._looked_at > LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            if self.context.stop_requested() and not (self.n_done == len(self.states)):
                raise Stopped()
        if time.monotonic() > self._telling_at:
            self._tell(told)

    def _tell(self, told: Told | None) -> None:
        began = time.monotonic()
        text = f"{self.n_done} of {len(self.states)} items, {self.desk.n_flying} requests under way"
        self.context.progress(self.n_done, len(self.states), text)
        self.kept.note(spent := self.spent)
        self.context.announce(**(told(self.states) if told else {}), spent=spent.model_dump())
        took = time.monotonic() - began
        self._telling_at = time.monotonic() + max(TELL_EVERY_S, took / TELLING_SHARE)

    @contextmanager
    def _winding_down(self) -> Iterator[None]:
        """Whatever ends the drive: replies that are under way are taken in, for they are paid for."""
        try:
            yield
        except Stopped:
            self._take_in(min(MOST_GRACE_S, Settings.from_env().grace_s / 2))
            raise Stopped(f"{self.n_done} of {len(self.states)} items are done; what was asked is kept") from None
        except (LabError, RuntimeError) as error:
            if getattr(error, "reason", "bug") != "disk":
                self._take_in(FAULT_GRACE_S, steps=isinstance(error, LabError))
            raise

    def _take_in(self, grace_s: float, *, steps: bool = True) -> None:
        answers = self.desk.take_in(grace_s)
        self._step_all(answers if steps else [])


def _begun(machine: Machine, items: Sequence[tuple[str, Any]]) -> list[ItemState]:
    firsts = [machine.begin(item) for _, item in items]
    ids = [state.id for state in firsts]
    if ids != [id for id, _ in items] or len(set(ids)) < len(ids):
        raise LabError("the items of a drive need ids that are unique, and those their machine begins them with", "bug")
    return firsts


def _mark(machine: Machine, name: str, spec: TeacherSettings) -> str:
    """Everything that decides a step but the replies."""
    values = {field: value for field, value in spec.as_dict().items() if field not in NOT_THE_WORK}
    version, prompts = getattr(machine, "version", 1), read_prompts(spec.prompts).shas()
    parts = [name, version, machine.state.__qualname__, values, prompts]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _spent_before(noted: Spent, roster: Roster, drive: str, spec: TeacherSettings) -> Spent:
    """What the job noted, and what the cache knows that it paid for: a kill may come between the two."""
    roles = dict(noted.by_role)
    for role, paid in roster.paid(drive).items():
        known = roles.get(role, RoleSpent())
        if paid.n_requests > known.n_requests:
            roles[role] = known.model_copy(update={**paid._asdict(), "usd": roster.price(role, paid)})
    return Spent(seconds=noted.seconds, by_role=roles)
