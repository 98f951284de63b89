"""Figures of a text that need no model, against counts made by hand."""

from __future__ import annotations

import pytest

from lab.core.errors import UnknownName
from lab.rating.practice import practice_units
from lab.rating.text_measures import (
    distinct,
    n_sentences,
    reading_ease,
    repeated_share,
    syllables,
    text_measures,
    words_of,
)


@pytest.mark.parametrize(("word", "n"), [
    ("heart", 1), ("made", 1), ("table", 2), ("helped", 1), ("heated", 2), ("makes", 1), ("doses", 2), ("patient", 2),
    ("medicine", 3), ("lion", 2), ("breathing", 2), ("being", 2), ("infection", 3), ("idea", 3), ("area", 3),
    ("biology", 4), ("diabetic", 4), ("the", 1), ("12", 1), ("mg", 1), ("X-ray", 2), ("doctor's", 2), ("ABC", 1),
])
def test_english_syllables(word, n):
    assert syllables(word, "en") == n


@pytest.mark.parametrize(("word", "n"), [
    ("rhume", 1), ("doses", 1), ("mangent", 1), ("médicament", 4), ("température", 4), ("hypertension", 4),
    ("cerveau", 2), ("maladie", 3), ("le", 1), ("noël", 2), ("œdème", 2), ("l'eau", 1), ("12", 1),
])
def test_french_syllables(word, n):
    assert syllables(word, "fr") == n


@pytest.mark.parametrize(("text", "n"), [
    ("One. Two! Three?", 3), ("It is 2.5 mg.", 1), ("He said \"no.\" Then he left.", 2), ("- one\n- two", 2),
    ("No stop", 1), ("Wait... what?", 2), ("", 0), ("...", 0), ("One.\n\nTwo.", 2),
])
def test_sentences(text, n):
    assert n_sentences(text) == n


def test_reading_ease_is_the_published_formula():
    text = "The heart pumps blood. It never rests."  # 7 words, 2 sentences, 8 syllables (nev-er)
    assert reading_ease(text, "en") == pytest.approx(206.835 - 1.015 * 7 / 2 - 84.6 * 8 / 7)
    text = "Le cœur bat. Il ne dort pas."  # 7 words, 2 sentences, 7 syllables
    assert reading_ease(text, "fr") == pytest.approx(207 - 1.015 * 7 / 2 - 73.6)


def test_plain_words_read_more_easily_than_long_ones():
    hard = "Antihypertensive pharmacotherapy necessitates individualised multidisciplinary consideration."
    assert reading_ease("Take one a day. It helps the heart.", "en") > 90 > 0 > reading_ease(hard, "en")


def test_repetition_is_counted_in_runs_of_words():
    assert distinct("a b a b", 2) == pytest.approx(2 / 3) and distinct("a", 2) is None
    text = "take one tablet daily and take One tablet, daily"
    assert repeated_share(text) == pytest.approx(1 / 6) and repeated_share("one two three four") == 0
    assert repeated_share("no no no no no no") == pytest.approx(2 / 3)


def test_a_text_without_words_has_no_readability_and_a_language_must_be_known():
    assert text_measures("...", "en") == {"words": 0, "readability:flesch": None, "repetition:distinct-2": None,
                                          "repetition:repeated-4": None}
    assert "readability:kandel-moles" in text_measures("Le cœur bat.", "fr")
    with pytest.raises(UnknownName):
        reading_ease("x", "de")


def test_words_are_counted_as_a_reader_would():
    assert words_of("It's 2.5 mg of beta-blocker – daily.") == ["It's", "2.5", "mg", "of", "beta-blocker", "daily"]


def test_the_same_advice_told_loosely_repeats_itself_more():
    loose = next(unit for unit in practice_units("en") if unit.name == "long-and-loose")
    assert distinct(loose.text_b, 2) < distinct(loose.text_a, 2)
