"""A scripted teacher for the machine of instructions: what it says to each prompt, in turn; and walks through it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.data.texts import Text
from lab.synthesis.instructing import InstructionsMachine
from lab.synthesis.machine import Ask, Reply
from lab.synthesis.prompts import own_prompts
from lab.synthesis.specs import InstructionsSpec
from lab.synthesis.text_state import TextState

TEXT = Text(id="text-1", text="Gout comes of urate. Colchicine helps.", source="notes.txt")
LONG = ("### Thought\n\nUrate crystals inflame the joint.\nColchicine, or rest?\n\n"
        "### Summarization\n\nColchicine, then allopurinol.")
Said = str | Reply | Callable[[Ask], str]


def questions(first: str = "What causes gout?", second: str = "How is gout treated?") -> str:
    return json.dumps({"question1": first, "question2": second})


def grade(quality: int = 8, complexity: int = 5, relevance: int = 6, leaks: bool = False) -> str:
    return json.dumps({"quality": quality, "complexity": complexity, "relevance": relevance, "leaks": leaks})


def long(thought: str, answer: str) -> str:
    return f"### Thought\n\n{thought}\n\n### Summarization\n\n{answer}"


def better(said: str) -> str:
    return json.dumps({"better": said})


def prefers(words: str) -> Callable[[Ask], str]:
    """A judge that always finds the answer with these words, wherever it stands."""
    return lambda ask: better("A" if words in ask.messages[0]["content"].split("<answer_B>")[0] else "B")


# By prompt: replies in turn, the last one again and again.
COMMON: Mapping[str, Sequence[Said]] = {
    "instructions": [questions()], "grade": [grade(quality=6), grade(quality=8)],
    "answer": ["Colchicine first, allopurinol later."],
    "department": ["Internal Medicine", "Rheumatology and Immunology"],
}
COMPLEX: Mapping[str, Sequence[Said]] = {
    **COMMON, "grade": [grade(complexity=9), grade(complexity=3)], "long_answer": [LONG], "direct": ["Take aspirin."],
    "compare": [prefers("Urate crystals")],
}


@dataclass
class Script:
    """Answers by prompt and remembers what it was asked."""

    said: Mapping[str, Sequence[Said]]
    asked: list[Ask] = field(default_factory=list)

    def __call__(self, ask: Ask) -> Reply:
        told = self.said[ask.prompt]
        n_before = sum(each.prompt == ask.prompt for each in self.asked)
        self.asked.append(ask)
        reply = told[min(n_before, len(told) - 1)]
        if callable(reply):
            reply = reply(ask)
        return reply if isinstance(reply, Reply) else Reply(text=reply)

    @property
    def prompts(self) -> list[str]:
        return [each.prompt for each in self.asked]


def machine(**values: Any) -> InstructionsMachine:
    return InstructionsMachine(InstructionsSpec(**values), own_prompts())


def walk(
    said: Mapping[str, Sequence[Said]], text: Text = TEXT, through_json: bool = False, **values: Any
) -> tuple[TextState, Script]:
    """One text to its end; `through_json`: every state on the way is written and read again, as after a kill."""
    asked, worker = Script(said), machine(**values)
    state = worker.begin(text)
    for _ in range(100):
        if through_json:
            state = TextState.model_validate_json(state.model_dump_json())
        if state.done:
            return state, asked
        state = worker.step(state, asked(worker.ask(state)))
    raise AssertionError("it does not end")
