"""What the rows' part of the page draws: filters that this dataset has, a page of rows, one row whole, the next one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from lab.core.errors import LabError
from lab.ui.components.html import failure
from lab.ui.components.markup import Html
from lab.ui.data.look import PROVENANCE_WORDS, Asked, department_choices, facet_choices, tells
from lab.ui.data.reviewing import BOXES, texts_of
from lab.ui.data.row_view import row_html
from lab.ui.data.rows_view import position_html, rows_html
from storage.queries.row_reviews import history, verdicts

if TYPE_CHECKING:
    from lab.data.noted import NotedRow
    from lab.ui.app_state import LabApp
    from lab.ui.data.reading import Opened, Reading

# No row is open: of `Rows.opened`, after the row and its place.
CLOSED: list[Any] = [gr.update(visible=False), Html(""), gr.skip(), gr.skip(), gr.update(visible=False),
                     *[gr.skip()] * 4, {"row": ""}]


@dataclass(frozen=True)
class RowDesk:
    """What the rows' part draws."""

    app: LabApp
    reading: Reading

    def filters(self, opened: Opened, asked: Asked) -> list[Any]:
        """Which filters this dataset has, with their choices, in the order of `Asked` (without the page)."""
        f = opened.facets
        departments = department_choices(f)
        kept = asked.department if asked.department in {value for _, value in departments} else ""
        graded = [gr.update(visible=tells(f[name]), value=getattr(asked, name)) for name in ("quality", "complexity")]
        return [
            asked.words, asked.review, gr.update(visible=len(departments) > 1, choices=departments, value=kept),
            *graded, gr.update(visible=f["trace"].get("with", 0) > 0, value=asked.length),
            _facet(f["provenance"], asked.provenance, PROVENANCE_WORDS), gr.update(visible=tells(f["depth"]),
                                                                                  value=asked.depth),
            _facet(f["style"], asked.style), asked.order,
        ]

    def rows(self, key: str, asked: Asked, selected: str = "") -> list[Any]:
        """Of `Rows.shown`."""
        from lab.data.browsing import browse

        off = gr.update(interactive=False)
        try:
            opened = self.reading.of(key)
            said = self.reading.said(opened)
            page = browse(opened.shelf, asked.look(), verdicts(said))
        except LabError as problem:
            return [1, failure(problem), Html(""), Html(""), off, off, {"page": ""}]
        return [page.page, Html(""), rows_html(page, opened, said, selected), position_html(page),
                gr.update(interactive=page.page > 1), gr.update(interactive=page.page < page.pages),
                {"page": page.page if page.page > 1 else ""}]

    def row(self, key: str, row_id: str, place: int) -> list[Any]:
        """Of `Rows.opened`: the row whole, or nothing where there is none."""
        try:
            opened = self.reading.of(key)
            row = opened.shelf.find(row_id) if row_id else None
            if row is None:
                gone = failure(LabError(f"this dataset has no row '{row_id}'.")) if row_id else Html("")
                return ["", 0, gr.update(visible=bool(row_id)), gone, *CLOSED[2:]]
            said = self.reading.said(opened).get(row_id)
            with self.app.store.read() as session:
                trail = history(session, opened.data, row_id)
        except LabError:
            return ["", 0, *CLOSED]
        labels = BOXES[opened.found.kind].values()
        texts = texts_of(row.row, said.review.changes or {} if said else {})
        n_all = len(opened.found.rows)
        boxes = [gr.update(label=label, value=text) for label, text in zip(labels, texts, strict=True)]
        return [row_id, place, gr.update(visible=True), row_html(row, said, trail, n_all), gr.update(interactive=True),
                gr.update(interactive=True), gr.update(visible=False), *boxes, {"row": row_id}]

    def place(self, key: str, asked: Asked, row_id: str) -> int:
        """Where a row stands on the page that is shown."""
        try:
            return self.step(key, asked, row_id, 0, 0)[1]
        except LabError:
            return 0

    def changes(self, opened: Opened, row: NotedRow) -> dict[str, Any]:
        """What was changed in a row before: an edited row is approved as it was edited."""
        said = self.reading.said(opened).get(row.id)
        return dict(said.review.changes or {}) if said else {}

    def step(self, key: str, asked: Asked, row_id: str, place: int, by: int) -> tuple[str, int, int]:
        """(the next row under the same look, its place, its page); the same row at either end.

        A row that its review has taken out of the look leaves its place to the one after it.
        """
        from lab.data.browsing import browse

        opened = self.reading.of(key)
        reviews = verdicts(self.reading.said(opened))
        page = browse(opened.shelf, asked.look(), reviews)
        ids = [row.id for row in page.rows]
        here = ids.index(row_id) if row_id in ids else place - (1 if by > 0 else 0)
        there = here + by
        if 0 <= there < len(ids):
            return ids[there], there, page.page
        if there >= len(ids) and page.page < page.pages or there < 0 and page.page > 1:
            beside = browse(opened.shelf, replace(asked, page=page.page + by).look(), reviews)
            at = 0 if by > 0 else len(beside.rows) - 1
            return beside.rows[at].id, at, beside.page
        return row_id, place, page.page


def _facet(facet: dict[str, int], value: str, words: dict[str, str] | None = None) -> Any:
    kept = value if value in facet else ""
    return gr.update(visible=tells(facet), choices=facet_choices(facet, words), value=kept)
