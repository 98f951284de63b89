"""The demo's exam: sound questions are answered by their key and nothing else; flaws are found by what the text
says."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from lab.benchmarks.benchmark import benchmarks
from lab.core.types import Example
from lab.data.dataset import datasets
from lab.data.decontaminate import contamination
from lab.data.demo.exam import COUNTS, N_ROWS, exam_items
from lab.data.demo.facts import facts
from lab.data.demo.families import FIELDS, draw
from lab.data.demo.wording import WORDINGS, worded
from lab.synthesis.filtering import options_text
from lab.synthesis.shapes import fault_of_shape
from lab.verify.verifier import verify

ITEMS = exam_items()
OPEN = {"": "", "too simple": "", "ambiguous": "", "not reformulatable": "", "contaminated": ""}
BY_RULE = OPEN | {"negative": "negative question", "several keys": "several answers", "too short": "too short"}


def asked() -> list[Example]:
    return [row for field in FIELDS for row in benchmarks()[f"demo-{field}"].load()]


def test_the_dataset_is_these_questions_with_unique_ids_and_as_many_flaws_as_were_set():
    rows = datasets()["demo-exam"].load()
    assert rows == [item.example for item in ITEMS] and len(rows) == N_ROWS == len({row.id for row in rows})
    counts = Counter(item.flaw for item in ITEMS)
    assert counts == COUNTS | {"": N_ROWS - sum(COUNTS.values())} and counts[""] > N_ROWS / 2


def test_every_row_has_five_different_options_and_its_key_scores_one():
    for item in ITEMS:
        row = item.example
        assert list(row.options or {}) == list("ABCDE") and len(set(row.options.values())) == 5, row
        assert verify(row.answer, row).correct, row


def test_a_sound_question_is_answered_by_its_problem_and_its_key_is_drawn_evenly():
    sound = [item for item in ITEMS if item.flaw == ""]
    for item in sound:
        assert item.problem and item.example.options[item.example.gold].split()[0] == item.problem.gold
        assert item.problem.split() == "train"
    letters = Counter(item.example.gold for item in sound)
    assert min(letters.values()) > len(sound) / 8
    assert {item.problem.family for item in sound} == set(WORDINGS) - {"ordering"}


@pytest.mark.parametrize("flaw", sorted(BY_RULE))
def test_rules_of_shape_find_their_flaws_and_no_other(flaw):
    found = {fault_of_shape(item.example, 15, 100)[0] for item in ITEMS if item.flaw == flaw}
    assert found == {BY_RULE[flaw]}


def test_decontamination_finds_the_copies_and_nothing_else():
    rows = [item.example for item in ITEMS]
    copies = {item.example.id for item in ITEMS if item.flaw == "contaminated"}
    by_characters = {shared.row for shared in contamination(rows, asked(), "characters").shared}
    by_words = {shared.row for shared in contamination(rows, asked(), "words").shared}
    assert by_characters == copies and by_words <= copies


def test_no_question_or_id_tells_its_flaw():
    words = re.compile("|".join(filter(None, COUNTS)))
    for item in ITEMS:
        assert re.fullmatch(r"exam-[0-9a-f]{10}", item.example.id)
        assert not words.search(item.example.question + options_text(item.example) + item.example.subject)


def test_facts_have_enough_wrong_values_and_one_question_each():
    assert len({fact.question for fact in facts()}) == len(facts())
    assert all(fact.value not in fact.others and len(set(fact.others)) >= 4 for fact in facts())


def test_the_longer_wording_keeps_every_number_that_decides_the_answer():
    kept = 0
    for field in FIELDS:
        for problem in draw(field, "train", 200, seed=3):
            if problem.family in WORDINGS and problem.readings:
                numbers = set(re.findall(r"\d+", str(worded(problem))))
                assert {value.lstrip("+-") for _, value in problem.readings if value.lstrip("+-").isdigit()} <= numbers
                kept += 1
    assert kept > 200
