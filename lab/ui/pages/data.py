"""Data: what datasets there are; one of them row by row, with its grades, map, funnel and datasheet; making new ones.

Address: /data?data=NAME&part=rows|grades|map|funnel|sheet opens a dataset, row=ID one of its rows; words, review,
department, quality, complexity, length, provenance, depth, style, order and page are the filters.
/data?view=make&kind=problems|reasoning|instructions|ratings opens a form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lab.core.errors import LabError
from lab.ui.app_state import LabApp, Page
from lab.ui.components.html import heading, link
from lab.ui.components.markup import Html
from lab.ui.components.wiring import html_block, keep_in_address, on_load, poll, query, quiet
from lab.ui.data.desk import Desk
from lab.ui.data.layout import PARTS, VIEWS, Parts, lay_out
from lab.ui.data.look import Asked
from lab.ui.data.make_layout import Make
from lab.ui.data.making import TITLES, running_html
from lab.ui.data.wiring_make import FIRST_KIND, follow_forms, kind_opened, offered, offers, wire_make
from lab.ui.data.wiring_parts import wire_parts
from lab.ui.data.wiring_rows import wire_rows
from lab.ui.ratings.permission import who_asks

LEAD = "Every dataset row by row, how it was made and what people said of it."
FIRST_PART = "rows"
TO_ADDRESS = "(values) => { if (values) window.labSetQuery(values); }"
# What belongs to the dataset before goes out of the address; the new one comes into view.
CLEAN_ADDRESS = """() => {
  window.labSetQuery({row: '', words: '', review: '', department: '', quality: '', complexity: '', length: '',
                      provenance: '', depth: '', style: '', order: '', page: ''});
  document.getElementById('data-head')?.scrollIntoView({block: 'nearest'});
}"""


def build(app: LabApp) -> None:
    html_block(heading("Data", LEAD, link("/data?view=make&kind=problems", "Make data", primary=True)))
    parts = lay_out(app)
    desk = Desk(app, parts)
    wire_rows(desk.rows, parts.rows, parts.key, (desk.head, parts.head))
    wire_parts(desk, parts)
    wire_make(app, parts.make)
    _wire_shelf(desk, parts)
    _wire_tabs(app, desk, parts)
    _wire_opening(app, desk, parts)
    _wire_poll(app, desk, parts)


def _outputs(parts: Parts) -> list[Any]:
    """Everything of the chosen dataset, in the order of `_chosen`."""
    rows = parts.rows
    return [parts.key, parts.group, parts.head, parts.body, *rows.filters.values(), *rows.opened, *rows.shown,
            *parts.drawn]


def _chosen(desk: Desk, key: str, asked: Asked, row: str, part: tuple[Any, ...]) -> list[Any]:
    """`part`: the open one, and what the export is asked for."""
    shown = [key, gr.update(visible=bool(key)), desk.head(key)]
    try:
        filters = desk.rows.filters(desk.reading.of(key), asked)
    except LabError:  # the head says why
        return [*shown, gr.update(visible=False), *[gr.skip()] * (len(_outputs(desk.parts)) - 4)]
    place = desk.rows.place(key, asked, row) if row else 0
    return [*shown, gr.update(visible=True), *filters, *desk.rows.row(key, row, place),
            *desk.rows.rows(key, asked, row), *desk.part(key, *part)]


def _wire_shelf(desk: Desk, parts: Parts) -> None:
    asked = [parts.key, parts.search, parts.which]

    def pick(event: gr.EventData, part: str, words: str, which: str, schema: str, reviewed: bool) -> list[Any]:
        key = str(event._data.get("data", ""))
        return [desk.shelf(key, words, which), *_chosen(desk, key, Asked(), "", (part, schema, reviewed)), Html(""),
                Html(""), gr.update(visible=False), Html("")]

    quiet(parts.shelf.pick, pick, [parts.part, parts.search, parts.which, parts.sheet.schema, parts.sheet.reviewed],
          [parts.shelf, *_outputs(parts), parts.map.message, parts.rows.review.said, parts.rows.version.box,
           parts.rows.version.message], show_progress="minimal").then(None, None, None, js=CLEAN_ADDRESS)
    for widget, name in ((parts.search, "search"), (parts.which, "which")):
        for event in ("input", "submit") if isinstance(widget, gr.Textbox) else ("input",):
            keep_in_address(widget, name, event)
            quiet(getattr(widget, event), desk.shelf, asked, [parts.shelf], trigger_mode="always_last")


def _wire_tabs(app: LabApp, desk: Desk, parts: Parts) -> None:
    def view_opened(name: str) -> Callable[..., list[Any]]:
        def go(view: str, kind: str, key: str, words: str, which: str) -> list[Any]:
            if view == name:
                return [None, name, *[gr.skip()] * (1 + len(offered(parts.make)))]
            if name == "make":
                return [{"view": "make", "kind": kind}, name, gr.skip(), *offers(app, parts.make)]
            return [{"view": "", "kind": ""}, name, desk.shelf(key, words, which),
                    *[gr.skip()] * len(offered(parts.make))]

        return go

    def part_opened(name: str) -> Callable[..., list[Any]]:
        def go(part: str, key: str, schema: str, reviewed: bool) -> list[Any]:
            if part == name:
                return [None, name, *[gr.skip()] * len(parts.drawn)]
            return [{"part": "" if name == FIRST_PART else name}, name, *desk.part(key, name, schema, reviewed)]

        return go

    make: Make = parts.make
    for name, tab in parts.each_view.items():
        opened = quiet(tab.select, view_opened(name), [parts.view, make.kind, parts.key, parts.search, parts.which],
                       [parts.address, parts.view, parts.shelf, *offered(make)])
        opened.then(None, [parts.address], None, js=TO_ADDRESS)
        if name == "make":
            follow_forms(app, make, opened)
    for name, tab in parts.each.items():
        quiet(tab.select, part_opened(name), [parts.part, parts.key, parts.sheet.schema, parts.sheet.reviewed],
              [parts.address, parts.part, *parts.drawn]).then(None, [parts.address], None, js=TO_ADDRESS)
    for name, tab in make.each.items():
        quiet(tab.select, kind_opened(app, name), [make.kind], [parts.address, make.kind]).then(
            None, [parts.address], None, js=TO_ADDRESS)


def _wire_opening(app: LabApp, desk: Desk, parts: Parts) -> None:
    r, make = parts.rows.review, parts.make

    def open_page(request: gr.Request) -> list[Any]:
        key, view, part, kind = (query(request, name) for name in ("data", "view", "part", "kind"))
        view = view if view in VIEWS else "datasets"
        part = part if part in PARTS else FIRST_PART
        kind = kind if kind in TITLES else FIRST_KIND
        words, which = query(request, "search"), query(request, "which")
        shelf = desk.shelf(key, words, which) if view == "datasets" else gr.skip()
        return [view, gr.update(selected=view), words, which, shelf, key, gr.update(visible=bool(key)), part,
                gr.update(selected=part), kind, gr.update(selected=kind), query(request, "by") or who_asks(request),
                *(offers(app, make) if view == "make" else [gr.skip()] * len(offered(make)))]

    def fill(request: gr.Request, key: str, part: str, schema: str, reviewed: bool) -> list[Any]:
        """The rows follow the page: a large file takes seconds to read."""
        if not key:
            return [gr.skip()] * len(_outputs(parts))
        names = [*parts.rows.filters, "page"]
        given = [query(request, name) for name in names]
        page = given[-1] if given[-1].isascii() and given[-1].isdigit() and len(given[-1]) < 8 else "1"
        return _chosen(desk, key, Asked.of([*given[:-1], page]), query(request, "row"), (part, schema, reviewed))

    loaded = on_load(open_page, [
        parts.view, parts.tabs, parts.search, parts.which, parts.shelf, parts.key, parts.group, parts.part,
        parts.part_tabs, make.kind, make.tabs, r.reviewer, *offered(make),
    ])
    quiet(loaded.then, fill, [parts.key, parts.part, parts.sheet.schema, parts.sheet.reviewed], _outputs(parts),
          show_progress="minimal")


def _wire_poll(app: LabApp, desk: Desk, parts: Parts) -> None:
    """Only what is in sight is asked of the store, and only what has changed is drawn and sent."""
    def look(view: str, part: str, key: str, seen: list[Any]) -> list[Any]:
        making, state = seen or ["", None]
        if view == "make":
            now = running_html(app.store)
            return [gr.skip() if now == making else now, gr.skip(), gr.skip(), [now, state]]
        if part != "map" or not key:
            return [gr.skip()] * 4
        now = desk.map_state(key)
        if now == state:
            return [gr.skip()] * 4
        return [gr.skip(), *desk.part(key, "map", "", False)[1:3], [making, now]]

    poll(look, [parts.view, parts.part, parts.key, parts.seen],
         [parts.make.running, parts.map.running, parts.map.picture, parts.seen], seconds=3)


PAGE = Page(path="data", title="Data", order=25, build=build)
