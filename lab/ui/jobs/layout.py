"""Where things stand on the Jobs page: filters, the list with its pager, one job beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.components.wiring import html_block, picking_block
from lab.ui.jobs.listing import FILTERS


@dataclass(frozen=True)
class Parts:
    """The widgets that the page's handlers read and write."""

    state: Any
    study: Any
    search: Any
    page: Any
    selected: Any
    seen: Any  # what each block showed last: only what differs is sent
    listing: Any
    position: Any
    newer: Any
    older: Any
    blocks: list[Any]  # head, curves, log, spec, origin, history
    buttons: list[Any]  # cancel, retry, run again
    confirm: list[Any]  # the row, its question, yes, no
    message: Any

    @property
    def asked(self) -> list[Any]:
        return [self.state, self.study, self.search, self.page, self.selected, self.seen]

    @property
    def shown(self) -> list[Any]:
        return [self.listing, self.position, *self.blocks, *self.buttons, self.newer, self.older, self.seen]


def lay_out() -> Parts:
    """Make every widget of the page, in reading order."""
    parts: dict[str, Any] = {"selected": gr.State(""), "seen": gr.State([])}
    parts["page"] = gr.Number(1, precision=0, visible=False)  # not a State: the script that keeps the address reads it
    with gr.Row(elem_classes="lab-filters"):
        parts["state"] = gr.Dropdown(list(FILTERS), value="All", label="State", min_width=130, scale=1)
        parts["study"] = gr.Dropdown([("All studies", "")], value="", label="Study", min_width=200, scale=2)
        parts["search"] = gr.Textbox(label="Search", placeholder="name, kind or uid", min_width=180, scale=2)
    with gr.Row(elem_classes="lab-split"):
        with gr.Column(scale=3, min_width=320):
            parts["listing"] = picking_block(min_height=240)
            with gr.Row(elem_classes="lab-pager"):
                parts["newer"] = gr.Button("← Newer", size="sm", min_width=90, scale=0)
                with gr.Column(min_width=80):
                    parts["position"] = html_block()
                parts["older"] = gr.Button("Older →", size="sm", min_width=90, scale=0)
        with gr.Column(scale=2, min_width=320, elem_classes="lab-side"):
            parts |= _one_job()
    return Parts(**parts)


def _one_job() -> dict[str, Any]:
    head = html_block(elem_classes=["lab-job-head"], min_height=110)
    with gr.Row(elem_classes="lab-actions"):
        buttons = [
            gr.Button(word, size="sm", interactive=False, min_width=80, variant=variant)
            for word, variant in (("Cancel", "stop"), ("Retry", "secondary"), ("Run again", "secondary"))
        ]
    with gr.Column(visible=False, elem_classes="lab-confirm") as row:
        question = html_block()
        with gr.Row():
            yes = gr.Button("Yes, cancel it", variant="stop", size="sm", min_width=110)
            no = gr.Button("Keep it", size="sm", min_width=80)
    message = html_block()
    return {"buttons": buttons, "confirm": [row, question, yes, no], "message": message, "blocks": [head, *_tabs()]}


def _tabs() -> list[Any]:
    blocks = []
    with gr.Tabs():
        for title in ("Curves", "Log", "Spec", "Origin", "Events"):
            with gr.Tab(title):
                blocks.append(html_block(min_height=220))
    return blocks
