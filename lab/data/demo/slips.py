"""Slips: a demo problem's working with one real error of arithmetic, carried on to a wrong answer.

    34-19=15        34-19=16      <- the slip: the result is off by a little
    15*4=60         16*4=64       <- carried: this line is right for what it was given
    Answer: 60      Answer: 64
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import NamedTuple

from lab.core.types import Example

STEP = re.compile(r"^(?P<label>[^:]*:)?(?P<left>\d+)(?P<sign>[-+*/])(?P<right>\d+)=(?P<result>\d+)$")
# How far off a slip is: a miscount, a forgotten carry.
OFFSETS = (1, -1, 2, -2, 10, -10, 3, -3)


class Slipped(NamedTuple):
    """A working that goes wrong at line `at`, and the answer it leads to."""

    trace: str
    answer: str
    value: int
    at: int


class _Line(NamedTuple):
    """One step: numbers as printed, and which earlier lines' results they are (None: given in the question)."""

    label: str
    sign: str
    operands: tuple[int, int]
    origins: tuple[int | None, int | None]
    result: int


def slip(example: Example, rng: random.Random) -> Slipped | None:
    """A wrong working of the example, or None where no line of it is arithmetic that decides the answer."""
    lines = (example.trace or "").splitlines()
    steps = _parsed(lines)
    last = steps[-1] if steps else None
    if last is None or str(last.result) != example.gold:
        return None
    choices = [(at, offset) for at, step in enumerate(steps) if step for offset in OFFSETS]
    rng.shuffle(choices)
    for at, offset in choices:
        results = _carried(steps, at, offset)
        if results is not None and results[-1] != last.result:
            value = results[-1]
            answer = re.sub(rf"(?<![\w.]){example.gold}(?![\w.])", str(value), example.answer)
            return Slipped("\n".join(_written(lines, steps, results)), answer, value, at)
    return None


def _parsed(lines: list[str]) -> list[_Line | None]:
    """Each line as a step, None where it is none. A number is taken for the oldest unused result of the same value."""
    steps: list[_Line | None] = []
    waiting: list[tuple[int, int]] = []  # (line, its result), not used yet
    for place, text in enumerate(lines):
        found = STEP.match(text)
        if not found:
            steps.append(None)
            continue
        operands = (int(found["left"]), int(found["right"]))
        origins = []
        for number in operands:
            origin = next((entry for entry in waiting if entry[1] == number), None)
            if origin:
                waiting.remove(origin)
            origins.append(origin[0] if origin else None)
        result = int(found["result"])
        waiting.append((place, result))
        steps.append(_Line(found["label"] or "", found["sign"], operands, (origins[0], origins[1]), result))
    return steps


def _carried(steps: list[_Line | None], at: int, offset: int) -> list[int] | None:
    """Every line's result after the slip; None if the wrong working would be visibly absurd."""
    results: list[int] = []
    for place, step in enumerate(steps):
        if step is None:
            results.append(0)
            continue
        left, right = _operands(step, results)
        exact = _compute(left, step.sign, right)
        result = exact if exact is None or place != at else exact + offset
        if result is None or result < 0:
            return None
        results.append(result)
    return results


def _operands(step: _Line, results: list[int]) -> Iterator[int]:
    for number, origin in zip(step.operands, step.origins, strict=True):
        yield number if origin is None else results[origin]


def _compute(left: int, sign: str, right: int) -> int | None:
    """The exact result; None for a division that leaves a rest."""
    if sign == "/":
        return left // right if right and left % right == 0 else None
    return {"+": left + right, "-": left - right, "*": left * right}[sign]


def _written(lines: list[str], steps: list[_Line | None], results: list[int]) -> Iterator[str]:
    for text, step, result in zip(lines, steps, results, strict=True):
        if step is None:
            yield text
        else:
            left, right = _operands(step, results)
            yield f"{step.label}{left}{step.sign}{right}={result}"
