"""The rows' events: filters and paging, opening a row, going on to the next, reviewing it, keeping a new version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from lab.core.errors import LabError
from lab.ui.components.html import failure
from lab.ui.components.markup import Html
from lab.ui.components.wiring import keep_in_address, quiet
from lab.ui.data.look import Asked
from lab.ui.data.reviewing import keep_version, said_changes, say, version_preview
from lab.ui.ratings.permission import who_asks
from storage.queries.row_reviews import Said

if TYPE_CHECKING:
    from lab.ui.data.rows_desk import RowDesk
    from lab.ui.data.rows_layout import Rows

TO_ADDRESS = "(values) => { if (values) window.labSetQuery(values); }"
SHOW_ROW = """(values) => {
  if (values) window.labSetQuery(values);
  document.getElementById('data-open')?.scrollIntoView({block: 'start'});
}"""
TO_FORM = "() => document.querySelector('#data-edit textarea')?.focus()"
SHOWN, HIDDEN = gr.update(visible=True), gr.update(visible=False)


def wire_rows(desk: RowDesk, rows: Rows, key: gr.State, heads: tuple[Callable[[str], Html], gr.HTML]) -> None:
    """`heads`: what draws the dataset's head, whose counts a review changes, and where it stands."""
    _wire_looking(desk, rows, key)
    _wire_opening(desk, rows, key)
    _wire_reviewing(desk, rows, key, heads)
    _wire_version(desk, rows, key)


def _wire_looking(desk: RowDesk, rows: Rows, key: gr.State) -> None:
    asked = [key, rows.row, *rows.asked]

    def narrow(key: str, row: str, *values: Any) -> list[Any]:
        return desk.rows(key, replace(Asked.of(values), page=1), row)

    def turn(by: int) -> Callable[..., list[Any]]:
        def go(key: str, row: str, *values: Any) -> list[Any]:
            wanted = Asked.of(values)
            return desk.rows(key, replace(wanted, page=max(1, wanted.page + by)), row)

        return go

    for name, widget in rows.filters.items():
        # Enter, too: Gradio does not report the first change of a box that the server has filled.
        for event in ("input", "submit") if isinstance(widget, gr.Textbox) else ("input",):
            keep_in_address(widget, name, event)
            quiet(getattr(widget, event), narrow, asked, rows.shown, trigger_mode="always_last").then(
                None, [rows.page_address], None, js=TO_ADDRESS)
    for button, by in ((rows.back, -1), (rows.forth, 1)):
        quiet(button.click, turn(by), asked, rows.shown).then(None, [rows.page_address], None, js=TO_ADDRESS)


def _wire_opening(desk: RowDesk, rows: Rows, key: gr.State) -> None:
    asked = [key, rows.row, rows.place, *rows.asked]
    outputs = [*rows.opened, *rows.shown, rows.review.said, rows.review.note]

    def pick(event: gr.EventData, key: str, _: str, __: int, *values: Any) -> list[Any]:
        row, wanted = str(event._data.get("row", "")), Asked.of(values)
        return [*desk.row(key, row, desk.place(key, wanted, row)), *desk.rows(key, wanted, row), Html(""), ""]

    def move(by: int) -> Callable[..., list[Any]]:
        def go(key: str, row: str, place: int, *values: Any) -> list[Any]:
            wanted = Asked.of(values)
            try:
                there, at, page = desk.step(key, wanted, row, place, by)
            except LabError as problem:
                return [*[gr.skip()] * (len(outputs) - 2), failure(problem), gr.skip()]
            return [*desk.row(key, there, at), *desk.rows(key, replace(wanted, page=page), there), Html(""), ""]

        return go

    quiet(rows.table.pick, pick, asked, outputs).then(None, [rows.row_address], None, js=SHOW_ROW)
    for button, by in ((rows.review.back, -1), (rows.review.forth, 1)):
        quiet(button.click, move(by), asked, outputs).then(None, [rows.row_address], None, js=TO_ADDRESS).then(
            None, [rows.page_address], None, js=TO_ADDRESS)


def _wire_reviewing(desk: RowDesk, rows: Rows, key: gr.State, heads: tuple[Callable[[str], Html], gr.HTML]) -> None:
    r = rows.review
    asked = [key, rows.row, rows.place, r.reviewer, r.note, *r.boxes, *rows.asked]
    outputs = [r.said, *rows.opened, *rows.shown, heads[1]]

    def saying(verdict: str) -> Callable[..., list[Any]]:
        def go(request: gr.Request, key: str, row_id: str, place: int, name: str, note: str, *given: Any) -> list[Any]:
            texts, wanted = given[:len(r.boxes)], Asked.of(given[len(r.boxes):])
            try:
                opened = desk.reading.of(key)
                row = opened.shelf.find(row_id)
                if row is None:
                    raise LabError("open a row first.", "spec")
                changes = said_changes(verdict, row.row, desk.changes(opened, row), texts)
                told = say(desk.app, opened, row, Said(verdict, changes, note or ""), name or who_asks(request))
            except LabError as problem:
                return [failure(problem), *[gr.skip()] * (len(outputs) - 1)]
            return [told, *desk.row(key, row_id, place), *desk.rows(key, wanted, row_id), heads[0](key)]

        return go

    for button, verdict in ((r.approve, "approved"), (r.reject, "rejected"), (r.reopen, "open"), (r.keep, "edited")):
        quiet(button.click, saying(verdict), asked, outputs, trigger_mode="once")
    quiet(r.edit.click, lambda: SHOWN, [], [r.form]).then(None, None, None, js=TO_FORM)
    quiet(r.leave.click, lambda: HIDDEN, [], [r.form])
    keep_in_address(r.reviewer, "by", "input")


def _wire_version(desk: RowDesk, rows: Rows, key: gr.State) -> None:
    v = rows.version

    def preview(key: str, only: bool) -> list[Any]:
        try:
            return [SHOWN, version_preview(desk.reading, desk.reading.of(key), only), Html("")]
        except LabError as problem:
            return [SHOWN, failure(problem), Html("")]

    def keep(key: str, only: bool) -> list[Any]:
        try:
            _, told = keep_version(desk.app, desk.reading, desk.reading.of(key), only)
        except LabError as problem:
            return [SHOWN, failure(problem)]
        return [HIDDEN, told]

    shown = [v.box, v.told, v.message]
    quiet(v.ask.click, preview, [key, v.only_approved], shown)
    quiet(v.only_approved.input, preview, [key, v.only_approved], shown)
    quiet(v.keep.click, keep, [key, v.only_approved], [v.box, v.message], trigger_mode="once")
    quiet(v.leave.click, lambda: HIDDEN, [], [v.box])
