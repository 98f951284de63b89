"""Results: does the trace help? One study, its verdict in words, its plots and tables, and what raters said.

Address: /results?study=3. While the study runs the page shows what is in and names what is still to come.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.core.errors import LabError
from lab.reports.build import StudyReport
from lab.reports.tables import differences_csv, report_csv, report_json, report_markdown
from lab.ui.app_state import LabApp, Page
from lab.ui.components.download import download_button
from lab.ui.components.folds import folding_block
from lab.ui.components.html import empty, error, heading, progress_bar, tag
from lab.ui.components.markup import Html, join
from lab.ui.components.sorting import sorting_block
from lab.ui.components.wiring import html_block, keep_in_address, on_load, only_changed, poll, query, quiet
from lab.ui.results.stages import read_stages, stages_table
from lab.ui.results.view import fluency_html, pending_html, plots_html, tables_html, verdicts_html
from storage.queries.reports import report_token, study_report
from storage.queries.studies import health_of, list_studies, study_state

LEAD = "Does training on the reasoning trace help? Differences on the same questions, with intervals."
NO_STUDY = empty(
    "No study yet",
    "A study trains matched arms, with and without the trace, and benchmarks them. Its answer stands here.",
    "/train", "Plan a study",
)
NO_RUN = empty(
    "No benchmark of this study is in yet",
    "Accuracies appear here one by one as the benchmarks finish; the verdict follows with the second arm of a pair.",
    "/jobs", "Watch the jobs",
)


@dataclass(frozen=True)
class _Shown:
    """One drawing of the page; `token` changes when the report would."""

    token: str
    progress: Html
    blocks: tuple[Html, ...] = ()  # verdicts, pending, plots, fluency, tables


def build(app: LabApp) -> None:
    html_block(heading("Results", LEAD))
    study = gr.Dropdown([], label="Study")
    progress, verdicts = html_block(elem_id="study-progress"), html_block(elem_id="verdicts")
    pending = folding_block(elem_id="pending")
    plots = html_block(elem_id="plots")
    fluency, tables = html_block(elem_id="fluency"), sorting_block(elem_id="tables")
    asked, token, seen = gr.State(""), gr.State(""), gr.State([])  # an address may ask for a study that is not there
    shown = [progress, verdicts, pending, plots, fluency, tables, token, seen]
    _wire(app, study, asked, shown)
    with gr.Row(elem_classes=["files"]):
        for label, name, write in _FILES:
            download_button(label, _file(app, name, write), [asked])


def _wire(app: LabApp, study: gr.Dropdown, asked: gr.State, shown: list[Any]) -> None:
    def show(number: str, token: str, seen: list[Any]) -> list[Any]:
        drawn = _draw(app, number, token)
        if drawn.blocks:
            values = [drawn.progress, *drawn.blocks]
        else:
            values = [drawn.progress, *seen[1:]]
        return [*only_changed(values, seen), drawn.token, values]

    def open_page(request: gr.Request) -> list[Any]:
        with app.store.read() as session:
            studies, _ = list_studies(session, limit=200)
        choices = [(f"{item.id} · {item.name}", str(item.id)) for item in studies]
        number = query(request, "study") or (choices[0][1] if choices else "")
        known = number in {value for _, value in choices}
        return [gr.update(choices=choices, value=number if known else None), number, *show(number, "", [])]

    on_load(open_page, [study, asked, *shown])
    keep_in_address(study, "study", "input")
    quiet(study.input, lambda number: [number, *show(number, "", [])], [study], [asked, *shown])
    poll(show, [asked, *shown[-2:]], shown)


def _draw(app: LabApp, number: str | None, token: str) -> _Shown:
    """The whole page, or its progress alone while `token` still holds."""
    if not number:
        return _Shown("none", Html(""), (NO_STUDY, *[Html("")] * 4))
    try:
        with app.store.read() as session:
            token_now = report_token(session, _number(number))
            state = study_state(session, int(number))
            found = f"{number}/{token_now}/{state['counts']}"
            if found == token:
                return _Shown(found, _progress(state))
            report, stages = study_report(session, int(number)), read_stages(session, int(number))
            healths = health_of(session, {level.run.model for level in report.levels})
    except LabError as problem:
        told = error("That study is not here", str(problem), "Choose one above.")
        return _Shown("error", Html(""), (told, *[Html("")] * 4))
    first = verdicts_html(report, healths) if report.levels else NO_RUN
    top = join([stages_table(stages, report), first]) if stages else first
    return _Shown(found, _progress(state), (
        top, pending_html(report), plots_html(report), fluency_html(report), tables_html(report, healths),
    ))


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise LabError(f"'{text}' is not the number of a study.", "spec")
    return int(text)


def _progress(state: dict[str, Any]) -> Html:
    """A bar while the study runs; nothing once it has ended."""
    if state["state"] not in ("running", "queued"):
        return Html("")
    counts = state["counts"]
    words = f"{counts['succeeded']} of {state['n_jobs']} jobs done"
    if counts["failed"]:
        words += f", {counts['failed']} failed"
    return tag("div", progress_bar(state["progress"], 1, words, state["eta_s"]), cls="lab-card")


_FILES: list[tuple[str, str, Callable[[StudyReport], str]]] = [
    ("Accuracy CSV", "accuracy.csv", report_csv), ("Differences CSV", "differences.csv", differences_csv),
    ("Markdown", "report.md", report_markdown), ("JSON", "report.json", report_json),
]


def _file(app: LabApp, name: str, write: Callable[[StudyReport], str]) -> Callable[[str], tuple[str, str]]:
    """What a download button calls: the report as it is at that moment."""
    def make(number: str) -> tuple[str, str]:
        if not number:
            raise gr.Error("Choose a study first.", print_exception=False)
        with app.store.read() as session:
            report = study_report(session, _number(number))
        slug = re.sub(r"[^a-z0-9]+", "-", report.title.lower()).strip("-") or "study"
        return f"{slug}-{name}", write(report)

    return make


PAGE = Page(path="results", title="Results", order=70, build=build)
