"""Format: did a text think, then answer, then end by itself? The style of the marks is data, not a rule of its own.

HuatuoGPT-o1 (arXiv 2412.18925, RL_stage2.py) calls a text well formed when it holds each of its two headings exactly
once. This is stricter by three points, because each is a way to earn the reward of a well-formed text for nothing: the
marks stand in order, something stands between them, and an answer follows them.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

WELL_FORMED = "well formed"


class Marks(Protocol):
    """The two strings that stand around a thought."""

    @property
    def open(self) -> str: ...
    @property
    def close(self) -> str: ...


class Form(NamedTuple):
    """Whether a text is well formed, and which rule says so."""

    well_formed: bool
    rule: str


def check_format(text: str, marks: Marks, ended: bool) -> Form:
    """The first rule that a generated text breaks, or `WELL_FORMED`.

    `text` has no end-of-sequence token and begins with the opening mark where the chat template writes it. `ended`:
    the model ended the text itself; one that was cut by the token budget is malformed, whatever it says.
    """
    rule = _broken_rule(text, marks, ended)
    return Form(rule is None, rule or WELL_FORMED)


def check_plain(text: str, marks: Marks, ended: bool) -> Form:
    """The same for a model that was taught answers alone: its text ends, says something, and holds no mark."""
    if not ended:
        return Form(False, "cut by the token budget")
    if marks.open in text or marks.close in text:
        return Form(False, "thinking where none was taught")
    return Form(True, WELL_FORMED) if text.strip() else Form(False, "no answer")


def _broken_rule(text: str, marks: Marks, ended: bool) -> str | None:
    if not ended:
        return "cut by the token budget"
    for mark, name in ((marks.open, "opening"), (marks.close, "closing")):
        if (count := text.count(mark)) != 1:
            return f"no {name} mark" if count == 0 else f"more than one {name} mark"
    opened, closed = text.index(marks.open), text.index(marks.close)
    if closed < opened:
        return "closing mark before the opening one"
    if not text[opened + len(marks.open) : closed].strip():
        return "no thinking between the marks"
    return None if text[closed + len(marks.close) :].strip() else "no answer after the thinking"
