"""The steps around the units: consent, about you, instructions, practice, pauses, guesses, the end, leaving."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lab.core.errors import LabError, SpecError
from lab.rating.verdicts import Verdict
from storage.queries.guessing import guess, guesses_of
from storage.queries.practice import submit_practice
from storage.queries.rater_entry import choose_language, close_up, consent, rest, start, tell_about, where, withdraw
from storage.queries.rater_sessions import submit
from storage.queries.ratings import progress
from storage.tables import Assignment, BlindGuess, Rater, Rating, Unit, now
from tests.rating.rounds import GOOD, A, B, join, make_round, rate_all, rows_of, serve

ABOUT = {"language_level": "native", "medical_background": "physician", "experience": None}


def whole_round(store, **design):
    """A round with every stage."""
    made = make_round(store, n_items=4, **{"practice": True, "about": True, "guesses": 2, **design})
    (rater,) = join(store, made.id, begin=False)
    return made, rater


def told(store, rater):
    """About-you answers that are allowed."""
    from lab.rating.wording import wording

    return {q.name: q.choices[0].value for q in wording("en").background}


def practise(store, rater, right=True):
    """One try; the last feedback."""
    for _ in range(5):
        served = where(store, rater).practice
        expected = next(u.expected for u in rows_of(store, Unit) if u.question == served.question and
                        u.role == "practice")
        side = {"a": "left", "b": "right", "tie": "tie"}
        good = Verdict(expected["fluency_a"], expected["fluency_b"], side[expected["preference"]])
        bad = Verdict(6 - good.fluency_left if good.fluency_left != 3 else 1, 6 - good.fluency_right, "tie")
        feedback = submit_practice(store, rater, served.submit_key, good if right else bad)
    return feedback


def test_a_whole_session_goes_through_every_stage_in_order(store):
    made, rater = whole_round(store)
    seen = [where(store, rater).stage]
    consent(store, rater, agreed=True)
    seen.append(where(store, rater).stage)
    tell_about(store, rater, told(store, rater))
    seen.append(where(store, rater).stage)
    start(store, rater)
    seen.append(where(store, rater).stage)
    assert practise(store, rater).verdict == "passed"
    seen.append(where(store, rater).stage)
    assert rate_all(store, rater) == 4
    seen.append(where(store, rater).stage)
    for _ in range(2):
        guess(store, rater, where(store, rater).guess.key, "left", 2)
    seen.append(where(store, rater).stage)
    close_up(store, rater, _closing())
    seen.append(where(store, rater).stage)
    assert seen == ["consent", "about", "instructions", "practice", "rate", "guess", "closing", "end"]
    with store.read() as session:
        row = session.get(Rater, rater)
        assert row.state == "done" and row.finished_at and row.consent_sha and row.about["language_level"]
        assert progress(session, made.id).n_ratings == 4


def _closing():
    from lab.rating.wording import wording

    return {q.name: (q.choices[0].value if q.choices else "fine") for q in wording("en").closing}


def test_nothing_is_stored_of_somebody_who_has_not_agreed(store):
    _, rater = whole_round(store)
    for step in (lambda: tell_about(store, rater, told(store, rater)), lambda: start(store, rater),
                 lambda: rest(store, rater, resumed=False), lambda: submit(store, rater, "key", GOOD)):
        with pytest.raises(LabError, match="agreed to first"):
            step()
    with store.read() as session:
        assert session.get(Rater, rater).about == {} and session.get(Rater, rater).started_at is None


def test_nobody_is_asked_anything_after_saying_no(store):
    _, rater = whole_round(store)
    consent(store, rater, agreed=False)
    assert where(store, rater).stage == "declined"
    with pytest.raises(LabError, match="has ended"):
        start(store, rater)
    assert rows_of(store, Assignment) == []


def test_open_and_odd_answers_about_oneself_are_named_together(store):
    _, rater = whole_round(store)
    consent(store, rater, agreed=True)
    with pytest.raises(SpecError) as caught:
        tell_about(store, rater, {"language_level": "klingon", "extra": "x"})
    assert {fault.field for fault in caught.value.faults} >= {"language_level", "medical_background"}
    with store.read() as session:
        assert session.get(Rater, rater).about == {}


def test_practice_says_how_a_verdict_compares_and_is_done_once(store):
    _, rater = _at_practice(store)
    served = where(store, rater).practice
    feedback = submit_practice(store, rater, served.submit_key, Verdict(1, 1, "tie"))
    again = submit_practice(store, rater, served.submit_key, Verdict(5, 5, "left"))
    assert again.given == feedback.given and feedback.explanation and feedback.expected
    assert where(store, rater).practice.number == 2 and len(rows_of(store, Rating)) == 1
    with pytest.raises(SpecError):
        submit_practice(store, rater, where(store, rater).practice.submit_key, Verdict(9, 1, "tie"))


def _at_practice(store):
    made, rater = whole_round(store)
    consent(store, rater, agreed=True)
    tell_about(store, rater, told(store, rater))
    start(store, rater)
    return made, rater


def test_who_fails_the_practice_tries_once_more_and_is_then_stopped_politely(store):
    _, rater = _at_practice(store)
    assert practise(store, rater, right=False).verdict == "again"
    assert where(store, rater).practice.second_try
    assert practise(store, rater, right=False).verdict == "blocked"
    assert where(store, rater).stage == "blocked"


def test_the_second_try_may_pass_and_practice_is_never_analysed(store):
    made, rater = _at_practice(store)
    practise(store, rater, right=False)
    assert practise(store, rater).verdict == "passed" and where(store, rater).stage == "rate"
    with store.read() as session:
        assert progress(session, made.id).n_ratings == 0


def test_a_pause_is_suggested_after_so_many_units_and_gives_the_unit_back(store):
    made = make_round(store, n_items=6, quota=1, rest_after_units=2)
    one, two = join(store, made.id, "R1", "R2")
    for _ in range(2):
        submit(store, one, serve(store, one).submit_key, GOOD)
    assert where(store, one).stage == "rest" and where(store, one).unit is None
    rest(store, one, resumed=True)
    held = serve(store, one)
    assert held is not None
    rest(store, one, resumed=False)
    assert {a.state for a in rows_of(store, Assignment) if a.rater_id == one} == {"done", "expired"}
    assert serve(store, one) == held  # nobody took it meanwhile: the same unit, the same sides
    assert serve(store, two) is not None


def test_no_pause_is_suggested_where_nothing_is_left(store):
    (rater,) = join(store, make_round(store, n_items=2, rest_after_units=2).id)
    rate_all(store, rater)
    assert where(store, rater).stage == "closing"


def test_somebody_who_was_away_is_not_sent_to_rest(store):
    (rater,) = join(store, make_round(store, n_items=6, rest_after_min=20).id)
    submit(store, rater, serve(store, rater).submit_key, GOOD)
    with store.write() as session:
        row = session.get(Rater, rater)
        row.rested_at = row.last_seen_at = now() - timedelta(hours=8)
        session.add(row)
    assert where(store, rater).stage == "rate"


def test_a_guess_is_kept_once_and_read_in_the_frame_of_the_models(store):
    made = make_round(store, n_items=3, guesses=2)
    (rater,) = join(store, made.id)
    rate_all(store, rater)
    asked = where(store, rater).guess
    guess(store, rater, asked.key, "left", 3)
    guess(store, rater, asked.key, "right", 1)
    (kept,) = rows_of(store, BlindGuess)
    assert (kept.guess, kept.sureness) == ("left", 3)
    b_left = any(u.text_b == asked.left for u in rows_of(store, Unit))
    with store.read() as session:
        assert [tuple(one) for one in guesses_of(session, made.id)] == [(B if b_left else A, B, "R1")]
    with pytest.raises(SpecError, match="unsure"):
        guess(store, rater, asked.key, "maybe")


def test_leaving_keeps_or_deletes_as_the_rater_says(store):
    made = make_round(store, n_items=4)
    one, two = join(store, made.id, "R1", "R2")
    for rater in (one, two):
        submit(store, rater, serve(store, rater).submit_key, GOOD)
        serve(store, rater)
    assert withdraw(store, one, keep=True) == 0 and withdraw(store, two, keep=False) == 1
    assert where(store, one).stage == "withdrawn" and len(rows_of(store, Rating)) == 1
    with pytest.raises(LabError, match="not known"):
        where(store, two)


def test_the_language_of_the_page_is_the_raters_own(store):
    (rater,) = join(store, make_round(store).id)
    choose_language(store, rater, "fr")
    here = where(store, rater)
    assert here.language == "fr" and here.design.language == "en"
    with pytest.raises(LabError, match="unknown"):
        choose_language(store, rater, "tlh")
