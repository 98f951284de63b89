"""Style: what of a text's form can be counted without reading it. Pure and quick."""

from __future__ import annotations

import re
from math import log

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$)")
LIST_LINE = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+\S", re.M)
BOLD = re.compile(r"\*\*|__")
HEADING = re.compile(r"^\s*#{1,6}\s", re.M)

FIGURES = {
    "words": "longer",
    "lines": "with more lines",
    "list lines": "with more lists",
    "bold": "with more bold",
    "headings": "with more headings",
    "digits": "with more digits",
    "sentence length": "in longer sentences",
    "word length": "in longer words",
    "commas": "with more commas",
    "brackets": "with more brackets",
    "question marks": "with more questions",
    "capitals": "with more capitals",
}  # name → what an answer is that has more of it


def style_figures(text: str) -> dict[str, float]:
    """Each of `FIGURES`, in its order: logs of counts, and shares of the words or the characters."""
    words = WORD.findall(text)
    n_words, n_letters = max(1, len(words)), max(1, len(text))
    sentences = max(1, len(SENTENCE_END.findall(text)))
    found = (
        log(1 + len(words)),
        log(1 + sum(bool(line.strip()) for line in text.splitlines())),
        log(1 + len(LIST_LINE.findall(text))),
        log(1 + len(BOLD.findall(text))),
        log(1 + len(HEADING.findall(text))),
        sum(letter.isdigit() for letter in text) / n_letters,
        log(1 + len(words) / sentences),
        sum(map(len, words)) / n_words,
        text.count(",") / n_words,
        (text.count("(") + text.count("[")) / n_words,
        text.count("?") / n_words,
        sum(letter.isupper() for letter in text) / n_letters,
    )
    return dict(zip(FIGURES, found, strict=True))
