"""The page's own words: the same keys in every language, and the language that a rater gets."""

from __future__ import annotations

import re

import pytest

from lab.ui.rater.session import Visitor, answer
from lab.ui.rater.words import accepted, choose_language, page_languages, words_of
from storage.database import open_store
from tests.ui.rater_walk import key_of, round_with

BRACES = re.compile(r"{\w+}")
QUICK = {"practice": False, "about": False, "guesses": 0}


@pytest.fixture
def store(tmp_path):
    store = open_store(home=tmp_path / "home")
    yield store
    store.close()


def test_every_language_says_everything_that_english_says():
    assert page_languages() == ("en", "fr")
    english = words_of("en").texts
    for code in page_languages():
        own = words_of(code).texts
        assert own.keys() == english.keys()
        for key, text in own.items():
            assert text and type(text) is type(english[key]), key
            if isinstance(text, str):
                assert sorted(BRACES.findall(text)) == sorted(BRACES.findall(english[key])), key
            else:
                assert [len(row) for row in text] == [2] * len(english[key]), key


def test_french_is_not_english_and_its_signs_do_not_break_off():
    french = {key: BRACES.sub("", str(text)) for key, text in words_of("fr").texts.items()}
    same = {key for key, text in french.items() if text == BRACES.sub("", str(words_of("en").texts[key]))}
    assert {key for key in same if re.search(r"\w{2}", french[key])} <= {"top.menu", "unit.question", "unit.pause"}
    assert not any(re.search(r" [?!:;»]", text) for text in words_of("fr").texts.values() if isinstance(text, str))


def test_numbers_take_the_right_form_in_each_language():
    english, french = words_of("en"), words_of("fr")
    assert [english.count("noun.answers", n) for n in (0, 1, 2)] == ["0 answers", "1 answer", "2 answers"]
    assert [french.count("noun.answers", n) for n in (0, 1, 2)] == ["0 réponse", "1 réponse", "2 réponses"]


@pytest.mark.parametrize("header, languages", [
    ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", ("fr-CH", "fr", "en", "de", "*")),
    ("en;q=0.4,fr;q=0.8", ("fr", "en")), ("", ()), ("fr;q=x, en", ("en",)), (";;,,", (";;",)),
])
def test_the_languages_of_a_header_are_read_the_dearest_first(header, languages):
    assert accepted(header) == languages


def test_the_first_wish_that_is_spoken_counts():
    assert choose_language(None, "", "de-DE", "FR-ca", "en") == "fr"
    assert choose_language("tlh", 3, None) == "en"


def test_a_rater_gets_the_browsers_language_then_the_one_they_chose_on_every_device(store):
    _, walker = round_with(store, **QUICK)
    asked = {"token": walker.token}
    french = answer(store, {**asked, "languages": ["fr-CH", "en"]})
    assert french["language"] == "fr" and "Avant de commencer" in french["html"]
    assert 'lang="en" class="consent"' in french["html"], "what the round says is marked as English"
    assert answer(store, asked, Visitor(languages=("fr",)))["language"] == "fr"
    assert answer(store, {**asked, "languages": ["de"]}, Visitor(languages=("it",)))["language"] == "en"
    chosen = walker.call("language", language="fr")
    assert chosen["language"] == "fr" and walker.call(languages=["en"])["language"] == "fr"
    assert walker.call(languages=["en"], chosen="en")["language"] == "en", "in this tab"
    assert walker.call("language", language="xx")["screen"] == "consent"


def test_without_a_wish_the_page_speaks_as_the_round_does(store):
    _, walker = round_with(store, language="fr", **QUICK)
    assert walker.call()["language"] == "fr"
    assert answer(store, {"token": "r-none", "languages": ["fr"]})["language"] == "fr"


def test_what_the_round_says_stays_in_its_own_language(store):
    _, walker = round_with(store, **QUICK)
    walker.call("agree")
    html = walker.call("start", chosen="fr")["html"]
    assert "Which of the two answers reads better?" in html and "Paire 1" in html and "La réponse A est-elle" in html
    assert re.search(r'<div lang="en" class="text">', html), "answers are marked with the language they are in"
    assert walker.call("submit", key=key_of({"html": html}), chosen="fr")["html"].count("Il manque quelque chose") == 1
