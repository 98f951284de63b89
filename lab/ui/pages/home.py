"""Home: the lab at work. What runs now, the newest result, what ended lately, and where to start."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lab.ui.app_state import LabApp, Page
from lab.ui.components.html import card, heading, link
from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import html_block, on_load, only_changed, poll
from lab.ui.home.newest import newest_key, newest_result
from lab.ui.home.now import lately, running_now

LEAD = "Does training on reasoning traces help, and is the answer fluent to a human?"
BASES = (
    "The embedded bases (the demo-… ones) are toys in knowledge, not in kind: same classes, same trainer, same files "
    "as an 8B run, a few million parameters. Nothing they say is for clinical use."
)
STEPS = (
    ("/train", "Plan a study", "the same rows with and without their traces, one button"),
    ("/recipes", "Recipes", "the papers' training recipes, and twins of them that run here"),
    ("/models", "Models", "every variant with its lineage and health, to go on from or to export"),
    ("/compare", "Compare", "ask two or more variants the same question, side by side"),
    ("/benchmarks", "Benchmarks", "accuracy with its interval, and the questions where two differ"),
    ("/ratings", "Ratings", "let people score fluency, blind"),
    ("/results", "Results", "does the trace help? One plot, one table"),
)


def build(app: LabApp) -> None:
    html_block(heading("Trace Lab", LEAD, link("/train", "Plan a study", primary=True)))
    seen = gr.State([])
    with gr.Row(elem_classes="lab-split"):
        with gr.Column(scale=3, min_width=320):
            now, newest = html_block(min_height=150), html_block(min_height=260)
        with gr.Column(scale=2, min_width=320):
            html_block(start_here())
            ended = html_block(min_height=200)

    def show(known: list[Any]) -> list[Any]:
        with app.store.read() as session:
            key, quick = newest_key(session), [running_now(session), lately(session)]
            fresh = not known or known[0] != key
            report = newest_result(session) if fresh else gr.skip()
        changed = only_changed(quick, known[1:])
        return [changed[0], changed[1], report, [key, *quick]]

    outputs = [now, ended, newest, seen]
    on_load(lambda: show([]), outputs)
    poll(show, [seen], outputs)


def start_here() -> Html:
    steps = (tag("li", link(href, title), ": ", sentence) for href, title, sentence in STEPS)
    return card("Start here", tag("ol", *steps, cls="steps"), BASES)


PAGE = Page(path="", title="Home", order=0, build=build)
