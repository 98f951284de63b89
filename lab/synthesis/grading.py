"""Grades of a question that was made from a text, and the two questions themselves, read strictly.

FineMedLM-o1 (arXiv 2501.09213): quality and complexity 1 to 10, relevance to medicine 1 to 6, and whether the question
gives away details of its source. What is not exactly as asked for is unread: 7.5 is no 7, and "true" is not true.
"""

from __future__ import annotations

from pydantic import Field

from lab.core.types import Plain
from lab.synthesis.machine import Reply
from lab.synthesis.replies import Unread, read_object, text_of

RANGES = {"quality": (1, 10), "complexity": (1, 10), "relevance": (1, 6)}
LEAKS = "leaks"
QUESTIONS = ("question1", "question2")


class Grade(Plain):
    """What the teacher says of one question."""

    quality: int = Field(ge=1, le=10)
    complexity: int = Field(ge=1, le=10)
    relevance: int = Field(ge=1, le=6)
    leaks: bool


def read_grade(reply: Reply) -> Grade | Unread:
    """The grade, or why there is none."""
    found = read_object(reply, (*RANGES, LEAKS))
    if isinstance(found, Unread):
        return found
    for name, (least, most) in RANGES.items():
        # type() and not isinstance(): True is an int of Python, and no grade.
        if type(found[name]) is not int or not least <= found[name] <= most:
            said = f"{found[name]!r:.40}"
            return Unread(reason="wrong shape", why=f"'{name}' is no whole number from {least} to {most}: {said}")
    if type(found[LEAKS]) is not bool:
        return Unread(reason="wrong shape", why=f"'{LEAKS}' is neither true nor false: {found[LEAKS]!r:.40}")
    return Grade(**found)


def read_questions(reply: Reply) -> tuple[str, ...] | Unread:
    """Two different questions."""
    found = read_object(reply, QUESTIONS)
    if isinstance(found, Unread):
        return found
    said = tuple(text_of(found, key) for key in QUESTIONS)
    for each in said:
        if isinstance(each, Unread):
            return each
    first, second = (" ".join(str(each).casefold().split()) for each in said)
    return Unread(reason="wrong shape", why="both questions are the same") if first == second else tuple(map(str, said))
