"""Replies: what a reply says, read strictly: a value, or `Unread` with the reason. Nothing is guessed.

The published code takes "pass" or "true" anywhere in a reply for a yes (HuatuoGPT-o1, construct_verifiable_medical_
problems.py, search_for_complex_reasoning_path.py), so that "not true" is one. Here the reply is the word alone: case,
underscores, spaces, marks of Markdown, quotes and a full stop aside.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeVar

from lab.synthesis.actions import Action, actions_of
from lab.synthesis.look_alikes import latin
from lab.synthesis.machine import Reply
from lab.synthesis.refusals import declines
from lab.synthesis.strict_json import one_object
from lab.synthesis.unread import Unread

Verdict = Literal["pass", "too simple", "ambiguous", "not reformulatable"]
Value = TypeVar("Value")
VERDICTS: dict[str, Verdict] = {
    "pass": "pass", "too simple": "too simple", "ambiguous": "ambiguous", "ambiguous answer": "ambiguous",
    "not reformulatable": "not reformulatable",
}
TRUTH = {"true": True, "false": False}
MARKS = " \t\r\n*`#>\"'“”‘’"


def read_verdict(reply: Reply) -> Verdict | Unread:
    """What the filter says of an exam question: one of four words."""
    return read_word(reply, VERDICTS)


def read_true_false(reply: Reply) -> bool | Unread:
    """True or False, alone."""
    return read_word(reply, TRUTH)


def read_word(reply: Reply, words: Mapping[str, Value]) -> Value | Unread:
    """The one of `words` (keys as `folded` makes them) that the whole reply is."""
    fault = _unfinished(reply)
    if fault:
        return fault
    said = folded(reply.text)
    if said in words:
        return words[said]
    if not said:
        return Unread(reason="empty", why="nothing but marks")
    seen = folded(latin(reply.text))
    if seen in words:
        return Unread(reason="look-alike letters", why=f"reads as '{seen}' and is written in other letters")
    if declines(reply.text):
        return _refusal(reply)
    named = {word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said)}
    named = {word for word in named if not any(word != other and word in other for other in named)}
    if len(named) > 1:
        return Unread(reason="several", why=f"more than one of the words: {', '.join(sorted(named))}")
    reason = "words around it" if named else "other words"
    return Unread(reason=reason, why=f"one word was asked for, not '{_short(reply.text)}'")


def folded(text: str) -> str:
    """A word or two as they are compared: NFKC, no case, underscores and spaces one space, without marks around it."""
    plain = unicodedata.normalize("NFKC", text.removeprefix("\ufeff")).casefold()
    plain = plain.strip(MARKS).removesuffix(".").strip(MARKS)
    return re.sub(r"[\s_]+", " ", plain)


def read_text(reply: Reply) -> str | Unread:
    """A text as it is: whole, and no refusal."""
    fault = _unfinished(reply)
    if fault:
        return fault
    if declines(reply.text):
        return _refusal(reply)
    text = reply.text.strip()
    if "\x00" in text or re.search(r"[\ud800-\udfff]", text):
        return Unread(reason="wrong shape", why="signs that no file can hold")
    return text


def read_object(reply: Reply, keys: Collection[str]) -> dict[str, Any] | Unread:
    """One JSON object with exactly these fields. What kind its values are is the caller's to look at."""
    found = _object(reply)
    if isinstance(found, Unread) or found.keys() == set(keys):
        return found
    named = ", ".join(found) or "none"
    return Unread(reason="wrong shape", why=f"the fields {', '.join(keys)} were asked for, not {named}")


def text_of(found: Mapping[str, Any], key: str) -> str | Unread:
    """A field that holds words."""
    value = found.get(key)
    if isinstance(value, str) and value.strip():
        return value.strip()
    return Unread(reason="wrong shape", why=f"'{key}' holds no text")


def read_actions(reply: Reply, continues: bool = False) -> tuple[Action, ...] | Unread:
    """The steps of a reasoning, or of its continuation."""
    found = _object(reply)
    return found if isinstance(found, Unread) else actions_of(found, continues)


def _object(reply: Reply) -> dict[str, Any] | Unread:
    fault = _unfinished(reply)
    if fault:
        return fault
    found = one_object(reply.text)
    if isinstance(found, Unread) and found.reason == "no JSON" and declines(reply.text):
        return _refusal(reply)
    return found


def _unfinished(reply: Reply) -> Unread | None:
    if reply.finish == "refused":
        return Unread(reason="refused", why=f"the endpoint refused: {_short(reply.text) or 'without a word'}")
    if reply.finish == "length":
        spent = "" if reply.text.strip() else ", all of them spent on thinking" if reply.think else ""
        return Unread(reason="cut", why=f"cut at the limit of tokens{spent}")
    return None if reply.text.strip().strip("\ufeff") else Unread(reason="empty", why="the reply is empty")


def _refusal(reply: Reply) -> Unread:
    return Unread(reason="refusal", why=f"the model declines: '{_short(reply.text)}'")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}…"
