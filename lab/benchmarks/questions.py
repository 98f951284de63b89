"""Which questions of a benchmark are asked, with which solved examples before them, and in which order of options."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

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
    return drawn_evenly(questions, n, f"{seed}/{benchmark.name}/{benchmark.version}")


def drawn_evenly(questions: Sequence[Example], n: int, seed: str) -> list[Example]:
    """At most `n` of them, as evenly over the subjects as they allow; the same for the same seed."""
    by_subject: dict[str, list[Example]] = {}
    for question in questions:
        by_subject.setdefault(question.subject, []).append(question)
    draw = random.Random(seed)
    piles = [draw.sample(pile, len(pile)) for _, pile in sorted(by_subject.items())]
    # Which subjects give one more, when n is no multiple of their number, is drawn too.
    draw.shuffle(piles)
    rounds = range(max(map(len, piles), default=0))
    return [pile[turn] for turn in rounds for pile in piles if turn < len(pile)][:n]


def chosen_shots(benchmark: Benchmark, k: int) -> list[Example]:
    """The first `k` solved examples, in their fixed order; none of them is a test question.

    LabError when the benchmark has none, or too few. Where each subject has its own (MMLU), ask `shots_for`.
    """
    return _enough(benchmark, benchmark.shots() if benchmark.shots and k else [], k)


def shots_for(benchmark: Benchmark, k: int) -> Callable[[Example], list[Example]]:
    """For each question the `k` solved examples that stand before it: the first ones, of its own subject where the
    benchmark has them by subject. A solved example with the question's own text is passed over. LabError as
    `chosen_shots`, here or when a question has too few."""
    if not k:
        return lambda question: []
    pool = _enough(benchmark, benchmark.shots() if benchmark.shots else [], k, at_least=True)

    def shots(question: Example) -> list[Example]:
        fit = [shot for shot in pool if shot.question_hash() != question.question_hash()
               and (not benchmark.shots_by_subject or shot.subject == question.subject)]
        about = f" of subject '{question.subject}'" if benchmark.shots_by_subject else ""
        return _enough(benchmark, fit, k, about)

    return shots


def _enough(
    benchmark: Benchmark, found: list[Example], k: int, about: str = "", at_least: bool = False
) -> list[Example]:
    if k and not found:
        raise LabError(f"benchmark '{benchmark.name}' has no solved examples{about} outside its test questions: set "
                       "shots to 0", "spec")
    if len(found) < k:
        raise LabError(f"benchmark '{benchmark.name}' has {len(found)} solved examples{about}, so shots cannot be {k}",
                       "spec")
    return found if at_least else found[:k]


def rotated(example: Example, by: int) -> Example | None:
    """The question with its options turned by so many places: what stood at B stands at A after one turn.

    The letters stay where they are and the gold letter moves with its text. None where there is no such order: a
    question without options, or with no more than `by` of them (the order would come a second time).
    """
    if not example.options or example.verifier != "choice":
        return example if by == 0 else None
    letters, texts = list(example.options), list(example.options.values())
    if by >= len(letters):
        return None
    gold = letters[(letters.index(example.gold) - by) % len(letters)]
    answer = example.answer if gold == example.gold else f"Answer: {gold}"
    options = dict(zip(letters, (*texts[by:], *texts[:by]), strict=True))
    return example.model_copy(update={"options": options, "gold": gold, "answer": answer})
