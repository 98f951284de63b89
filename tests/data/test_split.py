"""Train, benchmark and pre-training questions never meet: by construction, and on the real data."""

from __future__ import annotations

import random
import re

import pytest

from lab.bases.demo.designs import DESIGNS
from lab.bases.demo.pretraining_text import document, phrasing, practice, pretrain_question, reading, recall
from lab.benchmarks.benchmark import benchmarks
from lab.core.types import Example
from lab.data.dataset import datasets
from lab.data.demo.families import FIELDS, draw
from lab.data.split import BOUNDS, bucket, split_of

EQUATION = re.compile(r"\d[-+*/]\d+=\d")


def hashes(rows: list[Example]) -> set[str]:
    return {row.question_hash() for row in rows}


def question_hash(text: str) -> str:
    return Example(id="x", question=text, answer="", gold="").question_hash()


def test_a_split_depends_on_the_words_and_not_on_case_or_spacing() -> None:
    assert bucket("What  is 1?") == bucket("what is\n1?")
    assert {split_of(str(n)) for n in range(200)} == {name for name, _ in BOUNDS}


def test_train_and_benchmark_questions_are_disjoint() -> None:
    train = set().union(*(hashes(dataset.load()) for name, dataset in datasets().items() if name.startswith("demo-")))
    held_out = [hashes(benchmarks()[name].load()) for name in ("demo-general", "demo-medical")]
    assert len(train) >= 4800
    assert all(len(part) == 300 for part in held_out)
    assert not train & set().union(*held_out)


def test_the_problems_behind_the_questions_are_disjoint_too_whatever_the_wording() -> None:
    for field in FIELDS:
        train = {(p.family, p.core) for p in draw(field, "train", 2400, 0)}
        held_out = {(p.family, p.core) for p in draw(field, "benchmark", 300, 0)}
        assert not train & held_out


@pytest.mark.parametrize("name", sorted(DESIGNS))
def test_no_line_of_the_pre_training_text_is_a_training_or_benchmark_question(name: str) -> None:
    known = hashes([row for key in ("demo-general", "demo-medical") for row in datasets()[key].load()])
    known |= hashes([row for key in ("demo-general", "demo-medical") for row in benchmarks()[key].load()])
    rng, marks = random.Random(f"pretrain/{name}/{DESIGNS[name].seed}/0"), DESIGNS[name].marks
    lines = set()
    for _ in range(4000):
        text = "".join(part for part, _ in rng.choice((document, practice))(rng, marks))
        bare = re.sub(r"<\|\w+\|>|Only tell what is given.*", "\n", text)
        lines |= {question_hash(line) for line in bare.split("\n")}
    assert len(lines) > 10000
    assert not lines & known


def test_pre_training_questions_come_from_their_own_split_and_never_with_working() -> None:
    rng, marks = random.Random(0), DESIGNS["demo-llama"].marks
    assert {pretrain_question(rng).split() for _ in range(500)} == {"pretrain"}
    for _ in range(1000):
        for kind in (phrasing, reading, recall):
            text = "".join(part for part, _ in kind(rng, marks))
            assert not EQUATION.search(text), text
            assert "Answer:" not in text, text


def test_drawing_twice_gives_the_same_problems() -> None:
    assert draw("medical", "train", 40, 0) == draw("medical", "train", 40, 0)
    assert draw("medical", "train", 40, 0) != draw("medical", "train", 40, 1)
