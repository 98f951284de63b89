"""Where things stand on the Ratings page: the list, one round with its actions, and the form for a new round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.app_state import LabApp
from lab.ui.components.download import download_button
from lab.ui.components.wiring import html_block, picking_block
from storage.queries.rating_exports import export_texts


@dataclass(frozen=True)
class Parts:
    """The widgets that the page's handlers read and write."""

    selected: Any
    seen: Any
    made: Any  # the address of a round that was just made, for the browser
    listing: Any
    head: Any
    results: Any
    invite: list[Any]  # the group, names, button, links
    close: Any
    confirm: list[Any]  # the row, its question, yes, no
    downloads: Any  # the row of buttons that save the files
    message: Any
    form: list[Any]  # the accordion, bank, model a, model b, quota, name, seed
    preview: Any
    make: Any

    @property
    def shown(self) -> list[Any]:
        """What is drawn anew when something in the store changes."""
        return [self.listing, self.head, self.results, self.invite[0], self.close, self.downloads, self.seen]


def lay_out(app: LabApp) -> Parts:
    """Make every widget of the page, in reading order."""
    parts: dict[str, Any] = {"selected": gr.State(""), "seen": gr.State([]), "made": gr.JSON(visible=False)}
    parts["listing"] = picking_block(min_height=80)
    parts |= _form(app)
    parts["message"] = html_block()
    parts["head"] = html_block()
    with gr.Column(visible=False, elem_classes="lab-invite") as group:
        names = gr.Textbox(
            label="Invite raters",
            placeholder="One name a line: R1, R2 …",
            lines=3,
            max_lines=12,
            info="A name is what the export shows; it need not be a person's.",
        )
        with gr.Row(elem_classes="lab-actions"):
            button = gr.Button("Make links", interactive=app.may_launch, size="sm", scale=0, min_width=120)
        links = gr.Textbox(
            label="Links: copy them now, they cannot be shown again",
            lines=3,
            max_lines=20,
            visible=False,
            interactive=False,
            buttons=["copy"],
            elem_classes="lab-links",
        )
    parts["invite"] = [group, names, button, links]
    parts |= _closing()
    parts["results"] = html_block()
    parts["downloads"] = _downloads(app, parts["selected"])
    return Parts(**parts)


def _downloads(app: LabApp, selected: Any) -> Any:
    """Each button makes its file when it is pressed."""

    def maker(name: str, blinded: bool) -> Callable[[str], tuple[str, str]]:
        def make(round_id: str) -> tuple[str, str]:
            text = export_texts(app.store, int(round_id), blinded)[name]
            return f"round-{round_id}-{'blinded-' if blinded else ''}{name}", text

        return make

    with gr.Row(visible=False, elem_classes=["lab-actions", "lab-saves"]) as row:
        download_button("Save ratings.csv", maker("ratings.csv", False), [selected])
        download_button("Save ratings.csv, blinded", maker("ratings.csv", True), [selected])
        download_button("Save preferences.jsonl", maker("preferences.jsonl", False), [selected])
        download_button("Save round.json", maker("round.json", False), [selected])
    return row


def _closing() -> dict[str, Any]:
    close = gr.Button("Close the round…", variant="stop", size="sm", visible=False, elem_classes="lab-close")
    with gr.Column(visible=False, elem_classes=["lab-confirm", "lab-ask"]) as row:
        question = html_block()
        with gr.Row(elem_classes="lab-saves"):
            yes = gr.Button("Yes, close it for good", variant="stop", size="sm", min_width=170)
            no = gr.Button("Keep it open", size="sm", min_width=110)
    return {"close": close, "confirm": [row, question, yes, no]}


def _form(app: LabApp) -> dict[str, Any]:
    with gr.Accordion("New round", open=False) as accordion:
        bank = gr.Dropdown([], label="Answer bank", allow_custom_value=False)
        with gr.Row():
            first = gr.Dropdown([], label="First model", min_width=220, info="What the other one is measured against.")
            second = gr.Dropdown([], label="Second model", min_width=220, info="Differences are second minus first.")
        with gr.Row():
            name = gr.Textbox(
                label="Name of the round",
                placeholder="Fluency, first round",
                info="Raters do not see it.",
                min_width=220,
                max_length=80,
            )
            quota = gr.Slider(
                1,
                10,
                value=3,
                step=1,
                label="Ratings a pair",
                min_width=180,
                info="By as many different raters.",
            )
            seed = gr.Number(0, label="Seed", precision=0, minimum=0, min_width=90, info="Of order and sides.")
        preview = html_block()
        make = gr.Button("Make the round", variant="primary", interactive=app.may_launch)
    return {"form": [accordion, bank, first, second, quota, name, seed], "preview": preview, "make": make}
