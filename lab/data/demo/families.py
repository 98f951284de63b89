"""The index of all demo families, and the one way to draw problems of a split from them."""

from __future__ import annotations

import random
from typing import Literal, get_args

from lab.core.errors import UnknownName
from lab.core.types import Example
from lab.data.demo import arithmetic, calculators, logic, scores
from lab.data.demo.problem import Family, Problem
from lab.data.split import Split

Field = Literal["general", "medical"]

FIELDS: dict[Field, dict[str, Family]] = {
    "general": {**arithmetic.FAMILIES, **logic.FAMILIES},
    "medical": {**calculators.FAMILIES, **scores.FAMILIES},
}


def draw(field: Field, split: Split, count: int, seed: int) -> list[Problem]:
    """`count` different problems of one split, families in turn, the same for the same arguments."""
    if split not in get_args(Split):  # no problem would ever be of it
        raise UnknownName("split", split, get_args(Split))
    rng = random.Random(f"{field}/{split}/{seed}")
    families = list(FIELDS[field].values())
    problems: dict[str, Problem] = {}
    while len(problems) < count:
        family = families[len(problems) % len(families)]
        problem = family(rng)
        if problem.split() == split:
            problems.setdefault(problem.question, problem)
    return list(problems.values())


def examples(field: Field, split: Split, count: int, seed: int) -> list[Example]:
    """`draw`, as rows of the lab's schema."""
    source = f"lab.data.demo ({field}, {split}, seed {seed})"
    return [problem.example(source) for problem in draw(field, split, count, seed)]
