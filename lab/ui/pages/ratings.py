"""Ratings: make a blind round, invite raters, watch counts and quality, close it, read and save the results.

Address: /ratings?view=rounds|new|answers opens a tab; round=2 chooses a round, and part=people|quality|results|files or
questions what is seen of it; bank=3 is the answer bank that the form for a new round begins with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.app_state import LabApp, Page
from lab.ui.compare.choices import REMOTE
from lab.ui.compare.choices import offered as models_offered
from lab.ui.components.html import heading
from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import html_block, on_load, picking_block, poll, query, quiet
from lab.ui.ratings.bank_form import banks_html
from lab.ui.ratings.bank_layout import BankForm, bank_choices, lay_out_bank, wire_bank
from lab.ui.ratings.builder_layout import Builder, lay_out_builder
from lab.ui.ratings.desk import Desk
from lab.ui.ratings.files import Receiving, lay_out_receiving, wire_files, wire_receiving
from lab.ui.ratings.round_layout import FIRST_PART, PARTS, lay_out_round
from lab.ui.ratings.wiring_builder import make, offered, tell, wire_builder
from lab.ui.ratings.wiring_people import HIDDEN, NO_LINKS, wire_people
from lab.ui.ratings.wiring_round import TO_ADDRESS, wire_round
from storage.queries.ratings import list_rounds

LEAD = "Blind human ratings: how fluent do models read to people who do not know which is which?"
VIEWS = {"rounds": "Rounds", "new": "New round", "answers": "Answers to rate"}


@dataclass(frozen=True)
class Parts:
    """The three tabs."""

    view: gr.State
    tabs: gr.Tabs
    each: dict[str, gr.Tab]
    receiving: Receiving
    builder: Builder
    bank: BankForm

    @property
    def offers(self) -> list[Any]:
        """Of the builder, as `offered` fills them."""
        w = self.builder.widgets
        return [w["bank"], w["models"], w["guess_target"], w["name"], self.builder.form, self.builder.nothing]


def build(app: LabApp) -> None:
    html_block(heading("Ratings", LEAD))
    each: dict[str, gr.Tab] = {}
    with gr.Tabs(elem_id="rating-views", overflow_behavior="wrap") as tabs:
        with gr.Tab(VIEWS["rounds"], id="rounds") as each["rounds"]:
            listing = picking_block(min_height=80, elem_id="rounds")
            chosen = lay_out_round(app)
            receiving = lay_out_receiving(app)
        with gr.Tab(VIEWS["new"], id="new") as each["new"]:
            builder = lay_out_builder(app)
        with gr.Tab(VIEWS["answers"], id="answers") as each["answers"]:
            bank = lay_out_bank(app)
    parts = Parts(gr.State("rounds"), tabs, each, receiving, builder, bank)
    desk = Desk(app, listing, chosen)
    wire_round(app, desk)
    wire_people(app, desk)
    wire_files(app, chosen.files, chosen.selected)
    wire_builder(app, builder, desk.reading)
    wire_bank(app, bank)
    _wire_views(app, parts, desk)
    _wire_choosing(app, parts, desk, listing)
    _wire_opening(app, parts, desk)


def _wire_views(app: LabApp, parts: Parts, desk: Desk) -> None:
    """A tab that is opened is drawn anew; the form keeps what was chosen in it."""
    b, chosen = parts.builder, desk.chosen

    def opened(name: str) -> Callable[..., list[Any]]:
        def go(view: str, bank: str | None) -> list[Any]:
            if view == name:
                return [None, name, *[gr.skip()] * 7]
            form = offered(app, "", bank) if name == "new" and not bank else [gr.skip()] * 6
            return [{"view": name}, name, *form, banks_html(app.store) if name == "answers" else gr.skip()]

        return go

    for name, tab in parts.each.items():
        picked = quiet(tab.select, opened(name), [parts.view, b.widgets["bank"]],
                       [chosen.address, parts.view, *parts.offers, parts.bank.listing])
        picked.then(None, [chosen.address], None, js=TO_ADDRESS)
        if name == "new":
            quiet(picked.then, lambda *given: tell(desk.reading, given).updates(), b.inputs, b.told)


def _wire_choosing(app: LabApp, parts: Parts, desk: Desk, listing: gr.HTML) -> None:
    """A round is chosen by its row, by making it, or by receiving it; what belongs to the one before goes away."""
    chosen, b = desk.chosen, parts.builder
    p = chosen.people
    turned = [chosen.selected, chosen.questions.page, p.doomed, p.delete.box, chosen.closing.box,
              chosen.results.asking.box,
              chosen.results.told, p.trial_link, p.links, p.cards, p.saves]

    def turn(selected: str) -> list[Any]:
        return [selected, 1, "", HIDDEN, HIDDEN, HIDDEN, Html(""), Html(""), *NO_LINKS]

    def pick(part: str, order: str, event: gr.EventData) -> list[Any]:
        selected = str(event._data.get("round", ""))
        return [*turn(selected), Html(""), *desk.draw(selected, []), *desk.part(selected, part, order, 1)]

    quiet(listing.pick, pick, [chosen.part, chosen.questions.order], [*turned, chosen.message, *desk.shown,
                                                                      *desk.parts])

    def create(request: gr.Request, *given: Any) -> list[Any]:
        made, told, words = make(app, request, given)
        marks = told.updates() if told else [gr.skip()] * len(b.told)
        if made is None:
            return [None, gr.skip(), gr.skip(), words, gr.skip(), *marks,
                    *[gr.skip()] * (len(turned) + len(desk.shown))]
        selected = str(made.id)
        news = tag("p", f"Round '{made.name}' is open. Try it yourself, then invite raters.", cls="good-news",
                   role="status")
        return [{"view": "", "round": selected, "part": "", "bank": ""}, "rounds", gr.update(selected="rounds"),
                Html(""),
                news, *marks, *turn(selected), *desk.draw(selected, [])]

    made = quiet(b.make.click, create, b.inputs,
                 [chosen.address, parts.view, parts.tabs, b.message, chosen.message, *b.told, *turned, *desk.shown],
                 trigger_mode="once")
    made.then(None, [chosen.address], None, js=TO_ADDRESS)
    made.then(lambda: [gr.update(selected=FIRST_PART), FIRST_PART], None, [chosen.tabs, chosen.part],
              show_progress="hidden")

    def received(number: str) -> list[Any]:
        return [*turn(number), *desk.draw(number, [])] if number else [gr.skip()] * (len(turned) + len(desk.shown))

    wire_receiving(app, parts.receiving, received, [*turned, *desk.shown])


def _wire_opening(app: LabApp, parts: Parts, desk: Desk) -> None:
    chosen, b, r = desk.chosen, parts.builder, desk.chosen.results

    def open_page(request: gr.Request) -> list[Any]:
        with app.store.read() as session:
            rounds = [str(row.id) for row in list_rounds(session)]
        bank, asked = query(request, "bank"), query(request, "view")
        view = asked if asked in VIEWS else "new" if bank else "rounds"
        part = query(request, "part") if query(request, "part") in PARTS else FIRST_PART
        models = models_offered(app.store)
        selected = query(request, "round") or next(iter(rounds), "")
        return [selected, view, gr.update(selected=view), part, gr.update(selected=part), *offered(app, bank),
                *bank_choices(app), banks_html(app.store), gr.update(choices=models),
                gr.update(choices=[choice for choice in models if not choice[1].startswith(REMOTE)]),
                *desk.draw(selected, [])]

    loaded = on_load(open_page, [
        chosen.selected, parts.view, parts.tabs, chosen.part, chosen.tabs, *parts.offers, *parts.bank.choices,
        parts.bank.listing, r.judge, r.base, *desk.shown,
    ])
    # The page stands at once; the statistics follow, and so does the preview where the form is what was asked for.
    quiet(loaded.then, desk.part, desk.asked, desk.parts)
    quiet(loaded.then, lambda view, *given: tell(desk.reading, given).updates() if view == "new" else
          [gr.skip()] * len(b.told), [parts.view, *b.inputs], b.told)

    def look(view: str, selected: str, seen: list[Any], banks: str) -> list[Any]:
        """Only what is in sight is asked of the store, and only what has changed is sent."""
        if view == "rounds":
            return [*desk.draw(selected, seen), gr.skip(), gr.skip()]
        now = banks_html(app.store) if view == "answers" else banks
        return [*[gr.skip()] * len(desk.shown), *([now, now] if now != banks else [gr.skip(), gr.skip()])]

    banks_seen = gr.State("")
    poll(look, [parts.view, chosen.selected, chosen.seen, banks_seen], [*desk.shown, parts.bank.listing, banks_seen],
         seconds=3)


PAGE = Page(path="ratings", title="Ratings", order=50, build=build)
