"""Grades and questions are read exactly as asked for, or not at all."""

from __future__ import annotations

import json

import pytest

from lab.synthesis.grading import Grade, read_grade, read_questions
from lab.synthesis.machine import Reply
from lab.synthesis.unread import Unread

GOOD = {"quality": 8, "complexity": 9, "relevance": 6, "leaks": False}


def said(value: object, **changes: object) -> Reply:
    return Reply(text=value if isinstance(value, str) else json.dumps({**value, **changes}))  # type: ignore[dict-item]


@pytest.mark.parametrize("text", [
    json.dumps(GOOD), f"```json\n{json.dumps(GOOD)}\n```", f"\n {json.dumps(GOOD, indent=2)} \n",
    json.dumps(dict(reversed(GOOD.items()))),
])
def test_a_grade_is_read_bare_or_in_one_fence_in_any_order(text: str) -> None:
    assert read_grade(said(text)) == Grade(**GOOD)


@pytest.mark.parametrize(("name", "value"), [
    ("quality", 0), ("quality", 11), ("complexity", 0), ("complexity", 11), ("relevance", 0), ("relevance", 7),
    ("quality", 7.5), ("quality", 8.0), ("quality", "8"), ("quality", True), ("quality", None), ("quality", [8]),
    ("complexity", "8/10"), ("leaks", "true"), ("leaks", "False"), ("leaks", 0), ("leaks", 1), ("leaks", None),
])
def test_a_value_of_another_kind_or_range_is_no_grade(name: str, value: object) -> None:
    found = read_grade(said(GOOD, **{name: value}))
    assert isinstance(found, Unread) and found.reason == "wrong shape" and f"'{name}'" in found.why


@pytest.mark.parametrize(("text", "reason"), [
    ("", "empty"), ("I'm sorry, but I cannot help with that.", "refusal"), (json.dumps(GOOD)[:-8], "cut"),
    (f"Here is my grade: {json.dumps(GOOD)}", "words around it"),
    (f"{json.dumps(GOOD)}\nIt is clear.", "words around it"),
    (json.dumps(GOOD) * 2, "several"), ("quality 8, complexity 9", "no JSON"), (json.dumps([GOOD]), "wrong shape"),
    (json.dumps(GOOD | {"comment": "fine"}), "wrong shape"), (json.dumps({"quality": 8}), "wrong shape"),
    (json.dumps(GOOD).replace("9", "NaN"), "no number"), (json.dumps(GOOD)[:-1] + ', "leaks": true}', "field twice"),
])
def test_what_is_not_the_one_object_has_its_reason(text: str, reason: str) -> None:
    found = read_grade(said(text))
    assert isinstance(found, Unread) and found.reason == reason


def test_a_reply_that_was_cut_or_refused_says_nothing_even_if_it_looks_whole() -> None:
    for finish, reason in (("length", "cut"), ("refused", "refused")):
        found = read_grade(Reply(text=json.dumps(GOOD), finish=finish))
        assert isinstance(found, Unread) and found.reason == reason


def test_two_questions_are_read_and_the_same_one_twice_is_not() -> None:
    assert read_questions(said({"question1": " What is gout? ", "question2": "How is it treated?"})) == (
        "What is gout?", "How is it treated?")
    same = read_questions(said({"question1": "What is gout?", "question2": "what  is GOUT?"}))
    assert isinstance(same, Unread) and same.why == "both questions are the same"


@pytest.mark.parametrize("found", [
    {"question1": "What?"}, {"question1": "What?", "question2": ""}, {"question1": "What?", "question2": None},
    {"question1": "What?", "question2": ["How?"]}, {"question1": "a", "question2": "b", "question3": "c"},
])
def test_anything_but_two_texts_is_unread(found: dict) -> None:
    assert isinstance(read_questions(said(found)), Unread)
