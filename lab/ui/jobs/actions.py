"""What the buttons of the Jobs page do, and what the reader is told afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from jobs.line import Move, move, pause
from jobs.queue import request_cancel, rerun, retry
from lab.core.errors import LabError
from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.components.html import failure, link
from lab.ui.components.markup import Html, join, tag

Action = Callable[[LabApp, str], Html]


def told(app: LabApp, action: Action, job_id: str) -> Html:
    """Do it, and say what was done or why not."""
    try:
        if not app.may_launch:  # the buttons are off; a request made by hand is refused, too
            raise LabError(SPACE_SENTENCE, "spec")
        return tag("div", action(app, job_id), cls="good-news")
    except LabError as problem:
        return failure(problem)


def cancel(app: LabApp, job_id: str) -> Html:
    job = request_cancel(app.store, job_id)
    return tag("p", f"Job {job.id} is {'cancelled' if job.state == 'cancelled' else 'ending'}.")


def retry_job(app: LabApp, job_id: str) -> Html:
    return tag("p", f"Job {retry(app.store, job_id).id} is queued again.")


def start_over(app: LabApp, job_id: str) -> Html:
    job = retry(app.store, job_id, from_start=True)
    return tag("p", f"Job {job.id} is queued again; its checkpoint is deleted and it starts over.")


def run_again(app: LabApp, job_id: str) -> Html:
    job, differences = rerun(app.store, job_id)
    queued = tag("p", "Queued as ", link(f"/jobs?id={job.id}", f"job {job.id}"), ".")
    if not differences:
        return join([queued, tag("p", "Nothing differs from the first run.")])
    return join([queued, tag("p", "What differs now:"), tag("ul", *(tag("li", line) for line in differences))])


def move_to(to: Move, app: LabApp, job_id: str) -> Html:
    job = move(app.store, job_id, to)
    return tag("p", f"Job {job.id} {PLACES[to]}.")


def pause_or_resume(app: LabApp, paused: bool) -> Html:
    """Turn it over; says so only when it was refused, since the banner tells the rest."""
    try:
        if not app.may_launch:
            raise LabError(SPACE_SENTENCE, "spec")
        pause(app.store, not paused)
        return Html("")
    except LabError as problem:
        return failure(problem)


PLACES: Mapping[Move, str] = {"first": "is first in the line now", "up": "moved up", "down": "moved down",
                              "last": "is last in the line now"}
MOVES: Mapping[Move, Action] = {to: partial(move_to, to) for to in PLACES}
ASKED_FIRST: Mapping[str, Action] = {"cancel": cancel, "over": start_over}
YES: Mapping[str, str] = {"cancel": "Yes, cancel it", "over": "Yes, start over"}
