"""Rewards: 1, 0.1 and 0 as in HuatuoGPT-o1, from the verifier that scores benchmarks."""

from __future__ import annotations

import pytest

from lab.core.spec import load_spec
from lab.core.types import Example
from lab.data.datasets.demo_medical import load as demo_medical
from lab.data.targets import THINKING_STYLES, target_text
from lab.training.rewards import Scheme, is_verifiable, reward
from lab.training.rl_specs import PpoSpec

SUM = Example(id="s", question="7+5?", answer="Answer: 12", gold="12", verifier="numeric")
CHOICE = Example(id="c", question="?", options={"A": "north", "B": "east"}, answer="B", gold="B", verifier="choice")

# text, ended, value, correct, well formed, part of the rule
TRAPS = [
    ("<think>\n7+5=12\n</think>\nAnswer: 12", True, 1.0, True, True, "answer line"),
    ("<think>\n7+5=13\n</think>\nAnswer: 13", True, 0.1, False, True, "answer line"),
    ("<think>\n7+5=12\n</think>\nIt is twelve.", True, 0.1, False, True, "no explicit answer"),
    # Right in its thoughts alone: a thought is never searched for an answer.
    ("<think>\nAnswer: 12\n</think>\nAnswer: 13", True, 0.1, False, True, "answer line"),
    # Two answers to be on the safe side: the last one counts.
    ("<think>\n7+5\n</think>\nAnswer: 12\nAnswer: 13", True, 0.1, False, True, "answer line"),
    ("<think>\n7+5\n</think>\nAnswer: 12 or 13", True, 0.1, False, True, "not exactly one number"),
    # Right, but without thinking, or with a broken form: nothing.
    ("Answer: 12", True, 0.0, True, False, "no opening mark"),
    ("<think>\n\n</think>\nAnswer: 12", True, 0.0, True, False, "no thinking"),
    ("<think>\n7+5=12\n</think>\n<think>\n12\n</think>\nAnswer: 12", True, 0.0, True, False, "more than one opening"),
    # Cut by the budget: malformed, although what stands there is right.
    ("<think>\n7+5=12\n</think>\nAnswer: 12", False, 0.0, True, False, "cut by the token budget"),
    ("<think>\n7+5=12\nAnswer: 12", True, 0.0, False, False, "no closing mark"),
    ("", True, 0.0, False, False, "no opening mark"),
]


@pytest.mark.parametrize(("text", "ended", "value", "correct", "well_formed", "rule"), TRAPS)
def test_every_text_gets_the_reward_of_its_kind(text, ended, value, correct, well_formed, rule):
    found = reward(text, SUM, "tags", ended, Scheme())
    assert (found.value, found.correct, found.well_formed) == (value, correct, well_formed)
    assert rule in found.rule


@pytest.mark.parametrize("style", sorted(THINKING_STYLES))
def test_a_right_answer_earns_the_full_reward_in_every_style(style):
    text = THINKING_STYLES[style].wrap("north is up, so it is east", "Answer: B")
    assert reward(text, CHOICE, style, True, Scheme()).value == 1.0
    assert reward(text.replace("Answer: B", "Answer: A"), CHOICE, style, True, Scheme()).value == 0.1
    assert reward(text, CHOICE, style, False, Scheme()).value == 0.0


def test_the_three_values_are_the_settings():
    values = {"base": "demo-llama", "dataset": "demo-medical"}
    scheme = load_spec(PpoSpec, {
        **values, "reward_correct": 2, "reward_wrong": -0.5, "reward_malformed": -1,
    }).scheme()
    texts = ("<think>\n1\n</think>\nAnswer: 12", "<think>\n1\n</think>\nAnswer: 1", "Answer: 12")
    assert [reward(text, SUM, "tags", True, scheme).value for text in texts] == [2, -0.5, -1]


def test_a_start_without_thinking_is_rewarded_for_answering_alone():
    scheme = Scheme(thinking=False)
    assert reward("Answer: 12", SUM, "tags", True, scheme).value == 1.0
    assert reward("Answer: 13", SUM, "tags", True, scheme).value == 0.1
    assert reward("<think>\n1\n</think>\nAnswer: 12", SUM, "tags", True, scheme).value == 0.0


def test_what_a_dataset_teaches_earns_the_full_reward():
    rows = demo_medical()[:200]
    assert len(rows) == 200
    assert {reward(target_text(row, "trace"), row, "tags", True, Scheme()).value for row in rows} == {1.0}


@pytest.mark.parametrize(("verifier", "gold", "sound"), [
    ("numeric", "12", True), ("numeric", "about twelve", False), ("exact", "aortic stenosis", True),
    ("exact", "not known", False),  # the verifier takes a negated answer for none
])
def test_a_question_whose_own_gold_answer_is_not_accepted_is_not_verifiable(verifier, gold, sound):
    assert is_verifiable(Example(id="x", question="?", answer="", gold=gold, verifier=verifier)) is sound
