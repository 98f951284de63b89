"""Which of the lab's prompts a message is, and what fills it: the template's own text is matched, nothing is
guessed."""

from __future__ import annotations

import re
from functools import cache
from string import Template
from typing import NamedTuple

from lab.synthesis.prompts import own_prompts


class Asked(NamedTuple):
    """A prompt's name and its fields. Name "" for a message that none of the lab's templates writes."""

    prompt: str
    fields: dict[str, str]


def read_prompt(message: str) -> Asked:
    message = message.strip()
    for name, head, pattern in _patterns():
        if message.startswith(head) and (found := pattern.fullmatch(message)):
            return Asked(name, found.groupdict())
    return Asked("", {"question": message})


@cache
def _patterns() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """Of each template: its name, its text before the first name, and the whole of it as a pattern."""
    return tuple((name, *_pattern(text)) for name, text in own_prompts().texts.items())


def _pattern(text: str) -> tuple[str, re.Pattern[str]]:
    parts, at, head = [], 0, None
    for found in Template.pattern.finditer(text):
        literal = text[at:found.start()]
        if name := found["named"] or found["braced"]:
            head = text[:found.start()] if head is None else head
            parts += [re.escape(literal), f"(?P<{name}>.*?)"]
        else:
            parts += [re.escape(literal), re.escape("$")]
        at = found.end()
    parts.append(re.escape(text[at:]))
    return head or "", re.compile("".join(parts), re.DOTALL)
