"""Unread: a reply that is not what was asked for, with one of a closed list of reasons. Counted, never guessed at."""

from __future__ import annotations

from typing import Literal

from lab.core.types import Plain

Reason = Literal[
    "refused",  # the endpoint would not answer this request
    "refusal",  # the model says that it will not, and nothing else
    "empty",
    "cut",  # it stops in the middle: the limit of tokens, or JSON that is never closed
    "no JSON",
    "not JSON",  # it begins as an object and breaks a rule of JSON
    "words around it",  # prose before or after what was asked for
    "several",  # more than one object, or more than one of the words to choose from
    "field twice",
    "no number",  # NaN, an infinity
    "too deep",
    "wrong shape",  # other fields, or values of another kind
    "look-alike letters",  # Cyrillic or Greek letters, invisible signs: reads as the word and is none
    "other words",  # none of the words to choose from
]


class Unread(Plain):
    """Why a reply says nothing. `why` is a sentence for a person."""

    reason: Reason
    why: str
