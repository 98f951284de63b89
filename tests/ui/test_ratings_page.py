"""The Ratings page, piece by piece: the list, a round's head, what is locked, and what may be done with it."""

from __future__ import annotations

import gradio as gr
import pytest

from lab.ui.app_state import SPACE_SENTENCE
from lab.ui.components.wiring import picking_block
from lab.ui.pages.ratings import PAGE
from lab.ui.ratings.desk import Desk
from lab.ui.ratings.listing import Listing
from lab.ui.ratings.round_layout import lay_out_round
from lab.ui.ratings.wiring_round import close_words, closed, unblinded
from storage.database import open_store
from storage.queries.rater_sessions import flag, skip
from storage.queries.raters import delete_rater, trial_link
from storage.queries.ratings import get_round
from storage.queries.rounds import close_round
from tests.rating.bank import seed_bank
from tests.rating.rounds import A, B, join, rate_all, serve
from tests.ui.rounds_here import new_round

SECRETS = (A, B, "reads more", "is preferred", "within noise")


@pytest.fixture(scope="module")
def desk(lab) -> Desk:
    with gr.Blocks():
        return Desk(lab, picking_block(), lay_out_round(lab))


@pytest.fixture
def empty(tmp_path):
    store = open_store(home=tmp_path / "home")
    yield store
    store.close()


def part(desk: Desk, selected: object, name: str) -> str:
    """The block of an open tab."""
    found = desk.part(str(selected), name, "round", 1)
    return found[{"quality": 0, "results": 1, "questions": 6, "files": 10}[name]]


def test_the_page_is_found_at_its_address_and_can_be_built(lab):
    assert (PAGE.path, PAGE.title) == ("ratings", "Ratings")
    with gr.Blocks() as demo:
        PAGE.build(lab)
    assert len(demo.fns) > 30


def test_an_empty_lab_says_what_makes_a_bank_and_leads_there(empty):
    html = Listing(empty).html("")
    assert "Nothing to rate yet" in html and 'href="/ratings?view=answers"' in html


def test_a_bank_without_a_round_asks_for_the_first_one(empty):
    seed_bank(empty)
    assert "No round yet" in Listing(empty).html("") and 'href="/ratings?view=new"' in Listing(empty).html("")


def test_the_list_counts_anew_when_something_was_rated_and_leaves_trials_out(empty):
    store = empty
    made, listing = new_round(store, name="Fluency <1>"), Listing(store)
    assert "Fluency &lt;1&gt;" in listing.html("") and "nobody" not in listing.html("")
    assert "0 of 12" in listing.html("")
    rate_all(store, join(store, made.id, "R1")[0])
    trial_link(store, made.id)
    assert "6 of 12" in listing.html(str(made.id)) and '<td class="num">1</td>' in listing.html("")
    close_round(store, made.id)
    assert "closed" in listing.html("")
    delete_rater(store, made.id, "R1")
    assert "0 of 12" in listing.html("")


def test_an_open_round_shows_counts_and_no_result(store, desk):
    made = new_round(store)
    for rater in join(store, made.id, "R1", "R2"):
        rate_all(store, rater)
    at = desk.standing(str(made.id))
    assert "12 of 12 ratings" in at.head and "6 of 6" in at.head and at.may_close and at.may_invite
    for name in ("results", "questions", "quality"):
        html = part(desk, made.id, name)
        assert not [secret for secret in SECRETS if secret in html], name
    assert "Locked while the round is open" in part(desk, made.id, "results")
    assert "Locked while the round is open" in part(desk, made.id, "questions")


def test_what_raters_skip_and_report_stands_in_the_head(store, desk):
    made = new_round(store)
    rater = join(store, made.id, "R1")[0]
    flag(store, rater, serve(store, rater).submit_key, "The text stops <here>.")
    skip(store, rater, serve(store, rater).submit_key, "technical")
    head = desk.standing(str(made.id)).head
    assert "1 report by raters" in head and "The text stops &lt;here&gt;." in head
    assert "1: 1 × Something on the page does not work" in head


def test_the_head_says_the_whole_design_and_the_recipe_that_makes_it_again(store, desk):
    made = new_round(store, criteria=("clarity",), quota=4)
    head = desk.standing(str(made.id)).head
    for words in ("What raters read", "grammatical, natural and easy to read", f"Demo answers (no. {made.bank_id})",
                  "clarity",
                  "quota: 4", made.design_sha, "version 1"):
        assert words in head


def test_a_closed_round_shows_everything_with_its_n(store, desk):
    made = new_round(store, 12)
    for rater in join(store, made.id, "R1", "R2"):
        rate_all(store, rater)
    close_round(store, made.id)
    at = desk.standing(str(made.id))
    assert not at.may_close and not at.may_invite
    results = part(desk, made.id, "results")
    for words in ("No difference in fluency beyond noise", "24 ratings of 12 questions (12 units) by 2 raters", "n 12",
                  "A tie counts half", "alpha", "All raters (the main analysis)"):
        assert words in results
    questions = part(desk, made.id, "questions")
    assert questions.count("<details") == 12 and "R1" in questions and A in questions


def test_few_questions_are_called_few_and_none_are_called_none(store, desk):
    few, none = new_round(store, 3), new_round(store, 3, name="None")
    rate_all(store, join(store, few.id)[0])
    for made in (few, none):
        close_round(store, made.id)
    assert "Rated on 3 questions only" in part(desk, few.id, "results")
    assert "Nothing has been rated that counts" in part(desk, none.id, "results")
    assert "Nothing was rated" in part(desk, none.id, "questions")


@pytest.mark.parametrize("asked", ["99", "abc", "²", "9" * 40])
def test_an_address_of_no_round_is_a_clear_sentence_in_every_part(desk, asked):
    assert "there is no round" in desk.standing(asked).head
    for name in ("quality", "results", "questions", "files"):
        assert "there is no round" in part(desk, asked, name)


def test_what_has_not_changed_is_not_sent_again(store, desk):
    made = new_round(store)
    *_, seen = desk.draw(str(made.id), [])
    again = desk.draw(str(made.id), seen)
    assert not [value for value in again[:-1] if isinstance(value, str)]
    rate_all(store, join(store, made.id)[0])
    assert [value for value in desk.draw(str(made.id), seen)[:-1] if isinstance(value, str)]


def test_closing_asks_first_and_says_what_is_missing(store, desk):
    made = new_round(store, name="Fluency <1>")
    words = close_words(desk.counts(str(made.id)))
    assert "Close 'Fluency &lt;1&gt;' for good?" in words.replace("&#x27;", "'") and "0 of 12 ratings are in" in words


def test_unblinding_needs_a_reason_and_is_said_from_then_on(lab, store, desk):
    made = new_round(store, 12)
    rate_all(store, join(store, made.id)[0])
    request = Asked("ana")
    done, words = unblinded(lab, str(made.id), "  ", request)
    assert not done and "say why" in words and "Locked" in part(desk, made.id, "results")
    done, _ = unblinded(lab, str(made.id), "interim look", request)
    results = part(desk, made.id, "results")
    assert done and "Unblinded early" in results and "ana" in results and "still takes ratings" in results
    assert "Unblinded early" in desk.standing(str(made.id)).head and "results were seen" in desk.list.html("")


def test_the_public_demo_refuses_to_close_and_to_unblind(lab, space, store):
    made = new_round(store)
    assert SPACE_SENTENCE in closed(space, str(made.id), None)
    assert SPACE_SENTENCE in unblinded(space, str(made.id), "why", None)[1]
    with store.read() as session:
        assert get_round(session, made.id).state == "open" and get_round(session, made.id).unblinded_at is None
    assert "is closed" in closed(lab, str(made.id), Asked("ana"))


class Asked:
    """A request of somebody who is logged in, as far as the page looks at one."""

    def __init__(self, username: str):
        self.username = username
