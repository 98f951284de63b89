"""The other parts' events: drawing a map, opening the row of a point, downloads, the export's preview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from jobs.queue import submit
from lab.core.errors import LabError
from lab.synthesis.specs import MapSpec
from lab.ui.components.download import download_button
from lab.ui.components.html import failure
from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import quiet
from lab.ui.data.grades import grades_csv
from lab.ui.data.look import Asked
from lab.ui.data.map_view import map_csv, row_at
from lab.ui.data.sheet import export_file, export_preview, sheet_file, told
from lab.ui.data.shelf import find_listed
from lab.ui.ratings.permission import check_allowed

if TYPE_CHECKING:
    from lab.ui.app_state import LabApp
    from lab.ui.data.desk import Desk
    from lab.ui.data.layout import Parts

TO_ROW = """(values) => {
  if (values) window.labSetQuery({...values, part: ''});
  document.getElementById('data-open')?.scrollIntoView({block: 'start'});
}"""


def wire_parts(desk: Desk, parts: Parts) -> None:
    _wire_map(desk, parts)
    _wire_files(desk, parts)
    s = parts.sheet
    gr.on([s.schema.input, s.reviewed.input], lambda *given: export_preview(desk.reading, *given),
          [parts.key, s.schema, s.reviewed], [s.told], show_progress="hidden", trigger_mode="always_last",
          concurrency_limit=4)


def draw_map(app: LabApp, key: str, embedder: str) -> Html:
    """Queue the job that draws it."""
    try:
        check_allowed(app)
        values = {"dataset": find_listed(app.store, key).name, "embedder": embedder}
        job = submit(app.store, MapSpec.kind, values).jobs[0]
    except LabError as problem:
        return failure(problem)
    return tag("p", "Queued: ", tag("a", f"job {job.id}", href=f"/jobs?id={job.id}"), ". The map appears here when it "
               "is drawn.", cls="good-news", role="status")


def _wire_map(desk: Desk, parts: Parts) -> None:
    m, rows = parts.map, parts.rows

    def draw(key: str, embedder: str) -> list[Any]:
        said = draw_map(desk.app, key, embedder)
        try:
            return [said, *desk.map(key)]
        except LabError:
            return [said, gr.skip(), gr.skip()]

    def pick(event: gr.EventData, key: str, *values: Any) -> list[Any]:
        """The row of the nearest point; under filters that hide it, it is opened all the same."""
        number, wanted = str(event._data.get("at", "")), Asked.of(values)
        try:
            row = row_at(desk.map_data(key), int(number)) if number.isdigit() else ""
        except LabError:
            row = ""
        if not row:
            return [gr.skip()] * (2 + len(rows.opened) + len(rows.shown))
        return ["rows", gr.update(selected="rows"), *desk.rows.row(key, row, desk.rows.place(key, wanted, row)),
                *desk.rows.rows(key, wanted, row)]

    quiet(m.draw.click, draw, [parts.key, m.embedder], [m.message, m.running, m.picture], trigger_mode="once")
    picked = quiet(m.picture.pick, pick, [parts.key, *rows.asked],
                   [parts.part, parts.part_tabs, *rows.opened, *rows.shown])
    picked.then(None, [rows.row_address], None, js=TO_ROW)


def _wire_files(desk: Desk, parts: Parts) -> None:
    def grades_file(key: str) -> tuple[str, str]:
        with told():
            return f"{key}-figures.csv", grades_csv(desk.reading.profile(key))

    def map_file(key: str) -> tuple[str, str]:
        with told():
            return f"{key}-map.csv", map_csv(desk.map_data(key))

    with parts.grade_files:
        download_button("Figures as CSV", grades_file, [parts.key])
    with parts.map.files:
        download_button("Points as CSV", map_file, [parts.key])
    with parts.sheet.files:
        download_button("Datasheet (Markdown)", lambda key: sheet_file(desk.reading, key), [parts.key])
    with parts.sheet.exports:
        download_button("Download the rows", lambda *given: export_file(desk.reading, *given),
                        [parts.key, parts.sheet.schema, parts.sheet.reviewed])
