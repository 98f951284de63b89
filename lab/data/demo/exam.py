"""demo-exam's questions: multiple choice made from demo problems, some of them flawed as real exam questions are.

What a row is flawed by stands in its text alone, for a rule or a teacher to find; its id tells nothing. `exam_items`
tells the truth, for tests. A problem of the train split in another wording is a sound question; the copies of benchmark
questions are there to be found by decontamination, and are never the whole question.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

from lab.core.types import Example
from lab.data.demo.arithmetic import NAMES
from lab.data.demo.facts import Fact, facts
from lab.data.demo.families import draw
from lab.data.demo.problem import Problem
from lab.data.demo.slips import OFFSETS, slip
from lab.data.demo.wording import SHORT, WORDINGS, short, worded

Flaw = Literal["", "too simple", "ambiguous", "not reformulatable", "negative", "several keys", "too short",
               "contaminated"]
SEED = 8
N_ROWS = 600
COUNTS: dict[Flaw, int] = {"too simple": 40, "ambiguous": 30, "not reformulatable": 30, "negative": 24,
                           "several keys": 18, "too short": 24, "contaminated": 12}
LETTERS = "ABCDE"
CHOOSE = ("Choose one option.", "Pick the right option.", "Mark the one option that fits.")
SOURCE = f"lab.data.demo.exam (seed {SEED})"
LEAST_COPIED = 80  # characters of a copied benchmark question: above any rule's 64


class ExamItem(NamedTuple):
    """A row, what it is flawed by ('' for a sound one), and the problem behind it, where there is one."""

    example: Example
    flaw: Flaw
    problem: Problem | None = None
    fact: Fact | None = None


@cache
def exam_items() -> tuple[ExamItem, ...]:
    """Every row with its truth, in the order of the dataset."""
    rng = random.Random(f"demo-exam/{SEED}")
    pool = [problem for field in ("general", "medical") for problem in draw(field, "train", N_ROWS, SEED)
            if problem.family in WORDINGS and problem.verifier == "numeric"]
    rng.shuffle(pool)
    items = [item for flaw, count in COUNTS.items() for item in _flawed(flaw, count, pool, rng)]
    items += [_sound(pool.pop(), rng) for _ in range(N_ROWS - len(items))]
    rng.shuffle(items)
    return tuple(items)


def short_answer(problem: Problem) -> str:
    return f"{problem.gold} {problem.unit}".rstrip()


def _flawed(flaw: Flaw, count: int, pool: list[Problem], rng: random.Random) -> list[ExamItem]:
    if flaw == "too simple":
        return [_recalled(fact, rng) for fact in rng.sample(facts(), count)]
    if flaw in ASKED:
        return [_of_statements(flaw, names, rng) for names in _groups(flaw, count, rng)]
    if flaw == "contaminated":
        return [_copied(problem, rng) for problem in _copies(count, rng)]
    chosen = [problem for problem in pool if flaw != "too short" or problem.family in SHORT][:count]
    for problem in chosen:
        pool.remove(problem)
    return [(_ambiguous if flaw == "ambiguous" else _too_short)(problem, rng) for problem in chosen]


def _sound(problem: Problem, rng: random.Random) -> ExamItem:
    question = f"{worded(problem)} {rng.choice(CHOOSE)}"
    return ExamItem(_row(question, short_answer(problem), _wrong(problem, rng)[:4], problem.family, rng), "", problem)


def _too_short(problem: Problem, rng: random.Random) -> ExamItem:
    row = _row(short(problem), short_answer(problem), _wrong(problem, rng)[:4], problem.family, rng)
    return ExamItem(row, "too short", problem)


def _ambiguous(problem: Problem, rng: random.Random) -> ExamItem:
    """The key twice, the second time in other words."""
    question, key = f"{worded(problem)} {rng.choice(CHOOSE)}", short_answer(problem)
    row = _row(question, key, [f"exactly {key}", *_wrong(problem, rng)[:3]], problem.family, rng)
    return ExamItem(row, "ambiguous", problem)


def _copied(problem: Problem, rng: random.Random) -> ExamItem:
    opening = rng.choice(("Read the following case with care before you decide.",
                          "The next case was handed in by a colleague."))
    question = f"{opening} {problem.question} {rng.choice(CHOOSE)}"
    row = _row(question, short_answer(problem), _wrong(problem, rng)[:4], problem.family, rng)
    return ExamItem(row, "contaminated", problem)


def _copies(count: int, rng: random.Random) -> list[Problem]:
    """Problems of the demo benchmarks, as they are asked there."""
    found = [problem for field in ("general", "medical") for problem in draw(field, "benchmark", 300, seed=0)
             if len(problem.question) >= LEAST_COPIED and problem.verifier == "numeric"]
    return rng.sample(found, count)


def _recalled(fact: Fact, rng: random.Random) -> ExamItem:
    row = _row(fact.question, fact.value, rng.sample(fact.others, 4), fact.family, rng)
    return ExamItem(row, "too simple", fact=fact)


ASKED: dict[str, str] = {
    "not reformulatable": "{} and {} are studying for an examination and have written down some statements, of which "
                          "only "
                          "one can stand. Which of the following statements is right?",
    "negative": "{} and {} are studying for an examination and have written down some statements, of which all but one "
                "can stand. Which of the following statements is NOT right?",
    "several keys": "{} and {} are studying for an examination and have written down some statements, of which more "
                    "than "
                    "one can stand. Which of the following statements are right? Select all that apply.",
}
N_RIGHT = {"not reformulatable": 1, "negative": 4, "several keys": 2}


def _groups(flaw: Flaw, count: int, rng: random.Random) -> list[tuple[str, str]]:
    """Different pairs of people, so that no two rows ask the same."""
    return rng.sample([(a, b) for a in NAMES for b in NAMES if a != b], count)


def _of_statements(flaw: Flaw, names: tuple[str, str], rng: random.Random) -> ExamItem:
    chosen = rng.sample(facts(), 5)
    right, wrong = chosen[:N_RIGHT[flaw]], chosen[N_RIGHT[flaw]:]
    said = [fact.statement() for fact in right] + [fact.statement(rng.choice(fact.others)) for fact in wrong]
    key = said.pop(4 if flaw == "negative" else 0)
    return ExamItem(_row(ASKED[flaw].format(*names), key, said, chosen[0].family, rng), flaw)


def _wrong(problem: Problem, rng: random.Random) -> list[str]:
    """At least four different wrong answers: what slips of the working lead to, then near misses."""
    row, found = problem.example(SOURCE), dict[int, None]()
    for _ in range(8):
        if slipped := slip(row, rng):
            found[slipped.value] = None
    near = [int(problem.gold) + offset for offset in rng.sample(OFFSETS, len(OFFSETS))]
    values = [value for value in dict.fromkeys((*list(found)[:3], *near)) if value >= 0 and value != int(problem.gold)]
    return [f"{value} {problem.unit}".rstrip() for value in values]


def _row(question: str, key: str, wrong: Sequence[str], family: str, rng: random.Random) -> Example:
    texts = [key, *wrong]
    rng.shuffle(texts)
    letter = LETTERS[texts.index(key)]
    digest = hashlib.sha256("\n".join((question, *texts)).encode()).hexdigest()
    return Example(id=f"exam-{digest[:10]}", question=question, options=dict(zip(LETTERS, texts, strict=True)),
                   answer=f"Answer: {letter}", gold=letter, verifier="choice", subject=family, source=SOURCE)
