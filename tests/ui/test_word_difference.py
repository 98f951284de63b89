"""The difference of two answers, word by word: marks around what differs, every other character as it was."""

from __future__ import annotations

import html
import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.ui.components import word_difference as module
from lab.ui.components.word_difference import word_difference, word_differences

MARK = re.compile(r'<mark class="differs">(.*?)</mark>', re.DOTALL)


def marked(drawn: str) -> list[str]:
    return [html.unescape(found) for found in MARK.findall(drawn)]


def without_marks(drawn: str) -> str:
    return html.unescape(MARK.sub(r"\1", drawn))


@pytest.mark.parametrize(("one", "other", "in_one", "in_other"), [
    ("same words", "same words", [], []),
    ("The dose is 1.5 mg.", "The dose is 1.6 mg.", ["1.5"], ["1.6"]),
    ("1,000 mg at 120/80", "1,500 mg at 120/90", ["1,000", "120/80"], ["1,500", "120/90"]),
    ("twice a day", "once a day", ["twice"], ["once"]),
    ("a b c d", "a d", ["b c"], []),
    ("a d", "a b c d", [], ["b c"]),
    ("it's so", "its so", ["it's"], ["its"]),
    ("vitamin B12", "vitamin B6", ["B12"], ["B6"]),
    ("", "a b", [], ["a b"]),
    ("Ärztin geht", "Arztin geht", ["Ärztin"], ["Arztin"]),
    ("one", "two", ["one"], ["two"]),
    ("a, b", "a; b", [","], [";"]),
])
def test_only_what_differs_is_marked(one, other, in_one, in_other):
    drawn_one, drawn_other = word_difference(one, other)
    assert (marked(drawn_one), marked(drawn_other)) == (in_one, in_other)


@pytest.mark.parametrize("one", ["  a\n\n\tb ", "a  b", "\na\r\nb"])
def test_white_space_is_kept_and_never_marked_by_itself(one):
    drawn, other = word_difference(one, "a b")
    assert (str(drawn), str(other)) == (one, "a b")


@given(st.text("ab1.<&{ \n"), st.text("ab1.<&{ \n"))
def test_no_character_is_lost_or_becomes_markup(one, other):
    for drawn, text in zip(word_difference(one, other), (one, other), strict=True):
        assert without_marks(drawn) == text
        assert "<" not in MARK.sub(r"\1", drawn) and "{" not in drawn


def test_three_or_more_are_compared_with_the_first_which_stays_unmarked():
    drawn = word_differences(["a b c", "a x c", "a b c", "b c d"])
    assert [marked(one) for one in drawn] == [[], ["x"], [], ["d"]]
    assert [marked(one) for one in word_differences(["a b", "a c"])] == [["b"], ["c"]]
    assert word_differences(["<b>"]) == ["&lt;b&gt;"] and word_differences([]) == []


def _answer(draw: random.Random, n: int) -> str:
    """Words as a language has them: half of them one of seven."""
    return " ".join(draw.choice("the of a is and , .".split()) if draw.random() < 0.5 else f"w{draw.randrange(2000)}"
                    for _ in range(n))


@pytest.mark.parametrize("n", [1_900, 5_000])
def test_long_answers_take_a_moment_and_lose_nothing(n):
    """5,000 words: 0.1 s; compared exactly they would take more than a second."""
    draw = random.Random(0)
    one, other = _answer(draw, n), _answer(draw, n)
    started = time.perf_counter()
    drawn = word_difference(one, other)
    assert time.perf_counter() - started < 2
    assert [without_marks(text) for text in drawn] == [one, other]


def test_above_the_bound_more_may_be_marked_but_never_less(monkeypatch):
    draw = random.Random(1)
    one, other = _answer(draw, 400), _answer(draw, 400)
    exact = word_difference(one, other)
    monkeypatch.setattr(module, "EXACT", 0)
    module._compared.cache_clear()
    quick = word_difference(one, other)
    module._compared.cache_clear()
    assert len(" ".join(marked(quick[0])).split()) >= len(" ".join(marked(exact[0])).split()) > 0
