"""Exact verifier: the last explicit answer equals the gold text, case, spacing, articles and final stop aside."""

from __future__ import annotations

import unicodedata

from lab.core.types import Example, Score
from lab.verify.extraction import explicit_answer

ARTICLES = ("the ", "a ", "an ")


def plain(text: str) -> str:
    text = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(" .!\"'`*_")
    return next((text[len(article):] for article in ARTICLES if text.startswith(article)), text)


def verify_exact(final_text: str, example: Example) -> Score:
    said, rule = explicit_answer(final_text)
    if said is None:
        return Score(correct=False, parsed=None, rule=rule)
    parsed = plain(said)
    if not parsed:
        return Score(correct=False, parsed=None, rule="empty answer")
    return Score(correct=parsed == plain(example.gold), parsed=parsed, rule=rule)


VERIFY = verify_exact
