"""What counts as well formed, in each thinking style, and every way to fall short of it."""

from __future__ import annotations

import pytest

from lab.data.targets import THINKING_STYLES
from lab.verify.format import WELL_FORMED, check_format, check_plain

TAGS = THINKING_STYLES["tags"]

# text, ended, rule
TABLE = [
    ("<think>\n1+1=2\n</think>\nAnswer: 2", True, WELL_FORMED),
    ("<think>1+1=2</think>Answer: 2", True, WELL_FORMED),
    ("\n <think>\n1+1=2\n</think>\n\n2", True, WELL_FORMED),
    ("<think>\n1+1=2\n</think>\nAnswer: 2", False, "cut by the token budget"),
    ("<think>\n1+1=2", False, "cut by the token budget"),
    ("Answer: 2", True, "no opening mark"),
    ("", True, "no opening mark"),
    ("1+1=2\n</think>\nAnswer: 2", True, "no opening mark"),
    ("<think>\n1+1=2\nAnswer: 2", True, "no closing mark"),
    ("<think>\n<think>\n1+1=2\n</think>\nAnswer: 2", True, "more than one opening mark"),
    ("<think>\n1\n</think>\nAnswer: 2\n<think>", True, "more than one opening mark"),
    ("<think>\n1\n</think>\nAnswer: 2\n</think>\nAnswer: 3", True, "more than one closing mark"),
    ("</think>\n1+1=2\n<think>\nAnswer: 2", True, "closing mark before the opening one"),
    ("<think>\n\n</think>\nAnswer: 2", True, "no thinking between the marks"),
    ("<think></think>Answer: 2", True, "no thinking between the marks"),
    ("<think>\n1+1=2\n</think>\n", True, "no answer after the thinking"),
    ("<think>\n1+1=2\n</think>", True, "no answer after the thinking"),
]


@pytest.mark.parametrize(("text", "ended", "rule"), TABLE)
def test_the_first_broken_rule_is_named(text, ended, rule):
    form = check_format(text, TAGS, ended)
    assert form.rule == rule
    assert form.well_formed is (rule == WELL_FORMED)


@pytest.mark.parametrize("name", sorted(THINKING_STYLES))
def test_what_a_style_writes_is_well_formed_in_that_style(name):
    style = THINKING_STYLES[name]
    text = style.wrap("1+1=2", "Answer: 2")
    assert check_format(text, style, True) == (True, WELL_FORMED)
    assert check_format(text.replace(style.close, ""), style, True).rule == "no closing mark"
    assert check_format(text + style.close, style, True).rule == "more than one closing mark"


@pytest.mark.parametrize("name", sorted(set(THINKING_STYLES) - {"tags"}))
def test_the_marks_of_one_style_mean_nothing_in_another(name):
    assert not check_format(THINKING_STYLES[name].wrap("1+1=2", "Answer: 2"), TAGS, True).well_formed


@pytest.mark.parametrize(("text", "ended", "well_formed"), [
    ("Answer: 2", True, True), ("Answer: 2", False, False), (" ", True, False),
    ("<think>\n1\n</think>\nAnswer: 2", True, False), ("</think>Answer: 2", True, False),
])
def test_an_answer_without_thinking_is_well_formed_where_none_was_taught(text, ended, well_formed):
    assert check_plain(text, TAGS, ended).well_formed is well_formed
