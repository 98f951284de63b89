"""Natural: what a search has found, as one person's thinking and a reply (HuatuoGPT-o1, section 2.2 and appendix), and
the short forms of the ablation. How these replies are read.
"""

from __future__ import annotations

from lab.synthesis.machine import Reply
from lab.synthesis.replies import read_object, text_of
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
        if isinstance(found, str) or found.reason != "wrong shape":
            return found
    return Unread(reason="wrong shape", why="a field 'text' with the thinking was asked for")


def read_simple(reply: Reply) -> tuple[str, str] | Unread:
    """(thinking, answer) of a short chain of thought."""
    found = read_object(reply, ("thinking", "answer"))
    if isinstance(found, Unread):
        return found
    thinking, answer = text_of(found, "thinking"), text_of(found, "answer")
    if isinstance(thinking, Unread):
        return thinking
    return answer if isinstance(answer, Unread) else (thinking, answer)
