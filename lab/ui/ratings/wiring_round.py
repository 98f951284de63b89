"""The chosen round's events: its tabs, closing, unblinding, the jobs beside it, and turning over its questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from lab.core.errors import LabError
from lab.ui.components.html import failure
from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import quiet
from lab.ui.ratings.launching import judge, measure
from lab.ui.ratings.permission import check_allowed, number_of, who_asks
from storage.queries.rounds import close_round, unblind_round

if TYPE_CHECKING:
    from lab.ui.app_state import LabApp
    from lab.ui.ratings.desk import Desk
    from storage.queries.ratings import RoundProgress

TO_ADDRESS = "(values) => { if (values) window.labSetQuery(values); }"
HIDDEN = gr.update(visible=False)


def close_words(counts: RoundProgress) -> Html:
    """What closing means, and what is still missing."""
    missing = counts.n_needed - counts.n_ratings
    state = "It has all its ratings." if missing <= 0 else f"{counts.n_ratings} of {counts.n_needed} ratings are in."
    return tag("p", f"Close '{counts.round.name}' for good? {state} Its links stop working and it cannot be opened "
                    "again; nothing that was rated is lost.")


def unblind_words(counts: RoundProgress) -> Html:
    return tag("p", f"{counts.n_ratings} of {counts.n_needed} ratings are in. Whoever sees results early may stop "
                    "when they please: say why it has to be now. Closing the round opens them without this mark.")


def closed(app: LabApp, selected: str, request: gr.Request | None) -> Html:
    try:
        check_allowed(app)
        name = close_round(app.store, number_of(selected), who_asks(request)).name
    except LabError as problem:
        return failure(problem)
    return tag("p", f"Round '{name}' is closed. Its results are open.", cls="good-news", role="status")


def unblinded(app: LabApp, selected: str, why: str, request: gr.Request | None) -> tuple[bool, Html]:
    """(whether they are open now, what to tell)."""
    try:
        check_allowed(app)
        unblind_round(app.store, number_of(selected), who_asks(request), why or "")
    except LabError as problem:
        return False, failure(problem)
    return True, tag("p", "The results are open. It is logged.", cls="good-news", role="status")


def wire_round(app: LabApp, desk: Desk) -> None:
    chosen = desk.chosen
    for name, each in chosen.each.items():
        opened = quiet(each.select, _opened(desk, name), desk.asked, [chosen.address, chosen.part, *desk.parts])
        opened.then(None, [chosen.address], None, js=TO_ADDRESS)
    q, r = chosen.questions, chosen.results
    for button in (chosen.quality_again, r.again):
        quiet(button.click, desk.part, desk.asked, desk.parts, trigger_mode="once")
    quiet(q.order.input, lambda selected, part, order: desk.part(selected, "questions", order, 1), desk.asked[:3],
          desk.parts)
    quiet(q.back.click, _turn(desk, -1), desk.asked, desk.parts)
    quiet(q.forth.click, _turn(desk, 1), desk.asked, desk.parts)
    _wire_closing(app, desk)
    _wire_unblinding(app, desk)
    quiet(r.ask_judge.click, lambda selected, model: judge(app, selected, model or ""), [chosen.selected, r.judge],
          [r.told],
          trigger_mode="once")
    quiet(r.measure.click, lambda selected, base: measure(app, selected, base or ""), [chosen.selected, r.base],
          [r.told],
          trigger_mode="once")


def _opened(desk: Desk, name: str) -> Callable[..., list[Any]]:
    """A tab says that it was chosen when the page opens, too; only what a reader chooses goes into the address."""
    def go(selected: str, part: str, order: str, page: int) -> list[Any]:
        return [{"part": name} if part != name else None, name, *desk.part(selected, name, order, page)]

    return go


def _turn(desk: Desk, by: int) -> Callable[..., list[Any]]:
    def go(selected: str, part: str, order: str, page: int) -> list[Any]:
        return desk.part(selected, "questions", order, page + by)

    return go


def _wire_closing(app: LabApp, desk: Desk) -> None:
    chosen = desk.chosen
    box = chosen.closing

    def ask(selected: str) -> list[Any]:
        try:
            check_allowed(app)
            return [gr.update(visible=True), close_words(desk.counts(selected)), Html("")]
        except LabError as problem:
            return [HIDDEN, Html(""), failure(problem)]

    def close(selected: str, part: str, order: str, page: int, seen: list[Any], request: gr.Request) -> list[Any]:
        words = closed(app, selected, request)
        return [HIDDEN, words, *desk.draw(selected, seen), *desk.part(selected, part, order, page)]

    quiet(chosen.close.click, ask, [chosen.selected], [box.box, box.words, chosen.message])
    quiet(box.no.click, lambda: HIDDEN, [], [box.box])
    quiet(box.yes.click, close, [*desk.asked, chosen.seen], [box.box, chosen.message, *desk.shown, *desk.parts],
          trigger_mode="once")


def _wire_unblinding(app: LabApp, desk: Desk) -> None:
    chosen = desk.chosen
    r, box = chosen.results, chosen.results.asking

    def ask(selected: str) -> list[Any]:
        try:
            check_allowed(app)
            return [gr.update(visible=True), unblind_words(desk.counts(selected)), Html("")]
        except LabError as problem:
            return [HIDDEN, Html(""), failure(problem)]

    def unblind(selected: str, part: str, order: str, page: int, why: str, seen: list[Any],
                request: gr.Request) -> list[Any]:
        done, words = unblinded(app, selected, why, request)
        if not done:  # the question stays, with what is wrong in it
            return [gr.skip(), words, gr.skip(), gr.skip(), *([gr.skip()] * (len(desk.shown) + len(desk.parts)))]
        return [HIDDEN, Html(""), "", words, *desk.draw(selected, seen), *desk.part(selected, part, order, page)]

    quiet(r.unblind.click, ask, [chosen.selected], [box.box, box.words, chosen.message])
    quiet(box.no.click, lambda: [HIDDEN, ""], [], [box.box, r.why])
    quiet(box.yes.click, unblind, [*desk.asked, r.why, chosen.seen],
          [box.box, box.words, r.why, chosen.message, *desk.shown, *desk.parts], trigger_mode="once")
