"""Refusals: whether a reply says that the model will not answer, and says nothing else.

A rule for counting, not a judgement: a refusal and a broken format are asked again alike, but who reads a funnel wants
to know which of them an endpoint gives. A reply that excuses itself and then answers is an answer.
"""

from __future__ import annotations

import re

VERBS = ("answer|help|assist|provide|give|comply|fulfil|fulfill|continue|discuss|offer|diagnose|advise|respond|engage|"
         "generate|create|write|share|process|complete|do that|do this|make|support|recommend")
WILL_NOT = re.compile(
    r"\b(?:can['’]?t|cannot|can not|won['’]?t|will not|unable to|not able to|not allowed to|not permitted to|"
    r"not comfortable|decline|against my|(?:do not|don['’]t) (?:feel|have))\s+(?:\w+\s+){0,2}?"
    rf"(?:{VERBS})|\bdecline\b|not (?:comfortable|qualified|licensed)\b|(?:do not|don['’]t) (?:provide|give|offer)\b",
    re.I,
)
OPENS = re.compile(r"^\W*(?:i\b|i['’]m|sorry|unfortunately|my apologies|apologies|as an?\b|we\b|this request)", re.I)
ABOUT_ITSELF = re.compile(
    r"\b(?:sorry|apologi\w+|ai|language model|assistant|consult|professional|doctor|physician|advice|seek|guidelines|"
    r"polic(?:y|ies)|else|instead|understand|safety|ethic\w*|licensed|qualified)\b", re.I,
)
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+|[,;]?\s+\b(?:but|however)\b,?\s+", re.I)
MOST_WORDS = 80


def declines(text: str) -> bool:
    """Whether every sentence of a short text declines, or speaks of the model and of whom to ask instead."""
    text = text.strip()
    if not OPENS.match(text) or len(text.split()) > MOST_WORDS or not WILL_NOT.search(text):
        return False
    sentences = [part for part in SENTENCE.split(text) if re.search(r"\w", part)]
    return all(WILL_NOT.search(part) or ABOUT_ITSELF.search(part) for part in sentences)
