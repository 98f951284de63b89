"""Jobs: everything that runs, waits or has ended, and one of them whole.

Address: /jobs?id=12 chooses a job (number or uid); state, study, search and page are kept in it, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from jobs.queue import request_cancel, rerun, retry
from lab.core.errors import LabError
from lab.ui.app_state import SPACE_SENTENCE, LabApp, Page
from lab.ui.components.html import failure, heading, link
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.wiring import html_block, keep_in_address, on_load, only_changed, poll, query, quiet
from lab.ui.jobs.detail import read_detail
from lab.ui.jobs.layout import Parts, lay_out
from lab.ui.jobs.listing import FILTERS, View, read_listing, study_choices
from storage.queries.jobs import find_job

LEAD = "Every training, benchmark and answer bank: what runs, what waits, what came of it."
SHOW_DETAIL = "() => { if (innerWidth < 900) document.querySelector('.lab-side')?.scrollIntoView(); }"
PAGE_IN_ADDRESS = "(page) => window.labSetQuery({page: page > 1 ? page : ''})"
Show = Callable[..., list[Any]]


def build(app: LabApp) -> None:
    html_block(heading("Jobs", LEAD, link("/train", "Plan a study", primary=True)))
    parts, show = lay_out(), _drawing(app)
    _wire_opening(app, parts, show)
    _wire_choosing(app, parts, show)
    _wire_actions(app, parts, show)


def _drawing(app: LabApp) -> Show:
    """The one function that draws the page from what the reader chose; what has not changed is not sent."""

    def show(state: str, study: str, search: str, page: int, selected: str, seen: list[Any]) -> list[Any]:
        view = View(state, int(study) if study else None, search, page)
        listing, detail = read_listing(app.store, view, selected), read_detail(app.store, selected)
        blocks = [detail.head, detail.curves, detail.log, detail.spec, detail.origin, detail.history]
        may = [app.may_launch and flag for flag in (detail.may_cancel, detail.may_retry, detail.may_rerun)]
        values = [listing.html, listing.position, *blocks, *may, page > 1, page < listing.n_pages]
        changed = only_changed(values, seen)
        return [*(gr.update(interactive=new) if isinstance(new, bool) else new for new in changed), values]

    return show


def _wire_opening(app: LabApp, parts: Parts, show: Show) -> None:
    def open_page(request: gr.Request) -> list[Any]:
        state, study, page = (query(request, key) for key in ("state", "study", "page"))
        choices = study_choices(app.store)
        state = state if state in FILTERS else "All"
        study = study if study in {value for _, value in choices} else ""
        number = int(page) if page.isdigit() and int(page) > 0 else 1
        search, selected = query(request, "search"), _number(app, query(request, "id"))
        drawn = show(state, study, search, number, selected, [])
        return [state, gr.update(choices=choices, value=study), search, number, selected, *drawn]

    on_load(open_page, [parts.state, parts.study, parts.search, parts.page, parts.selected, *parts.shown])
    poll(show, parts.asked, parts.shown)


def _number(app: LabApp, asked: str) -> str:
    """An address may name a job by its uid; rows go by number."""
    with app.store.read() as session:
        job = find_job(session, asked) if asked else None
    return str(job.id) if job else asked


def _wire_choosing(app: LabApp, parts: Parts, show: Show) -> None:
    def pick(event: gr.EventData, *asked: Any) -> list[Any]:
        chosen = str(event._data.get("id", ""))
        return [chosen, "", gr.update(visible=False), *show(*asked[:4], chosen, asked[5])]

    def narrow(*asked: Any) -> list[Any]:
        return [1, *show(*asked[:3], 1, *asked[4:])]

    def turn(by: int) -> Callable[..., list[Any]]:
        def go(state: str, study: str, search: str, page: int, *rest: Any) -> list[Any]:
            last = read_listing(app.store, View(state, int(study) if study else None, search), "").n_pages
            page = min(max(1, page + by), last)
            return [page, *show(state, study, search, page, *rest)]

        return go

    told = [parts.selected, parts.message, parts.confirm[0], *parts.shown]
    quiet(parts.listing.pick, pick, parts.asked, told).then(None, None, None, js=SHOW_DETAIL)
    for widget, key in ((parts.state, "state"), (parts.study, "study"), (parts.search, "search")):
        keep_in_address(widget, key)
        narrowed = quiet(widget.input, narrow, parts.asked, [parts.page, *parts.shown], trigger_mode="always_last")
        narrowed.then(None, [parts.page], None, js=PAGE_IN_ADDRESS)
    for button, by in ((parts.newer, -1), (parts.older, 1)):
        turned = quiet(button.click, turn(by), parts.asked, [parts.page, *parts.shown])
        turned.then(None, [parts.page], None, js=PAGE_IN_ADDRESS)


def _wire_actions(app: LabApp, parts: Parts, show: Show) -> None:
    row, question, yes, no = parts.confirm
    cancel, again, once_more = parts.buttons

    def ask(selected: str) -> list[Any]:
        detail = read_detail(app.store, selected)
        return [gr.update(visible=detail.may_cancel), tag("p", detail.question)]

    def act(action: Callable[[LabApp, str], Html]) -> Callable[..., list[Any]]:
        def run(*asked: Any) -> list[Any]:
            return [gr.update(visible=False), _told(app, action, asked[4]), *show(*asked)]

        return run

    quiet(cancel.click, ask, [parts.selected], [row, question])
    quiet(no.click, lambda: gr.update(visible=False), [], [row])
    for button, action in ((yes, _cancel), (again, _retry), (once_more, _rerun)):
        quiet(button.click, act(action), parts.asked, [row, parts.message, *parts.shown])


def _told(app: LabApp, action: Callable[[LabApp, str], Html], job_id: str) -> Html:
    """Do it, and say what was done or why not."""
    try:
        if not app.may_launch:  # the buttons are off; a request made by hand is refused, too
            raise LabError(SPACE_SENTENCE, "spec")
        return tag("div", action(app, job_id), cls="good-news")
    except LabError as problem:
        return failure(problem)


def _cancel(app: LabApp, job_id: str) -> Html:
    job = request_cancel(app.store, job_id)
    return tag("p", f"Job {job.id} is {'cancelled' if job.state == 'cancelled' else 'ending'}.")


def _retry(app: LabApp, job_id: str) -> Html:
    return tag("p", f"Job {retry(app.store, job_id).id} is queued again.")


def _rerun(app: LabApp, job_id: str) -> Html:
    job, differences = rerun(app.store, job_id)
    queued = tag("p", "Queued as ", link(f"/jobs?id={job.id}", f"job {job.id}"), ".")
    if not differences:
        return join([queued, tag("p", "Nothing differs from the first run.")])
    return join([queued, tag("p", "What differs now:"), tag("ul", *(tag("li", line) for line in differences))])


PAGE = Page(path="jobs", title="Jobs", order=30, build=build)
