"""Golds: a clearly disfluent version of a text, so that a rater who reads can be told from one who clicks.

Function words go, neighbours change places, forms go wrong and words come twice, as a weak writer or a weak model would
have it. Numbers stay in their order and keep their units. The same text, language and seed give the same version.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from lab.core.errors import UnknownName

MIN_WORDS = 5  # with fewer there is nothing to break that a rater could miss or see
MIN_BROKEN = 0.25  # share of the words that something was done to, from which nobody calls the text fluent
MOST_CHANGE = 0.3  # of the length in characters: length must not tell a gold from other units
SEAM = 0.22  # as far as single steps may go; swaps change no length
TRIES = 40
DROP, DOUBLE, BEND, SWAP = 0.7, 0.12, 0.35, 0.4  # chances, of the words that can be treated so
LONG = 4  # letters of a word whose form can go wrong
PIECE = re.compile(r"[^\W_]+(?:['’\-.,/][^\W_]+)*|[\W_]+")  # a word, a number with its signs, or what is between
NUMBER = re.compile(r"\d+(?:[.,/]\d+)*")

FUNCTION_WORDS = {
    "en": frozenset("a an the of to in on at for with by from as is are was were be been has have had and that which "
                    "it its this these there".split()),
    "fr": frozenset("le la les un une des du de à au aux en dans sur pour avec par est sont était a ont et que qui ce "
                    "cette ces il elle on se y".split()),
}
ENDINGS = {"en": ("ing", "ed", "s"), "fr": ("er", "ez", "ent", "s", "e")}


def spoil(text: str, language: str = "en", seed: int = 0) -> str | None:
    """The text made hard to read, within 30 % of its length; None where it has too few words for that.

    UnknownName for a language whose function words are not known.
    """
    if language not in FUNCTION_WORDS:
        raise UnknownName("language", language, FUNCTION_WORDS)
    pieces = PIECE.findall(text)
    if sum(map(_is_word, pieces)) < MIN_WORDS:
        return None
    for attempt in range(TRIES):
        broken = _Breaking(pieces, language, random.Random(f"{seed}/{attempt}/{language}/{text}")).run()
        if broken is not None and _like(broken, text):
            return broken
    return None


def _is_word(piece: str) -> bool:
    return piece[0].isalpha() and not any(letter.isdigit() for letter in piece)


def _like(broken: str, text: str) -> bool:
    """Another text with the numbers and about the length of the first."""
    near = abs(len(broken) - len(text)) <= MOST_CHANGE * len(text)
    return broken != text and near and NUMBER.findall(broken) == NUMBER.findall(text)


@dataclass
class _Breaking:
    """One attempt on one text."""

    pieces: list[str]
    language: str
    rng: random.Random
    change: int = 0  # of the length, in characters
    touched: set[int] = field(default_factory=set)

    def run(self) -> str | None:
        """The broken text; None where too little of it broke."""
        found = list(self.pieces)
        words = [place for place, piece in enumerate(found) if _is_word(piece) and not self._is_unit(place)]
        for place in words:
            found[place] = self._treated(place, found[place])
        self._swap(found, set(words))
        if len(self.touched) < max(2, MIN_BROKEN * len(words)):
            return None
        text = re.sub(r"[^\S\n]+([,.;:!?)])", r"\1", "".join(found)) if self.language == "en" else "".join(found)
        return re.sub(r"[^\S\n]{2,}", " ", text).strip()

    def _treated(self, place: int, word: str) -> str:
        """The word dropped, doubled, bent, or as it is."""
        if word.lower() in FUNCTION_WORDS[self.language]:
            fits = self._fits(-len(word) - 1)
            return self._take(place, word, "") if fits and self.rng.random() < DROP else word
        if self._fits(len(word) + 1) and self.rng.random() < DOUBLE:
            return self._take(place, word, f"{word} {word.lower()}")
        if len(word) >= LONG and self.rng.random() < BEND:
            return self._take(place, word, self._bent(word))
        return word

    def _fits(self, more: int) -> bool:
        return abs(self.change + more) <= SEAM * sum(map(len, self.pieces))

    def _take(self, place: int, word: str, now: str) -> str:
        self.change += len(now) - len(word) - (not now)
        self.touched.add(place)
        return now

    def _bent(self, word: str) -> str:
        """A wrong form: an ending that it has taken off, or one that it lacks put on."""
        endings = ENDINGS[self.language]
        off = next((end for end in endings if word.lower().endswith(end) and len(word) - len(end) >= 3), "")
        return word[: -len(off)] if off else word + self.rng.choice(endings)

    def _is_unit(self, place: int) -> bool:
        """Whether it stands behind a number, as 'mg' does: a dose stays a dose."""
        return place > 1 and any(letter.isdigit() for letter in self.pieces[place - 2])

    def _swap(self, found: list[str], words: set[int]) -> None:
        """Neighbours with nothing but a space between them change places."""
        place = 0
        while place + 2 < len(found):
            left, between, right = found[place : place + 3]
            both = left and right and between == " " and {place, place + 2} <= words
            if both and left.lower() != right.lower() and self.rng.random() < SWAP:
                found[place], found[place + 2] = right, left
                self.touched |= {place, place + 2}
                place += 2
            place += 1
