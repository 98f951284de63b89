"""Automatic figures of one text that need no model: words, readability, repetition. Pure.

Readability: Flesch reading ease (R. Flesch, J. Appl. Psychol. 32 (1948) 221-233), and for French its adaptation by
Kandel and Moles (1958); higher is easier. Syllables are counted by rule, as runs of vowels with a silent e left out.
Repetition: distinct-n (Li et al. 2016, arXiv 1510.03055, section 5.2), and the share of 4-word runs that are there
already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from lab.core.errors import UnknownName

VERSION = "1"  # of all figures here
WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:['’-][^\W_]+)*")
LETTERS = re.compile(r"[^\W\d_]+")
# A sentence ends at a stop before white space, at a line that ends without one, or with the text; '2.5' ends nothing.
SENTENCE_END = re.compile(r"[.!?…]+(?=[\s\"'”»)\]]|$)|\n+")
VOWELS = {"en": re.compile("[aeiouyà-ü]+"), "fr": re.compile("[aeiouyàâäéèêëîïôöùûüÿœæ]+")}
# made, dose, but not ta-ble; helped, but not heat-ed; makes, but not dos-es.
ENGLISH_SILENT = re.compile(r"[^aeiouyl]e$|[aeiouy]le$|[^aeiouytd]ed$|[^aeiouysxzgcht]es$|[aeiouyr]tes$")
ENGLISH_SOFT = re.compile(r"[tcs]i(?=[ao][un])")  # na-tion, spe-cial, pre-cious: no vowels of their own
ENGLISH_APART = re.compile(r"i[ao](?!u)|iu|eo|ea$|[aeiou]ing$|ua(?!r)")  # li-on, ra-ti-o, are-a, be-ing
# Constant, weight of words per sentence, weight of syllables per word.
EASE: Mapping[str, tuple[float, float, float]] = {"en": (206.835, 1.015, 84.6), "fr": (207.0, 1.015, 73.6)}
EASE_NAMES = {"en": "readability:flesch", "fr": "readability:kandel-moles"}
RUN = 4  # words of a run that a reader notices to come again


def words_of(text: str) -> list[str]:
    return WORD.findall(text)


def n_sentences(text: str) -> int:
    """At least 1 for a text with words; 0 without."""
    parts = SENTENCE_END.split(text)
    return sum(bool(WORD.search(part)) for part in parts)


def syllables(word: str, language: str) -> int:
    """By rule, at least 1. A number counts as one."""
    parts = LETTERS.findall(word.lower().replace("'", "").replace("’", ""))
    return max(1, sum(_COUNT[language](part) for part in parts))


def _english(word: str) -> int:
    n = len(VOWELS["en"].findall(word))
    if ENGLISH_SILENT.search(word):
        n -= 1
    return max(1, n + len(ENGLISH_APART.findall(ENGLISH_SOFT.sub("s", word))))


def _french(word: str) -> int:
    n = len(VOWELS["fr"].findall(word))
    if n > 1 and re.search(r"[^aeiouyàâäéèêëîïôöùûüœæ](?:e|es)$", word):
        n -= 1  # rhume, doses: silent in prose
    elif n > 1 and re.search(r"[^aeiouyàâäéèêëîïôöùûüœæ]ent$", word) and not word.endswith(("ment", "cent")):
        n -= 1  # ils mangent
    return max(1, n + len(re.findall(r"[aeiouy](?=[ëïöü])|é(?=[aeo])", word)))


_COUNT: dict[str, Callable[[str], int]] = {"en": _english, "fr": _french}


def reading_ease(text: str, language: str) -> float | None:
    """Flesch (en) or Kandel-Moles (fr); None for a text without words. UnknownName for another language."""
    if language not in EASE:
        raise UnknownName("language", language, EASE)
    words = words_of(text)
    if not words:
        return None
    constant, per_sentence, per_word = EASE[language]
    n_syllables = sum(syllables(word, language) for word in words)
    return constant - per_sentence * len(words) / n_sentences(text) - per_word * n_syllables / len(words)


def distinct(text: str, n: int) -> float | None:
    """Different runs of `n` words out of all, 0 to 1; None for a text with fewer words."""
    runs = _runs(text, n)
    return len(set(runs)) / len(runs) if runs else None


def repeated_share(text: str, n: int = RUN) -> float | None:
    """Share of the runs of `n` words that have come before; None for a text with fewer words."""
    found = distinct(text, n)
    return None if found is None else 1 - found


def _runs(text: str, n: int) -> list[tuple[str, ...]]:
    words = [word.lower() for word in words_of(text)]
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


def text_measures(text: str, language: str) -> dict[str, float | None]:
    """Every figure of a text by name; None where it has none."""
    return {
        "words": float(len(words_of(text))),
        EASE_NAMES[language]: reading_ease(text, language),
        "repetition:distinct-2": distinct(text, 2),
        f"repetition:repeated-{RUN}": repeated_share(text),
    }
