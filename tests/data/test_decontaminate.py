"""Shared text between training rows and benchmark questions, against a search that looks everywhere."""

from __future__ import annotations

import random
from difflib import SequenceMatcher

import pytest

from lab.benchmarks.benchmark import benchmarks
from lab.core.types import Example
from lab.data.dataset import datasets
from lab.data.decontaminate import N_CHARACTERS, N_WORDS, asked_text, contamination, without

ENDS = ("duct", "port", "tract", "vert", "er")
WORDS = [f"{start}{end}" for start in ("ab", "con", "dis", "ex", "in") for end in ENDS]


def example(name: str, question: str, options: dict[str, str] | None = None) -> Example:
    return Example(id=name, question=question, options=options, answer="a", gold="a")


def made(seed: int) -> tuple[list[Example], list[Example]]:
    """Random word strings; some training rows hold a stretch of a question of random length."""
    rng = random.Random(seed)
    questions = [example(f"q{i}", " ".join(rng.choices(WORDS, k=rng.randint(2, 40)))) for i in range(12)]
    rows = []
    for i in range(60):
        text = " ".join(rng.choices(WORDS, k=rng.randint(2, 30)))
        if i % 2:
            whole = rng.choice(questions).question
            start = rng.randrange(len(whole))
            text = f"{text} {whole[start:start + rng.randint(10, 130)]} {' '.join(rng.choices(WORDS, k=3))}"
        rows.append(example(f"r{i}", text))
    return rows, questions


@pytest.mark.parametrize("seed", range(4))
def test_rows_with_64_characters_in_common_are_found_and_no_others(seed: int) -> None:
    rows, questions = made(seed)
    expected = set()
    for row in rows:
        for question in questions:
            one, other = asked_text(row), asked_text(question)
            longest = SequenceMatcher(None, one, other, autojunk=False).find_longest_match().size
            if longest >= N_CHARACTERS or one == other:
                expected.add(row.id)
    found = contamination(rows, questions)
    assert {shared.row for shared in found.shared} == expected and 5 < len(expected) < 40
    assert found.n_rows == 60 and [row.id for row in without(rows, found)] == [
        row.id for row in rows if row.id not in expected]
    for shared in found.shared:
        question = next(question for question in questions if question.id == shared.question)
        row = next(row for row in rows if row.id == shared.row)
        assert shared.text in asked_text(question) and shared.text in asked_text(row)


@pytest.mark.parametrize("seed", range(4))
def test_rows_with_13_words_in_common_are_found_and_no_others(seed: int) -> None:
    rows, questions = made(seed)

    def shares(row: Example, question: Example) -> bool:
        one, other = asked_text(row).split(), asked_text(question).split()
        inside = any(one[i:i + N_WORDS] == other[j:j + N_WORDS]
                     for i in range(len(one) - N_WORDS + 1) for j in range(len(other) - N_WORDS + 1))
        return inside or (one == other and len(one) < N_WORDS)

    expected = {row.id for row in rows if any(shares(row, question) for question in questions)}
    assert {shared.row for shared in contamination(rows, questions, "words").shared} == expected and expected


def test_case_spacing_and_options_are_compared_too() -> None:
    question = example("q", "Which of these is it?", {"A": "a very long option that is told in both, word by word"})
    row = example("r", "WHICH of   these is it?\nA very long option that is told in both, word by word, and more")
    assert contamination([row], [question]).n_shared == 1
    assert contamination([example("r", "Which?")], [example("q", "which? ")]).n_shared == 1
    assert contamination([example("r", "Which?")], [example("q", "Which one?")]).n_shared == 0


def test_the_demo_questions_share_templates_but_no_problem() -> None:
    """What the rules find in templated data: sentences, not problems (those are kept apart by their numbers)."""
    rows, questions = datasets()["demo-medical"].load(), benchmarks()["demo-medical"].load()
    assert not {asked_text(row) for row in rows} & {asked_text(question) for question in questions}
    by_id = {row.id: row for row in rows}
    found = contamination(rows, questions)
    assert 0 < found.n_shared < len(rows)
    assert all(len(shared.text) < len(asked_text(by_id[shared.row])) for shared in found.shared)
