"""Benchmarks: every run with its n and interval, two runs on the same questions, and the questions themselves.

Address: /benchmarks?run=4 opens a run, &with=5 sets it against another; benchmark, study, base and search filter.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gradio as gr

from lab.bases.cards import bases
from lab.benchmarks.benchmark import benchmarks
from lab.reports.tables import csv_text
from lab.ui.app_state import LabApp, Page
from lab.ui.compare.choices import offered
from lab.ui.components.download import download_button
from lab.ui.components.folds import folding_block
from lab.ui.components.html import heading
from lab.ui.components.wiring import html_block, keep_in_address, on_load, only_changed, poll, query, quiet
from lab.ui.runs.detail import SampleView, filter_choices, partner_choices, read_detail, sample_rows
from lab.ui.runs.launch import launch, wish_of
from lab.ui.runs.layout import Chosen, Form, Table, lay_out_chosen, lay_out_form, lay_out_table
from lab.ui.runs.listing import View, find_runs, read_listing, read_running, study_choices

LEAD = "What each model got right, and how sure that is. Choose a run to read its questions."


def build(app: LabApp) -> None:
    html_block(heading("Benchmarks", LEAD))
    form = lay_out_form(app.may_launch)
    running = folding_block(elem_id="running-benchmarks")
    table, chosen, seen = lay_out_table(), lay_out_chosen(), gr.State([])
    _wire_table(app, table, chosen, running, seen)
    _wire_chosen(app, table, chosen)
    _wire_opening(app, form, table, chosen)
    _wire_files(app, table, chosen)

    quiet(form.run.click, lambda *values: launch(app, wish_of(values)), form.values, [form.message])


def _view(benchmark: str, study: str, base: str, search: str, page: int) -> View:
    return View(benchmark or "", int(study) if study else None, base or "", search or "", page)


def _wire_table(app: LabApp, table: Table, chosen: Chosen, running: gr.HTML, seen: gr.State) -> None:
    def show(benchmark, study, base, search, page, run, last) -> list[Any]:
        listing = read_listing(app.store, _view(benchmark, study, base, search, page), run)
        values = [read_running(app.store), listing.html, listing.position, page > 1, page < listing.n_pages]
        changed = only_changed(values, last)
        return [*(gr.update(interactive=new) if isinstance(new, bool) else new for new in changed), values]

    asked = [*table.view, chosen.run, seen]
    shown = [running, table.rows, table.position, table.newer, table.older, seen]

    def narrow(benchmark, study, base, search, page, *rest) -> list[Any]:
        return [1, *show(benchmark, study, base, search, 1, *rest)]

    def turn(by: int) -> Callable[..., list[Any]]:
        def go(benchmark, study, base, search, page, *rest) -> list[Any]:
            last = read_listing(app.store, _view(benchmark, study, base, search, 1), "").n_pages
            page = min(max(1, page + by), last)
            return [page, *show(benchmark, study, base, search, page, *rest)]

        return go

    for widget, key in ((table.benchmark, "benchmark"), (table.study, "study"), (table.base, "base"),
                        (table.search, "search")):
        keep_in_address(widget, key, "input")
        quiet(widget.input, narrow, asked, [table.page, *shown], trigger_mode="always_last")
    quiet(table.newer.click, turn(-1), asked, [table.page, *shown])
    quiet(table.older.click, turn(1), asked, [table.page, *shown])
    quiet(chosen.run.change, show, asked, shown)
    poll(show, asked, shown)


def _drawn(app: LabApp, view: SampleView) -> list[Any]:
    """What `Chosen.shown` holds for a view, then whether one can page back and forth."""
    detail = read_detail(app.store, view)
    turns = [gr.update(interactive=view.page > 1), gr.update(interactive=view.page < detail.n_pages)]
    return [gr.update(visible=bool(view.run)), detail.head, detail.questions, detail.position, *turns]


def _wire_chosen(app: LabApp, table: Table, chosen: Chosen) -> None:
    shown = [*chosen.shown, chosen.back, chosen.forth]

    def pick(event: gr.EventData) -> list[Any]:
        run = str(event._data.get("run", ""))
        partners = gr.update(choices=partner_choices(app.store, run), value="")
        only = gr.update(choices=filter_choices(""), value="All")
        return [run, partners, only, "", 1, *_drawn(app, SampleView(run))]

    def set_against(run, partner, only, search, page) -> list[Any]:
        choices = filter_choices(partner)
        only = choices[0]
        return [gr.update(choices=choices, value=only), 1, *_drawn(app, SampleView(run, partner, only, search))]

    def narrow(run, partner, only, search, page) -> list[Any]:
        return [1, *_drawn(app, SampleView(run, partner, only, search))]

    def turn(by: int) -> Callable[..., list[Any]]:
        def go(run, partner, only, search, page) -> list[Any]:
            pages = read_detail(app.store, SampleView(run, partner, only, search)).n_pages
            page = min(max(1, page + by), pages)
            return [page, *_drawn(app, SampleView(run, partner, only, search, page))]

        return go

    picked = quiet(table.rows.pick, pick, [], [*chosen.view, *shown])
    picked.then(None, [], None, js="() => { window.labSetQuery({with: '', only: '', find: ''}); "
                                   "document.getElementById('run-head')?.scrollIntoView({block: 'start'}); }")
    quiet(chosen.partner.input, set_against, chosen.view, [chosen.only, chosen.page, *shown])
    for widget, key in ((chosen.partner, "with"), (chosen.only, "only"), (chosen.search, "find")):
        keep_in_address(widget, key, "input")
    quiet(chosen.only.input, narrow, chosen.view, [chosen.page, *shown])
    quiet(chosen.search.input, narrow, chosen.view, [chosen.page, *shown], trigger_mode="always_last")
    quiet(chosen.back.click, turn(-1), chosen.view, [chosen.page, *shown])
    quiet(chosen.forth.click, turn(1), chosen.view, [chosen.page, *shown])


def _wire_opening(app: LabApp, form: Form, table: Table, chosen: Chosen) -> None:
    def open_page(request: gr.Request) -> list[Any]:
        studies = study_choices(app.store)
        study, benchmark, base = (query(request, key) for key in ("study", "benchmark", "base"))
        study = study if study in {value for _, value in studies} else ""
        run, partner = query(request, "run"), query(request, "with")
        partners = partner_choices(app.store, run)
        partner = partner if partner in {value for _, value in partners} else ""
        shows = filter_choices(partner)
        only = query(request, "only") if query(request, "only") in shows else shows[0]
        view = SampleView(run, partner, only, query(request, "find"))
        return [
            gr.update(choices=offered(app.store)),
            gr.update(value=benchmark if benchmark in benchmarks() else ""), gr.update(choices=studies, value=study),
            gr.update(choices=[("All bases", ""), *bases()], value=base if base in bases() else ""),
            query(request, "search"), run, gr.update(choices=partners, value=partner),
            gr.update(choices=shows, value=only), view.search, *_drawn(app, view),
        ]

    outputs = [form.models, table.benchmark, table.study, table.base, table.search, chosen.run, chosen.partner,
               chosen.only, chosen.search, *chosen.shown, chosen.back, chosen.forth]
    on_load(open_page, outputs)


def _wire_files(app: LabApp, table: Table, chosen: Chosen) -> None:
    def runs(*view: Any) -> list[dict[str, Any]]:
        found, _ = find_runs(app.store, _view(*view), 0, 10**6)
        return [run.model_dump(mode="json") for run in found]

    def as_json(rows: list[dict[str, Any]]) -> str:
        return json.dumps(rows, ensure_ascii=False, indent=1, default=str)

    def name(run: str, partner: str) -> str:
        return f"samples-run-{run}" + (f"-against-{partner}" if partner else "")

    with table.files:
        download_button("Runs as CSV", lambda *v: ("benchmark-runs.csv", csv_text(runs(*v))), table.view)
        download_button("Runs as JSON", lambda *v: ("benchmark-runs.json", as_json(runs(*v))), table.view)
    with chosen.files:
        download_button("Samples as CSV", lambda *v: (f"{name(*v[:2])}.csv", csv_text(_samples(app, v))), chosen.view)
        download_button("Samples as JSON", lambda *v: (f"{name(*v[:2])}.json", as_json(_samples(app, v))), chosen.view)


def _samples(app: LabApp, view: tuple[Any, ...]) -> list[dict[str, Any]]:
    return sample_rows(app.store, SampleView(*view))


PAGE = Page(path="benchmarks", title="Benchmarks", order=50, build=build)
