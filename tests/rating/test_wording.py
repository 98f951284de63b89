"""The default texts of a round: the same things are said in every language."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from lab.core.errors import UnknownName
from lab.rating.practice import practice_units
from lab.rating.wording import Question, Wording, languages, wording

QUESTIONS = ("guess", "guess_one", "sureness", "background", "closing")


def texts(value):
    """Every sentence in a wording."""
    if isinstance(value, str):
        yield value
    elif hasattr(value, "values"):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from texts(inner)
    elif hasattr(value, "__dataclass_fields__"):
        for field in fields(value):
            yield from texts(getattr(value, field.name))


def shape(value):
    """Names, keys and stored values, without what is read."""
    if isinstance(value, Question):
        return value.name, tuple(choice.value for choice in value.choices)
    if isinstance(value, tuple):
        return tuple(map(shape, value))
    return {key: shape(inner) for key, inner in value.items()} if hasattr(value, "items") else type(value).__name__


def test_english_comes_first_and_an_unknown_language_is_refused_by_name():
    assert languages() == ("en", "fr")
    with pytest.raises(UnknownName, match="language"):
        wording("de")


@pytest.mark.parametrize("language", languages())
def test_every_language_says_what_english_says(language):
    own, english = wording(language), wording("en")
    for field in fields(Wording):
        assert shape(getattr(own, field.name)) == shape(getattr(english, field.name)), field.name
    assert len(own.anchors) == 5 and len(own.good) == len(own.bad) == 2 and own.language == language
    assert set(own.preferences) == {"left", "tie", "right", "both_bad"}
    assert [question.name for question in own.background] == ["language_level", "medical_background", "experience"]


@pytest.mark.parametrize("language", languages())
def test_no_text_is_empty_or_left_in_another_language(language):
    found = list(texts(wording(language)))
    assert len(found) > 100 and all(text.strip() for text in found)
    if language != "en":
        english = set(texts(wording("en")))
        same = {text for text in found if text in english and len(text) > 25}
        assert not same


@pytest.mark.parametrize("language", languages())
def test_the_consent_tells_of_the_background_questions_only_where_they_are_asked(language):
    own = wording(language)
    asked, plain = own.consent_text(), own.consent_text(about=False)
    assert own.consent_about in asked and own.consent_about not in plain
    assert len(asked.split("\n\n")) == len(plain.split("\n\n")) + 1 == len(own.consent) + 1
    assert "R7" in plain  # the code under which everything is kept


@pytest.mark.parametrize("language", languages())
def test_somebody_may_always_leave_a_question_about_themselves_open(language):
    for question in wording(language).background:
        assert question.choices[-1].value == "unsaid" and question.accepts("unsaid")
        assert not question.accepts("Dr. House") and not question.accepts("")


def test_french_signs_do_not_begin_a_line():
    units = [(u.question, u.text_a, u.text_b, u.explanation) for u in practice_units("fr")]
    for text in [*texts(wording("fr")), *(part for unit in units for part in unit)]:
        assert not re.search(r" [?!;:»]|« ", text), text


def test_no_text_of_a_round_names_a_model_or_an_arm():
    for language in languages():
        for text in texts(wording(language)):
            assert not re.search(r"demo-|variant|llama|qwen|\btrace\b|{", text, re.I), text
