"""Scripted teachers: what answers an ask in a test, by the template it was written from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from lab.core.types import Example
from lab.synthesis.machine import Ask, ItemState, Machine, Reply

PROBLEM = Example(id="gap-1", question="Sodium 138, chloride 102, bicarbonate 24 mmol/L. What is the anion gap?",
                  answer="Answer: 12 mmol/L", gold="12", verifier="numeric", subject="anion gap")


def thought(number: int | str = 12, begins_with_check: bool = False) -> str:
    """A reasoning that concludes with a number."""
    steps = [{"think": "subtract", "text": "138-102=36, then 24 less"},
             {"conclude": f"The gap is {number}.\nAnswer: {number}"},
             {"check": "It holds."}]
    return json.dumps({"steps": [{"check": "It fails."}, *steps] if begins_with_check else steps})


def rethought(number: int | str = 12) -> str:
    return thought(number, begins_with_check=True)


NATURAL = json.dumps({"text": "Hmm, 138 less 102 is 36.\nAlso 24 less, so 12."})
SIMPLE = json.dumps({"thinking": "138-102-24", "answer": "Answer: 12"})
Line = str | Reply


@dataclass
class Script:
    """Replies by template, in turn; the last one of a template is said again. `asked` keeps every ask."""

    lines: Mapping[str, Iterable[Line] | Line]
    asked: list[Ask] = field(default_factory=list)

    def __call__(self, ask: Ask) -> Reply:
        lines = self.lines[ask.prompt]
        listed = [lines] if isinstance(lines, str | Reply) else list(lines)
        said = listed[min(sum(ask.prompt == before.prompt for before in self.asked), len(listed) - 1)]
        self.asked.append(ask)
        return said if isinstance(said, Reply) else Reply(text=said)

    @property
    def prompts(self) -> list[str]:
        return [ask.prompt for ask in self.asked]


def play_with_kills(machine: Machine, item: object, answer: Callable[[Ask], Reply]) -> ItemState:
    """As `machine.play`, with the state written out as JSON and read back between any two steps."""
    state = machine.begin(item)
    while not state.done:
        state = machine.state.model_validate_json(state.model_dump_json())
        again = machine.state.model_validate_json(state.model_dump_json())
        assert machine.ask(state) == machine.ask(again), "what is asked follows from the state alone"
        state = machine.step(state, answer(machine.ask(state)))
    return state
