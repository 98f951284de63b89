"""Where the form for a new answer bank stands, and its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.benchmarks.benchmark import benchmarks
from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.benchmarks.own_questions import benchmark_choices
from lab.ui.compare.choices import offered
from lab.ui.components.html import note
from lab.ui.components.markup import Html
from lab.ui.components.wiring import html_block, quiet
from lab.ui.ratings.bank_form import (
    FIELDS,
    LABELS,
    SETTINGS,
    SOURCES,
    banks_html,
    collect,
    comparison_choices,
    dataset_choices,
)

ABOUT = ("Frozen answers of several models to the same questions. Every model is asked alike, thinking is kept apart "
         "from what raters read, and each answer is kept with its fingerprint.")


@dataclass(frozen=True)
class BankForm:
    """`widgets` by the name of their field; `parts`: what belongs to one source of questions."""

    widgets: dict[str, Any]
    parts: dict[str, gr.Column]
    make: gr.Button
    message: gr.HTML
    listing: gr.HTML

    @property
    def choices(self) -> list[Any]:
        return [self.widgets[name] for name in ("models", "benchmark", "dataset", "comparisons")]


def lay_out_bank(app: LabApp) -> BankForm:
    widgets: dict[str, Any] = {}
    parts: dict[str, Any] = {}
    html_block(note(ABOUT))
    with gr.Row(elem_classes=["lab-split"]):
        with gr.Column(scale=3, min_width=320):
            widgets["name"] = gr.Textbox(label=LABELS["name"], max_lines=1, info=FIELDS["name"].help)
            widgets["source"] = gr.Radio([(words, name) for name, words in SOURCES.items()], value="benchmark",
                                         label="Questions of")
            _sources(widgets, parts)
            with gr.Column() as parts["asked"]:
                _asked(widgets)
            message = html_block("" if app.may_launch else note(SPACE_SENTENCE))
            make = gr.Button("Collect the answers", variant="primary", interactive=app.may_launch, scale=0,
                             min_width=180)
        with gr.Column(scale=2, min_width=320):
            listing = html_block(min_height=160, elem_id="banks")
    return BankForm(widgets, parts, make, message, listing)


def _sources(widgets: dict[str, Any], parts: dict[str, Any]) -> None:
    with gr.Column() as parts["benchmark"]:
        first = next(iter(benchmarks()), None)
        widgets["benchmark"] = gr.Dropdown(list(benchmarks()), value=first, label="Benchmark", allow_custom_value=True)
    with gr.Column(visible=False) as parts["dataset"]:
        widgets["dataset"] = gr.Dropdown([], value=None, label="Dataset", allow_custom_value=True,
                                         info="Questions that none of the models was trained on come first.")
    with gr.Column(visible=False) as parts["prompts"]:
        widgets["prompts"] = gr.Textbox(label="Your questions", lines=8, max_lines=24,
                                        info="One in each line; longer ones as blocks with an empty line between them.")
    with gr.Column(visible=False) as parts["comparisons"]:
        widgets["comparisons"] = gr.Dropdown([], multiselect=True, label="Saved comparisons",
                                             info="Of the same models; their first answers are frozen as they are.")


def _asked(widgets: dict[str, Any]) -> None:
    """What a job is told; a comparison has its answers already."""
    widgets["models"] = gr.Dropdown([], multiselect=True, label="Models",
                                    info="Two or more: bases, variants, endpoints.")
    with gr.Row(elem_classes=["lab-small-fields"]):
        widgets["n_questions"] = _number("n_questions")
        widgets["max_new_tokens"] = _number("max_new_tokens")
    with gr.Accordion("How they are asked", open=False), gr.Row(elem_classes=["lab-small-fields"]):
        for name in SETTINGS[1:]:
            widgets[name] = gr.Textbox("", label=LABELS[name], info=FIELDS[name].help, max_lines=1) \
                if name == "answer_prefix" else _number(name)


def _number(name: str) -> gr.Number:
    info = FIELDS[name].info
    return gr.Number(info.default, label=LABELS[name], info=FIELDS[name].help, min_width=150,
                     precision=0 if info.annotation is int else None)


def bank_choices(app: LabApp) -> list[Any]:
    """Updates of `BankForm.choices`, as the page opens."""
    return [gr.update(choices=offered(app.store)), gr.update(choices=benchmark_choices(app)),
            gr.update(choices=dataset_choices(app)), gr.update(choices=comparison_choices(app.store))]


def wire_bank(app: LabApp, form: BankForm) -> None:
    names = list(form.widgets)

    def choose(source: str) -> list[Any]:
        shown = [gr.update(visible=name == source) for name in SOURCES]
        words = "Freeze the answers" if source == "comparisons" else "Collect the answers"
        return [*shown, gr.update(visible=source != "comparisons"), gr.update(visible=source != "prompts"), words]

    def make(*given: Any) -> list[Html]:
        return [collect(app, dict(zip(names, given, strict=True))), banks_html(app.store)]

    quiet(form.widgets["source"].input, choose, [form.widgets["source"]],
          [*(form.parts[name] for name in SOURCES), form.parts["asked"], form.widgets["n_questions"], form.make])
    quiet(form.make.click, make, list(form.widgets.values()), [form.message, form.listing], trigger_mode="once")
