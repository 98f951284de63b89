"""A machine for tests of the driver: an item asks so many questions, one after another, and keeps what was said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.synthesis.machine import Ask, ItemState, Reply, seed_of
from lab.synthesis.specs import ReasoningSpec


class StepsState(ItemState):
    text: str
    said: tuple[str, ...] = ()
    finishes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Steps:
    """`roles` take turns. A refusal ends an item. An item whose text is 'break' breaks the machine."""

    n: int = 3
    roles: tuple[str, ...] = ("teacher",)
    name: str = "steps"
    version: int = 1
    temperature: float = 0.8
    state = StepsState

    def begin(self, item: tuple[str, str]) -> StepsState:
        return StepsState(id=item[0], text=item[1], outcome="empty" if not item[1] else "")

    def ask(self, state: StepsState) -> Ask:
        place, before = len(state.said), state.said[-1] if state.said else "nothing"
        said = {"role": "user", "content": f"{state.text}, step {place}, after {before}"}
        seed = seed_of(0, state.id, place) if self.temperature else 0
        return Ask(role=self.roles[place % len(self.roles)], prompt="step", messages=(said,), max_new_tokens=64,
                   temperature=self.temperature, seed=seed)

    def step(self, state: StepsState, reply: Reply) -> StepsState:
        if state.text == "break" and state.said:
            raise ValueError("a fault of the machine")
        said, finishes = (*state.said, reply.text), (*state.finishes, reply.finish)
        done = "refused" if reply.finish == "refused" else "made" if len(said) == self.n else ""
        return state.model_copy(update={"said": said, "finishes": finishes, "n_asked": state.n_asked + 1,
                                        "outcome": done})


def items_of(n: int) -> list[tuple[str, Any]]:
    return [(f"i{place}", (f"i{place}", f"question {place}")) for place in range(n)]


def spec_of(**values: Any) -> ReasoningSpec:
    facts = {"teacher": "remote:big", "at_once": 8, "patience_s": 5, "timeout_s": 5}
    return ReasoningSpec.model_validate(facts | values)
