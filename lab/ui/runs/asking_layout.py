"""The fold of the benchmark form: thinking budget and test-time training. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.engine.adapt import Adaptation
from lab.ui.compare.questions import local_datasets
from lab.ui.compare.settings import MODES


@dataclass(frozen=True)
class Asking:
    """How long a model may think, and what it is adapted to before each question."""

    least: gr.Number
    most: gr.Number
    prefix: gr.Textbox
    modes: gr.Dropdown
    dataset: gr.Dropdown
    neighbours: gr.Number
    steps: gr.Number
    rate: gr.Number
    scope: gr.Dropdown

    @property
    def values(self) -> list[Any]:
        return [self.least, self.most, self.prefix, self.modes, self.dataset, self.neighbours, self.steps, self.rate,
                self.scope]


def lay_out_asking() -> Asking:
    """Folded: an ordinary run needs none of it."""
    plain = Adaptation()
    modes_offered = [("none: the model as it is", "none"), *((words, name) for name, words in MODES.items())]
    with gr.Accordion("Thinking budget and test-time training", open=False):
        with gr.Row(elem_classes=["lab-small-fields"]):
            # Bounds that bind nothing are numbers: an empty gr.Number comes back as 0, which forbids all thinking.
            least = gr.Number(0, label="Least thinking", info="tokens; an earlier end becomes “Wait”", precision=0,
                              minimum=0, min_width=140)
            most = gr.Number(-1, label="Most thinking", info="tokens; then the answer is forced. −1: no bound",
                             precision=0, minimum=-1, min_width=140)
            prefix = gr.Textbox("", label="Answer prefix", info="how a forced answer begins", max_length=200,
                                placeholder="Final Answer:", min_width=140)
        with gr.Row(elem_classes=["lab-small-fields"]):
            modes = gr.Dropdown(modes_offered, value=["none"], multiselect=True, label="Adapt to each question",
                                scale=2, info="one run for each; random and context are controls", min_width=220)
            dataset = gr.Dropdown(local_datasets(), value=None, label="Examples from", allow_custom_value=True,
                                  info="a dataset on this machine", min_width=180)
        with gr.Row(elem_classes=["lab-small-fields"]):
            neighbours = gr.Number(plain.neighbours, label="Examples", precision=0, minimum=1, maximum=16,
                                   min_width=100, info="per question")
            steps = gr.Number(plain.steps, label="Steps", precision=0, minimum=1, maximum=100, min_width=100,
                              info="per question")
            rate = gr.Number(plain.learning_rate, label="Learning rate", minimum=0, maximum=1, min_width=100,
                             info="of Adam")
            scope = gr.Dropdown([("an ephemeral LoRA", "lora"), ("every weight", "full")], value=plain.scope,
                                label="Trains", info="put back after each answer", min_width=150)
    return Asking(least, most, prefix, modes, dataset, neighbours, steps, rate, scope)
