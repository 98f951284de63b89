"""Where everything stands on the Compare page. No behaviour: `lab.ui.pages.compare` wires it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.benchmarks.benchmark import benchmarks
from lab.ui.arms import ARMS
from lab.ui.compare.asking import AskSettings
from lab.ui.compare.choices import MOST_COLUMNS
from lab.ui.components.folds import folding_block
from lab.ui.components.html import empty
from lab.ui.components.wiring import html_block, picking_block

SIGNS = " · ".join(f"{arm.sign} {name}" for name, arm in ARMS.items())
DEFAULTS = AskSettings(max_new_tokens=256)
START = empty(
    "Answers appear here, side by side",
    "Every model streams into its own column, with its thinking folded above the answer. Try one of the benchmark's "
    "questions; its gold answer can be shown.",
)


@dataclass(frozen=True)
class Widgets:
    """What the handlers of the page read and write."""

    models: gr.Dropdown
    question: gr.Textbox
    temperature: gr.Number
    max_tokens: gr.Number
    seed: gr.Number
    ask: gr.Button
    stop: gr.Button
    notice: gr.HTML
    gold: gr.HTML
    answers: gr.HTML
    earlier: gr.HTML
    benchmark: gr.Dropdown
    search: gr.Textbox
    questions: gr.HTML
    picker: gr.Accordion
    picked: gr.State
    history: gr.State

    @property
    def asked(self) -> list[Any]:
        return [self.models, self.question, self.temperature, self.max_tokens, self.seed]


def lay_out() -> Widgets:
    models = gr.Dropdown(
        [], multiselect=True, max_choices=MOST_COLUMNS, label="Models",
        info=f"Two to four. {SIGNS}", elem_id="compare-models",
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=300):
            question = gr.Textbox(label="Question", lines=4, max_lines=12, elem_id="compare-question",
                                  placeholder="Type a question. Shift + Enter asks it.")
        with gr.Column(scale=2, min_width=240):
            with gr.Row():
                settings = _settings()
    with gr.Row(elem_classes=["lab-actions"]):
        ask = gr.Button("Ask", variant="primary", scale=0, min_width=140, elem_id="compare-ask")
        stop = gr.Button("Stop", variant="stop", interactive=False, scale=0, min_width=100, elem_id="compare-stop")
    notice, gold = html_block(), folding_block()
    with gr.Accordion("Pick a benchmark question", open=False) as picker:
        with gr.Row():
            benchmark = gr.Dropdown(
                list(benchmarks()), value=next(iter(benchmarks()), None), label="Benchmark", min_width=220,
            )
            search = gr.Textbox(label="Search", placeholder="words of the question", scale=2, min_width=220)
        questions = picking_block(elem_id="compare-questions")
    answers = folding_block(START, elem_id="compare-answers", min_height=200)
    earlier = folding_block(elem_id="compare-earlier")
    return Widgets(
        models, question, *settings, ask, stop, notice, gold, answers, earlier, benchmark, search, questions,
        picker, picked=gr.State(("", "")), history=gr.State([]),
    )


def _settings() -> tuple[gr.Number, gr.Number, gr.Number]:
    temperature = gr.Number(DEFAULTS.temperature, label="Temperature", minimum=0, maximum=2, step=0.1, min_width=90,
                            info="0: greedy")
    max_tokens = gr.Number(DEFAULTS.max_new_tokens, label="Most tokens", minimum=1, maximum=32768, precision=0,
                           min_width=90, info="with thinking")
    seed = gr.Number(DEFAULTS.seed, label="Seed", minimum=0, precision=0, min_width=70, info="of sampling")
    return temperature, max_tokens, seed
