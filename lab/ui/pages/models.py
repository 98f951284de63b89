"""Models: every variant that training left, one of them whole, and its way out as a folder or to the hub.

Address: /models?variant=NAME opens one; search, base, kind, target, order and page are kept in it, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lab.core.errors import LabError
from lab.ui.app_state import LabApp, Page
from lab.ui.components.html import failure, heading, link
from lab.ui.components.markup import tag
from lab.ui.components.wiring import html_block, keep_in_address, on_load, only_changed, poll, query, quiet
from lab.ui.models.detail import read_detail
from lab.ui.models.exporting import WantedExport, begin, exports_html
from lab.ui.models.layout import Parts, lay_out
from lab.ui.models.listing import SORTS, View, filter_choices, read_listing
from storage.queries.variants import WantedVariants, variant_of

LEAD = "Every variant a training left: where it comes from, what it was measured at, whether it is well, its weights."
SHOW_VARIANT = "() => document.getElementById('variant')?.scrollIntoView({block: 'start'})"
SHOW_IF_ASKED = "(name) => { if (name) document.getElementById('variant')?.scrollIntoView({block: 'start'}); }"


def build(app: LabApp) -> None:
    html_block(heading("Models", LEAD, link("/recipes", "Choose a recipe", primary=True)))
    parts = lay_out(app)
    show = _drawing(app)
    _wire_table(app, parts, show)
    _wire_opening(app, parts, show)
    _wire_export(app, parts)


def _view(search: str, base: str, kind: str, target: str, sort: str, page: int) -> View:
    sort = sort if sort in SORTS.values() else "newest"
    return View(WantedVariants(search or "", base or "", kind or "", target or "", sort), page)


def _drawing(app: LabApp) -> Callable[..., list[Any]]:
    """Draws the table; what has not changed is not sent."""

    def show(*asked: Any) -> list[Any]:
        *view, name, seen = asked
        listing = read_listing(app.store, _view(*view), name)
        page = view[-1]
        values = [listing.html, listing.position, page > 1, page < listing.n_pages]
        changed = only_changed(values, seen)
        return [*(gr.update(interactive=new) if isinstance(new, bool) else new for new in changed), values]

    return show


def _wire_table(app: LabApp, parts: Parts, show: Callable[..., list[Any]]) -> None:
    asked = [*parts.view, parts.name, parts.seen]
    shown = [parts.rows, parts.position, parts.newer, parts.older, parts.seen]

    def narrow(*given: Any) -> list[Any]:
        return [1, *show(*given[:5], 1, *given[6:])]

    def turn(by: int) -> Callable[..., list[Any]]:
        def go(*given: Any) -> list[Any]:
            last = read_listing(app.store, _view(*given[:5], 1)).n_pages
            page = min(max(1, given[5] + by), last)
            return [page, *show(*given[:5], page, *given[6:])]

        return go

    def pick(search, base, kind, target, sort, page, _, seen, event: gr.EventData) -> list[Any]:
        name = str(event._data.get("variant", ""))
        return [*_one(app, name), *show(search, base, kind, target, sort, page, name, seen)]

    for widget, key in ((parts.search, "search"), (parts.base, "base"), (parts.kind, "kind"),
                        (parts.target, "target"), (parts.sort, "order")):
        keep_in_address(widget, key, "input")
        quiet(widget.input, narrow, asked, [parts.page, *shown], trigger_mode="always_last")
    quiet(parts.newer.click, turn(-1), asked, [parts.page, *shown])
    quiet(parts.older.click, turn(1), asked, [parts.page, *shown])
    chosen = [parts.name, parts.detail, parts.group, parts.message, parts.exports, parts.drawn]
    quiet(parts.rows.pick, pick, asked, [*chosen, *shown]).then(None, None, None, js=SHOW_VARIANT)
    poll(show, asked, shown, seconds=4)


def _one(app: LabApp, asked: str) -> list[Any]:
    """The variant's name, its detail, whether it can be exported, no message, its exports and what they look like."""
    name = asked
    try:
        with app.store.read() as session:
            name = variant_of(session, asked).name if asked else ""
        there = bool(name)
    except LabError:
        there = False
    exports = exports_html(app.store.home, name)
    return [name, read_detail(app.store, name), gr.update(visible=there), "", exports, exports]


def _wire_opening(app: LabApp, parts: Parts, show: Callable[..., list[Any]]) -> None:
    def open_page(request: gr.Request) -> list[Any]:
        choices = filter_choices(app.store)
        values = {key: query(request, key) for key in ("base", "kind", "target")}
        values = {key: value if value in dict((v, k) for k, v in choices[key]) else "" for key, value in values.items()}
        sort = query(request, "order") if query(request, "order") in SORTS.values() else "newest"
        search, one = query(request, "search"), _one(app, query(request, "variant").removeprefix("variant:"))
        filters = [gr.update(choices=choices[key], value=values[key]) for key in values]
        return [search, *filters, sort, 1, *one, *show(search, *values.values(), sort, 1, one[0], [])]

    outputs = [*parts.view, parts.name, parts.detail, parts.group, parts.message, parts.exports, parts.drawn,
               parts.rows, parts.position, parts.newer, parts.older, parts.seen]
    on_load(open_page, outputs).then(None, [parts.name], None, js=SHOW_IF_ASKED)


def _wire_export(app: LabApp, parts: Parts) -> None:
    def export(name: str, form: str, repository: str, private: bool) -> list[Any]:
        try:
            folder = begin(app, WantedExport(name, form, (repository or "").strip(), bool(private)))
        except LabError as problem:
            return [failure(problem), gr.skip(), gr.skip()]
        said = tag("p", "Exporting to ", tag("code", folder), ". It goes on when this page is closed.")
        exports = exports_html(app.store.home, name)
        return [tag("div", said, cls="good-news", role="status"), exports, exports]

    def look(name: str, drawn: str) -> list[Any]:
        exports = exports_html(app.store.home, name)
        return [gr.skip(), gr.skip()] if exports == drawn else [exports, exports]

    quiet(parts.export.click, export, [parts.name, parts.form, parts.repository, parts.private],
          [parts.message, parts.exports, parts.drawn], trigger_mode="once")
    poll(look, [parts.name, parts.drawn], [parts.exports, parts.drawn])


PAGE = Page(path="models", title="Models", order=35, build=build)
