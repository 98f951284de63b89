"""The widgets of one set of settings: for all columns together, or for one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.compare.questions import local_datasets
from lab.ui.compare.settings import MODES, MOST_TOKENS, AskSettings

DEFAULTS = AskSettings()


@dataclass(frozen=True)
class SettingsWidgets:
    """In the order of `settings.of_widgets`."""

    temperature: Any
    top_p: Any
    seed: Any
    most: Any
    think_min: Any
    think_max: Any
    prefix: Any
    mode: Any
    dataset: Any
    neighbours: Any
    steps: Any
    rate: Any
    scope: Any
    loss_on: Any

    @property
    def all(self) -> list[Any]:
        return [self.temperature, self.top_p, self.seed, self.most, self.think_min, self.think_max, self.prefix,
                self.mode, self.dataset, self.neighbours, self.steps, self.rate, self.scope, self.loss_on]


def lay_out_settings(name: str) -> SettingsWidgets:
    """Four numbers in sight, thinking and adaptation behind a fold."""
    with gr.Row(elem_classes=["lab-small-fields"]):
        temperature = gr.Number(DEFAULTS.temperature, label="Temperature", minimum=0, maximum=2, step=0.1,
                                min_width=110, elem_id=f"{name}-temperature")
        top_p = gr.Number(DEFAULTS.top_p, label="Top-p", minimum=0.01, maximum=1, step=0.05, min_width=110)
        seed = gr.Number(DEFAULTS.seed, label="Seed", minimum=0, precision=0, min_width=110, elem_id=f"{name}-seed")
        most = gr.Number(DEFAULTS.max_new_tokens, label="Most tokens", minimum=1, maximum=MOST_TOKENS,
                         precision=0, min_width=110, elem_id=f"{name}-most")
    with gr.Accordion("More settings: thinking, adapting", open=False):
        thinking = _thinking()
        adaptation = _adaptation()
    return SettingsWidgets(temperature, top_p, seed, most, *thinking, *adaptation)


def _thinking() -> tuple[Any, Any, Any]:
    with gr.Row(elem_classes=["lab-small-fields"]):
        least = gr.Number(None, label="Least thinking", minimum=0, maximum=MOST_TOKENS, precision=0, min_width=150,
                          info="tokens; an earlier end becomes “Wait”", placeholder="no bound")
        most = gr.Number(None, label="Most thinking", minimum=0, maximum=MOST_TOKENS, precision=0, min_width=150,
                         info="tokens; then the answer is forced", placeholder="no bound")
        prefix = gr.Textbox(label="A forced answer begins with", min_width=200, info="such as “Final Answer:”",
                            placeholder="nothing")
    return least, most, prefix


def _adaptation() -> tuple[Any, ...]:
    modes = [("none", "none"), *((words, name) for name, words in MODES.items())]
    here = local_datasets()
    with gr.Row(elem_classes=["lab-small-fields"]):
        mode = gr.Dropdown(modes, value="none", label="Adapt to the question", min_width=200,
                           info="test-time training; the weights are restored after each answer")
        dataset = gr.Dropdown(here, value=here[0] if here else None, label="Examples from", min_width=180,
                              allow_custom_value=True, info="a dataset on this machine")
    with gr.Row(elem_classes=["lab-small-fields"]):
        plain = DEFAULTS.adapt
        neighbours = gr.Number(plain.neighbours, label="Examples", minimum=1, maximum=16, precision=0, min_width=90)
        steps = gr.Number(plain.steps, label="Steps", minimum=1, maximum=100, precision=0, min_width=90)
        rate = gr.Number(plain.learning_rate, label="Learning rate", minimum=1e-8, maximum=1, min_width=90)
        scope = gr.Dropdown([("an ephemeral LoRA", "lora"), ("every weight", "full")], value=plain.scope,
                            label="Trains", min_width=130)
        loss_on = gr.Dropdown([("the reply", "completion"), ("every token", "all")], value=plain.loss_on,
                              label="Learns", min_width=110)
    return mode, dataset, neighbours, steps, rate, scope, loss_on
