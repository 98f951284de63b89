"""Reasoning as actions: a first line of thought, and what each strategy makes of one whose conclusion was false.

Which lines of a shown reasoning stand is read from it: every pass ends with the last line of the working, so the lines
before a conclusion take the last places. A reasoning in another hand cannot be read, and everything is done anew.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

from lab.data.demo.problem import Problem
from lab.synthesis.embedded.settings import Settings
from lab.synthesis.embedded.working import Line, read_lines, said, steps_of, worked, wrong_lines
from lab.synthesis.strategies import STRATEGIES

Action = dict[str, str]
FAILS = {"new path": "that is wrong, begin again", "backtracking": "that is wrong, back to line {}",
         "correction": "{} is wrong", "verification": "{} is wrong"}
UNSEEN = "that is wrong, but where?"
# A strategy in other words than the lab's is known by one of these.
WORDS = {"backtracking": ("earlier", "back"), "new path": ("new", "different", "not been used"),
         "verification": ("valid", "verif", "each"), "correction": ("repair", "correct", "flaw")}


def first_thought(problem: Problem, rng: random.Random, settings: Settings) -> list[Action]:
    """A working, its conclusion and its check. A check that sees a wrong line thinks again from there, once."""
    lines = worked(problem, rng, settings.mistakes)
    actions = [*_thinks(problem, lines), _concludes(problem, lines)]
    wrong = wrong_lines(problem, lines)
    if wrong and rng.random() < settings.self_check:
        actions.append({"check": FAILS["verification"].format(lines[wrong[0]].text)})
        lines = worked(problem, rng, settings.mistakes, lines[:wrong[0]])
        actions += [*_thinks(problem, lines, wrong[0]), _concludes(problem, lines)]
    return [*actions, _holds(lines)]


def rethought(problem: Problem, shown: str, strategy: str, rng: random.Random, settings: Settings) -> list[Action]:
    """The new actions after a false conclusion."""
    lines, way = shown_lines(problem, read_actions(shown)), strategy_of(strategy)
    if lines is None:
        way, lines = "new path", ()
    start, check = _where(problem, lines, way, rng, settings)
    lines = worked(problem, rng, settings.mistakes, lines[:start])
    return [{"check": check}, *_thinks(problem, lines, start), _concludes(problem, lines), _holds(lines)]


def towards(problem: Problem, shown: str, reference: str) -> list[Action]:
    """From a false conclusion to the answer that was shown: no line goes wrong. [] where the answer is another one."""
    lines = shown_lines(problem, read_actions(shown)) or ()
    wrong = wrong_lines(problem, lines)
    start = wrong[0] if wrong else 0
    check = FAILS["correction"].format(lines[start].text) if wrong else FAILS["new path"]
    right = worked(problem, random.Random(0), 0, lines[:start])
    if problem.gold not in reference.replace(".", " ").replace(")", " ").split():
        return []
    return [{"check": check}, *_thinks(problem, right, start), _concludes(problem, right), _holds(right)]


def read_actions(shown: str) -> list[Action]:
    """The actions of a shown reasoning; [] where it is none in the lab's form."""
    try:
        found = json.loads(shown)
    except ValueError:
        return []
    steps: Any = found.get("steps") if isinstance(found, dict) else found
    if not isinstance(steps, list):
        return []
    return [step for step in steps if isinstance(step, dict) and all(isinstance(text, str) for text in step.values())]


def shown_lines(problem: Problem, actions: Sequence[Action]) -> tuple[Line, ...] | None:
    """The working as it stands at the last conclusion."""
    lines: tuple[Line, ...] = ()
    written: list[str] = []
    for action in actions:
        if "think" in action:
            written += action.get("text", "").splitlines()
        elif "conclude" in action:
            found = read_lines(problem, written, lines)
            if found is None:
                return None
            lines, written = found, []
    return lines or None


def strategy_of(clause: str) -> str:
    """The name of a strategy by its clause."""
    for name, text in STRATEGIES.items():
        if clause.strip() == text:
            return name
    folded = clause.casefold()
    return next((name for name, words in WORDS.items() if any(word in folded for word in words)), "new path")


def _where(
    problem: Problem, lines: Sequence[Line], way: str, rng: random.Random, settings: Settings
) -> tuple[int, str]:
    """From which line on the working is done anew, and the check that says so."""
    if way == "new path":
        return 0, FAILS[way]
    if way == "backtracking":
        start = rng.randrange(len(lines))
        return start, FAILS[way].format(start + 1)
    wrong = wrong_lines(problem, lines)
    # Verification looks at every line, so a second wrong one can be what is seen; correction looks for the first.
    for place in wrong if way == "verification" else wrong[:1]:
        if rng.random() < settings.notices:
            return place, FAILS[way].format(lines[place].text)
    if way == "correction":  # the wrong spot is repaired
        return rng.randrange(len(lines)), UNSEEN
    return len(lines) - 1, UNSEEN


def _thinks(problem: Problem, lines: Sequence[Line], start: int = 0) -> list[Action]:
    steps = steps_of(problem)
    return [{"think": steps[place].title, "text": lines[place].text} for place in range(start, len(lines))]


def _concludes(problem: Problem, lines: Sequence[Line]) -> Action:
    return {"conclude": said(problem, lines[-1].value)}


def _holds(lines: Sequence[Line]) -> Action:
    return {"check": f"{lines[-1].text}, yes"}
