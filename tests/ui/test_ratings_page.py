"""The Ratings page, piece by piece: what it offers, warns of, locks and says."""

from __future__ import annotations

import pytest

from lab.ui.pages.ratings import PAGE
from lab.ui.ratings.detail import read_detail
from lab.ui.ratings.listing import bank_choices, model_choices, read_banks, read_listing, read_preview
from storage.database import open_store
from storage.queries.rater_sessions import Verdict, rater_by_token, serve, submit
from storage.queries.rounds import RoundPlan, close_round, create_round, invite
from tests.rating.bank import MODELS, QUESTIONS, seed_bank

A, B, BASE = (label for label, _, _ in MODELS)


@pytest.fixture
def store(tmp_path):
    store = open_store(home=tmp_path / "home")
    yield store
    store.close()


def make_round(store, n_items=12, raters=("R1", "R2"), prefer_good=True):
    made = create_round(store, RoundPlan(seed_bank(store, n_items), A, B, "Fluency <1>", quota=2))
    for _, token in invite(store, made.id, raters):
        with store.read() as session:
            rater = rater_by_token(session, token)[0].id
        while prefer_good is not None and (served := serve(store, rater)):
            left_good = any(served.left.startswith(good) for _, good, _ in QUESTIONS)
            submit(store, rater, served.submit_key, Verdict(5, 2, "left") if left_good else Verdict(2, 5, "right"))
    return made


def test_the_page_is_found_at_its_address():
    assert (PAGE.path, PAGE.title) == ("ratings", "Ratings")


def test_an_empty_lab_says_what_makes_a_bank_and_where_to_look(store):
    html = read_listing(store, "")
    assert "Nothing to rate yet" in html and "demo study makes one" in html and 'href="/jobs"' in html


def test_a_bank_without_a_round_asks_for_the_first_one(store):
    seed_bank(store)
    assert "No round yet" in read_listing(store, "")


def test_the_form_starts_with_answer_against_trace(store):
    bank_id = seed_bank(store)
    found = read_banks(store)
    assert bank_choices(found) == [("Demo answers · demo-medical · 6 questions (no. 1)", str(bank_id))]
    models, first, second = model_choices(found, str(bank_id))
    assert [value for _, value in models] == [A, B, BASE] and (first, second) == (A, B)
    assert model_choices(found, "") == ([], None, None)


def test_the_preview_counts_pairs_and_warns_of_leaks(store):
    bank_id = str(seed_bank(store, 12))
    assert "12 usable pairs" in read_preview(store, bank_id, A, B, 3) and "36 ratings" in read_preview(
        store, bank_id, A, B, 3)
    longer = read_preview(store, bank_id, A, BASE, 3)  # the base's answers are twice as long
    assert "Leak scan: " in longer and "number of words" in longer
    assert "another model" in read_preview(store, bank_id, A, A, 3)
    assert read_preview(store, None, A, B, 3) == ""


def test_an_open_round_shows_counts_and_no_result(store):
    made = make_round(store)
    detail = read_detail(store, str(made.id))
    text = detail.head + detail.results + read_listing(store, str(made.id))
    assert detail.may_invite and detail.may_close and not detail.may_export
    assert "24 of 24 ratings" in detail.head and "R1" in detail.head
    assert "Locked while the round is open" in detail.results
    for word in ("Mean fluency", "reads more", "alpha", "prefers"):
        assert word not in text
    assert "Fluency &lt;1&gt;" in text and "Fluency <1>" not in text


def test_closing_asks_first_and_says_what_is_missing(store):
    made = make_round(store, prefer_good=None)
    question = read_detail(store, str(made.id)).question
    assert "Close 'Fluency <1>' for good?" in question and "0 of 24 ratings are in" in question


def test_a_closed_round_shows_everything_with_its_n(store):
    made = make_round(store)
    close_round(store, made.id)
    detail = read_detail(store, str(made.id))
    assert detail.may_export and not detail.may_invite and not detail.may_close
    for words in ("No difference in fluency beyond noise", "24 ratings of 12 questions by 2 raters", "n 24",
                  "(ordinal) 1.00 over 24 answers", "A tie counts half"):
        assert words in detail.results


def test_few_questions_are_called_few(store):
    made = make_round(store, n_items=3)
    close_round(store, made.id)
    assert "Rated on 3 questions only" in read_detail(store, str(made.id)).results


def test_a_round_closed_without_ratings_says_so(store):
    made = make_round(store, prefer_good=None)
    close_round(store, made.id)
    assert "closed before anything was rated" in read_detail(store, str(made.id)).results


@pytest.mark.parametrize("asked", ["99", "abc"])
def test_an_address_of_no_round_is_a_clear_sentence(store, asked):
    assert "there is no round" in read_detail(store, asked).head
