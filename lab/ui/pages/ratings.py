"""Ratings: make a blind round from an answer bank, invite raters, watch counts, close it, read and save the results.

Address: /ratings?round=2 chooses a round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lab.core.errors import LabError
from lab.ui.app_state import SPACE_SENTENCE, LabApp, Page
from lab.ui.components.html import failure, heading
from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import html_block, on_load, only_changed, poll, query, quiet
from lab.ui.ratings.detail import read_detail
from lab.ui.ratings.layout import Parts, lay_out
from lab.ui.ratings.listing import bank_choices, model_choices, read_banks, read_healths, read_listing, read_preview
from storage.queries.ratings import list_rounds
from storage.queries.rounds import RoundPlan, close_round, create_round, invite

LEAD = "Blind human ratings: which of two models reads more fluently to people who do not know which is which."
Show = Callable[[str, list[Any]], list[Any]]


def build(app: LabApp) -> None:
    html_block(heading("Ratings", LEAD))
    parts, show = lay_out(app), _drawing(app)
    _wire_opening(app, parts, show)
    _wire_form(app, parts, show)
    _wire_round(app, parts, show)
    _wire_closing(app, parts, show)


def _drawing(app: LabApp) -> Show:
    """Draws what depends on the store; what has not changed is not sent."""

    def show(selected: str, seen: list[Any]) -> list[Any]:
        detail = read_detail(app.store, selected)
        values = [
            read_listing(app.store, selected),
            detail.head,
            detail.results,
            detail.may_invite,
            detail.may_close,
            detail.may_export,
        ]
        changed = only_changed(values, seen)
        return [*(gr.update(visible=new) if isinstance(new, bool) else new for new in changed), values]

    return show


def _wire_opening(app: LabApp, parts: Parts, show: Show) -> None:
    accordion, bank, first, second, quota, *_ = parts.form

    def open_page(request: gr.Request) -> list[Any]:
        with app.store.read() as session:
            rounds = [str(row.id) for row in list_rounds(session)]
        selected = query(request, "round") or next(iter(rounds), "")
        found = read_banks(app.store)
        asked = query(request, "bank")
        known = [str(bank.id) for bank in found]
        chosen = asked if asked in known else next(iter(known), None)
        models, a, b = model_choices(found, chosen or "", read_healths(app.store, found))
        form = [
            gr.update(open=not rounds or asked in known, visible=bool(found)),
            gr.update(choices=bank_choices(found), value=chosen),
            gr.update(choices=models, value=a),
            gr.update(choices=models, value=b),
            read_preview(app.store, chosen, a, b, 3),
        ]
        return [selected, *form, *show(selected, [])]

    on_load(open_page, [parts.selected, accordion, bank, first, second, parts.preview, *parts.shown])
    poll(show, [parts.selected, parts.seen], parts.shown, seconds=3)


def _wire_form(app: LabApp, parts: Parts, show: Show) -> None:
    accordion, bank, first, second, quota, name, seed = parts.form

    def change_bank(bank_id: str, n: float) -> list[Any]:
        found = read_banks(app.store)
        models, a, b = model_choices(found, bank_id, read_healths(app.store, found))
        preview = read_preview(app.store, bank_id, a, b, n)
        return [gr.update(choices=models, value=a), gr.update(choices=models, value=b), preview]

    def preview(bank_id: str, a: str, b: str, n: float) -> Html:
        return read_preview(app.store, bank_id, a, b, n)

    def make(*asked: Any) -> list[Any]:
        bank_id, a, b, n, title, start = asked
        try:
            _may(app)
            if not (bank_id and a and b):
                raise LabError("choose an answer bank and two models first")
            made = create_round(app.store, RoundPlan(int(bank_id), a, b, title or "", int(n or 0), int(start or 0)))
        except LabError as problem:
            return [None, gr.skip(), failure(problem), gr.skip(), gr.skip(), *([gr.skip()] * len(parts.shown))]
        news = tag("div", tag("p", f"Round '{made.name}' is open. Invite raters below."), cls="good-news")
        selected = str(made.id)
        no_links = gr.update(value="", visible=False)  # those shown belong to another round
        return [{"round": selected}, selected, news, gr.update(open=False), no_links, *show(selected, [])]

    quiet(bank.input, change_bank, [bank, quota], [first, second, parts.preview])
    for widget in (first, second, quota):
        quiet(widget.input, preview, [bank, first, second, quota], [parts.preview], trigger_mode="always_last")
    made = quiet(
        parts.make.click,
        make,
        [bank, first, second, quota, name, seed],
        [parts.made, parts.selected, parts.message, accordion, parts.invite[3], *parts.shown],
        trigger_mode="once",
    )
    made.then(None, [parts.made], None, js="(made) => window.labSetQuery(made || {})")


def _wire_round(app: LabApp, parts: Parts, show: Show) -> None:
    group, names, button, links = parts.invite

    def pick(event: gr.EventData) -> list[Any]:
        chosen = str(event._data.get("round", ""))
        hidden = [Html(""), gr.update(value="", visible=False), gr.update(visible=False)]
        return [chosen, *hidden, *show(chosen, [])]

    def make_links(selected: str, text: str, seen: list[Any], request: gr.Request) -> list[Any]:
        try:
            _may(app)
            invited = invite(app.store, int(selected), text.splitlines())
        except LabError as problem:
            return [failure(problem), gr.skip(), gr.skip(), *([gr.skip()] * len(parts.shown))]
        lines = "\n".join(f"{code}: {_address(request)}/rate/{token}" for code, token in invited)
        return [Html(""), "", gr.update(value=lines, visible=True), *show(selected, seen)]

    quiet(
        parts.listing.pick,
        pick,
        [],
        [parts.selected, parts.message, links, parts.confirm[0], *parts.shown],
    )
    quiet(
        button.click,
        make_links,
        [parts.selected, names, parts.seen],
        [parts.message, names, links, *parts.shown],
        trigger_mode="once",
    )


def _wire_closing(app: LabApp, parts: Parts, show: Show) -> None:
    row, question, yes, no = parts.confirm

    def ask(selected: str) -> list[Any]:
        detail = read_detail(app.store, selected)
        return [gr.update(visible=detail.may_close), tag("p", detail.question)]

    def close(selected: str, seen: list[Any]) -> list[Any]:
        try:
            _may(app)
            message = tag(
                "div", tag("p", f"Round '{close_round(app.store, int(selected)).name}' is closed."), cls="good-news"
            )
        except LabError as problem:
            message = failure(problem)
        return [gr.update(visible=False), message, *show(selected, seen)]

    quiet(parts.close.click, ask, [parts.selected], [row, question])
    quiet(no.click, lambda: gr.update(visible=False), [], [row])
    quiet(
        yes.click,
        close,
        [parts.selected, parts.seen],
        [row, parts.message, *parts.shown],
        trigger_mode="once",
    )


def _address(request: gr.Request) -> str:
    """Scheme and host as this browser reached the lab: what a rater's link begins with."""
    origin = request.headers.get("origin")
    return origin or f"http://{request.headers.get('host', 'localhost')}"


def _may(app: LabApp) -> None:
    """The buttons are off in the public demo; a request made by hand is refused, too."""
    if not app.may_launch:
        raise LabError(SPACE_SENTENCE, "spec")


PAGE = Page(path="ratings", title="Ratings", order=50, build=build)
