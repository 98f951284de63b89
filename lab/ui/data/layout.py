"""Where things stand on the Data page: the list, the chosen dataset with its parts, the forms that make data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.app_state import LabApp
from lab.ui.components.folds import folding_block
from lab.ui.components.html import note
from lab.ui.components.scatter import scatter_block
from lab.ui.components.wiring import html_block, picking_block
from lab.ui.data.make_layout import Make, lay_out_make
from lab.ui.data.rows_layout import Rows, lay_out_rows
from lab.ui.data.sheet import FIRST_SCHEMA
from lab.ui.data.shelf import WHICH

VIEWS = {"datasets": "Datasets", "make": "Make data"}
PARTS = {"rows": "Rows", "grades": "Grades", "map": "Map", "funnel": "Funnel", "sheet": "Datasheet"}
BGE = "BAAI/bge-large-en-v1.5"
EMBEDDERS = [("TF-IDF: by its words, no download", "tfidf"),
             ("bge-large: by its meaning (1.3 GB the first time; TF-IDF where it cannot be had)", BGE)]


@dataclass(frozen=True)
class MapPart:
    embedder: gr.Radio
    draw: gr.Button
    message: gr.HTML
    running: gr.HTML
    picture: gr.HTML
    files: gr.Row


@dataclass(frozen=True)
class SheetPart:
    body: gr.HTML
    files: gr.Row
    schema: gr.Dropdown
    reviewed: gr.Checkbox
    told: gr.HTML
    exports: gr.Row


@dataclass(frozen=True)
class Parts:
    """`key`: the chosen dataset's name in the address; `seen`: what the poll drew last."""

    view: gr.State
    tabs: gr.Tabs
    each_view: dict[str, gr.Tab]
    address: gr.JSON
    search: gr.Textbox
    which: gr.Dropdown
    shelf: gr.HTML
    key: gr.State
    group: gr.Column
    head: gr.HTML
    body: gr.Column  # its parts; away while its rows cannot be read
    part: gr.State
    part_tabs: gr.Tabs
    each: dict[str, gr.Tab]
    rows: Rows
    grades: gr.HTML
    grade_files: gr.Row
    map: MapPart
    funnel: gr.HTML
    sheet: SheetPart
    make: Make
    seen: gr.State

    @property
    def drawn(self) -> list[Any]:
        """The parts other than the rows."""
        m = self.map
        return [self.grades, m.running, m.picture, self.funnel, self.sheet.body, self.sheet.schema,
                self.sheet.told]


def lay_out(app: LabApp) -> Parts:
    found: dict[str, Any] = {"view": gr.State("datasets"), "address": gr.JSON(visible=False), "key": gr.State(""),
                             "part": gr.State("rows"), "seen": gr.State([]), "each_view": {}}
    with gr.Tabs(elem_id="data-views", overflow_behavior="wrap") as found["tabs"]:
        with gr.Tab(VIEWS["datasets"], id="datasets") as found["each_view"]["datasets"]:
            with gr.Row(elem_classes=["lab-small-fields", "data-shelf-filters"]):
                found["search"] = gr.Textbox(label="Search", placeholder="name, source or teacher", min_width=220)
                found["which"] = gr.Dropdown([(words, name) for name, words in WHICH.items()], value="", label="Which",
                                             min_width=150)
            found["shelf"] = picking_block(elem_id="data-shelf", min_height=160)
            with gr.Column(visible=False, elem_id="data-chosen") as found["group"]:
                found |= _chosen(app)
        with gr.Tab(VIEWS["make"], id="make") as found["each_view"]["make"]:
            found["make"] = lay_out_make(app)
    return Parts(**found)


def _chosen(app: LabApp) -> dict[str, Any]:
    found: dict[str, Any] = {"head": folding_block(elem_id="data-head"), "each": {}}
    with gr.Column(visible=False) as found["body"], gr.Tabs(
            elem_id="data-parts", overflow_behavior="wrap") as found["part_tabs"]:
        with gr.Tab(PARTS["rows"], id="rows") as found["each"]["rows"]:
            found["rows"] = lay_out_rows(app)
        with gr.Tab(PARTS["grades"], id="grades") as found["each"]["grades"]:
            found["grades"] = folding_block(elem_id="data-grades", min_height=240, waiting="Counting…")
            found["grade_files"] = gr.Row(elem_classes=["lab-actions", "lab-saves"])
        with gr.Tab(PARTS["map"], id="map") as found["each"]["map"]:
            found["map"] = _map(app)
        with gr.Tab(PARTS["funnel"], id="funnel") as found["each"]["funnel"]:
            found["funnel"] = folding_block(elem_id="data-funnel", min_height=160)
        with gr.Tab(PARTS["sheet"], id="sheet") as found["each"]["sheet"]:
            found["sheet"] = _sheet()
    return found


def _map(app: LabApp) -> MapPart:
    with gr.Row(elem_classes=["data-draw"]):
        embedder = gr.Radio(EMBEDDERS, value=BGE, label="Drawn by", scale=3, min_width=280)
        draw = gr.Button("Draw the map", size="sm", scale=0, min_width=140, interactive=app.may_launch)
    message = html_block()
    running = html_block(elem_id="map-running")
    picture = scatter_block(elem_id="data-map", min_height=240)
    files = gr.Row(elem_classes=["lab-actions", "lab-saves"])
    return MapPart(embedder, draw, message, running, picture, files)


def _sheet() -> SheetPart:
    body = html_block(elem_id="data-sheet", min_height=200)
    files = gr.Row(elem_classes=["lab-actions", "lab-saves"])
    with gr.Column(elem_classes=["lab-ask"], elem_id="data-export"):
        html_block(note("The rows in a form that others read: the hub's datasets of these papers, or plain messages."))
        with gr.Row(elem_classes=["lab-small-fields"]):
            schema = gr.Dropdown([(FIRST_SCHEMA, FIRST_SCHEMA)], value=FIRST_SCHEMA, label="Schema", min_width=220)
            reviewed = gr.Checkbox(True, label="As reviewed: rejected rows left out, edited ones as edited",
                                   container=False)
        told = html_block(min_height=24)
        exports = gr.Row(elem_classes=["lab-actions", "lab-saves"])
    return SheetPart(body, files, schema, reviewed, told, exports)
