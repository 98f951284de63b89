"""The closed list of departments, and what counts as a name of it."""

from __future__ import annotations

import pytest

from lab.synthesis.departments import DEPARTMENTS, FIRST, NONE, choices_after, read_department
from lab.synthesis.machine import Reply
from lab.synthesis.unread import Unread


def read(text: str, choices: tuple[str, ...] = FIRST) -> str | Unread:
    return read_department(Reply(text=text), choices)


def test_there_are_six_departments_and_29_within_them() -> None:
    assert len(FIRST) == 6 and [len(within) for within in DEPARTMENTS.values()] == [8, 10, 2, 2, 3, 4]
    every = [name for within in DEPARTMENTS.values() for name in within]
    assert len(every) == len(set(every)) == 29 and NONE not in every


def test_every_name_is_read_as_itself_in_its_own_pass() -> None:
    for choices in (FIRST, *DEPARTMENTS.values()):
        for name in choices:
            assert read(name, choices) == name


@pytest.mark.parametrize("text", [
    "surgery", "SURGERY", " Surgery\n", "**Surgery**", '"Surgery"', "Surgery.", "`surgery`", "\ufeffSurgery",
    "\uff33urgery",  # a full-width S
])
def test_case_and_marks_do_not_matter(text: str) -> None:
    assert read(text) == "Surgery"


def test_and_may_be_written_as_a_sign() -> None:
    assert read("Obstetrics & Gynecology") == "Obstetrics and Gynecology"
    assert read("burns & plastic surgery", DEPARTMENTS["Surgery"]) == "Burns and Plastic Surgery"


@pytest.mark.parametrize("text", ["None", "none.", "**None**"])
def test_none_is_an_answer_of_either_pass(text: str) -> None:
    assert read(text) == NONE and read(text, DEPARTMENTS["Surgery"]) == NONE


@pytest.mark.parametrize(("text", "reason"), [
    ("", "empty"), ("Surgery, I think", "words around it"), ("Surgery\nPediatrics", "several"),
    ("Surgical", "other words"),
    ("Cardiology", "other words"),  # a name of the second level is none of the first
    ("N/A", "other words"), ("2", "other words"),
    ("S\u0435\u0433gery", "other words"), ("I'm sorry, I cannot answer that.", "refusal"),
])
def test_anything_else_is_unread(text: str, reason: str) -> None:
    found = read(text)
    assert isinstance(found, Unread) and found.reason == reason, found


def test_look_alike_letters_are_told_and_not_taken() -> None:
    found = read("Surg\u0435ry")  # a Cyrillic e
    assert isinstance(found, Unread) and found.reason == "look-alike letters"


def test_the_second_pass_follows_from_the_first() -> None:
    assert choices_after(None) == FIRST and choices_after("Pediatrics") == DEPARTMENTS["Pediatrics"]
    assert choices_after(NONE) == choices_after("") == ()
