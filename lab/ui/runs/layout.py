"""Where everything stands on the Benchmarks page. No behaviour: `lab.ui.pages.benchmarks` wires it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.benchmarks.benchmark import benchmarks
from lab.ui.app_state import SPACE_SENTENCE
from lab.ui.components.folds import folding_block
from lab.ui.components.html import note
from lab.ui.components.wiring import html_block, picking_block
from lab.ui.runs.asking_layout import Asking, lay_out_asking


@dataclass(frozen=True)
class Form:
    """The form that runs a benchmark."""

    models: gr.Dropdown
    benchmark: gr.Dropdown
    max_new_tokens: gr.Number
    max_questions: gr.Number
    temperature: gr.Number
    seed: gr.Number
    asking: Asking
    run: gr.Button
    message: gr.HTML

    @property
    def values(self) -> list[Any]:
        return [self.models, self.benchmark, self.max_new_tokens, self.max_questions, self.temperature, self.seed,
                *self.asking.values]


@dataclass(frozen=True)
class Table:
    """The list of runs with its filters."""

    benchmark: gr.Dropdown
    study: gr.Dropdown
    base: gr.Dropdown
    search: gr.Textbox
    page: gr.State
    rows: gr.HTML
    position: gr.HTML
    newer: gr.Button
    older: gr.Button
    files: gr.Row

    @property
    def view(self) -> list[Any]:
        return [self.benchmark, self.study, self.base, self.search, self.page]


@dataclass(frozen=True)
class Chosen:
    """The chosen run, its partner, and their questions."""

    run: gr.State
    group: gr.Column
    head: gr.HTML
    partner: gr.Dropdown
    only: gr.Dropdown
    search: gr.Textbox
    page: gr.State
    questions: gr.HTML
    position: gr.HTML
    back: gr.Button
    forth: gr.Button
    files: gr.Row

    @property
    def view(self) -> list[Any]:
        return [self.run, self.partner, self.only, self.search, self.page]

    @property
    def shown(self) -> list[Any]:
        return [self.group, self.head, self.questions, self.position]


def lay_out_form(may_launch: bool) -> Form:
    with gr.Accordion("Run a benchmark", open=False, elem_id="benchmark-form"):
        with gr.Row():
            models = gr.Dropdown([], multiselect=True, label="Models", scale=3, min_width=260,
                                 info="one run for each; bases and variants")
            benchmark = gr.Dropdown(list(benchmarks()), value=next(iter(benchmarks()), None), label="Benchmark",
                                    info="a versioned set of questions", min_width=200)
        with gr.Row():
            budget = gr.Number(128, label="Budget", info="tokens an answer, with thinking", precision=0, minimum=1,
                               min_width=140)
            questions = gr.Number(0, label="Questions", info="0: all of them", precision=0, minimum=0, min_width=140)
            temperature = gr.Number(0, label="Temperature", info="0: greedy", minimum=0, maximum=2, step=0.1,
                                    min_width=140)
            seed = gr.Number(0, label="Seed", info="of sampling", precision=0, minimum=0, min_width=140)
        asking = lay_out_asking()
        run = gr.Button("Run", variant="primary", scale=0, min_width=140, interactive=may_launch)
        message = html_block("" if may_launch else note(SPACE_SENTENCE))
    return Form(models, benchmark, budget, questions, temperature, seed, asking, run, message)


def lay_out_table() -> Table:
    with gr.Row():
        benchmark = gr.Dropdown([("All benchmarks", ""), *benchmarks()], value="", label="Benchmark", min_width=150)
        study = gr.Dropdown([("All studies", "")], value="", label="Study", min_width=150)
        base = gr.Dropdown([("All bases", "")], value="", label="Base", min_width=150)
        search = gr.Textbox(label="Search", placeholder="part of a model's name", min_width=150)
    rows = picking_block(elem_id="runs")
    with gr.Row(elem_classes=["pager"]):
        newer = gr.Button("‹ Newer", size="sm", scale=0, min_width=90)
        position = html_block()
        older = gr.Button("Older ›", size="sm", scale=0, min_width=90)
        files = gr.Row(elem_classes=["files"])
    return Table(benchmark, study, base, search, gr.State(1), rows, position, newer, older, files)


def lay_out_chosen() -> Chosen:
    with gr.Column(visible=False) as group:
        head = html_block(elem_id="run-head")
        with gr.Row():
            partner = gr.Dropdown([("– this run alone –", "")], value="", label="Against", scale=2, min_width=220,
                                  info="the same questions, answered by another model")
            only = gr.Dropdown(["All"], value="All", label="Show", info="which of the questions", min_width=180)
            search = gr.Textbox(label="Search", info="in questions and answers", min_width=180)
        questions = folding_block(elem_id="run-questions")
        with gr.Row(elem_classes=["pager"]):
            back = gr.Button("‹ Back", size="sm", scale=0, min_width=90)
            position = html_block()
            forth = gr.Button("Next ›", size="sm", scale=0, min_width=90)
            files = gr.Row(elem_classes=["files"])
    run, page = gr.State(""), gr.State(1)
    return Chosen(run, group, head, partner, only, search, page, questions, position, back, forth, files)
