"""Primitive skills of the embedded bases: one step of arithmetic, comparison, lookup or logic. Never a worked problem.

A document is a list of segments (text, learn): the loss is taken only where `learn` is true, because random operands
cannot be predicted and only add noise.
"""

from __future__ import annotations

import random

from lab.data.demo.arithmetic import NAMES
from lab.data.demo.logic import DIRECTIONS, SCALES, TURNS, relation
from lab.data.demo.scores import EYES, MOTOR, RISKS, VERBAL, age_points

Segment = tuple[str, bool]


def _size(rng: random.Random) -> int:
    """An operand: small numbers most often, up to 400."""
    return rng.randint(0, rng.choice((20, 60, 150, 150, 260, 400)))


def addition(rng: random.Random) -> tuple[str, str]:
    a, b = _size(rng), _size(rng)
    return (f"{a}+{b}=", str(a + b)) if a + b <= 400 else addition(rng)


def subtraction(rng: random.Random) -> tuple[str, str]:
    a, b = sorted((_size(rng), _size(rng)), reverse=True)
    return f"{a}-{b}=", str(a - b)


def _factors(rng: random.Random) -> tuple[int, int]:
    """Pairs whose products the demo uses: small tables, two-digit by one digit, doubles, and round factors."""
    a, b = rng.choice((
        (rng.randint(2, 12), rng.randint(2, 12)), (rng.randint(2, 5), rng.randint(2, 90)), (2, rng.randint(2, 160)),
        (rng.choice((10, 15, 20)), rng.randint(2, 75)),
    ))
    return (a, b) if a * b <= 999 else _factors(rng)


def product(rng: random.Random) -> tuple[str, str]:
    a, b = _factors(rng)
    return (f"{a}*{b}=", str(a * b)) if rng.random() < 0.5 else (f"{b}*{a}=", str(a * b))


def quotient(rng: random.Random) -> tuple[str, str]:
    if rng.random() < 0.4:
        third = rng.randint(40, 133)
        return f"{3 * third}/3=", str(third)
    a, b = rng.randint(2, 12), rng.randint(2, 20)
    return f"{a * b}/{a}=", str(b)


def splitting(rng: random.Random) -> tuple[str, str]:
    """Place value: a number as one token hides its digits, so the tens are spelled out."""
    n = rng.randint(11, 999)
    parts = [part for part in (n // 100 * 100, n // 10 % 10 * 10, n % 10) if part]
    return f"{n}=", "+".join(map(str, parts))


def comparison(rng: random.Random) -> tuple[str, str]:
    a = rng.randint(0, rng.choice((40, 150, 999)))
    b = max(0, a + rng.choice((-1, 1)) * rng.randint(0, rng.choice((3, 20, 200))))
    b = min(b, 999)
    style = rng.random()
    if style < 0.4:
        return f"{a} up to {b}: {a}", f"{'<=' if a <= b else '>'}{b}"
    if style < 0.8:
        return f"{a} from {b}: {a}", f"{'>=' if a >= b else '<'}{b}"
    return f"{a} {b} min=", str(min(a, b))


def counting(rng: random.Random) -> tuple[str, str]:
    start, step = rng.randint(0, 900), rng.choice((1, 1, 2, 5, 10))
    row = [start + i * step for i in range(5) if start + i * step <= 999]
    return f"{row[0]},{row[min(1, len(row) - 1)]},", ",".join(map(str, row[2:]))


def scoring(rng: random.Random) -> tuple[str, str]:
    """Facts of the clinical scores, one at a time."""
    kind = rng.randrange(5)
    if kind == 0:
        age = rng.randint(48, 90)
        return f"age {age}:", str(age_points(age))
    if kind == 1:
        risk = rng.choice(tuple(RISKS))
        return f"{risk}:", str(RISKS[risk])
    label, table = (("eyes", EYES), ("verbal", VERBAL), ("motor", MOTOR))[kind - 2]
    points = rng.choice(tuple(table))
    return f"the patient {table[points]}\n", f"{label}={points}"


def relating(rng: random.Random) -> tuple[str, str]:
    """A comparison in words as a relation in signs."""
    a, b = rng.sample(NAMES, 2)
    return f"{relation(a, b, rng.choice(SCALES), rng.random() < 0.5)}\n", f"{a}>{b}"


def ranking(rng: random.Random) -> tuple[str, str]:
    """Picking a place out of a finished order."""
    people, scale = rng.sample(NAMES, rng.choice((3, 4))), rng.choice(SCALES)
    place = rng.choice((0, 1, len(people) - 1))
    named = scale[3] if place == len(people) - 1 else ("", "second ")[place] + scale[2]
    return f"{'>'.join(people)}: the {named} is ", people[place]


def turning(rng: random.Random) -> tuple[str, str]:
    start, move = rng.randrange(4), rng.choice(tuple(TURNS))
    return f"{DIRECTIONS[start]} {move}=", DIRECTIONS[(start + TURNS[move]) % 4]


# name -> (generator, weight in the pre-training text)
PRIMITIVES = {
    "+": (addition, 7), "-": (subtraction, 7), "*": (product, 5), "/": (quotient, 2), "split": (splitting, 1),
    "compare": (comparison, 2), "count": (counting, 1), "score": (scoring, 2), "relation": (relating, 1),
    "rank": (ranking, 1), "turn": (turning, 1),
}


def tally(rng: random.Random) -> tuple[str, str]:
    """One finding's points added to a running total."""
    points = {**RISKS, "man": 0, "woman": 1, "alert": 0, "confused": 1}
    name, total = rng.choice(tuple(points)), rng.randint(0, 7)
    return f"{total} with {name}\n", f"{name}:{total}+{points[name]}={total + points[name]}"


def aged(rng: random.Random) -> tuple[str, str]:
    """The points of an age, with the age read from words."""
    age = rng.randint(48, 90)
    return f"{age} years old\n", f"age {age}:{age_points(age)}"


def carried(rng: random.Random) -> tuple[str, str]:
    """A result carried into the next line and compared with a limit."""
    given, result = rng.choice((product, addition, subtraction))(rng)
    limit = max(0, min(999, int(result) + rng.randint(-200, 200)))
    low = rng.random() < 0.5
    sign = ("<=" if int(result) <= limit else ">") if low else (">=" if int(result) >= limit else "<")
    return f"{'up to' if low else 'from'} {limit}: {given}{result}\n", f"{result}{sign}{limit}"


def heading(rng: random.Random) -> tuple[str, str]:
    """One turn, with the direction copied first."""
    given, result = turning(rng)
    facing, move = given[:-1].split(" ")
    return f"{move} from {facing}\n", f"{facing} {move}={result}"


# Second-stage primitives: kept apart, since adding to PRIMITIVES would change the first stage's text.
PRACTICE = {**PRIMITIVES, "tally": (tally, 4), "aged": (aged, 2), "carry": (carried, 4), "heading": (heading, 2)}


def drill(rng: random.Random, among: tuple[str, ...] = tuple(PRIMITIVES)) -> list[Segment]:
    """Eight or so primitives of one to three kinds, one per line."""
    names = rng.choices(among, [PRACTICE[name][1] for name in among], k=rng.randint(1, 3))
    segments: list[Segment] = []
    for _ in range(rng.randint(6, 12)):
        given, result = PRACTICE[rng.choice(names)][0](rng)
        segments += [(given, False), (f"{result}\n", True)]
    return segments
