"""Strict JSON: the one object of a reply, bare or in one code fence, or the reason why there is none.

Two things are mended, because models do them and nothing is guessed by it: a code fence is taken off, and raw line ends
and tabs inside strings are read. Whatever else differs from the one object that was asked for is told, not repaired: of
two objects, or of one with words around it, nobody knows which part the model meant.
"""

from __future__ import annotations

import json
import re
import unicodedata
from math import isfinite
from typing import Any

from lab.synthesis.look_alikes import has_look_alikes, latin
from lab.synthesis.unread import Reason, Unread

FENCE = re.compile(r"```[ \t]*[\w+-]*[ \t]*\n?")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
SURROGATE = re.compile(r"[\ud800-\udfff]")
MOST_NESTED = 20  # what is asked for nests three deep
CUT_NEAR_END = 6  # characters: a \u escape that is cut
LITERALS = ("true", "false", "null", "NaN", "-")


class _Broken(ValueError):
    """A rule of ours that JSON's own reader does not know."""

    def __init__(self, reason: Reason, why: str):
        super().__init__(why)
        self.unread = Unread(reason=reason, why=why)


def one_object(text: str) -> dict[str, Any] | Unread:
    """The object of a text. Fields are folded to plain letters (NFKC); values are as they stand."""
    body = _body(text.strip().removeprefix("\ufeff").strip())
    if isinstance(body, Unread):
        return body
    if _depth(body) > MOST_NESTED:
        return Unread(reason="too deep", why=f"it nests more than {MOST_NESTED} deep")
    try:
        found, end = _DECODER.raw_decode(body)
    except _Broken as broken:
        return broken.unread
    except json.JSONDecodeError as error:
        return _cut_or_broken(body, error)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits
        return Unread(reason="not JSON", why=str(error).partition(";")[0])
    rest = body[end:].strip()
    if rest:
        return (Unread(reason="several", why="more than one JSON object") if rest.startswith(("{", "```")) else
                Unread(reason="words around it", why=f"words after the JSON: '{rest[:40]}'"))
    bad = _bad_text(found)
    return Unread(reason="not JSON", why=bad) if bad else found


def _body(text: str) -> str | Unread:
    """What is to be read as JSON: it begins with a brace."""
    if not text:
        return Unread(reason="empty", why="the reply is empty")
    if text.startswith("```"):
        return _fenced(text)
    if text.startswith("{"):
        return text
    if text.startswith("["):
        return Unread(reason="wrong shape", why="a list, not an object")
    if "{" in text:
        return Unread(reason="words around it", why=f"words before the JSON: '{text[:40]}'")
    return Unread(reason="no JSON", why=f"no JSON in '{text[:40]}'")


def _fenced(text: str) -> str | Unread:
    """What stands between the first fence and the last one."""
    opening = FENCE.match(text)
    inside, closing, after = text[opening.end() if opening else 0:].rpartition("```")
    if not closing:
        return Unread(reason="cut", why="the code fence is never closed")
    if after.strip():
        return Unread(reason="words around it", why=f"words after the code fence: '{after.strip()[:40]}'")
    inside = inside.strip()
    if inside.startswith("{"):
        return inside
    return Unread(reason="wrong shape" if inside.startswith("[") else "no JSON", why="no object in the code fence")


def _depth(text: str) -> int:
    """How deep braces and brackets nest outside of strings: known before anything is read into memory."""
    deepest = depth = 0
    within = escaped = False
    for letter in text:
        if within:
            within, escaped = (letter != '"' or escaped), letter == "\\" and not escaped
        elif letter == '"':
            within = True
        elif letter in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "}]":
            depth -= 1
    return deepest


def _cut_or_broken(body: str, error: json.JSONDecodeError) -> Unread:
    """Text that ends where more must follow is cut; text that goes on wrongly is broken."""
    rest = body[error.pos:].strip()
    cut = (not rest or error.msg.startswith("Unterminated string") or any(word.startswith(rest) for word in LITERALS)
           or ("escape" in error.msg and len(body) - error.pos < CUT_NEAR_END))
    if cut:
        return Unread(reason="cut", why="the JSON stops in the middle")
    return Unread(reason="not JSON", why=f"not valid JSON: {error.msg} at character {error.pos}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A field that is told twice may be told differently."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        plain = unicodedata.normalize("NFKC", name).strip()
        if has_look_alikes(plain):
            raise _Broken("look-alike letters", f"the field '{latin(plain)}' is written in look-alike letters")
        if plain in found:
            raise _Broken("field twice", f"the field '{plain}' stands there twice")
        found[plain] = value
    return found


def _number(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise _Broken("no number", f"{text} is no number")
    return value


def _bad_text(value: Any) -> str:
    """What no file and no database can hold: control signs and half characters; "" for a sound value."""
    if isinstance(value, str):
        return ("a control sign in a text" if CONTROL.search(value) else
                "half a character in a text" if SURROGATE.search(value) else "")
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next(filter(None, map(_bad_text, parts)), "")


# Not strict: raw line ends and tabs inside strings are read; other control signs are refused afterwards.
_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_once, parse_constant=_number, parse_float=_number)
