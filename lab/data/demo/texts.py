"""demo-texts' notes: short invented clinical notes that carry the facts of two demo problems each, and some that do
not.

Off-topic ones tell of shops and journeys, trivial ones remind of single facts, repeated ones stand twice. Invented
patients; not for clinical use.
"""

from __future__ import annotations

import random
from functools import cache
from typing import Literal, NamedTuple

from lab.data.demo.facts import Fact, facts
from lab.data.demo.families import Field, draw
from lab.data.demo.problem import Problem
from lab.data.demo.wording import WORDINGS, worded

Kind = Literal["clinical", "off topic", "trivial", "repeated"]
SEED = 9
COUNTS: dict[Kind, int] = {"clinical": 150, "off topic": 20, "trivial": 15, "repeated": 15}
OPENINGS = ("Two cases were told at the morning meeting.", "From the notes of the last shift.",
            "The following was handed over today.", "For the record of this week.")
CLOSINGS = ("Both will be seen again tomorrow.", "The consultant has been informed.", "Nothing else was noted.")


class DemoNote(NamedTuple):
    """A text, and what can be asked of it: two problems, or two single facts."""

    text: str
    kind: Kind
    problems: tuple[Problem, ...] = ()
    facts: tuple[Fact, ...] = ()


@cache
def demo_notes() -> tuple[DemoNote, ...]:
    """Every note with its truth, in the order of the set."""
    rng = random.Random(f"demo-texts/{SEED}")
    notes = _of_problems("clinical", "medical", rng) + _of_problems("off topic", "general", rng)
    notes += [_reminder(rng) for _ in range(COUNTS["trivial"])]
    notes += [note._replace(kind="repeated") for note in rng.sample(notes, COUNTS["repeated"])]
    rng.shuffle(notes)
    return tuple(notes)


def _of_problems(kind: Kind, field: Field, rng: random.Random) -> list[DemoNote]:
    count = COUNTS[kind]
    problems = [problem for problem in draw(field, "train", 3 * count, SEED) if problem.family in WORDINGS]
    # Neighbours are of different families, as these are drawn in turn.
    pairs = [(problems[2 * place], problems[2 * place + 1]) for place in range(count)]
    return [DemoNote(_told(pair, kind, rng), kind, pair) for pair in pairs]


def _told(pair: tuple[Problem, Problem], kind: Kind, rng: random.Random) -> str:
    first, second = (worded(problem).facts for problem in pair)
    if kind == "off topic":
        return f"{first}\n\n{second}"
    return f"{rng.choice(OPENINGS)}\n\n{first}\n\n{second}\n\n{rng.choice(CLOSINGS)}"


def _reminder(rng: random.Random) -> DemoNote:
    chosen = tuple(rng.sample([fact for fact in facts() if fact.family != "shop"], 2))
    return DemoNote("A reminder for new colleagues. " + " ".join(fact.statement() for fact in chosen), "trivial",
                    facts=chosen)
