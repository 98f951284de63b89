"""The datasheet of a dataset, and its rows in the schemas of the hub."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import gradio as gr

from lab.core.errors import LabError
from lab.ui.components.html import failure, number
from lab.ui.components.markdown import markdown
from lab.ui.components.markup import Html, join, tag
from lab.ui.data.reviewing import scores
from storage.queries.row_reviews import verdicts

if TYPE_CHECKING:
    from lab.data.exporting import Rendered
    from lab.ui.data.reading import Opened, Reading

LARGEST = 200_000_000  # characters that a browser is handed in one piece; more is exported by the command line
FIRST_SCHEMA = "lab"


def sheet_html(reading: Reading, key: str) -> Html:
    return tag("section", markdown(sheet_text(reading, key)), cls="lab-card data-sheet")


def sheet_text(reading: Reading, key: str) -> str:
    from lab.data.datasheet import datasheet

    return datasheet(reading.of(key).listed.name, reading.store.home.path)


def sheet_file(reading: Reading, key: str) -> tuple[str, str]:
    with told():
        return f"{key}-datasheet.md", sheet_text(reading, key)


def schema_choices(kind: str) -> list[tuple[str, str]]:
    """Those that have a place for this kind of rows."""
    from lab.data.schemas import schemas

    return [(schema.title, name) for name, schema in schemas().items() if kind in schema.kinds]


def _render(reading: Reading, opened: Opened, schema: str, reviewed: bool) -> Rendered:
    from lab.data.exporting import Choice, render

    reviews = verdicts(reading.said(opened)) if reviewed else {}
    return render(opened.found, schema, "", Choice(reviews=reviews, scores=scores))


def export_file(reading: Reading, key: str, schema: str, reviewed: bool) -> tuple[str, str | bytes]:
    """(file name, its content): one file as it is, several in a ZIP, laid out as their reader looks for them."""
    with told():
        files = _render(reading, reading.of(key), schema, reviewed).files
        if sum(map(len, files.values())) > LARGEST:
            raise LabError("these rows are more than 200 MB: export them with python -m jobs data export", "data")
        if len(files) == 1:
            (place, text), = files.items()
            return f"{key}-{schema}.{place.rsplit('.', 1)[-1]}", text
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as bundle:
            for place, text in files.items():
                bundle.writestr(place, text)
        return f"{key}-{schema}.zip", held.getvalue()


def export_preview(reading: Reading, key: str, schema: str, reviewed: bool) -> Html:
    """What an export would hold: rows that do not fit and fields that have no place are said before."""
    from lab.data.schemas import schemas

    try:
        done = _render(reading, reading.of(key), schema, reviewed)
        form = schemas()[schema]
    except LabError as problem:
        return failure(problem)
    left = "; ".join(f"{n} {why}" for why, n in done.left_out.items())
    lost = ", ".join(f"{name} ({n} rows)" for name, n in done.lost.items())
    reader = join(["Its reader: ", tag("code", f"{form.reader}@FOLDER"), "."]) if form.reader else None
    return join([
        tag("p", form.description, " ", reader), tag("p", tag("b", number(done.n)), " rows. ",
                                                     f"Left out: {left}. " if left else ""),
        tag("p", f"⚠ No place for: {lost}." if lost else "Nothing of a row is lost.", cls="note"),
    ])


@contextmanager
def told() -> Iterator[None]:
    """What is wrong with a download is said over the page: a download has no other place for it."""
    try:
        yield
    except LabError as problem:
        raise gr.Error(str(problem), print_exception=False) from None
