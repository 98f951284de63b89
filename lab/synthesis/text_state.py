"""The state of one text on its way to an instruction, its answer and a pair: plain data, kept after every reply."""

from __future__ import annotations

from typing import Any, Literal

from lab.core.types import Plain
from lab.synthesis.grading import Grade
from lab.synthesis.judging import Compared
from lab.synthesis.machine import ItemState
from lab.synthesis.unread import Unread

Phase = Literal["", "questions", "grade", "answer", "long", "compare", "direct", "department", "subdepartment"]
DIRECT = -1  # the direct answer's place beside the long answers 0, 1, …
KEPT = "kept"  # of `pair`
# How a reply that ends something is told apart in the word for the end; any other reason is 'unread'.
ENDS = {"refused": "refused by the endpoint", "refusal": "refused by the model", "cut": "cut", "empty": "empty"}


class Question(Plain):
    """One of a text's questions. `fault`: why it cannot be kept, whatever the other one is worth."""

    text: str
    grade: Grade | None = None
    fault: str = ""


class LongAnswer(Plain):
    """A reply in two sections. `fault`: why this sample is none, such as the same again."""

    trace: str = ""
    answer: str = ""
    fault: str = ""


class TextState(ItemState):
    """How far one text is. What is decided is kept; what comes next follows from it (`instructing.route`)."""

    text: str  # cut to the job's limit; "" once nothing is asked about it any more
    source: str = ""
    cut: bool = False
    phase: Phase = "questions"  # what is asked now
    part: int = 0  # which question, sample or order is asked about
    tries: int = 0  # replies to this request that could not be read
    questions: tuple[Question, ...] = ()
    selected: int | None = None
    style: Literal["", "common", "complex"] = ""
    answer: str = ""  # to a common question
    long: tuple[LongAnswer, ...] = ()  # to a complex one
    compared: tuple[Compared, ...] = ()
    direct: str | None = None  # None: not asked
    best: int | None = None  # which long answer is kept
    rejected: int | None = None  # of the pair: a long answer, or DIRECT
    pair: str = ""  # "": not looked at; 'kept'; or why there is none
    department: str | None = None  # None: not asked; "": unread
    subdepartment: str | None = None
    unread: tuple[str, ...] = ()  # every reply that could not be read, as 'prompt: reason'

    def but(self, **changes: Any) -> TextState:
        """The same with other values."""
        return self.model_copy(update=changes)

    def asking(self, phase: Phase, part: int = 0) -> TextState:
        """Waiting for the first reply to another request."""
        return self.but(phase=phase, part=part, tries=0)

    def ended(self, outcome: str, why: str = "") -> TextState:
        return self.but(phase="", outcome=outcome, why=why, text="")

    @property
    def question(self) -> str:
        """The selected question; before that the first one, to know the text by."""
        return self.questions[self.selected or 0].text if self.questions else ""

    @property
    def grade(self) -> Grade | None:
        """Of the selected question."""
        return None if self.selected is None else self.questions[self.selected].grade

    @property
    def sampled(self) -> list[int]:
        """The places of the long answers that are some."""
        return [place for place, each in enumerate(self.long) if not each.fault]

    @property
    def said(self) -> str:
        """The answer that is kept, without its thinking; "" before there is one."""
        return self.answer if self.best is None else self.long[self.best].answer


def ending(what: str, unread: Unread) -> str:
    """'answer cut', 'questions unread', …: the outcome of what could not be had."""
    return f"{what} {ENDS.get(unread.reason, 'unread')}"
