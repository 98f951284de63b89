"""Where the chosen round stands: its head, and a tab for its people, their quality, the results, the questions and
the files. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.app_state import LabApp
from lab.ui.components.folds import KEEP_FOLDS, folding_block
from lab.ui.components.html import note
from lab.ui.components.sorting import sorting_block
from lab.ui.components.wiring import html_block
from lab.ui.ratings.files import Files, lay_out_files

PARTS = {"people": "People", "quality": "Quality", "results": "Results", "questions": "Question by question",
         "files": "Files"}
FIRST_PART = "people"
# A button inside a table is told to the server as what it says of itself.
ACT = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-act]');
  if (button) trigger('act', {...button.dataset});
});
"""
ORDERS = {"round": "In the order of the round", "second": "Second model better first",
          "first": "First model better first",
          "apart": "Raters furthest apart first"}


@dataclass(frozen=True)
class Confirm:
    """A question that stands there until it is answered."""

    box: gr.Column
    words: gr.HTML
    yes: gr.Button
    no: gr.Button


@dataclass(frozen=True)
class People:
    table: gr.HTML
    doomed: gr.State  # whose deletion was asked for
    delete: Confirm
    group: gr.Column  # inviting, while the round is open
    names: gr.Textbox
    upload: gr.UploadButton
    invite: gr.Button
    trial: gr.Button
    trial_link: gr.HTML
    links: gr.State
    cards: gr.HTML
    saves: gr.Row
    print: gr.Button


@dataclass(frozen=True)
class Results:
    body: gr.HTML
    again: gr.Button
    unblind: gr.Button
    asking: Confirm
    why: gr.Textbox
    launches: gr.Column
    judge: gr.Dropdown
    ask_judge: gr.Button
    base: gr.Dropdown
    measure: gr.Button
    told: gr.HTML


@dataclass(frozen=True)
class Questions:
    order: gr.Dropdown
    page: gr.State
    body: gr.HTML
    position: gr.HTML
    back: gr.Button
    forth: gr.Button


@dataclass(frozen=True)
class Chosen:
    """`part` is the name of the open tab; `seen` what was drawn last."""

    selected: gr.State
    part: gr.State
    seen: gr.State
    address: gr.JSON
    group: gr.Column
    head: gr.HTML
    close: gr.Button
    closing: Confirm
    message: gr.HTML
    tabs: gr.Tabs
    each: dict[str, gr.Tab]
    people: People
    quality: gr.HTML
    quality_again: gr.Button
    results: Results
    questions: Questions
    files: Files


def lay_out_round(app: LabApp) -> Chosen:
    with gr.Column(visible=False, elem_id="chosen-round") as group:
        head = folding_block(elem_id="round-head")
        close = gr.Button("Close the round…", variant="stop", size="sm", visible=False, elem_classes="lab-close",
                          interactive=app.may_launch, elem_id="close-round")
        closing = _confirm("Yes, close it for good", "Keep it open")
        message = html_block(elem_id="round-message")
        each: dict[str, gr.Tab] = {}
        with gr.Tabs(elem_id="round-parts", overflow_behavior="wrap") as tabs:
            with gr.Tab(PARTS["people"], id="people") as each["people"]:
                people = _people(app)
            with gr.Tab(PARTS["quality"], id="quality") as each["quality"]:
                quality = sorting_block(min_height=120, waiting="Working it out…", elem_id="round-quality")
                again = gr.Button("Look again", size="sm", scale=0, min_width=110, elem_classes="lab-close")
            with gr.Tab(PARTS["results"], id="results") as each["results"]:
                results = _results(app)
            with gr.Tab(PARTS["questions"], id="questions") as each["questions"]:
                questions = _questions()
            with gr.Tab(PARTS["files"], id="files") as each["files"]:
                files = lay_out_files()
    return Chosen(gr.State(""), gr.State(FIRST_PART), gr.State([]), gr.JSON(visible=False), group, head, close, closing,
                  message, tabs, each, people, quality, again, results, questions, files)


def _confirm(yes: str, no: str, also: Any = None) -> Confirm:
    with gr.Column(visible=False, elem_classes=["lab-confirm", "lab-ask"]) as box:
        words = html_block()
        if also is not None:
            also.render()
        with gr.Row(elem_classes="lab-saves"):
            sure = gr.Button(yes, variant="stop", size="sm", min_width=170)
            not_sure = gr.Button(no, size="sm", min_width=110)
    return Confirm(box, words, sure, not_sure)


def _people(app: LabApp) -> People:
    table = html_block(js_on_load=ACT, min_height=80, elem_id="round-people-table")
    delete = _confirm("Delete for good", "Keep")
    may = app.may_launch
    with gr.Column(visible=False, elem_classes="lab-invite") as group:
        names = gr.Textbox(label="Invite raters", placeholder="One name a line: R1, R2 …", lines=3, max_lines=12,
                           elem_id="rater-names", info="A name stands in every file of the round; it need not be a "
                                                       "person's.")
        with gr.Row(elem_classes="lab-actions"):
            invite = gr.Button("Make links", variant="primary", interactive=may, size="sm", scale=0, min_width=120)
            upload = gr.UploadButton("Names from a CSV file", file_types=[".csv", ".tsv", ".txt"], interactive=may,
                                     size="sm", scale=0, min_width=180)
            trial = gr.Button("Try it yourself", interactive=may, size="sm", scale=0, min_width=140)
        trial_link = html_block()
    cards = html_block(elem_id="rater-links")
    with gr.Row(visible=False, elem_classes=["lab-actions", "lab-saves"]) as saves:
        printing = gr.Button("Print them", size="sm", scale=0, min_width=110)
    return People(table, gr.State(""), delete, group, names, upload, invite, trial, trial_link, gr.State([]), cards,
                  saves,
                  printing)


def _results(app: LabApp) -> Results:
    body = html_block(min_height=90, waiting="Working it out…", elem_id="round-results", js_on_load=KEEP_FOLDS)
    again = gr.Button("Work them out again", size="sm", scale=0, visible=False, elem_classes="lab-close")
    unblind = gr.Button("Unblind now…", size="sm", scale=0, visible=False, elem_classes="lab-close",
                        interactive=app.may_launch, elem_id="unblind")
    why = gr.Textbox(label="Why now, before the round is closed?", max_lines=3, render=False, elem_id="unblind-why",
                     info="It is logged with the time and your name, and said wherever the results are shown.")
    asking = _confirm("Unblind, and log it", "Keep them locked", also=why)
    with gr.Column(visible=False, elem_classes="lab-invite") as launches:
        html_block(note("Beside the raters, never pooled with them: a model that judges the same texts in both "
                        "orders, and how surprising a model finds each text."))
        with gr.Row(elem_classes=["lab-filters"]):
            judge = gr.Dropdown([], value=None, label="Judge with a model", min_width=220, scale=2)
            ask = gr.Button("Judge", size="sm", scale=0, min_width=100, interactive=app.may_launch)
            base = gr.Dropdown([], value=None, label="Perplexity under a model", min_width=220, scale=2)
            measure = gr.Button("Measure", size="sm", scale=0, min_width=100, interactive=app.may_launch)
        told = html_block()
    return Results(body, again, unblind, asking, why, launches, judge, ask, base, measure, told)


def _questions() -> Questions:
    order = gr.Dropdown([(words, name) for name, words in ORDERS.items()], value="round", label="Order", scale=0,
                        min_width=260)
    body = folding_block(min_height=120, waiting="Reading…", elem_id="round-questions")
    with gr.Row(elem_classes=["pager"]):
        back = gr.Button("‹ Back", size="sm", scale=0, min_width=90)
        position = html_block()
        forth = gr.Button("Next ›", size="sm", scale=0, min_width=90)
    return Questions(order, gr.State(1), body, position, back, forth)
