"""Where keeping a conversation stands: save it, share its link, give it to raters, and the list of the saved ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.components.wiring import html_block


@dataclass(frozen=True)
class KeepingWidgets:
    head: Any  # what the open conversation is called, and whether it is kept
    title: Any
    save: Any
    copy: Any
    others: Any  # saved comparisons of the same models, to freeze with this one
    bank: Any
    freeze: Any
    message: Any
    search: Any
    listing: Any
    page: Any
    pager: Any
    newer: Any
    older: Any
    position: Any
    doomed: Any  # uid of the one that a delete was asked for
    confirm: Any
    confirm_words: Any
    yes: Any
    no: Any


def lay_out_keeping(listing_script: str) -> KeepingWidgets:
    with gr.Accordion("Save, share, send to raters", open=False, elem_id="compare-keep"):
        head = html_block()
        with gr.Row(elem_classes=["compare-keep-row"]):
            title = gr.Textbox(label="Title", max_lines=1, max_length=120, scale=3, elem_id="compare-title",
                               placeholder="Its first question, if nothing is typed")
            save = gr.Button("Save", scale=0, min_width=90, elem_id="compare-save")
            copy = gr.Button("Copy link", scale=0, min_width=110, elem_id="compare-copy")
        with gr.Row(elem_classes=["compare-keep-row"]):
            others = gr.Dropdown([], multiselect=True, scale=2, label="Send to a rating round, with",
                                 info="saved comparisons of the same models; first answers only")
            bank = gr.Textbox(label="Name of the answer bank", max_lines=1, max_length=80, elem_id="compare-bank")
            freeze = gr.Button("Freeze for raters", scale=0, min_width=150, elem_id="compare-freeze")
        message = html_block(elem_id="compare-kept")
    listing = _listing(listing_script)
    return KeepingWidgets(head, title, save, copy, others, bank, freeze, message, *listing)


def _listing(script: str) -> tuple[Any, ...]:
    with gr.Accordion("Saved comparisons", open=True, elem_id="compare-saved"):
        search = gr.Textbox(show_label=False, label="Search saved comparisons", max_lines=1, container=False,
                            placeholder="Search titles and questions")
        with gr.Row(visible=False, elem_classes=["lab-confirm"]) as confirm:
            words = html_block()
            yes = gr.Button("Delete", variant="stop", size="sm", scale=0, min_width=90, elem_id="compare-delete")
            no = gr.Button("Keep", size="sm", scale=0, min_width=90)
        listing = html_block(js_on_load=script, min_height=80, elem_id="compare-list")
        with gr.Row(elem_classes=["lab-pager"], visible=False) as pager:
            newer = gr.Button("Newer", size="sm", scale=0, min_width=80)
            position = html_block()
            older = gr.Button("Older", size="sm", scale=0, min_width=80)
    state = (gr.State(1), pager, newer, older, position, gr.State(""))
    return search, listing, *state, confirm, words, yes, no
