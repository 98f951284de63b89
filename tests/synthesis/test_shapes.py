"""Shapes: which exam questions go on, and which restated questions still are none."""

from __future__ import annotations

import pytest

from lab.core.types import Example
from lab.synthesis.shapes import fault_of_restated, fault_of_shape, keys_of, repeated

STEM = ("A man of 61 years has had chest pain for two hours; it spreads to the left arm, and his troponin is raised. "
        "There is no fever. ")
OPTIONS = {"A": "Myocardial infarction", "B": "Pericarditis", "C": "Pneumonia", "D": "Gastritis"}


def exam(question: str = f"{STEM}What is the most likely diagnosis?", gold: str = "A", **changes) -> Example:
    return Example(id="q", question=question, options=changes.pop("options", OPTIONS), answer=f"Answer: {gold}",
                   gold=gold, verifier="choice", **changes)


def fault(row: Example) -> str:
    return fault_of_shape(row, 15, 100)[0]


@pytest.mark.parametrize("ending", [
    "Which of the following is NOT a cause?", "Which of the following is not a cause?",
    "All of these are causes except",
    "Each is true EXCEPT:", "Which statement is incorrect?", "Which of the following statements is false?",
    "Which drug does not help him?", "Which of the following would be least likely?", "Which test isn't indicated?",
    "Which of these is the LEAST likely?", "Mark the incorrect option.",
])
def test_what_asks_for_the_wrong_one_is_left_out(ending):
    assert fault(exam(STEM + ending)) == "negative question"


@pytest.mark.parametrize("ending", [
    "What is the most likely diagnosis?", "Which drug should a patient who does not smoke be given?",
    "Which test explains a false positive result?", "What follows if he is not treated?",
    "Which of the following is the most likely diagnosis?", "He does not smoke. What is the next step?",
    "Which is the next step?",
])
def test_a_negation_in_the_story_is_none_in_the_question(ending):
    assert fault(exam(STEM + ending)) == ""


@pytest.mark.parametrize(("row", "outcome"), [
    (exam(options=None), "no options"), (exam(options={"A": "x"}), "no options"), (exam(gold="A,C"), "several answers"),
    (exam(gold="A and C"), "several answers"), (exam(gold="B D"), "several answers"), (exam(gold="Z"), "no key"),
    (exam(STEM + "Select all that apply."), "several answers"),
    (exam(STEM + "Which two of these apply?"), "several answers"),
    (exam(options=OPTIONS | {"E": "myocardial infarction."}), "several answers"),
    (exam("What is the most likely diagnosis of this man?"), "too short"), (exam("w " * 200), ""),
    (exam("Immunohistochemistry " * 10), "too short"), (exam(gold="Pericarditis"), ""),
])
def test_each_fault_of_shape_has_its_outcome(row, outcome):
    assert fault(row) == outcome


def test_a_key_is_a_letter_several_letters_or_an_options_own_text():
    assert keys_of(exam(gold="B")) == ["B"] and keys_of(exam(gold="B; D")) == ["B", "D"]
    assert keys_of(exam(gold="pneumonia")) == ["C"] and keys_of(exam(gold="nothing")) == []


ASKED = "What is the diagnosis of a man with chest pain and raised troponin?"


@pytest.mark.parametrize(("question", "answer", "outcome"), [
    (ASKED, "Myocardial infarction", ""), (ASKED, "12", ""), ("He is 12 years old. What is the anion gap?", "12", ""),
    ("Which of the following is the diagnosis?", "Gout", "options remain"),
    ("What is it?\nA) Gout\nB) Lupus", "Gout", "options remain"), ("Why is option B right?", "Gout", "options remain"),
    ("Which of these options is right?", "Gout", "options remain"),
    (ASKED, "one two three four five six seven eight nine ten eleven twelve thirteen", "long answer"),
    (ASKED, "raised troponin", "answer in the question"), (ASKED, "Chest pain.", "answer in the question"),
    (ASKED, "pain and", "answer in the question"), (ASKED, "roponin", ""),
    ("A patient with hepatitis B. and vitamin A deficiency: what is given?", "Retinol", ""),
])
def test_a_restated_question_stands_alone_and_has_a_short_answer_of_its_own(question, answer, outcome):
    assert fault_of_restated(question, answer)[0] == outcome


def test_a_question_that_came_before_with_the_same_options_is_named():
    first, other = exam(), exam(options=OPTIONS | {"D": "Reflux"}).model_copy(update={"id": "other"})
    options = dict(zip("ABCD", reversed(OPTIONS.values()), strict=True))
    turned = exam(f" {STEM.upper()}What is the most likely diagnosis?", options=options)
    assert repeated([first, other, turned.model_copy(update={"id": "again"})]) == {"again": "the same question as q"}
