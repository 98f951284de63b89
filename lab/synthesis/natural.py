"""Natural: what a search has found, as one person's thinking and a reply (HuatuoGPT-o1, section 2.2 and appendix), and
the short forms of the ablation. How these replies are read.
"""

from __future__ import annotations

from lab.data.normalise import MARKS
from lab.synthesis.machine import Reply
from lab.synthesis.replies import read_object, read_text, text_of
from lab.synthesis.unread import Unread

NATURAL = ("text", "NaturalReasoning")  # the lab's field, and the paper's


def read_natural(reply: Reply) -> str | Unread:
    """The thinking. The paper's test of it: a text of more than one line, one thought on each."""
    found: str | Unread = Unread(reason="wrong shape", why="")
    for name in NATURAL:
        fields = read_object(reply, (name,))
        found = fields if isinstance(fields, Unread) else text_of(fields, name)
        if isinstance(found, str) and "\n" not in found:
            return Unread(reason="wrong shape", why="the thinking is one line, not one line a thought")
        if isinstance(found, str):
            return unmarked(found)
        if found.reason != "wrong shape":
            return found
    return Unread(reason="wrong shape", why="a field 'text' with the thinking was asked for")


def read_unmarked(reply: Reply) -> str | Unread:
    """A whole text without marks of thinking."""
    text = read_text(reply)
    return text if isinstance(text, Unread) else unmarked(text)


def unmarked(text: str) -> str | Unread:
    """The text, unless it holds what ends or begins a thought: trained on, it would be read as something else."""
    marked = any(mark.search(text) for pair in MARKS.values() for mark in pair)
    return Unread(reason="wrong shape", why="it holds marks of a thought") if marked else text


def read_simple(reply: Reply) -> tuple[str, str] | Unread:
    """(thinking, answer) of a short chain of thought."""
    found = read_object(reply, ("thinking", "answer"))
    if isinstance(found, Unread):
        return found
    parts: list[str] = []
    for name in ("thinking", "answer"):
        text = text_of(found, name)
        text = text if isinstance(text, Unread) else unmarked(text)
        if isinstance(text, Unread):
            return text
        parts.append(text)
    return parts[0], parts[1]
