"""Where rows, the open row and its review stand. No behaviour: `wiring_rows` wires it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.components.folds import folding_block
from lab.ui.components.html import note
from lab.ui.components.wiring import html_block, picking_block
from lab.ui.data.look import ORDERS, REVIEW_WORDS
from lab.ui.data.reviewing import BOXES

ANY = [("Any", "")]


@dataclass(frozen=True)
class Review:
    """The open row: what it says, who says what of it, and the form that edits it."""

    group: gr.Column
    row: gr.HTML
    back: gr.Button
    forth: gr.Button
    reviewer: gr.Textbox
    note: gr.Textbox
    approve: gr.Button
    reject: gr.Button
    reopen: gr.Button
    edit: gr.Button
    said: gr.HTML
    form: gr.Column
    boxes: list[gr.Textbox]
    keep: gr.Button
    leave: gr.Button


@dataclass(frozen=True)
class Version:
    """Keeping what reviewers made of the dataset as another one."""

    ask: gr.Button
    box: gr.Column
    only_approved: gr.Checkbox
    told: gr.HTML
    keep: gr.Button
    leave: gr.Button
    message: gr.HTML


@dataclass(frozen=True)
class Rows:
    """`asked`: the filters, the order and the page, in the order of `look.Asked`."""

    asked: list[Any]
    filters: dict[str, Any]
    page: gr.State
    fault: gr.HTML
    table: gr.HTML
    position: gr.HTML
    back: gr.Button
    forth: gr.Button
    files: gr.Row
    row: gr.State  # id of the open row
    place: gr.State  # where it stood on the page when it was opened
    review: Review
    version: Version
    page_address: gr.JSON  # what goes into the page's address: a state's value never reaches the browser
    row_address: gr.JSON

    @property
    def shown(self) -> list[Any]:
        """What is drawn anew when the look changes."""
        return [self.page, self.fault, self.table, self.position, self.back, self.forth,
                self.page_address]

    @property
    def opened(self) -> list[Any]:
        """What is drawn anew when a row is opened."""
        r = self.review
        return [self.row, self.place, r.group, r.row, r.back, r.forth, r.form, *r.boxes,
                self.row_address]


def lay_out_rows(app: LabApp) -> Rows:
    filters = _filters()
    page = gr.State(1)
    fault = html_block()
    table = picking_block(elem_id="data-rows", min_height=160)
    with gr.Row(elem_classes=["pager"]):
        back = gr.Button("‹ Back", size="sm", scale=0, min_width=90)
        position = html_block()
        forth = gr.Button("Next ›", size="sm", scale=0, min_width=90)
        files = gr.Row(elem_classes=["files"])
    review = _review(app)
    version = _version(app)
    return Rows([*filters.values(), page], filters, page, fault, table, position, back, forth, files, gr.State(""),
                gr.State(0), review, version, gr.JSON(visible=False), gr.JSON(visible=False))


def _filters() -> dict[str, Any]:
    """By the name that the address calls them. Ranges are written: 7, 7-10, 7- or -3."""
    found: dict[str, Any] = {}
    with gr.Row(elem_classes=["lab-small-fields", "data-filters"]):
        found["words"] = gr.Textbox(label="Search", placeholder="in questions, thinking and answers", max_lines=1)
        found["review"] = gr.Dropdown([*ANY, *((words, name) for name, words in REVIEW_WORDS.items())], value="",
                                      label="Review")
        found["department"] = gr.Dropdown(ANY, value="", label="Department", visible=False)
        found["quality"] = gr.Textbox(label="Quality", placeholder="7-10", max_lines=1, visible=False)
        found["complexity"] = gr.Textbox(label="Complexity", placeholder="-4", max_lines=1, visible=False)
        found["length"] = gr.Textbox(label="Thinking", placeholder="200-800", max_lines=1)
        found["provenance"] = gr.Dropdown(ANY, value="", label="Provenance", visible=False)
        found["depth"] = gr.Textbox(label="Rethinks", placeholder="1-3", max_lines=1, visible=False)
        found["style"] = gr.Dropdown(ANY, value="", label="Style", visible=False)
        found["order"] = gr.Dropdown(list(ORDERS.items()), value="position", label="Order")
    return found


def _review(app: LabApp) -> Review:
    with gr.Column(visible=False, elem_id="data-open", elem_classes=["data-open"]) as group:
        with gr.Row(elem_classes=["lab-actions", "data-moves"]):
            back = gr.Button("‹ Previous row", size="sm", scale=0, min_width=120)
            forth = gr.Button("Next row ›", size="sm", scale=0, min_width=120)
        row = folding_block(elem_id="data-row")
        with gr.Row(elem_classes=["lab-small-fields", "data-say"]):
            reviewer = gr.Textbox("", label="Your name", max_lines=1, max_length=40, info="kept with each review",
                                  min_width=150)
            said_note = gr.Textbox("", label="Note", max_lines=3, info="why, if you like", min_width=220)
        with gr.Row(elem_classes=["lab-actions"]):
            may = {"interactive": app.may_launch, "size": "sm", "scale": 0}
            approve = gr.Button("✓ Approve", min_width=110, **may)
            reject = gr.Button("✕ Reject", min_width=110, **may)
            edit = gr.Button("✎ Edit", min_width=110, **may)
            reopen = gr.Button("○ Open again", min_width=120, **may)
        said = html_block("" if app.may_launch else note(SPACE_SENTENCE), elem_id="data-said")
        with gr.Column(visible=False, elem_id="data-edit", elem_classes=["lab-ask"]) as form:
            boxes = [gr.Textbox("", label=label, lines=2, max_lines=14, elem_classes=["data-box"])
                     for label in BOXES["rows"].values()]
            html_block(note("A changed answer must still give the short answer. The row of the file stays as it is."))
            with gr.Row(elem_classes=["lab-actions"]):
                keep = gr.Button("Keep the edit", variant="primary", size="sm", scale=0, min_width=130)
                leave = gr.Button("Leave it", size="sm", scale=0, min_width=100)
    return Review(group, row, back, forth, reviewer, said_note, approve, reject, reopen, edit, said, form, boxes, keep,
                  leave)


def _version(app: LabApp) -> Version:
    ask = gr.Button("Keep as a new version…", size="sm", scale=0, min_width=200, interactive=app.may_launch,
                    elem_classes=["lab-close"])
    with gr.Column(visible=False, elem_classes=["lab-ask"], elem_id="data-version") as box:
        only = gr.Checkbox(False, label="Only rows that were approved", container=False)
        told = html_block()
        with gr.Row(elem_classes=["lab-actions"]):
            keep = gr.Button("Keep it", variant="primary", size="sm", scale=0, min_width=110)
            leave = gr.Button("Not now", size="sm", scale=0, min_width=100)
    return Version(ask, box, only, told, keep, leave, html_block())
