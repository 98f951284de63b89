"""Compare: the same question to two or more models at once, their thinking folded, the base beside the variants.

The address holds models, question and settings; a reload shows the same. Nothing asked here is a measurement: one
question is an anecdote, the Benchmarks page has the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from jobs.engines import Engines
from lab.benchmarks.benchmark import benchmarks
from lab.core.errors import LabError
from lab.data.chat import question_text
from lab.ui.app_state import LabApp, Page
from lab.ui.compare.asking import AskSettings
from lab.ui.compare.choices import known_names, offered, starting_models
from lab.ui.compare.columns import columns_html
from lab.ui.compare.desk import Desk
from lab.ui.compare.layout import DEFAULTS, START, Widgets, lay_out
from lab.ui.compare.questions import gold_html, picked, question_list
from lab.ui.components.folds import fold
from lab.ui.components.html import failure, heading, note
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.wiring import html_block, on_load, query, quiet

MOST_EARLIER = 12
ADDRESS = """(models, q, t, max, seed) => {
  window.labSetQuery({models: models, q: q.length < 4000 ? q : '', t: String(t), max: String(max), seed: String(seed)});
}"""
LEAD = "The same question to several models at once. An anecdote: Benchmarks has the numbers."


def build(app: LabApp) -> None:
    """Lay the page out and wire it."""
    html_block(heading("Compare", LEAD))
    widgets = lay_out()
    _wire(app, Desk(app.store, Engines(app.store).connect), widgets)


def _wire(app: LabApp, desk: Desk, w: Widgets) -> None:
    def ask(names, question, temperature, max_tokens, seed, history, request: gr.Request) -> Iterator[tuple]:
        settings = _read_settings(temperature, max_tokens, seed)
        drawn, problem = Html(""), Html("")
        busy = (gr.update(interactive=False), gr.update(interactive=True))
        try:
            for drawn in desk.ask(request.session_hash, names, question, settings):
                yield drawn, "", *busy, gr.skip(), gr.skip()
        except LabError as error:
            problem = failure(error)
        history = _with_earlier(history, question, drawn)
        free = (gr.update(interactive=True), gr.update(interactive=False))
        yield drawn or gr.skip(), problem, *free, history, _earlier_html(history)

    # No `cancels`: the tab's own stop flag ends an asking, and the last update gives the buttons back.
    gr.on(
        [w.ask.click, w.question.submit], ask, [*w.asked, w.history],
        [w.answers, w.notice, w.ask, w.stop, w.history, w.earlier],
        show_progress="hidden", concurrency_limit=16, trigger_mode="multiple",
    )
    gr.on([w.ask.click, w.question.submit], None, w.asked, None, js=ADDRESS)

    def stop(request: gr.Request) -> None:
        desk.stop(request.session_hash)

    quiet(w.stop.click, stop, [], [])
    _wire_questions(w)
    _wire_load(app, desk, w)


def _wire_questions(w: Widgets) -> None:
    def look(benchmark: str, search: str, chosen: tuple[str, str]) -> Html:
        return question_list(benchmark, search or "", chosen[1] if chosen[0] == benchmark else "")

    def pick(search: str, event: gr.EventData) -> tuple:
        bench, item = event._data.get("bench", ""), event._data.get("item", "")
        example = picked(bench, item)
        if example is None:
            return (gr.skip(),) * 5
        text = question_text(example)
        listed = question_list(bench, search or "", item)
        return text, (bench, item), gold_html(bench, item, text), listed, gr.update(open=False)

    def gold(question: str, chosen: tuple[str, str]) -> Html:
        return gold_html(*chosen, question)

    quiet(w.benchmark.change, look, [w.benchmark, w.search, w.picked], [w.questions])
    quiet(w.search.change, look, [w.benchmark, w.search, w.picked], [w.questions], trigger_mode="always_last")
    quiet(w.questions.pick, pick, [w.search], [w.question, w.picked, w.gold, w.questions, w.picker])
    quiet(w.question.change, gold, [w.question, w.picked], [w.gold], trigger_mode="always_last")


def _wire_load(app: LabApp, desk: Desk, w: Widgets) -> None:
    def load(request: gr.Request) -> tuple:
        given = [name.strip() for name in query(request, "models").split(",") if name.strip()]
        names, faults = known_names(app.store, given)
        names = names or starting_models(app.store)
        settings = _read_settings(query(request, "t"), query(request, "max"), query(request, "seed"))
        chosen = (query(request, "bench"), query(request, "item"))
        example = picked(*chosen)
        question = query(request, "q") or (question_text(example) if example else "")
        columns = desk.last_answers(names, question, settings)
        benchmark = chosen[0] if example else next(iter(benchmarks()), "")
        return (
            gr.update(choices=offered(app.store, names), value=names), question, settings.temperature,
            settings.max_new_tokens, settings.seed, join(note(fault) for fault in faults),
            gold_html(*chosen, question), columns_html(columns) if columns else START,
            gr.update(choices=list(benchmarks()), value=benchmark or None), chosen if example else ("", ""),
            question_list(benchmark, "", chosen[1]),
        )

    on_load(load, [*w.asked, w.notice, w.gold, w.answers, w.benchmark, w.picked, w.questions])


def _read_settings(temperature: Any, max_tokens: Any, seed: Any) -> AskSettings:
    """Numbers from widgets or from the address; what is missing or out of bounds becomes the default or the bound."""
    def number(value: Any, default: float, low: float, high: float) -> float:
        try:
            return min(high, max(low, float(value)))
        except (TypeError, ValueError):
            return default

    return AskSettings(
        int(number(max_tokens, DEFAULTS.max_new_tokens, 1, 32768)), number(temperature, DEFAULTS.temperature, 0, 2),
        int(number(seed, DEFAULTS.seed, 0, 2**31 - 1)),
    )


def _with_earlier(history: Sequence[tuple[str, Html]], question: str, drawn: Html) -> list[tuple[str, Html]]:
    """The tab's questions with this one first; an unanswered one is not kept."""
    return [(question.strip(), drawn), *history][:MOST_EARLIER] if drawn else list(history)


def _earlier_html(history: Sequence[tuple[str, Html]]) -> Html:
    """Questions before the one that is shown, each with its answers behind a fold."""
    if len(history) < 2:
        return Html("")
    rows = [
        fold(f"earlier-{len(history) - index}", question[:160] + ("…" if len(question) > 160 else ""), drawn)
        for index, (question, drawn) in enumerate(history[1:], 1)
    ]
    return tag("section", tag("h2", "Earlier questions of this tab"), *rows, cls="earlier")


PAGE = Page(path="compare", title="Compare", order=40, build=build)
