"""Where the form of a new round stands. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.components.folds import folding_block
from lab.ui.components.html import note
from lab.ui.components.wiring import html_block
from lab.ui.ratings.builder_fields import NAMES, SCALES, SECTIONS, SUBJECT, TEXTS, widget
from lab.ui.ratings.sample_size import Wanted

ABOUT = {
    "Further scales": "Beside fluency, each answer can be asked about on other scales; what they say is exploratory.",
    "Who rates what": "Least rated units go first, sides are balanced within each unit and each rater.",
    "Checks of the raters": "They are shown as signs of quality and drop nobody by themselves.",
    "The session": "Pauses, what is asked about the rater, and the guess at the end that tells how blind raters were.",
    "What raters read": "The wording is a part of the measurement and is stored with the round. What nobody edits is "
                        "the lab's own, in the language of the round.",
}


@dataclass(frozen=True)
class Builder:
    """`widgets` by the name of their setting; `faults` and `folds` by section."""

    widgets: dict[str, Any]
    faults: dict[str, gr.HTML]
    folds: dict[str, gr.Accordion]
    people: gr.Number
    wanted: list[gr.Number]  # in the order of `Wanted`
    preview: gr.HTML
    recipe: gr.Code
    make: gr.Button
    message: gr.HTML
    form: gr.Column
    nothing: gr.HTML

    @property
    def inputs(self) -> list[Any]:
        """All that a preview depends on: the settings in the order of `NAMES`, then people and what is wanted."""
        return [*(self.widgets[name] for name in NAMES), self.people, *self.wanted]

    @property
    def told(self) -> list[Any]:
        return [self.preview, self.recipe, *self.faults.values(), *self.folds.values()]


def lay_out_builder(app: LabApp) -> Builder:
    widgets: dict[str, Any] = {}
    faults: dict[str, Any] = {}
    folds: dict[str, Any] = {}
    nothing = html_block(elem_id="round-nothing")
    with gr.Column(visible=False) as form, gr.Row(elem_classes=["lab-split", "round-builder"]):
        with gr.Column(scale=3, min_width=320):
            for section, names in SECTIONS.items():
                _section(section, names, (widgets, faults, folds))
            message = html_block("" if app.may_launch else note(SPACE_SENTENCE))
            make = gr.Button("Make the round", variant="primary", interactive=app.may_launch, scale=0, min_width=180)
        with gr.Column(scale=2, min_width=320):
            people, wanted, preview, recipe = _preview()
    return Builder(widgets, faults, folds, people, wanted, preview, recipe, make, message, form, nothing)


def _section(section: str, names: tuple[str, ...], made: tuple[dict[str, Any], ...]) -> None:
    widgets, faults, folds = made
    if section == SUBJECT:
        _fill(section, names, widgets, faults)
        return
    with gr.Accordion(section, open=False) as folds[section]:
        html_block(note(ABOUT[section]))
        _fill(section, names, widgets, faults)


def _fill(section: str, names: tuple[str, ...], widgets: dict[str, Any], faults: dict[str, Any]) -> None:
    faults[section] = html_block()
    if section in (SUBJECT, SCALES, TEXTS):
        for name in names:
            widgets[name] = widget(name)
        return
    with gr.Row(elem_classes=["lab-small-fields"]):
        for name in names:
            widgets[name] = widget(name)


def _preview() -> tuple[Any, ...]:
    plain = Wanted()
    with gr.Row(elem_classes=["lab-small-fields"]):
        people = gr.Number(6, label="Raters you expect", precision=0, minimum=1, min_width=120, elem_id="round-people")
    preview = folding_block(waiting="Working it out…", min_height=200, elem_id="round-preview")
    with gr.Accordion("Look for another difference", open=False), gr.Row(elem_classes=["lab-small-fields"]):
        wanted = [
            gr.Number(plain.percent, label="Win rate away from 50 %", info="in per cent: 10 is 60 against 40",
                      min_width=140),
            gr.Number(plain.points, label="Points of fluency", info="of the scale of 1 to 5", min_width=140),
            gr.Number(plain.sd, label="Spread of a difference", info="of one rater on one question; about 1",
                      min_width=140),
        ]
    with gr.Accordion("As a recipe", open=False):
        html_block(note("python -m jobs ratings make design.yaml makes the same round."))
        recipe = gr.Code(language="yaml", label="design.yaml", interactive=False, buttons=["copy", "download"])
    return people, wanted, preview, recipe
