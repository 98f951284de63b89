"""Machines: how one item goes from what was given to what is kept, as pure functions of a state and a reply.

A machine holds settings and nothing else. `begin` makes the state of an item, `ask` says what has to be asked next,
`step` takes the reply. A state is plain data: kept on the disk after each step, it goes on after a kill where it was.
Nothing is drawn from a running generator: what is random follows from the seed, the item's id and the place (`draw`).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from typing import Any, Generic, Literal, Protocol, TypeVar

from lab.core.types import Plain

MOST_STEPS = 1000  # far beyond what any machine asks of one item
Finish = Literal["eos", "stop", "length", "refused"]


class Ask(Plain):
    """One question to one of the job's models."""

    role: str  # whom: 'teacher', 'verifier', 'judge', 'solver:0' …; the job says which model that is
    prompt: str  # name of the template it was written from
    messages: tuple[dict[str, str], ...]
    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


class Reply(Plain):
    """What came back. Thinking of a model that thinks is apart: only `text` is read."""

    text: str
    think: str = ""
    finish: Finish = "eos"  # length: cut; refused: the endpoint would not answer this one (its 400), `text` says why
    n_prompt_tokens: int = 0
    n_completion_tokens: int = 0  # thinking included
    seconds: float = 0.0
    cached: bool = False  # answered before, and not paid for again


class ItemState(Plain):
    """The state of one item. `outcome` is "" while something is still to be asked."""

    id: str
    outcome: str = ""  # how it ended: a word of the machine's own list
    why: str = ""  # the same in a sentence, for the person who looks at what was dropped
    n_asked: int = 0

    @property
    def done(self) -> bool:
        return bool(self.outcome)


Item = TypeVar("Item", contravariant=True)
State = TypeVar("State", bound=ItemState)


class Machine(Protocol, Generic[Item, State]):
    """One kind of work on one item."""

    state: type[State]

    def begin(self, item: Item) -> State: ...
    def ask(self, state: State) -> Ask: ...
    def step(self, state: State, reply: Reply) -> State: ...


def draw(seed: int, *place: Any) -> random.Random:
    """A generator for one place: the same for the same seed, item, attempt and depth, whatever was drawn before."""
    digest = hashlib.sha256("/".join(map(str, (seed, *place))).encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def seed_of(seed: int, *place: Any) -> int:
    """The seed of one request, 31 bits: a second try at the same place is another request, and another reply."""
    return draw(seed, *place).getrandbits(31)


def play(machine: Machine[Item, State], item: Item, answer: Callable[[Ask], Reply]) -> State:
    """One item to its end with whatever answers: a notebook's way, and a test's. RuntimeError if it never ends."""
    state = machine.begin(item)
    for _ in range(MOST_STEPS):
        if state.done:
            return state
        state = machine.step(state, answer(machine.ask(state)))
    raise RuntimeError(f"item '{state.id}' did not end within {MOST_STEPS} requests")
