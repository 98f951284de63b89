"""Where things stand on the Recipes page: the shelf, one recipe as form and as YAML, its check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.app_state import LabApp
from lab.ui.components.folds import folding_block, folding_rows
from lab.ui.components.html import empty, heading, note
from lab.ui.components.wiring import html_block
from lab.ui.train.where import places

LEAD = "The papers' training recipes, and twins of them that run here. Choose one, change what you like, launch it."
NOTHING = empty(
    "Choose a recipe",
    "The full ones name the source of every number. Those marked 'runs here' need no download and no GPU, and "
    "finish in minutes.",
)


@dataclass(frozen=True)
class Parts:
    """The widgets that the page's handlers read and write."""

    launch: Any
    message: Any
    banner: Any
    shelf: Any
    readme: list[Any]  # its fold, its text
    head: Any
    group: Any  # everything of one recipe
    form_place: Any
    yaml: Any
    faults: Any
    reset: Any
    run_on: Any
    check: Any
    checked: Any
    batch: list[Any]  # its fold, its text
    chosen: Any  # path of the recipe
    start: Any  # the variant to go on from
    held: Any  # what the form is drawn from
    known: Any  # what the form says now


def lay_out(app: LabApp) -> Parts:
    found: dict[str, Any] = {"chosen": gr.State(""), "start": gr.State("")}
    found |= {"held": gr.State({"kind": "", "values": {}}), "known": gr.State({"kind": "", "values": {}})}
    with gr.Row(elem_classes="lab-heading"):
        html_block(heading("Recipes", LEAD))
        found["launch"] = gr.Button("Launch", variant="primary", scale=0, min_width=140, interactive=False)
    found["message"], found["banner"] = html_block(), html_block()
    with gr.Row(elem_classes="lab-split"):
        with gr.Column(scale=2, min_width=300):
            found["shelf"] = folding_rows(elem_id="shelf", min_height=200)
            with gr.Accordion("README", open=False, visible=False) as fold:
                text = gr.Markdown(elem_classes="lab-readme")
            found["readme"] = [fold, text]
        with gr.Column(scale=5, min_width=320):
            found["head"] = html_block(NOTHING, elem_id="recipe-head")
            with gr.Column(visible=False) as group:
                found |= _one_recipe(app)
            found["group"] = group
    return Parts(**found)


def _one_recipe(app: LabApp) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with gr.Row(elem_classes="lab-actions"):
        found["check"] = gr.Button("Check", size="sm", scale=0, min_width=100, interactive=app.may_launch)
        found["reset"] = gr.Button("Back to the file", size="sm", scale=0, min_width=130)
        found["run_on"] = gr.Dropdown(places(app.store.home), value="", label="Run on", visible=False, scale=0,
                                      min_width=220)
    found["checked"] = folding_block(elem_id="checked")
    with gr.Row(elem_classes="lab-split"):
        with gr.Column(scale=1, min_width=320) as place:
            found["form_place"] = place
        with gr.Column(scale=1, min_width=320):
            found["yaml"] = gr.Code(language="yaml", label="YAML, as the command line takes it", interactive=True,
                                    lines=14, max_lines=40, wrap_lines=True, elem_id="recipe-yaml")
            found["faults"] = html_block(elem_id="recipe-faults")
            html_block(note("Leave the YAML to fill the form from it; the form writes the YAML as you change it."))
    with gr.Accordion("Batch files for Slurm, before they are sent", open=False, visible=False) as fold:
        found["batch"] = [fold, html_block(min_height=40)]
    return found
