"""Word by word, where two answers differ: `<mark class="differs">` around it, every other character as it was.

Texts are shown as they were written, not as Markdown. White space is kept and never marked by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from lab.ui.components.markup import Html, escape, join, tag

# A number is one word with its points and commas (1.5, 120/80, 1,000), so that 1.5 against 1.6 marks both whole.
WORD = re.compile(r"\d+(?:[.,:/]\d+)*|\w+(?:['’]\w+)*|[^\w\s]")
EXACT = 4_000_000  # words × words that are compared exactly, about a second at worst; above, frequent words are not
REMEMBERED = 64  # pairs: the same two answers are drawn again at every update of a page


def word_difference(text: str, other: str) -> tuple[Html, Html]:
    """Both texts, in each the words marked that the other does not have there."""
    mine, theirs, same = _compared(text, other)
    return _marked(text, mine, [(a, n) for a, _, n in same]), _marked(other, theirs, [(b, n) for _, b, n in same])


def word_differences(texts: Sequence[str]) -> list[Html]:
    """Two texts against each other; three or more against the first, which stays unmarked."""
    if len(texts) == 2:
        return list(word_difference(texts[0], texts[1]))
    return [escape(text) if place == 0 else word_difference(texts[0], text)[1] for place, text in enumerate(texts)]


Spans = tuple[tuple[int, int], ...]  # (start, end) of every word


@lru_cache(REMEMBERED)
def _compared(text: str, other: str) -> tuple[Spans, Spans, list[tuple[int, int, int]]]:
    """The words of both, and the runs (place, place in the other, length) that they share."""
    mine, theirs = (tuple(found.span() for found in WORD.finditer(one)) for one in (text, other))
    a, b = [text[slice(*span)] for span in mine], [other[slice(*span)] for span in theirs]
    start = _same_length(a, b)
    end = _same_length(a[start:][::-1], b[start:][::-1])
    middle_a, middle_b = a[start : len(a) - end], b[start : len(b) - end]
    # Exactness costs words × words in a language of few words; autojunk leaves out words that stand in more than 1 % of
    # places as anchors, and may then mark more than needed, never less.
    junk = len(middle_a) * len(middle_b) > EXACT
    blocks = SequenceMatcher(None, middle_a, middle_b, autojunk=junk).get_matching_blocks()
    shared = [(start + block.a, start + block.b, block.size) for block in blocks if block.size]
    return mine, theirs, [(0, 0, start), *shared, (len(a) - end, len(b) - end, end)]


def _same_length(a: Sequence[str], b: Sequence[str]) -> int:
    """How many words are the same at the beginning."""
    return next((place for place, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _marked(text: str, words: Spans, same: Sequence[tuple[int, int]]) -> Html:
    """The text with a mark around every run of words between two shared runs."""
    parts: list[object] = []
    at, word = 0, 0
    for first, length in [*same, (len(words), 0)]:
        if first > word:
            start, end = words[word][0], words[first - 1][1]
            parts += [text[at:start], tag("mark", text[start:end], cls="differs")]
            at = end
        word = first + length
    return join([*parts, text[at:]])
