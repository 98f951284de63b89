"""The design of a round: its faults, and the wording that is stored with it."""

from __future__ import annotations

import pytest

from lab.core.errors import SpecError
from lab.core.spec import load_spec
from lab.rating.design import THINKING, Face, RoundSpec, stored, worded
from lab.rating.wording import languages, wording

PLAIN = {"name": "r", "bank": 1, "models": ["one", "two"]}


def test_all_faults_come_together():
    with pytest.raises(SpecError) as caught:
        load_spec(RoundSpec, {**PLAIN, "quota": 0, "criteria": ["charm"], "anchors": ["low"], "modles": 3})
    assert {fault.field.split(".")[0] for fault in caught.value.faults} == {"quota", "criteria", "anchors", "modles"}


@pytest.mark.parametrize("field, value, words", [
    ("models", ["one", "one"], "named twice"), ("models", ["one"], "at least 2"),
    ("guess_target", "three", "one of the models"), ("criteria", ["clarity", "clarity"], "named twice"),
])
def test_a_design_that_means_nothing_is_refused(field, value, words):
    with pytest.raises(SpecError, match=words):
        load_spec(RoundSpec, {**PLAIN, field: value})


@pytest.mark.parametrize("language", languages())
def test_what_is_left_open_becomes_the_labs_own_wording_in_the_rounds_language(language):
    found = worded(RoundSpec(**PLAIN, language=language), traced="two")
    own = wording(language)
    assert (found.definition, found.anchors, found.guess_question) == (own.definition, own.anchors, own.guess.text)
    assert found.consent and found.consent_version and found.guess_target == "two" and found.guesses == 4


def test_what_is_written_stays():
    found = worded(RoundSpec(**PLAIN, definition="Smooth.", anchors=tuple("abcde"), consent="Yes?",
                             consent_version="7"))
    assert (found.definition, found.anchors, found.consent, found.consent_version) == (
        "Smooth.", tuple("abcde"), "Yes?", "7")


def test_of_one_answer_at_a_time_the_guess_is_yes_or_no():
    one = worded(RoundSpec(**PLAIN, task="fluency"), traced="two")
    assert one.guess_question == wording("en").guess_one.text != wording("en").guess.text


def test_without_somebody_to_guess_nothing_is_guessed():
    assert worded(RoundSpec(**PLAIN)).guesses == 0
    assert worded(RoundSpec(**PLAIN, guess_target="two")).guesses == 0  # it would need its own question
    assert worded(RoundSpec(**PLAIN, guess_target="two", guess_question="Which is the newer one?")).guesses == 4


def test_the_consent_that_was_agreed_to_is_known_by_its_text_and_version():
    one = worded(RoundSpec(**PLAIN))
    assert one.consent_sha == worded(RoundSpec(**PLAIN, quota=5)).consent_sha
    assert one.consent_sha != one.model_copy(update={"consent": one.consent + "."}).consent_sha


def test_a_face_may_show_its_thinking():
    assert Face.of("m") == Face("m") and Face.of("m" + THINKING) == Face("m", thinking=True)


def test_a_round_of_before_has_the_defaults_of_what_it_did_not_know():
    assert stored({"name": "old", "bank": 1, "models": ["one", "two"], "consent": ""}).task == "both"


@pytest.mark.parametrize("task, tie, both_bad, offered", [
    ("both", True, False, ("left", "tie", "right")), ("preference", False, True, ("left", "right", "both_bad")),
    ("fluency", True, True, ()),
])
def test_what_may_be_chosen_follows_from_the_task(task, tie, both_bad, offered):
    assert RoundSpec(**PLAIN, task=task, allow_tie=tie, allow_both_bad=both_bad).preferences == offered
