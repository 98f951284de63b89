"""The Jobs page: its list, one job's detail, and what its buttons do."""

import gradio as gr
import pytest

from lab.core.errors import Reason
from lab.ui.components.wiring import only_changed
from lab.ui.jobs.advice import ADVICE, TITLES
from lab.ui.jobs.detail import read_detail
from lab.ui.jobs.listing import PAGE_ROWS, View, read_listing, study_choices
from lab.ui.pages import jobs as page
from storage.queries.jobs import get_job, list_jobs


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
    assert TITLES["memory"] in detail.head and "Lower micro_batch_size" in detail.head
    assert "MemoryError" in detail.head and "<script" not in detail.head
    assert detail.may_retry and not detail.may_cancel


def test_a_running_job_shows_progress_curves_and_log(store):
    detail = read_detail(store, number_of(store, "running"))
    assert "43%" in detail.head and "about 1 min 14 s left" in detail.head
    assert "Loss" in detail.curves and "<polyline" in detail.curves
    assert "step 195" in detail.log
    assert detail.may_cancel and not detail.may_retry


def test_a_waiting_job_says_its_place_and_what_it_waits_for(store):
    assert "in line, after" in read_detail(store, number_of(store, "queued", "benchmark")).head


def test_the_spec_is_shown_as_given_and_the_origin_names_code_and_inputs(store):
    detail = read_detail(store, number_of(store, "succeeded"))
    assert "learning_rate: 0.002" in detail.spec
    assert "f3a9c1d" in detail.origin and "dataset sha256" in detail.origin


@pytest.mark.parametrize("asked", ["9999", "nonsense", "<script>"])
def test_an_unknown_job_is_one_clear_sentence(store, asked):
    detail = read_detail(store, asked)
    assert "there is no job" in detail.head and "<script" not in detail.head


def test_cancel_names_what_it_ends(store):
    question = read_detail(store, number_of(store, "queued")).question
    assert "demo-" in question and "cancelled with it: 1" in question


def test_every_reason_of_failure_has_a_title_and_advice():
    reasons = set(Reason.__args__)
    assert reasons == set(ADVICE) == set(TITLES)


def test_cancel_and_retry_do_what_they_say(lab, store):
    waiting = number_of(store, "queued")
    assert "is cancelled" in page._told(lab, page._cancel, waiting)
    assert "is queued again" in page._told(lab, page._retry, waiting)
    with store.read() as session:
        assert get_job(session, waiting).state == "queued"


def test_the_public_demo_refuses_actions_that_are_sent_by_hand(space, store):
    waiting = number_of(store, "queued")
    assert "public demo" in page._told(space, page._cancel, waiting)
    with store.read() as session:
        assert get_job(session, waiting).state == "queued"


def test_only_what_changed_is_sent():
    first = only_changed(["a", "b"], [])
    assert first == ["a", "b"]
    assert only_changed(["a", "c"], ["a", "b"]) == [gr.skip(), "c"]
