"""Jobs: everything that runs, waits or has ended, the machines it runs on, and one job whole.

Address: /jobs?id=12 chooses a job (number or uid); state, study, search and page are kept in it, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lab.ui.app_state import LabApp, Page
from lab.ui.components.html import heading, link
from lab.ui.components.markup import tag
from lab.ui.components.wiring import html_block, keep_in_address, on_load, only_changed, poll, query, quiet
from lab.ui.jobs.actions import ASKED_FIRST, MOVES, YES, Action, pause_or_resume, retry_job, run_again, told
from lab.ui.jobs.board import FILTERS, Board, View, look
from lab.ui.jobs.choices import Choices
from lab.ui.jobs.curves import Drawn
from lab.ui.jobs.detail import draw_detail, read_choices
from lab.ui.jobs.devices import devices_panel, pause_banner
from lab.ui.jobs.layout import Parts, lay_out
from lab.ui.jobs.listing import draw_listing, study_choices
from storage.queries.jobs import find_job
from storage.queries.queue import is_paused

LEAD = "Every training, benchmark and answer bank: what runs, what waits, what came of it."
SHOW_DETAIL = "() => { if (innerWidth < 900) document.querySelector('.lab-side')?.scrollIntoView(); }"
PAGE_IN_ADDRESS = "(page) => window.labSetQuery({page: page > 1 ? page : ''})"
Show = Callable[..., list[Any]]


def build(app: LabApp) -> None:
    html_block(heading("Jobs", LEAD, link("/train", "Plan a study", primary=True)))
    parts, show = lay_out(), drawing(app)
    _wire_opening(app, parts, show)
    _wire_choosing(parts, show)
    _wire_actions(app, parts, show)


def drawing(app: LabApp) -> Show:
    """The one function that draws the page from what the reader chose; what has not changed is not sent."""
    drawn, price = Drawn(), app.settings.price_per_gpu_hour

    def show(state: str, study: str, search: str, page: int, selected: str, seen: list[Any]) -> list[Any]:
        view = View(state, int(study) if study else None, search, page)
        board = look(app.store, view, selected, drawn)
        listing, detail = draw_listing(board, selected), draw_detail(app.store, board, price)
        values = [
            pause_banner(board), devices_panel(board), listing.html, listing.position, *detail.blocks,
            *_buttons(detail.may, app.may_launch), {"visible": bool(detail.batch)},
            _pause_button(board, app.may_launch), {"interactive": page > 1}, {"interactive": page < listing.n_pages},
        ]
        changed = only_changed(values, seen)
        sent = [gr.update(**new) if new is value and isinstance(new, dict) else new
                for new, value in zip(changed, values, strict=True)]
        return [*sent, values]

    return show


def _buttons(may: Choices, may_launch: bool) -> list[dict[str, Any]]:
    """Cancel, retry, start over, run again, and the row that moves a waiting job."""
    return [
        {"interactive": may_launch and may.cancel},
        {"interactive": may_launch and may.retry, "value": may.retry_word},
        {"interactive": may_launch and may.start_over, "visible": may.start_over},
        {"interactive": may_launch and may.rerun},
        {"visible": may_launch and may.move},
    ]


def _pause_button(board: Board, may_launch: bool) -> dict[str, Any]:
    word = "Pause the queue" if board.queue.paused_since is None else "Resume the queue"
    return {"interactive": may_launch, "value": word}


def _wire_opening(app: LabApp, parts: Parts, show: Show) -> None:
    def open_page(request: gr.Request) -> list[Any]:
        state, study, page = (query(request, key) for key in ("state", "study", "page"))
        choices = study_choices(app.store)
        state = state if state in FILTERS else "All"
        study = study if study in {value for _, value in choices} else ""
        number = int(page) if page.isdigit() and int(page) > 0 else 1
        search, selected = query(request, "search"), _number(app, query(request, "id"))
        shown = show(state, study, search, number, selected, [])
        return [state, gr.update(choices=choices, value=study), search, number, selected, *shown]

    on_load(open_page, [parts.state, parts.study, parts.search, parts.page, parts.selected, *parts.shown])
    poll(show, parts.asked, parts.shown)


def _number(app: LabApp, asked: str) -> str:
    """An address may name a job by its uid; rows go by number."""
    with app.store.read() as session:
        job = find_job(session, asked) if asked else None
    return str(job.id) if job else asked


def _wire_choosing(parts: Parts, show: Show) -> None:
    def pick(event: gr.EventData, *asked: Any) -> list[Any]:
        chosen = str(event._data.get("id", ""))
        return [chosen, "", gr.update(visible=False), *show(*asked[:4], chosen, asked[5])]

    def narrow(*asked: Any) -> list[Any]:
        return [1, *show(*asked[:3], 1, *asked[4:])]

    def turn(by: int) -> Callable[..., list[Any]]:
        def go(state: str, study: str, search: str, page: int, *rest: Any) -> list[Any]:
            page = max(1, page + by)
            return [page, *show(state, study, search, page, *rest)]

        return go

    chosen = [parts.selected, parts.message, parts.confirm[0], *parts.shown]
    for block in (parts.listing, parts.devices):
        quiet(block.pick, pick, parts.asked, chosen).then(None, None, None, js=SHOW_DETAIL)
    for widget, key in ((parts.state, "state"), (parts.study, "study"), (parts.search, "search")):
        keep_in_address(widget, key)
        narrowed = quiet(widget.input, narrow, parts.asked, [parts.page, *parts.shown], trigger_mode="always_last")
        narrowed.then(None, [parts.page], None, js=PAGE_IN_ADDRESS)
    for button, by in ((parts.newer, -1), (parts.older, 1)):
        turned = quiet(button.click, turn(by), parts.asked, [parts.page, *parts.shown])
        turned.then(None, [parts.page], None, js=PAGE_IN_ADDRESS)


def _wire_actions(app: LabApp, parts: Parts, show: Show) -> None:
    row, question, yes, no = parts.confirm
    cancel, again, over, once_more = parts.buttons

    def ask(about: str) -> Callable[[str], list[Any]]:
        def question_of(selected: str) -> list[Any]:
            may = read_choices(app.store, selected)
            words = may.cancel_question if about == "cancel" else may.start_over_question
            visible = may.cancel if about == "cancel" else may.start_over
            return [gr.update(visible=visible), tag("p", words), gr.update(value=YES[about]), about]

        return question_of

    def act(action: Action) -> Callable[..., list[Any]]:
        def run(*asked: Any) -> list[Any]:
            return [gr.update(visible=False), told(app, action, asked[4]), *show(*asked)]

        return run

    def confirmed(about: str, *asked: Any) -> list[Any]:
        return act(ASKED_FIRST[about])(*asked)

    def turn_over(*asked: Any) -> list[Any]:
        with app.store.read() as session:
            paused = is_paused(session)
        return [gr.update(visible=False), pause_or_resume(app, paused), *show(*asked)]

    after = [row, parts.message, *parts.shown]
    for button, about in ((cancel, "cancel"), (over, "over")):
        quiet(button.click, ask(about), [parts.selected], [row, question, yes, parts.asking])
    quiet(no.click, lambda: gr.update(visible=False), [], [row])
    quiet(yes.click, confirmed, [parts.asking, *parts.asked], after)
    quiet(parts.pause.click, turn_over, parts.asked, after)
    moves = ((button, MOVES[to]) for to, button in parts.move_buttons.items())
    for button, action in ((again, retry_job), (once_more, run_again), *moves):
        quiet(button.click, act(action), parts.asked, after)


PAGE = Page(path="jobs", title="Jobs", order=30, build=build)
