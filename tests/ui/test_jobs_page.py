"""The Jobs page: its list, one job's detail, and what its buttons do."""

import gradio as gr
import pytest
from sqlalchemy import event

from lab.core.errors import Reason
from lab.ui.components.wiring import only_changed
from lab.ui.jobs.actions import MOVES, cancel, pause_or_resume, retry_job, told
from lab.ui.jobs.advice import ADVICE, TITLES
from lab.ui.jobs.board import FILTERS, PAGE_ROWS, WAS_LOST, View, look
from lab.ui.jobs.curves import Drawn
from lab.ui.jobs.detail import Detail, draw_detail, read_choices
from lab.ui.jobs.listing import Listing, draw_listing, result_words, study_choices
from lab.ui.pages.jobs import drawing
from storage.queries.jobs import get_job, list_jobs
from storage.queries.queue import is_paused
from storage.tables import JobEvent


def read_listing(store, view: View, selected: str) -> Listing:
    return draw_listing(look(store, view, selected, Drawn()), selected)


def read_detail(store, selected: str) -> Detail:
    return draw_detail(store, look(store, View(), selected, Drawn()))


def number_of(store, state: str, kind: str = "sft") -> str:
    with store.read() as session:
        return str(list_jobs(session, states=(state,), kinds=(kind,), limit=1)[0][0].id)


def test_what_runs_now_is_on_top_of_the_first_page(store):
    running = number_of(store, "running")
    assert read_listing(store, View(), "").html.split("/jobs?id=")[1].startswith(running)


def test_a_page_has_twenty_rows_and_says_which(store):
    listing = read_listing(store, View(page=2), "")
    assert listing.html.count("<tr>") == PAGE_ROWS + 1  # and the header
    assert "21–40 of" in listing.position and listing.n_pages >= 3


def test_the_selected_row_is_marked(store):
    running = number_of(store, "running")
    assert 'aria-selected="true"' in read_listing(store, View(), running).html
    assert 'aria-selected="true"' not in read_listing(store, View(), "").html


def test_filters_narrow_in_the_store(store):
    assert read_listing(store, View(state="Failed"), "").html.count("state-failed") == 1
    assert "No job matches" in read_listing(store, View(search="no such name"), "").html
    assert "Grid of 12" in dict(study_choices(store)) or any("Grid of 12" in label for label, _ in study_choices(store))


def test_a_job_of_a_trained_model_carries_its_arm(store):
    assert "arm-trace" in read_listing(store, View(study=1), "").html


def test_a_name_with_markup_is_shown_as_text(store):
    html = read_listing(store, View(search="alert"), "").html
    assert "&lt;script&gt;" in html and "<script" not in html


def test_a_failed_job_shows_its_reason_what_to_do_and_the_end_of_its_log(store):
    detail = read_detail(store, number_of(store, "failed"))
    assert TITLES["memory"] in detail.head and "lower max_length" in detail.head
    assert "MemoryError" in detail.head and "<script" not in detail.head
    assert detail.may.retry and not detail.may.cancel


def test_a_running_job_shows_progress_curves_and_log(store):
    detail = read_detail(store, number_of(store, "running"))
    assert "43%" in detail.head and "about 1 min 14 s left" in detail.head
    assert "Loss" in detail.curves and "<polyline" in detail.curves
    assert "step 195" in detail.log
    assert detail.may.cancel and not detail.may.retry


def test_a_waiting_job_says_its_place_and_what_it_waits_for(store):
    head = read_detail(store, number_of(store, "queued", "benchmark")).head
    assert "queued #8" in head and "waits for <a" in head and "about" in head


def test_the_spec_is_shown_as_given_and_the_origin_names_code_and_inputs(store):
    detail = read_detail(store, number_of(store, "succeeded"))
    assert "learning_rate: 0.002" in detail.spec
    assert "f3a9c1d" in detail.origin and "dataset sha256" in detail.origin


@pytest.mark.parametrize("asked", ["9999", "nonsense", "<script>"])
def test_an_unknown_job_is_one_clear_sentence(store, asked):
    detail = read_detail(store, asked)
    assert "there is no job" in detail.head and "<script" not in detail.head


def test_cancel_names_what_it_ends(store):
    question = read_choices(store, number_of(store, "queued")).cancel_question
    assert "demo-" in question and "cancelled with it: 1" in question


def test_every_reason_of_failure_has_a_title_and_advice():
    reasons = set(Reason.__args__)
    assert reasons == set(ADVICE) == set(TITLES)


def test_cancel_and_retry_do_what_they_say(lab, store):
    waiting = number_of(store, "queued")
    assert "is cancelled" in told(lab, cancel, waiting)
    assert "is queued again" in told(lab, retry_job, waiting)
    with store.read() as session:
        assert get_job(session, waiting).state == "queued"


def test_the_public_demo_refuses_actions_that_are_sent_by_hand(space, store):
    waiting = number_of(store, "queued")
    for action in (cancel, MOVES["first"]):
        assert "public demo" in told(space, action, waiting)
    assert "public demo" in pause_or_resume(space, False)
    with store.read() as session:
        assert get_job(session, waiting).state == "queued" and not is_paused(session)


def test_the_line_is_listed_as_it_will_start_and_moving_a_job_shows(lab, store):
    def first() -> str:
        return read_listing(store, View("Queued"), "").html.split("/jobs?id=")[1].split('"')[0]

    before, last = first(), number_of(store, "queued", "benchmark")
    assert "is first in the line" in told(lab, MOVES["first"], last)
    assert first() == last != before
    told(lab, MOVES["last"], last)
    assert first() == before


def test_a_paused_queue_says_so_on_top_and_as_the_reason_of_each_waiting_job(lab, store):
    show = drawing(lab)
    pause_or_resume(lab, False)
    try:
        banner, _, listing, *_ = show("Queued", "", "", 1, "", [])
        assert "The queue is paused" in banner and "8 jobs wait" in banner
        assert listing.count("the queue is paused") == 8 and "about" not in listing
    finally:
        pause_or_resume(lab, True)
    assert show("Queued", "", "", 1, "", [])[0] == ""


def test_a_job_that_was_lost_is_found_by_that_though_it_runs_again(store):
    assert WAS_LOST in FILTERS and "No job matches" in read_listing(store, View(WAS_LOST), "").html
    running = int(number_of(store, "running"))
    with store.write() as session:
        session.add(JobEvent(job_id=running, state="lost", why="The machine was restarted while the job ran."))
    found = read_listing(store, View(WAS_LOST), "").html
    assert f"/jobs?id={running}" in found and "1–1 of 1" in read_listing(store, View(WAS_LOST), "").position


def test_a_page_that_is_no_more_becomes_the_last_one(store):
    assert "1–8 of 8" in read_listing(store, View("Queued", page=9), "").position


def test_a_refresh_sends_nothing_when_nothing_has_changed(lab, store):
    show, running = drawing(lab), number_of(store, "succeeded")
    first = show("All", "", "", 1, running, [])
    again = show("All", "", "", 1, running, first[-1])
    assert [new for new in again[:-1] if new != gr.skip()] == []


def test_a_look_asks_the_store_a_bounded_number_of_questions(lab, store):
    """Twenty rows must not cost twenty questions."""
    asked = []
    event.listen(store.read_engine, "before_cursor_execute", lambda *_: asked.append(1))
    look(store, View("Queued"), "", Drawn())
    for_eight = len(asked)
    look(store, View("All"), "", Drawn())
    for_twenty = len(asked) - for_eight
    assert for_eight <= 18 and for_twenty <= for_eight + 2  # the second list: what runs


def test_only_what_changed_is_sent():
    first = only_changed(["a", "b"], [])
    assert first == ["a", "b"]
    assert only_changed(["a", "c"], ["a", "b"]) == [gr.skip(), "c"]


def test_what_reinforcement_learning_came_to_is_its_reward_with_where_it_came_from():
    words = result_words({"final_loss": None, "reward_first": 0.12, "reward_last": 0.61, "eval_accuracy_before": 0.1,
                          "eval_accuracy_after": 0.55})
    assert "reward 0.61" in words and "from 0.12, held-out accuracy 10% to 55%" in words
