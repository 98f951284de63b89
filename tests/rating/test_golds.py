"""A spoilt text is another text of about the same length with the same numbers, and the same each time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import UnknownName
from lab.rating.golds import FUNCTION_WORDS, MIN_WORDS, MOST_CHANGE, NUMBER, spoil
from lab.rating.practice import practice_units
from tests.rating.bank import QUESTIONS

FLUENT = {
    "en": [good for _, good, _ in QUESTIONS] + [u.text_a for u in practice_units("en") if u.fluency_a == 5],
    "fr": [u.text_a for u in practice_units("fr") if u.fluency_a == 5] + [
        "La dose est de 15 mg par kg, soit 270 mg pour un enfant de 18 kg ; elle reste sous le maximum de 500 mg."],
}
CASES = [(text, language, seed) for language, texts in FLUENT.items() for text in texts for seed in range(8)]
WORDS = sorted(FUNCTION_WORDS["en"] | {"heart", "lungs", "pumps", "quickly", "No", "not", "-", "12", "3.5", "\n", "mg"})


@pytest.mark.parametrize(("text", "language", "seed"), CASES)
def test_a_spoilt_text_differs_and_keeps_its_length_and_its_numbers(text, language, seed):
    found = spoil(text, language, seed)
    assert found is not None and found != text and found == spoil(text, language, seed)
    assert abs(len(found) - len(text)) <= MOST_CHANGE * len(text)
    assert NUMBER.findall(found) == NUMBER.findall(text)


def test_it_is_clearly_broken_and_not_merely_changed():
    for text, language, seed in CASES:
        before, after = text.split(), spoil(text, language, seed).split()
        pairs = set(zip(before, before[1:], strict=False))
        kept = sum(pair in pairs for pair in zip(after, after[1:], strict=False))
        assert kept <= 0.8 * len(pairs), (text, after)


def test_a_dose_keeps_its_unit():
    text = "The child receives one dose of 270 mg every day, which is below the upper limit of 500 mg."
    for seed in range(30):
        found = spoil(text, seed=seed)
        assert "270 mg" in found and "500 mg" in found


def test_other_seeds_give_other_versions():
    text = FLUENT["en"][0]
    assert len({spoil(text, seed=seed) for seed in range(10)}) > 5


@pytest.mark.parametrize("text", ["", "Yes.", "Dose: 270 mg.", "12 13 14 15 16", "It is not so"])
def test_a_text_that_is_too_short_is_left_alone(text):
    assert spoil(text) is None


def test_a_language_it_does_not_know_is_refused():
    with pytest.raises(UnknownName):
        spoil(FLUENT["en"][0], "de")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join), st.integers(0, 5))
def test_whatever_the_text_it_is_left_alone_or_spoilt_within_bounds(text, seed):
    found = spoil(text, seed=seed)
    n_words = sum(word.isalpha() for word in text.split())
    if found is None:
        assert n_words < 4 * MIN_WORDS, "a text of this length can be spoilt"
    else:
        assert found != text and abs(len(found) - len(text)) <= MOST_CHANGE * len(text)
        assert NUMBER.findall(found) == NUMBER.findall(text)
