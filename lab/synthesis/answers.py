"""Answers as texts: a plain one, and a long one in two sections, read strictly.

The sections are those of FineMedLM-o1, read as the lab reads every row of that kind (style 'finemed' of
`lab.data.targets`, `lab.data.normalise`): a thought that is never closed, or a missing section, is no long answer.
"""

from __future__ import annotations

import re
import unicodedata

from lab.data.normalise import MARKS, split_reply
from lab.data.targets import THINKING_STYLES
from lab.synthesis.machine import Reply
from lab.synthesis.replies import Unread, read_text
from lab.synthesis.text_state import LongAnswer

STYLE = "finemed"
NOTHING = frozenset({"", "na", "none", "null", "nil", "answer", "tbd"})  # said in place of an answer


def read_answer(reply: Reply) -> str | Unread:
    """An answer without sections and without marks of thinking: it would be read as something else when it trains."""
    text = read_text(reply)
    if isinstance(text, Unread):
        return text
    parts = split_reply(text)
    if parts.trace or parts.fault:
        return Unread(reason="wrong shape", why=f"an answer alone was asked for: {parts.fault or 'it holds thinking'}")
    return _worded(parts.answer) or parts.answer


def read_long_answer(reply: Reply) -> LongAnswer | Unread:
    """Thought and Summarization, both with words in them."""
    text = read_text(reply)
    if isinstance(text, Unread):
        return text
    strange = [name for name, marks in MARKS.items() if name != STYLE and any(mark.search(text) for mark in marks)]
    if strange:
        return Unread(reason="wrong shape", why=f"holds marks of the thinking style '{strange[0]}'")
    parts = split_reply(text)
    if parts.trace is None or parts.fault:
        return Unread(reason="wrong shape", why=parts.fault or "the two sections are missing")
    return _worded(parts.trace) or _worded(parts.answer) or LongAnswer(trace=parts.trace, answer=parts.answer)


def whole(answer: LongAnswer) -> str:
    """Both sections under their headings, as a judge reads them."""
    return THINKING_STYLES[STYLE].wrap(answer.trace, answer.answer)


def alike(one: str, other: str) -> bool:
    """Whether two answers are the same but for case, spaces and marks."""
    return _words(one) == _words(other)


def _worded(text: str) -> Unread | None:
    """Of a text that says next to nothing: dots, one letter, 'N/A'."""
    words = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
    if (len(words) > 1 or words.isdigit()) and words not in NOTHING:
        return None
    return Unread(reason="empty", why=f"it says nothing: '{text[:20]}'")


def _words(text: str) -> tuple[str, ...]:
    """Letters and digits, and the signs that change what a number or a claim says."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return tuple(re.findall(r"\w+|[-+<>=≤≥%/±]|(?<=\d)[.,](?=\d)", plain))
