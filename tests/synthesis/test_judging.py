"""Two orders of one comparison: what they say together, and what the place of an answer does."""

from __future__ import annotations

import json

import pytest

from lab.synthesis.judging import Compared, judge_counts, read_better
from lab.synthesis.machine import Reply
from lab.synthesis.unread import Unread


@pytest.mark.parametrize(("forward", "backward", "verdict"), [
    ("A", "B", "wins"),  # a stood first and was preferred, then second and was preferred
    ("A", "tie", "wins"), ("tie", "B", "wins"),
    ("B", "A", "loses"), ("B", "tie", "loses"), ("tie", "A", "loses"),
    ("tie", "tie", "ties"),
    ("A", "A", "inconsistent"),  # whatever stands first
    ("B", "B", "inconsistent"),  # whatever stands second
])
def test_both_orders_make_the_verdict(forward, backward, verdict: str) -> None:
    asked = Compared(a=0, b=1)
    assert asked.a_first and asked.verdict is None
    once = asked.told(forward)
    assert not once.a_first and once.verdict is None
    assert once.told(backward).verdict == verdict


def test_an_order_that_cannot_be_read_leaves_no_verdict_and_the_other_is_not_needed() -> None:
    assert Compared(a=0, b=1).lost().verdict == "unread"
    assert Compared(a=0, b=1).told("A").lost().verdict == "unread"


@pytest.mark.parametrize(("text", "said"), [
    ('{"better": "A"}', "A"), ('{"better": "b"}', "B"), ('{"better": " TIE "}', "tie"),
    ('```json\n{"better": "B"}\n```', "B"),
])
def test_the_better_one_is_read(text: str, said: str) -> None:
    assert read_better(Reply(text=text)) == said


@pytest.mark.parametrize("text", [
    "A", "", '{"better": "C"}', '{"better": "A or B"}', '{"better": null}', '{"better": ["A"]}', '{"better": true}',
    '{"better": "A", "why": "longer"}', '{"winner": "A"}', 'Answer A is better: {"better": "A"}', '{"better": "A"',
    json.dumps({"better": "\u0410"}),  # a Cyrillic A
])
def test_anything_else_is_unread(text: str) -> None:
    assert isinstance(read_better(Reply(text=text)), Unread)


def test_counts_show_a_judge_that_goes_by_place() -> None:
    biased = [Compared(a=0, b=-1).told("A").told("A") for _ in range(3)]
    fair = [Compared(a=0, b=-1).told("A").told("B"), Compared(a=0, b=-1).told("tie").told("tie")]
    assert judge_counts(biased + fair) == {
        "inconsistent": 3, "wins": 1, "ties": 1, "orders_decided": 8, "first_preferred": 7}
    assert judge_counts([Compared(a=0, b=-1).told("A")])["open"] == 1
