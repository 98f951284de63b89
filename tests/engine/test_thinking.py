"""Where a thought ends and the answer starts."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lab.data.targets import THINKING_STYLES
from lab.engine.thinking import StreamSplitter, split_thinking

STYLE = THINKING_STYLES["tags"]

TABLE = [
    ("<think>2+2=4</think>\nAnswer: 4", "eos", ("2+2=4", "Answer: 4", "closed")),
    ("Answer: 4", "eos", ("", "Answer: 4", "none")),
    ("  Answer: 4 \n", "length", ("", "Answer: 4", "none")),
    ("", "eos", ("", "", "none")),
    ("<think>the answer is C but wait", "length", ("the answer is C but wait", "", "unclosed_length")),
    ("<think>the answer is C.", "eos", ("the answer is C.", "", "unclosed_eos")),
    ("<think>the answer is C.", "cancelled", ("the answer is C.", "", "unclosed_length")),
    ("<think>a</think>", "length", ("a", "", "closed")),
    ("<think></think>B", "eos", ("", "B", "closed")),
    ("a thought nobody opened</think>B", "eos", ("a thought nobody opened", "B", "closed")),
    ("<think>a</think>B<think>c</think>D", "eos", ("a B c", "D", "closed")),
    ("<think>a</think>B<think>c", "length", ("a B c", "", "unclosed_length")),
    ("<think>a</thi", "length", ("a</thi", "", "unclosed_length")),
    ("a < b and <thin", "eos", ("", "a < b and <thin", "none")),
]


@pytest.mark.parametrize("text, finish, expected", TABLE)
def test_a_text_splits_where_the_last_thought_closes(text, finish, expected):
    assert split_thinking(text, STYLE, finish) == expected


def streamed(pieces):
    splitter = StreamSplitter(STYLE)
    parts = {"thinking": "", "answer": ""}
    shown = [piece for text in pieces for piece in splitter.feed(text)] + list(splitter.finish())
    for part, text in shown:
        parts[part] += text
    return parts


WORDS = ["<think>", "</think>", "<", "</", "think>", " ", "\n", "a", "b c", "é"]
tagged = st.lists(st.sampled_from(WORDS), max_size=12)
cuts = st.lists(st.integers(0, 60), max_size=12)


def cut(text, places):
    places = sorted({0, len(text), *(place for place in places if place < len(text))})
    return [text[a:b] for a, b in zip(places, places[1:], strict=False)]


@settings(max_examples=300, deadline=None)
@given(tagged, cuts)
def test_the_stream_shows_the_same_however_it_is_cut(words, places):
    text = "".join(words)
    assert streamed(cut(text, places)) == streamed([text]) == streamed(list(text))


plain = st.text(alphabet="ab <>/think\n1=", max_size=30)


@settings(max_examples=300, deadline=None)
@given(plain, plain, st.sampled_from(["closed", "open", "none"]), cuts)
def test_a_well_formed_stream_adds_up_to_the_split_of_the_whole(thought, answer, form, places):
    assume(not any(mark in part for part in (thought, answer) for mark in (STYLE.open, STYLE.close)))
    text = {"closed": STYLE.wrap(thought, answer), "open": STYLE.open + thought, "none": answer}[form]
    split = split_thinking(text, STYLE, "length")
    assert streamed(cut(text, places)) == {"thinking": split.think_text, "answer": split.final_text}


def test_a_piece_is_shown_as_soon_as_it_cannot_be_a_delimiter():
    splitter = StreamSplitter(STYLE)
    assert list(splitter.feed("<thi")) == []
    assert list(splitter.feed("nk>one <")) == [("thinking", "one")]
    assert list(splitter.feed("b")) == [("thinking", " <b")]
