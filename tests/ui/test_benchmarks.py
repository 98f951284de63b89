"""The Benchmarks page: the list of runs, one run's questions, two runs against each other, launching, downloads."""

from __future__ import annotations

import csv
import io

import gradio as gr
import pytest

from lab.core.settings import Settings
from lab.reports.tables import csv_text
from lab.ui.app_state import LabApp
from lab.ui.pages import benchmarks
from lab.ui.runs.detail import SampleView, partner_choices, read_detail, sample_rows
from lab.ui.runs.launch import Wish, launch
from lab.ui.runs.listing import View, read_listing, read_running
from storage.database import open_store
from storage.queries.benchmarks import list_runs, paired_samples
from storage.queries.jobs import list_jobs
from storage.tables import BenchmarkSample
from tests.ui.seed_store import seed_store

BASE, TRACE, ANSWER = "1", "2", "3"  # the runs of the finished study, in the order they were made


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = open_store(home=tmp_path_factory.mktemp("lab"))
    seed_store(store)
    yield store
    store.close()


def app(store, tmp_path, space=False) -> LabApp:
    return LabApp(store, Settings.from_env({"LAB_HOME": str(tmp_path)} | ({"SPACE_ID": "x/y"} if space else {})))


def test_every_run_stands_in_the_list_with_its_n_and_interval(store):
    listing = read_listing(store, View(), TRACE)
    with store.read() as session:
        runs, total = list_runs(session)
    assert total == listing.html.count('href="/benchmarks?run=') == 5
    for run in runs:
        assert f"{100 * run.ci_low:.1f} to {100 * run.ci_high:.1f}" in listing.html
    assert listing.html.count('aria-selected="true"') == 1


def test_filters_narrow_the_list_and_nothing_found_says_so(store):
    assert read_listing(store, View(base="demo-llama"), "").html.count("?run=") == 3
    assert read_listing(store, View(search="trace"), "").html.count("?run=") == 2
    assert "No run matches" in read_listing(store, View(search="nonsense"), "").html


def test_an_empty_store_says_what_would_be_here(tmp_path):
    empty = open_store(home=tmp_path)
    html = read_listing(empty, View(), "").html
    assert "No benchmark has run yet" in html and 'href="/train"' in html
    assert "No benchmark is running" in read_running(empty)
    empty.close()


def test_runs_on_their_way_are_counted_and_listed_and_their_names_are_escaped(store):
    html = read_running(store)
    assert "4 waiting" in html and "demo-combined_trace_s0" in html and "<script" not in html


def test_one_run_shows_its_questions_page_by_page(store):
    first, second = read_detail(store, SampleView(TRACE)), read_detail(store, SampleView(TRACE, page=2))
    assert first.n_pages == 25 and "1–10 of 250" in first.position and "11–20 of 250" in second.position
    assert first.questions.count('class="sample"') == 10
    assert "I read" not in first.questions and "Thinking · 40" in first.questions


@pytest.mark.parametrize(("only", "column"), [("Wrong", "correct"), ("Unparsed", "parsed")])
def test_the_filter_of_questions_is_the_stores(store, only, column):
    rows = sample_rows(store, SampleView(TRACE, only=only))
    assert rows and all(not row[column] for row in rows)
    assert f"of {len(rows)}<" in read_detail(store, SampleView(TRACE, only=only)).position


def test_two_runs_show_their_paired_difference_in_words_and_where_they_differ(store):
    detail = read_detail(store, SampleView(TRACE, ANSWER))
    with store.read() as session:
        _, differ = paired_samples(session, 2, 3, "differ")
        _, a_only = paired_samples(session, 2, 3, "a_only")
        _, b_only = paired_samples(session, 2, 3, "b_only")
        pairs, everything = paired_samples(session, 2, 3, None, limit=None)
    assert differ == a_only + b_only == sum(pair.a.correct != pair.b.correct for pair in pairs)
    assert everything == 250
    points = 100 * (a_only - b_only) / 250
    assert f"Trace is {points:.1f} points better than answer." in detail.head
    assert f"of {differ}<" in detail.position
    assert read_detail(store, SampleView(TRACE, ANSWER, "All")).n_pages == 25


def test_a_run_against_itself_is_within_noise(store):
    assert "Within noise" in read_detail(store, SampleView(TRACE, TRACE)).head


def test_pairs_can_be_searched(store):
    with store.read() as session:
        pairs, total = paired_samples(session, 2, 3, None, limit=None, search="glasgow")
    assert 0 < total < 250 and all("Glasgow" in pair.a.question for pair in pairs)


def test_partners_are_the_other_runs_on_the_same_benchmark_same_study_first(store):
    labels = [label for label, _ in partner_choices(store, TRACE)]
    assert labels[0].startswith("–") and "demo-llama" in labels[1] and len(labels) == 5
    assert partner_choices(store, "") == partner_choices(store, "999") == [("– this run alone –", "")]


@pytest.mark.parametrize("run", ["999", "x", "1 or 1=1", "9" * 30])
def test_an_address_that_names_no_run_says_so(store, run):
    assert "not here" in read_detail(store, SampleView(run)).head


def test_a_download_holds_every_filtered_sample_whole(store):
    rows = list(csv.DictReader(io.StringIO(csv_text(sample_rows(store, SampleView(TRACE, ANSWER))))))
    assert {row["arm"] for row in rows} == {"trace", "answer"}
    assert all(row["raw_text"] and row["gold"] for row in rows)


def test_what_a_model_wrote_never_becomes_markup(store):
    with store.write() as session:
        session.add(BenchmarkSample(
            run_id=1, item_id="x-evil", question="<img src=x onerror=alert(1)> {{evil}}", gold="<b>", raw_text="",
            think_text="<script>alert(1)</script>", final_text="<script>alert(2)</script>", think_state="closed",
            finish_reason="eos", n_prompt_tokens=1, n_think_tokens=1, n_answer_tokens=1, parsed="<i>", rule="<u>",
            correct=False, seconds=0,
        ))
    html = read_detail(store, SampleView(BASE, search="x-evil")).questions
    assert "alert(2)" in html
    for markup in ("<script", "<img", "<i>", "<u>", "{{"):
        assert markup not in html


def test_launching_queues_one_job_for_each_model(store, tmp_path, monkeypatch):
    monkeypatch.setattr("lab.ui.runs.launch.bases", lambda: {"demo-llama": None})
    html = launch(app(store, tmp_path), Wish(
        ["demo-llama", "demo-llama_demo-medical_trace_s0"], "demo-medical", {"max_new_tokens": 64, "max_questions": 20},
    ))
    assert "2 runs queued" in html
    with store.read() as session:
        jobs, _ = list_jobs(session, ["queued"], kinds=["benchmark"], limit=2)
    assert [job.spec["max_questions"] for job in jobs] == [20, 20]
    assert {job.spec["model"] for job in jobs} == {"demo-llama", "variant:demo-llama_demo-medical_trace_s0"}


@pytest.mark.parametrize(("models", "values", "word"), [
    ([], {}, "choose at least one"), (["demo-llama"], {"max_new_tokens": -1}, "max_new_tokens"),
])
def test_a_wrong_form_is_told_and_queues_nothing(store, tmp_path, models, values, word):
    with store.read() as session:
        before = list_jobs(session)[1]
    assert word in launch(app(store, tmp_path), Wish(models, "demo-medical", values))
    with store.read() as session:
        assert list_jobs(session)[1] == before


def test_the_demo_mode_launches_nothing_even_when_asked_by_hand(store, tmp_path):
    with store.read() as session:
        before = list_jobs(session)[1]
    assert "public demo" in launch(app(store, tmp_path, space=True), Wish(["demo-llama"], "demo-medical", {}))
    with store.read() as session:
        assert list_jobs(session)[1] == before


@pytest.mark.parametrize("space", [False, True])
def test_the_page_builds_and_its_run_button_follows_the_mode(store, tmp_path, space):
    with gr.Blocks() as demo:
        benchmarks.build(app(store, tmp_path, space))
    run, = [block for block in demo.blocks.values() if isinstance(block, gr.Button) and block.value == "Run"]
    assert run.interactive is not space
