"""The embedded teacher as a function: a reply follows from the messages, the seed, the temperature and the settings."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lab.engine.protocol import Message
from lab.synthesis.embedded import judging, notes, reasoning, telling
from lab.synthesis.embedded.faults import with_fault
from lab.synthesis.embedded.knowledge import fact_of, problem_of
from lab.synthesis.embedded.reading import read_prompt
from lab.synthesis.embedded.settings import REFUSAL, Settings
from lab.synthesis.machine import draw


class Question(NamedTuple):
    """One request as a handler sees it."""

    fields: dict[str, str]
    rng: random.Random
    settings: Settings

    @property
    def asked(self) -> str:
        return self.fields["question"]


def answer(
    messages: Sequence[Message], seed: int = 0, temperature: float = 0.0, settings: Settings | None = None
) -> str:
    """The reply to the last message. Greedy replies do not depend on the seed. REFUSAL to what is no demo problem."""
    settings = settings or Settings()
    said = "\n".join(message["content"] for message in messages)
    place = hashlib.sha256(said.encode()).hexdigest(), seed if temperature else "greedy"
    asked = read_prompt(messages[-1]["content"]) if messages else read_prompt("")
    question = Question(asked.fields, draw(settings.seed, "reply", *place), settings)
    reply = HANDLERS[asked.prompt](question) or REFUSAL
    faults = draw(settings.seed, "format", *place)
    if reply != REFUSAL and faults.random() < settings.format_faults:
        return with_fault(reply, faults)
    return reply


def _json(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False) if found else ""


def _steps(actions: list[reasoning.Action]) -> str:
    return _json({"steps": actions} if actions else None)


def _think(q: Question) -> str:
    problem = problem_of(q.asked)
    return _steps(reasoning.first_thought(problem, q.rng, q.settings)) if problem else ""


def _rethink(q: Question) -> str:
    problem = problem_of(q.asked)
    if not problem:
        return ""
    return _steps(reasoning.rethought(problem, q.fields["reasoning"], q.fields["strategy"], q.rng, q.settings))


def _label_shown(q: Question) -> str:
    problem = problem_of(q.asked)
    return _steps(reasoning.towards(problem, q.fields["reasoning"], q.fields["reference"])) if problem else ""


def _naturalise(q: Question) -> str:
    problem = problem_of(q.asked)
    text = telling.naturalised(problem, q.fields["steps"]) if problem else ""
    return _json({"text": text} if text else None)


def _respond(q: Question) -> str:
    problem = problem_of(q.asked)
    return telling.responded(problem, q.fields["notes"]) if problem else ""


def _simple(q: Question) -> str:
    problem = problem_of(q.asked)
    if not problem:
        return ""
    thinking, said = telling.simply(problem, q.rng, q.settings)
    return _json({"thinking": thinking, "answer": said})


def _direct(q: Question) -> str:
    problem = problem_of(q.asked)
    return telling.at_once(problem, q.rng, q.settings) if problem else _recalled(q)


def _answer(q: Question) -> str:
    problem = problem_of(q.asked)
    return telling.explained(problem, q.rng, q.settings) if problem else _recalled(q)


def _long_answer(q: Question) -> str:
    problem = problem_of(q.asked)
    if problem:
        return telling.long_answer(problem, q.rng, q.settings)
    said = _recalled(q)
    return f"### Thought\n\nThat is one single fact.\n\n### Summarization\n\n{said}" if said else ""


def _recalled(q: Question) -> str:
    fact = fact_of(q.asked)
    return f"{fact.statement()}\nAnswer: {fact.value}" if fact else ""


def _solve(q: Question) -> str:
    letter = judging.chosen(q.asked, q.fields["options"], q.rng, q.settings)
    return f"Answer: {letter}" if letter else ""


def _verify(q: Question) -> str:
    return str(judging.agrees(q.fields["reference"], q.fields["candidate"], q.rng, q.settings))


def _compare(q: Question) -> str:
    return _json({"better": judging.better(q.asked, q.fields["first"], q.fields["second"], q.rng, q.settings)})


HANDLERS: dict[str, Callable[[Question], str]] = {
    "": _answer,  # a question as it stands
    "filter": lambda q: judging.filtered(q.asked, q.fields["options"], q.rng, q.settings),
    "reformulate": lambda q: _json(judging.reformulated(q.asked)),
    "solve": _solve,
    "verify": _verify,
    "think": _think,
    "rethink": _rethink,
    "label_shown": _label_shown,
    "naturalise": _naturalise,
    "respond": _respond,
    "simple": _simple,
    "direct": _direct,
    "instructions": lambda q: _json(notes.questions(q.fields["text"], q.rng)),
    "grade": lambda q: _json(notes.grade(q.asked, q.rng)),
    "answer": _answer,
    "long_answer": _long_answer,
    "department": lambda q: notes.department(q.asked, q.fields["choices"], q.rng, q.settings),
    "compare": _compare,
}
