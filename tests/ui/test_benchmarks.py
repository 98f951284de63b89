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
from lab.ui.runs.detail import SampleView, partner_choices, read_detail, rule_choices, sample_rows
from lab.ui.runs.launch import Wish, launch
from lab.ui.runs.listing import View, read_listing, read_running
from storage.queries.benchmarks import list_runs, paired_samples
from storage.queries.jobs import list_jobs
from storage.tables import BenchmarkSample
from tests.stores import new_store
from tests.ui.seed_store import seed_store

BASE, TRACE, ANSWER = "1", "2", "3"  # the runs of the finished study, in the order they were made


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = new_store(tmp_path_factory.mktemp("lab"))
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
    empty = new_store(tmp_path)
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


@pytest.mark.parametrize(("run", "chosen", "column"), [
    (TRACE, {"only": "Wrong"}, "correct"), (BASE, {"outcome": "unparsed"}, "parsed"),
    (TRACE, {"outcome": "truncated"}, "parsed"),
])
def test_the_filter_of_questions_is_the_stores(store, run, chosen, column):
    view = SampleView(run, **chosen)
    rows = sample_rows(store, view)
    assert 0 < len(rows) < 250 and all(not row[column] for row in rows)
    assert f"of {len(rows)}<" in read_detail(store, view).position


def test_an_answer_that_was_cut_is_not_called_unparsed_and_both_can_be_asked_with_a_verdict(store):
    found = {name: sample_rows(store, SampleView(BASE if name == "unparsed" else TRACE, outcome=name))
             for name in ("unparsed", "truncated")}
    assert all(found.values()) and all(row["finish_reason"] == "length" for row in found["truncated"])
    assert all(row["finish_reason"] != "length" for row in found["unparsed"])
    assert sample_rows(store, SampleView(TRACE, only="Right", outcome="truncated")) == []


def test_answers_can_be_asked_for_by_the_rule_that_read_them(store):
    rules = dict((value, label) for label, value in rule_choices(store, TRACE, "") if value)
    assert rules["answer is"].startswith("answer is (") and rule_choices(store, TRACE, "")[0] == ("Any", "")
    rows = sample_rows(store, SampleView(TRACE, rule="answer is"))
    assert {row["rule"] for row in rows} == {"answer is"} and rules["answer is"] == f"answer is ({len(rows)})"


def test_of_two_runs_the_kinds_of_disagreement_add_up_and_an_outcome_may_be_of_either(store):
    def total(only: str, outcome: str = "") -> int:
        return len(sample_rows(store, SampleView(TRACE, ANSWER, only, outcome))) // 2

    kinds = ("Only the first right", "Only the second right", "Both right", "Both wrong")
    assert sum(map(total, kinds)) == total("All") == 250 and total("Where they differ") == sum(map(total, kinds[:2]))
    assert total("Read differently") >= total("Where they differ")
    cut = sample_rows(store, SampleView(TRACE, ANSWER, "All", "truncated"))
    assert cut and all("length" in (a["finish_reason"], b["finish_reason"])
                       for a, b in zip(cut[::2], cut[1::2], strict=True))


def test_a_partner_the_address_names_is_offered_whatever_its_age(store):
    assert [value for _, value in partner_choices(store, TRACE, TRACE)].count(TRACE) == 1
    assert TRACE not in {value for _, value in partner_choices(store, TRACE, "999")}


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


def test_launching_several_runs_of_the_same_settings_queues_one_suite(store, tmp_path, monkeypatch):
    monkeypatch.setattr("lab.ui.runs.launch.bases", lambda: {"demo-llama": None})
    html = launch(app(store, tmp_path), Wish(
        ["demo-llama", "demo-llama_demo-medical_trace_s0"], ["demo-medical", "demo-general"],
        {"max_new_tokens": 64, "max_questions": 20},
    ))
    assert "4 runs queued in 1 job" in html
    with store.read() as session:
        job, = list_jobs(session, ["queued"], kinds=["suite"], limit=2)[0]
    assert job.spec["max_questions"] == 20 and job.spec["benchmarks"] == ["demo-medical", "demo-general"]
    assert set(job.spec["models"]) == {"demo-llama", "variant:demo-llama_demo-medical_trace_s0"}
    assert f"/jobs?id={job.id}" in read_running(store)


def test_one_model_on_one_benchmark_is_no_suite(store, tmp_path):
    html = launch(app(store, tmp_path), Wish(["demo-llama"], ["demo-medical"], {"max_new_tokens": 64}))
    assert "1 run queued: " in html
    with store.read() as session:
        job, = list_jobs(session, ["queued"], kinds=["benchmark"], limit=1)[0]
    assert job.spec["model"] == "demo-llama" and job.spec["benchmark"] == "demo-medical"


@pytest.mark.parametrize(("models", "values", "word"), [
    ([], {}, "choose at least one"), (["demo-llama"], {"max_new_tokens": -1}, "max_new_tokens"),
    (["demo-llama"], {"budgets": ["16", "many"]}, "<b>Budget curve</b>"),
])
def test_a_wrong_form_is_told_and_queues_nothing(store, tmp_path, models, values, word):
    with store.read() as session:
        before = list_jobs(session)[1]
    assert word in launch(app(store, tmp_path), Wish(models, ["demo-medical"], values))
    with store.read() as session:
        assert list_jobs(session)[1] == before


def test_the_demo_mode_launches_nothing_even_when_asked_by_hand(store, tmp_path):
    with store.read() as session:
        before = list_jobs(session)[1]
    assert "public demo" in launch(app(store, tmp_path, space=True), Wish(["demo-llama"], ["demo-medical"], {}))
    with store.read() as session:
        assert list_jobs(session)[1] == before


@pytest.mark.parametrize("space", [False, True])
def test_the_page_builds_and_its_run_button_follows_the_mode(store, tmp_path, space):
    with gr.Blocks() as demo:
        benchmarks.build(app(store, tmp_path, space))
    run, = [block for block in demo.blocks.values() if isinstance(block, gr.Button) and block.value == "Run"]
    assert run.interactive is not space
