"""One reply, thinking and answer apart, however its source writes them; what is not sure is named, never guessed."""

from __future__ import annotations

import pytest

from lab.data.normalise import (
    DOUBLE,
    EMPTY,
    LATE,
    NO_ANSWER,
    TWICE,
    UNCLOSED,
    UNOPENED,
    Reply,
    single_turn,
    split_reply,
    thinking_of,
)
from lab.data.targets import THINKING_STYLES

SOUND = {
    "tags": "<think>\n1+1=2\n</think>\nAnswer: 2",
    "tags on one line": "<think>1+1=2</think>Answer: 2",
    "long tags": "<thinking>1+1=2</thinking>Answer: 2",
    "headings": "## Thinking\n\n1+1=2\n\n## Final Response\n\nAnswer: 2",
    "s1": "<|im_start|>think\n1+1=2\n<|im_start|>answer\nAnswer: 2<|im_end|>",
    "finemed": "### Thought\n1+1=2\n\n### Summarization\nAnswer: 2",
    "finemed in bold": "**Thought:**\n1+1=2\n**Summarization:**\nAnswer: 2",
    "finemed plain": "Thought\n1+1=2\nSummarization\nAnswer: 2",
}


@pytest.mark.parametrize("text", SOUND.values(), ids=SOUND)
def test_inline_thinking_of_every_style_becomes_the_same_two_parts(text: str) -> None:
    assert split_reply(text) == Reply("1+1=2", "Answer: 2")


@pytest.mark.parametrize("style", THINKING_STYLES)
def test_what_the_lab_writes_in_a_style_is_read_back(style: str) -> None:
    written = THINKING_STYLES[style].wrap("First this.\nThen that.", "Answer: 2")
    assert split_reply(written) == Reply("First this.\nThen that.", "Answer: 2")


def test_thinking_in_a_field_of_its_own_loses_the_marks_a_source_left_around_it() -> None:
    assert split_reply("Answer: 2", "1+1=2") == Reply("1+1=2", "Answer: 2")
    assert split_reply("Answer: 2", "<think>\n1+1=2\n</think>") == Reply("1+1=2", "Answer: 2")
    assert split_reply("Answer: 2", "<think>\n1+1=2") == Reply("1+1=2", "Answer: 2")
    assert split_reply("Answer: 2") == Reply(None, "Answer: 2")


BROKEN = [
    ("<think>a</think>b<think>c</think>d", DOUBLE),
    ("## Thinking\n\na\n\n## Thinking\n\nb\n\n## Final Response\n\nc", DOUBLE),
    ("<think>a</think>b</think>c", DOUBLE),
    ("<think>\n\n</think>b", EMPTY),
    ("<think>a", UNCLOSED),
    ("## Thinking\n\na and so on", UNCLOSED),
    ("</think>a<think>b", UNCLOSED),
    ("a</think>b", UNOPENED),
    ("Well: <think>a</think>b", LATE),
    ("<think>a</think>", NO_ANSWER),
    ("", NO_ANSWER),
]


@pytest.mark.parametrize(("text", "fault"), BROKEN)
def test_thinking_that_cannot_be_told_apart_is_named(text: str, fault: str) -> None:
    assert split_reply(text).fault == fault


def test_thinking_in_both_places_is_named_and_an_empty_field_is_empty_thinking() -> None:
    assert split_reply("<think>a</think>b", "c").fault == TWICE
    assert split_reply("<think>a", "c").fault == TWICE
    assert split_reply("b", "  ").fault == EMPTY
    assert split_reply("b", "<think></think>").fault == EMPTY


@pytest.mark.parametrize("name", ["thinking", "reasoning_content", "reasoning", "Complex_CoT",
                                  "reasoning (reasoning_content)"])
def test_a_thinking_field_is_found_under_its_usual_names(name: str) -> None:
    assert thinking_of({"content": "b", name: "a"}) == "a"
    assert thinking_of({"content": "b", name: None}) is None


def test_a_conversation_becomes_one_turn_with_its_system_message_in_front() -> None:
    turn = single_turn([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "1+1?"},
                        {"role": "assistant", "content": "2", "reasoning_content": "1+1=2"}])
    assert turn == ("Be brief.\n\n1+1?", Reply("1+1=2", "2"), "")
    shared = single_turn([{"from": "human", "value": "1+1?"}, {"from": "gpt", "value": "<think>a</think>2"}])
    assert shared == ("1+1?", Reply("a", "2"), "")


def test_what_is_no_single_turn_is_named() -> None:
    user, assistant = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}
    assert single_turn([user, assistant, user, assistant]).fault == "more than one turn"
    assert single_turn([assistant]).fault == "messages without a question"
    assert single_turn("text").fault == "messages of an unknown form"
    assert single_turn([{"role": "user", "content": [{"type": "image"}]}]).fault == "messages of an unknown form"
