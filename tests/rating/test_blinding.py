"""Which units a round would have, and what the scans find."""

from __future__ import annotations

import itertools

import pytest

from lab.rating.blinding import BankAnswer, build_units, compared
from lab.rating.design import RoundSpec
from lab.rating.leaks import auc, scan

LABELS = ("one", "two")
DESIGN = RoundSpec(name="r", bank=1, models=LABELS)
THREE = RoundSpec(name="r", bank=1, models=("one", "two", "three"))
IDS = itertools.count(1)


def answer(item, model, text="A fine text.", state="none", finish="eos") -> BankAnswer:
    return BankAnswer(next(IDS), item, model, "answer", "demo-llama", "Why?", text, state, finish)


def both(item, first, second) -> list[BankAnswer]:
    return [answer(item, "one", **first), answer(item, "two", **second)]


@pytest.mark.parametrize("reason, bad", [
    ("empty", {"text": "  \n"}),
    ("unclosed thinking", {"text": "", "state": "unclosed_length", "finish": "length"}),
    ("unclosed thinking", {"text": "some", "state": "unclosed_eos"}),
    ("truncated", {"finish": "length"}),
    ("truncated", {"text": "", "finish": "length"}),
    ("truncated", {"finish": "error"}),
    ("truncated", {"finish": "cancelled"}),
])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("task", ["both", "fluency"])
def test_a_question_with_an_answer_that_cannot_be_rated_is_left_out_and_counted(reason, bad, side, task):
    sides = [{}, {"text": "Another text."}]
    sides[side] = bad
    design = DESIGN.model_copy(update={"task": task})
    found = build_units(both("x", *sides) + both("y", {}, {"text": "Another text."}), design)
    assert [unit.item_id for unit in found.units] == ["y"] * (2 if task == "fluency" else 1)
    assert found.excluded == {reason: 1} and found.n_excluded == 1
    assert found.by_model[LABELS[side]] == {reason: 1} and found.by_model[LABELS[1 - side]] == {}
    assert [spare.model for spare in found.spare] == [LABELS[1 - side]]


def test_answers_that_differ_in_spaces_only_are_identical():
    assert build_units(both("x", {"text": "a  b\n"}, {"text": "a b"}), DESIGN).excluded == {"identical": 1}


def test_a_question_that_only_one_model_answered_is_missing():
    assert build_units([answer("x", "one")], DESIGN).excluded == {"missing": 1}


def test_two_unusable_answers_are_one_question_but_two_answers():
    found = build_units(both("x", {"text": ""}, {"finish": "length"}), DESIGN)
    assert found.excluded == {"truncated": 1}
    assert found.by_model == {"one": {"empty": 1}, "two": {"truncated": 1}}


def test_thinking_that_was_closed_or_forced_shut_is_rated():
    closed = {"state": "closed"}
    forced = {"text": "Other.", "state": "forced", "finish": "forced"}
    assert len(build_units(both("x", closed, forced), DESIGN).units) == 1


def test_answers_of_other_models_are_not_looked_at():
    rows = both("x", {}, {"text": "Other."}) + [answer("x", "three", ""), answer("z", "three")]
    assert build_units(rows, DESIGN).excluded == {}


def test_three_models_make_every_pair_or_each_against_the_first():
    rows = [answer("x", model, f"Text of {i}.") for i, model in enumerate(THREE.models)]
    assert [(u.a.model, u.b.model) for u in build_units(rows, THREE).units] == [
        ("one", "two"), ("one", "three"), ("two", "three")]
    assert compared(THREE.model_copy(update={"pairing": "first"})) == [("one", "two"), ("one", "three")]


def test_a_style_that_tells_the_models_apart_is_a_risk_with_its_size():
    long = "A much longer text {}, with a list:\n- one\n- two\n\nand a last line that says even more."
    rows = [row for i in range(30) for row in both(f"q{i}", {"text": f"Short {i}."}, {"text": long.format(i)})]
    found = build_units(rows, DESIGN)
    (risk,) = found.risks.values()
    assert list(found.risks) == ["one / two"] and risk.auc > 0.95 and risk.n == 30
    assert any(words.startswith("Style alone") for words in found.warnings)


@pytest.mark.parametrize("text", ["I am Demo-Llama, at your service.", "</think> Twelve.", "<|im_end|>",
                                  "## Final Response\n12", "I am one."])
def test_a_name_or_a_delimiter_is_a_leak_wherever_it_stands(text):
    found = scan([text], ["Twelve."], LABELS, {"one", "two", "demo-llama"})
    assert len(found) >= 1 and "1 answer of one and 0 answers of two" in found[0]


def test_an_everyday_word_is_a_leak_only_when_one_model_uses_it():
    same = [f"The answer is {i}." for i in range(6)]
    assert scan(same, same, LABELS, ()) == ()
    (warning,) = scan(same, [f"The result is {i}." for i in range(6)], LABELS, ())
    assert "'answer' is in 6 answers of one and 0 answers of two" in warning


def test_a_name_inside_another_word_is_no_leak():
    assert scan(["The stone and the bone."], ["Two."], LABELS, {"one"}) == ()


def test_length_that_gives_the_model_away_is_a_warning():
    short, long = [f"Dose {i}." for i in range(5)], [f"The dose for this patient is {i} mg." for i in range(5)]
    (warning,) = scan(short, long, LABELS, ())
    assert "words" in warning and "100% of cases" in warning and "mean 2 in one, 8 in two" in warning


def test_auc_counts_ties_half():
    assert auc([1, 2], [1, 2]) == 0.5
    assert auc([1, 1], [2, 2]) == 1
    assert auc([1, 3], [2]) == 0.5
