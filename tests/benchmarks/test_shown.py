"""One clean-up for every arm: what only one arm writes goes, what was said stays."""

from __future__ import annotations

import time

import pytest

from lab.benchmarks.shown import THOUGHT_END, plain_form, shown_text, with_thinking
from lab.core.types import Generation
from lab.data.targets import THINKING_STYLES
from lab.engine.thinking import split_thinking

STYLES = sorted(THINKING_STYLES)
ANSWER = "Give 5 mg twice a day.\n\nAnswer: B"


def generation(text: str, style: str = "tags", finish: str = "eos") -> Generation:
    counts = dict(n_prompt_tokens=1, n_think_tokens=0, n_answer_tokens=1, seconds=0.1)
    split = split_thinking(text, THINKING_STYLES[style], finish)._asdict()
    return Generation(raw_text=text, finish_reason=finish, **split, **counts)


def shown(text: str, style: str = "tags", finish: str = "eos") -> str:
    return shown_text(generation(text, style, finish), THINKING_STYLES[style])


@pytest.mark.parametrize("style", STYLES)
def test_an_arm_that_thinks_and_one_that_does_not_look_the_same(style):
    whole = THINKING_STYLES[style].wrap("5 mg, then again", ANSWER)
    assert shown(whole, style) == shown(ANSWER, style) == ANSWER


@pytest.mark.parametrize("label", [
    "## Final Response", "## Final Response\n\n", "### Final answer:", "**Final Answer**", "**Final answer:** ",
    "Final answer: ", "The final answer:\n", "Answer: ", "answer : ", "**Answer:** ", "# Answer:", "### Summarization",
    "Response:\n\n", "## Final Response\n\nAnswer: ", "Réponse : ", "Réponse finale :\n",
    "<|im_start|>answer\nAnswer: ",
])
def test_a_label_that_only_announces_the_answer_goes(label):
    style = "s1" if "im_start" in label else "tags"
    said = label if label.endswith((" ", "\n")) else f"{label}\n"
    assert shown(f"{said}The dose is 5 mg.", style) == "The dose is 5 mg."


@pytest.mark.parametrize("text", [
    "The final answer is 12.", "Answers vary between patients.", "Answer the patient's questions first.",
    "Summarization of the case: a boy of 5 kg.", "Conclusions differ.", "Responses to penicillin: rash.",
    "5 * 3 * 2 = 30", "2*3*4 = 24", "2**3 is 8", "HbA1c* is raised; see *", "use snake_case_names here", "a_b and c_d",
    "blood_pressure_", "5 - 3 = 2", "pH < 7.35 and pCO2 > 45", "Stage #2 and grade ##", "#1 cause of death",
    "1. First\n2. Second", "- one\n- two", "a | b", "±, μg, ½ and 10⁻³",
])
def test_what_looks_like_a_mark_and_is_none_stays(text):
    assert shown(text) == text


@pytest.mark.parametrize(("marked", "plain"), [
    ("**Give** 5 mg", "Give 5 mg"), ("__Give__ 5 mg", "Give 5 mg"), ("*Give* _5_ *mg*", "Give _5_ mg"),
    ("***Give*** 5 mg", "Give 5 mg"), ("**Dose: 5 mg**, then *stop*.", "Dose: 5 mg, then stop."),
    ("**a** and **b**", "a and b"), ("**2*3* tablets**", "2*3* tablets"), ("(**NSAIDs**)", "(NSAIDs)"),
    ("### Dose\n\nGive 5 mg", "Dose\n\nGive 5 mg"), ("## **Dose** ##\nGive", "Dose\nGive"),
    ("Give 5 mg\n\n---\n\nStop", "Give 5 mg\n\nStop"), ("Give\n***\nStop", "Give\n\nStop"), ("a\n- - -\nb", "a\n\nb"),
    ("* one\n+ two\n• three", "- one\n- two\n- three"), ("* **one**: x", "- one: x"),
    ("a  \n\n\n\nb\t c\u00a0d", "a\n\nb c d"), ("Twelve<|eot_id|>", "Twelve"),
])
def test_marks_of_form_are_taken_from_every_arm_alike(marked, plain):
    assert shown(marked) == plain == plain_form(marked)


@pytest.mark.parametrize(("text", "clean"), [
    ("It is five.\n\nFinal answer: 5", "It is five.\n\nAnswer: 5"),
    ("It is five.\n\n**Final Answer:** 5", "It is five.\n\nAnswer: 5"),
    ("It is five.\n\nThe final response: 5", "It is five.\n\nAnswer: 5"),
    ("It is five.\n\nAnswer: 5", "It is five.\n\nAnswer: 5"),
    ("It is five.\n\n## Final Response\n\nFive it is.", "It is five.\n\nFive it is."),
])
def test_a_closing_line_is_the_same_line_in_every_arm(text, clean):
    assert shown(text) == clean


@pytest.mark.parametrize("line", ["**a " * 20_000, "**" + "a" * 80_000, "*" * 80_000, "__a " * 20_000, "_a" * 40_000,
                                  "#" * 80_000, "Final answer: " * 5_000, "- " * 40_000, " *a" * 25_000])
def test_a_model_that_goes_on_and_on_does_not_stop_the_lab(line):
    began = time.perf_counter()
    shown(line)
    assert time.perf_counter() - began < 3


def test_cleaning_twice_changes_nothing_more():
    for text in (ANSWER, "## Final Response\n\n**Answer:** *x* y\n\n---\n* a", "Final answer:\nFinal answer: 5"):
        once = shown(text)
        assert shown(once) == once


@pytest.mark.parametrize(("text", "finish"), [("Twelve.", "length"), ("<think>Twelve.", "eos"), ("Twelve.", "error"),
                                              ("<think>a</think>Twelve.", "cancelled"), ("Final answer:", "eos")])
def test_an_answer_that_was_never_finished_or_says_nothing_is_not_shown(text, finish):
    assert shown(text, finish=finish) == ""


def test_thinking_is_shown_before_a_rule_and_the_answer():
    said = with_thinking("**First** 5, <|x|>then 7.\n\n\n\nSo 12.", "Twelve.")
    assert said == f"First 5, then 7.\n\nSo 12.\n\n{THOUGHT_END}\n\nTwelve."
    assert said.count(THOUGHT_END) == 1 and THOUGHT_END not in shown(f"a\n{THOUGHT_END}\nb")


def test_without_a_thought_the_answer_stands_alone_and_without_an_answer_nothing_is_shown():
    assert with_thinking("", "Twelve.") == with_thinking(" \n", "Twelve.") == "Twelve."
    assert with_thinking("First 5, then 7.", "") == ""
