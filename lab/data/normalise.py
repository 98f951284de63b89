"""Normalise: one reply, thinking and answer apart, however its source writes them.

Thinking comes in a field of its own (`thinking`, `reasoning`, `reasoning_content`, …) or inside the text, between the
marks of a style of `lab.data.targets`. A text whose thinking cannot be told from its answer for sure is reported by
name and never guessed.

    >>> split_reply("<think>1+1=2</think>Answer: 2")
    Reply(trace='1+1=2', answer='Answer: 2', fault='')
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lab.core.types import StyleName

# The names a thinking field has in the wild: hub data sets, OpenAI-like servers, TRL, R1 distillations.
THINKING_FIELDS = (
    "trace", "thinking", "reasoning", "reasoning_content", "thinking_content", "thought", "Complex_CoT", "complex_cot",
    "cot", "chain_of_thought", "rationale", "reasoning (reasoning_content)", "thinking_trajectory",
    "deepseek_thinking_trajectory", "ds_think",
)
DOUBLE, EMPTY, UNCLOSED = "double thinking", "empty thinking", "unclosed thinking"
UNOPENED, LATE, NO_ANSWER = "thinking closed but not opened", "text before the thinking", "no answer"
TWICE = "thinking both in a field and in the text"
FAULTS = (DOUBLE, EMPTY, UNCLOSED, UNOPENED, LATE, NO_ANSWER, TWICE)

# (open, close) of each style, as the sources really write them: headings with or without bold, a colon, one to four #.
_LINE = r"^[ \t]*(?:#{{1,4}}[ \t]*)?\**[ \t]*{word}[ \t]*:?[ \t]*\**[ \t]*:?[ \t]*$"
MARKS: dict[StyleName, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "tags": (re.compile(r"<think(?:ing)?>"), re.compile(r"</think(?:ing)?>")),
    "headings": (re.compile(r"^##[ \t]*Thinking[ \t]*$", re.M), re.compile(r"^##[ \t]*Final Response[ \t]*$", re.M)),
    "s1": (re.compile(r"<\|im_start\|>think\b"), re.compile(r"<\|im_start\|>answer\b")),
    "finemed": (re.compile(_LINE.format(word="Thoughts?"), re.M), re.compile(_LINE.format(word="Summarization"), re.M)),
}
END_MARKS = re.compile(r"(?:<\|im_end\|>|<\|eot_id\|>|<\|endoftext\|>|</s>)\s*$")


class Reply(NamedTuple):
    """A reply in its two parts, without marks and outer whitespace; `fault` names why it cannot be used, or is ''."""

    trace: str | None
    answer: str
    fault: str = ""


def split_reply(text: str, thinking: str | None = None) -> Reply:
    """The parts of one reply. `thinking` is what a field of its own held; '' counts as empty thinking, None as none."""
    text = END_MARKS.sub("", text.strip()).strip()
    said = _split_text(text)
    if thinking is not None:
        if said.trace is not None or said.fault in (DOUBLE, UNCLOSED, EMPTY, UNOPENED, LATE):
            return Reply(thinking.strip() or None, text, TWICE)
        bare = without_marks(thinking)
        said = Reply(bare or None, said.answer, said.fault or ("" if bare else EMPTY))
    return said


def without_marks(thinking: str) -> str:
    """A thinking field without the marks that some sources leave around it."""
    thinking = thinking.strip()
    for opening, closing in MARKS.values():
        first = opening.match(thinking)
        if first:
            thinking = thinking[first.end():]
            last = list(closing.finditer(thinking))
            if last and not thinking[last[-1].end():].strip():
                thinking = thinking[: last[-1].start()]
    return thinking.strip()


def _split_text(text: str) -> Reply:
    for opening, closing in MARKS.values():
        opens, closes = list(opening.finditer(text)), list(closing.finditer(text))
        if opens or (closes and closing.pattern != MARKS["finemed"][1].pattern):
            return _by_marks(text, opens, closes)
    return Reply(None, text, "" if text else NO_ANSWER)


def _by_marks(text: str, opens: list[re.Match[str]], closes: list[re.Match[str]]) -> Reply:
    if not opens:
        return Reply(None, text, UNOPENED)
    if len(opens) > 1 or len(closes) > 1:
        return Reply(None, text, DOUBLE)
    if not closes or closes[0].start() < opens[0].end():
        return Reply(None, text, UNCLOSED)
    if text[: opens[0].start()].strip():
        return Reply(None, text, LATE)
    trace, answer = text[opens[0].end(): closes[0].start()].strip(), text[closes[0].end():].strip()
    fault = EMPTY if not trace else "" if answer else NO_ANSWER
    return Reply(trace or None, answer, fault)


def thinking_of(record: Mapping[str, Any]) -> str | None:
    """The thinking field of a row or message; None when it has none or it is null."""
    held = [record[name] for name in THINKING_FIELDS if isinstance(record.get(name), str)]
    return next((value for value in held if value.strip()), held[0] if held else None)


class Turn(NamedTuple):
    """One question and its reply out of a conversation; `fault` names what is not such."""

    question: str
    reply: Reply | None
    fault: str = ""


ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant", "prompter": "user"}


def single_turn(messages: Any) -> Turn:
    """A list of messages (`role`/`content`, or ShareGPT's `from`/`value`) as one turn.

    A system message is put before the question, since the lab's templates have a single user turn.
    """
    try:
        parts = list(_parts(messages))
    except (TypeError, AttributeError, KeyError):
        return Turn("", None, "messages of an unknown form")
    told = [content for role, content, _ in parts if role == "system" and content.strip()]
    rest = [part for part in parts if part[0] != "system"]
    roles = [role for role, _, _ in rest]
    if roles not in (["user"], ["user", "assistant"]):
        return Turn("", None, "more than one turn" if len(roles) > 2 else "messages without a question")
    question = "\n\n".join((*told, rest[0][1]))
    return Turn(question, split_reply(rest[1][1], rest[1][2]) if len(rest) == 2 else None)


def _parts(messages: Any) -> Iterator[tuple[str, str, str | None]]:
    for message in messages:
        role = message.get("role", message.get("from"))
        content = message.get("content", message.get("value"))
        if not isinstance(role, str) or not isinstance(content, str | None):
            raise TypeError
        yield ROLES.get(role, role), content or "", thinking_of(message)
