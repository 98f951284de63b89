"""The Results page: the verdict, what is in and what is not, what raters said, and a study that is not there."""

from __future__ import annotations

import gradio as gr
import pytest

from lab.core.settings import Settings
from lab.reports.build import build_report
from lab.reports.records import Fluency, Preference
from lab.ui.app_state import LabApp
from lab.ui.pages import results
from lab.ui.results.view import fluency_html, pending_html, plots_html, tables_html, verdicts_html
from storage.queries.reports import report_token, study_report
from tests.reports.made_runs import made_run
from tests.stores import new_store
from tests.ui.seed_store import seed_store


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> LabApp:
    home = tmp_path_factory.mktemp("lab")
    store = new_store(home)
    seed_store(store)
    yield LabApp(store, Settings.from_env({"LAB_HOME": str(home)}))
    store.close()


def test_a_finished_study_shows_verdict_plots_and_tables(app):
    with app.store.read() as session:
        report = study_report(session, 1)
    assert [level.run.arm for level in report.levels] == ["base", "answer", "trace"]
    assert len(report.differences) == 3 and report.verdicts[0].outcome == "better"
    assert "The trace helps" in verdicts_html(report) and report.verdicts[0].sentence in verdicts_html(report)
    assert plots_html(report).count("<figure") == 3
    assert tables_html(report).count("<tr") == 2 + 3 + 3
    assert "/benchmarks?run=2&amp;with=3" in tables_html(report)
    assert pending_html(report) == ""


def test_figures_of_the_report_are_those_of_the_stored_runs(app):
    from storage.queries.benchmarks import latest_runs

    with app.store.read() as session:
        report, runs = study_report(session, 1), {run.id: run for run in latest_runs(session, 1)}
    for level in report.levels:
        run = runs[level.run.run_id]
        assert (level.n, level.n_correct) == (run.n, run.n_correct)
        assert (level.low, level.high) == pytest.approx((run.ci_low, run.ci_high))
        assert level.mean_tokens == pytest.approx(run.mean_tokens)
        assert level.truncated * level.n == pytest.approx(run.n_truncated)


def test_a_running_study_shows_what_is_in_and_names_what_is_not(app):
    drawn = results._draw(app, "2", "")
    verdicts, pending, plots, _, tables = drawn.blocks
    assert "no verdict yet" in verdicts and "trace_s0" in plots and "trace_s0" in tables
    assert "benchmark runs not in" in pending and "demo-combined_answer_s0" in pending
    assert "<script" not in pending
    assert "jobs done" in drawn.progress and "1 failed" in drawn.progress


def test_the_report_is_not_drawn_again_while_nothing_has_changed(app):
    first = results._draw(app, "1", "")
    again = results._draw(app, "1", first.token)
    assert first.blocks and again.token == first.token and not again.blocks
    with app.store.read() as session:
        assert report_token(session, 1) != report_token(session, 2)


@pytest.mark.parametrize("asked", ["99", "x", "1;drop", "9" * 30])
def test_a_study_that_is_not_there_is_told(app, asked):
    assert "not here" in results._draw(app, asked, "").blocks[0]


def test_an_empty_store_leads_to_train(tmp_path):
    store = new_store(tmp_path)
    drawn = results._draw(LabApp(store, Settings.from_env({"LAB_HOME": str(tmp_path)})), "", "")
    assert 'href="/train"' in drawn.blocks[0]
    store.close()


def test_a_difference_that_does_not_survive_correction_is_not_headlined_as_a_fact():
    better = made_run("trace", "1" * 9 + "0" * 31), made_run("answer", "1" * 1 + "0" * 39)
    others = [
        run for seed in range(1, 30)
        for run in (made_run("trace", "10" * 20, base=f"b{seed}"), made_run("answer", "01" * 20, base=f"b{seed}"))
    ]
    html = verdicts_html(build_report("s", [*better, *others]))
    assert "The trace may help" in html and "The trace helps" not in html
    assert html.count("No difference can be seen") == 29


def test_what_raters_said_stands_beside_the_benchmarks():
    report = build_report(
        "s", [], rated=([Fluency("round 1", "t", "demo-llama", "trace", 4.2, 3.9, 4.5, 36)],
                        [Preference("round 1", "t", "a", 0.4, 0.3, 0.5, 36)]),
    )
    html = fluency_html(report)
    assert "4.2" in html and "36 ratings" in html and "over t" in html
    assert "No closed rating round" in fluency_html(build_report("s", []))


def test_the_page_builds_and_each_download_has_a_name_and_a_text(app):
    with gr.Blocks() as demo:
        results.build(app)
    labels = {block.value for block in demo.blocks.values() if isinstance(block, gr.Button)}
    assert {label for label, _, _ in results._FILES} <= labels
    for _, name, write in results._FILES:
        file, text = results._file(app, name, write)("1")
        assert file == f"does-the-trace-help-{name}" and "demo-llama_demo-medical_trace_s0" in text
