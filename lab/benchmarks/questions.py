"""Which questions of a benchmark are asked: the first ones, or a fair draw over its subjects."""

from __future__ import annotations

import random

from lab.benchmarks.benchmark import Benchmark
from lab.core.errors import LabError
from lab.core.types import Example


def all_questions(benchmark: Benchmark) -> list[Example]:
    """Every question. LabError when there is none, or when two share an id: the store could hold only one of them."""
    questions = benchmark.load()
    if not questions:
        raise LabError(f"benchmark '{benchmark.name}' has no questions; check its source: {benchmark.source}")
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise LabError(f"benchmark '{benchmark.name}': two questions have the id '{question.id}'")
        seen.add(question.id)
    return questions


def first_questions(benchmark: Benchmark, most: int) -> list[Example]:
    """The first `most` questions; 0 means all."""
    questions = all_questions(benchmark)
    return questions[:most] if most else questions


def drawn_questions(benchmark: Benchmark, n: int, seed: int) -> list[Example]:
    """`n` questions, as evenly over the subjects as they allow; the same for the same seed."""
    questions = all_questions(benchmark)
    if n > len(questions):
        raise LabError(f"benchmark '{benchmark.name}' has {len(questions)} questions, so n_questions cannot be {n}")
    by_subject: dict[str, list[Example]] = {}
    for question in questions:
        by_subject.setdefault(question.subject, []).append(question)
    draw = random.Random(f"{seed}/{benchmark.name}/{benchmark.version}")
    piles = [draw.sample(pile, len(pile)) for _, pile in sorted(by_subject.items())]
    # Which subjects give one more, when n is no multiple of their number, is drawn too.
    draw.shuffle(piles)
    rounds = range(max(map(len, piles)))
    return [pile[turn] for turn in rounds for pile in piles if turn < len(pile)][:n]
