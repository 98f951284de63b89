"""Random small programs and tallies over named values: working step by step, on no problem of the demo."""

from __future__ import annotations

import random

from lab.data.demo.arithmetic import GOODS, NAMES

HIGHEST = 400
WORDS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}


def apply(sign: str, a: int, b: int) -> int | None:
    """The result, or None where the bases' arithmetic does not reach."""
    if sign == "/":
        return a // b if b > 1 and a % b == 0 and a // b <= 133 else None
    result = {"+": a + b, "-": a - b, "*": a * b}[sign]
    if sign == "*" and (min(a, b) < 2 or min(a, b) > 20):
        return None
    return result if 0 <= result <= HIGHEST else None


def operand(rng: random.Random, named: dict[str, int], results: list[int]) -> tuple[str, int]:
    """A named value, a small constant, or an earlier result."""
    kind = rng.random()
    if results and kind < 0.5:
        place = len(results) - 1 if rng.random() < 0.7 else rng.randrange(len(results))
        return ("that" if place == len(results) - 1 else f"result {place + 1}"), results[place]
    if kind < 0.85:
        name = rng.choice(tuple(named))
        return name, named[name]
    constant = rng.choice((2, 3, 4, 10, 20, 40, 60, rng.randint(2, 20)))
    return str(constant), constant


def program(rng: random.Random) -> tuple[str, tuple[str, ...], int]:
    """(question, steps, result)."""
    pool = rng.choice((NAMES, GOODS))
    named = {name: rng.randint(2, rng.choice((10, 10, 40, 150))) for name in rng.sample(pool, rng.randint(2, 5))}
    listed = [f"{name}{rng.choice((' ', ' has ', ' of ', '='))}{value}" for name, value in named.items()]
    told: list[str] = []
    steps: list[str] = []
    results: list[int] = []
    wanted = rng.randint(1, 4)
    while len(steps) < wanted:
        (left, a), (right, b) = operand(rng, named, results), operand(rng, named, results)
        sign = rng.choice("+-*/")
        result = apply(sign, a, b)
        if result is None or left == right:
            continue
        told.append(f"{left} {WORDS[sign]} {right}")
        steps.append(f"{a}{sign}{b}={result}")
        results.append(result)
    return f"{', '.join(listed)}. Work out {', then '.join(told)}.", tuple(steps), results[-1]


def tally(rng: random.Random) -> tuple[str, tuple[str, ...], int]:
    """(question, steps, total): points of invented things, added in the order in which they are listed."""
    points = {name: rng.randint(0, 3) for name in rng.sample(GOODS, rng.randint(3, 5))}
    listed = rng.sample(tuple(points), rng.randint(2, len(points)))
    total = rng.randint(0, 3)
    table = ", ".join(f"{name} {value}" for name, value in points.items())
    question = f"Points: {table}. Begin at {total} and count {', '.join(listed)}."
    steps = []
    for name in listed:
        steps.append(f"{name}:{total}+{points[name]}={total + points[name]}")
        total += points[name]
    return question, tuple(steps), total
