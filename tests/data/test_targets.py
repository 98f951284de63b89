"""Arms differ in the completion alone: the prompt is the same for every target, to the byte."""

from __future__ import annotations

import json

import pytest

from lab.core.errors import LabError
from lab.core.types import Example
from lab.data.chat import prompt_completion, prompt_messages, question_text
from lab.data.dataset import datasets
from lab.data.targets import THINKING_STYLES, target_text

ROW = Example(id="r", question="What is 1+1?", trace="1+1=2", answer="It is 2.\nAnswer: 2", gold="2")


def test_trace_is_thinking_and_answer_and_the_others_leave_the_thinking_out() -> None:
    assert target_text(ROW, "trace") == "<think>\n1+1=2\n</think>\nIt is 2.\nAnswer: 2"
    assert target_text(ROW, "answer") == "It is 2.\nAnswer: 2"
    assert target_text(ROW, "gold") == "Answer: 2"


def test_a_row_that_cannot_teach_a_target_is_an_error_and_not_an_empty_text() -> None:
    with pytest.raises(LabError, match="no reasoning trace"):
        target_text(ROW.model_copy(update={"trace": None}), "trace")
    with pytest.raises(LabError, match="no reasoning trace: target steps"):
        target_text(ROW, "steps")


def test_each_style_writes_its_own_marks() -> None:
    written = {style: target_text(ROW, "trace", style) for style in THINKING_STYLES}
    assert written["headings"] == "## Thinking\n\n1+1=2\n\n## Final Response\n\nIt is 2.\nAnswer: 2"
    assert written["s1"] == "<|im_start|>think\n1+1=2\n<|im_start|>answer\nIt is 2.\nAnswer: 2"
    assert THINKING_STYLES["s1"].wrap("t", "2").endswith("answer\nAnswer: 2")
    assert written["finemed"] == "### Thought\n\n1+1=2\n\n### Summarization\n\nIt is 2.\nAnswer: 2"


@pytest.mark.parametrize("name", ["demo-general", "demo-medical", "demo-combined"])
def test_prompts_are_byte_identical_for_all_targets_and_completions_share_the_answer(name: str) -> None:
    for row in datasets()[name].load()[:300]:
        trace, answer = prompt_completion(row, "trace"), prompt_completion(row, "answer")
        assert json.dumps(trace["prompt"]) == json.dumps(answer["prompt"]) == json.dumps(prompt_messages(row))
        close = THINKING_STYLES["tags"].close + "\n"
        assert trace["completion"][0]["content"].split(close)[1] == answer["completion"][0]["content"]


def test_options_follow_the_question_one_per_line() -> None:
    row = ROW.model_copy(update={"options": {"A": "one", "B": "two"}})
    assert question_text(row) == "What is 1+1?\nA) one\nB) two"
