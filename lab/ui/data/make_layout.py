"""Where the forms that make data stand: three made from their specs, one for a rating round. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.components.folds import folding_block
from lab.ui.components.html import note
from lab.ui.components.wiring import html_block
from lab.ui.data.making import ABOUT, FORMS, MODELS, SOURCES, TITLES
from lab.ui.form import FormField, SpecForm

BUDGET = ("budget_tokens", "budget_usd", "usd_per_million_prompt", "usd_per_million_completion")
ASKING = ("at_once", "max_new_tokens", "temperature", "top_p", "format_tries", "timeout_s", "patience_s", "use_cache",
          "prompts", "seed")
FIRST = ("max_items", "name")
LABELS = {"top_p": "Top-p", "usd_per_million_prompt": "USD a million prompt tokens",
          "usd_per_million_completion": "USD a million reply tokens", "budget_usd": "Budget in USD",
          "budget_tokens": "Budget in tokens", "rl_share": "Share for reinforcement learning", "max_items": "At most"}


@dataclass(frozen=True)
class MakeForm:
    """`widgets`: in the order of the spec's fields."""

    kind: str
    widgets: list[Any]
    source: Any
    models: dict[str, Any]
    told: gr.HTML
    recipe: gr.Code
    launch: gr.Button
    message: gr.HTML


@dataclass(frozen=True)
class FromRound:
    """Pairs from the votes of a closed round."""

    round: gr.Dropdown
    agreement: gr.Slider
    votes: gr.Number
    thinking: gr.Checkbox
    name: gr.Textbox
    preview: gr.HTML
    make: gr.Button
    message: gr.HTML

    @property
    def rule(self) -> list[Any]:
        return [self.round, self.agreement, self.votes, self.thinking]


@dataclass(frozen=True)
class Make:
    kind: gr.State
    tabs: gr.Tabs
    each: dict[str, gr.Tab]
    forms: dict[str, MakeForm]
    from_round: FromRound
    running: gr.HTML


def lay_out_make(app: LabApp) -> Make:
    forms: dict[str, MakeForm] = {}
    each: dict[str, gr.Tab] = {}
    with gr.Row(elem_classes=["lab-split"]):
        with gr.Column(scale=3, min_width=320), gr.Tabs(elem_id="make-kinds", overflow_behavior="wrap") as tabs:
            for kind, form in FORMS.items():
                with gr.Tab(TITLES[kind], id=kind) as each[kind]:
                    forms[kind] = _form(app, kind, form)
            with gr.Tab(TITLES["ratings"], id="ratings") as each["ratings"]:
                from_round = _from_round(app)
        with gr.Column(scale=2, min_width=320):
            running = folding_block(elem_id="making", min_height=60)
    return Make(gr.State("problems"), tabs, each, forms, from_round, running)


def _form(app: LabApp, kind: str, form: SpecForm) -> MakeForm:
    html_block(note(ABOUT[kind]))
    made: dict[str, Any] = {}

    def place(names: Any) -> None:
        for field in form.fields:
            if field.name in names and field.name not in made:
                made[field.name] = _widget(form, field)

    own = [field.name for field in form.fields if field.name not in (*BUDGET, *ASKING, *FIRST, *MODELS, SOURCES[kind])]
    place((SOURCES[kind],))
    place(("teacher",))
    with gr.Row(elem_classes=["lab-small-fields"]):
        place(FIRST)
    with gr.Accordion("How it is made", open=False):
        place([name for name in MODELS if name != "teacher"])
        with gr.Row(elem_classes=["lab-small-fields"]):
            place(own)
    with gr.Accordion("Requests and replies", open=False), gr.Row(elem_classes=["lab-small-fields"]):
        place(ASKING)
    with gr.Accordion("Budget", open=False), gr.Row(elem_classes=["lab-small-fields"]):
        place(BUDGET)
    told = html_block(elem_id=f"told-{kind}")
    launch = gr.Button("Make it", variant="primary", scale=0, min_width=160, interactive=app.may_launch,
                       elem_classes=["lab-close"])
    message = html_block("" if app.may_launch else note(SPACE_SENTENCE), elem_id=f"message-{kind}")
    with gr.Accordion("Recipe, for the command line", open=False):
        recipe = gr.Code(language="yaml", interactive=False, show_label=False)
        html_block(note("Save it as recipe.yaml, then: python -m jobs submit recipe.yaml"))
    widgets = [made[field.name] for field in form.fields]
    models = {name: made[name] for name in MODELS if name in made}
    return MakeForm(kind, widgets, made[SOURCES[kind]], models, told, recipe, launch, message)


def _widget(form: SpecForm, field: FormField) -> Any:
    """As every form draws it; what names models or data is chosen from what the lab has."""
    value, label = form.default(field), LABELS.get(field.name, field.label)
    if field.name in MODELS or field.name in SOURCES.values():
        several = bool(field.items)
        shown = list(value or ()) if several else value
        return gr.Dropdown([(str(v), v) for v in ([] if several else [value])], value=shown, label=label,
                           info=field.help, multiselect=several, allow_custom_value=True, interactive=True)
    widget = field.widget(value)
    widget.label = label
    return widget


def _from_round(app: LabApp) -> FromRound:
    html_block(note(ABOUT["ratings"]))
    closed = gr.Dropdown([], value=None, label="Round", info="closed rounds; their results are open")
    with gr.Row(elem_classes=["lab-small-fields"]):
        agreement = gr.Slider(0.5, 1, value=0.7, step=0.05, label="Agreement",
                              info="votes for the preferred answer, of all votes of the unit")
        votes = gr.Number(2, label="Votes", info="at least, of a unit", precision=0, minimum=1)
    thinking = gr.Checkbox(False, label="With the thinking that was kept of each answer", container=False)
    name = gr.Textbox("", label="Name", max_lines=1, info="empty: after the round")
    preview = html_block(elem_id="pairs-preview")
    make = gr.Button("Make pairs", variant="primary", scale=0, min_width=140, interactive=app.may_launch,
                     elem_classes=["lab-close"])
    message = html_block("" if app.may_launch else note(SPACE_SENTENCE), elem_id="message-ratings")
    return FromRound(closed, agreement, votes, thinking, name, preview, make, message)
