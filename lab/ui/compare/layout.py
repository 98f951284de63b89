"""Where everything stands on the Compare page. No behaviour: the `wiring_…` files bring it to life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.arms import ARMS
from lab.ui.compare.choices import MOST_COLUMNS
from lab.ui.compare.column_view import LETTERS, MODES
from lab.ui.compare.conversation_view import START
from lab.ui.compare.keeping_layout import KeepingWidgets, lay_out_keeping
from lab.ui.compare.settings_layout import SettingsWidgets, lay_out_settings
from lab.ui.components.folds import KEEP_FOLDS, folding_block
from lab.ui.components.markup import tag
from lab.ui.components.wiring import html_block, picking_block

SIGNS = " · ".join(f"{arm.sign} {name}" for name, arm in ARMS.items())
SHOWN_SLOTS = 2
# A press on a button inside the conversation or the list is told to the server as what the button says of itself.
ACT = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-act]');
  if (button && button.dataset.act !== 'copy') trigger('act', {...button.dataset});
});
"""
COPY = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-act="copy"]');
  if (button) window.labCopyLink('/compare?c=' + button.dataset.uid, button);
});
"""


@dataclass(frozen=True)
class Slot:
    """A column to be: who sits there, and its own settings, which show when they are wanted."""

    box: Any
    model: Any
    own: Any
    settings: SettingsWidgets


@dataclass(frozen=True)
class VoteWidgets:
    """The bar under a blind turn: one button a letter, a tie, all bad, and a note."""

    bar: Any
    letters: list[Any]
    tie: Any
    bad: Any
    note: Any


@dataclass(frozen=True)
class Widgets:
    """What the handlers of the page read and write."""

    uid: Any  # of the open conversation; empty before the first question
    setup: Any
    slots: list[Slot]
    n_slots: Any
    add: Any
    blind: Any
    own: Any
    common_box: Any
    common: SettingsWidgets
    frozen: Any  # says that models and settings stay as they are
    mode: Any
    past: Any
    current: Any
    vote: VoteWidgets
    notice: Any
    editing: Any  # number of the turn that is being edited; -1: none
    edit_bar: Any
    edit_words: Any
    edit_cancel: Any
    question: Any
    ask: Any
    stop: Any
    retry: Any
    new: Any
    gold: Any
    picker: Any
    source: Any
    search: Any
    questions: Any
    picked: Any  # (source, item) of the question in the box
    keeping: KeepingWidgets

    @property
    def asked(self) -> list[Any]:
        """Everything that makes a question: see `wiring_asking.read_wanted`."""
        own = [widget for slot in self.slots for widget in slot.settings.all]
        return [self.uid, self.editing, self.question, self.picked, self.blind, self.own,
                *(slot.model for slot in self.slots), *self.common.all, *own]

    @property
    def screen(self) -> list[Any]:
        """Everything that a conversation's state changes."""
        return [self.uid, self.setup, self.frozen, self.past, self.current, self.vote.bar, *self.vote.letters,
                self.vote.note, self.notice, self.editing, self.edit_bar, self.edit_words, self.question, self.ask,
                self.stop, self.retry, self.new, self.gold, self.keeping.head, self.keeping.title,
                self.keeping.others, self.mode, *(slot.model for slot in self.slots)]


def lay_out() -> Widgets:
    """Make every widget of the page, in reading order."""
    parts: dict[str, Any] = {"uid": gr.Textbox(visible=False), "picked": gr.State(("", "")), "editing": gr.State(-1),
                             "n_slots": gr.State(SHOWN_SLOTS)}
    parts |= _setup()
    parts["frozen"] = html_block()
    parts["mode"] = gr.Radio(list(MODES), value=MODES[0], show_label=False, container=False, visible=False,
                             elem_id="compare-mode", elem_classes=["compare-mode"], label="Answers shown")
    parts["past"] = html_block(elem_id="compare-past", js_on_load=KEEP_FOLDS + ACT)
    parts["current"] = html_block(START, elem_id="compare-answers", js_on_load=KEEP_FOLDS + ACT)
    parts["vote"] = _vote_bar()
    parts |= _composer()
    parts["gold"] = folding_block()
    parts |= _picker()
    parts["keeping"] = lay_out_keeping(ACT + COPY)
    return Widgets(**parts)


def _setup() -> dict[str, Any]:
    with gr.Column(elem_id="compare-setup", elem_classes=["compare-setup"]) as setup:
        with gr.Row(equal_height=False, elem_classes=["compare-slots"]):
            slots = [_slot(place) for place in range(MOST_COLUMNS)]
        with gr.Row(elem_classes=["compare-options"]):
            add = gr.Button("+ Add a column", size="sm", scale=0, min_width=130, elem_id="compare-add")
            blind = gr.Checkbox(False, label="Blind: names after the vote", elem_id="compare-blind", container=False)
            own = gr.Checkbox(False, label="Own settings per column", elem_id="compare-own", container=False)
            html_block(tag("small", SIGNS))
        with gr.Column() as common_box:
            common = lay_out_settings("compare")
    return {"setup": setup, "slots": slots, "add": add, "blind": blind, "own": own, "common_box": common_box,
            "common": common}


def _slot(place: int) -> Slot:
    with gr.Column(min_width=250, visible=place < SHOWN_SLOTS, elem_classes=["compare-slot"]) as box:
        model = gr.Dropdown([], label=f"Column {place + 1}", elem_id=f"compare-model-{place + 1}")
        with gr.Column(visible=False, elem_classes=["compare-own"]) as own:
            settings = lay_out_settings(f"compare-{place + 1}")
    return Slot(box, model, own, settings)


def _vote_bar() -> VoteWidgets:
    with gr.Column(visible=False, elem_id="compare-vote", elem_classes=["compare-vote"]) as bar:
        html_block("<h2>Which answer to the last question is better?</h2>")
        with gr.Row(elem_classes=["lab-actions"]):
            letters = [gr.Button(f"{letter} is better", scale=0, min_width=110, elem_id=f"compare-vote-{letter}",
                                 visible=place < SHOWN_SLOTS) for place, letter in enumerate(LETTERS)]
            tie = gr.Button("A tie", scale=0, min_width=80, elem_id="compare-vote-tie")
            bad = gr.Button("All are bad", scale=0, min_width=100, elem_id="compare-vote-bad")
        note = gr.Textbox(label="Note", placeholder="Why, if you like: type it first, it is stored with the vote.",
                          lines=1, max_lines=4, show_label=False, container=False)
    return VoteWidgets(bar, letters, tie, bad, note)


def _composer() -> dict[str, Any]:
    with gr.Column(elem_id="compare-composer", elem_classes=["compare-composer"]):
        notice = html_block(elem_id="compare-notice")
        with gr.Row(visible=False, elem_classes=["lab-actions", "compare-editing"]) as edit_bar:
            edit_words = html_block()
            edit_cancel = gr.Button("Leave it as it is", size="sm", scale=0, min_width=140)
        question = gr.Textbox(show_label=False, label="Question", lines=2, max_lines=10, elem_id="compare-question",
                              placeholder="Type a question. Shift + Enter asks it.", container=False)
        with gr.Row(elem_classes=["lab-actions"]):
            ask = gr.Button("Ask", variant="primary", scale=0, min_width=140, elem_id="compare-ask")
            stop = gr.Button("Stop", variant="stop", interactive=False, scale=0, min_width=90, elem_id="compare-stop")
            retry = gr.Button("Retry", interactive=False, scale=0, min_width=90, elem_id="compare-retry")
            new = gr.Button("New conversation", interactive=False, scale=0, min_width=150, elem_id="compare-new")
    return {"notice": notice, "edit_bar": edit_bar, "edit_words": edit_words, "edit_cancel": edit_cancel,
            "question": question, "ask": ask, "stop": stop, "retry": retry, "new": new}


def _picker() -> dict[str, Any]:
    with gr.Accordion("Pick a question of a benchmark or dataset", open=False) as picker:
        with gr.Row():
            source = gr.Dropdown([], label="From", min_width=220, elem_id="compare-source")
            search = gr.Textbox(label="Search", placeholder="words of the question", scale=2, min_width=220)
        questions = picking_block(elem_id="compare-questions")
    return {"picker": picker, "source": source, "search": search, "questions": questions}
