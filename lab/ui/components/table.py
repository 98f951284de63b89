"""A table with a sticky header that scrolls inside its own box."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lab.ui.components.markup import Html, tag


@dataclass(frozen=True)
class Column:
    """A column: numbers are right-aligned; `wide` takes the room that is left; `hint` explains the header."""

    title: str
    number: bool = False
    wide: bool = False
    hint: str = ""

    @property
    def css(self) -> str | None:
        return " ".join(name for name, on in (("num", self.number), ("wide", self.wide)) if on) or None


@dataclass(frozen=True)
class Row:
    """Cells of one row; `href` makes the whole row lead somewhere, `attributes` go on the <tr>."""

    cells: Sequence[object]
    href: str = ""
    selected: bool = False
    attributes: Mapping[str, object] | None = None


def table(columns: Sequence[Column | str], rows: Iterable[Row | Sequence[object]], caption: str = "") -> Html:
    """Cells that are plain values are escaped. A string column is text; use Column(number=True) for figures."""
    columns = [Column(column) if isinstance(column, str) else column for column in columns]
    head = tag("tr", *(tag("th", c.title, cls=c.css, scope="col", title=c.hint or None) for c in columns))
    body = [_row(columns, row if isinstance(row, Row) else Row(row)) for row in rows]
    return tag(
        "div",
        tag("table", tag("caption", caption) if caption else None, tag("thead", head), tag("tbody", *body)),
        cls="lab-table", tabindex=0, role="region", aria_label=caption or "table",
    )


def _row(columns: Sequence[Column], row: Row) -> Html:
    cells = [tag("td", cell, cls=column.css) for column, cell in zip(columns, row.cells, strict=True)]
    if row.href:  # one real link in the first cell: middle click, keyboard and screen readers work
        link = tag("a", row.cells[0], href=row.href, data_select=True, cls="row-link")
        cells[0] = tag("td", link, cls=columns[0].css)
    selected = {"aria-selected": "true", "cls": "selected"} if row.selected else {}
    return tag("tr", *cells, **selected, **dict(row.attributes or {}))
