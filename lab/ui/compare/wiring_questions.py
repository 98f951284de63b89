"""Picking a question of a benchmark or dataset, and its gold answer."""

from __future__ import annotations

import gradio as gr

from lab.data.chat import question_text
from lab.ui.compare.layout import Widgets
from lab.ui.compare.questions import gold_html, picked, question_list
from lab.ui.components.markup import Html
from lab.ui.components.wiring import quiet


def wire_questions(w: Widgets) -> None:
    def look(source: str | None, search: str, chosen: tuple[str, str]) -> Html:
        return question_list(source or "", search or "", chosen[1] if chosen[0] == source else "")

    def pick(search: str, event: gr.EventData) -> tuple:
        source, item = event._data.get("bench", ""), event._data.get("item", "")
        example = picked(source, item)
        if example is None:
            return (gr.skip(),) * 5
        text = question_text(example)
        listed = question_list(source, search or "", item)
        return text, (source, item), gold_html(source, item, text), listed, gr.update(open=False)

    def gold(question: str, chosen: tuple[str, str]) -> Html:
        return gold_html(*chosen, question or "")

    # Rows are read when the picker is opened or the source changes, never with the page.
    for event in (w.source.change, w.picker.expand):
        quiet(event, look, [w.source, w.search, w.picked], [w.questions])
    quiet(w.search.change, look, [w.source, w.search, w.picked], [w.questions], trigger_mode="always_last")
    picks = quiet(w.questions.pick, pick, [w.search], [w.question, w.picked, w.gold, w.questions, w.picker])
    picks.then(None, None, None, js="() => document.querySelector('#compare-question textarea')?.focus()")
    quiet(w.question.change, gold, [w.question, w.picked], [w.gold], trigger_mode="always_last")
