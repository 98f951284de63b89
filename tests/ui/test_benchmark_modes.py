"""Adapted and budgeted runs on the Benchmarks and Results pages: launched by mode, named, and told from plain runs."""

from __future__ import annotations

import gradio as gr
import pytest
from sqlmodel import select

from lab.benchmarks.specs import AskingSettings
from lab.core.settings import Settings
from lab.reports.tables import csv_text
from lab.ui.app_state import LabApp
from lab.ui.results.stages import Stages, stages_table
from lab.ui.results.view import plots_html, tables_html, verdicts_html
from lab.ui.runs.adapted import adapted_fold
from lab.ui.runs.detail import SampleView, partner_choices, read_detail, sample_rows
from lab.ui.runs.form_layout import lay_out_form
from lab.ui.runs.launch import LABELS, Wish, asked, launch, wish_of
from lab.ui.runs.listing import View, read_listing
from storage.queries.jobs import list_jobs
from storage.queries.reports import study_report
from storage.tables import BenchmarkRun, BenchmarkSample, Job
from tests.stores import new_store
from tests.ui.seed_store import seed_store

TRACE = 2  # the trace arm's plain run of the finished study
REPORT = {"mode": "nearest", "neighbours": [{"id": "row-12", "dataset": "demo-medical", "similarity": 0.8312}],
          "n_excluded": 2, "loss_before": 0.412, "loss_after": 0.305, "seconds": 0.61, "changed_frac": None,
          "weights_sha256": "ab" * 32, "proof": "sha256"}
NEAREST = {"max_new_tokens": 128, "adapt": "nearest", "adapt_dataset": "demo-medical", "adapt_steps": 1}


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    """(a store, the number of the trace arm's run adapted to each question)."""
    store = new_store(tmp_path_factory.mktemp("lab"))
    seed_store(store)
    with store.write() as session:
        plain = session.get_one(BenchmarkRun, TRACE)
        job = session.get_one(Job, plain.job_id).model_dump(exclude={"id"})
        session.add(made := Job(**job | {"uid": "nearest", "spec_sha": "nearest"}))
        session.flush()
        run = BenchmarkRun(**plain.model_dump(exclude={"id"}) | {"job_id": made.id, "settings": NEAREST})
        session.add(run)
        session.flush()
        rows = session.exec(select(BenchmarkSample).where(BenchmarkSample.run_id == TRACE)).all()
        session.add_all(BenchmarkSample(**row.model_dump(exclude={"id"}) | {
            "run_id": run.id, "adaptation": REPORT, "correct": row.correct or index < 9, "n_waits": 2 * (index == 0),
            "think_state": "forced" if index == 1 else row.think_state}) for index, row in enumerate(rows))
        number = run.id
    yield store, str(number)
    store.close()


@pytest.fixture
def store(tmp_path):
    made = new_store(tmp_path)
    yield made
    made.close()


def app(store) -> LabApp:
    return LabApp(store, Settings.from_env({"LAB_HOME": str(store.home.path)}))


def test_the_list_names_how_a_run_was_asked(adapted):
    html = read_listing(adapted[0], View(), "").html
    assert html.count("adapted: nearest") == 1 and html.count("?run=") == 6


def test_a_runs_facts_and_its_partners_tell_adapted_from_plain(adapted):
    store, number = adapted
    head = read_detail(store, SampleView(number)).head
    assert "adapted: nearest" in head and "examples from" in head
    assert "examples from" not in read_detail(store, SampleView(str(TRACE))).head
    labels = [label for label, _ in partner_choices(store, number)]
    assert f"demo-llama_demo-medical_trace_s0 · run {TRACE}" in labels and len(labels) == 6
    assert any("trace_s0, adapted: nearest" in label for label, _ in partner_choices(store, str(TRACE)))


def test_a_model_adapted_against_itself_is_told_by_how_it_was_asked(adapted):
    store, number = adapted
    detail = read_detail(store, SampleView(number, str(TRACE), "All"))
    assert "“adapted: nearest”" in detail.head and "“as it is”" in detail.head and "not compared" not in detail.head
    assert "nearest reads" in detail.questions and "as it is reads" in detail.questions


def test_a_model_adapted_is_not_compared_with_another_that_is_not(adapted):
    store, number = adapted
    assert "different adapt: nearest and none" in read_detail(store, SampleView(number, "3")).head


def test_a_question_shows_what_the_model_was_adapted_to_and_marks_waits_and_force(adapted):
    store, number = adapted
    html = read_detail(store, SampleView(number)).questions
    assert html.count("Adapted to 1 nearest example · loss 0.412 → 0.305 · 0.6\u202fs") == 10
    assert "row-12" in html and "similarity 0.831" in html and "2 near-duplicates of the question itself" in html
    assert html.count("↺ sent back 2×") == 1 and html.count("⚠ forced") == 1 and "closed by force at its budget" in html
    assert "Adapted" not in read_detail(store, SampleView(str(TRACE))).questions
    assert "of 1<" in read_detail(store, SampleView(number, outcome="forced")).position
    assert "of 1<" in read_detail(store, SampleView(number, outcome="sent_back")).position


def test_a_stored_report_of_fewer_words_is_shown_as_far_as_it_goes():
    html = adapted_fold("x", {"mode": "context", "neighbours": [{"id": "<b>"}, {"id": "2"}], "weights_sha256": "ab"})
    assert "Shown 2 nearest examples · –" in html and "restored" not in html and "<b>" not in html
    assert adapted_fold("x", None) is None


def test_a_download_says_how_each_row_was_asked_and_holds_the_examples_as_json(adapted):
    store, number = adapted
    rows = sample_rows(store, SampleView(number, str(TRACE), "All"))
    assert {row["asked"] for row in rows} == {"adapted: nearest", ""}
    assert '""id"": ""row-12""' in csv_text(rows)


def test_the_results_page_shows_the_adapted_difference_and_no_verdict_across_ways_of_asking(adapted):
    store, number = adapted
    with store.read() as session:
        report = study_report(session, 1)
    assert [d.question for d in report.differences].count("adapted − as it is") == 1
    assert len(report.verdicts) == 1 and "adapted" not in verdicts_html(report)
    assert "<h3>adapted − as it is</h3>" in plots_html(report)
    tables = tables_html(report)
    assert tables.count("adapted: nearest") == 2 and f"/benchmarks?run={number}&amp;with={TRACE}" in tables


def test_a_stage_shows_the_accuracy_of_its_plain_run(adapted):
    from lab.studies.curriculum import CurriculumSpec

    store, _ = adapted
    with store.read() as session:
        report = study_report(session, 1)
    plain, other = (next(x for x in report.levels if x.run.arm == "trace" and bool(x.run.asked_words) is how)
                    for how in (False, True))
    assert plain.accuracy != other.accuracy
    spec = CurriculumSpec.model_validate({
        "name": "c", "base": "demo-llama", "start": f"variant:{plain.run.model}", "benchmarks": ["demo-medical"],
        "stages": [{"name": "a", "settings": {"dataset": "demo-medical", "target": "trace"}}]})
    html = stages_table(Stages(spec, {}, {}), report)
    assert f"{100 * plain.low:.1f} to" in html and f"{100 * other.low:.1f} to" not in html


def queued(store, *kinds) -> list[dict]:
    with store.read() as session:
        jobs, _ = list_jobs(session, kinds=kinds or ["benchmark", "suite"], sort="id", limit=50)
    return [job.spec for job in sorted(jobs, key=lambda job: job.id)]


def test_launching_queues_a_suite_as_it_is_and_a_job_for_each_adapted_model(store):
    html = launch(app(store), Wish(
        ["demo-llama", "demo-qwen2"], ["demo-medical"], {"max_new_tokens": 64, "max_think_tokens": 16},
        ["nearest", "none"], {"adapt_dataset": "demo-medical", "adapt_steps": 3}))
    assert "4 runs queued in 3 jobs" in html and html.count("adapted: nearest (3 steps), thinking ≤ 16 tokens") == 2
    suite, = queued(store, "suite")
    assert (suite["models"], suite["max_think_tokens"]) == (["demo-llama", "demo-qwen2"], 16)
    found = [(s["model"], s["adapt"], s["adapt_dataset"], s["adapt_steps"], s["max_think_tokens"])
             for s in queued(store, "benchmark")]
    assert found == [("demo-llama", "nearest", "demo-medical", 3, 16), ("demo-qwen2", "nearest", "demo-medical", 3, 16)]


def test_a_remote_model_runs_beside_the_suite_of_the_others_in_a_job_of_its_own():
    work = asked(Wish(["demo-llama", "remote:r", "v"], ["demo-medical", "demo-general"], {}))
    assert [(kind, values.get("model") or values["models"], values.get("benchmark")) for kind, values in work] == [
        ("suite", ["demo-llama", "variant:v"], None), ("benchmark", "remote:r", "demo-medical"),
        ("benchmark", "remote:r", "demo-general")]


def test_the_faults_of_all_jobs_are_told_at_once_each_with_its_field_and_label(store):
    html = launch(app(store), Wish(
        ["demo-lama", "demo-qwen2"], ["demo-medcal"], {"epochs": 4, "budgets": [999], "shots": 99},
        ["none", "nearest"]))
    for word in ("<b>Times asked</b>", "<b>Budget curve</b>", "<b>Solved examples</b>", "<b>Examples from</b>",
                 "<b>Benchmarks</b>"):
        assert word in html
    assert queued(store) == []


@pytest.mark.parametrize(("modes", "values", "adaptation", "words"), [
    (["none", "nearest"], {}, {}, ["adapt_dataset", "is required to adapt"]),
    (["nearest"], {}, {"adapt_dataset": "demo-medcal"}, ["adapt_dataset", "demo-medical"]),
    (["none"], {"min_think_tokens": 20, "max_think_tokens": 10}, {}, ["min_think_tokens", "more than max_think"]),
    (["random"], {}, {"adapt_dataset": "demo-medical", "adapt_steps": 0, "adapt_scope": "half"},
     ["adapt_steps", "adapt_scope"]),
    ([], {}, {}, ["adapt", "choose at least one"]),
])
def test_a_wrong_mode_is_told_with_its_field_and_queues_nothing(store, modes, values, adaptation, words):
    html = launch(app(store), Wish(["demo-llama"], ["demo-medical"], values, modes, adaptation))
    assert all(word in html for word in words) and "to correct" in html and queued(store) == []


def test_a_remote_model_is_asked_as_it_is_and_never_adapted(store):
    wish = Wish(["remote:elsewhere"], ["demo-medical"], {}, ["nearest"], {"adapt_dataset": "demo-medical"})
    assert "a remote model cannot be adapted" in launch(app(store), wish)


def test_the_form_as_it_opens_asks_for_plain_runs(store):
    with gr.Blocks():
        form = lay_out_form(True)
    shown = {name: widget.value for name, widget in form.fields.items()}
    launch(app(store), wish_of(shown | {"models": ["demo-llama"], "benchmarks": ["demo-medical"]}))
    (spec,) = queued(store)
    plain = launch(app(store), Wish(["demo-llama"], ["demo-medical"], {"max_new_tokens": 128}))
    assert "1 run queued" in plain and queued(store)[1] == spec


def test_every_setting_of_how_a_benchmark_asks_is_on_the_form(store):
    with gr.Blocks():
        form = lay_out_form(True)
    not_asked = {"batch_size", "check_overlap"}  # neither changes an answer
    assert set(AskingSettings.model_fields) - not_asked <= set(form.names)
    assert set(LABELS) >= set(AskingSettings.model_fields) - not_asked


def test_the_forms_values_become_settings_by_their_names(store):
    wish = wish_of({
        "models": ["m"], "benchmarks": ["b"], "max_new_tokens": 64, "budgets": "16, 32 many;48", "prompt": "",
        "answer_prefix": "Final:", "min_think_tokens": 8, "modes": ["nearest"], "dataset": "demo-medical",
        "neighbours": 2, "steps": 4, "learning_rate": 0.01, "scope": "full",
    })
    assert wish.values == {"max_new_tokens": 64, "budgets": [16, 32, "many", 48], "answer_prefix": "Final:",
                           "min_think_tokens": 8}
    assert (wish.models, wish.benchmarks, wish.modes) == (["m"], ["b"], ["nearest"])
    assert wish.adaptation == {"adapt_dataset": "demo-medical", "adapt_neighbours": 2, "adapt_steps": 4,
                               "adapt_learning_rate": 0.01, "adapt_scope": "full"}
