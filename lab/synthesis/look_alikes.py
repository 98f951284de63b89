"""Look-alikes: letters of other scripts that stand for Latin ones, and signs that cannot be seen.

A word of them reads right and is another word. Nothing is mended: it is told, and counted. Full-width and other
compatibility forms are no look-alikes: NFKC (Unicode Standard Annex 15) folds them to the letters they are.
Pairs: the Cyrillic and Greek part of Unicode's confusables (Unicode Technical Standard 39).
"""

from __future__ import annotations

import unicodedata

PAIRS = dict(zip(
    "АВСЕНІЈКМОРЅТХУавсеіјкморѕтхуһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧανοιρτυхѵԍ",
    "ABCEHIJKMOPSTXYabceijkmopstxyhdqwABEZHIKMNOPTYXavoiptuxvg", strict=True))
MARKS = str.maketrans(PAIRS)


def has_look_alikes(text: str) -> bool:
    """Whether a text holds letters that only look Latin, or invisible signs (Unicode's category Cf)."""
    return any(letter in PAIRS or unicodedata.category(letter) == "Cf" for letter in text)


def latin(text: str) -> str:
    """The text as it looks."""
    return "".join(letter for letter in text.translate(MARKS) if unicodedata.category(letter) != "Cf")
