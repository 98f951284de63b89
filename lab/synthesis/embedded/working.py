"""A demo problem's working: its lines as steps, a working with mistakes, what of a shown one is wrong, and its
answer."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from lab.data.demo.logic import DIRECTIONS
from lab.data.demo.problem import Problem
from lab.synthesis.embedded.steps import BAND, FACT, SUM, TURN, Band, Looked, Order, Relation, Step, Sum, Turn, Value


class Line(NamedTuple):
    text: str
    value: Value


@lru_cache(maxsize=8192)
def steps_of(problem: Problem) -> tuple[Step, ...]:
    """The steps of the right working. A number that a line uses is taken for the oldest unused result of that value."""
    if problem.family == "ordering":
        *pairs, whole = (tuple(text.split(">")) for text in problem.steps)
        return (*(Relation(">".join(names), names) for names in pairs), Order(">".join(whole), whole))
    if problem.family == "turns":
        found = (TURN.fullmatch(text) for text in problem.steps)
        return tuple(Turn(one[0], one[1], one[2]) for one in found if one)
    steps: list[Step] = []
    waiting: list[tuple[int, int]] = []  # (line, its value), not used yet
    for place, text in enumerate(problem.steps):
        step = _step(text, problem.family, waiting)
        steps.append(step)
        waiting.append((place, step.value(text)))
    return tuple(steps)


def _step(text: str, family: str, waiting: list[tuple[int, int]]) -> Step:
    if found := SUM.fullmatch(text):
        operands = int(found["left"]), int(found["right"])
        # Points that a label stands for are looked up, whatever value an earlier line has.
        second = None if found["label"] else operands[1]
        return Sum(text, found["label"] or "", found["sign"], operands, (_taken(operands[0], waiting),
                                                                         _taken(second, waiting)))
    if found := BAND.fullmatch(text):
        left, right = int(found["left"]), int(found["right"])
        if family == "dose":
            return Band(text, left, found["sign"], right, _taken(left, waiting), "cap")
        if not found["rest"]:
            return Band(text, left, found["sign"], right, None, "band")
        adds = _taken(int(found["before"]), waiting) if found["before"] else None
        return Band(text, left, found["sign"], right, None, "points", adds)
    found = FACT.fullmatch(text)
    if not found:
        raise ValueError(f"no step of the demo: '{text}'")
    return Looked(text, found["label"], int(found["result"]))


def _taken(number: int | None, waiting: list[tuple[int, int]]) -> int | None:
    origin = next((entry for entry in waiting if entry[1] == number), None)
    if origin:
        waiting.remove(origin)
    return origin[0] if origin else None


def worked(problem: Problem, rng: random.Random, rate: float, kept: Sequence[Line] = ()) -> tuple[Line, ...]:
    """A working from `kept` lines on, in which each line goes wrong at `rate`. The whole of it, kept lines included."""
    steps, lines = steps_of(problem), list(kept)
    for place in range(len(lines), len(steps)):
        before = [line.value for line in lines]
        exact = Line(*steps[place].written(before))
        if rng.random() < rate:
            # A wrong line after which nothing sensible can be written (a negative count, a rest) is not written.
            slips = (Line(*slip) for slip in steps[place].wrong(before, rng))
            exact = next((slip for slip in slips if _goes_on(steps, [*before, slip.value])), exact)
        lines.append(exact)
    return tuple(lines)


def _goes_on(steps: Sequence[Step], values: list[Value]) -> bool:
    for step in steps[len(values):]:
        values = [*values, step.written(values)[1]]
    return not any(isinstance(value, int) and value < 0 for value in values)


def wrong_lines(problem: Problem, lines: Sequence[Line]) -> list[int]:
    """The places of the lines that do not follow from those before them."""
    return [place for place, step in enumerate(steps_of(problem)[:len(lines)])
            if lines[place].text != step.written([line.value for line in lines[:place]])[0]]


def read_lines(problem: Problem, texts: Sequence[str], end: Sequence[Line] = ()) -> tuple[Line, ...] | None:
    """A shown working: the last places of the steps, after the places of `end` that come before them. None: not
    read."""
    steps = steps_of(problem)
    start = len(steps) - len(texts)
    if start < 0 or start > len(end):
        return None
    values = [step.value(text) for step, text in zip(steps[start:], texts, strict=True)]
    if any(value is None for value in values):
        return None
    return (*end[:start], *(Line(text, value) for text, value in zip(texts, values, strict=True)))


def last_value(problem: Problem, texts: Sequence[str]) -> Value | None:
    """What the last line of the working among these texts says; None where there is none."""
    last = steps_of(problem)[-1]
    return next((value for text in reversed(texts) if (value := last.value(text)) is not None), None)


def result(problem: Problem, value: Value) -> str:
    """The short answer that the last line's value means."""
    if problem.family == "ordering":
        return str(value[problem.core[3]])
    return str(value)


def said(problem: Problem, value: Value) -> str:
    """The answer as the demo's rows give it: a sentence, and the answer's own line."""
    short = result(problem, value)
    if problem.family == "turns":
        start = problem.sentence.rsplit(" ", 1)[0]
        return f"{start} {short}.\nAnswer: {'ABCD'[DIRECTIONS.index(short)]}"
    sentence = re.sub(rf"(?<![\w.-]){re.escape(problem.gold)}(?![\w])", short, problem.sentence)
    return f"{sentence}\nAnswer: {short} {problem.unit}".rstrip()


def is_right(problem: Problem, value: Value) -> bool:
    steps = steps_of(problem)
    return result(problem, value) == result(problem, steps[-1].value(steps[-1].text))
