"""What the page draws of a chosen dataset: its head, and the part that is open; the others stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from lab.core.errors import LabError
from lab.ui.components.html import failure
from lab.ui.components.markup import Html
from lab.ui.data.funnel_view import DROPPED_FILE, NOTHING, funnel_html, read_dropped, read_funnel
from lab.ui.data.grades import grades_html
from lab.ui.data.head import head_html, missing_html
from lab.ui.data.map_view import NO_MAP, is_running, job_html, map_html, map_jobs, map_path
from lab.ui.data.reading import Reading
from lab.ui.data.rows_desk import RowDesk
from lab.ui.data.sheet import FIRST_SCHEMA, export_preview, schema_choices, sheet_html
from lab.ui.data.shelf import find_listed, read_shelf, shelf_html
from storage.queries.row_reviews import counts

if TYPE_CHECKING:
    from lab.ui.app_state import LabApp
    from lab.ui.data.layout import Parts
    from storage.tables import Job

SKIP = gr.skip()


class Desk:
    """One for each page."""

    def __init__(self, app: LabApp, parts: Parts):
        self.app, self.store, self.parts = app, app.store, parts
        self.reading = Reading(app)
        self.rows = RowDesk(app, self.reading)

    def head(self, key: str) -> Html:
        """The dataset in facts; one whose rows cannot be read says why."""
        if not key:
            return Html("")
        try:
            listed = find_listed(self.store, key)
        except LabError as problem:
            return failure(problem)
        try:
            opened = self.reading.of(key)
            with self.store.read() as session:
                found = counts(session, opened.data)
        except LabError as problem:
            return missing_html(listed, problem)
        return head_html(self.store, opened, found, frozenset(one.key for one in read_shelf(self.store)))

    def shelf(self, key: str, words: str, which: str) -> Html:
        return shelf_html(self.store, key, words, which)

    def part(self, key: str, part: str, schema: str, reviewed: bool) -> list[Any]:
        """Of `Parts.drawn`: the open part anew, nothing new for the others."""
        values: list[Any] = [SKIP] * len(self.parts.drawn)
        place = {"grades": slice(0, 1), "map": slice(1, 3), "funnel": slice(3, 4), "sheet": slice(4, 7)}.get(part)
        if place is None or not key:
            return values
        try:
            values[place] = {"grades": self._grades, "map": self.map, "funnel": self._funnel,
                             "sheet": lambda key: self._sheet(key, schema, reviewed)}[part](key)
        except LabError as problem:
            values[place] = [failure(problem), *[SKIP] * (place.stop - place.start - 1)]
        return values

    def _grades(self, key: str) -> list[Any]:
        return [grades_html(self.reading.profile(key))]

    def map(self, key: str) -> list[Any]:
        """The drawing that is on its way, and the newest map."""
        drawn, newer = self.map_jobs(key)
        if drawn is None:
            return [job_html(newer), Html("") if is_running(newer) else NO_MAP]
        opened = self.reading.of(key)
        return [job_html(newer), map_html(self.reading.map(map_path(self.store, drawn)), drawn,
                                          opened.found.fingerprint)]

    def map_jobs(self, key: str) -> tuple[Job | None, Job | None]:
        return map_jobs(self.store, find_listed(self.store, key).name)

    def map_state(self, key: str) -> list[Any]:
        """What has to change before the map is drawn again."""
        try:
            jobs = self.map_jobs(key)
        except LabError:
            return []
        return [key, *((job.id, job.state, job.progress_done, job.progress_text) if job else None for job in jobs)]

    def map_data(self, key: str) -> dict[str, Any]:
        """LabError where there is no map."""
        drawn, _ = self.map_jobs(key)
        if drawn is None:
            raise LabError("there is no map of this dataset yet.", "data")
        return self.reading.map(map_path(self.store, drawn))

    def _funnel(self, key: str) -> list[Any]:
        made = find_listed(self.store, key).made
        funnel = read_funnel(made.funnel) if made else None
        if made is None or funnel is None:
            return [NOTHING]
        dropped = read_dropped(self.store.home.job(made.job).artifacts / DROPPED_FILE) if made.job else {}
        return [funnel_html(funnel, f"made-{key}", dropped, made.spent)]

    def _sheet(self, key: str, schema: str, reviewed: bool) -> list[Any]:
        choices = schema_choices(self.reading.of(key).found.kind)
        schema = schema if schema in {value for _, value in choices} else FIRST_SCHEMA
        return [sheet_html(self.reading, key), gr.update(choices=choices, value=schema),
                export_preview(self.reading, key, schema, reviewed)]
