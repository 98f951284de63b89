"""Where things stand on the Models page: filters, the table with its pager, one variant below it, its export."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.app_state import LabApp
from lab.ui.components.folds import folding_block
from lab.ui.components.wiring import html_block, picking_block
from lab.ui.models.listing import SORTS

NO_TOKEN = "Set HF_TOKEN where the lab is started, to a token of the Hugging Face hub that may write."


@dataclass(frozen=True)
class Parts:
    """The widgets that the page's handlers read and write."""

    search: Any
    base: Any
    kind: Any
    target: Any
    sort: Any
    page: Any
    rows: Any
    newer: Any
    position: Any
    older: Any
    name: Any  # of the chosen variant
    detail: Any
    group: Any  # the export
    form: Any
    repository: Any
    private: Any
    export: Any
    message: Any
    exports: Any
    drawn: Any  # what the exports looked like last
    seen: Any  # what each block of the table showed last

    @property
    def view(self) -> list[Any]:
        return [self.search, self.base, self.kind, self.target, self.sort, self.page]


def lay_out(app: LabApp) -> Parts:
    found: dict[str, Any] = {"page": gr.State(1), "name": gr.State(""), "seen": gr.State([]),
                             "drawn": gr.State("")}
    with gr.Row(elem_classes="lab-filters"):
        found["search"] = gr.Textbox(label="Search", placeholder="name or dataset", scale=2, min_width=180)
        found["base"] = gr.Dropdown([("All bases", "")], value="", label="Base", min_width=150)
        found["kind"] = gr.Dropdown([("All kinds", "")], value="", label="Kind", min_width=130)
        found["target"] = gr.Dropdown([("All arms", "")], value="", label="Arm", min_width=130)
        found["sort"] = gr.Dropdown(list(SORTS.items()), value="newest", label="Order", min_width=140)
    found["rows"] = picking_block(elem_id="variants", min_height=160)
    with gr.Row(elem_classes=["pager"]):
        found["newer"] = gr.Button("‹ Back", size="sm", scale=0, min_width=90)
        found["position"] = html_block()
        found["older"] = gr.Button("Forth ›", size="sm", scale=0, min_width=90)
    found["detail"] = folding_block(elem_id="variant")
    with gr.Column(visible=False) as group:
        found |= _export(app)
    return Parts(group=group, **found)


def _export(app: LabApp) -> dict[str, Any]:
    may_push = bool(os.environ.get("HF_TOKEN"))
    with gr.Accordion("Export", open=True, elem_id="export"):
        with gr.Row():
            form = gr.Radio([("Adapter, on its base", "adapter"), ("Merged into a copy of the base", "merged")],
                            value="adapter", label="Weights", min_width=280,
                            info="A variant of all weights is exported as it is.")
            repository = gr.Textbox(label="Push to the hub", placeholder="ORG/NAME", min_width=290, max_lines=1,
                                    interactive=may_push, info="Empty: only a folder." if may_push else NO_TOKEN)
            private = gr.Checkbox(True, label="Private repository", interactive=may_push, min_width=160)
        with gr.Row(elem_classes="lab-actions"):
            export = gr.Button("Export", variant="primary", scale=0, min_width=140, interactive=app.may_launch)
        message, exports = html_block(), folding_block(elem_id="exports")
    return {"form": form, "repository": repository, "private": private, "export": export, "message": message,
            "exports": exports}
