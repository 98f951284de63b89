"""Answers as texts: two sections for a long one, none for a plain one, words in each."""

from __future__ import annotations

import pytest

from lab.synthesis.answers import alike, read_answer, read_long_answer, whole
from lab.synthesis.machine import Reply
from lab.synthesis.text_state import LongAnswer
from lab.synthesis.unread import Unread

GOOD = LongAnswer(trace="Urate.\nSo: colchicine.", answer="Colchicine.")


@pytest.mark.parametrize("text", [
    "### Thought\n\nUrate.\nSo: colchicine.\n\n### Summarization\n\nColchicine.",
    "### Thought\nUrate.\nSo: colchicine.\n### Summarization\nColchicine.",
    "**Thought**\nUrate.\nSo: colchicine.\n**Summarization**\nColchicine.",
    "## Thought:\nUrate.\nSo: colchicine.\n## Summarization:\nColchicine.\n",
])
def test_two_sections_are_read_as_the_sources_write_them(text: str) -> None:
    assert read_long_answer(Reply(text=text)) == GOOD


def test_what_is_read_is_written_as_the_style_has_it() -> None:
    assert read_long_answer(Reply(text=whole(GOOD))) == GOOD


@pytest.mark.parametrize(("text", "why"), [
    ("### Thought\nUrate.", "unclosed thinking"), ("Colchicine.", "two sections are missing"),
    ("### Summarization\nColchicine.", "two sections are missing"),
    ("### Thought\n\n### Summarization\nColchicine.", "empty thinking"),
    ("### Thought\nUrate.\n### Summarization\n", "no answer"),
    ("Well.\n### Thought\na b\n### Summarization\nc d", "before the thinking"),
    ("### Thought\na b\n### Thought\nc d\n### Summarization\ne f", "double thinking"),
    ("### Thought\nUrate.\n### Summary\nColchicine.", "unclosed thinking"),
    ("<think>Urate.</think>Colchicine.", "marks of the thinking style 'tags'"),
    ("<think>x</think>\n### Thought\nUrate.\n### Summarization\nColchicine.", "marks of the thinking style 'tags'"),
    ("### Thought\nUrate.\n### Summarization\n…", "says nothing"),
    ("### Thought\n-\n### Summarization\nColchicine.", "says nothing"),
    ("", "empty"), ("I'm sorry, but I cannot answer medical questions.", "declines"),
])
def test_a_missing_empty_or_unclosed_section_is_unread(text: str, why: str) -> None:
    found = read_long_answer(Reply(text=text))
    assert isinstance(found, Unread) and why in found.why, found


def test_a_long_answer_that_was_cut_is_unread_even_with_both_headings() -> None:
    found = read_long_answer(Reply(text=whole(GOOD), finish="length"))
    assert isinstance(found, Unread) and found.reason == "cut"


@pytest.mark.parametrize("text", ["Colchicine.", "No", "42", "7", "5 mg", "是的"])
def test_a_short_answer_is_an_answer(text: str) -> None:
    assert read_answer(Reply(text=text)) == text


@pytest.mark.parametrize("text", ["...", "…", "-", "N/A", "n.a.", "None", "null", "A", "\u200b", "Answer:"])
def test_next_to_nothing_is_none(text: str) -> None:
    found = read_answer(Reply(text=text))
    assert isinstance(found, Unread) and found.reason == "empty"


@pytest.mark.parametrize("text", [
    "<think>Urate.</think>Colchicine.", "### Thought\nUrate.\n### Summarization\nColchicine.", "<think>never closed",
])
def test_an_answer_with_thinking_in_it_would_train_as_something_else(text: str) -> None:
    found = read_answer(Reply(text=text))
    assert isinstance(found, Unread) and found.reason == "wrong shape"


@pytest.mark.parametrize(("one", "other", "same"), [
    ("Colchicine.", " colchicine", True), ("**Colchicine**, then rest.", "Colchicine then rest", True),
    ("5 mg", "5\u00a0mg", True), ("1.5 mg", "15 mg", False), ("1,5", "1.5", False), ("-5", "5", False),
    (">5", "<5", False),
    ("Colchicine", "Allopurinol", False), ("no", "", False),
])
def test_answers_are_alike_but_for_case_spaces_and_marks(one: str, other: str, same: bool) -> None:
    assert alike(one, other) is same
