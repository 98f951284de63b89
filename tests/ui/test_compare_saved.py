"""Kept comparisons: the list and its masks, what a delete takes, and freezing for raters."""

from __future__ import annotations

import pytest

from lab.core.errors import LabError
from lab.ui.compare.conversation import Seat, of_rows
from lab.ui.compare.saved import SHOWN, delete_question, freeze, others_to_freeze, saved_html
from lab.ui.compare.watching import MOST_TABS, Watching
from storage.queries.comparisons import Turn, add_turn, get_comparison, new_comparison, save_comparison, turns, vote
from tests.stores import new_store

SEATS = [Seat("demo-llama", "demo-llama", "base", "demo-llama", "base"),
         Seat("variant:secret", "secret", "trace", "demo-llama", "adapter")]


@pytest.fixture
def store(tmp_path):
    made = new_store(tmp_path)
    yield made
    made.close()


def saved(store, title: str, blind: bool = False, question: str = "") -> str:
    answers = [{"column": place, "phase": "done", "thought": "", "answer": f"{title} {place}", "stats": None,
                "error": "", "notes": []} for place in range(2)]
    with store.write() as session:
        uid = new_comparison(session, [seat.plain() for seat in SEATS], blind).uid
        add_turn(session, uid, Turn(question or f"Question of {title}?", answers=answers))
        save_comparison(session, uid, title)
    return uid


def conversation(store, uid):
    with store.read() as session:
        row = get_comparison(session, uid)
        return of_rows(row, turns(session, row), {})


def test_the_list_links_every_comparison_and_says_what_would_be_there(store):
    assert "No comparison is saved yet" in saved_html(store, "", 1)[0]
    uid = saved(store, "First <b>")
    html, total = saved_html(store, "", 1, uid)
    assert total == 1 and f'href="/compare?c={uid}"' in html and "First &lt;b&gt;" in html and "secret" in html
    assert "No saved comparison matches" in saved_html(store, "nonsense", 1)[0]


def test_a_long_list_is_cut_into_pages(store):
    for number in range(SHOWN + 3):
        saved(store, f"Number {number:02d}")
    first, total = saved_html(store, "", 1)
    second, _ = saved_html(store, "", 2)
    assert total == SHOWN + 3 and first.count("/compare?c=") == SHOWN and second.count("/compare?c=") == 3


def test_a_blind_comparison_is_listed_without_names_until_its_vote(store):
    uid = saved(store, "Which?", blind=True)
    html, _ = saved_html(store, "", 1)
    assert "secret" not in html and "demo-llama" not in html and "2 models, blind" in html
    with store.write() as session:
        vote(session, uid, 0, {"choice": "tie"})
    assert "secret" in saved_html(store, "", 1)[0]


def test_a_delete_names_what_goes(store):
    assert "First&#x27; with its 1 question and all answers" in delete_question(store, saved(store, "First"))
    with pytest.raises(LabError, match="no comparison"):
        delete_question(store, "000000000000")


def test_first_answers_of_the_same_models_are_frozen_together(store):
    uid, other = saved(store, "First"), saved(store, "Second")
    assert others_to_freeze(store, conversation(store, uid)) == [("Second", other)]
    html = freeze(store, "For raters", [uid, other])
    assert "first answers of 2 comparisons" in html and "/ratings?bank=1" in html
    with pytest.raises(LabError, match="name"):
        freeze(store, " ", [uid])


def test_a_newer_look_of_a_tab_ends_the_older_one_and_tabs_are_forgotten_in_the_end():
    watching = Watching()
    first = watching.begin("tab")
    other = watching.begin("other")
    second = watching.begin("tab")
    assert not watching.goes_on("tab", first) and watching.goes_on("tab", second) and watching.goes_on("other", other)
    for number in range(MOST_TABS):
        watching.begin(str(number))
    assert not watching.goes_on("tab", second)
